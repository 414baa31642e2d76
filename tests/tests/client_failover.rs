//! How long clients of default settings stand still when a node goes, though the cluster goes on at
//! once: what they are told in these moments decides it (docs/decisions/0340).
//!
//! Each trial has clients of its own: those that have seen a fault wait longer at the next one.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use protocol::ErrorCode;
use protocol::messages::list_offsets_request::{ListOffsetsPartition, ListOffsetsTopic};
use protocol::messages::metadata_request::MetadataRequestTopic;
use protocol::messages::offset_for_leader_epoch_request::{
    OffsetForLeaderPartition, OffsetForLeaderTopic,
};
use protocol::messages::{
    FindCoordinatorRequest, ListOffsetsRequest, MetadataRequest, OffsetForLeaderEpochRequest,
};
use protocol::wire::StrBytes;
use tests::cluster::library::{Client, Library, Place, Role};
use tests::cluster::steady::Steady;
use tests::cluster::view::{self, until};
use tests::cluster::{Cluster, Layout, long};
use tests::golden::server_kind;
use tests::oracle::{COURSE, NEWEST};
use tests::server::Kind;
use tests::topic::{name, now_ms};
use tests::wire::Client as WireClient;

/// What consumers read; written by librdkafka and the newest Java client, so that what others wait
/// for is not counted twice.
const TOPIC: &str = "all";
/// What the other producers write.
const UNREAD: &str = "unread";
const TOPICS: [&str; 2] = [TOPIC, UNREAD];
const THREE: [&[i32]; 3] = [&[1, 2, 3], &[2, 3, 1], &[3, 1, 2]];
/// How long after all brokers knew clients are watched at least.
const WATCHED: Duration = Duration::from_secs(1);
/// Where a producer stood still for longer than this before a fault of a long run, that trial says
/// nothing, and there is another one: as many as this.
const BUSY_BEFORE_MS: i64 = 150;
const TRIES: u32 = 3;
/// The kernel closes a dead process's connections one after the other, and a runtime hears of each
/// when it looks at its sockets next: far less than any session lasts, also on a busy machine.
const HEARD: Duration = Duration::from_millis(250);
/// How long a client may stand still until that is what is counted.
const PATIENCE: Duration = Duration::from_secs(60);
/// How long after all brokers knew a standstill begins at the latest.
const BEGINS_MS: i64 = 500;

/// Clients that run at the same time, and for how long before a fault at least.
struct Crew {
    libraries: &'static [Library],
    settling: Duration,
}

const SHORT: Crew =
    Crew { libraries: &[Library::Librdkafka, Library::Java(NEWEST)], settling: Duration::ZERO };
const LONG: Crew = Crew {
    libraries: &[
        Library::Librdkafka,
        Library::Java(NEWEST),
        Library::Java(COURSE),
        Library::KafkaJs,
        Library::AioKafka,
        Library::KafkaPython,
    ],
    settling: Duration::ZERO,
};
/// franz-go asks for metadata every five seconds at most, and does so when it begins and five
/// seconds later. One that has been at work for longer may ask when a broker goes.
const FRANZ_GO: Crew = Crew {
    libraries: &[Library::Librdkafka, Library::FranzGo],
    settling: Duration::from_millis(10_500),
};

/// How long a producer pauses between two records. There are two processors.
fn pause_micros() -> u32 {
    if long() { 10_000 } else { 5_000 }
}

/// `GREGOR_TRIALS`, or as many as such a run has.
fn trials() -> u32 {
    let chosen = std::env::var("GREGOR_TRIALS").ok();
    let usual = if long() { 20 } else { 3 };
    chosen.map_or(usual, |trials| trials.parse().expect("a number"))
}

/// What goes, and how.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Fault {
    KillLeader,
    StopLeader,
    KillActive,
    StopActive,
}

impl Fault {
    fn stops(self) -> bool {
        matches!(self, Self::StopLeader | Self::StopActive)
    }

    fn is_of_active(self) -> bool {
        matches!(self, Self::KillActive | Self::StopActive)
    }
}

/// Whose figures they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Who {
    Producer(Library),
    Consumer(Library),
}

impl std::fmt::Display for Who {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Producer(library) => write!(f, "{}, producer", library.name()),
            Self::Consumer(library) => write!(f, "{}, consumer", library.name()),
        }
    }
}

/// A group that a broker coordinates.
fn group_at(cluster: &Cluster, id: i32, prefix: &str) -> String {
    let view = cluster.view();
    let (_, address) = view.brokers.first().expect("a broker");
    until("a group of this coordinator", Duration::from_secs(30), || {
        let keys: Vec<_> =
            (0..20).map(|number| StrBytes::from_string(format!("{prefix}-{number}"))).collect();
        let request = FindCoordinatorRequest::default().with_coordinator_keys(keys);
        let found = view::ask(address, 4, &request).ok()?;
        let found = found.coordinators.into_iter().find(|one| one.node_id.0 == id)?;
        Some(found.key.to_string())
    })
}

/// A producer of each library, and a consumer that commits as it reads and is alone in a group
/// which the broker that will go coordinates.
fn clients(cluster: &Cluster, crew: &Crew, trial: &str, id: i32) -> Vec<(Who, Client)> {
    let bootstrap = cluster.bootstrap();
    let (bootstrap, folder) = (bootstrap.as_slice(), cluster.folder());
    let start = |library: &Library| {
        let read = Place { bootstrap, topic: TOPIC, folder, run: trial };
        let group = group_at(cluster, id, &format!("{}-{trial}", library.name()));
        let consumer = library.start(&read, Role::Consumes { group: &group });
        let is_read = matches!(library, Library::Librdkafka | Library::Java(NEWEST));
        let written = Place { topic: if is_read { TOPIC } else { UNREAD }, ..read };
        let sends = Role::Produces { partitions: 3, pause_micros: pause_micros() };
        let producer = library.start(&written, sends);
        [(Who::Producer(*library), producer), (Who::Consumer(*library), consumer)]
    };
    crew.libraries.iter().flat_map(start).collect()
}

/// What a fault cost, in milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Cost {
    /// A client's longest time without a record in any partition.
    gap: i64,
    /// When all brokers that were left named another leader of each partition; nothing where the
    /// leader lives until they do.
    known: i64,
    /// Sends that failed for good, and exceptions.
    failures: usize,
}

/// Whether something moved in each partition after this.
fn goes_on(steady: &Steady, since_ms: i64) -> bool {
    let moved = |partition| {
        steady.moved.iter().any(|moved| moved.partition == partition && moved.at_ms > since_ms)
    };
    (0..3).all(moved)
}

/// How long librdkafka's producer stood still in the second before the fault, when nothing was
/// wrong but that the machine was busy.
fn busy_ms(who: Who, steady: &Steady, since: i64) -> i64 {
    if who != Who::Producer(Library::Librdkafka) {
        return 0;
    }
    let moved = steady.moved.iter().copied().filter(|moved| moved.at_ms <= since).collect();
    Steady { moved, ..Steady::default() }.longest_gap_ms(since - 1000, since)
}

/// Takes the node away: when that was, and after how many milliseconds all brokers that were left
/// named another leader of each partition.
fn strike(cluster: &mut Cluster, fault: Fault, id: i32) -> (i64, i64) {
    let since = now_ms();
    match fault.stops() {
        true => drop(cluster.terminate(id)),
        false => cluster.kill(id),
    }
    for (topic, partition) in TOPICS.into_iter().flat_map(|one| [(one, 0), (one, 1), (one, 2)]) {
        cluster.view().wait_for_partition(topic, partition, "led by another", |one| {
            one.leader >= 0 && one.leader != id
        });
    }
    (since, now_ms() - since)
}

/// Brings it back, for the next trial.
fn bring_back(cluster: &mut Cluster, id: i32) {
    cluster.start_again(id);
    for topic in TOPICS.into_iter().chain(["__consumer_offsets"]) {
        cluster.view().wait_in_sync(topic, 3);
    }
    for topic in TOPICS {
        cluster.view().prefer(topic, 3);
    }
}

/// Waits until the clients move something in each partition; those that do not.
fn standing(clients: &[(Who, Client)]) -> Vec<Who> {
    let watched = now_ms();
    let stands = |(who, client): &(Who, Client)| {
        let began = Instant::now();
        while !goes_on(&client.so_far(), watched) {
            if began.elapsed() > PATIENCE {
                return Some(*who);
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        None
    };
    clients.iter().filter_map(stands).collect()
}

/// Stops all at once: what each did.
fn stopped(clients: Vec<(Who, Client)>) -> Vec<(Who, Steady)> {
    std::thread::scope(|scope| {
        let stop = |(who, client): (Who, Client)| scope.spawn(move || (who, client.stop()));
        let stopping: Vec<_> = clients.into_iter().map(stop).collect();
        stopping.into_iter().map(|one| one.join().expect("it ends")).collect()
    })
}

/// One trial: what it cost each client; nothing where the machine was too busy before it.
fn trial(
    cluster: &mut Cluster,
    crew: &Crew,
    fault: Fault,
    number: u32,
) -> Option<Vec<(Who, Cost)>> {
    let active = cluster.quorum().leader;
    let others: Vec<i32> = (1..=3).filter(|id| *id != active).collect();
    let id = match fault.is_of_active() {
        true => active,
        false => others[usize::try_from(number).expect("few") % others.len()],
    };
    let clients = clients(cluster, crew, &format!("{fault:?}-{number}"), id);
    let began = Instant::now();
    for (who, client) in &clients {
        until(&format!("{who} at work"), Duration::from_secs(60), || {
            (client.so_far().moved.len() > 150).then_some(())
        });
    }
    std::thread::sleep(crew.settling.saturating_sub(began.elapsed()));
    let (since, known) = strike(cluster, fault, id);
    std::thread::sleep(WATCHED);
    let standing = standing(&clients);
    let ended = now_ms();
    // What begins later has other reasons.
    let until = since + known + BEGINS_MS;
    let known = if fault.stops() { 0 } else { known };
    let (mut busy, mut costs) = (0, Vec::new());
    for (who, steady) in stopped(clients) {
        if let Some(failure) = steady.failures.first() {
            println!("{who}: {} failures, first {failure}", steady.failures.len());
        }
        let gap = match standing.contains(&who) {
            true => ended - since,
            false => steady.longest_gap_ms(since, until),
        };
        busy = busy_ms(who, &steady, since).max(busy);
        costs.push((who, Cost { gap, known, failures: steady.failures.len() }));
    }
    let is_void = long() && busy > BUSY_BEFORE_MS;
    let void = if is_void { ", void" } else { "" };
    let told: Vec<String> = costs.iter().map(|(who, cost)| format!("{who} {}", cost.gap)).collect();
    let told = told.join("; ");
    println!(
        "{fault:?} {number} of {id}{void}: {busy} ms before it; known after {known} ms; {told}"
    );
    bring_back(cluster, id);
    (!is_void).then_some(costs)
}

/// The smallest value that this part of them does not exceed.
fn percentile(sorted: &[i64], percent: usize) -> i64 {
    let rank = (sorted.len() * percent).div_ceil(100);
    sorted[rank.saturating_sub(1)]
}

/// What a producer may lose beyond what the cluster itself took to know, in the median.
const PRODUCER_MS: i64 = 200;
/// The same of a consumer whose coordinator went, too: librdkafka looks for another one every half
/// second, and a commit that came while the coordinator loads is tried again after 100 ms, and 200.
const CONSUMER_MS: i64 = 500;
/// The same of clients whose own clocks rule (docs/scenarios.md).
const OWN_CLOCK_MS: i64 = 6_500;
/// What any single trial may take beyond that on a busy machine of two processors.
const BUSY_MS: i64 = 800;

/// What a client may lose in the median.
fn most(who: Who) -> i64 {
    match who {
        Who::Producer(Library::FranzGo | Library::KafkaJs)
        | Who::Consumer(Library::FranzGo | Library::KafkaJs) => OWN_CLOCK_MS,
        Who::Producer(_) => PRODUCER_MS,
        Who::Consumer(_) => CONSUMER_MS,
    }
}

#[test]
fn default_clients_go_on_when_the_cluster_does() {
    if long() {
        go_on(&LONG);
        go_on(&FRANZ_GO);
    } else {
        go_on(&SHORT);
    }
}

fn go_on(crew: &Crew) {
    let began = Instant::now();
    let mut cluster = Cluster::start(Layout::combined(3).line("min.insync.replicas=2"));
    for topic in TOPICS {
        cluster.view().create(topic, &THREE, &[]);
    }
    let faults = [Fault::KillLeader, Fault::StopLeader, Fault::KillActive, Fault::StopActive];
    let faults = if long() { &faults[..] } else { &faults[..3] };
    let mut costs: BTreeMap<(Fault, Who), Vec<Cost>> = BTreeMap::new();
    for number in 0..trials() {
        for fault in faults {
            let tries = (0..TRIES).map(|again| number + again * trials());
            let found = tries.map(|number| trial(&mut cluster, crew, *fault, number));
            for (who, cost) in found.flatten().next().into_iter().flatten() {
                costs.entry((*fault, who)).or_default().push(cost);
            }
        }
    }
    for ((fault, who), costs) in &mut costs {
        costs.sort_unstable();
        let gaps: Vec<i64> = costs.iter().map(|cost| cost.gap).collect();
        let [half, most] = [50, 95].map(|percent| percentile(&gaps, percent));
        let worst = gaps.last().expect("a trial");
        println!("{fault:?} | {who} | {half} | {most} | {worst} | of {gaps:?} ms");
    }
    println!("took {:?}", began.elapsed());
    if server_kind() == Kind::Gregor {
        for ((fault, who), costs) in &costs {
            judge(*who, costs).unwrap_or_else(|why| panic!("{fault:?}, {who}, {why}: {costs:?}"));
        }
    }
}

fn judge(who: Who, costs: &[Cost]) -> Result<(), &'static str> {
    let mut lost: Vec<i64> = costs.iter().map(|cost| cost.gap - cost.known).collect();
    lost.sort_unstable();
    let [half, nearly_all] = [50, 95].map(|percent| percentile(&lost, percent));
    // kafkajs fails a send without asking anybody where another one has just taken down the
    // connection that both would use.
    let may_fail = matches!(who, Who::Producer(Library::KafkaJs));
    if half > most(who) {
        Err("too long in the median")
    } else if nearly_all > most(who) + BUSY_MS {
        Err("too long in the end")
    } else if !may_fail && costs.iter().any(|cost| cost.failures > 0) {
        Err("failures")
    } else {
        Ok(())
    }
}

/// What a broker answers about the topic: its leaders, and the brokers that it lists.
fn told(address: &str, topic: &str) -> (Vec<i32>, Vec<i32>) {
    let asked = MetadataRequestTopic::default().with_name(Some(name(topic)));
    let request = MetadataRequest::default().with_topics(Some(vec![asked]));
    let answer = view::ask(address, 12, &request).expect("an answer");
    let partitions = answer.topics.iter().flat_map(|topic| &topic.partitions);
    let leaders = partitions.map(|partition| partition.leader_id.0).collect();
    (leaders, answer.brokers.iter().map(|broker| broker.node_id.0).collect())
}

#[test]
fn a_dead_leader_is_not_named_and_is_listed_until_its_session_would_have_ended() {
    if server_kind() == Kind::Stock {
        // It names the dead leader until the session has ended.
        return;
    }
    let session = Duration::from_secs(3);
    let layout = Layout::combined(3)
        .line("broker.session.timeout.ms=3000")
        .line("broker.heartbeat.interval.ms=500");
    let mut cluster = Cluster::start(layout);
    cluster.view().create(TOPIC, &THREE, &[]);
    let active = cluster.quorum().leader;
    let id = (1..=3).find(|id| *id != active).expect("two others");
    let rest = cluster.view().without(id);
    let began = Instant::now();
    cluster.kill(id);
    for (_, address) in &rest.brokers {
        let unnamed = || {
            let (leaders, listed) = told(address, TOPIC);
            (!leaders.contains(&id)).then_some(listed)
        };
        let listed = until("a dead leader is not named", HEARD, unnamed);
        assert_eq!(listed, [1, 2, 3], "clients that go away from it know it yet");
        assert!(!view::alive(address).expect("an answer").contains(&id));
    }
    let unlisted =
        || rest.brokers.iter().all(|(_, at)| !told(at, TOPIC).1.contains(&id)).then_some(());
    until("it is not listed any more", 2 * session, unlisted);
    let took = began.elapsed();
    // Its last heartbeat may have come an interval before its end, and so may its last answer.
    assert!(took >= session - Duration::from_millis(700), "{took:?}");
    assert!(took <= session + Duration::from_secs(1), "{took:?}");

    cluster.start_again(id);
    cluster.view().wait_in_sync(TOPIC, 3);
    hears_of_its_leadership_in_time(&cluster, id);
    let address = cluster.view().broker(id).expect("it runs").to_owned();
    // Answered once before the broker stops: one that it has not accepted by then is not served.
    let mut client = WireClient::connect(&address).expect("it runs");
    assert_eq!(asked_as_leader(&mut client, id - 1).expect("it is served"), 0, "it leads");
    let asking = std::thread::spawn(move || told_of_another_leader_for(client, id - 1));
    let ends = Instant::now();
    let _ = cluster.terminate(id);
    let told_for = asking.join().expect("it was told");
    assert!(told_for >= Duration::from_millis(60), "{told_for:?}, then its connection ended");
    until("it is not listed any more", 2 * session, unlisted);
    println!("after its controlled shutdown it was listed for {:?}", ends.elapsed());
    assert!(ends.elapsed() < session, "{:?}", ends.elapsed());
}

/// The error code of a ListOffsets, which a leader alone answers.
fn asked_as_leader(client: &mut WireClient, partition: i32) -> std::io::Result<i16> {
    let asked =
        ListOffsetsPartition { partition_index: partition, timestamp: -1, ..Default::default() };
    let topic = ListOffsetsTopic { name: name(TOPIC), partitions: vec![asked] };
    let request =
        ListOffsetsRequest { replica_id: (-1).into(), topics: vec![topic], ..Default::default() };
    client.call(7, &request).map(|answer| answer.topics[0].partitions[0].error_code)
}

/// How long a client that asks a leader all the time is told that it is the leader no more, before
/// its connection ends.
fn told_of_another_leader_for(mut client: WireClient, partition: i32) -> Duration {
    let mut told: Option<Instant> = None;
    while let Ok(code) = asked_as_leader(&mut client, partition) {
        if code == ErrorCode::NotLeaderOrFollower.code() {
            told.get_or_insert_with(Instant::now);
        } else {
            assert_eq!((code, told), (0, None), "it leads until it leaves");
        }
        std::thread::sleep(Duration::from_millis(2));
    }
    told.expect("it was told").elapsed()
}

/// A consumer that was told of a broker's leadership asks it before it knows itself, which happens
/// when others apply the metadata first: the broker of this id, which its partition prefers.
fn hears_of_its_leadership_in_time(cluster: &Cluster, id: i32) {
    let view = cluster.view();
    let partition = id - 1;
    let before = view.partition(TOPIC, partition).expect("it is there");
    assert_ne!(before.leader, id, "another has led since it went");
    let asked = OffsetForLeaderPartition::default()
        .with_partition(partition)
        .with_current_leader_epoch(before.leader_epoch + 1)
        .with_leader_epoch(before.leader_epoch);
    let topic =
        OffsetForLeaderTopic::default().with_topic(name(TOPIC)).with_partitions(vec![asked]);
    let request = OffsetForLeaderEpochRequest::default()
        .with_replica_id((-1).into())
        .with_topics(vec![topic]);
    let ask = || {
        let answer = view::ask(view.broker(id).expect("it runs"), 4, &request).expect("an answer");
        answer.topics[0].partitions[0].error_code
    };
    let (at_once, later) = std::thread::scope(|scope| {
        let asking = scope.spawn(ask);
        view.prefer(TOPIC, 3);
        view.wait_for_partition(TOPIC, partition, "led as preferred", |one| one.leader == id);
        (asking.join().expect("an answer"), ask())
    });
    assert_eq!((at_once, later), (0, 0), "it leads in the epoch that was named");

    // What never comes is not waited for.
    let began = Instant::now();
    let beyond = OffsetForLeaderPartition::default().with_current_leader_epoch(1_000_000);
    let topic =
        OffsetForLeaderTopic::default().with_topic(name(TOPIC)).with_partitions(vec![beyond]);
    let request = OffsetForLeaderEpochRequest::default().with_topics(vec![topic]);
    let answer = view::ask(view.broker(id).expect("it runs"), 4, &request).expect("an answer");
    let code = answer.topics[0].partitions[0].error_code;
    assert_eq!(code, ErrorCode::UnknownLeaderEpoch.code());
    assert!(began.elapsed() < Duration::from_secs(1), "{:?}", began.elapsed());
}

#[test]
fn a_broker_that_follows_nothing_of_a_dead_leader_does_not_name_it_either() {
    if server_kind() == Kind::Stock {
        // It names the dead leader until the session has ended.
        return;
    }
    let mut cluster = Cluster::start(Layout::combined(3));
    let active = cluster.quorum().leader;
    let others: Vec<i32> = (1..=3).filter(|id| *id != active).collect();
    let [dead, apart] = others[..] else { panic!("two others") };
    cluster.view().create(TOPIC, &[&[dead, active]], &[]);
    let view = cluster.view();
    let address = view.broker(apart).expect("it runs");
    assert_eq!(told(address, TOPIC).0, [dead]);
    cluster.kill(dead);
    let follows = || (told(address, TOPIC).0 == [active]).then_some(());
    until("the other replica is named", HEARD, follows);
}

//! How long clients of default settings stand still when a node goes, though the cluster goes on at
//! once: what they are told in these moments decides it (docs/decisions/0340).
//!
//! Each trial has clients of its own: those that have seen a fault wait longer at the next one.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use protocol::messages::metadata_request::MetadataRequestTopic;
use protocol::messages::{FindCoordinatorRequest, MetadataRequest};
use protocol::wire::StrBytes;
use tests::cluster::library::{Client, Library, Place, Role};
use tests::cluster::steady::Steady;
use tests::cluster::view::{self, until};
use tests::cluster::{Cluster, Layout, long};
use tests::golden::server_kind;
use tests::oracle::{COURSE, NEWEST};
use tests::server::Kind;
use tests::topic::{name, now_ms};

/// What consumers read; written by librdkafka and the newest Java client, so that what others wait
/// for is not counted twice.
const TOPIC: &str = "all";
/// What the other producers write.
const UNREAD: &str = "unread";
const THREE: [&[i32]; 3] = [&[1, 2, 3], &[2, 3, 1], &[3, 1, 2]];
/// How long clients are at work before a fault: franz-go asks for metadata every five seconds at
/// most, and one that has just begun has asked.
const SETTLING: Duration = Duration::from_millis(5500);
/// How long after all brokers knew clients are watched at least.
const WATCHED: Duration = Duration::from_secs(1);
/// How long after all brokers knew a standstill begins at the latest.
const BEGINS_MS: i64 = 500;

/// Libraries whose clients run at the same time, in `tests/run` and with `--long`.
const SHORT: [Library; 2] = [Library::Librdkafka, Library::Java(NEWEST)];
const LONG: [Library; 7] = [
    Library::Librdkafka,
    Library::Java(NEWEST),
    Library::Java(COURSE),
    Library::FranzGo,
    Library::KafkaJs,
    Library::AioKafka,
    Library::KafkaPython,
];

fn libraries() -> &'static [Library] {
    if long() { &LONG } else { &SHORT }
}

/// How long a producer pauses between two records. There are two processors.
fn pause_micros() -> u32 {
    if long() { 10_000 } else { 5_000 }
}

/// `GREGOR_TRIALS`, or as many as such a run has.
fn trials() -> u32 {
    let chosen = std::env::var("GREGOR_TRIALS").ok();
    chosen.map_or(if long() { 20 } else { 3 }, |trials| trials.parse().expect("a number"))
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
fn clients(cluster: &Cluster, trial: &str, id: i32) -> Vec<(Who, Client)> {
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
    libraries().iter().flat_map(start).collect()
}

/// What a fault cost, in milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Cost {
    /// A client's longest time without a record in any partition.
    gap: i64,
    /// When all brokers that were left named another leader of each partition; nothing where the
    /// leader lives until they do.
    known: i64,
}

/// Whether something moved in each partition after this.
fn goes_on(steady: &Steady, since_ms: i64) -> bool {
    let moved = |partition| {
        steady.moved.iter().any(|moved| moved.partition == partition && moved.at_ms > since_ms)
    };
    (0..3).all(moved)
}

/// One trial: what it cost each client.
fn trial(cluster: &mut Cluster, fault: Fault, number: u32) -> Vec<(Who, Cost)> {
    let active = cluster.quorum().leader;
    let others: Vec<i32> = (1..=3).filter(|id| *id != active).collect();
    let id = match fault.is_of_active() {
        true => active,
        false => others[usize::try_from(number).expect("few") % others.len()],
    };
    let clients = clients(cluster, &format!("{fault:?}-{number}"), id);
    let began = Instant::now();
    for (who, client) in &clients {
        until(&format!("{who} at work"), Duration::from_secs(60), || {
            (client.so_far().moved.len() > 150).then_some(())
        });
    }
    if libraries().contains(&Library::FranzGo) {
        std::thread::sleep(SETTLING.saturating_sub(began.elapsed()));
    }
    let since = now_ms();
    match fault.stops() {
        true => drop(cluster.terminate(id)),
        false => cluster.kill(id),
    }
    for (topic, partition) in
        [TOPIC, UNREAD].into_iter().flat_map(|one| [(one, 0), (one, 1), (one, 2)])
    {
        cluster.view().wait_for_partition(topic, partition, "led by another", |one| {
            one.leader >= 0 && one.leader != id
        });
    }
    let known = now_ms() - since;
    std::thread::sleep(WATCHED);
    let watched = now_ms();
    for (who, client) in &clients {
        until(&format!("{who} goes on"), Duration::from_secs(90), || {
            goes_on(&client.so_far(), watched).then_some(())
        });
    }
    // What begins later has other reasons.
    let until = since + known + BEGINS_MS;
    let known = if fault.stops() { 0 } else { known };
    let stop = |(who, client): (Who, Client)| {
        let steady = client.stop();
        if server_kind() == Kind::Gregor {
            assert!(steady.failures.is_empty(), "{who}: {:?}", steady.failures);
        } else if let Some(failure) = steady.failures.first() {
            println!("{who}: {} failures, first {failure}", steady.failures.len());
        }
        (who, Cost { gap: steady.longest_gap_ms(since, until), known })
    };
    let costs: Vec<_> = std::thread::scope(|scope| {
        let stopping: Vec<_> =
            clients.into_iter().map(|client| scope.spawn(move || stop(client))).collect();
        stopping.into_iter().map(|one| one.join().expect("it ends well")).collect()
    });
    let told: Vec<String> = costs.iter().map(|(who, cost)| format!("{who} {}", cost.gap)).collect();
    println!("{fault:?} {number} of {id}: known after {known} ms; {}", told.join("; "));
    cluster.start_again(id);
    for topic in [TOPIC, UNREAD, "__consumer_offsets"] {
        cluster.view().wait_in_sync(topic, 3);
    }
    cluster.view().prefer(TOPIC, 3);
    cluster.view().prefer(UNREAD, 3);
    costs
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
/// What any single trial may take beyond that on a busy machine of two processors.
const BUSY_MS: i64 = 800;

#[test]
fn default_clients_go_on_when_the_cluster_does() {
    let began = Instant::now();
    let mut cluster = Cluster::start(Layout::combined(3).line("min.insync.replicas=2"));
    for topic in [TOPIC, UNREAD] {
        cluster.view().create(topic, &THREE, &[]);
    }
    let faults = [Fault::KillLeader, Fault::StopLeader, Fault::KillActive, Fault::StopActive];
    let faults = if long() { &faults[..] } else { &faults[..3] };
    let mut costs: BTreeMap<(Fault, Who), Vec<Cost>> = BTreeMap::new();
    for number in 0..trials() {
        for fault in faults {
            for (who, cost) in trial(&mut cluster, *fault, number) {
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
            let mut lost: Vec<i64> = costs.iter().map(|cost| cost.gap - cost.known).collect();
            lost.sort_unstable();
            let most = if matches!(who, Who::Producer(_)) { PRODUCER_MS } else { CONSUMER_MS };
            assert!(lost[lost.len() / 2] <= most, "{fault:?}, {who}: {costs:?}");
            let is_busy = |lost: &i64| *lost <= most + BUSY_MS;
            assert!(lost.iter().all(is_busy), "{fault:?}, {who}: {costs:?}");
        }
    }
}

/// What a broker answers about the topic: its leaders, and the brokers that it lists.
fn told(address: &str) -> (Vec<i32>, Vec<i32>) {
    let asked = MetadataRequestTopic::default().with_name(Some(name(TOPIC)));
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
        let (leaders, listed) = told(address);
        assert!(!leaders.contains(&id), "{id} is dead: {leaders:?}");
        assert_eq!(listed, [1, 2, 3], "clients that go away from it know it yet");
        assert!(!view::alive(address).expect("an answer").contains(&id));
    }
    let unlisted =
        || rest.brokers.iter().all(|(_, address)| !told(address).1.contains(&id)).then_some(());
    until("it is not listed any more", 2 * session, unlisted);
    let took = began.elapsed();
    // Its last heartbeat may have come an interval before its end, and so may its last answer.
    assert!(took >= session - Duration::from_millis(700), "{took:?}");
    assert!(took <= session + Duration::from_secs(1), "{took:?}");

    cluster.start_again(id);
    cluster.view().wait_in_sync(TOPIC, 3);
    // One that leads nothing leaves without a word that it did.
    cluster.view().prefer(TOPIC, 3);
    let ends = Instant::now();
    let _ = cluster.terminate(id);
    until("it is not listed any more", 2 * session, unlisted);
    println!("after its controlled shutdown it was listed for {:?}", ends.elapsed());
    assert!(ends.elapsed() < session, "{:?}", ends.elapsed());
}

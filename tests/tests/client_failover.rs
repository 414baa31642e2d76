//! How long clients of default settings stand still when a node goes, though the cluster goes on at
//! once: what they are told in these moments decides it (docs/decisions/0340).
//!
//! Each trial has clients of its own: those that have seen a fault wait longer at the next one.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use protocol::messages::metadata_request::MetadataRequestTopic;
use protocol::messages::{FindCoordinatorRequest, MetadataRequest};
use protocol::wire::StrBytes;
use tests::cluster::programs::Program;
use tests::cluster::steady::{self, Steady};
use tests::cluster::view::{self, until};
use tests::cluster::{Cluster, Layout, long};
use tests::golden::server_kind;
use tests::oracle::{NEWEST, Running};
use tests::server::Kind;
use tests::topic::{name, now_ms};

const TOPIC: &str = "all";
const THREE: [&[i32]; 3] = [&[1, 2, 3], &[2, 3, 1], &[3, 1, 2]];
const PAUSE_MICROS: u32 = 5000;
/// How long after a fault clients are watched.
const WATCHED: Duration = Duration::from_secs(2);

/// How long after all brokers knew a standstill begins at the latest.
const BEGINS_MS: i64 = 500;

fn trials() -> u32 {
    if long() { 20 } else { 3 }
}

/// What goes, and how.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Fault {
    KillLeader,
    StopLeader,
    KillActive,
}

/// A client at work.
enum Client {
    Program(Program),
    Java(Running),
}

impl Client {
    fn moved(&self) -> usize {
        match self {
            Self::Program(program) => program.so_far().moved.len(),
            Self::Java(running) => steady::moved_so_far(running),
        }
    }

    fn stop(self) -> Steady {
        match self {
            Self::Program(program) => program.stop(),
            Self::Java(running) => steady::finished(running.stop()),
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

/// A producer of each kind, and a consumer that commits as it reads and is alone in a group which
/// the broker that will go coordinates.
fn clients(cluster: &Cluster, trial: &str, id: i32) -> Vec<(&'static str, Client)> {
    let bootstrap = cluster.bootstrap();
    let servers = bootstrap.join(",");
    let pause = PAUSE_MICROS.to_string();
    let folder = cluster.folder();
    let debug = std::env::var("GREGOR_CLIENT_DEBUG").unwrap_or_default();
    let sends = [&servers, TOPIC, "3", &pause, &debug];
    let (python_group, java_group) =
        (group_at(cluster, id, &format!("py-{trial}")), group_at(cluster, id, trial));
    let reads = [&servers, TOPIC, &python_group, "commit", &debug];
    let python =
        |name: &str, words: &[&str]| Client::Program(Program::python(folder, name, trial, words));
    let java = steady::producer_of(NEWEST, &bootstrap, TOPIC, 3, PAUSE_MICROS);
    let java_reader = steady::committing_consumer_of(NEWEST, &bootstrap, TOPIC, &java_group);
    vec![
        ("librdkafka, producer", python("steady_producer", &sends)),
        ("Java 4.3, producer", Client::Java(java)),
        ("librdkafka, consumer", python("steady_consumer", &reads)),
        ("Java 4.3, consumer", Client::Java(java_reader)),
    ]
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

/// One trial: what it cost each client.
fn trial(cluster: &mut Cluster, fault: Fault, number: u32) -> Vec<(&'static str, Cost)> {
    let active = cluster.quorum().leader;
    let others: Vec<i32> = (1..=3).filter(|id| *id != active).collect();
    let id = match fault {
        Fault::KillActive => active,
        _ => others[usize::try_from(number).expect("few") % others.len()],
    };
    let clients = clients(cluster, &format!("{fault:?}-{number}"), id);
    for (name, client) in &clients {
        until(&format!("{name} at work"), Duration::from_secs(60), || {
            (client.moved() > 150).then_some(())
        });
    }
    let since = now_ms();
    match fault {
        Fault::StopLeader => {
            let _ = cluster.terminate(id);
        }
        _ => cluster.kill(id),
    }
    for partition in 0..3 {
        cluster.view().wait_for_partition(TOPIC, partition, "led by another", |one| {
            one.leader >= 0 && one.leader != id
        });
    }
    let known = now_ms() - since;
    std::thread::sleep(WATCHED);
    // What begins later has other reasons.
    let until = since + known + BEGINS_MS;
    let known = if fault == Fault::StopLeader { 0 } else { known };
    let stop = |(name, client): (&'static str, Client)| {
        let steady = client.stop();
        assert!(steady.failures.is_empty(), "{name}: {:?}", steady.failures);
        (name, Cost { gap: steady.longest_gap_ms(since, until), known })
    };
    let costs: Vec<_> = clients.into_iter().map(stop).collect();
    println!("{fault:?} of {id}: {costs:?}");
    cluster.start_again(id);
    cluster.view().wait_in_sync(TOPIC, 3);
    cluster.view().wait_in_sync("__consumer_offsets", 3);
    cluster.view().prefer(TOPIC, 3);
    costs
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
    cluster.view().create(TOPIC, &THREE, &[]);
    let mut costs: BTreeMap<(Fault, &str), Vec<Cost>> = BTreeMap::new();
    for fault in [Fault::KillLeader, Fault::StopLeader, Fault::KillActive] {
        for number in 0..trials() {
            for (name, cost) in trial(&mut cluster, fault, number) {
                costs.entry((fault, name)).or_default().push(cost);
            }
        }
    }
    for ((fault, name), costs) in &mut costs {
        costs.sort_unstable();
        let gaps: Vec<i64> = costs.iter().map(|cost| cost.gap).collect();
        println!("{fault:?}, {name}: longest gaps {gaps:?} ms");
    }
    println!("took {:?}", began.elapsed());
    if server_kind() == Kind::Gregor {
        for ((fault, name), costs) in &costs {
            let mut lost: Vec<i64> = costs.iter().map(|cost| cost.gap - cost.known).collect();
            lost.sort_unstable();
            let most = if name.ends_with("producer") { PRODUCER_MS } else { CONSUMER_MS };
            assert!(lost[lost.len() / 2] <= most, "{fault:?}, {name}: {costs:?}");
            let is_busy = |lost: &i64| *lost <= most + BUSY_MS;
            assert!(lost.iter().all(is_busy), "{fault:?}, {name}: {costs:?}");
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

//! Java consumers of one group that are rolled from the classic protocol to the consumer protocol
//! and back, one by one, while the broker that coordinates them is killed: every record is read,
//! and no partition has two owners at one time.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use protocol::messages::{FindCoordinatorRequest, ListGroupsRequest};
use protocol::wire::StrBytes;
use tests::cluster::view::{ask, until};
use tests::cluster::{Cluster, Layout, steady};
use tests::golden::recording;
use tests::oracle::{NEWEST, Running, ToolServer, steady_class_path};

const PARTITIONS: i32 = 12;
const MEMBERS: usize = 10;
/// What a group may need until it is what it should be.
const SETTLES: Duration = Duration::from_secs(40);

/// When a member had a partition; none at its end: it has it still.
#[derive(Debug, Clone, Copy)]
struct Ownership {
    partition: i32,
    since_ms: i64,
    until_ms: i64,
}

/// Ten Java consumers in one group, half of them with instance ids.
struct Consumers {
    bootstrap: String,
    running: Vec<Running>,
    /// What those that were stopped have printed.
    printed: Vec<String>,
}

impl Consumers {
    fn start(&self, index: usize, protocol: &str) -> Running {
        let instance = if index.is_multiple_of(2) { format!("i{index}") } else { "-".to_owned() };
        let words = [&self.bootstrap, "work", "workers", protocol, &instance];
        let server = ToolServer::shared();
        let words = words.map(ToString::to_string);
        let path = steady_class_path(NEWEST);
        server.spawn_main_within(&path, "RollingConsumer", &words, "", Duration::from_secs(600))
    }

    /// Each is stopped and started with the other protocol, one after the other, and a broker is
    /// killed on the way.
    fn roll(&mut self, protocol: &str, cluster: &mut Cluster, killed: i32) {
        for index in 0..MEMBERS {
            if index == MEMBERS / 2 {
                cluster.kill(killed);
            }
            // Whoever has its instance id joins when it is gone: a twin would fence it.
            self.printed.push(self.running.remove(index).stop().stdout);
            self.running.insert(index, self.start(index, protocol));
            if index == MEMBERS / 2 + 2 {
                cluster.start_again(killed);
            }
            std::thread::sleep(Duration::from_millis(300));
        }
    }

    /// What all have printed so far, member by member.
    fn all_printed(&self) -> Vec<String> {
        let running = self.running.iter().map(Running::stdout_so_far);
        self.printed.iter().cloned().chain(running).collect()
    }

    /// The partitions of the members that run.
    fn held(&self) -> BTreeSet<i32> {
        let printed = self.running.iter().map(Running::stdout_so_far);
        let held = printed.flat_map(|printed| ownerships(&printed).0);
        held.filter(|owned| owned.until_ms == i64::MAX).map(|owned| owned.partition).collect()
    }

    fn settles(&self, cluster: &Cluster, kind: &str) {
        until(&format!("a stable {kind} group"), SETTLES, || {
            let view = cluster.view();
            let listed = cluster.ids().into_iter().find_map(|id| {
                let groups = ask(view.broker(id)?, 5, &ListGroupsRequest::default()).ok()?.groups;
                let found =
                    groups.into_iter().find(|group| group.group_id.as_str() == "workers")?;
                Some((found.group_type.to_lowercase(), found.group_state.to_string()))
            });
            let is_there = listed? == (kind.to_owned(), "Stable".to_owned());
            (is_there && self.held().len() == PARTITIONS as usize).then_some(())
        });
    }
}

/// The broker that coordinates the group.
fn coordinator(cluster: &Cluster) -> i32 {
    let view = cluster.view();
    until("a coordinator", SETTLES, || {
        let request =
            FindCoordinatorRequest::default().with_key(StrBytes::from_static_str("workers"));
        let found =
            cluster.ids().into_iter().find_map(|id| ask(view.broker(id)?, 3, &request).ok());
        found.filter(|found| found.error_code == 0).map(|found| found.node_id.0)
    })
}

/// What a member has had, and how often it lost what it had without knowing.
fn ownerships(printed: &str) -> (Vec<Ownership>, usize) {
    let mut open: BTreeMap<i32, i64> = BTreeMap::new();
    let mut closed = Vec::new();
    let mut lost = 0;
    for line in printed.lines() {
        let fields: Vec<&str> = line.split(',').collect();
        let [what @ ("assigned" | "revoked" | "lost"), partition, at_ms] = fields[..] else {
            continue;
        };
        let partition: i32 = partition.parse().expect("a partition");
        let at_ms: i64 = at_ms.parse().expect("milliseconds");
        match what {
            "assigned" => {
                open.insert(partition, at_ms);
            }
            "revoked" => closed.extend(open.remove(&partition).map(|since_ms| Ownership {
                partition,
                since_ms,
                until_ms: at_ms,
            })),
            // It has not had it for a while: nobody knows for how long.
            _ => lost += usize::from(open.remove(&partition).is_some()),
        }
    }
    let still = open.into_iter().map(|(partition, since_ms)| Ownership {
        partition,
        since_ms,
        until_ms: i64::MAX,
    });
    closed.extend(still);
    (closed, lost)
}

/// Pairs of ownerships of one partition at one time.
fn overlaps(members: &[String]) -> Vec<(Ownership, Ownership)> {
    let owned: Vec<Ownership> = members.iter().flat_map(|printed| ownerships(printed).0).collect();
    let mut overlaps = Vec::new();
    for (index, one) in owned.iter().enumerate() {
        for other in &owned[index + 1..] {
            let at_once = one.since_ms < other.until_ms && other.since_ms < one.until_ms;
            if one.partition == other.partition && at_once {
                overlaps.push((*one, *other));
            }
        }
    }
    overlaps
}

#[test]
fn a_partition_of_two_members_at_one_time_is_seen() {
    let member = |lines: &str| lines.replace(' ', "\n");
    let first = member("assigned,1,10 assigned,2,10 revoked,1,20 lost,2,30");
    let after = member("assigned,1,20 got,1,0,7,21 assigned,2,25");
    let during = member("assigned,1,19");
    assert_eq!(overlaps(&[first.clone(), after.clone()]).len(), 0);
    assert_eq!(overlaps(&[first.clone(), during]).len(), 1);
    assert_eq!(overlaps(&[after.clone(), after]).len(), 2);
    assert_eq!(ownerships(&first).1, 1);
}

#[test]
fn ten_consumers_are_rolled_to_the_other_protocol_and_back_while_a_broker_is_killed() {
    if recording() {
        return;
    }
    let layout = Layout::combined(3)
        .line("offsets.topic.replication.factor=3")
        .line("offsets.topic.num.partitions=3")
        .line("min.insync.replicas=2")
        .line("group.initial.rebalance.delay.ms=500")
        .line("group.consumer.min.session.timeout.ms=10000")
        .line("group.consumer.session.timeout.ms=10000")
        .line("group.consumer.min.heartbeat.interval.ms=1000")
        .line("group.consumer.heartbeat.interval.ms=1000");
    let mut cluster = Cluster::start(layout);
    let replicas: Vec<[i32; 3]> =
        (0..PARTITIONS).map(|of| [1, 2, 3].map(|id| (of + id) % 3 + 1)).collect();
    let replicas: Vec<&[i32]> = replicas.iter().map(|of| &of[..]).collect();
    cluster.view().create("work", &replicas, &[]);
    cluster.view().wait_in_sync("work", PARTITIONS);
    let bootstrap = cluster.bootstrap();
    let producer = steady::producer_of(NEWEST, &bootstrap, "work", PARTITIONS, 4_000);
    let mut consumers =
        Consumers { bootstrap: bootstrap.join(","), running: Vec::new(), printed: Vec::new() };
    consumers.running = (0..MEMBERS).map(|index| consumers.start(index, "classic")).collect();
    consumers.settles(&cluster, "classic");
    // Whoever coordinates the group is killed, first on the way up, then on the way down.
    let killed = coordinator(&cluster);
    consumers.roll("consumer", &mut cluster, killed);
    consumers.settles(&cluster, "consumer");
    let killed = coordinator(&cluster);
    consumers.roll("classic", &mut cluster, killed);
    consumers.settles(&cluster, "classic");
    let sent = steady::finished(producer.stop());
    let wanted: BTreeSet<u64> = sent.moved.iter().map(|moved| moved.number).collect();
    assert!(wanted.len() > 2_000, "{} records only", wanted.len());
    let missing = || {
        let mut missing = wanted.clone();
        for printed in consumers.all_printed() {
            let got = printed.lines().filter_map(|line| line.strip_prefix("got,"));
            for number in got.filter_map(|got| got.split(',').nth(2)?.parse().ok()) {
                missing.remove(&number);
            }
        }
        missing
    };
    until("every record", SETTLES, || missing().is_empty().then_some(()));
    let printed = consumers.all_printed();
    let overlaps = overlaps(&printed);
    assert!(overlaps.is_empty(), "held twice at one time: {overlaps:?}");
    let lost: usize = printed.iter().map(|printed| ownerships(printed).1).sum();
    let got = printed.iter().flat_map(|printed| printed.lines());
    let got = got.filter(|line| line.starts_with("got,")).count();
    eprintln!(
        "{} records, {} read again, {lost} partitions lost",
        wanted.len(),
        got - wanted.len()
    );
    let exceptions = printed.iter().flat_map(|printed| printed.lines());
    let exceptions: Vec<&str> = exceptions.filter(|line| line.starts_with("exception")).collect();
    assert!(exceptions.is_empty(), "{exceptions:?}");
    drop(consumers.running.into_iter().map(Running::stop).collect::<Vec<_>>());
}

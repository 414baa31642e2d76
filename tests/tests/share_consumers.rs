//! Java's share consumers while brokers are killed: every record is had once at least, what was
//! accepted never comes again, and a record that was given back comes with a higher delivery count.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use tests::cluster::{Cluster, Layout, long, steady};
use tests::oracle::{NEWEST, Running, ToolServer, share_consumers_class_path};

const PARTITIONS: i32 = 3;
const PATIENCE: Duration = Duration::from_secs(1200);
/// What a kill may cost, the locks of those who had records included.
const GOES_ON: Duration = Duration::from_secs(90);
const DELIVERY_LIMIT: u32 = 5;

/// What a member printed of one record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Event {
    at_ms: i64,
    what: What,
    delivery_count: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum What {
    Got,
    Accepted,
    Released,
    /// What it said may count or not.
    Failed,
}

/// By partition and offset, in the order of time.
type Histories = BTreeMap<(i32, i64), Vec<Event>>;

fn histories<'a>(printed: impl Iterator<Item = &'a str>) -> Histories {
    let mut histories = Histories::new();
    for line in printed {
        let words: Vec<&str> = line.split(',').collect();
        let [what, partition, offset, _, delivery_count, at_ms] = words[..] else { continue };
        let what = match what {
            "got" => What::Got,
            "accepted" => What::Accepted,
            "released" => What::Released,
            "failed" => What::Failed,
            _ => continue,
        };
        let key = (partition.parse().expect("a partition"), offset.parse().expect("an offset"));
        histories.entry(key).or_default().push(Event {
            at_ms: at_ms.parse().expect("a time"),
            what,
            delivery_count: delivery_count.parse().expect("a count"),
        });
    }
    histories.values_mut().for_each(|events| events.sort_unstable());
    histories
}

/// What is wrong with one record's history. A member may still be handed what it had fetched from
/// a broker before that was killed, as somebody else has it already; what it says of it is refused.
fn anomalies(events: &[Event]) -> Vec<String> {
    let mut found = Vec::new();
    let mut accepted: Option<u32> = None;
    let mut at_least = 1;
    for event in events {
        let count = event.delivery_count;
        match event.what {
            What::Got if accepted.is_some_and(|accepted| count > accepted) => {
                found.push("it comes again although accepted".to_owned());
            }
            What::Got if count > DELIVERY_LIMIT => {
                found.push(format!("it comes for the {count}th time"));
            }
            What::Got | What::Failed => {}
            What::Accepted if accepted.is_some() => {
                found.push("it is accepted twice".to_owned());
            }
            // Who gave it back may hear of that later than another one accepts it.
            What::Released if accepted.is_some_and(|accepted| count < accepted) => {}
            What::Released if accepted.is_some() => {
                found.push("it is given back although it was accepted".to_owned());
            }
            What::Accepted | What::Released if count < at_least => {
                found.push(format!("it came for the {count}th time after it was given back"));
            }
            What::Accepted => accepted = Some(count),
            What::Released => at_least = count + 1,
        }
    }
    found
}

fn tool(tool: &str, words: &[&str]) {
    let words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
    let done = ToolServer::shared().run(NEWEST, tool, &words, "");
    assert_eq!(done.code, 0, "{tool}: {done:?}");
}

fn member(bootstrap: &str, group: &str) -> Running {
    let words = [bootstrap, "t", group].map(str::to_owned);
    let classes = share_consumers_class_path();
    ToolServer::shared().spawn_main_within(&classes, "ShareMember", &words, "", PATIENCE)
}

fn history_of(members: &[Running]) -> Histories {
    let printed: Vec<String> = members.iter().map(Running::stdout_so_far).collect();
    histories(printed.iter().flat_map(|printed| printed.lines()))
}

fn accepted(members: &[Running]) -> BTreeSet<(i32, i64)> {
    let is_accepted = |events: &[Event]| events.iter().any(|event| event.what == What::Accepted);
    let histories = history_of(members);
    histories.into_iter().filter(|(_, events)| is_accepted(events)).map(|(key, _)| key).collect()
}

fn wait(what: &str, members: &[Running], mut done: impl FnMut() -> bool) {
    let deadline = Instant::now() + GOES_ON;
    while !done() {
        let said = || members.iter().map(Running::stdout_so_far).collect::<Vec<_>>();
        assert!(Instant::now() < deadline, "{what}: {:?}", said());
        std::thread::sleep(Duration::from_millis(100));
    }
}

#[test]
fn share_consumers_have_every_record_while_brokers_are_killed() {
    let layout = Layout::combined(3)
        .line("min.insync.replicas=2")
        .line("offsets.topic.replication.factor=3")
        .line("share.coordinator.state.topic.num.partitions=3")
        .line("share.coordinator.state.topic.replication.factor=3")
        .line("share.coordinator.state.topic.min.isr=2")
        .line("group.share.min.record.lock.duration.ms=1000")
        .line("group.share.record.lock.duration.ms=5000");
    let mut cluster = Cluster::start(layout);
    cluster.view().create("t", &[&[1, 2, 3], &[2, 3, 1], &[3, 1, 2]], &[]);
    cluster.view().wait_in_sync("t", PARTITIONS);
    let bootstrap = cluster.bootstrap().join(",");
    let earliest = "share.auto.offset.reset=earliest";
    let group = ["--entity-type", "groups", "--entity-name", "g", "--add-config", earliest];
    tool("kafka-configs", &[&["--bootstrap-server", &bootstrap, "--alter"], &group[..]].concat());
    let producer = steady::producer(&cluster.bootstrap(), "t", PARTITIONS, 5000);
    let members: Vec<Running> = (0..4).map(|_| member(&bootstrap, "g")).collect();
    for round in 0..if long() { 30 } else { 3 } {
        let before = accepted(&members).len();
        wait("records are accepted", &members, || accepted(&members).len() >= before + 100);
        let id = round % 3 + 1;
        cluster.kill(id);
        let without = accepted(&members).len();
        wait("two brokers serve", &members, || accepted(&members).len() >= without + 20);
        cluster.start_again(id);
        cluster.view().wait_in_sync("t", PARTITIONS);
    }
    let sent = steady::finished(producer.stop());
    let sent: BTreeSet<(i32, i64)> =
        sent.moved.iter().map(|moved| (moved.partition, moved.offset)).collect();
    let missing = || {
        let done = accepted(&members);
        sent.iter().filter(|key| !done.contains(*key)).copied().collect::<Vec<_>>()
    };
    // An acceptance whose answer was lost in a kill may have counted all the same.
    let failed = |key: &(i32, i64), histories: &Histories| {
        histories.get(key).is_some_and(|e| e.iter().any(|event| event.what == What::Failed))
    };
    wait("all is accepted", &members, || {
        let histories = history_of(&members);
        missing().iter().all(|key| failed(key, &histories))
    });
    let histories = history_of(&members);
    members.into_iter().for_each(|member| drop(member.stop()));
    let wrong: Vec<_> = histories
        .iter()
        .map(|(key, events)| (key, anomalies(events), events))
        .filter(|(_, anomalies, _)| !anomalies.is_empty())
        .collect();
    assert!(wrong.is_empty(), "{} of {}: {wrong:?}", wrong.len(), histories.len());
    let given_back = histories.values().flatten().filter(|e| e.what == What::Released).count();
    println!("{} records, {given_back} given back and had again", histories.len());
    assert!(histories.len() > 300 && given_back > 10, "{} records", histories.len());
}

#[test]
fn a_checker_of_histories_finds_what_is_wrong() {
    let lines = |lines: &[&str]| {
        let histories = histories(lines.iter().copied());
        histories.values().map(|events| anomalies(events).len()).sum::<usize>()
    };
    let first = ["got,0,1,5,1,10", "accepted,0,1,5,1,11"];
    assert_eq!(lines(&first), 0);
    assert_eq!(lines(&[&first[..], &["got,0,1,5,1,12", "failed,0,1,5,1,13"]].concat()), 0);
    assert_eq!(lines(&[&first[..], &["got,0,1,5,2,12"]].concat()), 1);
    assert_eq!(lines(&[&first[..], &["got,0,1,5,1,12", "accepted,0,1,5,1,13"]].concat()), 1);
    let back = ["got,0,1,3,1,10", "released,0,1,3,1,11"];
    assert_eq!(lines(&[&back[..], &["got,0,1,3,2,12", "accepted,0,1,3,2,13"]].concat()), 0);
    assert_eq!(lines(&[&back[..], &["got,0,1,3,1,12", "accepted,0,1,3,1,13"]].concat()), 1);
    let late = ["got,0,1,3,1,10", "got,0,1,3,2,11", "accepted,0,1,3,2,12", "released,0,1,3,1,13"];
    assert_eq!(lines(&late), 0);
    assert_eq!(lines(&["got,0,1,3,6,10"]), 1);
}

//! The log lines that people read aloud, in Kafka's words: what stock writes in each step of a lab,
//! Gregor writes too, with the same level, words and logger, or docs/log-lines.md says why not.
//!
//! `tests/golden/log-lines/stock.txt` holds every kind of line of three stock 4.3 nodes in these
//! steps, recorded by `tests/record`. Rows of the page's table leave kinds out; a row that leaves
//! out nothing fails.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::Path;
use std::time::{Duration, Instant};

use bytes::Bytes;
use protocol::messages::delete_records_request::{DeleteRecordsPartition, DeleteRecordsTopic};
use protocol::messages::delete_topics_request::DeleteTopicState;
use protocol::messages::join_group_request::JoinGroupRequestProtocol;
use protocol::messages::leave_group_request::MemberIdentity;
use protocol::messages::sync_group_request::SyncGroupRequestAssignment;
use protocol::messages::{
    DeleteRecordsRequest, DeleteTopicsRequest, FindCoordinatorRequest, GroupId, JoinGroupRequest,
    JoinGroupResponse, LeaveGroupRequest, SyncGroupRequest,
};
use protocol::wire::StrBytes;
use tests::cluster::view::until;
use tests::cluster::{Cluster, Layout};
use tests::facts;
use tests::golden::file;
use tests::log_kinds::{LineKind, kinds};
use tests::records::Batch;
use tests::topic::{name, now_ms, produce};
use tests::wire::Client;

const GOLDEN: &str = "log-lines/stock";
const PAGE: &str = "docs/log-lines.md";
const SOON: Duration = Duration::from_secs(30);

/// A lab of three combined nodes, and what each had written when the last step ended.
struct Lab {
    cluster: Cluster,
    read: BTreeMap<i32, usize>,
}

fn text(text: &str) -> StrBytes {
    StrBytes::from_string(text.to_owned())
}

impl Lab {
    fn start() -> Self {
        let layout = Layout::combined(3)
            .of(facts::kind())
            .line("replica.lag.time.max.ms=3000")
            .line("log.retention.check.interval.ms=500")
            .line("log.initial.task.delay.ms=500")
            .line("log.segment.delete.delay.ms=500")
            .line("group.min.session.timeout.ms=500")
            .line("offsets.topic.replication.factor=3");
        let cluster = Cluster::start(layout);
        let mut lab = Self { cluster, read: BTreeMap::new() };
        lab.wait_for_line("started", "Kafka Server started");
        lab.done("start");
        lab
    }

    /// What is written from now on belongs to the next step.
    fn done(&mut self, step: &str) {
        println!("{step}");
        for id in self.cluster.ids() {
            self.read.insert(id, self.cluster.output(id).len());
        }
    }

    /// Every kind of line of all nodes.
    fn kinds(&self) -> BTreeSet<LineKind> {
        let folder = self.cluster.folder().display().to_string();
        let outputs = self.cluster.ids().into_iter().map(|id| self.cluster.output(id));
        outputs.flat_map(|output| kinds(&output, &folder)).collect()
    }

    /// Waits until some node has written these words since the step began.
    fn wait_for_line(&self, what: &str, words: &str) {
        until(what, SOON, || {
            let has = |id: &i32| {
                let from = self.read.get(id).copied().unwrap_or(0);
                self.cluster.output(*id)[from..].contains(words)
            };
            self.cluster.ids().iter().any(has).then_some(())
        });
    }

    /// Writes one record of this size to partition 0.
    fn write(&self, topic: &str, acks: i16, size: usize) {
        let view = self.cluster.view();
        let (_, address) = until("a leader", SOON, || view.leader(topic, 0));
        let mut client = Client::connect(&address).expect("the leader runs");
        let value = vec![b'x'; size];
        until("written", SOON, || {
            let records = Batch::of(&[&value], now_ms()).bytes();
            produce(&mut client, topic, 0, acks, records).ok().filter(|done| done.error == 0)
        });
    }
}

/// Topics, their records, segments and ends.
fn topics(lab: &mut Lab) {
    let view = lab.cluster.view();
    view.create("lab", &[&[1, 2, 3], &[2, 3, 1]], &[]);
    let settings = [("segment.bytes", "1048576"), ("retention.bytes", "1048576")];
    view.create("rolls", &[&[1, 2, 3]], &settings);
    lab.done("create topics");
    for _ in 0..4 {
        lab.write("rolls", -1, 700_000);
    }
    lab.wait_for_line("a roll", "Rolled new log segment");
    lab.wait_for_line("retention", "due to log retention size");
    lab.wait_for_line("files gone", "Deleted log ");
    lab.done("segments roll and are deleted");
    let partition = DeleteRecordsPartition::default().with_partition_index(0).with_offset(-1);
    let topic =
        DeleteRecordsTopic::default().with_name(name("rolls")).with_partitions(vec![partition]);
    let request = DeleteRecordsRequest::default().with_topics(vec![topic]).with_timeout_ms(10_000);
    let (_, address) = view.leader("rolls", 0).expect("a leader");
    let deleted = Client::connect(&address).expect("it runs").call(2, &request).expect("answered");
    assert_eq!(deleted.topics[0].partitions[0].error_code, 0);
    lab.wait_for_line("a new start", "Incremented log start offset");
    lab.wait_for_line("what lies before it goes", "due to log start offset");
    lab.done("delete records");
    let topic = DeleteTopicState::default().with_name(Some(name("rolls")));
    let request = DeleteTopicsRequest::default().with_topics(vec![topic]).with_timeout_ms(10_000);
    let address = &view.brokers[0].1;
    let deleted = Client::connect(address).expect("it runs").call(6, &request).expect("answered");
    assert_eq!(deleted.responses[0].error_code, 0);
    lab.wait_for_line("files gone", "-delete");
    lab.done("delete a topic");
}

fn join(client: &mut Client, member: &str, instance: Option<&str>) -> JoinGroupResponse {
    let protocol = JoinGroupRequestProtocol::default()
        .with_name(text("range"))
        .with_metadata(Bytes::from_static(&[0, 1, 0, 0, 0, 0, 255, 255, 255, 255]));
    let request = JoinGroupRequest::default()
        .with_group_id(GroupId(text("app")))
        .with_member_id(text(member))
        .with_group_instance_id(instance.map(text))
        .with_protocol_type(text("consumer"))
        .with_protocols(vec![protocol])
        .with_session_timeout_ms(1_000)
        .with_rebalance_timeout_ms(1_500);
    client.send(9, &request).expect("sent");
    client.receive::<JoinGroupRequest>(9).expect("JoinGroup is answered")
}

fn sync(client: &mut Client, joined: &JoinGroupResponse, instance: Option<&str>) {
    let assignment = SyncGroupRequestAssignment::default()
        .with_member_id(joined.leader.clone())
        .with_assignment(Bytes::from_static(b"all"));
    let request = SyncGroupRequest::default()
        .with_group_id(GroupId(text("app")))
        .with_member_id(joined.member_id.clone())
        .with_group_instance_id(instance.map(text))
        .with_generation_id(joined.generation_id)
        .with_protocol_type(Some(text("consumer")))
        .with_protocol_name(Some(text("range")))
        .with_assignments(vec![assignment]);
    let synced = client.call(5, &request).expect("SyncGroup is answered");
    assert_eq!(synced.error_code, 0, "{synced:?}");
}

/// A member joins, another comes and both are gone by silence; one is static and comes back; one
/// leaves.
fn group(lab: &mut Lab) {
    let address = lab.cluster.view().brokers[0].1.clone();
    let mut finder = Client::connect(&address).expect("it runs");
    let request =
        FindCoordinatorRequest::default().with_key_type(0).with_coordinator_keys(vec![text("app")]);
    let port = until("a coordinator", SOON, || {
        let found = finder.call(4, &request).expect("answered");
        let found = &found.coordinators[0];
        (found.error_code == 0).then_some(found.port)
    });
    let coordinator = format!("localhost:{port}");
    let connect = || Client::connect(&coordinator).expect("it runs");
    let mut first = connect();
    let asked = until("the group is loaded", SOON, || {
        let asked = join(&mut first, "", None);
        (asked.error_code == 79).then_some(asked)
    });
    let joined = join(&mut first, &asked.member_id, None);
    assert_eq!(joined.error_code, 0, "{joined:?}");
    sync(&mut first, &joined, None);
    lab.done("a member joins");
    let leave = MemberIdentity::default()
        .with_member_id(joined.member_id.clone())
        .with_reason(Some(text("the consumer is being closed")));
    let request =
        LeaveGroupRequest::default().with_group_id(GroupId(text("app"))).with_members(vec![leave]);
    let left = first.call(5, &request).expect("LeaveGroup is answered");
    assert_eq!(left.error_code, 0, "{left:?}");
    lab.done("the member leaves");
    let asked = join(&mut first, "", None);
    let joined = join(&mut first, &asked.member_id, None);
    sync(&mut first, &joined, None);
    // The second one's coming begins a rebalance that the first one misses.
    let mut second = connect();
    let asked = join(&mut second, "", None);
    let joined = join(&mut second, &asked.member_id, None);
    assert_eq!(joined.error_code, 0, "{joined:?}");
    sync(&mut second, &joined, None);
    lab.wait_for_line("an empty group", "is now empty");
    lab.done("members die");
    let joined = join(&mut first, "", Some("one"));
    sync(&mut first, &joined, Some("one"));
    let again = join(&mut second, "", Some("one"));
    assert_eq!(again.error_code, 0, "{again:?}");
    lab.wait_for_line("the static member is gone", "is now empty");
    lab.done("a static member comes back and dies");
}

/// Nodes that stop, stand still and are killed.
fn nodes(lab: &mut Lab) {
    lab.cluster.terminate(3);
    lab.done("a node stops");
    lab.cluster.start_again(3);
    lab.cluster.view().wait_in_sync("lab", 2);
    lab.wait_for_line("it is back", "Kafka Server started");
    lab.done("it starts again");
    // Not the active controller: the leader itself shall see that its follower lags.
    let idle = if lab.cluster.quorum().leader == 3 { 2 } else { 3 };
    lab.cluster.pause(idle);
    lab.write("lab", 1, 10);
    lab.wait_for_line("the in-sync set shrinks", "Shrinking ISR");
    lab.done("a follower stands still");
    lab.cluster.resume(idle);
    lab.cluster.view().wait_in_sync("lab", 2);
    lab.done("it goes on");
    lab.cluster.kill(1);
    let rest = lab.cluster.view();
    rest.wait_for_partition("lab", 0, "another leads", |one| one.leader == 2);
    lab.wait_for_line("node 1 is missed", "Connection to node 1 ");
    // Kafka's pace is judged over this time.
    std::thread::sleep(Duration::from_secs(2));
    lab.done("a node is killed");
    lab.cluster.start_again(1);
    lab.cluster.view().wait_in_sync("lab", 2);
    lab.done("it is started again");
}

/// A leader dies with records that nobody else has, and another leads: logs part and are cut.
fn divergence(lab: &mut Lab) {
    let settings = [("unclean.leader.election.enable", "true"), ("min.insync.replicas", "1")];
    lab.cluster.view().create("parts", &[&[1, 2]], &settings);
    lab.write("parts", -1, 10);
    lab.cluster.kill(2);
    let rest = lab.cluster.view();
    rest.wait_for_partition("parts", 0, "one alone", |one| one.isr == [1]);
    lab.write("parts", 1, 10);
    lab.write("parts", 1, 10);
    lab.cluster.kill(1);
    std::thread::sleep(Duration::from_secs(3));
    lab.done("the quorum is lost");
    lab.cluster.start_again(2);
    let rest = lab.cluster.view();
    rest.wait_for_partition("parts", 0, "an unclean leader", |one| one.leader == 2);
    lab.write("parts", 1, 10);
    lab.done("an unclean election");
    lab.cluster.start_again(1);
    lab.cluster.view().wait_in_sync("parts", 1);
    lab.done("the former leader cuts its log");
}

/// Lines about an unreachable node in the seconds that it is away: none sooner than Kafka's.
fn is_at_kafkas_pace(output: &str) {
    let mut last: BTreeMap<&str, (i64, u32)> = BTreeMap::new();
    for line in output.lines().filter(|line| line.contains(" could not be established. Node may")) {
        let at = millis(line);
        let (_, words) = line.split_once("WARN ").expect("a warning");
        let (who, _) = words.split_once(" (").expect("a node's address");
        let (before, count) = last.get(who).copied().unwrap_or((0, 0));
        let gap = if who.contains("ReplicaFetcher") { 900 } else { 45 };
        assert!(count == 0 || at - before >= gap, "{who}] {} ms after the last", at - before);
        last.insert(who, (at, count + 1));
    }
    assert!(!last.is_empty(), "a node was away");
}

fn millis(line: &str) -> i64 {
    let number = |from: usize, to: usize| line[from..to].parse::<i64>().expect("a time");
    ((number(12, 14) * 60 + number(15, 17)) * 60 + number(18, 20)) * 1_000 + number(21, 24)
}

/// A row of the page: lines of a logger whose words begin so are left out, for a reason.
struct Row {
    logger: String,
    words: String,
    used: bool,
}

impl Row {
    fn leaves_out(&self, kind: &LineKind) -> bool {
        let is_logger = match self.logger.strip_suffix('*') {
            Some(start) => kind.logger.starts_with(start),
            None => kind.logger == self.logger,
        };
        is_logger
            && match self.words.strip_suffix('…') {
                Some(start) => kind.words.starts_with(start),
                None => kind.words == self.words,
            }
    }
}

fn rows() -> Vec<Row> {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("a workspace").join(PAGE);
    let page = std::fs::read_to_string(page).expect("the page of log lines");
    let cell = |cell: &str| cell.trim().trim_matches('`').to_owned();
    let row = |line: &str| {
        let mut cells = line.strip_prefix("| `")?.splitn(3, '|');
        let (logger, words) = (cell(cells.next()?), cell(cells.next()?));
        let reason = cell(cells.next()?.trim_end_matches('|'));
        assert!(!reason.is_empty(), "{logger} {words}: left out for no reason");
        Some(Row { logger, words, used: false })
    };
    page.lines().filter_map(row).collect()
}

fn recorded() -> BTreeSet<LineKind> {
    let text = std::fs::read_to_string(file(GOLDEN)).expect("stock's lines are recorded");
    text.lines().filter_map(LineKind::parse).collect()
}

fn record(lab: &Lab) {
    let mut text = String::from("# Kinds of log lines of three stock nodes, tests/log_lines.rs\n");
    for kind in lab.kinds() {
        let _ = writeln!(text, "{kind}");
    }
    std::fs::create_dir_all(file(GOLDEN).parent().expect("a folder")).expect("tests/golden");
    std::fs::write(file(GOLDEN), text).expect("the golden file is written");
}

#[test]
fn every_line_of_stock_is_written_in_its_words_or_left_out_for_a_reason() {
    let began = Instant::now();
    let mut lab = Lab::start();
    topics(&mut lab);
    group(&mut lab);
    nodes(&mut lab);
    divergence(&mut lab);
    println!("the lab took {:?}", began.elapsed());
    if facts::kind() == tests::server::Kind::Stock {
        return record(&lab);
    }
    for id in lab.cluster.ids() {
        is_at_kafkas_pace(&lab.cluster.output(id));
    }
    compare(&lab);
}

fn compare(lab: &Lab) {
    let (ours, stock) = (lab.kinds(), recorded());
    let mut rows = rows();
    let mut missing = String::new();
    for kind in &stock {
        let is_ours = ours.contains(kind);
        match rows.iter_mut().find(|row| row.leaves_out(kind)) {
            Some(row) => row.used = true,
            None if is_ours => {}
            None => {
                let _ = writeln!(missing, "{kind}");
            }
        }
    }
    for row in rows.iter().filter(|row| !row.used) {
        let _ = writeln!(missing, "{PAGE}: stock writes no {}: {}", row.logger, row.words);
    }
    if std::env::var_os("GREGOR_SHOW_LINES").is_some() {
        ours.difference(&stock).for_each(|kind| println!("own: {kind}"));
        let both = ours.intersection(&stock);
        both.for_each(|kind| println!("both: {kind}"));
    }
    assert!(missing.is_empty(), "not as stock Kafka\n{missing}");
}

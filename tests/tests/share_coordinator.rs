//! The share coordinator against stock Kafka 4.3.1: every request in every version, right and
//! wrong, is answered as stock answers it; each reads the other's log and goes on with it.

use std::collections::BTreeSet;
use std::fmt::Debug;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use protocol::Base64Uuid;
use protocol::messages::*;
use protocol::wire::{Request, StrBytes};
use tests::facts;
use tests::native::run_as;
use tests::oracle::{NEWEST, ToolServer};
use tests::server::{Kind, Server};
use tests::topic::create;
use tests::wire::Client;
use uuid::Uuid;

use protocol::messages::delete_share_group_state_request as delete;
use protocol::messages::initialize_share_group_state_request as initialize;
use protocol::messages::read_share_group_state_request as read;
use protocol::messages::read_share_group_state_summary_request as summarize;
use protocol::messages::write_share_group_state_request as write;

const TOPIC: &str = "__share_group_state";
/// A topic that is nowhere.
const NOWHERE: Uuid = Uuid::from_u128(0x0102_0304_0506_0708_1112_1314_1516_1718);

fn text(text: &str) -> StrBytes {
    StrBytes::from_string(text.to_owned())
}

fn server(kind: Kind, extra: &[&str]) -> Server {
    let usual = [
        "share.coordinator.state.topic.num.partitions=1",
        "share.coordinator.state.topic.replication.factor=1",
        "share.coordinator.state.topic.min.isr=1",
        "share.coordinator.snapshot.update.records.per.snapshot=3",
    ];
    let lines: Vec<String> = usual.iter().chain(extra).map(|line| (*line).to_owned()).collect();
    let mut server = Server::prepare(kind, &lines);
    server.stock = Some(NEWEST.to_owned());
    server.start_again();
    server
}

/// Asks one server and writes down what it says.
struct Asker {
    client: Client,
    topic_id: Uuid,
    said: Vec<(String, String)>,
}

impl Asker {
    fn connect(server: &Server) -> Self {
        let client = Client::connect(&server.address()).expect("the listener accepts");
        Self { client, topic_id: Uuid::nil(), said: Vec::new() }
    }

    fn ask<R: Request>(&mut self, case: &str, version: i16, request: &R) -> R::Response
    where
        R::Response: Debug,
    {
        let answer = self.client.call(version, request);
        let answer = answer.unwrap_or_else(|error| panic!("{case} v{version}: {error}"));
        let said = format!("{answer:?}")
            .replace(", unknown_tagged_fields: {}", "")
            .replace(&self.topic_id.to_string(), "ORDERS")
            .replace(&NOWHERE.to_string(), "NOWHERE");
        // A fact has no such sign of its own.
        self.said.push((format!("{case} v{version}"), said.replace(": ", "=")));
        answer
    }

    fn create_orders(&mut self) {
        create(&mut self.client, "orders", 4);
        self.know_orders();
    }

    fn know_orders(&mut self) {
        let topic = metadata_request::MetadataRequestTopic::default()
            .with_name(Some(TopicName(text("orders"))));
        let request = MetadataRequest::default().with_topics(Some(vec![topic]));
        let answer = self.client.call(12, &request).expect("metadata");
        self.topic_id = answer.topics[0].topic_id;
    }

    fn key(&self, partition: i32) -> String {
        format!("g:{}:{partition}", Base64Uuid(self.topic_id))
    }

    /// The first FindCoordinator makes the topic; it is asked for until it serves.
    fn find(&mut self) {
        let deadline = Instant::now() + Duration::from_secs(20);
        let request = FindCoordinatorRequest::default()
            .with_key_type(2)
            .with_coordinator_keys(vec![text(&self.key(0))]);
        let find = |client: &mut Client| client.call(6, &request).expect("an answer");
        while find(&mut self.client).coordinators[0].error_code != 0 {
            assert!(Instant::now() < deadline, "no coordinator");
            std::thread::sleep(Duration::from_millis(50));
        }
        let summary = summary_request("g", self.topic_id, &[0]);
        let summarize = |client: &mut Client| client.call(1, &summary).expect("an answer");
        while summarize(&mut self.client).results[0].partitions[0].error_code != 0 {
            assert!(Instant::now() < deadline, "the coordinator does not load");
            std::thread::sleep(Duration::from_millis(50));
        }
    }
}

fn initialize_request(
    group: &str,
    topic_id: Uuid,
    partitions: &[(i32, i32, i64)],
) -> InitializeShareGroupStateRequest {
    let partition = |(partition, state_epoch, start_offset): &(i32, i32, i64)| {
        initialize::PartitionData::default()
            .with_partition(*partition)
            .with_state_epoch(*state_epoch)
            .with_start_offset(*start_offset)
    };
    let topic = initialize::InitializeStateData::default()
        .with_topic_id(topic_id)
        .with_partitions(partitions.iter().map(partition).collect());
    InitializeShareGroupStateRequest::default().with_group_id(text(group)).with_topics(vec![topic])
}

fn read_request(
    group: &str,
    topic_id: Uuid,
    partitions: &[(i32, i32)],
) -> ReadShareGroupStateRequest {
    let partition = |(partition, leader_epoch): &(i32, i32)| {
        read::PartitionData::default().with_partition(*partition).with_leader_epoch(*leader_epoch)
    };
    let topic = read::ReadStateData::default()
        .with_topic_id(topic_id)
        .with_partitions(partitions.iter().map(partition).collect());
    ReadShareGroupStateRequest::default().with_group_id(text(group)).with_topics(vec![topic])
}

fn summary_request(
    group: &str,
    topic_id: Uuid,
    partitions: &[i32],
) -> ReadShareGroupStateSummaryRequest {
    let partition = |partition: &i32| summarize::PartitionData {
        partition: *partition,
        ..summarize::PartitionData::default()
    };
    let partitions = partitions.iter().map(partition).collect();
    let topics = vec![summarize::ReadStateSummaryData { topic_id, partitions }];
    ReadShareGroupStateSummaryRequest { group_id: text(group), topics }
}

fn delete_request(group: &str, topic_id: Uuid, partitions: &[i32]) -> DeleteShareGroupStateRequest {
    let partition = |partition: &i32| delete::PartitionData::default().with_partition(*partition);
    let topic = delete::DeleteStateData::default()
        .with_topic_id(topic_id)
        .with_partitions(partitions.iter().map(partition).collect());
    DeleteShareGroupStateRequest::default().with_group_id(text(group)).with_topics(vec![topic])
}

/// Of one partition: epochs of leader and state, start offset, count, batches.
type Written<'a> = (i32, i32, i32, i64, i32, &'a [(i64, i64, i8, i16)]);

fn write_request(
    group: &str,
    topic_id: Uuid,
    partitions: &[Written<'_>],
) -> WriteShareGroupStateRequest {
    let batch =
        |(first_offset, last_offset, delivery_state, delivery_count): &(i64, i64, i8, i16)| {
            write::StateBatch {
                first_offset: *first_offset,
                last_offset: *last_offset,
                delivery_state: *delivery_state,
                delivery_count: *delivery_count,
            }
        };
    let partition = |written: &Written<'_>| {
        let (partition, leader_epoch, state_epoch, start_offset, count, batches) = *written;
        write::PartitionData {
            partition,
            state_epoch,
            leader_epoch,
            start_offset,
            delivery_complete_count: count,
            state_batches: batches.iter().map(batch).collect(),
        }
    };
    let partitions = partitions.iter().map(partition).collect();
    let topics = vec![write::WriteStateData { topic_id, partitions }];
    WriteShareGroupStateRequest { group_id: text(group), topics }
}

fn finds(asker: &mut Asker) {
    let key = asker.key(0);
    let (of_colons, alone) = (key.replacen("g:", "a:b:", 1), key.replacen("g:", ":", 1));
    for (case, key) in [
        ("a key", &*key),
        ("a group with colons", &of_colons),
        ("no group", &alone),
        ("no partition", key.trim_end_matches(":0")),
        ("a partition that is no number", &key.replace(":0", ":x")),
        ("a short id", "g:short:0"),
        ("nothing", ""),
    ] {
        for version in 1..=6 {
            let request = FindCoordinatorRequest::default().with_key_type(2);
            let request = match version < 4 {
                true => request.with_key(text(key)),
                false => request.with_coordinator_keys(vec![text(key)]),
            };
            let answer = asker.client.call(version, &request).expect("an answer");
            let code = match version < 4 {
                true => answer.error_code,
                false => answer.coordinators[0].error_code,
            };
            asker.said.push((format!("find {case} v{version}"), code.to_string()));
        }
    }
}

fn wrong_requests(asker: &mut Asker) {
    let orders = asker.topic_id;
    for (case, group, topic_id, partition) in [
        ("no group", "", orders, 0),
        ("an unknown topic", "g", NOWHERE, 0),
        ("no topic's id", "g", Uuid::nil(), 0),
        ("a partition too many", "g", orders, 4),
        ("a negative partition", "g", orders, -1),
        ("what has no state", "g", orders, 3),
    ] {
        let request = read_request(group, topic_id, &[(partition, 0)]);
        asker.ask(&format!("read {case}"), 0, &request);
        asker.ask(&format!("delete {case}"), 0, &delete_request(group, topic_id, &[partition]));
        for version in 0..=1 {
            let request = write_request(group, topic_id, &[(partition, 0, 0, 0, 0, &[])]);
            asker.ask(&format!("write {case}"), version, &request);
            let request = summary_request(group, topic_id, &[partition]);
            asker.ask(&format!("summarize {case}"), version, &request);
        }
        if case != "what has no state" {
            let request = initialize_request(group, topic_id, &[(partition, 0, 0)]);
            asker.ask(&format!("initialize {case}"), 0, &request);
        }
    }
    let nothing = "without partitions";
    let request = initialize_request("g", orders, &[]);
    asker.ask(&format!("initialize {nothing}"), 0, &request);
    asker.ask(&format!("read {nothing}"), 0, &read_request("g", orders, &[]));
    asker.ask(&format!("delete {nothing}"), 0, &delete_request("g", orders, &[]));
    asker.ask(&format!("write {nothing}"), 1, &write_request("g", orders, &[]));
    asker.ask(&format!("summarize {nothing}"), 1, &summary_request("g", orders, &[]));
    let none = "without topics";
    let request = InitializeShareGroupStateRequest::default().with_group_id(text("g"));
    asker.ask(&format!("initialize {none}"), 0, &request);
    let request = ReadShareGroupStateRequest::default().with_group_id(text("g"));
    asker.ask(&format!("read {none}"), 0, &request);
    let request = DeleteShareGroupStateRequest::default().with_group_id(text("g"));
    asker.ask(&format!("delete {none}"), 0, &request);
    let request = WriteShareGroupStateRequest { group_id: text("g"), topics: Vec::new() };
    asker.ask(&format!("write {none}"), 1, &request);
    let request = ReadShareGroupStateSummaryRequest { group_id: text("g"), topics: Vec::new() };
    asker.ask(&format!("summarize {none}"), 1, &request);
}

fn look(asker: &mut Asker, when: &str, group: &str, partition: i32) {
    let orders = asker.topic_id;
    asker.ask(&format!("{when}: read"), 0, &read_request(group, orders, &[(partition, -1)]));
    for version in 0..=1 {
        let request = summary_request(group, orders, &[partition]);
        asker.ask(&format!("{when}: summary"), version, &request);
    }
}

/// A state's life: begun, read by a leader, written, snapshotted, begun anew, deleted.
fn life(asker: &mut Asker, write_version: i16) {
    let (group, orders) = (format!("life-{write_version}"), asker.topic_id);
    let group = group.as_str();
    let named = |what: &str| format!("{what} of {group}");
    let request = initialize_request(group, orders, &[(0, 3, 10), (1, 0, -1)]);
    asker.ask(&named("begin"), 0, &request);
    look(asker, &named("begun"), group, 0);
    look(asker, &named("begun elsewhere"), group, 1);
    asker.ask(&named("a leader reads"), 0, &read_request(group, orders, &[(0, 5)]));
    asker.ask(&named("an older leader reads"), 0, &read_request(group, orders, &[(0, 4)]));
    let writes: &[(&str, Written<'_>)] = &[
        ("acknowledged", (0, 5, 3, 10, 4, &[(10, 13, 2, 1)])),
        ("released", (0, 5, 3, -1, 4, &[(14, 20, 0, 1)])),
        ("some of it again", (0, 5, 3, -1, 7, &[(16, 18, 2, 2), (19, 19, 0, 2), (20, 25, 4, 5)])),
        ("what is behind", (0, 5, 3, 12, 6, &[(10, 14, 0, 1)])),
        (
            "unordered and overlapping",
            (0, 5, 3, -1, 0, &[(40, 45, 0, 2), (30, 42, 2, 1), (44, 60, 0, 2)]),
        ),
        ("by an older leader", (0, 4, 3, -1, 0, &[])),
        ("by a newer leader", (0, 6, 3, -1, 0, &[])),
        ("under an older state epoch", (0, 5, 2, -1, 0, &[])),
        ("under a newer state epoch", (0, 5, 4, -1, 0, &[])),
        ("by nobody", (0, -1, -1, -1, -1, &[])),
        ("the start alone", (0, 5, 3, 17, 2, &[])),
    ];
    for (what, written) in writes {
        let request = write_request(group, orders, &[*written]);
        asker.ask(&named(&format!("write {what}")), write_version, &request);
        look(asker, &named(&format!("after {what}")), group, 0);
    }
    let older = initialize_request(group, orders, &[(0, 2, 0)]);
    asker.ask(&named("begin under an older epoch"), 0, &older);
    asker.ask(&named("begin anew"), 0, &initialize_request(group, orders, &[(0, 7, 100)]));
    look(asker, &named("begun anew"), group, 0);
    let request = write_request(group, orders, &[(0, 5, 3, -1, 0, &[])]);
    asker.ask(&named("write after that"), write_version, &request);
    let request = read_request(group, orders, &[(0, 6), (1, 6), (2, 6)]);
    asker.ask(&named("a leader reads all"), 0, &request);
    asker.ask(&named("delete"), 0, &delete_request(group, orders, &[0]));
    asker.ask(&named("delete again"), 0, &delete_request(group, orders, &[0]));
    look(asker, &named("deleted"), group, 0);
    let request = write_request(group, orders, &[(0, 9, 9, -1, 0, &[])]);
    asker.ask(&named("write what was deleted"), write_version, &request);
}

#[test]
fn the_share_coordinator_answers_as_stock_does_in_every_version() {
    let server = server(facts::kind(), &[]);
    let mut asker = Asker::connect(&server);
    asker.create_orders();
    asker.find();
    finds(&mut asker);
    wrong_requests(&mut asker);
    for version in 0..=1 {
        life(&mut asker, version);
    }
    let names: BTreeSet<&String> = asker.said.iter().map(|(name, _)| name).collect();
    assert_eq!(names.len(), asker.said.len(), "each case has its name");
    facts::check(
        "groups/share-coordinator",
        "Answers of stock Kafka 4.3.1's share coordinator.",
        &asker.said,
    );
}

/// What the states of a group are.
fn states(asker: &mut Asker, group: &str) -> String {
    let orders = asker.topic_id;
    let partitions: Vec<(i32, i32)> = (0..4).map(|partition| (partition, -1)).collect();
    let read = asker.client.call(0, &read_request(group, orders, &partitions)).expect("states");
    let summary = summary_request(group, orders, &[0, 1, 2, 3]);
    let summary = asker.client.call(1, &summary).expect("summaries");
    let mut of_partitions = read.results[0].partitions.clone();
    of_partitions.sort_by_key(|partition| partition.partition);
    let mut summaries = summary.results[0].partitions.clone();
    summaries.sort_by_key(|partition| partition.partition);
    format!("{of_partitions:?} {summaries:?}")
}

/// Writes to all states of a group, more often than a snapshot takes.
fn write_on(asker: &mut Asker, group: &str, from: i64) {
    let orders = asker.topic_id;
    for step in 0..5 {
        for partition in 0..3 {
            let (first, count) = (from + 10 * step, 1 + (step % 3) as i16);
            let batches = &[(first, first + 4, 2, count), (first + 5, first + 12, 0, count)];
            let written = (partition, 1, 1, first - 3, step as i32, batches.as_slice());
            let answer = asker.client.call(1, &write_request(group, orders, &[written]));
            let answer = answer.expect("an answer");
            assert_eq!(answer.results[0].partitions[0].error_code, 0, "{answer:?}");
        }
    }
}

fn connect_again(server: &Server) -> Asker {
    let mut asker = Asker::connect(server);
    asker.know_orders();
    asker.find();
    asker
}

/// Where the coordinator's log begins.
fn start_offset(asker: &mut Asker) -> i64 {
    use list_offsets_request::{ListOffsetsPartition, ListOffsetsTopic};
    let partition = ListOffsetsPartition { timestamp: -2, ..Default::default() };
    let topic = ListOffsetsTopic { name: TopicName(text(TOPIC)), partitions: vec![partition] };
    let request =
        ListOffsetsRequest { replica_id: (-1).into(), topics: vec![topic], ..Default::default() };
    let answer = asker.client.call(7, &request).expect("offsets");
    answer.topics[0].partitions[0].offset
}

/// The segments of the coordinator's topic.
fn segments(server: &Server) -> Vec<PathBuf> {
    let folder = server.data().join(format!("{TOPIC}-0"));
    let listed = std::fs::read_dir(folder).expect("a log");
    let mut segments: Vec<PathBuf> = listed
        .map(|entry| entry.expect("a file").path())
        .filter(|path| path.extension().is_some_and(|ending| ending == "log"))
        .collect();
    segments.sort();
    segments
}

#[test]
fn stock_takes_our_states_over_and_we_take_them_back() {
    let mut server = server(Kind::Gregor, &[]);
    let mut asker = Asker::connect(&server);
    asker.create_orders();
    asker.find();
    let orders = asker.topic_id;
    let begin = initialize_request("g", orders, &[(0, 1, 0), (1, 1, 5), (2, 1, -1), (3, 1, 0)]);
    asker.ask("begin", 0, &begin);
    asker.ask("read", 0, &read_request("g", orders, &[(0, 1), (1, 1)]));
    asker.ask("delete", 0, &delete_request("g", orders, &[3]));
    write_on(&mut asker, "g", 3);
    let ours = states(&mut asker, "g");
    server.terminate();
    for segment in segments(&server) {
        let args = ["--share-group-state-decoder", "--files", &segment.display().to_string()]
            .map(str::to_owned);
        let stock = ToolServer::shared().run(NEWEST, "kafka-dump-log", &args, "");
        assert_eq!(run_as(NEWEST, "kafka-dump-log", &args, "").stdout, stock.stdout);
        let read = stock.stdout.matches("\"topicId\":").count();
        assert_eq!(read, 4 + 2 + 1 + 15, "{}", stock.stdout);
    }
    server.kind = Kind::Stock;
    server.start_again();
    let mut asker = connect_again(&server);
    assert_eq!(states(&mut asker, "g"), ours, "as stock reads it");
    write_on(&mut asker, "g", 60);
    asker.ask("begin", 0, &initialize_request("g", orders, &[(3, 4, 44)]));
    asker.ask("delete", 0, &delete_request("g", orders, &[1]));
    let stocks = states(&mut asker, "g");
    assert_ne!(stocks, ours);
    server.terminate();
    server.kind = Kind::Gregor;
    server.start_again();
    let mut asker = connect_again(&server);
    assert_eq!(states(&mut asker, "g"), stocks, "as we read it");
    // The leader that read before is the newest still.
    let refused = asker.client.call(0, &read_request("g", orders, &[(0, 0)])).expect("an answer");
    assert_eq!(refused.results[0].partitions[0].error_code, 74, "{refused:?}");
}

#[test]
fn the_log_is_pruned_and_a_deleted_topics_states_go_and_a_kill_loses_nothing() {
    let often = [
        "share.coordinator.state.topic.prune.interval.ms=200",
        "log.flush.start.offset.checkpoint.interval.ms=200",
    ];
    let mut server = server(Kind::Gregor, &often);
    let mut asker = Asker::connect(&server);
    asker.create_orders();
    asker.find();
    // The periodic jobs are those of share groups.
    let feature = update_features_request::FeatureUpdateKey::default()
        .with_feature(text("share.version"))
        .with_max_version_level(1)
        .with_upgrade_type(1);
    let request = UpdateFeaturesRequest::default().with_feature_updates(vec![feature]);
    let enabled = asker.client.call(1, &request).expect("an answer");
    // 95: it is on already.
    assert!(matches!(enabled.error_code, 0 | 95), "{enabled:?}");
    let orders = asker.topic_id;
    let begin = initialize_request("g", orders, &[(0, 1, 0), (1, 1, 0), (2, 1, 0)]);
    asker.ask("begin", 0, &begin);
    for round in 0..20 {
        write_on(&mut asker, "g", 3 + 50 * round);
    }
    let deadline = Instant::now() + Duration::from_secs(20);
    while start_offset(&mut asker) < 100 {
        assert!(Instant::now() < deadline, "nothing is pruned");
        std::thread::sleep(Duration::from_millis(100));
    }
    let before = states(&mut asker, "g");
    server.kill();
    server.start_again();
    let mut asker = connect_again(&server);
    assert_eq!(states(&mut asker, "g"), before, "of the pruned log, after a kill");
    let topic = delete_topics_request::DeleteTopicState::default().with_topic_id(orders);
    let request = DeleteTopicsRequest::default().with_topics(vec![topic]).with_timeout_ms(10_000);
    let deleted = asker.client.call(6, &request).expect("an answer");
    assert_eq!(deleted.responses[0].error_code, 0, "{deleted:?}");
    let read = read_request("g", orders, &[(0, -1)]);
    let deadline = Instant::now() + Duration::from_secs(20);
    loop {
        let answer = asker.client.call(0, &read).expect("an answer");
        // 42: there is no state; 3: only the topic is gone.
        match answer.results[0].partitions[0].error_code {
            42 => break,
            code => assert!(matches!(code, 0 | 3), "{answer:?}"),
        }
        assert!(Instant::now() < deadline, "the state stays");
        std::thread::sleep(Duration::from_millis(50));
    }
}

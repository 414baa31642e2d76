//! Groups of Kafka Streams (KIP-1071) beside stock Kafka 4.3.1: whole answers, and what each finds
//! in the other's log.

use std::fmt::Debug;
use std::time::{Duration, Instant};

use protocol::messages::offset_commit_request::{
    OffsetCommitRequestPartition, OffsetCommitRequestTopic,
};
use protocol::messages::offset_fetch_request::OffsetFetchRequestGroup;
use protocol::messages::streams_group_heartbeat_request::{
    CopartitionGroup, Endpoint, KeyValue, Subtopology, TaskIds, TopicInfo, Topology,
};
use protocol::messages::{
    DeleteGroupsRequest, FindCoordinatorRequest, GroupId, ListGroupsRequest, MetadataRequest,
    OffsetCommitRequest, OffsetFetchRequest, StreamsGroupDescribeRequest,
    StreamsGroupDescribeResponse, StreamsGroupHeartbeatRequest, StreamsGroupHeartbeatResponse,
    TopicName,
};
use protocol::wire::{Request, StrBytes};
use tests::golden::{file, recording};
use tests::mask;
use tests::oracle::NEWEST;
use tests::server::{Kind, Server};
use tests::topic::create;
use tests::wire::Client;

/// Where stock's answers are recorded.
const GOLDEN: &str = "groups/streams-answers";
/// Between two target assignments of a group.
const ASSIGNMENT_INTERVAL: Duration = Duration::from_millis(1_100);

fn text(text: &str) -> StrBytes {
    StrBytes::from_string(text.to_owned())
}

fn group(id: &str) -> GroupId {
    GroupId(text(id))
}

fn server(kind: Kind) -> Server {
    let settings = ["group.streams.initial.rebalance.delay.ms=0", "num.partitions=2"];
    let mut server = Server::prepare(kind, &settings.map(str::to_owned));
    server.stock = Some(NEWEST.to_owned());
    server.start_again();
    server
}

/// A client of a server whose coordinator serves, with a topic `orders` of four partitions.
fn connect(server: &Server, creates: bool) -> Client {
    let mut client = Client::connect(&server.address()).expect("the listener accepts");
    if creates {
        create(&mut client, "orders", 4);
    }
    for _ in 0..200 {
        if creates {
            let key = FindCoordinatorRequest::default().with_key(text("g"));
            client.call(3, &key).expect("answered");
        }
        if client.call(9, &fetch("g", None, -1)).expect("answered").groups[0].error_code == 0 {
            break;
        }
        std::thread::sleep(Duration::from_millis(100));
    }
    client
}

/// Waits until topics are there.
fn wait_for_topics(client: &mut Client, names: &[&str]) {
    let deadline = Instant::now() + Duration::from_secs(20);
    loop {
        let metadata = client.call(12, &MetadataRequest::default().with_topics(None));
        let topics = metadata.expect("answered").topics;
        let is_there = |name: &&str| {
            topics.iter().any(|topic| topic.name.as_ref().is_some_and(|of| of.as_str() == *name))
        };
        if names.iter().all(is_there) {
            return;
        }
        assert!(Instant::now() < deadline, "{names:?} are not made");
        std::thread::sleep(Duration::from_millis(100));
    }
}

fn topic(name: &str, partitions: i32) -> TopicInfo {
    let pair = |key, value| KeyValue { key: text(key), value: text(value) };
    TopicInfo {
        name: TopicName(text(name)),
        partitions,
        replication_factor: 1,
        topic_configs: vec![pair("cleanup.policy", "compact"), pair("segment.bytes", "1048576")],
    }
}

fn part(id: &str, sources: &[&str]) -> Subtopology {
    Subtopology {
        subtopology_id: text(id),
        source_topics: sources.iter().map(|name| TopicName(text(name))).collect(),
        ..Subtopology::default()
    }
}

/// `orders` is counted, and its counts are repartitioned and counted again.
fn counts(group: &str) -> Vec<Subtopology> {
    let mut first = part("0", &["orders"]);
    first.state_changelog_topics.push(topic(&format!("{group}-counts-changelog"), 0));
    first.repartition_sink_topics.push(TopicName(text(&format!("{group}-again-repartition"))));
    let mut second = part("1", &[]);
    second.repartition_source_topics.push(topic(&format!("{group}-again-repartition"), 0));
    second.state_changelog_topics.push(topic(&format!("{group}-sums-changelog"), 0));
    vec![first, second]
}

fn internal(group: &str) -> [String; 3] {
    ["counts-changelog", "again-repartition", "sums-changelog"].map(|of| format!("{group}-{of}"))
}

fn joins(id: &str, member: &str, parts: Vec<Subtopology>) -> StreamsGroupHeartbeatRequest {
    StreamsGroupHeartbeatRequest {
        rebalance_timeout_ms: 60_000,
        topology: Some(Topology { epoch: 0, subtopologies: parts }),
        active_tasks: Some(Vec::new()),
        standby_tasks: Some(Vec::new()),
        warmup_tasks: Some(Vec::new()),
        process_id: Some(text(&format!("process-{member}"))),
        client_tags: Some(vec![KeyValue { key: text("zone"), value: text("z") }]),
        ..stays(id, member, 0)
    }
}

fn stays(id: &str, member: &str, epoch: i32) -> StreamsGroupHeartbeatRequest {
    StreamsGroupHeartbeatRequest {
        group_id: group(id),
        member_id: text(member),
        member_epoch: epoch,
        ..StreamsGroupHeartbeatRequest::default()
    }
}

/// A member that has these tasks of the first subtopology and of the second.
fn has(id: &str, member: &str, epoch: i32, tasks: [&[i32]; 2]) -> StreamsGroupHeartbeatRequest {
    let active = tasks.iter().zip(["0", "1"]).filter(|(tasks, _)| !tasks.is_empty());
    let active = active
        .map(|(tasks, part)| TaskIds { subtopology_id: text(part), partitions: tasks.to_vec() });
    StreamsGroupHeartbeatRequest {
        active_tasks: Some(active.collect()),
        standby_tasks: Some(Vec::new()),
        warmup_tasks: Some(Vec::new()),
        ..stays(id, member, epoch)
    }
}

fn describe(ids: &[&str]) -> StreamsGroupDescribeRequest {
    StreamsGroupDescribeRequest {
        group_ids: ids.iter().map(|id| group(id)).collect(),
        ..StreamsGroupDescribeRequest::default()
    }
}

fn commit(id: &str, member: &str, epoch: i32, partition: i32) -> OffsetCommitRequest {
    let partition = OffsetCommitRequestPartition {
        partition_index: partition,
        committed_offset: 7,
        ..OffsetCommitRequestPartition::default()
    };
    let topic = OffsetCommitRequestTopic {
        name: TopicName(text("orders")),
        partitions: vec![partition],
        ..OffsetCommitRequestTopic::default()
    };
    OffsetCommitRequest {
        group_id: group(id),
        member_id: text(member),
        generation_id_or_member_epoch: epoch,
        topics: vec![topic],
        ..OffsetCommitRequest::default()
    }
}

fn fetch(id: &str, member: Option<&str>, epoch: i32) -> OffsetFetchRequest {
    let group = OffsetFetchRequestGroup {
        group_id: group(id),
        member_id: member.map(text),
        member_epoch: epoch,
        topics: None,
    };
    OffsetFetchRequest { groups: vec![group], ..OffsetFetchRequest::default() }
}

/// Answers in an order of their own: Kafka gives members and tasks as its hash maps have them.
trait Ordered {
    fn order(&mut self) {}
}

impl Ordered for StreamsGroupHeartbeatResponse {
    fn order(&mut self) {
        let Self { active_tasks, standby_tasks, .. } = self;
        for tasks in [active_tasks, standby_tasks].into_iter().flatten() {
            tasks.sort_by(|left, right| left.subtopology_id.cmp(&right.subtopology_id));
        }
        for endpoint in self.partitions_by_user_endpoint.iter_mut().flatten() {
            endpoint.active_partitions.sort_by(|left, right| left.topic.cmp(&right.topic));
        }
    }
}

impl Ordered for StreamsGroupDescribeResponse {
    fn order(&mut self) {
        self.groups.sort_by(|left, right| left.group_id.cmp(&right.group_id));
        for group in &mut self.groups {
            group.members.sort_by(|left, right| left.member_id.cmp(&right.member_id));
        }
    }
}

macro_rules! ordered {
    ($($response:ident)*) => {$(impl Ordered for protocol::messages::$response {})*};
}

ordered! {
    ListGroupsResponse OffsetCommitResponse OffsetFetchResponse DeleteGroupsResponse
}

/// Asks one server and writes down what it says.
struct Asker<'a> {
    server: &'a Server,
    client: Client,
    lines: Vec<String>,
}

impl Asker<'_> {
    fn ask<R: Request>(&mut self, case: &str, version: i16, request: &R)
    where
        R::Response: Debug + Ordered,
    {
        let said = match self.client.call(version, request) {
            Ok(mut answer) => {
                answer.order();
                format!("{answer:?}").replace(", unknown_tagged_fields: {}", "")
            }
            Err(error) => format!("{:?}", error.kind()),
        };
        let said = mask::usual(&said, self.server);
        self.lines.push(format!("{case} [{version}]: {said}"));
    }

    fn beat(&mut self, case: &str, request: &StreamsGroupHeartbeatRequest) {
        self.ask(case, 0, request);
    }
}

/// Members of one group that come, share, commit and go.
fn life(asker: &mut Asker<'_>) {
    let id = "life";
    asker.beat("heartbeat in no group", &stays(id, "a", 1));
    asker.beat("leave no group", &stays(id, "a", -1));
    asker.beat("join without internal topics", &joins(id, "a", counts(id)));
    asker.ask("described without them", 0, &describe(&[id, "nobody"]));
    wait_for_topics(&mut asker.client, &internal(id).each_ref().map(String::as_str));
    std::thread::sleep(ASSIGNMENT_INTERVAL);
    asker.beat("the topics are there", &stays(id, "a", 2));
    asker.beat("heartbeat of a stranger", &stays(id, "x", 2));
    asker.beat("heartbeat ahead", &stays(id, "a", 9));
    asker.beat("heartbeat behind", &stays(id, "a", 1));
    asker.beat("join again", &joins(id, "a", counts(id)));
    asker.ask("described", 0, &describe(&[id]));
    std::thread::sleep(ASSIGNMENT_INTERVAL);
    asker.beat("the second joins", &joins(id, "b", counts(id)));
    asker.beat("the first is asked to give up", &stays(id, "a", 3));
    asker.ask("described while reconciling", 0, &describe(&[id]));
    asker.beat("the second waits", &stays(id, "b", 4));
    asker.beat("the first has given up", &has(id, "a", 3, [&[0, 1], &[0, 1]]));
    asker.beat("the second gets", &stays(id, "b", 4));
    asker.ask("described when stable", 0, &describe(&[id]));
    asker.ask("commit", 9, &commit(id, "a", 4, 0));
    asker.ask("commit with the epoch before", 9, &commit(id, "a", 3, 0));
    asker.ask("commit ahead", 9, &commit(id, "a", 5, 0));
    asker.ask("commit behind", 9, &commit(id, "b", 3, 3));
    asker.ask("commit of a stranger", 9, &commit(id, "x", 4, 0));
    asker.ask("commit of an administrator", 9, &commit(id, "", -1, 0));
    asker.ask("commit in an old version", 8, &commit(id, "a", 4, 0));
    asker.ask("fetch", 9, &fetch(id, Some("a"), 4));
    asker.ask("fetch stale", 9, &fetch(id, Some("a"), 3));
    asker.ask("fetch of a stranger", 9, &fetch(id, Some("x"), 4));
    asker.ask("fetch of an administrator", 9, &fetch(id, None, -1));
    let streams = ListGroupsRequest::default().with_types_filter(vec![text("streams")]);
    asker.ask("list", 5, &streams);
    let delete = DeleteGroupsRequest::default().with_groups_names(vec![group(id)]);
    asker.ask("delete", 2, &delete);
    let ends = StreamsGroupHeartbeatRequest { shutdown_application: true, ..stays(id, "a", 4) };
    asker.beat("the first ends the application", &ends);
    asker.beat("the second hears", &stays(id, "b", 4));
    asker.beat("the first leaves", &stays(id, "a", -1));
    std::thread::sleep(ASSIGNMENT_INTERVAL);
    asker.beat("the second has all", &stays(id, "b", 4));
    asker.beat("the second leaves", &stays(id, "b", -1));
    asker.ask("described when empty", 0, &describe(&[id]));
    asker.ask("delete when empty", 2, &delete);
    asker.ask("described when deleted", 0, &describe(&[id]));
}

fn topologies(asker: &mut Asker<'_>) {
    asker
        .beat("sources are missing", &joins("absent", "a", vec![part("0", &["d", "c", "b", "a"])]));
    asker.ask("described without sources", 0, &describe(&["absent"]));
    let mut joined = part("0", &["orders", "pairs"]);
    let group = CopartitionGroup { source_topics: vec![0, 1], ..CopartitionGroup::default() };
    joined.copartition_groups.push(group);
    asker.beat("sources do not fit", &joins("unequal", "a", vec![joined]));
    let mut circle = part("0", &[]);
    circle.repartition_source_topics.push(topic("round", 0));
    circle.repartition_sink_topics.push(TopicName(text("round")));
    asker.beat("a circle", &joins("circle", "a", vec![circle]));
    asker.beat(
        "internal topics of Kafka",
        &joins("k", "a", vec![part("0", &["__consumer_offsets"])]),
    );
    asker.beat("a name that cannot be", &joins("k", "a", vec![part("0", &["a b", "?"])]));
    let mut counted = part("0", &["orders"]);
    counted.state_changelog_topics.push(topic("changelog", 3));
    asker.beat("a changelog with partitions", &joins("k", "a", vec![counted]));
    asker.beat("a topology", &joins("changed", "a", vec![part("0", &["orders"])]));
    asker.beat("another", &joins("changed", "b", vec![part("0", &["pairs"])]));
    let mut newer = joins("changed", "c", vec![part("0", &["orders"])]);
    newer.topology.as_mut().expect("given").epoch = 1;
    asker.beat("a newer one", &newer);
}

fn refusals(asker: &mut Asker<'_>) {
    let ok = || joins("refused", "a", vec![part("0", &["orders"])]);
    let tasks = || Some(vec![TaskIds { subtopology_id: text("0"), partitions: vec![0] }]);
    for (case, request) in [
        ("a static member", StreamsGroupHeartbeatRequest { instance_id: Some(text("i")), ..ok() }),
        (
            "offsets of tasks",
            StreamsGroupHeartbeatRequest { task_offsets: Some(Vec::new()), ..ok() },
        ),
        ("warm-ups", StreamsGroupHeartbeatRequest { warmup_tasks: tasks(), ..ok() }),
        ("without a member id", StreamsGroupHeartbeatRequest { member_id: text(""), ..ok() }),
        ("without a group", StreamsGroupHeartbeatRequest { group_id: group(""), ..ok() }),
        ("with an empty rack", StreamsGroupHeartbeatRequest { rack_id: Some(text("")), ..ok() }),
        (
            "without a rebalance timeout",
            StreamsGroupHeartbeatRequest { rebalance_timeout_ms: -1, ..ok() },
        ),
        ("without tasks", StreamsGroupHeartbeatRequest { active_tasks: None, ..ok() }),
        ("with tasks", StreamsGroupHeartbeatRequest { standby_tasks: tasks(), ..ok() }),
        ("without a topology", StreamsGroupHeartbeatRequest { topology: None, ..ok() }),
        ("that leaves for now", stays("refused", "a", -2)),
        ("with an epoch that cannot be", stays("refused", "a", -3)),
        ("with a topology later", StreamsGroupHeartbeatRequest { member_epoch: 1, ..ok() }),
    ] {
        asker.beat(&format!("refused: {case}"), &request);
    }
    let some = StreamsGroupHeartbeatRequest { active_tasks: tasks(), ..stays("refused", "a", 1) };
    asker.beat("refused: one kind of tasks", &some);
    asker.ask("refused: described", 0, &describe(&["", "refused"]));
}

fn endpoints(asker: &mut Asker<'_>) {
    let id = "queries";
    let with_endpoint = |member: &str, port| StreamsGroupHeartbeatRequest {
        user_endpoint: Some(Endpoint { host: text("host"), port }),
        ..joins(id, member, vec![part("0", &["orders"])])
    };
    asker.beat("an endpoint", &with_endpoint("a", 1_000));
    std::thread::sleep(ASSIGNMENT_INTERVAL);
    asker.beat("another endpoint", &with_endpoint("b", 65_000));
    let knows = StreamsGroupHeartbeatRequest { endpoint_information_epoch: 1, ..stays(id, "b", 3) };
    asker.beat("who knows them", &knows);
    asker.ask("described with endpoints", 0, &describe(&[id]));
}

/// Groups of other kinds.
fn other_kinds(asker: &mut Asker<'_>) {
    asker.ask("simple: commit", 9, &commit("simple", "", -1, 0));
    asker.ask("simple: described", 0, &describe(&["simple"]));
    asker.beat("simple: heartbeat", &stays("simple", "a", 1));
    asker.beat("simple: joined", &joins("simple", "a", vec![part("0", &["orders"])]));
    asker.ask("simple: fetch", 9, &fetch("simple", None, -1));
}

#[test]
fn every_answer_is_stocks() {
    let server = server(if recording() { Kind::Stock } else { Kind::Gregor });
    let mut client = connect(&server, true);
    create(&mut client, "pairs", 2);
    let mut asker = Asker { server: &server, client, lines: Vec::new() };
    life(&mut asker);
    topologies(&mut asker);
    refusals(&mut asker);
    endpoints(&mut asker);
    other_kinds(&mut asker);
    if recording() {
        std::fs::write(file(GOLDEN), asker.lines.join("\n") + "\n").expect("recorded");
        return;
    }
    let recorded = std::fs::read_to_string(file(GOLDEN)).expect("recorded answers");
    let mut differences = Vec::new();
    for (stock, ours) in recorded.lines().zip(&asker.lines) {
        if stock != ours {
            differences.push(format!("stock: {stock}\nours:  {ours}"));
        }
    }
    assert!(differences.is_empty(), "not as stock Kafka\n{}", differences.join("\n\n"));
    assert_eq!(recorded.lines().count(), asker.lines.len());
}

/// All that is known of two groups: one whose member holds tasks, and one without members.
fn known(client: &mut Client, epoch: i32) -> String {
    let mut groups = client.call(0, &describe(&["full", "empty"])).expect("described");
    groups.order();
    for group in &mut groups.groups {
        // Numbers of partitions stand there once a heartbeat has looked at the topics.
        for part in group.topology.iter_mut().flat_map(|of| of.subtopologies.iter_mut().flatten()) {
            let made = part.state_changelog_topics.iter_mut();
            let made = made.chain(&mut part.repartition_source_topics);
            made.for_each(|topic| topic.partitions = 0);
        }
    }
    let offsets = client.call(9, &fetch("full", Some("a"), epoch)).expect("fetched");
    format!("{groups:#?}\n{offsets:#?}").replace("localhost", "HOST")
}

/// The epoch of the member that holds tasks.
fn fill(client: &mut Client) -> i32 {
    let call = |client: &mut Client, request: &StreamsGroupHeartbeatRequest| {
        let answer = client.call(0, request).expect("answered");
        assert_eq!(answer.error_code, 0, "{answer:?}");
        answer.member_epoch
    };
    let epoch = call(client, &joins("full", "a", counts("full")));
    wait_for_topics(client, &internal("full").each_ref().map(String::as_str));
    std::thread::sleep(ASSIGNMENT_INTERVAL);
    let epoch = call(client, &stays("full", "a", epoch));
    let committed = client.call(9, &commit("full", "a", epoch, 1)).expect("answered");
    assert_eq!(committed.topics[0].partitions[0].error_code, 0);
    call(client, &joins("empty", "c", vec![part("0", &["orders"])]));
    call(client, &stays("empty", "c", -1));
    epoch
}

/// Each starts on what the other has written, and its members go on with their epochs.
#[test]
fn stock_reads_gregors_groups_and_gregor_stocks() {
    if recording() {
        return;
    }
    for (first, second) in [(Kind::Gregor, Kind::Stock), (Kind::Stock, Kind::Gregor)] {
        let mut server = server(first);
        let mut client = connect(&server, true);
        let epoch = fill(&mut client);
        let before = known(&mut client, epoch);
        let groups = client.call(0, &describe(&["full"])).expect("described").groups;
        let group_epoch = groups[0].group_epoch;
        drop(client);
        server.terminate();
        server.kind = second;
        server.start_again();
        let mut client = connect(&server, false);
        assert_eq!(known(&mut client, epoch), before, "{first:?}'s groups at {second:?}");
        let answer = client.call(0, &stays("full", "a", epoch)).expect("answered");
        assert_eq!(answer.error_code, 0, "{first:?}'s member at {second:?}: {answer:?}");
        let groups = client.call(0, &describe(&["full"])).expect("described").groups;
        assert_eq!(groups[0].group_epoch, group_epoch, "the same hash of metadata: no rebalance");
    }
}

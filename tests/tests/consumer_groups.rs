//! Consumer groups of KIP-848 beside stock Kafka 4.3.1: whole answers, what its tools show, what
//! each finds in the other's log, and what is left when the coordinator is killed.

use std::fmt::Debug;
use std::time::Duration;

use protocol::messages::consumer_group_heartbeat_request::TopicPartitions;
use protocol::messages::offset_commit_request::{
    OffsetCommitRequestPartition, OffsetCommitRequestTopic,
};
use protocol::messages::offset_fetch_request::OffsetFetchRequestGroup;
use protocol::messages::{
    ConsumerGroupDescribeRequest, ConsumerGroupDescribeResponse, ConsumerGroupHeartbeatRequest,
    ConsumerGroupHeartbeatResponse, DescribeGroupsRequest, GroupId, HeartbeatRequest,
    JoinGroupRequest, LeaveGroupRequest, ListGroupsRequest, MetadataRequest, OffsetCommitRequest,
    OffsetFetchRequest, SyncGroupRequest, TopicName,
};
use protocol::wire::{Request, StrBytes};
use tests::golden::{check, check_native, file, recording};
use tests::mask;
use tests::oracle::NEWEST;
use tests::server::{Kind, Server};
use tests::topic::create;
use tests::wire::Client;
use uuid::Uuid;

/// Where stock's answers are recorded.
const GOLDEN: &str = "groups/consumer-every-version";
/// Between two target assignments of a group.
const ASSIGNMENT_INTERVAL: Duration = Duration::from_millis(1_100);

fn text(text: &str) -> StrBytes {
    StrBytes::from_string(text.to_owned())
}

fn group(id: &str) -> GroupId {
    GroupId(text(id))
}

fn server(kind: Kind) -> Server {
    let mut server = Server::prepare(kind, &[]);
    server.stock = Some(NEWEST.to_owned());
    server.start_again();
    server
}

/// A client of a server whose coordinator serves, and the id of its topic `orders`.
fn connect(server: &Server, creates: bool) -> (Client, Uuid) {
    let mut client = Client::connect(&server.address()).expect("the listener accepts");
    if creates {
        create(&mut client, "orders", 4);
    }
    for _ in 0..200 {
        let probe = OffsetFetchRequest {
            groups: vec![OffsetFetchRequestGroup {
                group_id: group("g"),
                topics: None,
                ..Default::default()
            }],
            ..Default::default()
        };
        if creates {
            let key = protocol::messages::FindCoordinatorRequest::default().with_key(text("g"));
            client.call(3, &key).expect("answered");
        }
        if client.call(9, &probe).expect("answered").groups[0].error_code == 0 {
            break;
        }
        std::thread::sleep(Duration::from_millis(100));
    }
    let metadata = client.call(12, &MetadataRequest::default().with_topics(None));
    let topics = metadata.expect("answered").topics;
    let of_name = |topic: &&protocol::messages::metadata_response::MetadataResponseTopic| {
        topic.name.as_ref().is_some_and(|name| name.as_str() == "orders")
    };
    let id = topics.iter().find(of_name).expect("orders is there").topic_id;
    (client, id)
}

fn joins(id: &str, member: &str, topics: &[&str]) -> ConsumerGroupHeartbeatRequest {
    let topics = topics.iter().map(|topic| TopicName(text(topic))).collect();
    ConsumerGroupHeartbeatRequest::default()
        .with_group_id(group(id))
        .with_member_id(text(member))
        .with_rebalance_timeout_ms(60_000)
        .with_subscribed_topic_names(Some(topics))
        .with_topic_partitions(Some(Vec::new()))
}

fn stays(id: &str, member: &str, epoch: i32) -> ConsumerGroupHeartbeatRequest {
    ConsumerGroupHeartbeatRequest::default()
        .with_group_id(group(id))
        .with_member_id(text(member))
        .with_member_epoch(epoch)
}

fn has(
    id: &str,
    member: &str,
    epoch: i32,
    topic: Uuid,
    partitions: &[i32],
) -> ConsumerGroupHeartbeatRequest {
    let owned =
        TopicPartitions::default().with_topic_id(topic).with_partitions(partitions.to_vec());
    stays(id, member, epoch).with_topic_partitions(Some(vec![owned]))
}

fn describe(ids: &[&str]) -> ConsumerGroupDescribeRequest {
    ConsumerGroupDescribeRequest::default().with_group_ids(ids.iter().map(|id| group(id)).collect())
}

fn commit(id: &str, member: &str, epoch: i32, partition: i32) -> OffsetCommitRequest {
    let partition = OffsetCommitRequestPartition {
        partition_index: partition,
        committed_offset: 7,
        ..Default::default()
    };
    let topic = OffsetCommitRequestTopic {
        name: TopicName(text("orders")),
        partitions: vec![partition],
        ..Default::default()
    };
    OffsetCommitRequest {
        group_id: group(id),
        member_id: text(member),
        generation_id_or_member_epoch: epoch,
        topics: vec![topic],
        ..Default::default()
    }
}

fn fetch(id: &str, member: Option<&str>, epoch: i32) -> OffsetFetchRequest {
    OffsetFetchRequest {
        groups: vec![OffsetFetchRequestGroup {
            group_id: group(id),
            member_id: member.map(text),
            member_epoch: epoch,
            topics: None,
        }],
        ..Default::default()
    }
}

/// Answers in an order of their own: Kafka gives members and topics as its hash maps have them.
trait Ordered {
    fn order(&mut self) {}
}

impl Ordered for ConsumerGroupHeartbeatResponse {
    fn order(&mut self) {
        for topic in self.assignment.iter_mut().flat_map(|of| &mut of.topic_partitions) {
            topic.partitions.sort_unstable();
        }
    }
}

impl Ordered for ConsumerGroupDescribeResponse {
    fn order(&mut self) {
        self.groups.sort_by(|left, right| left.group_id.cmp(&right.group_id));
        for group in &mut self.groups {
            group.members.sort_by(|left, right| left.member_id.cmp(&right.member_id));
            for member in &mut group.members {
                let of = [&mut member.assignment, &mut member.target_assignment];
                for topic in of.into_iter().flat_map(|of| &mut of.topic_partitions) {
                    topic.partitions.sort_unstable();
                }
            }
        }
    }
}

macro_rules! ordered {
    ($($response:ident)*) => {$(impl Ordered for protocol::messages::$response {})*};
}

ordered! {
    DescribeGroupsResponse HeartbeatResponse JoinGroupResponse LeaveGroupResponse ListGroupsResponse
    OffsetCommitResponse OffsetFetchResponse SyncGroupResponse DeleteGroupsResponse
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
}

/// Members of one group that come, share, commit and go; the group's name is the version's.
fn life(asker: &mut Asker<'_>, version: i16, topic: Uuid) {
    let id = &*format!("life-{version}");
    let beat = |asker: &mut Asker<'_>, case: &str, request: &ConsumerGroupHeartbeatRequest| {
        asker.ask(&format!("life: {case}"), version, request);
    };
    beat(asker, "heartbeat in no group", &stays(id, "a", 1));
    beat(asker, "leave no group", &stays(id, "a", -1));
    beat(asker, "join", &joins(id, "a", &["orders"]));
    beat(asker, "heartbeat", &stays(id, "a", 2));
    beat(asker, "heartbeat of a stranger", &stays(id, "x", 2));
    beat(asker, "heartbeat ahead", &stays(id, "a", 9));
    beat(asker, "heartbeat behind", &stays(id, "a", 1));
    beat(asker, "join again", &joins(id, "a", &["orders"]));
    asker.ask("life: described", version, &describe(&[id, "nobody"]));
    std::thread::sleep(ASSIGNMENT_INTERVAL);
    beat(asker, "the second joins", &joins(id, "b", &["orders"]));
    beat(asker, "the first is asked to give up", &has(id, "a", 2, topic, &[0, 1, 2, 3]));
    asker.ask("life: described while reconciling", version, &describe(&[id]));
    beat(asker, "the second waits", &stays(id, "b", 3));
    beat(asker, "the first has given up", &has(id, "a", 2, topic, &[0, 1]));
    beat(asker, "the second gets", &stays(id, "b", 3));
    asker.ask("life: described when stable", version, &describe(&[id]));
    asker.ask("life: commit", 9, &commit(id, "a", 3, 0));
    asker.ask("life: commit with the epoch before", 9, &commit(id, "a", 2, 0));
    asker.ask("life: commit ahead", 9, &commit(id, "a", 4, 0));
    asker.ask("life: commit behind", 9, &commit(id, "b", 2, 3));
    asker.ask("life: commit of a stranger", 9, &commit(id, "x", 3, 0));
    asker.ask("life: commit of an administrator", 9, &commit(id, "", -1, 0));
    asker.ask("life: commit in an old version", 8, &commit(id, "a", 3, 0));
    asker.ask("life: fetch", 9, &fetch(id, Some("a"), 3));
    asker.ask("life: fetch stale", 9, &fetch(id, Some("a"), 2));
    asker.ask("life: fetch of a stranger", 9, &fetch(id, Some("x"), 3));
    asker.ask("life: fetch of an administrator", 9, &fetch(id, None, -1));
    beat(asker, "the first leaves", &stays(id, "a", -1));
    std::thread::sleep(ASSIGNMENT_INTERVAL);
    beat(asker, "the second has all", &stays(id, "b", 3));
    beat(asker, "the second leaves", &stays(id, "b", -1));
    asker.ask("life: described when empty", version, &describe(&[id]));
}

fn static_life(asker: &mut Asker<'_>, version: i16) {
    let id = &*format!("static-{version}");
    let instance = |request: ConsumerGroupHeartbeatRequest| {
        request.with_instance_id(Some(text("i"))).with_rack_id(Some(text("r")))
    };
    let beat = |asker: &mut Asker<'_>, case: &str, request: &ConsumerGroupHeartbeatRequest| {
        asker.ask(&format!("static: {case}"), version, request);
    };
    beat(asker, "join", &instance(joins(id, "a", &["orders"])));
    beat(asker, "another joins too early", &instance(joins(id, "b", &["orders"])));
    beat(asker, "leave for now", &instance(stays(id, "a", -2)));
    asker.ask("static: described when left for now", version, &describe(&[id]));
    beat(asker, "another joins", &instance(joins(id, "b", &["orders"])));
    beat(asker, "the old one is fenced", &instance(stays(id, "a", 2)));
    beat(asker, "another instance", &stays(id, "b", 2).with_instance_id(Some(text("j"))));
    asker.ask("static: described", version, &describe(&[id]));
    beat(asker, "leave for good", &instance(stays(id, "b", -1)));
}

fn refusals(asker: &mut Asker<'_>, version: i16) {
    let ok = || joins("refused", "a", &["orders"]);
    for (case, request) in [
        ("without a member id", ok().with_member_id(text(""))),
        ("without a group", ok().with_group_id(group(""))),
        ("with an empty instance", ok().with_instance_id(Some(text("")))),
        ("with an empty rack", ok().with_rack_id(Some(text("")))),
        ("without a rebalance timeout", ok().with_rebalance_timeout_ms(-1)),
        ("without partitions", ok().with_topic_partitions(None)),
        ("without a subscription", ok().with_subscribed_topic_names(None)),
        ("that leaves for now without an instance", stays("refused", "a", -2)),
        ("with an epoch that cannot be", stays("refused", "a", -3)),
        ("with an unknown assignor", ok().with_server_assignor(Some(text("sticky")))),
    ] {
        if version == 0 && case == "without a member id" {
            continue;
        }
        asker.ask(&format!("refused: {case}"), version, &request);
    }
    let nameless = stays("refused", "", 1);
    asker.ask("refused: a member without an id", version, &nameless);
    asker.ask("refused: described", version, &describe(&["", "refused"]));
}

/// What classic requests are told of a consumer group, and a consumer of a classic one.
fn other_protocol(asker: &mut Asker<'_>) {
    asker.ask("other: join", 1, &joins("other", "a", &["orders"]));
    asker.ask(
        "other: list",
        5,
        &ListGroupsRequest::default().with_types_filter(vec![text("consumer")]),
    );
    let described = |id: &str| DescribeGroupsRequest::default().with_groups(vec![group(id)]);
    asker.ask("other: DescribeGroups", 6, &described("other"));
    asker.ask("other: DescribeGroups", 5, &described("other"));
    let heartbeat = HeartbeatRequest::default().with_group_id(group("other"));
    asker.ask("other: Heartbeat", 4, &heartbeat.with_member_id(text("x")));
    let sync = SyncGroupRequest::default().with_group_id(group("other"));
    asker.ask("other: SyncGroup", 4, &sync.with_member_id(text("x")));
    let leave = LeaveGroupRequest::default().with_group_id(group("other"));
    asker.ask("other: LeaveGroup", 2, &leave.with_member_id(text("x")));
    let join = JoinGroupRequest::default()
        .with_group_id(group("other"))
        .with_session_timeout_ms(10_000)
        .with_protocol_type(text("nonsense"));
    asker.ask("other: JoinGroup of another type", 9, &join);
    let delete = protocol::messages::DeleteGroupsRequest::default();
    let delete = delete.with_groups_names(vec![group("other")]);
    asker.ask("other: DeleteGroups", 2, &delete);
    asker.ask("other: leave", 1, &stays("other", "a", -1));
    asker.ask("other: DeleteGroups when empty", 2, &delete);
    asker.ask("other: described when deleted", 1, &describe(&["other"]));
    asker.ask("classic: commit", 9, &commit("simple", "", -1, 0));
    asker.ask("classic: described", 1, &describe(&["simple"]));
    asker.ask("classic: heartbeat", 1, &stays("simple", "a", 1));
    asker.ask("classic: joined", 1, &joins("simple", "a", &["orders"]));
    asker.ask("classic: fetch", 9, &fetch("simple", None, -1));
}

fn expressions(asker: &mut Asker<'_>) {
    let regex = |member: &str, regex: &str| {
        joins("regex", member, &[])
            .with_subscribed_topic_names(None)
            .with_subscribed_topic_regex(Some(text(regex)))
    };
    asker.ask("regex: join", 1, &regex("a", "ord.*s"));
    std::thread::sleep(ASSIGNMENT_INTERVAL);
    asker.ask("regex: heartbeat", 1, &stays("regex", "a", 1));
    asker.ask("regex: another joins", 1, &regex("b", "ord.*s"));
    asker.ask("regex: described", 1, &describe(&["regex"]));
    asker.ask("regex: it changes to names", 1, &{
        joins("regex", "b", &["orders"])
            .with_member_epoch(2)
            .with_subscribed_topic_regex(Some(text("")))
    });
}

#[test]
fn every_answer_is_stocks_in_every_version() {
    let server = server(if recording() { Kind::Stock } else { Kind::Gregor });
    let (client, topic) = connect(&server, true);
    let mut asker = Asker { server: &server, client, lines: Vec::new() };
    for version in 0..=1 {
        life(&mut asker, version, topic);
        static_life(&mut asker, version);
        refusals(&mut asker, version);
    }
    other_protocol(&mut asker);
    expressions(&mut asker);
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

/// Consumers of both protocols with stock's console consumer, shown by stock's tools.
#[test]
fn stocks_consumers_and_tools_find_what_stock_shows_them() {
    check("groups/consumer-4.3.1");
    if !recording() {
        check_native(Kind::Gregor, "groups/consumer-4.3.1");
    }
}

/// All that is known of two groups: one whose members hold partitions, and one without members.
fn known(client: &mut Client, epoch: i32) -> String {
    let mut groups = client.call(1, &describe(&["full", "empty"])).expect("described");
    groups.order();
    let offsets = client.call(9, &fetch("full", Some("a"), epoch)).expect("fetched");
    format!("{groups:#?}\n{offsets:#?}").replace("localhost", "HOST")
}

/// The epoch of the member that holds partitions.
fn fill(client: &mut Client) -> i32 {
    let call = |client: &mut Client, request: &ConsumerGroupHeartbeatRequest| {
        let answer = client.call(1, request).expect("answered");
        assert_eq!(answer.error_code, 0, "{answer:?}");
        answer.member_epoch
    };
    let fixed = joins("full", "a", &["orders"]).with_instance_id(Some(text("i")));
    let epoch = call(client, &fixed.with_server_assignor(Some(text("range"))));
    let regex = joins("full", "b", &[]).with_subscribed_topic_regex(Some(text("ord.*")));
    call(client, &regex);
    assert_eq!(
        client.call(9, &commit("full", "a", epoch, 1)).expect("answered").topics[0].partitions[0]
            .error_code,
        0
    );
    call(client, &joins("empty", "c", &["orders"]));
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
        let mut server = Server::prepare(first, &[]);
        // Gregor starts on directories of the release that it equals.
        server.stock = (first == Kind::Gregor).then(|| NEWEST.to_owned());
        server.start_again();
        let (mut client, _) = connect(&server, true);
        let epoch = fill(&mut client);
        let before = known(&mut client, epoch);
        let groups = client.call(1, &describe(&["full"])).expect("described").groups;
        let group_epoch = groups[0].group_epoch;
        drop(client);
        server.terminate();
        server.kind = second;
        server.start_again();
        let (mut client, _) = connect(&server, false);
        assert_eq!(known(&mut client, epoch), before, "{first:?}'s groups at {second:?}");
        let instance = stays("full", "a", epoch).with_instance_id(Some(text("i")));
        let answer = client.call(1, &instance).expect("answered");
        assert_eq!(answer.error_code, 0, "{first:?}'s member at {second:?}: {answer:?}");
        let groups = client.call(1, &describe(&["full"])).expect("described").groups;
        assert_eq!(groups[0].group_epoch, group_epoch, "the same hash of metadata: no rebalance");
    }
}

#[test]
fn members_go_on_where_they_were_when_the_coordinator_was_killed() {
    if recording() {
        return;
    }
    let mut server = server(Kind::Gregor);
    let (mut client, _) = connect(&server, true);
    let epoch = fill(&mut client);
    let before = known(&mut client, epoch);
    drop(client);
    server.kill();
    server.start_again();
    let (mut client, _) = connect(&server, false);
    assert_eq!(known(&mut client, epoch), before);
    let answer = client.call(1, &stays("full", "b", epoch)).expect("answered");
    assert_eq!(answer.error_code, 0, "{answer:?}");
}

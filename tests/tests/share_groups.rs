//! Share groups of KIP-932 beside stock Kafka 4.3.1: whole answers, what each finds in the other's
//! log, and what is left when the coordinator is killed.

use std::fmt::Debug;
use std::time::{Duration, Instant};

use protocol::messages::alter_share_group_offsets_request::{
    AlterShareGroupOffsetsRequestPartition, AlterShareGroupOffsetsRequestTopic,
};
use protocol::messages::delete_share_group_offsets_request::DeleteShareGroupOffsetsRequestTopic;
use protocol::messages::describe_share_group_offsets_request::{
    DescribeShareGroupOffsetsRequestGroup, DescribeShareGroupOffsetsRequestTopic,
};
use protocol::messages::{
    AlterShareGroupOffsetsRequest, AlterShareGroupOffsetsResponse, ConsumerGroupHeartbeatRequest,
    DeleteGroupsRequest, DeleteShareGroupOffsetsRequest, DeleteShareGroupOffsetsResponse,
    DeleteTopicsRequest, DescribeGroupsRequest, DescribeShareGroupOffsetsRequest,
    DescribeShareGroupOffsetsResponse, FindCoordinatorRequest, GroupId, ListGroupsRequest,
    MetadataRequest, ShareGroupDescribeRequest, ShareGroupDescribeResponse,
    ShareGroupHeartbeatRequest, ShareGroupHeartbeatResponse, TopicName,
};
use protocol::wire::{Request, StrBytes};
use tests::golden::{file, recording};
use tests::mask;
use tests::oracle::NEWEST;
use tests::server::{Kind, Server};
use tests::topic::create;
use tests::wire::Client;
use uuid::Uuid;

/// Where stock's answers are recorded.
const GOLDEN: &str = "groups/share-4.3.1";
/// Between two target assignments of a group.
const ASSIGNMENT_INTERVAL: Duration = Duration::from_millis(1_100);
const SETTINGS: [&str; 3] = [
    "share.coordinator.state.topic.replication.factor=1",
    "share.coordinator.state.topic.min.isr=1",
    "share.coordinator.state.topic.num.partitions=3",
];

fn text(text: &str) -> StrBytes {
    StrBytes::from_string(text.to_owned())
}

fn group(id: &str) -> GroupId {
    GroupId(text(id))
}

fn server(kind: Kind) -> Server {
    let settings = SETTINGS.map(str::to_owned);
    let mut server = Server::prepare(kind, &settings);
    server.stock = Some(NEWEST.to_owned());
    server.start_again();
    server
}

/// A client of a server whose coordinator serves.
fn connect(server: &Server, topics: &[(&str, i32)]) -> Client {
    let mut client = Client::connect(&server.address()).expect("the listener accepts");
    for (topic, partitions) in topics {
        create(&mut client, topic, *partitions);
    }
    for _ in 0..200 {
        client.call(3, &FindCoordinatorRequest::default().with_key(text("g"))).expect("answered");
        let answer = client.call(1, &describe(&["g"])).expect("answered");
        // Not found: the coordinator has looked.
        if answer.groups[0].error_code == 69 {
            break;
        }
        std::thread::sleep(Duration::from_millis(100));
    }
    client
}

/// The id of a topic, by which answers name it.
fn topic_id(client: &mut Client, name: &str) -> Uuid {
    let metadata = client.call(12, &MetadataRequest::default().with_topics(None));
    let topics = metadata.expect("answered").topics;
    let named = topics.iter().find(|topic| topic.name.as_ref().is_some_and(|n| n.as_str() == name));
    named.expect("the topic is there").topic_id
}

fn joins(id: &str, member: &str, topics: &[&str]) -> ShareGroupHeartbeatRequest {
    let topics = topics.iter().map(|topic| TopicName(text(topic))).collect();
    stays(id, member, 0).with_subscribed_topic_names(Some(topics))
}

fn stays(id: &str, member: &str, epoch: i32) -> ShareGroupHeartbeatRequest {
    ShareGroupHeartbeatRequest::default()
        .with_group_id(group(id))
        .with_member_id(text(member))
        .with_member_epoch(epoch)
}

fn describe(ids: &[&str]) -> ShareGroupDescribeRequest {
    ShareGroupDescribeRequest::default().with_group_ids(ids.iter().map(|id| group(id)).collect())
}

/// Without topics: all that the group has offsets of.
fn offsets(id: &str, topics: Option<&[(&str, &[i32])]>) -> DescribeShareGroupOffsetsRequest {
    let topics = topics.map(|topics| {
        let topics =
            topics.iter().map(|(name, partitions)| DescribeShareGroupOffsetsRequestTopic {
                topic_name: TopicName(text(name)),
                partitions: partitions.to_vec(),
            });
        topics.collect()
    });
    let group = DescribeShareGroupOffsetsRequestGroup { group_id: group(id), topics };
    DescribeShareGroupOffsetsRequest { groups: vec![group] }
}

fn alter(id: &str, topics: &[(&str, &[(i32, i64)])]) -> AlterShareGroupOffsetsRequest {
    let topics = topics.iter().map(|(name, partitions)| {
        let partitions = partitions.iter().map(|(index, offset)| {
            AlterShareGroupOffsetsRequestPartition::default()
                .with_partition_index(*index)
                .with_start_offset(*offset)
        });
        AlterShareGroupOffsetsRequestTopic::default()
            .with_topic_name(TopicName(text(name)))
            .with_partitions(partitions.collect())
    });
    AlterShareGroupOffsetsRequest::default().with_group_id(group(id)).with_topics(topics.collect())
}

fn delete_offsets(id: &str, topics: &[&str]) -> DeleteShareGroupOffsetsRequest {
    let topics = topics.iter().map(|name| {
        DeleteShareGroupOffsetsRequestTopic::default().with_topic_name(TopicName(text(name)))
    });
    DeleteShareGroupOffsetsRequest::default().with_group_id(group(id)).with_topics(topics.collect())
}

/// Answers in an order of their own: Kafka gives members and topics as its hash maps have them.
trait Ordered {
    fn order(&mut self) {}
}

impl Ordered for ShareGroupHeartbeatResponse {
    fn order(&mut self) {
        for topic in self.assignment.iter_mut().flat_map(|of| &mut of.topic_partitions) {
            topic.partitions.sort_unstable();
        }
    }
}

impl Ordered for ShareGroupDescribeResponse {
    fn order(&mut self) {
        self.groups.sort_by(|left, right| left.group_id.cmp(&right.group_id));
        for group in &mut self.groups {
            group.members.sort_by(|left, right| left.member_id.cmp(&right.member_id));
            for member in &mut group.members {
                member.subscribed_topic_names.sort();
                let topics = &mut member.assignment.topic_partitions;
                topics.sort_by(|left, right| left.topic_name.cmp(&right.topic_name));
                topics.iter_mut().for_each(|topic| topic.partitions.sort_unstable());
            }
        }
    }
}

impl Ordered for DescribeShareGroupOffsetsResponse {
    fn order(&mut self) {
        for group in &mut self.groups {
            group.topics.sort_by(|left, right| left.topic_name.cmp(&right.topic_name));
            for topic in &mut group.topics {
                topic.partitions.sort_by_key(|partition| partition.partition_index);
            }
        }
    }
}

impl Ordered for AlterShareGroupOffsetsResponse {}

impl Ordered for DeleteShareGroupOffsetsResponse {
    fn order(&mut self) {
        self.responses.sort_by(|left, right| left.topic_name.cmp(&right.topic_name));
    }
}

macro_rules! ordered {
    ($($response:ident)*) => {$(impl Ordered for protocol::messages::$response {})*};
}

ordered! {
    ConsumerGroupHeartbeatResponse DeleteGroupsResponse DescribeGroupsResponse ListGroupsResponse
}

/// Asks one server and writes down what it says.
struct Asker<'a> {
    server: &'a Server,
    client: Client,
    lines: Vec<String>,
    /// Ids of topics, in place of which their names are written down.
    topics: Vec<(Uuid, &'static str)>,
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
            Err(error) => {
                // What comes late is nobody's answer.
                self.client = Client::connect(&self.server.address()).expect("it accepts");
                format!("{:?}", error.kind())
            }
        };
        let mut said = mask::usual(&said, self.server);
        // Who has which partitions depends on the topic's id, which is drawn.
        if SHARED.contains(&case) {
            said = counted(&said);
        }
        for (id, name) in &self.topics {
            said = said.replace(&id.to_string(), name);
        }
        self.lines.push(format!("{case} [{version}]: {said}"));
    }

    fn beat(&mut self, case: &str, request: &ShareGroupHeartbeatRequest) {
        self.ask(case, 1, request);
    }

    /// Heartbeats of a member until it is told to have this many partitions: its state is made
    /// meanwhile. The epoch that it has come to.
    fn settle(&mut self, id: &str, member: &str, mut epoch: i32, partitions: usize) -> i32 {
        for _ in 0..100 {
            std::thread::sleep(Duration::from_millis(200));
            let answer = self.client.call(1, &stays(id, member, epoch)).expect("answered");
            epoch = answer.member_epoch;
            let told = answer.assignment.iter().flat_map(|of| &of.topic_partitions);
            if told.map(|topic| topic.partitions.len()).sum::<usize>() == partitions {
                return epoch;
            }
        }
        panic!("member {member} of {id} never has {partitions} partitions");
    }
}

/// Where several members share the partitions out.
const SHARED: [&str; 3] =
    ["life: the second joins", "life: the first has less", "life: described with two"];

/// Lists of partitions by their lengths.
fn counted(said: &str) -> String {
    let mut parts = said.split("partitions: [");
    let mut counted = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        match part.split_once(']') {
            Some((list, rest)) if !list.contains('{') => {
                counted += &format!("partitions: {} of them{rest}", list.split(',').count());
            }
            _ => counted += &format!("partitions: [{part}"),
        }
    }
    counted
}

/// Members of one group that come, share and go.
fn life(asker: &mut Asker<'_>) {
    asker.beat("life: heartbeat in no group", &stays("life", "a", 1));
    asker.beat("life: leave no group", &stays("life", "a", -1));
    asker.ask("life: offsets of no group", 1, &offsets("life", None));
    asker.beat("life: join", &joins("life", "a", &["orders"]));
    let epoch = asker.settle("life", "a", 2, 4);
    asker.beat("life: heartbeat", &stays("life", "a", epoch));
    asker.beat("life: heartbeat of a stranger", &stays("life", "x", 2));
    asker.beat("life: heartbeat ahead", &stays("life", "a", 9));
    asker.beat("life: heartbeat with the epoch before", &stays("life", "a", epoch - 1));
    asker.beat("life: heartbeat behind", &stays("life", "a", 1));
    asker.beat("life: join again", &joins("life", "a", &["orders"]));
    asker.ask("life: described", 1, &describe(&["life", "nobody"]));
    asker.ask("life: offsets", 0, &offsets("life", None));
    asker.ask("life: offsets", 1, &offsets("life", None));
    asker.ask("life: alter", 0, &alter("life", &[("orders", &[(0, 1)])]));
    asker.ask("life: delete offsets", 0, &delete_offsets("life", &["orders"]));
    std::thread::sleep(ASSIGNMENT_INTERVAL);
    asker.beat("life: the second joins", &joins("life", "b", &["orders"]));
    asker.beat("life: the first has less", &stays("life", "a", epoch));
    asker.ask("life: described with two", 1, &describe(&["life"]));
    let delete = DeleteGroupsRequest::default().with_groups_names(vec![group("life")]);
    asker.ask("life: delete with members", 2, &delete);
    asker.beat("life: the first leaves", &stays("life", "a", -1));
    std::thread::sleep(ASSIGNMENT_INTERVAL);
    asker.beat("life: the second has all", &stays("life", "b", epoch + 1));
    asker.beat("life: the second leaves", &stays("life", "b", -1));
    asker.ask("life: described when empty", 1, &describe(&["life"]));
    asker.ask("life: listed", 5, &ListGroupsRequest::default());
    asker.ask("life: delete", 2, &delete);
    asker.ask("life: described when deleted", 1, &describe(&["life"]));
    asker.ask("life: offsets when deleted", 1, &offsets("life", None));
}

/// Offsets of an empty group are altered, shown and deleted.
fn altered(asker: &mut Asker<'_>) {
    let altered = [("orders", &[(0, 0), (2, 7), (9, 1)][..]), ("nothing", &[(0, 0)])];
    asker.ask("offsets: alter, and the group comes to be", 0, &alter("moved", &altered));
    asker.ask("offsets: described", 1, &describe(&["moved"]));
    asker.ask("offsets: all", 1, &offsets("moved", None));
    let some = [("orders", &[0, 1, 9][..]), ("nothing", &[0])];
    asker.ask("offsets: some", 1, &offsets("moved", Some(&some)));
    asker.ask("offsets: some", 0, &offsets("moved", Some(&some)));
    asker.ask("offsets: none", 1, &offsets("moved", Some(&[])));
    asker.ask("offsets: alter again", 0, &alter("moved", &[("orders", &[(0, 3)])]));
    asker.ask("offsets: altered again", 1, &offsets("moved", None));
    asker.ask("offsets: alter in no group", 0, &alter("", &[("orders", &[(0, 3)])]));
    let topics = ["orders", "others", "nothing"];
    asker.ask("offsets: delete", 0, &delete_offsets("moved", &topics));
    asker.ask("offsets: deleted", 1, &offsets("moved", None));
    asker.ask("offsets: delete again", 0, &delete_offsets("moved", &["orders"]));
    asker.ask("offsets: delete in no group", 0, &delete_offsets("nobody", &["orders"]));
    asker.ask("offsets: delete in a group without name", 0, &delete_offsets("", &["orders"]));
}

fn topics_deleted(asker: &mut Asker<'_>) {
    asker.beat("topics: join", &joins("topics", "a", &["gone", "orders"]));
    asker.settle("topics", "a", 2, 6);
    asker.ask("topics: offsets of both", 1, &offsets("topics", None));
    let delete = DeleteTopicsRequest::default().with_topic_names(vec![TopicName(text("gone"))]);
    asker.client.call(5, &delete).expect("deleted");
    asker.beat("topics: leave", &stays("topics", "a", -1));
}

fn refusals(asker: &mut Asker<'_>) {
    let ok = || joins("refused", "a", &["orders"]);
    for (case, request) in [
        ("without a member id", ok().with_member_id(text(""))),
        ("with a blank member id", ok().with_member_id(text(" "))),
        ("with a long member id", ok().with_member_id(text(&"x".repeat(37)))),
        ("without a group", ok().with_group_id(group(""))),
        ("with an empty rack", ok().with_rack_id(Some(text("")))),
        ("without a subscription", ok().with_subscribed_topic_names(None)),
        ("with an empty subscription", ok().with_subscribed_topic_names(Some(Vec::new()))),
        ("with an epoch that cannot be", stays("refused", "a", -2)),
    ] {
        asker.beat(&format!("refused: {case}"), &request);
    }
    asker.ask("refused: described", 1, &describe(&["", "refused"]));
}

/// What other requests are told of a share group, and requests of share groups of another one.
fn other_kinds(asker: &mut Asker<'_>) {
    asker.beat("other: join", &joins("other", "a", &["orders"]));
    let share = ListGroupsRequest::default().with_types_filter(vec![text("share")]);
    asker.ask("other: list", 5, &share);
    let described = DescribeGroupsRequest::default().with_groups(vec![group("other")]);
    asker.ask("other: DescribeGroups", 6, &described);
    asker.ask("other: DescribeGroups", 5, &described);
    let consumer = |id: &str| {
        ConsumerGroupHeartbeatRequest::default()
            .with_group_id(group(id))
            .with_member_id(text("c"))
            .with_rebalance_timeout_ms(60_000)
            .with_subscribed_topic_names(Some(vec![TopicName(text("orders"))]))
            .with_topic_partitions(Some(Vec::new()))
    };
    asker.ask("other: a consumer joins", 1, &consumer("other"));
    asker.beat("other: leave", &stays("other", "a", -1));
    asker.client.call(1, &consumer("consumer")).expect("answered");
    asker.beat("consumer: join", &joins("consumer", "a", &["orders"]));
    asker.beat("consumer: heartbeat", &stays("consumer", "a", 1));
    asker.beat("consumer: leave", &stays("consumer", "a", -1));
    asker.ask("consumer: described", 1, &describe(&["consumer"]));
    asker.ask("consumer: offsets", 1, &offsets("consumer", None));
    asker.ask("consumer: alter", 0, &alter("consumer", &[("orders", &[(0, 0)])]));
    asker.ask("consumer: delete offsets", 0, &delete_offsets("consumer", &["orders"]));
}

#[test]
fn every_answer_is_stocks_in_every_version() {
    let server = server(if recording() { Kind::Stock } else { Kind::Gregor });
    let mut client = connect(&server, &[("orders", 4), ("others", 1), ("gone", 2)]);
    let topics = ["orders", "others", "gone"].map(|name| (topic_id(&mut client, name), name));
    let mut asker = Asker { server: &server, client, lines: Vec::new(), topics: topics.to_vec() };
    life(&mut asker);
    altered(&mut asker);
    topics_deleted(&mut asker);
    refusals(&mut asker);
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

/// What a coordinator answers that has just started: 14 to 16, loading and not there yet.
const NOT_THERE_YET: [&str; 3] = ["error_code: 14,", "error_code: 15,", "error_code: 16,"];

/// All that is known of two groups: one whose member holds partitions, and one that was moved.
fn known(client: &mut Client) -> String {
    let deadline = Instant::now() + Duration::from_secs(30);
    loop {
        let known = answered(client);
        if !NOT_THERE_YET.iter().any(|code| known.contains(code)) || Instant::now() > deadline {
            return known;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
}

fn answered(client: &mut Client) -> String {
    let mut groups = client.call(1, &describe(&["full", "moved"])).expect("described");
    groups.order();
    let mut known = format!("{groups:#?}\n");
    for id in ["full", "moved"] {
        let mut offsets = client.call(1, &offsets(id, None)).expect("described");
        offsets.order();
        known += &format!("{offsets:#?}\n");
    }
    known.replace("localhost", "HOST")
}

/// The epoch of the member that holds partitions.
fn fill(server: &Server, client: Client) -> (Client, i32) {
    let mut asker = Asker { server, client, lines: Vec::new(), topics: Vec::new() };
    asker.beat("join", &joins("full", "a", &["orders"]).with_rack_id(Some(text("r"))));
    let epoch = asker.settle("full", "a", 2, 4);
    let moved = asker.client.call(0, &alter("moved", &[("orders", &[(1, 0), (3, 5)])]));
    assert_eq!(moved.expect("answered").error_code, 0);
    (asker.client, epoch)
}

fn goes_on(client: &mut Client, epoch: i32, whose: &str) {
    let answer = client.call(1, &stays("full", "a", epoch)).expect("answered");
    assert_eq!((answer.error_code, answer.member_epoch), (0, epoch), "{whose}: {answer:?}");
}

/// Each starts on what the other has written, and its member goes on with its epoch.
#[test]
fn stock_reads_gregors_groups_and_gregor_stocks() {
    if recording() {
        return;
    }
    for (first, second) in [(Kind::Gregor, Kind::Stock), (Kind::Stock, Kind::Gregor)] {
        let mut server = server(first);
        let client = connect(&server, &[("orders", 4)]);
        let (mut client, epoch) = fill(&server, client);
        let before = known(&mut client);
        drop(client);
        server.terminate();
        server.kind = second;
        server.start_again();
        let mut client = connect(&server, &[]);
        assert_eq!(known(&mut client), before, "{first:?}'s groups at {second:?}");
        goes_on(&mut client, epoch, &format!("{first:?}'s member at {second:?}"));
    }
}

#[test]
fn members_go_on_where_they_were_when_the_coordinator_was_killed() {
    if recording() {
        return;
    }
    let mut server = server(Kind::Gregor);
    let client = connect(&server, &[("orders", 4)]);
    let (mut client, epoch) = fill(&server, client);
    let before = known(&mut client);
    drop(client);
    server.kill();
    server.start_again();
    let mut client = connect(&server, &[]);
    assert_eq!(known(&mut client), before);
    goes_on(&mut client, epoch, "after the kill");
}

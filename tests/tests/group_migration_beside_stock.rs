//! Groups that go between the classic and the consumer protocol beside stock Kafka 4.3.1: answers
//! and records of a migration up and down, each taking over in the middle of the other's, and Java
//! consumers of both protocols that are rolled from one to the other while a broker is killed.

use std::fmt::Debug;
use std::time::Duration;

use protocol::messages::join_group_request::JoinGroupRequestProtocol;
use protocol::messages::leave_group_request::MemberIdentity;
use protocol::messages::offset_commit_request::{
    OffsetCommitRequestPartition, OffsetCommitRequestTopic,
};
use protocol::messages::sync_group_request::SyncGroupRequestAssignment;
use protocol::messages::{
    ConsumerGroupHeartbeatRequest, FindCoordinatorRequest, GroupId, HeartbeatRequest,
    JoinGroupRequest, JoinGroupResponse, LeaveGroupRequest, MetadataRequest, OffsetCommitRequest,
    OffsetFetchRequest, SyncGroupRequest, TopicName, offset_fetch_request::OffsetFetchRequestGroup,
};
use protocol::wire::StrBytes;
use tests::embedded_protocol::{assigned, assignment, subscription};
use tests::golden::{file, recording};
use tests::mask;
use tests::oracle::{NEWEST, ToolServer};
use tests::server::{Kind, Server};
use tests::topic::create;
use tests::wire::Client;
use uuid::Uuid;

/// Where stock's answers and records are recorded.
const GOLDEN: &str = "groups/migration-4.3.1";
/// Between two target assignments of a group, and a little more.
const ASSIGNMENT_INTERVAL: Duration = Duration::from_millis(1_100);

fn text(text: &str) -> StrBytes {
    StrBytes::from_string(text.to_owned())
}

fn group(id: &str) -> GroupId {
    GroupId(text(id))
}

fn server(kind: Kind) -> Server {
    let mut server = Server::prepare(kind, &["offsets.topic.num.partitions=1".to_owned()]);
    server.stock = Some(NEWEST.to_owned());
    server.start_again();
    server
}

fn joins(id: &str, member: &str, instance: Option<&str>) -> ConsumerGroupHeartbeatRequest {
    ConsumerGroupHeartbeatRequest::default()
        .with_group_id(group(id))
        .with_member_id(text(member))
        .with_instance_id(instance.map(text))
        .with_rebalance_timeout_ms(60_000)
        .with_subscribed_topic_names(Some(vec![TopicName(text("orders"))]))
        .with_topic_partitions(Some(Vec::new()))
}

fn stays(id: &str, member: &str, epoch: i32) -> ConsumerGroupHeartbeatRequest {
    ConsumerGroupHeartbeatRequest::default()
        .with_group_id(group(id))
        .with_member_id(text(member))
        .with_member_epoch(epoch)
}

/// A member of the classic protocol, with a connection of its own.
struct Classic {
    client: Client,
    group: &'static str,
    id: StrBytes,
    instance: Option<&'static str>,
    generation: i32,
    owned: Vec<i32>,
}

impl Classic {
    fn new(address: &str, group: &'static str, instance: Option<&'static str>) -> Self {
        Self {
            client: connect(address),
            group,
            id: StrBytes::default(),
            instance,
            generation: -1,
            owned: Vec::new(),
        }
    }

    /// Asks; the answer may be long in coming.
    fn ask_to_join(&mut self) {
        let protocol = JoinGroupRequestProtocol::default()
            .with_name(text("range"))
            .with_metadata(subscription(&self.owned));
        let request = JoinGroupRequest::default()
            .with_group_id(group(self.group))
            .with_member_id(self.id.clone())
            .with_group_instance_id(self.instance.map(text))
            .with_session_timeout_ms(45_000)
            .with_rebalance_timeout_ms(60_000)
            .with_protocol_type(text("consumer"))
            .with_protocols(vec![protocol]);
        self.client.send(9, &request).expect("sent");
    }

    fn joined(&mut self) -> JoinGroupResponse {
        let answer = self.client.receive::<JoinGroupRequest>(9).expect("answered");
        self.generation = answer.generation_id;
        if !answer.member_id.is_empty() {
            self.id = answer.member_id.clone();
        }
        answer
    }

    fn join(&mut self) -> JoinGroupResponse {
        self.ask_to_join();
        self.joined()
    }

    fn ask_to_sync(&mut self, given: &[(&StrBytes, &[i32])]) {
        let given = given.iter().map(|(member, partitions)| {
            SyncGroupRequestAssignment::default()
                .with_member_id((*member).clone())
                .with_assignment(assignment(partitions))
        });
        let request = SyncGroupRequest::default()
            .with_group_id(group(self.group))
            .with_member_id(self.id.clone())
            .with_group_instance_id(self.instance.map(text))
            .with_generation_id(self.generation)
            .with_protocol_type(Some(text("consumer")))
            .with_protocol_name(Some(text("range")))
            .with_assignments(given.collect());
        self.client.send(5, &request).expect("sent");
    }

    /// The code, and the partitions.
    fn synced(&mut self) -> (i16, Vec<i32>) {
        let answer = self.client.receive::<SyncGroupRequest>(5).expect("answered");
        (answer.error_code, assigned(&answer.assignment))
    }

    fn beat(&mut self) -> i16 {
        let request = HeartbeatRequest::default()
            .with_group_id(group(self.group))
            .with_member_id(self.id.clone())
            .with_group_instance_id(self.instance.map(text))
            .with_generation_id(self.generation);
        self.client.call(4, &request).expect("answered").error_code
    }

    fn commit(&mut self, generation: i32, partition: i32) -> i16 {
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
        let request = OffsetCommitRequest {
            group_id: group(self.group),
            member_id: self.id.clone(),
            generation_id_or_member_epoch: generation,
            topics: vec![topic],
            ..Default::default()
        };
        let answer = self.client.call(9, &request).expect("answered");
        answer.topics[0].partitions[0].error_code
    }
}

/// Once the coordinator serves.
fn connect(address: &str) -> Client {
    let mut client = Client::connect(address).expect("the listener accepts");
    for _ in 0..200 {
        let key = FindCoordinatorRequest::default().with_key(text("up"));
        client.call(3, &key).expect("answered");
        let probed = OffsetFetchRequestGroup {
            group_id: group("probe"),
            topics: None,
            ..Default::default()
        };
        let probe = OffsetFetchRequest { groups: vec![probed], ..Default::default() };
        if client.call(9, &probe).expect("answered").groups[0].error_code == 0 {
            break;
        }
        std::thread::sleep(Duration::from_millis(100));
    }
    client
}

fn topic_id(client: &mut Client) -> Uuid {
    let metadata = client.call(12, &MetadataRequest::default().with_topics(None));
    let topics = metadata.expect("answered").topics;
    let orders = topics
        .iter()
        .find(|topic| topic.name.as_ref().is_some_and(|name| name.as_str() == "orders"));
    orders.expect("orders is there").topic_id
}

/// Plays a migration on one server and writes down what it says.
struct Play<'a> {
    server: &'a Server,
    client: Client,
    /// Ids of this run, each with the name it has in the golden file.
    names: Vec<(String, &'static str)>,
    lines: Vec<String>,
}

impl Play<'_> {
    fn say(&mut self, case: &str, what: &impl Debug) {
        self.lines.push(format!("{case}: {what:?}"));
    }

    fn beat(&mut self, case: &str, request: &ConsumerGroupHeartbeatRequest) {
        let mut answer = self.client.call(1, request).expect("answered");
        for topic in answer.assignment.iter_mut().flat_map(|of| &mut of.topic_partitions) {
            topic.partitions.sort_unstable();
        }
        self.say(case, &answer);
    }

    fn join(&mut self, case: &str, member: &mut Classic) {
        let mut answer = member.join();
        // Kafka's leader is the first of a hash map.
        answer.members.clear();
        self.say(case, &answer.with_leader(StrBytes::default()));
    }

    fn sync(&mut self, case: &str, member: &mut Classic) {
        member.ask_to_sync(&[]);
        let synced = member.synced();
        self.say(case, &synced);
        member.owned = synced.1;
    }

    /// Told to join again, a member joins with what it has and asks for what it is to have.
    fn follow(&mut self, case: &str, member: &mut Classic) {
        let beaten = member.beat();
        self.say(&format!("{case}: heartbeat"), &beaten);
        self.join(&format!("{case}: join"), member);
        self.sync(&format!("{case}: sync"), member);
        let beaten = member.beat();
        self.say(&format!("{case}: heartbeat again"), &beaten);
    }

    /// Both members of a classic group rebalance it. The second gets more: whom Kafka's assignor
    /// takes partitions from does not depend on how ids are hashed then.
    fn rebalance(&mut self, case: &str, first: &mut Classic, second: &mut Classic) {
        second.ask_to_join();
        std::thread::sleep(Duration::from_millis(200));
        let beaten = first.beat();
        self.say(&format!("{case}: the first is told to join"), &beaten);
        let joined = first.join();
        let other = second.joined();
        let said = (joined.error_code, joined.generation_id, other.error_code);
        self.say(&format!("{case}: both have joined"), &said);
        let given: [(&StrBytes, &[i32]); 2] =
            [(&first.id.clone(), &[0]), (&second.id.clone(), &[1, 2, 3])];
        let leads = joined.leader == first.id;
        first.ask_to_sync(if leads { &given } else { &[] });
        second.ask_to_sync(if leads { &[] } else { &given });
        let synced = (first.synced(), second.synced());
        self.say(&format!("{case}: both have synced"), &synced);
        (first.owned, second.owned) = (synced.0.1, synced.1.1);
    }

    fn leave(&mut self, case: &str, id: &str, members: &[(&str, Option<&str>)]) {
        let members = members.iter().map(|(member, instance)| {
            MemberIdentity::default()
                .with_member_id(text(member))
                .with_group_instance_id(instance.map(text))
        });
        let request =
            LeaveGroupRequest::default().with_group_id(group(id)).with_members(members.collect());
        let answer = self.client.call(5, &request).expect("answered");
        self.say(case, &answer);
    }

    /// Two members of a stable classic group.
    fn pair(&mut self, id: &'static str) -> (Classic, Classic) {
        let address = self.server.address();
        let (mut first, mut second) =
            (Classic::new(&address, id, None), Classic::new(&address, id, None));
        let asked = first.join().error_code;
        self.say("pair: an id", &asked);
        self.join("pair: the first", &mut first);
        first.ask_to_sync(&[(&first.id.clone(), &[0, 1, 2, 3])]);
        let synced = first.synced();
        self.say("pair: the first has all", &synced);
        second.join();
        self.names.push((first.id.to_string(), "FIRST"));
        self.names.push((second.id.to_string(), "SECOND"));
        // An eager member gives up all before it joins again.
        self.rebalance("pair", &mut first, &mut second);
        first.owned.clear();
        second.owned.clear();
        (first, second)
    }
}

fn dynamic_members(play: &mut Play<'_>) {
    let (mut first, mut second) = play.pair("up");
    play.beat("up: a consumer joins", &joins("up", "c", None));
    play.follow("up: the first", &mut first);
    let commits = (first.commit(3, 0), first.commit(2, 0), first.commit(4, 0), first.commit(1, 3));
    play.say("up: commits of the first", &commits);
    let commits = (second.commit(2, 2), second.commit(3, 2));
    play.say("up: commits of the second, which is behind", &commits);
    play.follow("up: the second", &mut second);
    play.beat("up: the consumer", &stays("up", "c", 3));
    play.beat("up: nothing new", &stays("up", "c", 3));
    let mut third = Classic::new(&play.server.address(), "up", None);
    let asked = third.join();
    play.names.push((third.id.to_string(), "THIRD"));
    play.say("up: a third of the classic protocol", &asked);
    play.leave("up: nobody leaves", "up", &[("x", None), ("", Some("i"))]);
    std::thread::sleep(ASSIGNMENT_INTERVAL);
    play.beat("down: the consumer leaves", &stays("up", "c", -1));
    (first.owned, second.owned) = (Vec::new(), Vec::new());
    let beaten = second.beat();
    play.say("down: the second is told to join", &beaten);
    play.rebalance("down", &mut first, &mut second);
    let (first, second) = (first.id.to_string(), second.id.to_string());
    play.leave("down: both leave", "up", &[(&first, None), (&second, None)]);
}

fn static_member(play: &mut Play<'_>) {
    let mut fixed = Classic::new(&play.server.address(), "fixed", Some("i"));
    play.names.push(("i-".to_owned(), "INSTANCE-"));
    play.join("fixed: classic", &mut fixed);
    fixed.ask_to_sync(&[(&fixed.id.clone(), &[0, 1, 2, 3])]);
    let synced = fixed.synced();
    play.say("fixed: classic has all", &synced);
    play.beat("fixed: a consumer takes the instance", &joins("fixed", "c", Some("i")));
    let beaten = fixed.beat();
    play.say("fixed: the old one", &beaten);
    let mut again = Classic::new(&play.server.address(), "fixed", Some("i"));
    again.owned = vec![0, 1, 2, 3];
    play.join("fixed: classic takes it back", &mut again);
    play.names.push((again.id.to_string(), "AGAIN"));
    play.sync("fixed: classic has all again", &mut again);
    let beaten = again.beat();
    play.say("fixed: classic stays", &beaten);
    play.leave("fixed: an administrator removes it", "fixed", &[("", Some("i"))]);
}

fn refusals(play: &mut Play<'_>) {
    let address = play.server.address();
    let mut other = Classic::new(&address, "other", Some("o"));
    let connect = JoinGroupRequest::default()
        .with_group_id(group("other"))
        .with_group_instance_id(Some(text("o")))
        .with_session_timeout_ms(45_000)
        .with_rebalance_timeout_ms(60_000)
        .with_protocol_type(text("connect"))
        .with_protocols(vec![JoinGroupRequestProtocol::default().with_name(text("sessioned"))]);
    other.client.call(9, &connect).expect("answered");
    play.beat("refused: a consumer by another type", &joins("other", "c", None));
    play.beat("refused: a new group", &joins("new", "c", None));
    for (case, request) in [
        ("a type", connect.clone().with_group_id(group("new"))),
        ("an unknown instance", {
            let protocol = JoinGroupRequestProtocol::default().with_name(text("range"));
            let protocol = protocol.with_metadata(subscription(&[]));
            let request = connect.clone().with_group_id(group("new"));
            let request = request.with_protocol_type(text("consumer")).with_member_id(text("x"));
            request.with_protocols(vec![protocol])
        }),
        ("an unreadable subscription", {
            connect.with_group_id(group("new")).with_protocol_type(text("consumer"))
        }),
    ] {
        let answer = other.client.call(9, &request).expect("answered");
        play.say(&format!("refused: {case}"), &answer);
    }
    let mut stranger = Classic::new(&address, "new", None);
    (stranger.id, stranger.generation) = (text("c"), 2);
    stranger.ask_to_sync(&[]);
    let refused = (stranger.beat_after_sync(), stranger.beat());
    play.say("refused: sync and heartbeat of a consumer", &refused);
    play.leave("refused: an administrator removes the consumer", "new", &[("c", None)]);
}

impl Classic {
    fn beat_after_sync(&mut self) -> i16 {
        self.synced().0
    }
}

/// The records of groups in `__consumer_offsets`, one a line; those of one type in a row in an
/// order of their own, because Kafka goes over members as its hash maps have them.
fn records(server: &Server, mask: impl Fn(String) -> String) -> Vec<String> {
    let log = server.data().join("__consumer_offsets-0/00000000000000000000.log");
    let args = ["--offsets-decoder", "--files", &log.display().to_string()].map(str::to_owned);
    let dumped = ToolServer::shared().run(NEWEST, "kafka-dump-log", &args, "");
    assert_eq!(dumped.code, 0, "{dumped:?}");
    let mut records: Vec<(String, Vec<String>)> = Vec::new();
    for line in dumped.stdout.lines().filter(|line| line.starts_with('|')) {
        let (_, record) = line.split_once(" key: ").expect("a key");
        if record.starts_with("{\"type\":\"1\"") {
            continue;
        }
        let kind: String = record.chars().take_while(|c| *c != ',').collect();
        let kind = format!("{kind}{}", record.contains("payload: <DELETE>"));
        match records.last_mut() {
            Some((last, lines)) if *last == kind => lines.push(record.to_owned()),
            _ => records.push((kind, vec![record.to_owned()])),
        }
    }
    let sorted = records.into_iter().flat_map(|(_, lines)| {
        let mut lines: Vec<String> = lines.into_iter().map(&mask).collect();
        lines.sort_unstable();
        lines
    });
    sorted.collect()
}

/// Kafka's leader is the first of a hash map.
fn without_leader(record: &str) -> String {
    let Some((before, rest)) = record.split_once("\"leader\":\"") else {
        return record.to_owned();
    };
    let (_, rest) = rest.split_once('"').expect("a leader");
    format!("{before}\"leader\":\"LEADER\"{rest}")
}

/// The members of a classic group's record by the names that they have here.
fn by_name(record: &str) -> String {
    const MEMBER: &str = "{\"memberId\":";
    let Some((before, members)) = record.split_once(&format!("[{MEMBER}")) else {
        return record.to_owned();
    };
    let members = members.strip_suffix("]}}").expect("the members end the record");
    let separator = format!(",{MEMBER}");
    let mut members: Vec<&str> = members.split(&separator).collect();
    members.sort_unstable();
    format!("{before}[{MEMBER}{}]}}}}", members.join(&separator))
}

#[test]
fn answers_and_records_of_a_migration_up_and_down_are_stocks() {
    let server = server(if recording() { Kind::Stock } else { Kind::Gregor });
    let mut client = Client::connect(&server.address()).expect("the listener accepts");
    create(&mut client, "orders", 4);
    let client = connect(&server.address());
    let mut play = Play { server: &server, client, names: Vec::new(), lines: Vec::new() };
    let topic = topic_id(&mut play.client);
    dynamic_members(&mut play);
    static_member(&mut play);
    refusals(&mut play);
    let Play { names, mut lines, .. } = play;
    let base64 = protocol::base64_uuid::Base64Uuid(topic).to_string();
    let mask = |line: String| {
        let mut line = line.replace(", unknown_tagged_fields: {}", "");
        for (id, name) in &names {
            line = line.replace(id, name);
        }
        let line = line.replace(&base64, "ORDERS").replace(&topic.to_string(), "ORDERS");
        let line = by_name(&without_leader(&line));
        mask::hashes(&mask::usual(&line, &server))
    };
    lines = lines.into_iter().map(mask).collect();
    lines.extend(records(&server, mask));
    if recording() {
        std::fs::write(file(GOLDEN), lines.join("\n") + "\n").expect("recorded");
        return;
    }
    let recorded = std::fs::read_to_string(file(GOLDEN)).expect("recorded answers");
    let differences: Vec<String> = recorded
        .lines()
        .zip(&lines)
        .filter(|(stock, ours)| stock != ours)
        .map(|(stock, ours)| format!("stock: {stock}\nours:  {ours}"))
        .collect();
    assert!(differences.is_empty(), "not as stock Kafka\n{}", differences.join("\n\n"));
    assert_eq!(recorded.lines().count(), lines.len());
}

/// The members of a group in the middle of its migration, over servers that come and go.
struct Crew {
    first: Classic,
    second: Classic,
    client: Client,
}

impl Crew {
    /// Two classic members, one of which has followed the consumer that came to them.
    fn upgraded(server: &Server) -> Self {
        let client = connect(&server.address());
        let mut play = Play { server, client, names: Vec::new(), lines: Vec::new() };
        let (mut first, second) = play.pair("up");
        play.beat("", &joins("up", "c", None));
        play.follow("", &mut first);
        Self { first, second, client: play.client }
    }

    fn reconnect(&mut self, server: &Server) {
        let connect = || connect(&server.address());
        (self.client, self.first.client, self.second.client) = (connect(), connect(), connect());
    }

    fn beat(&mut self, request: &ConsumerGroupHeartbeatRequest) -> Vec<i32> {
        let answer = self.client.call(1, request).expect("answered");
        assert_eq!(answer.error_code, 0, "{answer:?}");
        let topics = answer.assignment.into_iter().flat_map(|of| of.topic_partitions);
        topics.flat_map(|topic| topic.partitions).collect()
    }

    /// Who has not followed yet does, and then all partitions are somebody's.
    fn complete_upgrade(&mut self) {
        let Self { first, second, .. } = self;
        assert_eq!((first.beat(), second.beat()), (0, 27));
        assert_eq!(second.join().error_code, 0);
        second.ask_to_sync(&[]);
        let (code, partitions) = second.synced();
        assert_eq!((code, second.beat()), (0, 0));
        let mut all = [self.first.owned.clone(), partitions].concat();
        all.extend(self.beat(&stays("up", "c", 3)));
        all.sort_unstable();
        assert_eq!(all, [0, 1, 2, 3]);
        std::thread::sleep(ASSIGNMENT_INTERVAL);
        self.beat(&stays("up", "c", -1));
    }

    /// The classic group that is left shares all partitions out.
    fn complete_downgrade(&mut self, server: &Server) {
        let client = connect(&server.address());
        let mut play = Play { server, client, names: Vec::new(), lines: Vec::new() };
        let Self { first, second, .. } = self;
        first.owned.clear();
        // Another subscription: stock takes a group that it loads for stable.
        second.owned = vec![9];
        play.rebalance("", first, second);
        let mut all = [first.owned.clone(), second.owned.clone()].concat();
        all.sort_unstable();
        assert_eq!((all, first.beat(), second.beat()), (vec![0, 1, 2, 3], 0, 0));
    }
}

#[test]
fn each_goes_on_in_the_middle_of_the_others_migration() {
    if recording() {
        return;
    }
    for kinds in [[Kind::Gregor, Kind::Stock], [Kind::Stock, Kind::Gregor]] {
        let mut server = Server::prepare(kinds[0], &["offsets.topic.num.partitions=1".to_owned()]);
        // Gregor starts on directories of the release that it equals.
        server.stock = (kinds[0] == Kind::Gregor).then(|| NEWEST.to_owned());
        server.start_again();
        let mut client = Client::connect(&server.address()).expect("the listener accepts");
        create(&mut client, "orders", 4);
        let mut crew = Crew::upgraded(&server);
        for round in 1..=2 {
            server.terminate();
            server.kind = kinds[round % 2];
            server.start_again();
            crew.reconnect(&server);
            if round == 1 {
                crew.complete_upgrade();
            } else {
                crew.complete_downgrade(&server);
            }
        }
    }
}

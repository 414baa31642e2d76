//! Quotas beside stock Kafka 4.3.1: what changes and questions are answered, and for how long
//! somebody is held back who is too fast.

use std::fmt::Write as _;
use std::time::Duration;

use protocol::messages::alter_client_quotas_request::{EntityData, EntryData, OpData};
use protocol::messages::create_topics_request::CreatableTopic;
use protocol::messages::delete_topics_request::DeleteTopicState;
use protocol::messages::describe_client_quotas_request::ComponentData;
use protocol::messages::{
    AlterClientQuotasRequest, CreatePartitionsRequest, CreateTopicsRequest, DeleteTopicsRequest,
    DescribeClientQuotasRequest, create_partitions_request,
};
use protocol::wire::StrBytes;
use raft::draws::Draws;
use tests::cluster::view::until;
use tests::facts;
use tests::golden::recording;
use tests::records::Batch;
use tests::server::Server;
use tests::topic::{create, fetch_request, name, now_ms, produce_request};
use tests::wire::Client;

type Facts = Vec<(String, String)>;
type Part = (&'static str, Option<&'static str>);

const NEWEST: i16 = 1;

fn text(text: &str) -> StrBytes {
    StrBytes::from_string(text.to_owned())
}

fn pick<T: Copy>(draws: &mut Draws, of: &[T]) -> T {
    of[usize::try_from(draws.below(of.len() as u64)).expect("few")]
}

fn client(server: &Server, client_id: &str) -> Client {
    Client::connect(&server.address()).expect("the listener accepts").named(client_id)
}

/// `kind=name, kind=default`, in the order of the kinds.
fn shown(parts: impl Iterator<Item = (String, Option<String>)>) -> String {
    let mut parts: Vec<String> = parts
        .map(|(kind, name)| format!("{kind}={}", name.as_deref().unwrap_or("(any)")))
        .collect();
    parts.sort();
    parts.join(", ")
}

/// Any entity; most are ones that may have a quota.
fn any_entity(draws: &mut Draws) -> Vec<Part> {
    let users = [Some("alice"), Some("bob"), None];
    let clients = [Some("app"), Some("lib"), None];
    let addresses =
        [Some("127.0.0.1"), Some("10.0.0.1"), Some("::1"), Some("nobody.invalid"), None];
    match draws.below(16) {
        0..=3 => vec![("user", pick(draws, &users))],
        4..=6 => vec![("client-id", pick(draws, &clients))],
        7..=10 => vec![("user", pick(draws, &users)), ("client-id", pick(draws, &clients))],
        11..=12 => vec![("ip", pick(draws, &addresses))],
        13 => vec![("ip", pick(draws, &addresses)), ("user", pick(draws, &users))],
        14 => vec![pick(draws, &[("user", Some("")), ("group", Some("g")), ("", None)])],
        _ => vec![],
    }
}

fn any_op(draws: &mut Draws) -> OpData {
    let keys = [
        "producer_byte_rate",
        "producer_byte_rate",
        "consumer_byte_rate",
        "request_percentage",
        "controller_mutation_rate",
        "connection_creation_rate",
        "connection_creation_rate",
        "retention.ms",
    ];
    let values = [1.0, 2.0, 1024.0, 0.5, 0.0, -1.0, 3e9, 1e19, 1.000_000_1, f64::INFINITY];
    OpData::default()
        .with_key(text(pick(draws, &keys)))
        .with_value(pick(draws, &values))
        .with_remove(draws.below(4) == 0)
}

fn any_alteration(draws: &mut Draws) -> AlterClientQuotasRequest {
    let entry = |draws: &mut Draws| {
        let part = |(kind, name): Part| {
            EntityData::default().with_entity_type(text(kind)).with_entity_name(name.map(text))
        };
        let mut ops = vec![any_op(draws)];
        // Of two mistakes Kafka names the one that a map of Java's has first: only one has any.
        if draws.below(2) == 0 {
            ops.push(any_op(draws).with_remove(true));
        }
        EntryData::default()
            .with_entity(any_entity(draws).into_iter().map(part).collect())
            .with_ops(ops)
    };
    let entries = 1 + draws.below(3);
    AlterClientQuotasRequest::default()
        .with_entries((0..entries).map(|_| entry(draws)).collect())
        .with_validate_only(draws.below(8) == 0)
}

fn any_question(draws: &mut Draws) -> DescribeClientQuotasRequest {
    let component = |draws: &mut Draws, (kind, name): Part| {
        let match_type = match draws.below(8) {
            0..=2 => i8::from(name.is_none()),
            3..=6 => 2,
            _ => pick(draws, &[0, 1, 3]),
        };
        let name = name.filter(|_| match_type != 2 || draws.below(8) == 0);
        ComponentData::default()
            .with_entity_type(text(kind))
            .with_match_type(match_type)
            .with_match(name.map(text))
    };
    let mut entity = any_entity(draws);
    if draws.below(12) == 0 {
        entity.extend(entity.first().copied());
    }
    DescribeClientQuotasRequest::default()
        .with_components(entity.into_iter().map(|part| component(draws, part)).collect())
        .with_strict(draws.below(2) == 0)
}

fn altered(client: &mut Client, request: &AlterClientQuotasRequest) -> String {
    let answer = client.call(NEWEST, request).expect("answered");
    let told = answer.entries.iter().map(|entry| {
        let parts = entry.entity.iter();
        let parts = parts.map(|part| {
            (part.entity_type.to_string(), part.entity_name.as_ref().map(ToString::to_string))
        });
        let words = entry.error_message.as_deref().unwrap_or("-");
        format!("[{}] {} {words}", shown(parts), entry.error_code)
    });
    let mut told: Vec<String> = told.collect();
    told.sort();
    told.join("; ")
}

fn described(client: &mut Client, request: &DescribeClientQuotasRequest) -> String {
    let answer = client.call(NEWEST, request).expect("answered");
    let entries = answer.entries.iter().flatten().map(|entry| {
        let parts = entry.entity.iter();
        let parts = parts.map(|part| {
            (part.entity_type.to_string(), part.entity_name.as_ref().map(ToString::to_string))
        });
        let mut values: Vec<String> =
            entry.values.iter().map(|value| format!("{}={}", &*value.key, value.value)).collect();
        values.sort();
        format!("[{}] {}", shown(parts), values.join(" "))
    });
    let mut told: Vec<String> = entries.collect();
    told.sort();
    let words = answer.error_message.as_deref().unwrap_or("-");
    let mut all = format!("{} {words}", answer.error_code);
    if answer.entries.is_none() {
        all.push_str(" null");
    }
    let _ = write!(all, " {}", told.join("; "));
    all
}

#[test]
fn any_changes_and_any_questions_are_answered_as_by_stock() {
    let server = Server::start(facts::kind(), &[]);
    let mut client = client(&server, "tests");
    let mut draws = Draws::new(570);
    let mut found = Facts::new();
    for number in 0..200 {
        let request = any_alteration(&mut draws);
        found.push((format!("change {number}"), altered(&mut client, &request)));
        if recording() {
            // A stock broker hears of what it has answered a little later.
            std::thread::sleep(Duration::from_millis(100));
        }
        for question in 0..3 {
            let request = any_question(&mut draws);
            found.push((format!("question {number} {question}"), described(&mut client, &request)));
        }
    }
    let everything = described(&mut client, &DescribeClientQuotasRequest::default());
    found.push(("everything".to_owned(), everything));
    for (_, fact) in &mut found {
        *fact = fact.replace(": ", "=");
    }
    facts::check("quotas/answers-4.3.1", "Changes of quotas and questions about them.", &found);
}

/// Every client id has the same quotas, each for itself.
fn limit(server: &Server, key: &str, value: f64) {
    let any = EntityData::default().with_entity_type(text("client-id")).with_entity_name(None);
    let op = OpData::default().with_key(text(key)).with_value(value);
    let entry = EntryData::default().with_entity(vec![any]).with_ops(vec![op]);
    let request = AlterClientQuotasRequest::default().with_entries(vec![entry]);
    assert_eq!(altered(&mut client(server, "admin"), &request), "[client-id=(any)] 0 -");
}

fn batch(bytes: usize) -> bytes::Bytes {
    Batch::of(&[&vec![b'x'; bytes]], now_ms()).bytes()
}

/// For how long the first Produce of a client is held back.
fn produce_throttle(server: &Server, client_id: &str, acks: i16, bytes: usize) -> i32 {
    let request = produce_request("t", 0, acks, batch(bytes));
    let answer = client(server, client_id).call(9, &request).expect("answered");
    assert_eq!(answer.responses[0].partition_responses[0].error_code, 0);
    answer.throttle_time_ms
}

/// To half a second: what was asked a moment ago counts.
fn about(throttle_ms: i32) -> String {
    format!("{} halves of a second", (throttle_ms + 250) / 500)
}

#[test]
fn who_sends_or_fetches_too_much_is_held_back_for_as_long_as_by_stock() {
    let server = Server::start(facts::kind(), &[]);
    create(&mut client(&server, "admin"), "t", 1);
    limit(&server, "producer_byte_rate", 1000.0);
    limit(&server, "consumer_byte_rate", 1000.0);
    let mut probes = 0;
    until("quotas are in force", Duration::from_secs(20), || {
        probes += 1;
        (produce_throttle(&server, &format!("probe-{probes}"), 1, 20_000) > 0).then_some(())
    });
    let mut found = Facts::new();
    for (number, bytes) in [100, 9_000, 12_345, 50_000].into_iter().enumerate() {
        let throttle = produce_throttle(&server, &format!("p{number}"), -1, bytes);
        found.push((format!("a first Produce of {bytes} bytes"), throttle.to_string()));
    }
    for version in [4, 7, 11, 12] {
        let mut client = client(&server, &format!("f{version}"));
        let answer = client.call(version, &fetch_request("t", 0, 0)).expect("answered");
        let partitions: usize = answer.responses.iter().map(|topic| topic.partitions.len()).sum();
        found.push((
            format!("a first Fetch of version {version}"),
            format!("{} ms, {partitions} partitions", answer.throttle_time_ms),
        ));
    }
    facts::check("quotas/bytes-4.3.1", "For how long bytes hold their client back.", &found);
}

#[test]
fn who_keeps_threads_busy_is_held_back_and_nobody_else_is() {
    let server = Server::start(facts::kind(), &[]);
    let entity = EntityData::default()
        .with_entity_type(text("client-id"))
        .with_entity_name(Some(text("busy")));
    let op = OpData::default().with_key(text("request_percentage")).with_value(0.01);
    let entry = EntryData::default().with_entity(vec![entity]).with_ops(vec![op]);
    let request = AlterClientQuotasRequest::default().with_entries(vec![entry]);
    altered(&mut client(&server, "admin"), &request);
    let ask = |client: &mut Client| {
        let answer = client.call(NEWEST, &DescribeClientQuotasRequest::default());
        answer.expect("answered").throttle_time_ms
    };
    let mut busy = client(&server, "busy");
    let held_back = until("it is held back", Duration::from_secs(30), || {
        Some(ask(&mut busy)).filter(|throttle_ms| *throttle_ms > 0)
    });
    assert!(held_back <= 1000, "{held_back}: a sample's length at most");
    let mut other = client(&server, "other");
    for _ in 0..200 {
        assert_eq!(ask(&mut other), 0);
    }
}

fn creation(topic: &str, partitions: i32) -> CreateTopicsRequest {
    let topic = CreatableTopic::default()
        .with_name(name(topic))
        .with_num_partitions(partitions)
        .with_replication_factor(1);
    CreateTopicsRequest::default().with_topics(vec![topic]).with_timeout_ms(30_000)
}

fn create_topic(server: &Server, client_id: &str, version: i16, topic: &str, count: i32) -> String {
    let request = creation(topic, count);
    let answer = client(server, client_id).call(version, &request).expect("answered");
    let topic = &answer.topics[0];
    let words = topic.error_message.as_deref().unwrap_or("-");
    format!("{} {words}, {}", topic.error_code, about(answer.throttle_time_ms))
}

fn add_partitions(server: &Server, client_id: &str, version: i16, count: i32) -> String {
    let topic = create_partitions_request::CreatePartitionsTopic::default()
        .with_name(name("t"))
        .with_count(count)
        .with_assignments(None);
    let request =
        CreatePartitionsRequest::default().with_topics(vec![topic]).with_timeout_ms(30_000);
    let answer = client(server, client_id).call(version, &request).expect("answered");
    format!("{}, {}", answer.results[0].error_code, about(answer.throttle_time_ms))
}

fn delete_topic(server: &Server, client_id: &str, topic: &str) -> String {
    let topic = DeleteTopicState::default().with_name(Some(name(topic)));
    let request = DeleteTopicsRequest::default().with_topics(vec![topic]).with_timeout_ms(30_000);
    let answer = client(server, client_id).call(6, &request).expect("answered");
    let topic = &answer.responses[0];
    let words = topic.error_message.as_deref().unwrap_or("-");
    format!("{} {words}, {}", topic.error_code, about(answer.throttle_time_ms))
}

#[test]
fn who_makes_too_many_partitions_is_refused_or_held_back_as_by_stock() {
    let server = Server::start(facts::kind(), &[]);
    create(&mut client(&server, "admin"), "t", 1);
    limit(&server, "controller_mutation_rate", 2.0);
    let mut probes = 0;
    until("the quota is in force", Duration::from_secs(20), || {
        probes += 1;
        let topic = format!("probe-{probes}");
        let told = create_topic(&server, &topic, 5, &topic, 60);
        (!told.ends_with(" 0 halves of a second")).then_some(())
    });
    let mut found = Facts::new();
    let mut tell = |what: &str, told: String| found.push((what.to_owned(), told));
    tell("strict: 30 within the burst", create_topic(&server, "strict", 7, "a", 30));
    tell("strict: one in debt", create_topic(&server, "strict", 7, "b", 1));
    tell("strict: a deletion in debt", delete_topic(&server, "strict", "a"));
    tell("strict: partitions in debt", add_partitions(&server, "strict", 3, 2));
    tell("permissive: 30", create_topic(&server, "permissive", 5, "c", 30));
    tell("permissive: one in debt", create_topic(&server, "permissive", 5, "d", 1));
    tell("another client", add_partitions(&server, "other", 2, 3));
    tell("another client deletes", delete_topic(&server, "other", "c"));
    tell("another client is in debt", delete_topic(&server, "other", "d"));
    for (_, fact) in &mut found {
        *fact = fact.replace(": ", "=");
    }
    facts::check("quotas/mutations-4.3.1", "How partitions hold their maker back.", &found);
}

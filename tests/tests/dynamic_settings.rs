//! Settings that change while the node runs: what they act on, and that they outlive a restart.

use std::time::{Duration, Instant};

use protocol::messages::describe_configs_request::DescribeConfigsResource;
use protocol::messages::incremental_alter_configs_request::{
    AlterConfigsResource, AlterableConfig,
};
use protocol::messages::list_offsets_request::{ListOffsetsPartition, ListOffsetsTopic};
use protocol::messages::{
    BrokerId, DescribeConfigsRequest, IncrementalAlterConfigsRequest, ListOffsetsRequest,
    MetadataRequest,
};
use protocol::wire::StrBytes;
use tests::golden::server_kind;
use tests::records::Batch;
use tests::server::Server;
use tests::topic::{create, name, now_ms, produce};
use tests::wire::{Client, Reply};

const BROKER: i8 = 4;
const SET: i8 = 0;
const DELETE: i8 = 1;
/// Sources of a value, as DescribeConfigs numbers them.
const OF_THE_BROKER: i8 = 2;
const OF_ALL_BROKERS: i8 = 3;
const OF_THE_FILE: i8 = 4;

fn text(text: &str) -> StrBytes {
    StrBytes::from_string(text.to_owned())
}

/// Sets a key of one broker, or of all with the empty name; `None` deletes it. The error code.
fn alter(client: &mut Client, broker: &str, key: &str, value: Option<&str>) -> i16 {
    let config = AlterableConfig::default()
        .with_name(text(key))
        .with_config_operation(if value.is_some() { SET } else { DELETE })
        .with_value(value.map(text));
    let resource = AlterConfigsResource::default()
        .with_resource_type(BROKER)
        .with_resource_name(text(broker))
        .with_configs(vec![config]);
    let request = IncrementalAlterConfigsRequest::default().with_resources(vec![resource]);
    let response = client.call(1, &request).expect("IncrementalAlterConfigs is answered");
    response.responses[0].error_code
}

/// Value and source of a key of broker 1.
fn described(client: &mut Client, key: &str) -> (Option<String>, i8) {
    let resource = DescribeConfigsResource::default()
        .with_resource_type(BROKER)
        .with_resource_name(text("1"))
        .with_configuration_keys(Some(vec![text(key)]));
    let request = DescribeConfigsRequest::default().with_resources(vec![resource]);
    let response = client.call(4, &request).expect("DescribeConfigs is answered");
    let config = &response.results[0].configs[0];
    (config.value.as_ref().map(ToString::to_string), config.config_source)
}

fn log_start(client: &mut Client, topic: &str) -> i64 {
    let partition =
        ListOffsetsPartition { timestamp: -2, current_leader_epoch: -1, ..Default::default() };
    let topic = ListOffsetsTopic { name: name(topic), partitions: vec![partition] };
    let request =
        ListOffsetsRequest { replica_id: BrokerId(-1), topics: vec![topic], ..Default::default() };
    client.call(6, &request).expect("ListOffsets is answered").topics[0].partitions[0].offset
}

fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(20);
    while !holds() {
        assert!(Instant::now() < deadline, "{what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Connects, asks something and waits a little for the answer.
fn asked(server: &Server) -> (Client, Reply) {
    let mut client = Client::connect(&server.address()).expect("the kernel takes the connection");
    client.set_patience(Duration::from_millis(500));
    // A connection that is closed at once may not take the request any more.
    let _ = client.send(1, &MetadataRequest::default());
    let reply = client.reply();
    (client, reply)
}

fn is_answered(reply: &Reply) -> bool {
    matches!(reply, Reply::Answered(_))
}

#[test]
fn a_dynamic_retention_deletes_records_of_topics_without_their_own() {
    let settings = ["log.retention.check.interval.ms=50", "log.initial.task.delay.ms=50"];
    let server = Server::start(server_kind(), &settings.map(String::from));
    let mut client = Client::connect(&server.address()).expect("it accepts");
    create(&mut client, "t", 1);
    let records = Batch::of(&[b"a", b"b"], now_ms()).bytes();
    produce(&mut client, "t", 0, 1, records).expect("produced");
    std::thread::sleep(Duration::from_millis(300));
    assert_eq!(log_start(&mut client, "t"), 0, "a week is not over");
    assert_eq!(alter(&mut client, "", "log.retention.ms", Some("1")), 0);
    until("the records are old now", || log_start(&mut client, "t") == 2);
    assert_eq!(alter(&mut client, "", "log.retention.ms", None), 0);
    let records = Batch::of(&[b"c"], now_ms()).bytes();
    produce(&mut client, "t", 0, 1, records).expect("produced");
    std::thread::sleep(Duration::from_millis(300));
    assert_eq!(log_start(&mut client, "t"), 2, "a week holds again");
}

#[test]
fn the_brokers_own_setting_outranks_that_of_all_and_both_outlive_a_restart() {
    let mut server = Server::start(server_kind(), &["max.connections=500".to_owned()]);
    let mut client = Client::connect(&server.address()).expect("it accepts");
    let key = "max.connections";
    let becomes = |client: &mut Client, value: &str, source| {
        let expected = (Some(value.to_owned()), source);
        until(value, || described(client, key) == expected);
    };
    becomes(&mut client, "500", OF_THE_FILE);
    assert_eq!(alter(&mut client, "", key, Some("300")), 0);
    becomes(&mut client, "300", OF_ALL_BROKERS);
    assert_eq!(alter(&mut client, "1", key, Some("200")), 0);
    becomes(&mut client, "200", OF_THE_BROKER);
    drop(client);
    server.terminate();
    server.start_again();
    let mut client = Client::connect(&server.address()).expect("it accepts");
    becomes(&mut client, "200", OF_THE_BROKER);
    assert_eq!(alter(&mut client, "1", key, None), 0);
    becomes(&mut client, "300", OF_ALL_BROKERS);
    assert_eq!(alter(&mut client, "", key, None), 0);
    becomes(&mut client, "500", OF_THE_FILE);
}

#[test]
fn a_connection_too_many_from_one_address_is_closed_until_the_limit_is_raised() {
    let server = Server::start(server_kind(), &[]);
    let mut admin = Client::connect(&server.address()).expect("it accepts");
    assert_eq!(alter(&mut admin, "", "max.connections.per.ip", Some("2")), 0);
    until("earlier connections are gone", || is_answered(&asked(&server).1));
    until("their places are free", || {
        let (_second, reply) = asked(&server);
        is_answered(&reply) && asked(&server).1 == Reply::Closed
    });
    assert_eq!(alter(&mut admin, "", "max.connections.per.ip.overrides", Some("127.0.0.1:3")), 0);
    until("the address has a limit of its own", || {
        let (_second, reply) = asked(&server);
        is_answered(&reply) && is_answered(&asked(&server).1)
    });
}

#[test]
fn a_connection_for_which_there_is_no_place_waits_for_one() {
    let server = Server::start(server_kind(), &[]);
    let mut admin = Client::connect(&server.address()).expect("it accepts");
    assert_eq!(alter(&mut admin, "", "max.connections", Some("2")), 0);
    let mut second = None;
    until("earlier connections are gone", || {
        let (client, reply) = asked(&server);
        second = is_answered(&reply).then_some(client);
        second.is_some()
    });
    let mut third = None;
    until("there is no place", || {
        let (client, reply) = asked(&server);
        third = (reply == Reply::Silent).then_some(client);
        third.is_some()
    });
    let mut third = third.expect("it waits");
    drop(second);
    third.set_patience(Duration::from_secs(10));
    assert!(is_answered(&third.reply()), "the place is free");
}

#[test]
fn what_cannot_change_is_refused() {
    let server = Server::start(server_kind(), &[]);
    let mut client = Client::connect(&server.address()).expect("it accepts");
    const INVALID_REQUEST: i16 = 42;
    for (broker, key, value) in [
        ("1", "num.partitions", "3"),
        ("1", "max.connections", "many"),
        ("1", "max.connections.per.ip", "-1"),
        ("", "listeners", "PLAINTEXT://localhost:1"),
    ] {
        let code = alter(&mut client, broker, key, Some(value));
        assert_eq!(code, INVALID_REQUEST, "{key}={value}");
    }
}

#[test]
fn listeners_do_not_change_while_the_node_runs() {
    let server = Server::start(tests::server::Kind::Gregor, &[]);
    let mut client = Client::connect(&server.address()).expect("it accepts");
    let (listeners, source) = described(&mut client, "listeners");
    let more = format!("{},MORE://localhost:1", listeners.clone().unwrap_or_default());
    let map = "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,MORE:PLAINTEXT";
    assert_eq!(alter(&mut client, "1", "listener.security.protocol.map", Some(map)), 0);
    assert_eq!(alter(&mut client, "1", "listeners", Some(&more)), 42);
    assert_eq!(described(&mut client, "listeners"), (listeners, source));
}

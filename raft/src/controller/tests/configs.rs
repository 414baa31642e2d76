//! What may be set on resources, how, and what follows from it.

use protocol::messages::alter_configs_request as legacy;
use protocol::messages::incremental_alter_configs_request::{
    AlterConfigsResource, AlterableConfig,
};
use protocol::messages::{AlterConfigsRequest, IncrementalAlterConfigsRequest};

use super::topics::create_plain;
use super::*;

const TOPIC: i8 = 2;
const BROKER: i8 = 4;
const SET: i8 = 0;
const DELETE: i8 = 1;
const APPEND: i8 = 2;
const SUBTRACT: i8 = 3;

fn alter(
    world: &mut World,
    resource_type: i8,
    resource: &str,
    key: &str,
    operation: i8,
    value: Option<&str>,
) -> (i16, Option<String>) {
    let config = AlterableConfig::default()
        .with_name(text(key))
        .with_config_operation(operation)
        .with_value(value.map(text));
    let resource = AlterConfigsResource::default()
        .with_resource_type(resource_type)
        .with_resource_name(text(resource))
        .with_configs(vec![config]);
    let request = IncrementalAlterConfigsRequest::default().with_resources(vec![resource]);
    let result = world.controller.incremental_alter_configs(&request, true);
    let response = world.apply(result);
    let answer = &response.responses[0];
    (answer.error_code, answer.error_message.as_ref().map(|said| said.to_string()))
}

fn value(world: &World, topic: &str, key: &str) -> Option<String> {
    let values = world.image().configs();
    values.value(&ConfigResource::topic(topic), key).map(|value| value.to_string())
}

#[test]
fn single_keys_are_set_deleted_appended_and_subtracted() {
    let mut world = World::with_brokers(1);
    create_plain(&mut world, "t", 1);
    let steps = [
        ("retention.ms", SET, Some("5"), Some("5")),
        ("retention.ms", DELETE, None, None),
        ("cleanup.policy", APPEND, Some("compact"), Some("delete,compact")),
        ("cleanup.policy", APPEND, Some("compact,delete"), Some("delete,compact")),
        ("cleanup.policy", SUBTRACT, Some("delete"), Some("compact")),
    ];
    for (key, operation, operand, wanted) in steps {
        assert_eq!(alter(&mut world, TOPIC, "t", key, operation, operand), (0, None));
        assert_eq!(value(&world, "t", key).as_deref(), wanted);
    }
}

#[test]
fn what_cannot_be_altered_is_refused_with_kafkas_words() {
    let mut world = World::with_brokers(1);
    create_plain(&mut world, "t", 1);
    let before = world.image().clone();
    let long = "x".repeat(32_768);
    for (resource_type, resource, key, operation, operand, code, message) in [
        (
            TOPIC,
            "t",
            "retention.ms",
            APPEND,
            Some("1"),
            40,
            "Can't APPEND to key retention.ms because its type is not LIST.",
        ),
        (TOPIC, "t", "retention.ms", SET, Some("soon"), 40, "Invalid value soon for configuration"),
        (TOPIC, "gone", "retention.ms", SET, Some("1"), 3, "The topic 'gone' does not exist."),
        (BROKER, "9", "log.cleaner.threads", SET, Some("2"), 102, "No node with id 9 found."),
        (BROKER, "one", "log.cleaner.threads", SET, Some("2"), 42, "Invalid broker name one"),
        (99, "t", "retention.ms", SET, Some("1"), 35, "Unknown resource type 99."),
        (
            BROKER,
            "1",
            "min.insync.replicas",
            SET,
            Some("2"),
            40,
            "Broker-level min.insync.replicas cannot be altered while ELR is enabled.",
        ),
        (
            BROKER,
            "",
            "min.insync.replicas",
            DELETE,
            None,
            40,
            "Cluster-level min.insync.replicas cannot be removed while ELR is enabled.",
        ),
        (
            TOPIC,
            "t",
            "x",
            SET,
            Some(&long),
            40,
            "The configuration value cannot be added because it exceeds the maximum value size of \
             32767 bytes.",
        ),
    ] {
        let answer = alter(&mut world, resource_type, resource, key, operation, operand);
        assert_eq!(answer, (code, Some(message.to_owned())));
    }
    assert_eq!(*world.image(), before);
}

#[test]
fn who_asks_the_controller_itself_may_only_take_directories_off_the_cordoned() {
    let mut world = World::with_brokers(1);
    let mut set = |value: Option<&str>, forwarded: bool| {
        let (operation, value) = (if value.is_some() { SET } else { DELETE }, value.map(text));
        let config = AlterableConfig::default()
            .with_name(text("cordoned.log.dirs"))
            .with_config_operation(operation)
            .with_value(value);
        let resource = AlterConfigsResource::default()
            .with_resource_type(BROKER)
            .with_resource_name(text("1"))
            .with_configs(vec![config]);
        let request = IncrementalAlterConfigsRequest::default().with_resources(vec![resource]);
        let result = world.controller.incremental_alter_configs(&request, forwarded);
        world.apply(result).responses[0].error_code
    };
    assert_eq!(set(Some("/a"), false), 40);
    assert_eq!(set(Some("/a, /b"), true), 0);
    assert_eq!(set(Some("/b,/c"), false), 40);
    assert_eq!(set(Some("/b"), false), 0);
    assert_eq!(set(Some(""), false), 0);
    assert_eq!(set(None, false), 0);
}

#[test]
fn another_min_insync_replicas_clears_the_eligible_replicas() {
    let mut world = World::with_brokers(1);
    create_plain(&mut world, "t", 1);
    create_plain(&mut world, "u", 1);
    let leaving = BrokerHeartbeatRequest { want_shut_down: true, ..world.heartbeat(1) };
    world.send(&leaving, 0);
    assert_eq!(world.partition("t", 0).elr, [1]);
    alter(&mut world, TOPIC, "t", "min.insync.replicas", SET, Some("2"));
    assert_eq!(world.partition("t", 0).elr, [0_i32; 0]);
    assert_eq!(world.partition("u", 0).elr, [1]);
    alter(&mut world, BROKER, "", "min.insync.replicas", SET, Some("2"));
    assert_eq!(world.partition("u", 0).elr, [0_i32; 0]);
}

#[test]
fn a_resource_named_twice_is_refused_and_validate_only_writes_nothing() {
    let mut world = World::with_brokers(1);
    create_plain(&mut world, "t", 1);
    let config =
        AlterableConfig::default().with_name(text("retention.ms")).with_value(Some(text("5")));
    let resource = AlterConfigsResource::default()
        .with_resource_type(TOPIC)
        .with_resource_name(text("t"))
        .with_configs(vec![config]);
    let twice = IncrementalAlterConfigsRequest::default()
        .with_resources(vec![resource.clone(), resource.clone()]);
    let result = world.controller.incremental_alter_configs(&twice, true);
    assert_eq!((result.records.len(), result.response.responses.len()), (0, 1));
    assert_eq!(result.response.responses[0].error_code, 42);
    let only = IncrementalAlterConfigsRequest::default()
        .with_resources(vec![resource])
        .with_validate_only(true);
    let result = world.controller.incremental_alter_configs(&only, true);
    assert_eq!((result.records.len(), result.response.responses[0].error_code), (0, 0));
}

#[test]
fn the_old_request_replaces_everything() {
    let mut world = World::with_brokers(1);
    create_plain(&mut world, "t", 1);
    alter(&mut world, TOPIC, "t", "retention.ms", SET, Some("5"));
    alter(&mut world, TOPIC, "t", "segment.ms", SET, Some("6"));
    let config = legacy::AlterableConfig::default()
        .with_name(text("retention.ms"))
        .with_value(Some(text("7")));
    let resource = legacy::AlterConfigsResource::default()
        .with_resource_type(TOPIC)
        .with_resource_name(text("t"))
        .with_configs(vec![config]);
    let request = AlterConfigsRequest::default().with_resources(vec![resource]);
    let result = world.controller.alter_configs(&request, true);
    assert_eq!(world.apply(result).responses[0].error_code, 0);
    assert_eq!(value(&world, "t", "retention.ms").as_deref(), Some("7"));
    assert_eq!(value(&world, "t", "segment.ms"), None);
}

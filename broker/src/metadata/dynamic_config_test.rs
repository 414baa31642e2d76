//! Which dynamic changes the controller takes, and in which words it refuses the others.

use super::*;

fn node() -> BrokerConfig {
    BrokerConfig::zero_configuration().unwrap().0
}

fn values(pairs: &[(&str, &str)]) -> ConfigValues {
    pairs.iter().map(|(name, value)| (text(*name), text(*value))).collect()
}

fn checked(resource_type: ResourceType, name: &str, pairs: &[(&str, &str)]) -> (i16, String) {
    let resource = ConfigResource::new(resource_type, name.to_owned());
    match ConfigTables::new(node()).check(&resource, &values(pairs), &ConfigValues::new()) {
        Ok(()) => (0, String::new()),
        Err(error) => (error.code(), error.message.unwrap_or_default()),
    }
}

#[test]
fn the_controller_refuses_what_kafkas_refuses() {
    use ResourceType::{Broker, ClientMetrics, Group, Topic};
    for (kind, name, settings, code, message) in [
        (Topic, "t", &[("retention.ms", "1")][..], 0, ""),
        (Topic, "", &[], 42, "Default topic resources are not allowed."),
        (Topic, ".", &[], 17, "Topic name is invalid: '.' is not allowed"),
        (Topic, "t", &[("colour", "red")], 40, "Unknown topic config name: colour"),
        (
            Topic,
            "t",
            &[("retention.ms", "long")],
            40,
            "Invalid value long for configuration retention.ms: Not a number of type LONG",
        ),
        (Broker, "", &[("anything", "goes")], 0, ""),
        (Broker, "7", &[], 0, ""),
        (Broker, "seven", &[], 42, "Unable to parse broker name as a base 10 number."),
        (Broker, "-7", &[], 42, "Invalid negative broker ID."),
        (ClientMetrics, "s", &[("interval.ms", "1000")], 0, ""),
        (ClientMetrics, "", &[], 42, "Subscription name can't be empty"),
        (
            ClientMetrics,
            "s",
            &[("interval.ms", "10")],
            42,
            "Invalid value 10 for interval.ms, interval must be between 100 and 3600000 (1 hour)",
        ),
        (ClientMetrics, "s", &[("x", "1")], 42, "Unknown client metrics configuration: x"),
        (ClientMetrics, "s", &[("match", "x")], 40, "Illegal client matching pattern: x"),
        (Group, "g", &[("consumer.session.timeout.ms", "50000")], 0, ""),
        (Group, "", &[], 42, "Default group resources are not allowed."),
        (Group, "g", &[("x", "1")], 40, "Unknown group config name: x"),
    ] {
        assert_eq!(checked(kind, name, settings), (code, message.to_owned()), "{kind:?} {name}");
    }
}

#[test]
fn lists_and_defaults_come_from_the_tables() {
    let rules = ConfigTables::new(node());
    assert!(rules.is_list(ResourceType::Topic, "cleanup.policy"));
    assert!(!rules.is_list(ResourceType::Topic, "retention.ms"));
    assert!(!rules.is_list(ResourceType::Topic, "no.such.key"));
    assert_eq!(
        rules.default_value(ResourceType::Topic, "cleanup.policy").as_deref(),
        Some("delete")
    );
    assert_eq!(rules.default_value(ResourceType::Topic, "no.such.key"), None);
}

#[test]
fn a_new_topics_settings_are_told_with_their_source() {
    let effective = ConfigTables::new(node()).effective_topic_configs(
        &values(&[("log.retention.ms", "5000")]),
        &values(&[("log.segment.bytes", "2097152")]),
        &values(&[("max.message.bytes", "77")]),
    );
    let of = |name: &str| {
        let found = effective.iter().find(|each| each.name.as_str() == name).unwrap();
        (found.value.as_deref().unwrap_or("").to_owned(), found.source)
    };
    assert_eq!(of("max.message.bytes"), ("77".to_owned(), 1));
    assert_eq!(of("segment.bytes"), ("2097152".to_owned(), 2));
    assert_eq!(of("retention.ms"), ("5000".to_owned(), 3));
    assert_eq!(of("cleanup.policy"), ("delete".to_owned(), 5));
}

fn change(name: &str, operation: i8, value: &str) -> AlterableConfig {
    AlterableConfig::default()
        .with_name(text(name))
        .with_config_operation(operation)
        .with_value(Some(text(value)))
}

#[test]
fn a_broker_refuses_settings_that_it_could_not_obey() {
    let node = node();
    for (name, operation, value, own, code) in [
        ("log.retention.ms", operation::SET, "5000", false, 0),
        ("log.retention.ms", operation::SET, "soon", false, 42),
        ("log.dirs", operation::SET, "/elsewhere", true, 42),
        ("log.cleanup.policy", operation::APPEND, "compact", false, 0),
        ("log.retention.ms", operation::APPEND, "1", false, 40),
        ("log.retention.ms", operation::DELETE, "", false, 0),
        ("no.such.list", operation::SUBTRACT, "a", false, -1),
        ("log.retention.ms", 9, "1", false, 42),
        ("metric.reporters", operation::APPEND, "x.Y", true, 0),
    ] {
        let checked = check_broker_change(
            &DynamicBrokerConfig::new(node.clone()),
            &[change(name, operation, value)],
            own,
        );
        let found = checked.err().map_or(0, |error| error.code());
        assert_eq!(found, code, "{name} {operation} {value}");
    }
}

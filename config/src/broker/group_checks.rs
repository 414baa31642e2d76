//! How the settings of consumer groups must stand to each other. Answers to the checks of
//! `GroupCoordinatorConfig`, in its words.

use super::BrokerConfig;
use crate::ConfigError;

const HEARTBEAT: &str = "group.consumer.heartbeat.interval.ms";
const MIN_HEARTBEAT: &str = "group.consumer.min.heartbeat.interval.ms";
const MAX_HEARTBEAT: &str = "group.consumer.max.heartbeat.interval.ms";
const SESSION: &str = "group.consumer.session.timeout.ms";
const MIN_SESSION: &str = "group.consumer.min.session.timeout.ms";
const MAX_SESSION: &str = "group.consumer.max.session.timeout.ms";

const ASSIGNORS: &str = "group.consumer.assignors";
/// Kafka's own, by name and by class; others are classes that no JVM is here to load.
const KNOWN_ASSIGNORS: [&str; 4] = [
    "uniform",
    "range",
    "org.apache.kafka.coordinator.group.assignor.UniformAssignor",
    "org.apache.kafka.coordinator.group.assignor.RangeAssignor",
];

pub(super) fn check_consumer_groups(config: &BrokerConfig) -> Result<(), ConfigError> {
    let mut assignors = config.group_consumer_assignors.iter();
    if let Some(unknown) = assignors.find(|name| !KNOWN_ASSIGNORS.contains(&name.as_str())) {
        return require(false, ASSIGNORS, || {
            format!("{unknown} is not supported as an assignor; {ASSIGNORS} has uniform and range")
        });
    }
    let heartbeat = (HEARTBEAT, config.group_consumer_heartbeat_interval_ms);
    let min_heartbeat = (MIN_HEARTBEAT, config.group_consumer_min_heartbeat_interval_ms);
    let max_heartbeat = (MAX_HEARTBEAT, config.group_consumer_max_heartbeat_interval_ms);
    let session = (SESSION, config.group_consumer_session_timeout_ms);
    let min_session = (MIN_SESSION, config.group_consumer_min_session_timeout_ms);
    let max_session = (MAX_SESSION, config.group_consumer_max_session_timeout_ms);
    at_least(max_heartbeat, min_heartbeat)?;
    at_least(heartbeat, min_heartbeat)?;
    at_most(heartbeat, max_heartbeat)?;
    at_least(max_session, min_session)?;
    at_least(session, min_session)?;
    at_most(session, max_session)?;
    let message = || format!("{HEARTBEAT} must be less than {SESSION}");
    require(heartbeat.1 < session.1, HEARTBEAT, message)
}

fn require(
    holds: bool,
    key: &'static str,
    message: impl FnOnce() -> String,
) -> Result<(), ConfigError> {
    if holds {
        return Ok(());
    }
    Err(ConfigError::Requirement { names: vec![key], message: message() })
}

fn at_least(
    (key, value): (&'static str, i32),
    (least, bound): (&str, i32),
) -> Result<(), ConfigError> {
    require(value >= bound, key, || format!("{key} must be greater than or equal to {least}"))
}

fn at_most(
    (key, value): (&'static str, i32),
    (most, bound): (&str, i32),
) -> Result<(), ConfigError> {
    require(value <= bound, key, || format!("{key} must be less than or equal to {most}"))
}

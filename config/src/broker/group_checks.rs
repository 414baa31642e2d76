//! How the settings of groups must stand to each other. Answers to the checks of
//! `GroupCoordinatorConfig` and `ShareGroupConfig`, in their words and order.

use super::BrokerConfig;
use crate::keys::Table;
use crate::{ConfigError, Values};

const CONSUMER_ASSIGNORS: &str = "group.consumer.assignors";
/// Kafka's own, by name and by class; others are classes that no JVM is here to load.
const KNOWN_ASSIGNORS: [&str; 4] = [
    "uniform",
    "range",
    "org.apache.kafka.coordinator.group.assignor.UniformAssignor",
    "org.apache.kafka.coordinator.group.assignor.RangeAssignor",
];

const SHARE_ASSIGNORS: &str = "group.share.assignors";
const KNOWN_SHARE_ASSIGNORS: [&str; 2] =
    ["simple", "org.apache.kafka.coordinator.group.assignor.SimpleAssignor"];

/// Limits of share groups that lie between two others.
const SHARE_LIMITS: [(&str, &str, &str); 3] = [
    (
        "group.share.min.delivery.count.limit",
        "group.share.delivery.count.limit",
        "group.share.max.delivery.count.limit",
    ),
    (
        "group.share.min.partition.max.record.locks",
        "group.share.partition.max.record.locks",
        "group.share.max.partition.max.record.locks",
    ),
    (
        "group.share.min.record.lock.duration.ms",
        "group.share.record.lock.duration.ms",
        "group.share.max.record.lock.duration.ms",
    ),
];

pub(super) fn check_groups(config: &BrokerConfig) -> Result<(), ConfigError> {
    let values = config.values();
    known(values, CONSUMER_ASSIGNORS, &KNOWN_ASSIGNORS, "uniform and range")?;
    known(values, SHARE_ASSIGNORS, &KNOWN_SHARE_ASSIGNORS, "simple")?;
    check_kind(values, "consumer")?;
    check_kind(values, "share")?;
    let assignors: Vec<String> = values.typed(SHARE_ASSIGNORS)?;
    let found = assignors.len();
    require(found == 1, SHARE_ASSIGNORS, || {
        format!("{SHARE_ASSIGNORS} must contain exactly one assignor, but found {found}")
    })?;
    check_kind(values, "streams")?;
    at_most(values, "group.streams.num.standby.replicas", "group.streams.max.standby.replicas")?;
    for (least, key, most) in SHARE_LIMITS {
        at_least(values, most, key)?;
        at_least(values, key, least)?;
    }
    at_least(values, "group.share.max.share.sessions", "group.share.max.size")
}

fn known(
    values: &Values,
    key: &'static str,
    known: &[&str],
    names: &str,
) -> Result<(), ConfigError> {
    let assignors: Vec<String> = values.typed(key)?;
    match assignors.iter().find(|name| !known.contains(&name.as_str())) {
        None => Ok(()),
        Some(unknown) => require(false, key, || {
            format!("{unknown} is not supported as an assignor; {key} has {names}")
        }),
    }
}

/// Heartbeats, session timeouts and times between assignments of one kind of group.
fn check_kind(values: &Values, kind: &str) -> Result<(), ConfigError> {
    for of in ["heartbeat.interval.ms", "session.timeout.ms", "assignment.interval.ms"] {
        let key = format!("group.{kind}.{of}");
        let least = format!("group.{kind}.min.{of}");
        let most = format!("group.{kind}.max.{of}");
        if of == "assignment.interval.ms" {
            let heartbeat = format!("group.{kind}.heartbeat.interval.ms");
            let session = format!("group.{kind}.session.timeout.ms");
            let holds = number(values, &heartbeat)? < number(values, &session)?;
            require(holds, &heartbeat, || format!("{heartbeat} must be less than {session}"))?;
        }
        at_least(values, &most, &least)?;
        at_least(values, &key, &least)?;
        at_most(values, &key, &most)?;
    }
    Ok(())
}

fn number(values: &Values, key: &str) -> Result<i32, ConfigError> {
    values.typed(key)
}

fn require(holds: bool, key: &str, message: impl FnOnce() -> String) -> Result<(), ConfigError> {
    if holds {
        return Ok(());
    }
    let names: Vec<_> = Table::Broker.key(key).map(|key| key.name).into_iter().collect();
    Err(ConfigError::conflict(&names, message()))
}

fn at_least(values: &Values, key: &str, least: &str) -> Result<(), ConfigError> {
    let holds = number(values, key)? >= number(values, least)?;
    require(holds, key, || format!("{key} must be greater than or equal to {least}"))
}

fn at_most(values: &Values, key: &str, most: &str) -> Result<(), ConfigError> {
    let holds = number(values, key)? <= number(values, most)?;
    require(holds, key, || format!("{key} must be less than or equal to {most}"))
}

//! The configuration of one group: what it sets for itself over the defaults of its broker.
//!
//! Answers to GroupConfig. Keys of groups that do not exist here yet can be stored and described
//! all the same.

use crate::keys::{Table, iso_duration_ms};
use crate::{BrokerConfig, ConfigError, Properties, Value, Values};

/// Group keys whose default is a key of the broker.
const BROKER_DEFAULTS: &[(&str, &str)] = &[
    ("consumer.session.timeout.ms", "group.consumer.session.timeout.ms"),
    ("consumer.heartbeat.interval.ms", "group.consumer.heartbeat.interval.ms"),
    ("consumer.assignment.interval.ms", "group.consumer.assignment.interval.ms"),
    ("share.session.timeout.ms", "group.share.session.timeout.ms"),
    ("share.heartbeat.interval.ms", "group.share.heartbeat.interval.ms"),
    ("share.record.lock.duration.ms", "group.share.record.lock.duration.ms"),
    ("share.delivery.count.limit", "group.share.delivery.count.limit"),
    ("share.partition.max.record.locks", "group.share.partition.max.record.locks"),
    ("share.assignment.interval.ms", "group.share.assignment.interval.ms"),
    ("streams.session.timeout.ms", "group.streams.session.timeout.ms"),
    ("streams.heartbeat.interval.ms", "group.streams.heartbeat.interval.ms"),
    ("streams.num.standby.replicas", "group.streams.num.standby.replicas"),
    ("streams.initial.rebalance.delay.ms", "group.streams.initial.rebalance.delay.ms"),
    ("streams.assignment.interval.ms", "group.streams.assignment.interval.ms"),
];

/// The broker key that gives the default of a group key, if one does.
pub(crate) fn broker_key(name: &str) -> Option<&'static str> {
    BROKER_DEFAULTS.iter().find(|(key, _)| *key == name).map(|(_, broker_key)| *broker_key)
}

/// Group keys that must lie between two keys of the broker, either end included.
const BOUNDS: &[(&str, Option<&str>, &str)] = &[
    (
        "consumer.heartbeat.interval.ms",
        Some("group.consumer.min.heartbeat.interval.ms"),
        "group.consumer.max.heartbeat.interval.ms",
    ),
    (
        "consumer.session.timeout.ms",
        Some("group.consumer.min.session.timeout.ms"),
        "group.consumer.max.session.timeout.ms",
    ),
    (
        "consumer.assignment.interval.ms",
        Some("group.consumer.min.assignment.interval.ms"),
        "group.consumer.max.assignment.interval.ms",
    ),
    (
        "share.heartbeat.interval.ms",
        Some("group.share.min.heartbeat.interval.ms"),
        "group.share.max.heartbeat.interval.ms",
    ),
    (
        "share.session.timeout.ms",
        Some("group.share.min.session.timeout.ms"),
        "group.share.max.session.timeout.ms",
    ),
    (
        "share.record.lock.duration.ms",
        Some("group.share.min.record.lock.duration.ms"),
        "group.share.max.record.lock.duration.ms",
    ),
    (
        "share.delivery.count.limit",
        Some("group.share.min.delivery.count.limit"),
        "group.share.max.delivery.count.limit",
    ),
    (
        "share.partition.max.record.locks",
        Some("group.share.min.partition.max.record.locks"),
        "group.share.max.partition.max.record.locks",
    ),
    (
        "share.assignment.interval.ms",
        Some("group.share.min.assignment.interval.ms"),
        "group.share.max.assignment.interval.ms",
    ),
    (
        "streams.heartbeat.interval.ms",
        Some("group.streams.min.heartbeat.interval.ms"),
        "group.streams.max.heartbeat.interval.ms",
    ),
    (
        "streams.session.timeout.ms",
        Some("group.streams.min.session.timeout.ms"),
        "group.streams.max.session.timeout.ms",
    ),
    ("streams.num.standby.replicas", None, "group.streams.max.standby.replicas"),
    (
        "streams.assignment.interval.ms",
        Some("group.streams.min.assignment.interval.ms"),
        "group.streams.max.assignment.interval.ms",
    ),
];

/// Where a share group begins to read a partition (share.auto.offset.reset).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ShareOffsetReset {
    Earliest,
    Latest,
    /// So many milliseconds before now.
    ByDuration(i64),
}

impl ShareOffsetReset {
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        match text.split_once(':') {
            None if text == "earliest" => Some(Self::Earliest),
            None if text == "latest" => Some(Self::Latest),
            Some(("by_duration", duration)) => iso_duration_ms(duration).map(Self::ByDuration),
            _ => None,
        }
    }
}

/// Checks all settings that a group would have.
pub fn validate_all(broker: &BrokerConfig, own: &Properties) -> Result<(), ConfigError> {
    if let Some((name, _)) = own.iter().find(|(name, _)| Table::Group.key(name).is_none()) {
        return Err(ConfigError::UnknownName { resource: "group", name: name.to_owned() });
    }
    Values::read(Table::Group, own)?;
    let values = effective_values(broker, own);
    for (name, least, most) in BOUNDS {
        let value: i32 = values.typed(name)?;
        if let Some(least) =
            least.filter(|least| broker.values().typed(least).is_ok_and(|l: i32| value < l))
        {
            return Err(conflict(name, &format!("must be greater than or equal to {least}")));
        }
        if broker.values().typed(most).is_ok_and(|most: i32| value > most) {
            return Err(conflict(name, &format!("must be less than or equal to {most}")));
        }
    }
    for kind in ["consumer", "share", "streams"] {
        let (session, heartbeat) =
            (format!("{kind}.session.timeout.ms"), format!("{kind}.heartbeat.interval.ms"));
        if values.typed::<i32>(&session)? <= values.typed::<i32>(&heartbeat)? {
            return Err(conflict(&session, &format!("must be greater than {heartbeat}")));
        }
    }
    Ok(())
}

fn conflict(name: &str, rule: &str) -> ConfigError {
    let names: Vec<_> = Table::Group.key(name).map(|key| key.name).into_iter().collect();
    ConfigError::conflict(&names, format!("{name} {rule}"))
}

/// The value of every group key: own settings that can be read, else the broker's defaults.
pub(crate) fn effective_values(broker: &BrokerConfig, own: &Properties) -> Values {
    let mut values = Values::defaults(Table::Group);
    for (name, broker_key) in BROKER_DEFAULTS {
        if let Some(value) = broker.values().get(broker_key) {
            values.set(name, value.clone());
        }
    }
    for (name, text) in own.iter() {
        let Some(key) = Table::Group.key(name) else {
            continue;
        };
        values.set(key.name, key.parse(text).unwrap_or(Value::Null));
    }
    values
}

#[cfg(test)]
mod tests {
    use super::ShareOffsetReset::{ByDuration, Earliest, Latest};
    use super::*;

    #[test]
    fn a_share_group_begins_at_an_end_or_some_time_ago() {
        for (text, reset) in [
            ("earliest", Some(Earliest)),
            ("latest", Some(Latest)),
            ("by_duration:P1DT2H3M4.5S", Some(ByDuration(93_784_500))),
            ("by_duration:PT10M", Some(ByDuration(600_000))),
            ("by_duration:PT", None),
            ("by_duration:P1H", None),
            ("by_duration:-PT1H", None),
            ("sometime", None),
        ] {
            assert_eq!(ShareOffsetReset::parse(text), reset, "{text}");
        }
    }
}

//! What a share consumer is configured with: the keys of a consumer but for those that its group
//! decides about, and how records are acknowledged.
//!
//! Pure. Answers to `ShareConsumerConfig` (4.3.1).

use crate::consumer::{ConsumerSettings, ConsumerSettingsError, GroupProtocol};

/// A share consumer's configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShareConsumerSettings {
    pub consumer: ConsumerSettings,
    /// share.acknowledgement.mode=explicit: the application speaks of every record.
    pub is_explicit: bool,
}

impl Default for ShareConsumerSettings {
    fn default() -> Self {
        let consumer =
            ConsumerSettings { protocol: GroupProtocol::Share, ..ConsumerSettings::default() };
        Self { consumer, is_explicit: false }
    }
}

/// What is wrong with a share consumer's configuration, in the words of Kafka's `ConfigException`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ShareConsumerSettingsError {
    #[error("{0}")]
    Consumer(#[from] ConsumerSettingsError),
    #[error("{0} cannot be set when using a share group.")]
    OfOtherGroups(String),
    #[error(
        "Invalid value {value} for configuration {name}: Invalid value `{value}` for configuration \
         {name}. The value must either be {values}."
    )]
    Value { name: &'static str, value: String, values: &'static str },
    #[error("share.acquire.mode=record_limit cannot be used: this client asks for whole batches")]
    RecordLimit,
}

/// In the order in which Kafka names them.
const OF_OTHER_GROUPS: [&str; 10] = [
    "auto.offset.reset",
    "enable.auto.commit",
    "group.instance.id",
    "isolation.level",
    "partition.assignment.strategy",
    "interceptor.classes",
    "session.timeout.ms",
    "heartbeat.interval.ms",
    "group.protocol",
    "group.remote.assignor",
];

impl ShareConsumerSettings {
    /// Reads keys and values as a share consumer's properties hold them.
    pub fn from_properties<'a>(
        properties: impl IntoIterator<Item = (&'a str, &'a str)>,
    ) -> Result<Self, ShareConsumerSettingsError> {
        let properties: Vec<(&str, &str)> = properties.into_iter().collect();
        let is_given = |name: &&str| properties.iter().any(|(given, _)| given == name);
        let refused: Vec<&str> = OF_OTHER_GROUPS.into_iter().filter(is_given).collect();
        let mut is_explicit = false;
        for &(name, value) in &properties {
            match name {
                "share.acknowledgement.mode" => is_explicit = is_explicit_mode(value)?,
                "share.acquire.mode" => check_acquire_mode(value)?,
                _ => {}
            }
        }
        if !refused.is_empty() {
            return Err(ShareConsumerSettingsError::OfOtherGroups(refused.join(", ")));
        }
        let mut consumer = ConsumerSettings::from_properties(properties)?;
        consumer.protocol = GroupProtocol::Share;
        let group = consumer.group_id.as_deref().unwrap_or("null");
        consumer.cluster.log_prefix =
            format!("[ShareConsumer clientId={}, groupId={group}] ", consumer.cluster.client_id);
        Ok(Self { consumer, is_explicit })
    }
}

fn is_explicit_mode(value: &str) -> Result<bool, ShareConsumerSettingsError> {
    match value {
        "implicit" => Ok(false),
        "explicit" => Ok(true),
        _ => Err(ShareConsumerSettingsError::Value {
            name: "share.acknowledgement.mode",
            value: value.to_owned(),
            values: "'implicit' or 'explicit'",
        }),
    }
}

fn check_acquire_mode(value: &str) -> Result<(), ShareConsumerSettingsError> {
    match value.to_ascii_lowercase().as_str() {
        "batch_optimized" => Ok(()),
        "record_limit" => Err(ShareConsumerSettingsError::RecordLimit),
        _ => Err(ShareConsumerSettingsError::Value {
            name: "share.acquire.mode",
            value: value.to_owned(),
            values: "'batch_optimized' or 'record_limit'",
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_consumers_keys_are_read_and_those_of_other_groups_are_refused() {
        let given = [
            ("group.id", "g"),
            ("max.poll.records", "7"),
            ("share.acknowledgement.mode", "explicit"),
            ("share.acquire.mode", "Batch_Optimized"),
        ];
        let settings = ShareConsumerSettings::from_properties(given).unwrap();
        assert!(settings.is_explicit);
        assert_eq!(settings.consumer.max_poll_records, 7);
        assert_eq!(settings.consumer.protocol, GroupProtocol::Share);
        let prefix = "[ShareConsumer clientId=consumer-g-1, groupId=g] ";
        assert_eq!(settings.consumer.cluster.log_prefix, prefix);
    }

    #[test]
    fn what_is_wrong_has_kafkas_words() {
        let table = [
            (
                &[("isolation.level", "x"), ("auto.offset.reset", "earliest")][..],
                "auto.offset.reset, isolation.level cannot be set when using a share group.",
            ),
            (
                &[("share.acknowledgement.mode", "Explicit")],
                "Invalid value Explicit for configuration share.acknowledgement.mode: Invalid \
                 value `Explicit` for configuration share.acknowledgement.mode. The value must \
                 either be 'implicit' or 'explicit'.",
            ),
            (
                &[("max.poll.records", "0")],
                "Invalid value 0 for configuration max.poll.records: Value must be at least 1",
            ),
        ];
        for (given, words) in table {
            let refused = ShareConsumerSettings::from_properties(given.iter().copied());
            assert_eq!(refused.unwrap_err().to_string(), words);
        }
    }
}

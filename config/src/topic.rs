//! The configuration of one topic, typed: `TopicConfig`, and what a topic may be set to.
//!
//! A topic's own settings win over the broker's defaults, whose keys have other names and sometimes
//! other units (`synonyms`). What is stored was checked when it was set; should it no longer be
//! allowed, the default counts rather than that a log cannot be opened.
//!
//! Answers to LogConfig and KafkaConfig.extractLogConfigMap.

use std::collections::BTreeMap;

use crate::keys::{Key, Table};
use crate::synonyms::{TOPIC_SYNONYMS, Unit};
use crate::{BrokerConfig, ConfigError, Properties, Value, Values};

/// What becomes of old records. Neither: nothing at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CleanupPolicy {
    pub delete: bool,
    pub compact: bool,
}

/// The codec that batches of a topic are stored with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CompressionType {
    /// As the producer sent them.
    Producer,
    Uncompressed,
    Gzip,
    Snappy,
    Lz4,
    Zstd,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TimestampType {
    CreateTime,
    LogAppendTime,
}

macro_rules! topic_config {
    ($($key:literal => $plain:ident: $plain_type:ty,)* ;
     $($(#[$note:meta])* $derived:ident: $derived_type:ty = $make:expr,)*) => {
        /// The configuration of one topic: its own settings over the defaults of its broker.
        #[derive(Debug, Clone, PartialEq)]
        #[non_exhaustive]
        pub struct TopicConfig {
            $(pub $plain: $plain_type,)*
            $($(#[$note])* pub $derived: $derived_type,)*
        }

        /// The name of every field.
        pub const FIELDS: &[&str] = &[$(stringify!($plain),)* $(stringify!($derived),)*];

        impl TopicConfig {
            fn from_values(values: &Values) -> Result<Self, ConfigError> {
                Ok(Self {
                    $($plain: values.typed($key)?,)*
                    $($derived: $make(values)?,)*
                })
            }
        }
    };
}

topic_config! {
    "compression.gzip.level" => compression_gzip_level: i32,
    "compression.lz4.level" => compression_lz4_level: i32,
    "compression.zstd.level" => compression_zstd_level: i32,
    "delete.retention.ms" => delete_retention_ms: i64,
    "file.delete.delay.ms" => file_delete_delay_ms: i64,
    "flush.messages" => flush_messages: i64,
    "flush.ms" => flush_ms: i64,
    "index.interval.bytes" => index_interval_bytes: i32,
    "local.retention.bytes" => local_retention_bytes: i64,
    "local.retention.ms" => local_retention_ms: i64,
    "max.compaction.lag.ms" => max_compaction_lag_ms: i64,
    "max.message.bytes" => max_message_bytes: i32,
    "message.timestamp.after.max.ms" => message_timestamp_after_max_ms: i64,
    "message.timestamp.before.max.ms" => message_timestamp_before_max_ms: i64,
    "min.cleanable.dirty.ratio" => min_cleanable_dirty_ratio: f64,
    "min.compaction.lag.ms" => min_compaction_lag_ms: i64,
    "min.insync.replicas" => min_insync_replicas: i32,
    "preallocate" => preallocate: bool,
    "remote.storage.enable" => remote_storage_enable: bool,
    "retention.bytes" => retention_bytes: i64,
    "retention.ms" => retention_ms: i64,
    "segment.index.bytes" => segment_index_bytes: i32,
    "segment.jitter.ms" => segment_jitter_ms: i64,
    "segment.ms" => segment_ms: i64,
    "unclean.leader.election.enable" => unclean_leader_election_enable: bool,
    ;
    /// segment.bytes, or internal.segment.bytes where a test set that.
    segment_bytes: i32 = segment_bytes,
    cleanup_policy: CleanupPolicy = cleanup_policy,
    compression_type: CompressionType = compression_type,
    message_timestamp_type: TimestampType = timestamp_type,
    leader_replication_throttled_replicas: Vec<String> = leader_throttled,
    follower_replication_throttled_replicas: Vec<String> = follower_throttled,
}

impl TopicConfig {
    /// The configuration of a topic that sets nothing.
    pub fn defaults(broker: &BrokerConfig) -> Self {
        Self::effective(broker, &Properties::new())
    }

    /// The configuration of a topic with its own settings. `broker` holds the dynamic settings of
    /// the node already (`BrokerConfig::with_dynamic`).
    pub fn effective(broker: &BrokerConfig, own: &Properties) -> Self {
        let values = effective_values(broker, own);
        Self::from_values(&values).unwrap_or_else(|_| Self::kafka_defaults())
    }

    /// What Kafka's own table says, with no broker in sight.
    pub fn kafka_defaults() -> Self {
        let values = Values::defaults(Table::Topic);
        match Self::from_values(&values) {
            Ok(config) => config,
            Err(error) => unreachable!("a test reads every default of the table: {error}"),
        }
    }

    /// How old a segment gets: with compaction no older than records may stay uncompacted.
    pub fn max_segment_ms(&self) -> i64 {
        if self.cleanup_policy.compact && self.max_compaction_lag_ms > 0 {
            self.segment_ms.min(self.max_compaction_lag_ms)
        } else {
            self.segment_ms
        }
    }
}

fn segment_bytes(values: &Values) -> Result<i32, ConfigError> {
    let internal: Option<i32> = values.typed("internal.segment.bytes")?;
    internal.map_or_else(|| values.typed("segment.bytes"), Ok)
}

fn cleanup_policy(values: &Values) -> Result<CleanupPolicy, ConfigError> {
    let policies: Vec<String> = values.typed("cleanup.policy")?;
    let has = |policy: &str| policies.iter().any(|each| each.eq_ignore_ascii_case(policy));
    Ok(CleanupPolicy { delete: has("delete"), compact: has("compact") })
}

fn compression_type(values: &Values) -> Result<CompressionType, ConfigError> {
    let name: String = values.typed("compression.type")?;
    Ok(match name.as_str() {
        "uncompressed" => CompressionType::Uncompressed,
        "gzip" => CompressionType::Gzip,
        "snappy" => CompressionType::Snappy,
        "lz4" => CompressionType::Lz4,
        "zstd" => CompressionType::Zstd,
        _ => CompressionType::Producer,
    })
}

fn timestamp_type(values: &Values) -> Result<TimestampType, ConfigError> {
    let name: String = values.typed("message.timestamp.type")?;
    Ok(match name.as_str() {
        "LogAppendTime" => TimestampType::LogAppendTime,
        _ => TimestampType::CreateTime,
    })
}

fn leader_throttled(values: &Values) -> Result<Vec<String>, ConfigError> {
    values.typed("leader.replication.throttled.replicas")
}

fn follower_throttled(values: &Values) -> Result<Vec<String>, ConfigError> {
    values.typed("follower.replication.throttled.replicas")
}

/// The broker's defaults for topics, by topic key.
pub(crate) fn broker_defaults(broker: &Values) -> BTreeMap<&'static str, Value> {
    let default = |(topic_key, broker_keys): &(&'static str, &[(&str, Unit)])| {
        let found = broker_keys.iter().find_map(|(name, unit)| match broker.get(name)? {
            Value::Null => None,
            Value::Int(value) if *unit != Unit::Same => {
                Some(Value::Long(i64::from(*value).saturating_mul(unit.factor())))
            }
            value => Some(value.clone()),
        });
        let found = match found {
            // Any negative retention means without limit.
            Some(Value::Long(value)) if *topic_key == "retention.ms" && value < 0 => {
                Value::Long(-1)
            }
            Some(value) => value,
            None => return None,
        };
        Some((*topic_key, found))
    };
    TOPIC_SYNONYMS.iter().filter_map(default).collect()
}

/// The value of every topic key: own settings that can be read, else the broker's defaults.
pub(crate) fn effective_values(broker: &BrokerConfig, own: &Properties) -> Values {
    let mut values = Values::defaults(Table::Topic);
    for (name, value) in broker_defaults(broker.values()) {
        values.set(name, value);
    }
    for (name, text) in own.iter() {
        let Some(key) = Table::Topic.key(name) else {
            continue;
        };
        match key.parse(text) {
            Ok(value) => values.set(key.name, value),
            // A size that an older Kafka took; 4.x raises it nowhere but refuses it when it is set.
            Err(_) if key.name == "segment.bytes" && text.trim().parse::<i32>().is_ok() => {
                values.set(key.name, Value::Int(1 << 20));
            }
            Err(_) => {}
        }
    }
    values
}

/// Checks one setting of a topic by itself.
pub fn validate(name: &str, value: &str) -> Result<(), ConfigError> {
    settable(name)?.parse(value).map(drop)
}

/// Checks all settings that a topic would have, with what must fit together among them and with the
/// broker's defaults. `before` is what the topic had.
pub fn validate_all(
    broker: &BrokerConfig,
    before: &Properties,
    after: &Properties,
) -> Result<(), ConfigError> {
    for (name, _) in after.iter() {
        settable(name)?;
    }
    let mut values = Values::read(Table::Topic, after)?;
    for (name, value) in broker_defaults(broker.values()) {
        if !after.contains(name) {
            values.set(name, value);
        }
    }
    let least: i64 = values.typed("min.compaction.lag.ms")?;
    let most: i64 = values.typed("max.compaction.lag.ms")?;
    if least > most {
        let message = format!(
            "conflict topic config setting min.compaction.lag.ms ({least}) > \
             max.compaction.lag.ms ({most})"
        );
        let names = ["min.compaction.lag.ms", "max.compaction.lag.ms"];
        return Err(ConfigError::conflict(&names, message));
    }
    validate_tiering(before, &values)
}

/// A log system without tiers refuses topics that want one, and to leave one without a word about
/// what lies there.
fn validate_tiering(before: &Properties, after: &Values) -> Result<(), ConfigError> {
    const KEY: &str = "remote.storage.enable";
    if after.typed(KEY)? {
        let message = "Tiered Storage functionality is disabled in the broker. Topic cannot be \
                       configured with remote log storage.";
        return Err(ConfigError::conflict(&[KEY], message));
    }
    let was = before.get(KEY).is_some_and(|text| text.eq_ignore_ascii_case("true"));
    if was && !after.typed::<bool>("remote.log.delete.on.disable")? {
        let message = "It is invalid to disable remote storage without deleting remote data. If \
                       you want to keep the remote data and turn to read only, please set \
                       `remote.storage.enable=true,remote.log.copy.disable=true`. If you want to \
                       disable remote storage and delete all remote data, please set \
                       `remote.storage.enable=false,remote.log.delete.on.disable=true`.";
        return Err(ConfigError::conflict(&[KEY, "remote.log.delete.on.disable"], message));
    }
    Ok(())
}

fn settable(name: &str) -> Result<&'static Key, ConfigError> {
    let unknown = || ConfigError::UnknownName { resource: "topic", name: name.to_owned() };
    Table::Topic.key(name).ok_or_else(unknown)
}

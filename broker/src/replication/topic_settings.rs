//! A topic's settings as its partitions act on them: the topic's own over the broker's defaults.

use config::topic::{CompressionType, TimestampType};
use config::{BrokerConfig, Properties, TopicConfig};
use protocol::batch::{self, Compression};
use raft::image::{ConfigResource, MetadataImage};
use storage::{CleanupPolicy, CompressionPolicy, LogConfig};

use crate::partitions::ReplicaSettings;

/// What one topic's partitions are run with.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct TopicSettings {
    pub(crate) log: LogConfig,
    pub(crate) min_in_sync_replicas: usize,
    throttled_leaders: Throttled,
    throttled_followers: Throttled,
}

/// Replicas that replication throttles hold back. Kafka: `TopicConfigHandler`.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Throttled {
    All,
    /// Partition and broker.
    These(Vec<(i32, i32)>),
}

impl Throttled {
    fn of(replicas: &[String]) -> Self {
        let wildcard = |replica: &String| replica.trim() == "*";
        if replicas.iter().any(wildcard) {
            return Self::All;
        }
        let pair = |replica: &String| {
            let (partition, broker) = replica.trim().split_once(':')?;
            Some((partition.parse().ok()?, broker.parse().ok()?))
        };
        Self::These(replicas.iter().filter_map(pair).collect())
    }

    fn names(&self, partition: i32, broker: i32) -> bool {
        match self {
            Self::All => true,
            Self::These(replicas) => replicas.contains(&(partition, broker)),
        }
    }
}

impl TopicSettings {
    /// What `image` says of `topic`, over the settings of `broker`.
    pub(crate) fn of(topic: &str, image: &MetadataImage, broker: &BrokerConfig) -> Self {
        let own: Properties = image
            .configs()
            .of(&ConfigResource::topic(topic))
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .collect();
        let mut settings = Self::from(&TopicConfig::effective(broker, &own));
        settings.log.verify_transactions = broker.transaction_partition_verification_enable;
        settings
    }

    /// What they mean for one replica.
    pub(crate) fn of_replica(&self, partition: i32, broker: i32) -> ReplicaSettings {
        ReplicaSettings {
            log: self.log.clone(),
            min_in_sync: self.min_in_sync_replicas,
            throttled_as_leader: self.throttled_leaders.names(partition, broker),
            throttled_as_follower: self.throttled_followers.names(partition, broker),
        }
    }
}

impl From<&TopicConfig> for TopicSettings {
    fn from(topic: &TopicConfig) -> Self {
        let unsigned = |value: i32| u32::try_from(value).unwrap_or(0);
        let log = LogConfig {
            segment_bytes: unsigned(topic.segment_bytes),
            segment_ms: topic.max_segment_ms(),
            segment_jitter_ms: topic.segment_jitter_ms,
            segment_index_bytes: unsigned(topic.segment_index_bytes),
            index_interval_bytes: unsigned(topic.index_interval_bytes),
            retention_ms: topic.retention_ms,
            retention_bytes: topic.retention_bytes,
            max_message_bytes: unsigned(topic.max_message_bytes),
            flush_messages: topic.flush_messages,
            flush_ms: topic.flush_ms,
            timestamp_type: match topic.message_timestamp_type {
                TimestampType::CreateTime => batch::TimestampType::CreateTime,
                TimestampType::LogAppendTime => batch::TimestampType::LogAppendTime,
            },
            timestamp_before_max_ms: topic.message_timestamp_before_max_ms,
            timestamp_after_max_ms: topic.message_timestamp_after_max_ms,
            compression: compression(topic),
            cleanup: CleanupPolicy {
                delete: topic.cleanup_policy.delete,
                compact: topic.cleanup_policy.compact,
            },
            preallocate: topic.preallocate,
            file_delete_delay_ms: topic.file_delete_delay_ms,
            delete_retention_ms: topic.delete_retention_ms,
            min_compaction_lag_ms: topic.min_compaction_lag_ms,
            max_compaction_lag_ms: topic.max_compaction_lag_ms,
            min_cleanable_dirty_ratio: topic.min_cleanable_dirty_ratio,
            verify_transactions: true,
        };
        let min_in_sync_replicas = usize::try_from(topic.min_insync_replicas).unwrap_or(1);
        Self {
            log,
            min_in_sync_replicas,
            throttled_leaders: Throttled::of(&topic.leader_replication_throttled_replicas),
            throttled_followers: Throttled::of(&topic.follower_replication_throttled_replicas),
        }
    }
}

fn compression(topic: &TopicConfig) -> CompressionPolicy {
    let (codec, level) = match topic.compression_type {
        CompressionType::Producer => return CompressionPolicy::Producer,
        CompressionType::Uncompressed => (Compression::None, 0),
        CompressionType::Gzip => (Compression::Gzip, topic.compression_gzip_level),
        CompressionType::Snappy => (Compression::Snappy, 0),
        CompressionType::Lz4 => (Compression::Lz4, topic.compression_lz4_level),
        CompressionType::Zstd => (Compression::Zstd, topic.compression_zstd_level),
    };
    CompressionPolicy::Fixed { codec, level }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_topic_without_settings_is_run_with_kafkas_defaults() {
        let settings = TopicSettings::from(&TopicConfig::kafka_defaults());
        assert_eq!(settings.log, LogConfig::default());
        assert_eq!(settings.min_in_sync_replicas, 1);
        let replica = settings.of_replica(0, 1);
        assert!(!replica.throttled_as_leader && !replica.throttled_as_follower);
    }

    #[test]
    fn a_throttle_names_replicas_one_by_one_or_all() {
        let of = |names: &[&str]| {
            Throttled::of(&names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>())
        };
        let two = of(&["0:1", "3:2"]);
        assert!(two.names(0, 1) && two.names(3, 2));
        assert!(!two.names(0, 2) && !two.names(3, 1));
        assert!(of(&["*"]).names(7, 7));
        assert!(!of(&[]).names(0, 0) && !of(&[""]).names(0, 0));
    }
}

//! A topic's settings as its partitions act on them: the topic's own over the broker's defaults.

use config::topic::{CompressionType, TimestampType};
use config::{BrokerConfig, Properties, TopicConfig};
use protocol::batch::{self, Compression};
use raft::image::{ConfigResource, MetadataImage};
use storage::{CleanupPolicy, CompressionPolicy, LogConfig};

/// What one topic's partitions are run with.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct TopicSettings {
    pub(crate) log: LogConfig,
    pub(crate) min_in_sync_replicas: usize,
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
        Self::from(&TopicConfig::effective(broker, &own))
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
        };
        let min_in_sync_replicas = usize::try_from(topic.min_insync_replicas).unwrap_or(1);
        Self { log, min_in_sync_replicas }
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
        assert_eq!(settings, TopicSettings { log: LogConfig::default(), min_in_sync_replicas: 1 });
    }
}

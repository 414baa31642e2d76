//! What of a topic's configuration a log acts on. Defaults are Kafka 4.3's (`LogConfig`,
//! `ServerLogConfigs`).

use protocol::batch::{Compression, TimestampType};

/// `compression.type`: how batches are stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CompressionPolicy {
    /// As the producer sent them.
    Producer,
    /// Recompressed, or decompressed, to this codec at this level where it differs.
    Fixed { codec: Compression, level: i32 },
}

/// `cleanup.policy`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CleanupPolicy {
    pub delete: bool,
    pub compact: bool,
}

#[derive(Debug, Clone, PartialEq)]
pub struct LogConfig {
    pub segment_bytes: u32,
    pub segment_ms: i64,
    /// What each segment's jitter is drawn below; the draw itself is handed in.
    pub segment_jitter_ms: i64,
    pub segment_index_bytes: u32,
    pub index_interval_bytes: u32,
    /// Negative: unlimited.
    pub retention_ms: i64,
    /// Negative: unlimited.
    pub retention_bytes: i64,
    pub max_message_bytes: u32,
    pub flush_messages: i64,
    pub flush_ms: i64,
    pub timestamp_type: TimestampType,
    pub timestamp_before_max_ms: i64,
    pub timestamp_after_max_ms: i64,
    pub compression: CompressionPolicy,
    pub cleanup: CleanupPolicy,
    pub preallocate: bool,
    pub file_delete_delay_ms: i64,
    pub delete_retention_ms: i64,
    /// How young records are left alone by compaction.
    pub min_compaction_lag_ms: i64,
    /// How old records get before compaction is due whatever the ratio.
    pub max_compaction_lag_ms: i64,
    /// The part of a log that is to be dirty before it is compacted.
    pub min_cleanable_dirty_ratio: f64,
    /// `transaction.partition.verification.enable`, which is the broker's.
    pub verify_transactions: bool,
}

const DAY_MS: i64 = 24 * 60 * 60 * 1000;

impl Default for LogConfig {
    fn default() -> Self {
        Self {
            segment_bytes: 1 << 30,
            segment_ms: 7 * DAY_MS,
            segment_jitter_ms: 0,
            segment_index_bytes: 10 * 1024 * 1024,
            index_interval_bytes: 4096,
            retention_ms: 7 * DAY_MS,
            retention_bytes: -1,
            max_message_bytes: 1024 * 1024 + 12,
            flush_messages: i64::MAX,
            flush_ms: i64::MAX,
            timestamp_type: TimestampType::CreateTime,
            timestamp_before_max_ms: i64::MAX,
            timestamp_after_max_ms: 60 * 60 * 1000,
            compression: CompressionPolicy::Producer,
            cleanup: CleanupPolicy { delete: true, compact: false },
            preallocate: false,
            file_delete_delay_ms: 60_000,
            delete_retention_ms: DAY_MS,
            min_compaction_lag_ms: 0,
            max_compaction_lag_ms: i64::MAX,
            min_cleanable_dirty_ratio: 0.5,
            verify_transactions: true,
        }
    }
}

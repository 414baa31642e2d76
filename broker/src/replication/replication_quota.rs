//! How fast replicas may be copied: the throttles that an operator sets while he moves partitions.
//!
//! ```text
//! leader.replication.throttled.rate    what this broker sends to followers that are behind
//! follower.replication.throttled.rate  what this broker fetches for replicas that are behind
//! replica.alter.log.dirs.io.max.bytes.per.second  what moves between its own log directories
//! ```
//! Of the first two only partitions that the topic's `*.replication.throttled.replicas` names are
//! counted and held back, and never a replica that is in sync. Counting is exact, holding back is
//! at the next fetch.
//! Answers to `ReplicationQuotaManager` (KIP-73).

mod rate;

use std::sync::atomic::{AtomicI64, Ordering};

use config::BrokerConfig;
use parking_lot::Mutex;

use crate::clock::monotonic_ms;

use self::rate::WindowedRate;

/// Kafka's unlimited rate.
const UNLIMITED: i64 = i64::MAX;

/// The throttles of this broker.
#[derive(Debug)]
pub(crate) struct ReplicationQuotas {
    pub(crate) leader: ReplicationQuota,
    pub(crate) follower: ReplicationQuota,
    pub(crate) alter_log_dirs: ReplicationQuota,
}

impl ReplicationQuotas {
    pub(crate) fn new(config: &BrokerConfig) -> Self {
        let of_brokers = || {
            let seconds = config.replication_quota_window_size_seconds;
            ReplicationQuota::new(seconds, config.replication_quota_window_num)
        };
        let seconds = config.alter_log_dirs_replication_quota_window_size_seconds;
        let samples = config.alter_log_dirs_replication_quota_window_num;
        Self {
            leader: of_brokers(),
            follower: of_brokers(),
            alter_log_dirs: ReplicationQuota::new(seconds, samples),
        }
    }
}

/// One direction.
#[derive(Debug)]
pub(crate) struct ReplicationQuota {
    bytes_per_second: AtomicI64,
    rate: Mutex<WindowedRate>,
}

impl ReplicationQuota {
    fn new(sample_seconds: i32, samples: i32) -> Self {
        let sample_ms = i64::from(sample_seconds) * 1000;
        let samples = usize::try_from(samples).unwrap_or(1);
        Self {
            bytes_per_second: AtomicI64::new(UNLIMITED),
            rate: Mutex::new(WindowedRate::new(sample_ms, samples)),
        }
    }

    /// What may be copied a second from now on.
    pub(crate) fn set_bound(&self, bytes_per_second: i64) {
        self.bytes_per_second.store(bytes_per_second, Ordering::Relaxed);
    }

    /// Records of a throttled partition were copied.
    pub(crate) fn record(&self, bytes: usize) {
        if bytes > 0 {
            let now_ms = monotonic_ms();
            self.rate.lock().record(bytes as u64, now_ms);
        }
    }

    /// Whether more than allowed was copied lately.
    pub(crate) fn is_exceeded(&self) -> bool {
        let bound = self.bytes_per_second.load(Ordering::Relaxed);
        if bound == UNLIMITED {
            return false;
        }
        let now_ms = monotonic_ms();
        #[allow(clippy::cast_precision_loss)]
        let exceeded = self.rate.lock().bytes_per_second(now_ms) > bound as f64;
        exceeded
    }
}

//! How fast replicas may be copied: the throttles that an operator sets while he moves partitions.
//!
//! ```text
//! leader.replication.throttled.rate    what this broker sends to followers that are behind
//! follower.replication.throttled.rate  what this broker fetches for replicas that are behind
//! ```
//! Only partitions that the topic's `*.replication.throttled.replicas` names are counted and held
//! back, and never a replica that is in sync. Counting is exact, holding back is at the next fetch.
//! Answers to `ReplicationQuotaManager` (KIP-73).

mod rate;

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Instant;

use config::BrokerConfig;
use parking_lot::Mutex;

use self::rate::WindowedRate;

/// Kafka's unlimited rate.
const UNLIMITED: i64 = i64::MAX;

/// Both throttles of this broker.
#[derive(Debug)]
pub(crate) struct ReplicationQuotas {
    pub(crate) leader: ReplicationQuota,
    pub(crate) follower: ReplicationQuota,
}

impl ReplicationQuotas {
    pub(crate) fn new(config: &BrokerConfig) -> Self {
        Self { leader: ReplicationQuota::new(config), follower: ReplicationQuota::new(config) }
    }
}

/// One direction.
#[derive(Debug)]
pub(crate) struct ReplicationQuota {
    bytes_per_second: AtomicI64,
    begun: Instant,
    rate: Mutex<WindowedRate>,
}

impl ReplicationQuota {
    fn new(config: &BrokerConfig) -> Self {
        let sample_ms = i64::from(config.replication_quota_window_size_seconds) * 1000;
        let samples = usize::try_from(config.replication_quota_window_num).unwrap_or(1);
        Self {
            bytes_per_second: AtomicI64::new(UNLIMITED),
            begun: Instant::now(),
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
            let now_ms = self.now_ms();
            self.rate.lock().record(bytes as u64, now_ms);
        }
    }

    /// Whether more than allowed was copied lately.
    pub(crate) fn is_exceeded(&self) -> bool {
        let bound = self.bytes_per_second.load(Ordering::Relaxed);
        if bound == UNLIMITED {
            return false;
        }
        let now_ms = self.now_ms();
        #[allow(clippy::cast_precision_loss)]
        let exceeded = self.rate.lock().bytes_per_second(now_ms) > bound as f64;
        exceeded
    }

    fn now_ms(&self) -> i64 {
        i64::try_from(self.begun.elapsed().as_millis()).unwrap_or(i64::MAX)
    }
}

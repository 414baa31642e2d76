//! The time as shards take it: the wall's for records, a monotonic one for deadlines.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use coordinator::runtime::Now;

#[derive(Debug, Clone)]
pub(crate) struct Clock {
    started: Instant,
}

impl Clock {
    pub(crate) fn start() -> Self {
        Self { started: Instant::now() }
    }

    pub(crate) fn now(&self) -> Now {
        let wall = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Now {
            wall_ms: i64::try_from(wall.as_millis()).unwrap_or(i64::MAX),
            monotonic_ms: u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX),
        }
    }

    /// How long until a deadline; nothing once it has passed.
    pub(crate) fn until(&self, deadline_ms: u64) -> Duration {
        (self.started + Duration::from_millis(deadline_ms))
            .saturating_duration_since(Instant::now())
    }
}

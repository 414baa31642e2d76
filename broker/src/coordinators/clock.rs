//! The time as shards take it: the wall's for records, a monotonic one for deadlines.

use std::time::Duration;

use coordinator::runtime::Now;

use crate::clock;

pub(super) fn now() -> Now {
    Now { wall_ms: clock::wall_ms(), monotonic_ms: monotonic_ms() }
}

/// How long until a deadline; nothing once it has passed.
pub(super) fn until(deadline_ms: u64) -> Duration {
    Duration::from_millis(deadline_ms.saturating_sub(monotonic_ms()))
}

fn monotonic_ms() -> u64 {
    u64::try_from(clock::monotonic_ms()).unwrap_or(0)
}

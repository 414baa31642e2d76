//! The time of a node: the wall's for records and people, and one that only goes forward for
//! everything that waits or is measured. Cores are given it; they ask no clock.

use std::sync::OnceLock;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

static START: OnceLock<Instant> = OnceLock::new();

/// Time since 1970; none on a machine whose clock stands before that.
pub(crate) fn wall() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
}

/// As [`wall`], in milliseconds.
pub(crate) fn wall_ms() -> i64 {
    i64::try_from(wall().as_millis()).unwrap_or(i64::MAX)
}

/// Time since some moment of this process; never goes back.
pub(crate) fn monotonic() -> Duration {
    START.get_or_init(Instant::now).elapsed()
}

/// As [`monotonic`], in nanoseconds, which are cheap to subtract: for what is measured of every
/// request.
pub(crate) fn monotonic_nanos() -> u64 {
    let since = monotonic();
    since.as_secs().wrapping_mul(1_000_000_000).wrapping_add(u64::from(since.subsec_nanos()))
}

/// As [`monotonic`], in milliseconds.
pub(crate) fn monotonic_ms() -> i64 {
    i64::try_from(monotonic().as_millis()).unwrap_or(i64::MAX)
}

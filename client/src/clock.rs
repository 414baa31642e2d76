//! The wall's clock, as Kafka's clients ask it.

use std::time::{SystemTime, UNIX_EPOCH};

/// Milliseconds since 1970; none on a machine whose clock stands before that.
pub(crate) fn wall_ms() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

//! The quorum's clocks and its source of chance; its core asks neither.

use std::sync::OnceLock;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use raft::controller::ControllerNow;

static START: OnceLock<Instant> = OnceLock::new();

/// Milliseconds since some moment of this process; never goes back.
pub(super) fn monotonic_ms() -> i64 {
    let start = START.get_or_init(Instant::now);
    i64::try_from(start.elapsed().as_millis()).unwrap_or(i64::MAX)
}

pub(super) fn wall_ms() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.ok().and_then(|since| i64::try_from(since.as_millis()).ok()).unwrap_or(0)
}

pub(super) fn now() -> ControllerNow {
    ControllerNow { monotonic_ms: monotonic_ms(), wall_ms: wall_ms(), seed: random_bits() }
}

/// 128 bits that nobody can foresee; topic ids and incarnations are made of them.
pub(super) fn random_bits() -> u128 {
    let mut bytes = [0; 16];
    if let Err(error) = getrandom::fill(&mut bytes) {
        super::fatal(&format!("the system gives no random bits: {error}"));
    }
    u128::from_le_bytes(bytes)
}

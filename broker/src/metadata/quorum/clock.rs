//! The time and the chance that the controller is given; its core asks for neither.

use raft::controller::ControllerNow;

use super::error::fatal;
use crate::clock::{monotonic_ms, wall_ms};

pub(super) fn now() -> ControllerNow {
    ControllerNow { monotonic_ms: monotonic_ms(), wall_ms: wall_ms(), seed: random_bits() }
}

/// 128 bits that nobody can foresee; topic ids and incarnations are made of them.
pub(super) fn random_bits() -> u128 {
    let mut bytes = [0; 16];
    if let Err(error) = getrandom::fill(&mut bytes) {
        fatal(&format!("the system gives no random bits: {error}"));
    }
    u128::from_le_bytes(bytes)
}

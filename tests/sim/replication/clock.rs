//! One node's clocks: the monotonic one runs up to a fifth too fast or too slow, the wall clock
//! jumps besides. Time of the simulation is counted in microseconds.

/// The clocks of a node.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Clock {
    /// Of the monotonic clock, in thousandths.
    rate: i64,
    /// What the monotonic clock showed when the simulation began.
    offset_ms: i64,
    /// How far the wall clock is off.
    pub(crate) wall_error_ms: i64,
}

impl Clock {
    pub(crate) fn new(rate: i64, offset_ms: i64) -> Self {
        Self { rate, offset_ms, wall_error_ms: 0 }
    }

    pub(crate) fn monotonic_ms(&self, now_us: i64) -> i64 {
        self.offset_ms + now_us / 1000 * self.rate / 1000
    }

    pub(crate) fn wall_ms(&self, now_us: i64) -> i64 {
        1_700_000_000_000 + now_us / 1000 + self.wall_error_ms
    }

    /// How long the node's own `ms` take.
    pub(crate) fn true_us(&self, ms: i64) -> i64 {
        ms * 1_000_000 / self.rate
    }
}

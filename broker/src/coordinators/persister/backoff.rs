//! How long an attempt waits for the next, and how many there are.
//!
//! Answers to `ExponentialBackoffManager` as `PersisterStateManager` sets it: five attempts, one
//! second doubled by each, a fifth more or less, half a minute at most.

use std::time::Duration;

const ATTEMPTS_MAX: u32 = 5;
const FIRST_MS: u64 = 1_000;
const LONGEST_MS: u64 = 30_000;

/// The attempts so far.
#[derive(Debug, Default)]
pub(in super::super) struct Backoff {
    attempts: u32,
}

impl Backoff {
    /// One more attempt has failed: how long the next waits, if there is one. `draw` is any number.
    pub(in super::super) fn failed(&mut self, draw: u64) -> Option<Duration> {
        self.attempts += 1;
        if self.attempts >= ATTEMPTS_MAX {
            return None;
        }
        let doubled_ms = FIRST_MS << self.attempts;
        // Of a thousand parts, 800 to 1200.
        let parts = 800 + draw % 401;
        Some(Duration::from_millis((doubled_ms * parts / 1_000).min(LONGEST_MS)))
    }

    pub(super) fn succeeded(&mut self) {
        self.attempts = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_pause_is_twice_the_one_before_and_the_fifth_attempt_is_the_last() {
        let mut backoff = Backoff::default();
        for (draw, pause) in [
            (200, Some(2_000)),
            (0, Some(3_200)),
            (400, Some(9_600)),
            (200, Some(16_000)),
            (0, None),
        ] {
            assert_eq!(backoff.failed(draw), pause.map(Duration::from_millis));
        }
        backoff.succeeded();
        assert_eq!(backoff.failed(200), Some(Duration::from_secs(2)));
    }
}

//! When a call is tried again, and when it is given up.
//!
//! Pure: times come in. Answers to `KafkaAdminClient.Call.fail` and `ExponentialBackoff`; Unlike
//! Kafka: the pauses have no jitter, since a tool is one client among few.

use std::time::Duration;

/// The attempts of one call.
#[derive(Debug)]
pub(super) struct Attempts {
    timeout: Duration,
    retries: u32,
    backoff: Backoff,
    tries: u32,
}

/// Pauses that double up to a limit.
#[derive(Debug, Clone, Copy)]
pub(super) struct Backoff {
    pub(super) first: Duration,
    pub(super) most: Duration,
}

impl Backoff {
    pub(super) fn after(self, failures: u32) -> Duration {
        let factor = 1_u32.checked_shl(failures).unwrap_or(u32::MAX);
        self.first.saturating_mul(factor).min(self.most.max(self.first))
    }
}

impl Attempts {
    pub(super) fn new(timeout: Duration, retries: u32, backoff: Backoff) -> Self {
        Self { timeout, retries, backoff, tries: 0 }
    }

    /// How long the next attempt may take when the call began `elapsed` ago.
    pub(super) fn remaining(&self, elapsed: Duration) -> Duration {
        self.timeout.saturating_sub(elapsed)
    }

    /// Counts a failed attempt: how long to pause before the next one, or nothing to give up.
    pub(super) fn failed(&mut self, elapsed: Duration) -> Option<Duration> {
        let pause = self.backoff.after(self.tries);
        self.tries += 1;
        let remaining = self.remaining(elapsed);
        (self.tries <= self.retries && pause < remaining).then_some(pause)
    }

    pub(super) fn tries(&self) -> u32 {
        self.tries
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn ms(millis: u64) -> Duration {
        Duration::from_millis(millis)
    }

    const BACKOFF: Backoff = Backoff { first: ms(100), most: ms(1000) };

    #[test]
    fn pauses_double_up_to_their_limit() {
        let mut attempts = Attempts::new(ms(60_000), u32::MAX, BACKOFF);
        let pauses: Vec<_> = (0..6).filter_map(|_| attempts.failed(ms(0))).collect();
        assert_eq!(pauses, [100, 200, 400, 800, 1000, 1000].map(ms));
        assert_eq!(BACKOFF.after(500), ms(1000));
    }

    #[test]
    fn a_call_ends_with_its_time_or_its_retries() {
        let mut short = Attempts::new(ms(250), u32::MAX, BACKOFF);
        assert_eq!(short.failed(ms(10)), Some(ms(100)));
        assert_eq!(short.failed(ms(110)), None, "200 ms more is too late");
        let mut once = Attempts::new(ms(60_000), 1, BACKOFF);
        assert_eq!((once.failed(ms(1)), once.failed(ms(2))), (Some(ms(100)), None));
        assert_eq!(once.tries(), 2);
    }
}

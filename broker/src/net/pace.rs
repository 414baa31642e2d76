//! How long the next connection waits so that connections come no faster than they may.
//!
//! A rate is held over [`WINDOW_SECONDS`], so a burst of that many seconds' worth passes at once. A
//! wait is a second at most. Kafka: the connection creation rate of `ConnectionQuotas`, whose
//! sensors take eleven samples of a second (quota.window.num, quota.window.size.seconds).

use std::time::Duration;

/// Whole samples over which Kafka takes its rate.
const WINDOW_SECONDS: f64 = 10.0;
const WAIT_SECONDS_MAX: f64 = 1.0;

/// Counts connections and forgets them at the rate that is allowed.
#[derive(Debug, Default)]
pub(crate) struct Pace {
    counted: f64,
    at: Duration,
}

impl Pace {
    /// Counts one more at `now`, measured from any fixed point; how long it is to wait.
    pub(crate) fn count(&mut self, per_second_max: i32, now: Duration) -> Duration {
        let rate = f64::from(per_second_max.max(0));
        let passed = now.saturating_sub(self.at).as_secs_f64();
        self.at = now;
        self.counted = (self.counted - passed * rate).max(0.0) + 1.0;
        let excess = self.counted - rate * WINDOW_SECONDS;
        if excess <= 0.0 {
            return Duration::ZERO;
        }
        let seconds = if rate > 0.0 { excess / rate } else { WAIT_SECONDS_MAX };
        Duration::from_secs_f64(seconds.min(WAIT_SECONDS_MAX))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ten_seconds_worth_pass_at_once_and_the_next_waits_for_its_place() {
        let mut pace = Pace::default();
        for _ in 0..20 {
            assert_eq!(pace.count(2, Duration::from_secs(5)), Duration::ZERO);
        }
        assert_eq!(pace.count(2, Duration::from_secs(5)), Duration::from_millis(500));
        assert_eq!(pace.count(2, Duration::from_secs(6)), Duration::ZERO, "two are forgotten");
    }

    #[test]
    fn nobody_waits_for_longer_than_a_second() {
        let mut pace = Pace::default();
        assert_eq!(pace.count(0, Duration::ZERO), Duration::from_secs(1));
        assert_eq!(pace.count(0, Duration::from_secs(9)), Duration::from_secs(1));
        assert_eq!(pace.count(i32::MAX, Duration::from_secs(9)), Duration::ZERO);
    }
}

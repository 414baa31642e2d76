//! How long to sleep so that records leave at the wanted rate.
//!
//! Pure. Answers to Kafka's `ThroughputThrottler`.

use std::time::Duration;

/// Shorter sleeps are saved up.
const SLEEP_MIN: Duration = Duration::from_millis(2);

#[derive(Debug)]
pub(crate) struct Throttle {
    target: f64,
    start: u64,
    deficit: Duration,
}

/// What to do after a record.
#[derive(Debug, PartialEq)]
pub(crate) enum Pause {
    None,
    Sleep(Duration),
    /// A rate of 0: no record ever again.
    Forever,
}

impl Throttle {
    /// Records per second; a negative target means no limit.
    pub(crate) fn new(target: f64, start: u64) -> Self {
        Self { target, start, deficit: Duration::ZERO }
    }

    pub(crate) fn after(&mut self, records: u64, now: u64) -> Pause {
        if self.target < 0.0 {
            return Pause::None;
        }
        let elapsed = now.saturating_sub(self.start) as f64 / 1000.0;
        if elapsed <= 0.0 || records as f64 / elapsed <= self.target {
            return Pause::None;
        }
        if self.target == 0.0 {
            return Pause::Forever;
        }
        let own = Duration::try_from_secs_f64(1.0 / self.target).unwrap_or(Duration::MAX);
        self.deficit = self.deficit.saturating_add(own);
        match self.deficit < SLEEP_MIN {
            true => Pause::None,
            false => Pause::Sleep(std::mem::take(&mut self.deficit)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sleeps_are_saved_up_and_a_rate_that_is_not_reached_needs_none() {
        let mut throttle = Throttle::new(1000.0, 0);
        assert_eq!(throttle.after(5, 0), Pause::None);
        assert_eq!(throttle.after(5, 10), Pause::None, "slower than wanted");
        assert_eq!(throttle.after(50, 10), Pause::None, "one millisecond is too short");
        assert_eq!(throttle.after(51, 10), Pause::Sleep(Duration::from_millis(2)));
        assert_eq!(throttle.after(52, 10), Pause::None);
        assert_eq!(Throttle::new(-1.0, 0).after(1 << 40, 1), Pause::None);
        assert_eq!(Throttle::new(0.0, 0).after(1, 1), Pause::Forever);
    }
}

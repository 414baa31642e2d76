//! How many bytes a second background work reads and writes at most. Pure: the time comes in.
//!
//! A bucket fills with `bytes_per_second`, up to [`BURST_SECONDS`] worth. Whoever wants to move
//! bytes may as soon as the bucket is not overdrawn, and then takes all of them at once: so a piece
//! larger than the bucket goes, too, and the next waits for what it took. Kept true: in any time
//! `t` no more than `bytes_per_second × (t + BURST_SECONDS)` and one piece are moved.
//!
//! Kafka: `Throttler`, by which the log cleaner keeps to log.cleaner.io.max.bytes.per.second; it
//! looks at its rate every 300 ms.

use std::time::Duration;

/// What may be moved at once after an idle time, by the rate.
const BURST_SECONDS: f64 = 0.3;

/// The bucket.
#[derive(Debug)]
pub(super) struct IoBudget {
    bytes_per_second: f64,
    /// What may be moved now; below zero is overdrawn.
    balance: f64,
    at: Duration,
}

impl IoBudget {
    pub(super) fn new(bytes_per_second: f64, now: Duration) -> Self {
        Self { bytes_per_second, balance: bytes_per_second * BURST_SECONDS, at: now }
    }

    /// Another rate holds from `now` on.
    pub(super) fn set_rate(&mut self, bytes_per_second: f64, now: Duration) {
        self.fill(now);
        self.bytes_per_second = bytes_per_second;
        self.balance = self.balance.min(bytes_per_second * BURST_SECONDS);
    }

    /// Takes `bytes`, or says after what time to ask again.
    pub(super) fn take(&mut self, bytes: u64, now: Duration) -> Result<(), Duration> {
        self.fill(now);
        if self.balance < 0.0 {
            let seconds = -self.balance / self.bytes_per_second;
            return Err(Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX));
        }
        #[allow(clippy::cast_precision_loss)]
        let bytes = bytes as f64;
        self.balance -= bytes;
        Ok(())
    }

    fn fill(&mut self, now: Duration) {
        let passed = now.saturating_sub(self.at).as_secs_f64();
        self.at = self.at.max(now);
        let full = self.bytes_per_second * BURST_SECONDS;
        self.balance = (self.balance + passed * self.bytes_per_second).min(full);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ms(count: u64) -> Duration {
        Duration::from_millis(count)
    }

    #[test]
    fn what_is_taken_is_waited_for_by_the_next() {
        let mut budget = IoBudget::new(1000.0, ms(0));
        assert_eq!(budget.take(300, ms(0)), Ok(()), "the burst");
        assert_eq!(budget.take(1, ms(0)), Ok(()), "it is not overdrawn");
        assert_eq!(budget.take(5000, ms(0)), Err(ms(1)));
        assert_eq!(budget.take(5000, ms(1)), Ok(()), "a piece larger than the bucket");
        assert_eq!(budget.take(1, ms(2)), Err(ms(4999)));
        assert_eq!(budget.take(1, ms(5001)), Ok(()));
    }

    #[test]
    fn idle_time_saves_up_for_one_burst_alone() {
        let mut budget = IoBudget::new(1000.0, ms(0));
        assert_eq!(budget.take(400, ms(1_000_000)), Ok(()));
        assert_eq!(budget.take(1, ms(1_000_000)), Err(ms(100)));
    }

    #[test]
    fn without_a_bound_nobody_waits_and_another_rate_holds_at_once() {
        let mut budget = IoBudget::new(f64::MAX, ms(0));
        for _ in 0..1000 {
            assert_eq!(budget.take(u64::MAX, ms(0)), Ok(()));
        }
        budget.set_rate(1000.0, ms(0));
        assert_eq!(budget.take(1300, ms(0)), Ok(()));
        assert_eq!(budget.take(1, ms(0)), Err(ms(1000)));
        budget.set_rate(2000.0, ms(500));
        assert_eq!(budget.take(1, ms(500)), Err(ms(250)));
        // A rate that lets nothing through is one that is waited for for ever.
        budget.set_rate(0.0, ms(600));
        assert_eq!(budget.take(1, ms(600)), Err(Duration::MAX));
        budget.set_rate(f64::MAX, ms(601));
        assert_eq!(budget.take(1, ms(602)), Ok(()));
    }

    #[test]
    fn over_seeded_time_no_span_has_more_than_its_share() {
        let mut state = 7_u64;
        let mut draw = |bound: u64| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (state >> 33) % bound
        };
        for _ in 0..50 {
            let rate = 1 + draw(100_000);
            #[allow(clippy::cast_precision_loss)]
            let per_second = rate as f64;
            let mut budget = IoBudget::new(per_second, ms(0));
            let (mut now, mut moved) = (Duration::ZERO, Vec::new());
            while moved.len() < 200 {
                let bytes = 1 + draw(50_000);
                match budget.take(bytes, now) {
                    Ok(()) => moved.push((now, bytes)),
                    // A nanosecond more than the rounding may have taken away.
                    Err(wait) => now += wait + Duration::from_nanos(1),
                }
                now += ms(draw(20));
            }
            for (from, (begun, _)) in moved.iter().enumerate() {
                let mut sum = 0;
                for (at, bytes) in &moved[from..] {
                    sum += bytes;
                    #[allow(clippy::cast_precision_loss)]
                    let share = per_second * ((*at - *begun).as_secs_f64() + BURST_SECONDS);
                    assert!(sum as f64 <= share + 50_001.0, "{sum} bytes, share {share}");
                }
            }
        }
    }
}

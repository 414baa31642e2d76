//! Bytes per second over a sliding window, as Kafka's quotas measure them. Pure: the caller brings
//! the time.
//!
//! The window is a row of samples. A sample takes what comes within its length and is forgotten
//! when the whole row has passed over it. The rate is everything in the row over the time since its
//! oldest sample began, at least one sample's length: so a quota that was idle may burst by one
//! sample and no more. Answers to `SimpleRate` and `SampledStat`.

use std::collections::VecDeque;

/// What came within one sample's time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Sample {
    begun_ms: i64,
    last_ms: i64,
    bytes: u64,
}

/// A measured rate.
#[derive(Debug)]
pub(crate) struct WindowedRate {
    sample_ms: i64,
    samples_max: usize,
    samples: VecDeque<Sample>,
}

impl WindowedRate {
    /// `samples_max` samples of `sample_ms` each.
    pub(crate) fn new(sample_ms: i64, samples_max: usize) -> Self {
        let (sample_ms, samples_max) = (sample_ms.max(1), samples_max.max(1));
        Self { sample_ms, samples_max, samples: VecDeque::new() }
    }

    /// `bytes` were moved.
    pub(crate) fn record(&mut self, bytes: u64, now_ms: i64) {
        self.forget(now_ms);
        match self.samples.back_mut() {
            Some(sample) if now_ms - sample.begun_ms < self.sample_ms => {
                sample.bytes += bytes;
                sample.last_ms = now_ms;
            }
            _ => self.samples.push_back(Sample { begun_ms: now_ms, last_ms: now_ms, bytes }),
        }
        // One more than the row is long: the newest has only begun.
        while self.samples.len() > self.samples_max + 1 {
            self.samples.pop_front();
        }
    }

    /// The rate that is measured now.
    pub(crate) fn bytes_per_second(&mut self, now_ms: i64) -> f64 {
        self.forget(now_ms);
        let Some(oldest) = self.samples.front() else { return 0.0 };
        let elapsed_ms = (now_ms - oldest.begun_ms).max(self.sample_ms);
        let bytes: u64 = self.samples.iter().map(|sample| sample.bytes).sum();
        #[allow(clippy::cast_precision_loss)]
        let rate = bytes as f64 * 1000.0 / elapsed_ms as f64;
        rate
    }

    fn forget(&mut self, now_ms: i64) {
        let row_ms = i64::try_from(self.samples_max).unwrap_or(i64::MAX);
        let row_ms = self.sample_ms.saturating_mul(row_ms);
        while self.samples.front().is_some_and(|sample| now_ms - sample.last_ms >= row_ms) {
            self.samples.pop_front();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Kafka's defaults: eleven samples of a second.
    fn rate() -> WindowedRate {
        WindowedRate::new(1000, 11)
    }

    #[test]
    fn nothing_recorded_is_no_rate() {
        assert!(rate().bytes_per_second(5_000).abs() < f64::EPSILON);
    }

    #[test]
    fn what_came_within_the_first_second_counts_as_if_it_took_that_second() {
        let mut rate = rate();
        rate.record(500, 10_000);
        rate.record(500, 10_001);
        assert!((rate.bytes_per_second(10_001) - 1000.0).abs() < 1e-9);
        assert!((rate.bytes_per_second(11_000) - 1000.0).abs() < 1e-9);
        assert!((rate.bytes_per_second(12_000) - 500.0).abs() < 1e-9);
    }

    #[test]
    fn a_steady_stream_is_measured_over_the_whole_row() {
        let mut rate = rate();
        for step in 0..400 {
            rate.record(100, step * 100);
        }
        let measured = rate.bytes_per_second(39_999);
        assert!((measured - 1000.0).abs() < 20.0, "{measured}");
    }

    #[test]
    fn a_burst_is_forgotten_when_the_row_has_passed_over_it() {
        let mut rate = rate();
        rate.record(1_000_000, 0);
        assert!(rate.bytes_per_second(10_999) > 0.0);
        assert!(rate.bytes_per_second(11_000).abs() < f64::EPSILON);
    }

    #[test]
    fn the_row_never_grows_beyond_its_length() {
        let mut rate = WindowedRate::new(10, 3);
        for step in 0..1000 {
            rate.record(1, step * 10);
        }
        assert!(rate.samples.len() <= 4);
    }
}

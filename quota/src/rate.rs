//! Something per second over a sliding window.
//!
//! A sample takes what comes within its length, counted from its first event; there is one more
//! than the window has, so that one which began before the window and reaches into it still counts.
//! A sample without an event for a whole window begins anew. The time that is divided by is the
//! time since the oldest sample began, and at least all of the window's samples but one: what was
//! idle may burst by that much.
//!
//! Answers to `Rate`, `SampledStat` and `WindowedSum`.

use crate::accounts::Measure;
use crate::window::Window;

#[derive(Debug, Clone, Copy, PartialEq)]
struct Sample {
    begun_ms: i64,
    last_ms: i64,
    sum: f64,
}

impl Sample {
    fn begun(now_ms: i64) -> Self {
        Self { begun_ms: now_ms, last_ms: now_ms, sum: 0.0 }
    }
}

/// A measured rate.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Rate {
    samples: Vec<Sample>,
    current: usize,
}

/// What a rate is at some time.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Observed {
    pub per_second: f64,
    /// The time that it was measured over.
    pub window_ms: i64,
}

impl Rate {
    /// `value` came; a negative one takes back what is told not to have come after all.
    pub fn record(&mut self, window: Window, value: f64, now_ms: i64) {
        if self.samples.is_empty() {
            self.samples.push(Sample::begun(now_ms));
        }
        let current = self.samples.get(self.current);
        if current.is_some_and(|sample| now_ms - sample.begun_ms >= window.sample_ms()) {
            self.advance(window, now_ms);
        }
        if let Some(sample) = self.samples.get_mut(self.current) {
            sample.sum += value;
            sample.last_ms = now_ms;
        }
    }

    /// The rate as it is now.
    pub fn observe(&mut self, window: Window, now_ms: i64) -> Observed {
        for sample in &mut self.samples {
            if now_ms - sample.last_ms >= window.span_ms() {
                *sample = Sample::begun(now_ms);
            }
        }
        let oldest_ms = self.samples.iter().map(|sample| sample.begun_ms).min().unwrap_or(now_ms);
        let mut window_ms = now_ms - oldest_ms;
        let whole = window_ms / window.sample_ms();
        let whole_min = i64::from(window.samples()) - 1;
        if whole < whole_min {
            window_ms += (whole_min - whole) * window.sample_ms();
        }
        let window_ms = window_ms.max(1);
        let sum: f64 = self.samples.iter().map(|sample| sample.sum).sum();
        #[allow(clippy::cast_precision_loss)]
        let seconds = window_ms as f64 / 1000.0;
        Observed { per_second: sum / seconds, window_ms }
    }

    fn advance(&mut self, window: Window, now_ms: i64) {
        self.current = (self.current + 1) % (window.samples() as usize + 1);
        match self.samples.get_mut(self.current) {
            Some(sample) => *sample = Sample::begun(now_ms),
            None => {
                self.samples.push(Sample::begun(now_ms));
                self.current = self.samples.len() - 1;
            }
        }
    }
}

impl Observed {
    /// How long nothing must come until the rate is within `bound`; `None` where it is.
    ///
    /// Kafka: `QuotaUtils.throttleTime`. With O over a window of W, O * W / (W + X) = bound.
    pub fn throttle_time_ms(self, bound: f64) -> Option<i64> {
        if self.per_second <= bound || bound.is_nan() {
            return None;
        }
        #[allow(clippy::cast_precision_loss)]
        let exact_ms = (self.per_second - bound) / bound * self.window_ms as f64;
        Some(rounded(exact_ms))
    }
}

/// `Math.round`.
pub(crate) fn rounded(exact: f64) -> i64 {
    #[allow(clippy::cast_possible_truncation)]
    let rounded = (exact + 0.5).floor() as i64;
    rounded
}

impl Measure for Rate {
    /// All of its samples would begin anew.
    fn is_idle(&self, window: Window, _: Option<f64>, now_ms: i64) -> bool {
        self.samples.iter().all(|sample| now_ms - sample.last_ms >= window.span_ms())
    }

    fn last_ms(&self) -> i64 {
        self.samples.iter().map(|sample| sample.last_ms).max().unwrap_or(i64::MIN)
    }
}

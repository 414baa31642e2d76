//! The time that a rate is measured over: a row of samples of one length.

use std::time::Duration;

/// `quota.window.num` samples of `quota.window.size.seconds`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    samples: u32,
    sample_seconds: u32,
}

impl Window {
    /// Of values as a configuration has them: each at least one.
    pub fn new(samples: i32, sample_seconds: i32) -> Self {
        let positive = |value: i32| u32::try_from(value).unwrap_or(1).max(1);
        Self { samples: positive(samples), sample_seconds: positive(sample_seconds) }
    }

    pub(crate) fn samples(self) -> u32 {
        self.samples
    }

    pub(crate) fn sample_ms(self) -> i64 {
        i64::from(self.sample_seconds) * 1000
    }

    /// The length of a sample.
    pub fn sample(self) -> Duration {
        Duration::from_secs(self.sample_seconds.into())
    }

    /// How long an event counts.
    pub(crate) fn span_ms(self) -> i64 {
        i64::from(self.samples) * self.sample_ms()
    }

    pub(crate) fn span_seconds(self) -> f64 {
        f64::from(self.samples) * f64::from(self.sample_seconds)
    }

    /// The samples that are surely whole.
    pub(crate) fn whole_seconds(self) -> f64 {
        f64::from(self.samples - 1) * f64::from(self.sample_seconds)
    }
}

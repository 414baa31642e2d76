//! Percentiles over every sample of a run (no histogram: a run has few enough to keep them all).

use std::time::Duration;

#[derive(Clone, Debug, Default)]
pub struct Latencies {
    micros: Vec<u32>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct Percentiles {
    pub p50_us: u32,
    pub p99_us: u32,
    pub p999_us: u32,
    pub max_us: u32,
}

impl Latencies {
    pub fn with_capacity(samples: usize) -> Self {
        Self { micros: Vec::with_capacity(samples) }
    }

    pub fn record(&mut self, took: Duration) {
        self.micros.push(u32::try_from(took.as_micros()).unwrap_or(u32::MAX));
    }

    pub fn merge(&mut self, other: Self) {
        self.micros.extend(other.micros);
    }

    pub fn percentiles(mut self) -> Percentiles {
        self.micros.sort_unstable();
        Percentiles {
            p50_us: self.at(0.5),
            p99_us: self.at(0.99),
            p999_us: self.at(0.999),
            max_us: self.at(1.0),
        }
    }

    /// The smallest sample that at least this share of all samples does not exceed.
    fn at(&self, share: f64) -> u32 {
        let rank = (share * self.micros.len() as f64).ceil() as usize;
        self.micros.get(rank.saturating_sub(1)).copied().unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_samples_by_rank() {
        let mut latencies = Latencies::default();
        for micros in (1..=1000).rev() {
            latencies.record(Duration::from_micros(micros));
        }
        let expected = Percentiles { p50_us: 500, p99_us: 990, p999_us: 999, max_us: 1000 };
        assert_eq!(latencies.percentiles(), expected);
        assert_eq!(Latencies::default().percentiles(), Percentiles::default());
    }
}

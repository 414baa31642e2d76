//! How values are distributed, over the whole range of a u64 and in one size of memory.
//!
//! ```text
//! 0 1 2 … 15 │ 16 18 20 … 30 │ 32 36 40 … 60 │ 64 …      a bucket's least value
//!   exact    │  8 a doubling, so a bucket is 1/8 of its least value wide at most
//! ```
//! Kept true: every value is in one bucket; a quantile is the upper end of the bucket that it lies
//! in, never above the largest value, so it is too large by an eighth at most.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::counter::Counter;

/// Values below this have a bucket each.
const EXACT: u64 = 16;
/// Buckets of each further doubling, as a power of two.
const PER_DOUBLING_BITS: u32 = 3;
const PER_DOUBLING: usize = 1 << PER_DOUBLING_BITS;
/// The doubling that [`EXACT`] begins.
const FIRST_DOUBLING: u32 = EXACT.ilog2();
const BUCKETS: usize = EXACT as usize + (u64::BITS - FIRST_DOUBLING) as usize * PER_DOUBLING;

/// Counts values by size.
#[derive(Debug)]
pub struct Histogram {
    buckets: Box<[AtomicU64; BUCKETS]>,
    sum: AtomicU64,
    max: AtomicU64,
    /// Counts all values, so that a 0 need not be recorded.
    all: Option<Arc<Counter>>,
}

/// What a histogram held when it was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Distribution {
    buckets: Vec<u64>,
    /// How many values there were.
    pub count: u64,
    pub sum: u64,
    pub max: u64,
}

impl Default for Histogram {
    fn default() -> Self {
        let buckets = Box::new([const { AtomicU64::new(0) }; BUCKETS]);
        Self { buckets, sum: AtomicU64::new(0), max: AtomicU64::new(0), all: None }
    }
}

impl Histogram {
    /// A histogram of as many values as `all` counts: those that are not recorded are 0.
    pub fn among(all: Arc<Counter>) -> Self {
        Self { all: Some(all), ..Self::default() }
    }

    /// Counts one value.
    pub fn record(&self, value: u64) {
        if let Some(bucket) = self.buckets.get(bucket_of(value)) {
            bucket.fetch_add(1, Ordering::Relaxed);
        }
        // Most phases of most requests take less than a millisecond, which changes neither.
        if value > 0 {
            self.sum.fetch_add(value, Ordering::Relaxed);
            self.max.fetch_max(value, Ordering::Relaxed);
        }
    }

    /// What it holds; values that are recorded meanwhile may be in it.
    pub fn read(&self) -> Distribution {
        let mut buckets: Vec<u64> =
            self.buckets.iter().map(|bucket| bucket.load(Ordering::Relaxed)).collect();
        if let Some(all) = &self.all {
            let recorded: u64 = buckets.iter().sum();
            buckets[0] += all.count().saturating_sub(recorded);
        }
        Distribution {
            count: buckets.iter().sum(),
            buckets,
            sum: self.sum.load(Ordering::Relaxed),
            max: self.max.load(Ordering::Relaxed),
        }
    }
}

impl Distribution {
    /// The value that this share of all values (0 to 1) does not exceed; 0 where there are none.
    pub fn quantile(&self, share: f64) -> u64 {
        #[allow(
            clippy::cast_precision_loss,
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss
        )]
        let rank = ((self.count as f64 * share.clamp(0.0, 1.0)).ceil() as u64).max(1);
        let mut seen = 0;
        for (at, count) in self.buckets.iter().enumerate() {
            seen += count;
            if seen >= rank {
                return upper_end(at).min(self.max);
            }
        }
        0
    }
}

fn bucket_of(value: u64) -> usize {
    if value < EXACT {
        return value as usize;
    }
    let doubling = value.ilog2();
    let within = (value >> (doubling - PER_DOUBLING_BITS)) as usize % PER_DOUBLING;
    EXACT as usize + (doubling - FIRST_DOUBLING) as usize * PER_DOUBLING + within
}

/// The largest value of a bucket.
fn upper_end(bucket: usize) -> u64 {
    let Some(above) = bucket.checked_sub(EXACT as usize) else { return bucket as u64 };
    let (doubling, within) = (above / PER_DOUBLING, above % PER_DOUBLING);
    let shift = doubling as u32 + FIRST_DOUBLING - PER_DOUBLING_BITS;
    let next = (PER_DOUBLING + within + 1) as u128;
    u64::try_from((next << shift) - 1).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_value_is_in_the_bucket_whose_ends_it_lies_between() {
        assert_eq!(bucket_of(u64::MAX), BUCKETS - 1);
        assert_eq!(upper_end(BUCKETS - 1), u64::MAX);
        let around = (0..64).flat_map(|bit| {
            let power = 1_u64 << bit;
            [power.saturating_sub(1), power, power + 1, power + power / 8, power + power / 3]
        });
        for value in (0..5000).chain(around).chain([u64::MAX - 1, u64::MAX]) {
            let bucket = bucket_of(value);
            assert!(value <= upper_end(bucket), "{value}");
            assert!(bucket == 0 || value > upper_end(bucket - 1), "{value}");
            let width = upper_end(bucket) - value;
            assert!(width <= value / 8, "{value} may be shown as {}", upper_end(bucket));
        }
    }

    #[test]
    fn quantiles_are_those_of_the_values_to_an_eighth() {
        let histogram = Histogram::default();
        assert_eq!(histogram.read().quantile(0.5), 0, "nothing yet");
        (1..=1000).for_each(|value| histogram.record(value));
        let read = histogram.read();
        assert_eq!((read.count, read.sum, read.max), (1000, 500_500, 1000));
        for (share, exact) in [(0.0, 1), (0.01, 10), (0.5, 500), (0.99, 990), (1.0, 1000)] {
            let found = read.quantile(share);
            assert!((exact..=exact + exact / 8).contains(&found), "{share}: {found}");
        }
        let one = Histogram::default();
        one.record(777);
        assert_eq!(one.read().quantile(0.5), 777, "no more than the largest");
    }

    #[test]
    fn of_as_many_values_as_somebody_counts_those_that_are_not_recorded_are_0() {
        let all = Arc::<Counter>::default();
        let histogram = Histogram::among(Arc::clone(&all));
        assert_eq!(histogram.read().count, 0);
        all.add(10);
        [4, 4, 0].iter().for_each(|value| histogram.record(*value));
        let read = histogram.read();
        assert_eq!((read.count, read.sum, read.max), (10, 8, 4));
        assert_eq!([read.quantile(0.8), read.quantile(0.81)], [0, 4]);
        // Recorded before it is counted.
        let early = Histogram::among(Arc::default());
        early.record(3);
        assert_eq!(early.read().count, 1);
    }
}

//! What counts: an atomic number, written without an order to anything else.

use std::sync::atomic::{AtomicU64, Ordering};

/// Goes up alone. Kafka: a `Meter`, whose rates are for the reader to make.
#[derive(Debug, Default)]
pub struct Counter(AtomicU64);

impl Counter {
    /// So many more.
    pub fn add(&self, count: u64) {
        self.0.fetch_add(count, Ordering::Relaxed);
    }

    /// How many there were.
    pub fn count(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

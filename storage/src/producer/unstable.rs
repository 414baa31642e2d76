//! The transactions that hold the last stable offset back: those without a marker, and those whose
//! marker lies at or above the high watermark. Answers to the `ongoingTxns` and `unreplicatedTxns`
//! of Kafka's `ProducerStateManager`.
//!
//! Shared with readers, who ask without the partition's lock; a log that never saw a transaction
//! answers them with one load.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};

use parking_lot::Mutex;

use super::entry::CompletedTransaction;
use crate::planted::{Bug, is_planted};

#[derive(Debug, Default)]
pub struct Unstable {
    any: AtomicBool,
    transactions: Mutex<Transactions>,
}

#[derive(Debug, Default)]
struct Transactions {
    /// Producer ids by the first offset of their open transaction.
    ongoing: BTreeMap<i64, i64>,
    /// Marker offsets by first offset.
    completed: BTreeMap<i64, i64>,
}

impl Unstable {
    pub(crate) fn begin(&self, producer_id: i64, first_offset: i64) {
        self.transactions.lock().ongoing.insert(first_offset, producer_id);
        self.any.store(true, Ordering::Release);
    }

    /// The last stable offset if `completed` is replicated: what the transaction index records.
    pub(crate) fn stable_after(&self, completed: &CompletedTransaction) -> i64 {
        let transactions = self.transactions.lock();
        let mut others = transactions.ongoing.iter();
        let next = others.find(|(_, producer_id)| **producer_id != completed.producer_id);
        next.map_or(completed.last_offset + 1, |(first_offset, _)| *first_offset)
    }

    pub(crate) fn complete(&self, completed: &CompletedTransaction) {
        let mut transactions = self.transactions.lock();
        if transactions.ongoing.remove(&completed.first_offset).is_some() {
            transactions.completed.insert(completed.first_offset, completed.last_offset);
        }
    }

    /// Forgets completed transactions whose marker lies below `offset`.
    pub fn decided_below(&self, offset: i64) {
        if !self.any.load(Ordering::Acquire) {
            return;
        }
        let mut transactions = self.transactions.lock();
        transactions.completed.retain(|_, marker| *marker >= offset);
        if transactions.ongoing.is_empty() && transactions.completed.is_empty() {
            self.any.store(false, Ordering::Release);
        }
    }

    pub(crate) fn clear(&self) {
        *self.transactions.lock() = Transactions::default();
        self.any.store(false, Ordering::Release);
    }

    /// First offset that is not decided below `high_watermark`; the high watermark itself if all
    /// is.
    pub fn last_stable_offset(&self, high_watermark: i64) -> i64 {
        if !self.any.load(Ordering::Acquire) || is_planted(Bug::OpenIsStable) {
            return high_watermark;
        }
        let transactions = self.transactions.lock();
        let ongoing = transactions.ongoing.keys().next().copied();
        let completed = transactions.completed.iter();
        let completed =
            completed.filter(|(_, marker)| **marker >= high_watermark).map(|(first, _)| *first);
        let completed = completed.filter(|_| !is_planted(Bug::StableBeforeReplication));
        completed.chain(ongoing).min().map_or(high_watermark, |first| first.min(high_watermark))
    }
}

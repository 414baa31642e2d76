//! Which transactions are going by in a walk through a log, and which of their markers may go.
//! Kafka's `CleanedTransactionMetadata`.
//!
//! Records of an aborted transaction go at once. A marker may go when a walk saw none of its
//! transaction's batches any more; of an abort the entry of the transaction index goes with them.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap, HashSet};

use protocol::batch::{BatchHeader, ControlType};

use crate::index::transaction::AbortedTransaction;

#[derive(Debug, Default)]
pub(super) struct CleanedTransactionMetadata {
    ongoing_committed: HashSet<i64>,
    ongoing_aborted: HashMap<i64, Aborted>,
    /// Those that begin behind what went by, by their first offset.
    coming: BinaryHeap<Reverse<(i64, i64, i64, i64)>>,
}

#[derive(Debug)]
struct Aborted {
    transaction: AbortedTransaction,
    /// Whether a batch of it went by.
    was_seen: bool,
}

/// What a marker that goes by means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum MarkerOf {
    /// A transaction without batches: it may go.
    Nothing,
    /// A transaction of which there are batches, or no transaction.
    Something,
    /// An aborted transaction of which there are batches: it stays in the transaction index.
    Aborted(AbortedTransaction),
}

impl MarkerOf {
    pub(super) fn can_be_discarded(self) -> bool {
        self == Self::Nothing
    }
}

impl CleanedTransactionMetadata {
    /// Takes transactions from the index of what is walked through next.
    pub(super) fn add_aborted(&mut self, transactions: Vec<AbortedTransaction>) {
        let ordered = |t: AbortedTransaction| {
            Reverse((t.first_offset, t.last_offset, t.producer_id, t.last_stable_offset))
        };
        self.coming.extend(transactions.into_iter().map(ordered));
    }

    /// A batch of records goes by; whether it belongs to an aborted transaction.
    pub(super) fn on_batch_read(&mut self, header: &BatchHeader) -> bool {
        self.begin_up_to(header.last_offset());
        if !header.is_transactional() {
            return false;
        }
        let producer_id = header.producer_id();
        match self.ongoing_aborted.get_mut(&producer_id) {
            Some(aborted) => {
                aborted.was_seen = true;
                true
            }
            None => {
                self.ongoing_committed.insert(producer_id);
                false
            }
        }
    }

    /// A control batch goes by; `key` is its record's, if it has one.
    pub(super) fn on_control_batch_read(
        &mut self,
        header: &BatchHeader,
        key: Option<&[u8]>,
    ) -> MarkerOf {
        self.begin_up_to(header.last_offset());
        // One without a record was cleaned before.
        let Some(key) = key else { return MarkerOf::Nothing };
        match ControlType::from_key(key) {
            Some(ControlType::Abort) => match self.ongoing_aborted.remove(&header.producer_id()) {
                Some(aborted) if aborted.was_seen => MarkerOf::Aborted(aborted.transaction),
                _ => MarkerOf::Nothing,
            },
            Some(ControlType::Commit) if self.ongoing_committed.remove(&header.producer_id()) => {
                MarkerOf::Something
            }
            Some(ControlType::Commit) => MarkerOf::Nothing,
            _ => MarkerOf::Something,
        }
    }

    fn begin_up_to(&mut self, offset: i64) {
        while let Some(Reverse((first_offset, last_offset, producer_id, last_stable_offset))) =
            self.coming.peek().copied()
            && first_offset <= offset
        {
            self.coming.pop();
            let transaction =
                AbortedTransaction { producer_id, first_offset, last_offset, last_stable_offset };
            let aborted = Aborted { transaction, was_seen: false };
            self.ongoing_aborted.entry(producer_id).or_insert(aborted);
        }
    }
}

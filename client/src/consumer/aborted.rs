//! Which transactional batches of a fetched stretch a reader of committed records passes over.
//!
//! Pure. The answer to a fetch lists the aborted transactions that lie in it, each by its producer
//! and the first offset; the abort marker in the log ends one. Answers to `CompletedFetch`.

use std::collections::HashSet;

/// A transaction that was aborted, as a fetch's answer names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct AbortedTransaction {
    pub(super) producer_id: i64,
    pub(super) first_offset: i64,
}

/// Aborted transactions from the beginning of a stretch to where it is read.
#[derive(Debug, Default)]
pub(super) struct AbortedTransactions {
    /// Those that begin later, the earliest last.
    ahead: Vec<AbortedTransaction>,
    open: HashSet<i64>,
}

impl AbortedTransactions {
    pub(super) fn new(mut transactions: Vec<AbortedTransaction>) -> Self {
        transactions.sort_by_key(|transaction| std::cmp::Reverse(transaction.first_offset));
        Self { ahead: transactions, open: HashSet::new() }
    }

    /// Whether a transactional batch of this producer, which ends at `last_offset`, was aborted.
    pub(super) fn is_aborted(&mut self, producer_id: i64, last_offset: i64) -> bool {
        while let Some(next) = self.ahead.last().copied() {
            if next.first_offset > last_offset {
                break;
            }
            self.ahead.pop();
            self.open.insert(next.producer_id);
        }
        self.open.contains(&producer_id)
    }

    /// An abort marker of this producer was read.
    pub(super) fn ended(&mut self, producer_id: i64) {
        self.open.remove(&producer_id);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn batches_between_an_aborted_transactions_start_and_its_marker_are_passed_over() {
        let named = |producer_id, first_offset| AbortedTransaction { producer_id, first_offset };
        let mut aborted = AbortedTransactions::new(vec![named(2, 30), named(1, 10), named(1, 50)]);
        assert!(!aborted.is_aborted(1, 9), "committed before");
        assert!(aborted.is_aborted(1, 12));
        assert!(!aborted.is_aborted(2, 20), "its transaction was committed");
        assert!(aborted.is_aborted(1, 22), "until its marker");
        aborted.ended(1);
        assert!(!aborted.is_aborted(1, 40) && aborted.is_aborted(2, 41));
        assert!(aborted.is_aborted(1, 55), "the next one of the same producer");
    }
}

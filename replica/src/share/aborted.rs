//! Which of the records that were read belong to aborted transactions: a share group with
//! share.isolation.level=read_committed is not given them, since its members would not filter.
//! Kafka: `SharePartition.fetchAbortedTransactionRecordBatches`,
//! `filterRecordBatchesFromAcquiredRecords`.

use std::collections::HashSet;

use super::acquisition::AcquiredRecords;

/// A record batch of the log, as far as a share partition looks at it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FetchedBatch {
    pub base_offset: i64,
    pub last_offset: i64,
    pub kind: BatchKind,
}

/// What is in a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BatchKind {
    /// Of no producer, or not of a transaction.
    Plain,
    Transactional {
        producer_id: i64,
    },
    /// The marker that ends a transaction, aborted.
    AbortMarker {
        producer_id: i64,
    },
}

/// A transaction that was rolled back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AbortedTransaction {
    pub producer_id: i64,
    pub first_offset: i64,
}

/// The offsets of batches that were aborted, in their order.
pub(super) fn aborted_ranges(
    batches: &[FetchedBatch],
    aborted: &[AbortedTransaction],
) -> Vec<(i64, i64)> {
    let mut aborted = aborted.to_vec();
    aborted.sort_by_key(|transaction| transaction.first_offset);
    let mut begun = aborted.into_iter().peekable();
    let mut producers = HashSet::new();
    let mut ranges = Vec::new();
    for batch in batches {
        while let Some(transaction) =
            begun.next_if(|transaction| transaction.first_offset <= batch.last_offset)
        {
            producers.insert(transaction.producer_id);
        }
        match batch.kind {
            BatchKind::AbortMarker { producer_id } => {
                producers.remove(&producer_id);
            }
            BatchKind::Transactional { producer_id } if producers.contains(&producer_id) => {
                ranges.push((batch.base_offset, batch.last_offset));
            }
            BatchKind::Transactional { .. } | BatchKind::Plain => {}
        }
    }
    ranges
}

/// What is left of acquired records without those ranges; both are in the order of their offsets.
pub(super) fn without(
    acquired: Vec<AcquiredRecords>,
    ranges: &[(i64, i64)],
) -> Vec<AcquiredRecords> {
    let mut left = Vec::with_capacity(acquired.len());
    for mut records in acquired {
        let mut is_gone = false;
        for (first, last) in ranges {
            if *last < records.first_offset || *first > records.last_offset {
                continue;
            }
            if *first > records.first_offset {
                left.push(AcquiredRecords { last_offset: first - 1, ..records });
            }
            is_gone = *last >= records.last_offset;
            records.first_offset = last + 1;
            if is_gone {
                break;
            }
        }
        if !is_gone {
            left.push(records);
        }
    }
    left
}

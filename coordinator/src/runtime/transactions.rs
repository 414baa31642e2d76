//! Producers' transactions on a shard's log: records that a marker decides about, and the markers.
//!
//! ```text
//! step_in_transaction ── records ──▶ replay (held, as under way) ──▶ log
//! end_transaction ────────────────────────── marker ───────────────▶ log ── written ──▶ the shard
//! ```
//! Writes are reported in order, so a marker finds exactly what was written before it. Answers to
//! `CoordinatorRuntime.scheduleTransactionalWriteOperation` and `scheduleTransactionCompletion`.

use protocol::batch::BatchBuilder;

use super::outputs::{Effects, Outputs, Reply, Write, WriteId};
use super::shard::{Now, Shard, WriteFailure};
use super::{Runtime, Waiting};

/// Who writes in a transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Producer {
    pub id: i64,
    pub epoch: i16,
}

/// How a transaction ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TransactionEnd {
    pub is_commit: bool,
    pub coordinator_epoch: i32,
    /// KIP-1228.
    pub transaction_version: i8,
}

/// What a write is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WritePurpose {
    /// The coordinator's own records.
    Own,
    /// Records of a producer's transaction.
    InTransaction(Producer),
    /// The marker that ends a producer's transaction; it has no records.
    End(Producer, TransactionEnd),
}

/// The key and the value of a marker.
const MARKER_KEY: [u8; 4] = [0; 4];
const MARKER_VALUE: [u8; 6] = [0; 6];

impl WritePurpose {
    /// The producer whose transaction the records are part of.
    pub(super) fn transaction_of(self) -> Option<i64> {
        match self {
            Self::InTransaction(producer) => Some(producer.id),
            Self::Own | Self::End(..) => None,
        }
    }

    /// What it takes in a batch besides records.
    pub(super) fn size_bound(self) -> usize {
        match self {
            Self::End(..) => {
                BatchBuilder::record_size_bound(Some(&MARKER_KEY), Some(&MARKER_VALUE))
            }
            Self::Own | Self::InTransaction(_) => 0,
        }
    }
}

impl<S: Shard> Runtime<S> {
    /// One call of the shard, whose records are part of a producer's transaction.
    pub fn step_in_transaction<R>(
        &mut self,
        producer: Producer,
        now: Now,
        effects: &mut Effects<S>,
        call: impl FnOnce(&mut S, Now, &mut Outputs<S>) -> R,
    ) -> R {
        self.step_for(WritePurpose::InTransaction(producer), now, effects, call)
    }

    /// A producer's transaction ends; answered when the marker is written.
    pub fn end_transaction<T: Into<S::Answer>>(
        &mut self,
        producer: Producer,
        end: TransactionEnd,
        reply: Reply<T>,
        answer: T,
        effects: &mut Effects<S>,
    ) {
        let id = self.next_write;
        self.next_write = WriteId(id.0 + 1);
        let waiting = Waiting {
            after_write: None,
            replies: vec![(reply.id(), answer.into())],
            ends: Some((producer.id, end.is_commit)),
        };
        self.under_way.insert(id, waiting);
        let purpose = WritePurpose::End(producer, end);
        effects.writes.push(Write { id, records: Vec::new(), purpose });
    }

    /// Whether a write that failed like this made nothing that others were decided upon: a marker
    /// that is certainly not in the log.
    pub(super) fn concerns_nobody_else(&self, id: WriteId, failure: WriteFailure) -> bool {
        let ends = self.under_way.get(&id).is_some_and(|waiting| waiting.ends.is_some());
        ends && !failure.leaves_doubt()
    }
}

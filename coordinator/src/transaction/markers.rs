//! Markers: what the host sends to the leaders of all partitions of a transaction, and what follows
//! when they are written.
//!
//! Kept true: an outcome is complete when no partition is left without its marker, or with none to
//! write one to. Answers to `TransactionMarkerChannelManager`.

use std::collections::BTreeSet;

use protocol::wire::StrBytes;

use super::Outputs;
use super::answer::ProducerIdAndEpoch;
use super::metadata::{TopicPartition, TransactionVersion};
use super::shard::{AfterWrite, TransactionShard};
use super::state::TransactionState;
use crate::planted::{Bug, is_planted};
use crate::runtime::Now;

/// Markers that are to be written, for one transaction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Markers {
    pub transactional_id: StrBytes,
    pub producer: ProducerIdAndEpoch,
    pub is_commit: bool,
    pub transaction_version: TransactionVersion,
    pub partitions: BTreeSet<TopicPartition>,
}

/// What the host does for the shard.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// Each partition is told of by [`TransactionShard::markers_written`].
    SendMarkers(Markers),
    /// A transaction's time is up, and the epochs of its producer id are used up, too: it is
    /// aborted with a new id by [`TransactionShard::abort_with`].
    AbortWithNewId { transactional_id: StrBytes, producer: ProducerIdAndEpoch },
}

impl TransactionShard {
    /// Sends what has no marker yet; without any the transaction is complete.
    pub(super) fn send_markers(
        &mut self,
        transactional_id: &StrBytes,
        now: Now,
        out: &mut Outputs,
    ) {
        let Some(known) = self.standing(transactional_id) else { return };
        if !known.state.is_prepared() {
            return;
        }
        if known.partitions.is_empty() {
            self.complete(transactional_id, now, out);
            return;
        }
        out.command(Command::SendMarkers(Markers {
            transactional_id: transactional_id.clone(),
            producer: known.producer(),
            is_commit: known.state == TransactionState::PrepareCommit,
            transaction_version: known.client_transaction_version,
            partitions: known.partitions.clone(),
        }));
    }

    /// These partitions have their marker for this producer's transaction, or are no more.
    pub fn markers_written(
        &mut self,
        transactional_id: &StrBytes,
        producer: ProducerIdAndEpoch,
        partitions: &[TopicPartition],
        now: Now,
        out: &mut Outputs,
    ) {
        let Some(known) = self.transactions.committed_mut(transactional_id) else { return };
        if !known.state.is_prepared() || known.producer() != producer {
            return;
        }
        for partition in partitions {
            known.partitions.remove(partition);
        }
        if is_planted(Bug::CompletesAtFirstMarker) {
            known.partitions.clear();
        }
        self.complete(transactional_id, now, out);
    }

    /// Writes that the transaction is complete, if it is and this is not under way.
    pub(super) fn complete(&mut self, transactional_id: &StrBytes, now: Now, out: &mut Outputs) {
        let Some(versions) = self.transactions.versions(transactional_id) else { return };
        let Some(known) = versions.committed() else { return };
        let is_due = known.state.is_prepared() && known.partitions.is_empty();
        if !is_due || versions.is_under_way() {
            return;
        }
        let completed = known.completed(now.wall_ms);
        let record = self.record(transactional_id, Some(completed));
        let after = AfterWrite::Completed { transactional_id: transactional_id.clone() };
        out.write(self, vec![record], Some(after));
    }
}

//! ListTransactions and DescribeTransactions: what can be seen of transactional ids, as the log has
//! them. Answers to `TransactionStateManager.listTransactionStates` and
//! `TransactionCoordinator.handleDescribeTransactions`.

use std::collections::BTreeSet;

use protocol::wire::StrBytes;

use super::answer::{ProducerIdAndEpoch, TransactionError};
use super::metadata::{TopicPartition, TransactionMetadata};
use super::shard::TransactionShard;
use super::state::TransactionState;
use crate::runtime::Now;

/// Which transactional ids are listed; what is empty takes all.
#[derive(Debug, Clone, Default)]
pub struct TransactionFilter {
    /// Whether states are asked for, known ones or not.
    pub is_by_state: bool,
    pub states: BTreeSet<TransactionState>,
    pub producer_ids: BTreeSet<i64>,
    /// Only what has been open for longer; below 0 it does not matter.
    pub duration_ms: i64,
}

/// A transactional id in a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedTransaction {
    pub transactional_id: StrBytes,
    pub producer_id: i64,
    pub state: TransactionState,
}

/// A transactional id in full.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DescribedTransaction {
    pub producer: ProducerIdAndEpoch,
    pub state: TransactionState,
    pub timeout_ms: i32,
    pub start_timestamp_ms: i64,
    pub partitions: BTreeSet<TopicPartition>,
}

impl TransactionShard {
    #[must_use]
    pub fn list(&self, filter: &TransactionFilter, now: Now) -> Vec<ListedTransaction> {
        let standing = self.transactions.all().filter_map(|(id, versions)| {
            let known = versions.committed().filter(|known| filter.takes(known, now))?;
            Some(ListedTransaction {
                transactional_id: id.clone(),
                producer_id: known.producer_id,
                state: known.state,
            })
        });
        standing.collect()
    }

    pub fn describe(
        &self,
        transactional_id: &StrBytes,
    ) -> Result<DescribedTransaction, TransactionError> {
        let known = self.standing(transactional_id);
        let known = known.filter(|known| known.state != TransactionState::Dead);
        let known = known.ok_or(TransactionError::TransactionalIdNotFound)?;
        Ok(DescribedTransaction {
            producer: known.producer(),
            state: known.state,
            timeout_ms: known.timeout_ms,
            start_timestamp_ms: known.start_timestamp_ms,
            partitions: known.partitions.clone(),
        })
    }
}

impl TransactionFilter {
    fn takes(&self, known: &TransactionMetadata, now: Now) -> bool {
        let open_ms = now.wall_ms.saturating_sub(known.start_timestamp_ms);
        known.state != TransactionState::Dead
            && (self.producer_ids.is_empty() || self.producer_ids.contains(&known.producer_id))
            && (!self.is_by_state || self.states.contains(&known.state))
            && (self.duration_ms < 0 || open_ms > self.duration_ms)
    }
}

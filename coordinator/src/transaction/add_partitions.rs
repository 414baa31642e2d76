//! AddPartitionsToTxn and AddOffsetsToTxn: what takes part in a transaction; and whether it does,
//! which leaders ask before they append (KIP-890). Answers to
//! `TransactionCoordinator.handleAddPartitionsToTransaction` and
//! `handleVerifyPartitionsInTransaction`.

use std::collections::BTreeSet;

use protocol::wire::StrBytes;

use super::Outputs;
use super::answer::{AddPartitionsAnswer, ProducerIdAndEpoch, TransactionError};
use super::metadata::{TopicPartition, TransactionMetadata, TransactionVersion};
use super::shard::TransactionShard;
use super::state::TransactionState;
use crate::runtime::{Now, Reply};

/// What a producer, or a leader in its name, asks for.
#[derive(Debug, Clone)]
pub struct AddPartitions {
    pub transactional_id: StrBytes,
    pub producer: ProducerIdAndEpoch,
    pub partitions: BTreeSet<TopicPartition>,
    /// How the client ends its transactions.
    pub client: TransactionVersion,
}

impl TransactionShard {
    pub fn add_partitions(
        &mut self,
        asked: &AddPartitions,
        reply: Reply<AddPartitionsAnswer>,
        now: Now,
        out: &mut Outputs,
    ) {
        match self.with_added(asked, now) {
            Err(error) => out.reply(reply, Err(error)),
            Ok(None) => out.reply(reply, Ok(())),
            Ok(Some(next)) => {
                let record = self.record(&asked.transactional_id, Some(next));
                out.write_and_reply(self, vec![record], reply, Ok(()));
            }
        }
    }

    /// What adding makes of the transaction; nothing where all of it takes part already.
    fn with_added(
        &self,
        asked: &AddPartitions,
        now: Now,
    ) -> Result<Option<TransactionMetadata>, TransactionError> {
        let known = self.settled(&asked.transactional_id)?;
        let known = known.ok_or(TransactionError::InvalidProducerIdMapping)?;
        check_producer(known, asked.producer)?;
        match known.state {
            TransactionState::Ongoing if asked.partitions.is_subset(&known.partitions) => Ok(None),
            TransactionState::Ongoing
            | TransactionState::Empty
            | TransactionState::CompleteCommit
            | TransactionState::CompleteAbort => {
                let added = asked.partitions.iter().cloned();
                Ok(Some(known.with_partitions(added, asked.client, now.wall_ms)))
            }
            TransactionState::PrepareCommit | TransactionState::PrepareAbort => {
                Err(TransactionError::ConcurrentTransactions)
            }
            TransactionState::Dead | TransactionState::PrepareEpochFence => {
                Err(TransactionError::Unexpected("no transactional id has this state"))
            }
        }
    }

    /// Of each of these partitions whether it takes part in the producer's transaction.
    pub fn verify_partitions(
        &self,
        transactional_id: &StrBytes,
        producer: ProducerIdAndEpoch,
        partitions: &BTreeSet<TopicPartition>,
    ) -> Result<Vec<(TopicPartition, bool)>, TransactionError> {
        let known = self.standing(transactional_id);
        let known = known.ok_or(TransactionError::InvalidProducerIdMapping)?;
        check_producer(known, producer)?;
        if known.state.is_prepared() {
            return Err(TransactionError::ConcurrentTransactions);
        }
        let takes_part =
            |partition: &TopicPartition| (partition.clone(), known.partitions.contains(partition));
        Ok(partitions.iter().map(takes_part).collect())
    }
}

fn check_producer(
    known: &TransactionMetadata,
    producer: ProducerIdAndEpoch,
) -> Result<(), TransactionError> {
    if known.producer_id != producer.producer_id {
        return Err(TransactionError::InvalidProducerIdMapping);
    }
    if known.producer_epoch != producer.producer_epoch {
        return Err(TransactionError::ProducerFenced);
    }
    Ok(())
}

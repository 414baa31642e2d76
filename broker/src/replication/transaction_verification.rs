//! Before the first records of a transaction are appended to a partition, the transaction
//! coordinator is asked whether it knows of them, or to add the partition.
//!
//! Each partition gives a guard before the question goes out and takes it back with the records, so
//! that an answer that comes after the transaction's end counts for nothing. Kafka:
//! `ReplicaManager.maybeSendPartitionsToTransactionCoordinator`.

use std::collections::HashMap;
use std::sync::Arc;

use protocol::ErrorCode;
use storage::VerificationGuard;
use tokio::time::{Instant, sleep};

use super::add_partitions_to_txn::{AddPartitionsToTxn, Place, Transaction, Unverified};
use super::replica_manager::ReplicaManager;
use crate::requests::error_map;

/// What is known of the partitions that a transaction writes to.
#[derive(Debug, Default)]
pub(crate) struct Verification {
    refused: Unverified,
    guards: HashMap<Place, VerificationGuard>,
}

impl Verification {
    /// Takes guards of the partitions where the transaction is not under way yet. Each comes with
    /// the first sequence that is to be written there.
    pub(crate) fn begin(
        replicas: &ReplicaManager,
        transaction: &Transaction,
        places: &[(Place, i32)],
    ) -> Self {
        let mut verification = Self::default();
        let producer = (transaction.producer_id, transaction.producer_epoch);
        let adds_partitions = transaction.support.adds_partitions();
        for (place, sequence) in places {
            let guard = replicas.partition(&place.0, place.1).and_then(|partition| {
                let begun = partition.begin_verification(producer, *sequence, adds_partitions);
                begun.map_err(|refused| error_map::refused_append(&refused, -1).code)
            });
            match guard {
                Ok(VerificationGuard::NONE) => {}
                Ok(guard) => drop(verification.guards.insert(place.clone(), guard)),
                Err(code) => drop(verification.refused.insert(place.clone(), code)),
            }
        }
        verification
    }

    /// Whether the coordinator is to be asked.
    pub(crate) fn is_needed(&self) -> bool {
        !self.guards.is_empty()
    }

    /// Asks it.
    pub(crate) async fn ask(
        mut self,
        asks: &Arc<AddPartitionsToTxn>,
        transaction: &Transaction,
    ) -> Self {
        let places: Vec<Place> = self.guards.keys().cloned().collect();
        self.refused.extend(asks.add_or_verify(transaction, &places).await);
        self
    }

    /// Asks it until the transaction before is completed, for a client whose partitions are added:
    /// it would need longer to try again itself, and this is what it finds as a rule.
    pub(crate) async fn ask_again(
        mut self,
        asks: &Arc<AddPartitionsToTxn>,
        replicas: &ReplicaManager,
        transaction: &Transaction,
        places: &[(Place, i32)],
    ) -> Self {
        let (pause, most) = asks.retries();
        let begun = Instant::now();
        loop {
            if self.is_needed() {
                self = self.ask(asks, transaction).await;
            }
            let waits =
                self.refused.values().any(|code| *code == ErrorCode::ConcurrentTransactions);
            if !waits || !transaction.support.adds_partitions() || begun.elapsed() >= most {
                return self;
            }
            sleep(pause).await;
            self = Self::begin(replicas, transaction, places);
        }
    }

    /// What records for this partition are appended with, or why they are not.
    pub(crate) fn of(&self, place: &Place) -> Result<VerificationGuard, ErrorCode> {
        match self.refused.get(place) {
            Some(code) => Err(*code),
            None => Ok(self.guards.get(place).copied().unwrap_or(VerificationGuard::NONE)),
        }
    }
}

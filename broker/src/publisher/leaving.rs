//! Partitions that go away from this broker: of deleted topics, or taken by a reassignment.
//!
//! They are gone for everybody at once. Their directories are put aside then, or as soon as that
//! can be done; until it is, they are told of like any difference that stays.

use std::sync::Arc;

use protocol::ErrorCode;
use storage::StorageError;
use uuid::Uuid;

use super::Publisher;
use super::discrepancies::Subject;
use super::reconciling::{Reasons, reason_of, subject_of};
use crate::blocking::blocking;
use crate::broker::Broker;
use crate::clock::wall_ms;
use crate::partitions::HostedPartition;
use crate::publisher::state_changes;

impl Publisher {
    /// Partitions that a reassignment took from this broker.
    pub(super) async fn remove(&mut self, gone: Vec<(Uuid, i32)>) {
        let partitions = &self.broker.replicas.partitions;
        let gone = gone.into_iter();
        let gone = gone.filter_map(|(id, index)| partitions.remove(id, index)).collect();
        self.leave(gone, ErrorCode::NotLeaderOrFollower).await;
    }

    /// Those of deleted topics.
    pub(super) async fn delete(&mut self, deleted: &[Uuid]) {
        for id in deleted {
            let Some(topic) = self.broker.replicas.partitions.remove_topic(*id) else { continue };
            state_changes::deleting(self.broker.config.node_id(), topic.partitions().len());
            self.leave(topic.partitions(), ErrorCode::UnknownTopicOrPartition).await;
        }
    }

    /// Damaged replicas that nobody would elect: their logs are put aside, so that they can begin
    /// anew. What could not be is kept from being opened again until it can.
    pub(super) async fn begin_anew(&mut self, damaged: Vec<(Uuid, i32)>) -> Reasons {
        let partitions = &self.broker.replicas.partitions;
        let gone = damaged.into_iter().filter_map(|(id, index)| partitions.remove(id, index));
        let gone: Vec<Arc<HostedPartition>> = gone.collect();
        gone.iter().for_each(|partition| self.broker.fetchers.forget(partition));
        self.reconciliation.damaged.extend(gone);
        let mut reasons = Reasons::new();
        for partition in std::mem::take(&mut self.reconciliation.damaged) {
            let (broker, going) = (Arc::clone(&self.broker), Arc::clone(&partition));
            let put_aside = blocking("putting a damaged log aside", move || {
                going.give_up(ErrorCode::NotLeaderOrFollower);
                broker.replicas.log_dirs.put_damaged_aside(&going)
            });
            if let Err(error) = put_aside.await {
                let key = (partition.topic_id(), partition.partition());
                reasons.insert(key, format!("its log is not put aside: {}", reason_of(&error)));
                self.reconciliation.damaged.push(partition);
                self.reconciliation.failed();
            }
        }
        reasons
    }

    /// `why` is what those hear who wait on them.
    async fn leave(&mut self, gone: Vec<Arc<HostedPartition>>, why: ErrorCode) {
        if gone.is_empty() {
            return;
        }
        gone.iter().for_each(|partition| self.broker.fetchers.forget(partition));
        self.reconciliation.leaving.extend(gone.into_iter().map(|partition| (partition, why)));
        self.let_go().await;
    }

    /// Puts the directories aside of all that have left, those that could not be before included;
    /// what is left of them, with the reasons.
    pub(super) async fn let_go(&mut self) -> Vec<(Subject, String)> {
        let leaving = std::mem::take(&mut self.reconciliation.leaving);
        let mut left = Vec::new();
        for (partition, why) in leaving {
            let (broker, going) = (Arc::clone(&self.broker), Arc::clone(&partition));
            let put_aside =
                blocking("putting a log aside", move || put_aside(&broker, &going, why)).await;
            match put_aside {
                Ok(()) => {}
                Err(error) if error.is_exhaustion() || is_panic(&error) => {
                    left.push((
                        subject_of(&partition),
                        format!("its log is not put aside: {}", reason_of(&error)),
                    ));
                    self.reconciliation.leaving.push((partition, why));
                    self.reconciliation.failed();
                }
                Err(error) => self.broker.replicas.note_storage_failure(&error),
            }
        }
        left
    }
}

fn put_aside(
    broker: &Broker,
    partition: &HostedPartition,
    why: ErrorCode,
) -> Result<(), StorageError> {
    partition.give_up(why);
    broker.replicas.log_dirs.delete(partition, wall_ms())
}

fn is_panic(error: &StorageError) -> bool {
    matches!(error, StorageError::Panicked { .. })
}

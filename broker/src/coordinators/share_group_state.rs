//! The state of share groups, made and deleted on behalf of the group coordinator: what the
//! persister is asked, and what its shard is told then. Answers to
//! `GroupCoordinatorService.persisterInitialize`, `handlePersisterInitializeResponse` and
//! `deleteShareGroup`.

use std::collections::BTreeMap;
use std::sync::Arc;

use coordinator::group::{Assignment, StateToDelete, StateToInitialize};
use coordinator::share::ShareTopicPartition;
use uuid::Uuid;

use super::groups::GroupsShard;
use super::persister::{InitializeState, PerPartition, Persister, PersisterError};

/// Makes the state of partitions that a member has come to read; where any of it could not be made,
/// all of it is asked for again.
pub(crate) async fn initialize_for_member(
    shard: &Arc<GroupsShard>,
    persister: &Persister,
    state: StateToInitialize,
) {
    let group = state.group.clone();
    let outcomes = initialize(persister, state).await;
    let partitions = named(&outcomes);
    let failed = outcomes.into_iter().find_map(|(_, outcome)| outcome.err());
    let told = match failed {
        None => shard.ask(|shard, reply, now, out| {
            shard.share_state_initialized(&group, &partitions, reply, now, out);
        }),
        Some(PersisterError { message, .. }) => shard.ask(|shard, reply, _, out| {
            shard.share_state_not_initialized(&group, &partitions, message, reply, out);
        }),
    };
    // A shard that is gone, or could not write it, leaves the partitions to be asked for again.
    if let Ok(told) = told {
        told.answer().await;
    }
}

/// The same for offsets that somebody alters; what became of each is for them to see. Unlike Kafka:
/// they see it when it stands (docs/decisions/0486).
pub(crate) async fn initialize_for_admin(
    shard: &Arc<GroupsShard>,
    persister: &Persister,
    state: StateToInitialize,
) -> PerPartition<()> {
    let group = state.group.clone();
    let outcomes = initialize(persister, state).await;
    if !outcomes.is_empty() && outcomes.iter().all(|(_, outcome)| outcome.is_ok()) {
        let partitions = named(&outcomes);
        let told = shard.ask(|shard, reply, now, out| {
            shard.share_state_initialized(&group, &partitions, reply, now, out);
        });
        if let Ok(told) = told {
            told.answer().await;
        }
    }
    outcomes
}

async fn initialize(persister: &Persister, state: StateToInitialize) -> PerPartition<()> {
    let StateToInitialize { group, state_epoch, start_offsets } = state;
    let asked = start_offsets.into_iter().flat_map(|(topic_id, offsets)| {
        offsets.into_iter().map(move |(partition, start_offset)| {
            let partition = ShareTopicPartition { topic_id, partition };
            InitializeState { partition, state_epoch, start_offset }
        })
    });
    persister.initialize_state(&group, asked.collect()).await
}

/// Deletes state; topic by topic, why it was not deleted whole.
pub(crate) async fn delete(
    persister: &Persister,
    state: StateToDelete,
) -> BTreeMap<Uuid, Option<PersisterError>> {
    let asked = state.partitions.into_iter().flat_map(|(topic_id, partitions)| {
        let partitions = partitions.into_iter();
        partitions.map(move |partition| ShareTopicPartition { topic_id, partition })
    });
    let outcomes = persister.delete_state(&state.group, asked.collect()).await;
    let mut topics: BTreeMap<Uuid, Option<PersisterError>> = BTreeMap::new();
    for (ShareTopicPartition { topic_id, .. }, outcome) in outcomes {
        let of_topic = topics.entry(topic_id).or_default();
        *of_topic = of_topic.take().or_else(|| outcome.err());
    }
    topics
}

fn named(outcomes: &PerPartition<()>) -> Assignment {
    let mut partitions = Assignment::new();
    for (ShareTopicPartition { topic_id, partition }, _) in outcomes {
        partitions.entry(*topic_id).or_default().insert(*partition);
    }
    partitions
}

//! Tasks of members: active ones, standbys, warm-ups. Answers to `TasksTuple` and
//! `TasksTupleWithEpochs`.

use std::collections::{BTreeMap, BTreeSet};

use protocol::records::group::StreamsTaskIds;
use protocol::wire::StrBytes;

/// Tasks by subtopology; no subtopology without one.
pub type Tasks = BTreeMap<StrBytes, BTreeSet<i32>>;

/// What a member is to have, or says that it has.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TaskAssignment {
    pub active: Tasks,
    pub standby: Tasks,
    /// No assignor of 4.3 gives any.
    pub warmup: Tasks,
}

impl TaskAssignment {
    pub(super) fn is_empty(&self) -> bool {
        self.active.is_empty() && self.standby.is_empty() && self.warmup.is_empty()
    }

    /// Whether any of these tasks is among them, as the same kind of task.
    pub(super) fn has_any_of(&self, others: &OwnedTasks) -> bool {
        let actives = self.active.iter().any(|(subtopology, tasks)| {
            others
                .active
                .get(subtopology)
                .is_some_and(|others| tasks.iter().any(|partition| others.contains_key(partition)))
        });
        actives || meet(&self.standby, &others.standby) || meet(&self.warmup, &others.warmup)
    }

    pub(super) fn of_record(
        active: Vec<StreamsTaskIds>,
        standby: Vec<StreamsTaskIds>,
        warmup: Vec<StreamsTaskIds>,
    ) -> Self {
        Self { active: read(active), standby: read(standby), warmup: read(warmup) }
    }
}

/// Active tasks by subtopology, each with the epoch since when it has been the member's.
pub(super) type ActiveTasks = BTreeMap<StrBytes, BTreeMap<i32, i32>>;

/// What a member has, or is giving up.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct OwnedTasks {
    pub(super) active: ActiveTasks,
    pub(super) standby: Tasks,
    pub(super) warmup: Tasks,
}

impl OwnedTasks {
    pub(super) fn is_empty(&self) -> bool {
        self.active.is_empty() && self.standby.is_empty() && self.warmup.is_empty()
    }

    /// Since which epoch an active task has been the member's.
    pub(super) fn epoch_of(&self, subtopology: &StrBytes, partition: i32) -> Option<i32> {
        self.active.get(subtopology)?.get(&partition).copied()
    }

    pub(super) fn has_active(&self, subtopology: &StrBytes, partition: i32) -> bool {
        self.epoch_of(subtopology, partition).is_some()
    }

    /// As a standby or a warm-up.
    pub(super) fn has_passive(&self, subtopology: &StrBytes, partition: i32) -> bool {
        let has = |tasks: &Tasks| tasks.get(subtopology).is_some_and(|of| of.contains(&partition));
        has(&self.standby) || has(&self.warmup)
    }

    /// As they are told to a member, without epochs.
    pub(super) fn assignment(&self) -> TaskAssignment {
        TaskAssignment {
            active: without_epochs(&self.active),
            standby: self.standby.clone(),
            warmup: self.warmup.clone(),
        }
    }

    /// A record of an older Kafka has no epochs: the member's holds for all of its tasks.
    pub(super) fn of_record(
        active: Vec<StreamsTaskIds>,
        standby: Vec<StreamsTaskIds>,
        warmup: Vec<StreamsTaskIds>,
        member_epoch: i32,
    ) -> Self {
        let active = active.into_iter().map(|tasks| {
            let epochs = tasks.assignment_epochs.unwrap_or_default();
            let known = epochs.len() == tasks.partitions.len();
            let partitions = tasks.partitions.iter().enumerate().map(|(index, partition)| {
                (*partition, if known { epochs[index] } else { member_epoch })
            });
            (tasks.subtopology_id, partitions.collect())
        });
        Self { active: active.collect(), standby: read(standby), warmup: read(warmup) }
    }
}

pub(super) fn without_epochs(active: &ActiveTasks) -> Tasks {
    let tasks = active.iter();
    tasks.map(|(id, partitions)| (id.clone(), partitions.keys().copied().collect())).collect()
}

fn meet(some: &Tasks, others: &Tasks) -> bool {
    some.iter().any(|(subtopology, tasks)| {
        others.get(subtopology).is_some_and(|others| !tasks.is_disjoint(others))
    })
}

fn read(tasks: Vec<StreamsTaskIds>) -> Tasks {
    let tasks = tasks.into_iter();
    tasks.map(|tasks| (tasks.subtopology_id, tasks.partitions.into_iter().collect())).collect()
}

pub(super) fn written(tasks: &Tasks) -> Vec<StreamsTaskIds> {
    let tasks = tasks.iter().map(|(subtopology, partitions)| StreamsTaskIds {
        subtopology_id: subtopology.clone(),
        partitions: partitions.iter().copied().collect(),
        ..StreamsTaskIds::default()
    });
    tasks.collect()
}

pub(super) fn written_with_epochs(tasks: &ActiveTasks) -> Vec<StreamsTaskIds> {
    let tasks = tasks.iter().map(|(subtopology, partitions)| StreamsTaskIds {
        subtopology_id: subtopology.clone(),
        partitions: partitions.keys().copied().collect(),
        assignment_epochs: Some(partitions.values().copied().collect()),
        ..StreamsTaskIds::default()
    });
    tasks.collect()
}

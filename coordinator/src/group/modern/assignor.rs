//! Server-side assignors: who is to read which partitions.
//!
//! Pure functions of the members, what they subscribe to, and what they were to have so far.
//! Answers to `UniformAssignor` and `RangeAssignor` of Kafka.

mod heterogeneous;
mod homogeneous;
mod load;
mod range;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use protocol::wire::StrBytes;
use uuid::Uuid;

use super::assignment::Assignment;

/// A member as an assignor sees it.
#[derive(Debug, Clone, Default)]
pub(in super::super) struct MemberSpec {
    pub(in super::super) instance_id: Option<StrBytes>,
    pub(in super::super) topics: BTreeSet<Uuid>,
    /// What it was to have so far.
    pub(in super::super) assigned: Assignment,
}

/// A group as an assignor sees it.
#[derive(Debug, Default)]
pub(in super::super) struct GroupSpec {
    /// In the order in which Kafka goes over them.
    pub(in super::super) members: Vec<(StrBytes, MemberSpec)>,
    /// Whether all subscribe to the same topics.
    pub(in super::super) is_homogeneous: bool,
    /// How many partitions the topics have.
    pub(in super::super) partitions: BTreeMap<Uuid, i32>,
    /// What any member was to have so far.
    pub(in super::super) assigned: Assignment,
}

impl GroupSpec {
    fn partitions(&self, topic: Uuid) -> Result<i32, AssignorError> {
        self.partitions.get(&topic).copied().ok_or(AssignorError::UnknownTopic(topic))
    }

    fn is_assigned(&self, topic: Uuid, partition: i32) -> bool {
        self.assigned.get(&topic).is_some_and(|partitions| partitions.contains(&partition))
    }
}

/// Why an assignor gave up.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(in super::super) enum AssignorError {
    #[error("Members are subscribed to topic {0} which doesn't exist in the topic metadata.")]
    UnknownTopic(Uuid),
    #[error("Partitions were left unassigned")]
    LeftUnassigned,
}

/// Assignments by member; a member that is not there gets nothing.
pub(in super::super) type GroupAssignment = BTreeMap<StrBytes, Assignment>;

/// The assignors by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Assignor {
    Uniform,
    Range,
}

impl Assignor {
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        [Self::Uniform, Self::Range].into_iter().find(|assignor| assignor.name() == name)
    }

    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Uniform => "uniform",
            Self::Range => "range",
        }
    }

    pub(in super::super) fn assign(
        self,
        group: &GroupSpec,
    ) -> Result<GroupAssignment, AssignorError> {
        match self {
            _ if group.members.is_empty() => Ok(GroupAssignment::new()),
            Self::Range => range::assign(group),
            Self::Uniform if group.is_homogeneous => homogeneous::assign(group),
            Self::Uniform => heterogeneous::assign(group),
        }
    }
}

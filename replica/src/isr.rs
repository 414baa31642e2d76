//! The in-sync set as its leader has it: what the controller committed, and the one change that is
//! under way.
//!
//! Kept true: at most one proposal is out. The *maximal* set is what the controller may have by
//! now: a replica counts from the moment it is proposed and until its removal is confirmed
//! (KIP-497).
//!
//! Kafka: `PartitionState`, `PendingPartitionChange`, `CommittedPartitionState`.

use protocol::ErrorCode;

use crate::planted::{Bug, is_planted};
use crate::registration::Recovery;

/// One member of a proposed set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Member {
    /// The broker.
    pub id: i32,
    /// The epoch it fetched with, so that the controller can tell whether it is still the same
    /// (KIP-903); -1 if it has not fetched from this leader.
    pub broker_epoch: i64,
}

/// What a proposal is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum IsrChange {
    /// A follower has caught up.
    Expand(i32),
    /// Followers lag.
    Shrink(Vec<i32>),
}

/// A change that the controller is asked for (AlterPartition).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IsrProposal {
    /// The leadership that asks.
    pub leader_epoch: i32,
    /// The state that it would change.
    pub partition_epoch: i32,
    /// The whole set that shall be.
    pub isr: Vec<Member>,
    /// Recovered: a leader that takes writes is through.
    pub recovery: Recovery,
    /// Why.
    pub change: IsrChange,
}

/// What the controller answered to a proposal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum IsrAnswer {
    /// The partition as it is now.
    Changed {
        /// The epoch of the leadership.
        leader_epoch: i32,
        /// The epoch of the state.
        partition_epoch: i32,
        /// The in-sync set.
        isr: Vec<i32>,
        /// How the leader came to lead.
        recovery: Recovery,
    },
    /// The partition's error code.
    Refused(ErrorCode),
}

/// What became of a proposal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IsrOutcome {
    /// A follower is in.
    Expanded,
    /// Followers are out.
    Shrunk,
    /// Refused, or overtaken.
    Failed,
}

/// The in-sync set of a leader.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct IsrState {
    committed: Vec<i32>,
    pub(crate) recovery: Recovery,
    pending: Option<IsrProposal>,
}

impl IsrState {
    pub(crate) fn committed(isr: &[i32], recovery: Recovery) -> Self {
        Self { committed: isr.to_vec(), recovery, pending: None }
    }

    /// What the controller has said last.
    pub(crate) fn members(&self) -> &[i32] {
        &self.committed
    }

    /// Whether `id` may be in the controller's set by now.
    pub(crate) fn may_contain(&self, id: i32) -> bool {
        let change = self.pending.as_ref().map(|proposal| &proposal.change);
        if is_planted(Bug::HwIgnoresMaximalIsr) {
            let leaving = matches!(change, Some(IsrChange::Shrink(out)) if out.contains(&id));
            return self.committed.contains(&id) && !leaving;
        }
        let joining = matches!(change, Some(IsrChange::Expand(joining)) if *joining == id);
        joining || self.committed.contains(&id)
    }

    /// How large the controller's set may be by now.
    pub(crate) fn maximal_len(&self) -> usize {
        let joining = matches!(&self.pending, Some(p) if matches!(p.change, IsrChange::Expand(_)));
        self.committed.len() + usize::from(joining)
    }

    pub(crate) fn pending(&self) -> Option<&IsrProposal> {
        self.pending.as_ref()
    }

    pub(crate) fn propose(&mut self, proposal: IsrProposal) {
        debug_assert!(self.pending.is_none());
        self.pending = Some(proposal);
    }

    /// The proposal was not and will not be applied.
    pub(crate) fn roll_back(&mut self) {
        self.pending = None;
    }
}

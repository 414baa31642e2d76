//! What a broker has to do so that a partition is what the metadata says of it.
//!
//! Each change of the metadata is applied once, when it comes. A file that could not be opened
//! then, or a task that ended since, would leave the partition as it is until its next change,
//! which may never come. So what should be and what is are compared from time to time and after
//! every failure, and what differs is done again. Kafka has no counterpart: there a partition whose
//! log fails takes its whole directory offline.

use crate::log::Log;
use crate::partition::{Partition, Role};
use crate::planted::{Bug, is_planted};

/// What the metadata says of a partition that has a replica on this broker.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Assigned {
    /// -1 for none.
    pub leader: i32,
    /// Number of the leadership.
    pub leader_epoch: i32,
    /// Number of the state.
    pub partition_epoch: i32,
}

/// What an open replica is, and who fetches for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standing {
    /// Whether this broker leads.
    pub leads: bool,
    /// Whom it follows otherwise, -1 for nobody.
    pub leader: i32,
    /// The leadership that it knows.
    pub leader_epoch: i32,
    /// The state that it knows.
    pub partition_epoch: i32,
    /// It fetches nothing until the controller says something new.
    pub halted: bool,
    /// The leader that a fetcher at work fetches it from.
    pub fetched_from: Option<i32>,
}

/// What is here of a partition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Presence {
    /// Nothing is open.
    Absent,
    /// Its log directory has failed, which the controller is told of.
    Offline,
    /// A replica.
    Open(Standing),
}

/// What is to be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// All is as it should be.
    Nothing,
    /// The replica is to be opened and told its role.
    Open,
    /// The replica is to be told its role.
    Apply,
    /// It is to be fetched from its leader.
    Fetch,
    /// It is to be fetched no longer.
    Unfollow,
    /// It is to be closed: this broker has no replica of the partition.
    Remove,
    /// Nothing can be done here: its log failed or does not fit, or its leader is one that the
    /// metadata does not know yet.
    Wait,
}

/// Compares what the metadata says, `None` for no replica here, with what is.
pub fn reconcile(broker_id: i32, assigned: Option<&Assigned>, present: &Presence) -> Step {
    if is_planted(Bug::NoReconciliation) {
        return Step::Nothing;
    }
    let Some(assigned) = assigned else {
        return match present {
            Presence::Open(_) => Step::Remove,
            Presence::Absent | Presence::Offline => Step::Nothing,
        };
    };
    match present {
        Presence::Absent => Step::Open,
        Presence::Offline => Step::Nothing,
        Presence::Open(standing) => of_open(broker_id, assigned, standing),
    }
}

fn of_open(broker_id: i32, assigned: &Assigned, standing: &Standing) -> Step {
    let known = (standing.leader_epoch, standing.partition_epoch);
    let should_be = (assigned.leader_epoch, assigned.partition_epoch);
    if known.0 > should_be.0 || known.1 > should_be.1 {
        // The replica is ahead of this metadata, which will follow.
        return Step::Nothing;
    }
    let should_lead = assigned.leader == broker_id;
    let is_told = standing.leads == should_lead
        && (should_lead || standing.leader == assigned.leader)
        && known == should_be;
    if !is_told {
        return Step::Apply;
    }
    if should_lead || assigned.leader < 0 {
        return if standing.fetched_from.is_some() { Step::Unfollow } else { Step::Nothing };
    }
    if standing.halted {
        Step::Wait
    } else if standing.fetched_from == Some(assigned.leader) {
        Step::Nothing
    } else {
        Step::Fetch
    }
}

impl<L: Log> Partition<L> {
    /// What it is, for [`reconcile`]; who fetches for it the caller knows.
    pub fn standing(&self, fetched_from: Option<i32>) -> Standing {
        let (leader, halted) = match self.role() {
            Role::Leader(_) => (-1, false),
            Role::Follower(follower) => (follower.leader, follower.halted),
        };
        Standing {
            leads: self.leads(),
            leader,
            leader_epoch: self.leader_epoch(),
            partition_epoch: self.partition_epoch(),
            halted,
            fetched_from,
        }
    }
}

//! A member on its way to its target assignment: first it gives up what is not its any more, then
//! it gets what nobody has.
//!
//! ```text
//!            something to give up          given up, all there is to have
//!  Stable ─────────────────────▶ Unrevoked ─────────────────────────────▶ Stable, target epoch
//!    └─ something is not free yet ─▶ Unreleased ── it is ──────────────────▲
//! ```
//! An active task is free when no member has it, and no standby of it is in the same process; a
//! standby is free when its process has the task in no way. Only with everything given up does a
//! member come to the target's epoch. Answers to `CurrentAssignmentBuilder`.

use std::collections::{BTreeMap, BTreeSet};

use protocol::wire::StrBytes;

use super::super::answer::GroupError;
use super::group::StreamsGroup;
use super::member::{Member, MemberState};
use super::tasks::{ActiveTasks, OwnedTasks, TaskAssignment, Tasks, without_epochs};

/// What there is to reconcile with.
pub(super) struct Reconciliation<'a> {
    pub(super) group: &'a StreamsGroup,
    pub(super) member: &'a Member,
    pub(super) target_epoch: i32,
    pub(super) target: &'a TaskAssignment,
    /// What the member says it has; none: nothing changed since it said so.
    pub(super) owned: Option<&'a TaskAssignment>,
}

/// Tasks of one kind, held against the target.
#[derive(Debug, Default)]
struct Difference {
    kept: Tasks,
    revoked: Tasks,
    added: Tasks,
    /// Something that it is to have is not free.
    waits: bool,
}

impl Reconciliation<'_> {
    /// The member as it is to be, which may be as it was.
    pub(super) fn step(&self) -> Result<Member, GroupError> {
        let member = self.member;
        match member.state {
            MemberState::Stable if member.epoch != self.target_epoch => {
                Ok(self.next_assignment(member.epoch))
            }
            MemberState::Stable => Ok(member.clone()),
            MemberState::UnrevokedTasks if self.still_has(&member.pending_revocation) => {
                Ok(member.clone())
            }
            MemberState::UnrevokedTasks => Ok(self.next_assignment(member.epoch + 1)),
            MemberState::UnreleasedTasks => Ok(self.next_assignment(member.epoch)),
            MemberState::Unknown if self.owned.is_none_or(|owned| !owned.is_empty()) => {
                let why = "The streams group member is in a unknown state. The member must abandon \
                           all its tasks and rejoin.";
                Err(GroupError::FencedMemberEpoch(why.to_owned()))
            }
            MemberState::Unknown => Ok(self.next_assignment(self.target_epoch)),
        }
    }

    /// Whether the member has, or may have, any of these.
    fn still_has(&self, tasks: &OwnedTasks) -> bool {
        self.owned.is_none_or(|owned| owned.has_any_of(tasks))
    }

    fn next_assignment(&self, member_epoch: i32) -> Member {
        let (assigned, target) = (&self.member.assigned, self.target);
        let active = difference(&without_epochs(&assigned.active), &target.active, |part, task| {
            self.is_active_held(part, task)
        });
        let passive = |has: &Tasks, target: &Tasks| {
            difference(has, target, |part, task| self.is_in_process(part, task))
        };
        let standby = passive(&assigned.standby, &target.standby);
        let warmup = passive(&assigned.warmup, &target.warmup);
        let revoked = OwnedTasks {
            active: self.with_epochs(&active.revoked),
            standby: standby.revoked,
            warmup: warmup.revoked,
        };
        let mut kept = OwnedTasks {
            active: self.with_epochs(&active.kept),
            standby: standby.kept,
            warmup: warmup.kept,
        };
        if !revoked.is_empty() && self.still_has(&revoked) {
            return self.moved(MemberState::UnrevokedTasks, member_epoch, kept, revoked);
        }
        for (part, tasks) in active.added {
            let epochs = tasks.into_iter().map(|task| (task, self.target_epoch));
            kept.active.entry(part).or_default().extend(epochs);
        }
        for (into, added) in [(&mut kept.standby, standby.added), (&mut kept.warmup, warmup.added)]
        {
            for (part, tasks) in added {
                into.entry(part).or_default().extend(tasks);
            }
        }
        let waits = active.waits || standby.waits || warmup.waits;
        let state = if waits { MemberState::UnreleasedTasks } else { MemberState::Stable };
        self.moved(state, self.target_epoch, kept, OwnedTasks::default())
    }

    fn moved(
        &self,
        state: MemberState,
        epoch: i32,
        assigned: OwnedTasks,
        pending_revocation: OwnedTasks,
    ) -> Member {
        let previous_epoch = self.member.epoch;
        let member = self.member.clone();
        Member { state, previous_epoch, epoch, assigned, pending_revocation, ..member }
    }

    /// Active tasks of the member, with the epochs that they have had.
    fn with_epochs(&self, tasks: &Tasks) -> ActiveTasks {
        let of = &self.member.assigned;
        let tasks = tasks.iter().map(|(part, partitions)| {
            let epochs = partitions
                .iter()
                .filter_map(|partition| Some((*partition, of.epoch_of(part, *partition)?)));
            (part.clone(), epochs.collect::<BTreeMap<i32, i32>>())
        });
        tasks.collect()
    }

    fn is_active_held(&self, part: &StrBytes, task: i32) -> bool {
        self.group.members.values().any(|other| {
            other.holds_active(part, task)
                || other.process_id == self.member.process_id && other.holds_passive(part, task)
        })
    }

    fn is_in_process(&self, part: &StrBytes, task: i32) -> bool {
        let process = &self.member.process_id;
        let others = self.group.members.values().filter(|other| other.process_id == *process);
        others
            .into_iter()
            .any(|other| other.holds_active(part, task) || other.holds_passive(part, task))
    }
}

fn difference(has: &Tasks, target: &Tasks, is_held: impl Fn(&StrBytes, i32) -> bool) -> Difference {
    let mut difference = Difference::default();
    let none = BTreeSet::new();
    let parts: BTreeSet<&StrBytes> = has.keys().chain(target.keys()).collect();
    for part in parts {
        let (has, target) = (has.get(part).unwrap_or(&none), target.get(part).unwrap_or(&none));
        let (held, free): (BTreeSet<i32>, BTreeSet<i32>) =
            target.difference(has).copied().partition(|task| is_held(part, *task));
        difference.waits |= !held.is_empty();
        let kept = has & target;
        let revoked = has - target;
        for (into, tasks) in [
            (&mut difference.kept, kept),
            (&mut difference.revoked, revoked),
            (&mut difference.added, free),
        ] {
            if !tasks.is_empty() {
                into.insert(part.clone(), tasks);
            }
        }
    }
    difference
}

//! What follows when a write of a shard of groups has its fate, for the part of classic groups that
//! no record makes: parked joins and syncs, and the assignment that members are told when it stands
//! in the log.
//!
//! Answers to the append futures of `CoordinatorResult` in `GroupMetadataManager`.

use std::collections::BTreeMap;

use bytes::Bytes;
use protocol::wire::StrBytes;

use super::Outputs;
use super::answer::{GroupError, JoinAnswer, SyncAnswer};
use super::classic::{ClassicGroup, Member};
use super::log_event::LogEvent;
use super::shard::{Group, GroupShard};
use super::takeover::Takeover;
use super::timers::TimerKey;
use crate::runtime::{Now, Timers, VersionedMap, WriteFailure};

/// What waits for a write.
#[derive(Debug)]
pub struct AfterWrite(pub(super) PendingWrite);

#[derive(Debug)]
pub(super) enum PendingWrite {
    /// A generation without members.
    EmptyGroup(EmptyGroup),
    /// The leader's assignment.
    Assignment(Assignment),
    /// A static member's new id in a stable group.
    StaticMember(Box<Takeover>),
}

#[derive(Debug)]
pub(super) struct EmptyGroup {
    pub(super) group: StrBytes,
}

#[derive(Debug)]
pub(super) struct Assignment {
    pub(super) group: StrBytes,
    pub(super) generation: i32,
    pub(super) assignment: BTreeMap<StrBytes, Bytes>,
}

impl GroupShard {
    pub(super) fn pending_write_done(
        &mut self,
        pending: PendingWrite,
        now: Now,
        out: &mut Outputs,
    ) {
        match pending {
            PendingWrite::Assignment(written) => self.assignment_written(&written, now, out),
            PendingWrite::StaticMember(takeover) => self.takeover_written(&takeover, out),
            PendingWrite::EmptyGroup(_) => {}
        }
    }

    pub(super) fn pending_write_failed(
        &mut self,
        pending: PendingWrite,
        failure: WriteFailure,
        now: Now,
        out: &mut Outputs,
    ) {
        match pending {
            PendingWrite::EmptyGroup(EmptyGroup { group }) => {
                // The older generation in the log would be back after a reload, without harm: none
                // of its members is there.
                out.log(LogEvent::WriteFailed { group, failure });
            }
            PendingWrite::Assignment(Assignment { group, generation, .. }) => {
                self.assignment_failed(&group, generation, failure, now, out);
            }
            PendingWrite::StaticMember(takeover) => {
                self.takeover_failed(*takeover, failure, now, out)
            }
        }
    }

    /// A group whose first record could not be written: who waits in it hears so.
    pub(super) fn never_was(
        &mut self,
        group: ClassicGroup,
        failure: WriteFailure,
        out: &mut Outputs,
    ) {
        self.timers.cancel(&TimerKey::Join { group: group.id.clone() });
        self.timers.cancel(&TimerKey::Sync { group: group.id.clone() });
        for member in group.members.keys().chain(&group.pending_join) {
            self.end_session(&group.id, member);
        }
        let error = GroupError::WriteFailed(failure);
        for member in group.members.into_values() {
            answer_parked(&member, &error, out);
        }
    }

    /// Answers everything that is parked, for a shard that goes away.
    pub(super) fn answer_all(&mut self, out: &mut Outputs) {
        let groups = std::mem::take(&mut self.groups);
        for (id, group) in groups.iter() {
            let group = match group {
                Group::Classic(group) => group,
                Group::Consumer(group) => {
                    out.log(LogEvent::Consumer(group.unloaded()));
                    continue;
                }
                Group::Share(group) => {
                    out.log(LogEvent::Share(group.unloaded()));
                    continue;
                }
                Group::Streams(group) => {
                    out.log(LogEvent::Streams(group.unloaded()));
                    continue;
                }
            };
            out.log(LogEvent::Unloading { group: id.clone(), generation: group.generation });
            for member in group.members.values() {
                answer_parked(member, &GroupError::NotCoordinator, out);
            }
        }
        self.groups = VersionedMap::default();
        self.timers = Timers::default();
    }
}

/// Refuses what a member has parked.
fn answer_parked(member: &Member, error: &GroupError, out: &mut Outputs) {
    if let Some(join) = member.awaiting_join {
        out.reply(join, JoinAnswer::refused(member.id.clone(), error.clone()));
    }
    if let Some(sync) = member.awaiting_sync {
        out.reply(sync, SyncAnswer::refused(error.clone()));
    }
}

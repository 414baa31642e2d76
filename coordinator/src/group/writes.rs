//! Writes under way: what to do when one has been written, and what to take back when it could not
//! be.
//!
//! Several writes may be under way; they finish in the order in which they were decided. Answers to
//! the append futures of `CoordinatorResult` and the reverts of `CoordinatorRuntime`.

use std::collections::BTreeMap;

use bytes::Bytes;
use protocol::records::group::{GroupRecord, OffsetCommitKey};
use protocol::wire::StrBytes;

use super::answer::{Answer, GroupError, WriteFailure};
use super::note::Note;
use super::outputs::{Outputs, ReplyId, Write, WriteId, WriteRecord};
use super::settings::Now;
use super::shard::{Group, GroupShard};
use super::static_member::Takeover;
use super::timers::TimerKey;

/// What a write means for the groups once its fate is known.
#[derive(Debug)]
pub(super) enum Then {
    Nothing,
    /// The first record of a group that a join has made.
    NewGroup {
        group: StrBytes,
    },
    /// A generation without members.
    EmptyGroup {
        group: StrBytes,
    },
    /// The leader's assignment.
    Assignment {
        group: StrBytes,
        generation: i32,
        assignment: BTreeMap<StrBytes, Bytes>,
    },
    /// A static member's new id in a stable group.
    StaticMember(Box<Takeover>),
    /// Groups that were taken out of the shard.
    Deleted {
        groups: Vec<(StrBytes, Group)>,
    },
}

#[derive(Debug)]
struct UnderWay {
    then: Then,
    reply: Option<(ReplyId, Answer)>,
    /// Which record commits or removes which offset.
    offsets: Vec<(usize, OffsetCommitKey)>,
}

#[derive(Debug, Default)]
pub(super) struct Writes {
    next: u64,
    under_way: BTreeMap<WriteId, UnderWay>,
}

impl GroupShard {
    /// The newest write under way: after it, all that was decided so far has been written.
    #[must_use]
    pub fn newest_write(&self) -> Option<WriteId> {
        self.writes.under_way.last_key_value().map(|(id, _)| *id)
    }

    /// Sends records off; `reply` is answered when they are written.
    pub(super) fn write(
        &mut self,
        records: &[GroupRecord],
        then: Then,
        reply: Option<(ReplyId, Answer)>,
        out: &mut Outputs,
    ) {
        let id = WriteId(self.writes.next);
        self.writes.next += 1;
        let mut offsets = Vec::new();
        let mut encoded = Vec::with_capacity(records.len());
        for record in records {
            if let GroupRecord::OffsetCommit { key, value } = record {
                offsets.push((encoded.len(), key.clone()));
                self.offsets.write(id, key, value.as_ref());
            }
            if let Some((key, value)) = record.to_bytes() {
                encoded.push(WriteRecord { key, value });
            }
        }
        self.writes.under_way.insert(id, UnderWay { then, reply, offsets });
        out.writes.push(Write { id, records: encoded });
    }

    /// Lets an answer wait for a write that this same call has sent off.
    pub(super) fn answer_when_written(&mut self, id: WriteId, reply: ReplyId, answer: Answer) {
        if let Some(write) = self.writes.under_way.get_mut(&id) {
            write.reply = Some((reply, answer));
        }
    }

    /// A write has its fate: the offset of its first record, or why it failed.
    pub fn written(
        &mut self,
        id: WriteId,
        fate: Result<i64, WriteFailure>,
        now: Now,
        out: &mut Outputs,
    ) {
        let Some(write) = self.writes.under_way.remove(&id) else {
            return;
        };
        match fate {
            Ok(base_offset) => {
                for (index, key) in &write.offsets {
                    self.offsets.written(id, key, base_offset.saturating_add(*index as i64));
                }
                self.then_written(write.then, now, out);
                if let Some((reply, answer)) = write.reply {
                    out.reply(reply, answer);
                }
            }
            Err(failure) => {
                for (_, key) in &write.offsets {
                    self.offsets.failed(id, key);
                }
                self.then_failed(write.then, failure, now, out);
                if let Some((reply, answer)) = write.reply {
                    out.reply(reply, answer.failed(GroupError::WriteFailed(failure)));
                }
            }
        }
    }

    fn then_written(&mut self, then: Then, now: Now, out: &mut Outputs) {
        match then {
            Then::Assignment { group, generation, assignment } => {
                self.assignment_written(&group, generation, &assignment, now, out);
            }
            Then::StaticMember(takeover) => self.takeover_written(&takeover, out),
            Then::Nothing
            | Then::NewGroup { .. }
            | Then::EmptyGroup { .. }
            | Then::Deleted { .. } => {}
        }
    }

    fn then_failed(&mut self, then: Then, failure: WriteFailure, now: Now, out: &mut Outputs) {
        match then {
            Then::Nothing => {}
            Then::NewGroup { group } => self.new_group_failed(&group, failure, out),
            Then::EmptyGroup { group } => {
                // The older generation in the log would be back after a reload, without harm: none
                // of its members is there.
                out.note(Note::WriteFailed { group, failure });
            }
            Then::Assignment { group, generation, .. } => {
                self.assignment_failed(&group, generation, failure, now, out);
            }
            Then::StaticMember(takeover) => self.takeover_failed(*takeover, failure, now, out),
            Then::Deleted { groups } => {
                for (id, group) in groups {
                    out.note(Note::WriteFailed { group: id.clone(), failure });
                    // A group that was made anew in the meantime stands.
                    self.groups.entry(id).or_insert(group);
                }
            }
        }
    }

    fn new_group_failed(&mut self, group: &StrBytes, failure: WriteFailure, out: &mut Outputs) {
        out.note(Note::WriteFailed { group: group.clone(), failure });
        let Some(Group::Classic(removed)) = self.groups.remove(group) else {
            return;
        };
        self.timers.cancel(&TimerKey::Join { group: group.clone() });
        self.timers.cancel(&TimerKey::Sync { group: group.clone() });
        for id in removed.members.keys().chain(&removed.pending_join) {
            self.end_session(group, id);
        }
        let error = GroupError::WriteFailed(failure);
        for member in removed.members.into_values() {
            answer_parked(&member, &error, out);
        }
    }

    /// Answers everything that is parked, for a shard that goes away.
    pub fn unload(&mut self, out: &mut Outputs) {
        for write in std::mem::take(&mut self.writes.under_way).into_values() {
            if let Some((reply, answer)) = write.reply {
                out.reply(reply, answer.failed(GroupError::NotCoordinator));
            }
        }
        for group in std::mem::take(&mut self.groups).into_values() {
            let Group::Classic(group) = group else {
                continue;
            };
            out.note(Note::Unloading { group: group.id.clone(), generation: group.generation });
            for member in group.members.into_values() {
                answer_parked(&member, &GroupError::NotCoordinator, out);
            }
        }
        self.timers = super::timers::Timers::default();
    }
}

/// Refuses what a member has parked.
fn answer_parked(member: &super::classic::Member, error: &GroupError, out: &mut Outputs) {
    use super::answer::{JoinAnswer, SyncAnswer};
    if let Some(join) = member.awaiting_join {
        out.reply(join, JoinAnswer::refused(member.id.clone(), error.clone()));
    }
    if let Some(sync) = member.awaiting_sync {
        out.reply(sync, SyncAnswer::refused(error.clone()));
    }
}

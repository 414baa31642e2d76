//! What records make of a shard of groups: at a load, and for every write as it is decided.
//!
//! A record of an unknown type is passed over, as in Kafka. Answers to the `replay` methods of
//! `GroupMetadataManager` and `OffsetMetadataManager`.

use std::sync::Arc;

use protocol::records::group::{
    ConsumerGroupRecord, GroupMetadataValue, GroupRecord, GroupRecordError, MemberMetadata,
    OffsetCommitKey, ShareGroupRecord,
};
use protocol::wire::StrBytes;

use super::Outputs;
use super::answer::{Answer, GroupError};
use super::classic::{ClassicGroup, GroupState, Member, Protocols};
use super::consumer::{ConsumerGroup, ConsumerGroupEvent};
use super::log_event::LogEvent;
use super::pending_write::AfterWrite;
use super::shard::{Group, GroupShard};
use super::share::{ShareGroup, ShareGroupEvent};
use super::timers::{Expiry, TimerKey};
use crate::runtime::{Now, RecordPosition, Shard, WriteFailure, WriteId, WriteRecord};

impl Shard for GroupShard {
    type Record = GroupRecord;
    type RecordError = GroupRecordError;
    type Answer = Answer;
    type LogEvent = LogEvent;
    type AfterWrite = AfterWrite;
    type Command = std::convert::Infallible;

    fn read(key: Option<&[u8]>, value: Option<&[u8]>) -> Result<GroupRecord, GroupRecordError> {
        GroupRecord::read(key, value)
    }

    fn encode(record: &GroupRecord) -> Option<WriteRecord> {
        record.to_bytes().map(|(key, value)| WriteRecord { key, value })
    }

    fn replay(
        &mut self,
        record: GroupRecord,
        standing: RecordPosition,
        now: Now,
        log_events: &mut Vec<LogEvent>,
    ) {
        match record {
            GroupRecord::OffsetCommit { key, value } => {
                if value.is_some() && self.groups.latest(&key.group).is_none() {
                    // A group without members, only there to hold offsets.
                    let group = ClassicGroup::new(key.group.clone(), now.wall_ms);
                    let group = Group::Classic(Box::new(group));
                    self.groups.set(standing, key.group.clone(), Some(group));
                }
                self.offsets.replay(key, value.as_ref(), standing);
            }
            GroupRecord::GroupMetadata { group, value: None } => {
                self.groups.set(standing, group, None);
            }
            GroupRecord::GroupMetadata { group, value: Some(value) } => {
                if matches!(standing, RecordPosition::InLog { .. }) {
                    self.downgrades.classic_group_read(&group);
                }
                self.replay_group(group, value, standing, log_events);
            }
            GroupRecord::Consumer(record) => self.replay_consumer(record, standing),
            GroupRecord::Share(record) => self.replay_share(record, standing, now),
            GroupRecord::Streams(record) => self.replay_streams(record, standing),
            GroupRecord::Unknown { record_type } => {
                log_events.push(LogEvent::UnknownRecordType { record_type });
            }
        }
    }

    fn end_transaction(
        &mut self,
        producer_id: i64,
        is_commit: bool,
        log_events: &mut Vec<LogEvent>,
    ) {
        let too_late = self.offsets.end_transaction(producer_id, is_commit);
        log_events.extend(too_late.into_iter().map(
            |OffsetCommitKey { group, topic, partition }| LogEvent::StaleTransactionalOffset {
                group,
                topic,
                partition,
            },
        ));
    }

    fn commit(&mut self, write: WriteId, base_offset: i64) {
        self.groups.commit(write);
        self.offsets.commit(write, base_offset);
    }

    fn revert(&mut self, from: WriteId, failure: WriteFailure, out: &mut Outputs) {
        self.offsets.revert(from);
        for (group, gone) in self.groups.revert(from) {
            out.log(LogEvent::WriteFailed { group: group.clone(), failure });
            for group in gone {
                if let Group::Classic(group) = group {
                    self.never_was(*group, failure, out);
                }
            }
            self.begin_consumer_sessions(&group, out.now());
            self.resume_classic(&group, out.now());
            self.begin_share_sessions(&group, out.now());
            self.begin_streams_sessions(&group, out.now());
        }
    }

    fn after_write(
        &mut self,
        AfterWrite(pending): AfterWrite,
        fate: Result<(), WriteFailure>,
        now: Now,
        out: &mut Outputs,
    ) {
        match fate {
            Ok(()) => self.pending_write_done(pending, now, out),
            Err(failure) => self.pending_write_failed(pending, failure, now, out),
        }
    }

    fn refused(answer: Answer, failure: WriteFailure) -> Answer {
        answer.failed(match failure {
            WriteFailure::NotLeader => GroupError::NotCoordinator,
            other => GroupError::WriteFailed(other),
        })
    }

    /// All records are in: the shard begins to serve.
    fn loaded(&mut self, now: Now, out: &mut Outputs) {
        let interval_ms = self.settings.retention_check_interval_ms;
        self.timers.set(TimerKey::Cleanup, now.monotonic_ms + interval_ms, Expiry::Cleanup);
        let groups: Vec<(StrBytes, Option<Vec<StrBytes>>)> = self
            .groups
            .iter()
            .map(|(id, group)| match group {
                Group::Classic(group) => {
                    (id.clone(), Some(group.members.keys().cloned().collect()))
                }
                Group::Consumer(group) => {
                    let (group, members) = (id.clone(), group.member_ids().count());
                    out.log(LogEvent::Consumer(ConsumerGroupEvent::Loaded { group, members }));
                    (id.clone(), None)
                }
                Group::Share(group) => {
                    let (group, members) = (id.clone(), group.member_ids().count());
                    out.log(LogEvent::Share(ShareGroupEvent::Loaded { group, members }));
                    (id.clone(), None)
                }
                Group::Streams(group) => {
                    out.log(LogEvent::Streams(group.loaded()));
                    (id.clone(), None)
                }
            })
            .collect();
        for (id, members) in groups {
            match members {
                Some(members) => self.classic_loaded(&id, &members, now, out),
                None => {
                    self.begin_consumer_sessions(&id, now);
                    self.begin_share_sessions(&id, now);
                    self.begin_streams_sessions(&id, now);
                }
            }
        }
        self.rebalance_downgraded(now, out);
    }

    fn next_deadline_ms(&self) -> Option<u64> {
        self.timers.next_deadline_ms()
    }

    fn tick(&mut self, now: Now, out: &mut Outputs) {
        self.expire(now, out);
    }

    fn unload(&mut self, out: &mut Outputs) {
        self.answer_all(out);
    }
}

impl GroupShard {
    /// A group as a record has it. A classic group that is there is what its record under way was
    /// made of, and further by what no record says: it stays (Kafka's `replayRecords` is false).
    fn replay_group(
        &mut self,
        id: StrBytes,
        value: GroupMetadataValue,
        standing: RecordPosition,
        log_events: &mut Vec<LogEvent>,
    ) {
        let is_there = matches!(self.groups.latest(&id), Some(Group::Classic(_)));
        if is_there && matches!(standing, RecordPosition::UnderWay { .. }) {
            return;
        }
        let classic = loaded_group(id.clone(), value, log_events);
        self.groups.set(standing, id, Some(Group::Classic(Box::new(classic))));
    }

    /// A record of a consumer group. Below it there may be a group that only holds offsets; a
    /// classic group with members is not what the record is about: its tombstone came too late.
    fn replay_consumer(&mut self, record: ConsumerGroupRecord, standing: RecordPosition) {
        let id = record.group().clone();
        match self.groups.latest(&id) {
            Some(Group::Consumer(_)) => {}
            Some(Group::Classic(group)) if group.protocol_type.is_some() => return,
            Some(Group::Share(_)) => return,
            _ if record.is_tombstone() => return,
            _ => {
                let group = Group::Consumer(Arc::new(ConsumerGroup::new(id.clone())));
                self.groups.set(standing, id.clone(), Some(group));
            }
        }
        if let Some(Group::Consumer(group)) = self.groups.edit(standing, &id)
            && Arc::make_mut(group).apply(record)
        {
            if matches!(standing, RecordPosition::InLog { .. }) {
                self.downgrades.consumer_group_gone(&id);
            }
            self.groups.set(standing, id, None);
        }
    }

    /// A record of a share group, of which the same is true.
    fn replay_share(&mut self, record: ShareGroupRecord, standing: RecordPosition, now: Now) {
        let id = record.group().clone();
        match self.groups.latest(&id) {
            Some(Group::Share(_)) => {}
            Some(Group::Classic(group)) if group.protocol_type.is_some() => return,
            Some(Group::Consumer(_)) => return,
            _ if record.is_tombstone() => return,
            _ => {
                let group = Group::Share(Arc::new(ShareGroup::new(id.clone())));
                self.groups.set(standing, id.clone(), Some(group));
            }
        }
        if let Some(Group::Share(group)) = self.groups.edit(standing, &id)
            && Arc::make_mut(group).apply(record, now.wall_ms)
        {
            self.groups.set(standing, id, None);
        }
    }

    fn classic_loaded(&mut self, id: &StrBytes, members: &[StrBytes], now: Now, out: &mut Outputs) {
        out.log(LogEvent::Loaded { group: id.clone(), members: members.len() });
        for member in members {
            self.heard_of(id, member, now);
        }
        let max = self.settings.max_size;
        if members.len() > max {
            let reason = format!(
                "Freshly-loaded group {id} (size {}) is over capacity {max}. Rebalancing in order \
                 to give a chance for consumers to commit offsets",
                members.len()
            );
            self.prepare_rebalance(id, reason, now, out);
        }
    }
}

fn loaded_group(
    id: StrBytes,
    value: GroupMetadataValue,
    log_events: &mut Vec<LogEvent>,
) -> ClassicGroup {
    let mut group = ClassicGroup::new(id, 0);
    let protocol = value.protocol.clone().unwrap_or_default();
    for member in value.members {
        group.add(loaded_member(member, &protocol), &value.protocol_type, None);
    }
    let is_empty = group.members.is_empty();
    group.state = if is_empty { GroupState::Empty } else { GroupState::Stable };
    group.state_since_ms = Some(value.current_state_timestamp_ms).filter(|since| *since != -1);
    group.generation = value.generation;
    group.protocol_type = Some(value.protocol_type).filter(|name| !name.is_empty());
    group.protocol_name = value.protocol;
    group.leader = value
        .leader
        .filter(|leader| is_empty || group.members.contains_key(leader))
        .or_else(|| group.members.keys().next().cloned());
    group.subscribed_topics = group.compute_subscribed_topics(log_events);
    group
}

fn loaded_member(member: MemberMetadata, protocol: &StrBytes) -> Member {
    Member {
        id: member.member_id,
        instance_id: member.group_instance_id,
        client_id: member.client_id,
        client_host: member.client_host,
        rebalance_timeout_ms: if member.rebalance_timeout_ms == -1 {
            member.session_timeout_ms
        } else {
            member.rebalance_timeout_ms
        },
        session_timeout_ms: member.session_timeout_ms,
        protocols: Protocols::one(protocol.clone(), member.subscription),
        assignment: member.assignment,
        awaiting_join: None,
        awaiting_sync: None,
        is_new: false,
    }
}

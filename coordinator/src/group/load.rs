//! Loading: the shard becomes the replay of its partition's records, batch by batch.
//!
//! A record of an unknown type is passed over, as in Kafka; one of a known type that cannot be read
//! ends the load, because what follows would be built on a hole. Answers to `CoordinatorLoaderImpl`
//! and the `replay` methods.

use protocol::batch::{BatchError, BatchHeader, ControlType, Records};
use protocol::records::group::{GroupMetadataValue, GroupRecord, GroupRecordError, MemberMetadata};
use protocol::wire::StrBytes;

use super::classic::{ClassicGroup, GroupState, Member, Protocols};
use super::foreign::ForeignGroup;
use super::note::Note;
use super::outputs::Outputs;
use super::settings::Now;
use super::shard::{Group, GroupShard};
use super::timers::{Expiry, TimerKey};

/// Why a shard could not be loaded.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    #[error("the batch at offset {base_offset} cannot be read: {cause}")]
    Batch { base_offset: i64, cause: BatchError },
    #[error("the record at offset {offset} cannot be read: {cause}")]
    Record { offset: i64, cause: GroupRecordError },
}

impl GroupShard {
    /// Takes in one batch of the partition; `payload` is its records, decompressed.
    pub fn replay_batch(
        &mut self,
        header: &BatchHeader,
        payload: &[u8],
        now: Now,
        out: &mut Outputs,
    ) -> Result<(), LoadError> {
        let base_offset = header.base_offset();
        let bad_batch = |cause| LoadError::Batch { base_offset, cause };
        let producer_id = header.producer_id();
        for record in Records::new(header, payload).map_err(bad_batch)? {
            let record = record.map_err(bad_batch)?;
            if header.is_control() {
                self.replay_marker(producer_id, record.key.unwrap_or_default(), out);
                continue;
            }
            let (offset, read) = (record.offset, GroupRecord::read(record.key, record.value));
            let read = read.map_err(|cause| LoadError::Record { offset, cause })?;
            let transaction = Some(producer_id).filter(|id| *id >= 0);
            self.replay(read, offset, transaction, now, out);
        }
        Ok(())
    }

    /// A control record: the end of a producer's transaction, or nothing of ours.
    fn replay_marker(&mut self, producer_id: i64, key: &[u8], out: &mut Outputs) {
        let is_commit = match ControlType::from_key(key) {
            Some(ControlType::Commit) => true,
            Some(ControlType::Abort) => false,
            _ => return,
        };
        for key in self.offsets.end_transaction(producer_id, is_commit) {
            out.note(Note::StaleTransactionalOffset {
                group: key.group,
                topic: key.topic,
                partition: key.partition,
            });
        }
    }

    /// Takes in one record.
    pub fn replay(
        &mut self,
        record: GroupRecord,
        offset: i64,
        transaction: Option<i64>,
        now: Now,
        out: &mut Outputs,
    ) {
        match record {
            GroupRecord::OffsetCommit { key, value } => {
                if value.is_some() && !self.groups.contains_key(&key.group) {
                    let group = ClassicGroup::new(key.group.clone(), now.wall_ms);
                    self.groups.insert(key.group.clone(), Group::Classic(Box::new(group)));
                }
                self.offsets.replay(key, value.as_ref(), offset, transaction);
            }
            GroupRecord::GroupMetadata { group, value: None } => {
                self.groups.remove(&group);
            }
            GroupRecord::GroupMetadata { group, value: Some(value) } => {
                let classic = loaded_group(group.clone(), value, out);
                self.groups.insert(group, Group::Classic(Box::new(classic)));
            }
            GroupRecord::Foreign { key, value } => self.replay_foreign(key, value.is_none()),
            GroupRecord::Unknown { record_type } => {
                out.note(Note::UnknownRecordType { record_type });
            }
        }
    }

    fn replay_foreign(&mut self, key: protocol::records::group::ForeignKey, is_tombstone: bool) {
        let id = key.group.clone();
        match self.groups.get_mut(&id) {
            Some(Group::Foreign(group)) => {
                if group.apply(key, is_tombstone) {
                    self.groups.remove(&id);
                }
            }
            // A simple group that offset commits before it made, or none at all. A classic group
            // that has members is not what this record is about: its tombstone came too late.
            Some(Group::Classic(group)) if group.protocol_type.is_some() => {}
            _ if is_tombstone => {}
            _ => {
                let mut group = ForeignGroup::new(key.kind);
                group.apply(key, false);
                self.groups.insert(id, Group::Foreign(group));
            }
        }
    }

    /// All records are in: the shard begins to serve.
    pub fn loaded(&mut self, now: Now, out: &mut Outputs) {
        let interval_ms = self.settings.retention_check_interval_ms;
        self.timers.set(TimerKey::Cleanup, now.monotonic_ms + interval_ms, Expiry::Cleanup);
        let ids: Vec<StrBytes> = self.groups.keys().cloned().collect();
        for id in ids {
            match self.groups.get(&id) {
                Some(Group::Classic(group)) => {
                    let members: Vec<StrBytes> = group.members.keys().cloned().collect();
                    self.classic_loaded(&id, &members, now, out);
                }
                Some(Group::Foreign(group)) if !group.is_empty() => {
                    let deadline_ms = now.monotonic_ms + self.settings.foreign_session_timeout_ms;
                    let key = TimerKey::ForeignMembers { group: id };
                    self.timers.set(key, deadline_ms, Expiry::ForeignMembers);
                }
                _ => {}
            }
        }
    }

    fn classic_loaded(&mut self, id: &StrBytes, members: &[StrBytes], now: Now, out: &mut Outputs) {
        out.note(Note::Loaded { group: id.clone(), members: members.len() });
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

fn loaded_group(id: StrBytes, value: GroupMetadataValue, out: &mut Outputs) -> ClassicGroup {
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
    group.subscribed_topics = group.compute_subscribed_topics(out);
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

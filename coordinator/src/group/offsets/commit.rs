//! OffsetCommit and OffsetDelete.
//!
//! A commit comes from a member of the present generation, or from somebody without membership
//! while the group is empty; the latter makes a group that only holds offsets. Answers to
//! `OffsetMetadataManager.commitOffset` and `deleteOffsets`, `ClassicGroup.validateOffsetCommit`.

use protocol::messages::offset_commit_request::OffsetCommitRequestPartition;
use protocol::messages::offset_delete_request::OffsetDeleteRequestTopic;
use protocol::messages::{OffsetCommitRequest, OffsetDeleteRequest};
use protocol::records::group::{GroupRecord, OffsetCommitKey, OffsetCommitValue};
use protocol::wire::StrBytes;
use uuid::Uuid;

use super::super::Outputs;
use super::super::answer::{
    CommitAnswer, CommittedTopic, DeleteOffsetsAnswer, DeletedTopic, GroupError,
};
use super::super::classic::{ClassicGroup, GroupState};
use super::super::deletion::tombstone;
use super::super::log_event::LogEvent;
use super::super::settings::own;
use super::super::shard::{Group, GroupShard};
use crate::runtime::{Now, Reply};

/// What a request says when it brings no retention of its own.
const NO_RETENTION: i64 = -1;
/// From this version on a group that is not there is called by its name.
const GROUP_NOT_FOUND_SINCE: i16 = 9;

impl GroupShard {
    /// OffsetCommit. `request` names only topics and partitions that exist.
    pub fn commit_offsets(
        &mut self,
        api_version: i16,
        request: &OffsetCommitRequest,
        reply: Reply<CommitAnswer>,
        now: Now,
        out: &mut Outputs,
    ) {
        let id = own(&request.group_id);
        if let Err(error) = self.validate_commit(&id, api_version, request, now, out) {
            return out.reply(reply, Err(error));
        }
        let retention_ms = request.retention_time_ms;
        let expire_timestamp_ms = if retention_ms == NO_RETENTION {
            -1
        } else {
            now.wall_ms.saturating_add(retention_ms)
        };
        let topics = request.topics.iter().map(|topic| {
            let value = |partition: &OffsetCommitRequestPartition| {
                let value =
                    commit_value(topic.topic_id, partition, now.wall_ms, expire_timestamp_ms);
                (partition.partition_index, value)
            };
            (own(&topic.name), topic.partitions.iter().map(value))
        });
        self.write_commits(&id, topics, reply, out);
    }

    /// Writes what a group commits, each topic with its partitions; but for metadata that is too
    /// large, which is told of its partition.
    pub(super) fn write_commits<P: Iterator<Item = (i32, OffsetCommitValue)>>(
        &mut self,
        id: &StrBytes,
        topics: impl Iterator<Item = (StrBytes, P)>,
        reply: Reply<CommitAnswer>,
        out: &mut Outputs,
    ) {
        let mut records = Vec::new();
        let mut committed = Vec::with_capacity(topics.size_hint().0);
        for (topic, partitions) in topics {
            let partitions = partitions.map(|(partition, value)| {
                let refusal = self.refuse_metadata(&value.metadata);
                if refusal.is_none() {
                    let key =
                        OffsetCommitKey { group: id.clone(), topic: topic.clone(), partition };
                    records.push(GroupRecord::OffsetCommit { key, value: Some(value) });
                }
                (partition, refusal)
            });
            let partitions = partitions.collect();
            committed.push(CommittedTopic { topic, partitions });
        }
        if records.is_empty() {
            return out.reply(reply, Ok(committed));
        }
        if self.groups.latest(id).is_none() {
            out.log(LogEvent::SimpleGroupCreated { group: id.clone() });
        }
        out.write_and_reply(self, records, reply, Ok(committed));
    }

    fn refuse_metadata(&self, metadata: &StrBytes) -> Option<GroupError> {
        let length = metadata.encode_utf16().count();
        (length > self.settings.offset_metadata_max_size)
            .then_some(GroupError::OffsetMetadataTooLarge { length })
    }

    fn validate_commit(
        &mut self,
        id: &StrBytes,
        api_version: i16,
        request: &OffsetCommitRequest,
        now: Now,
        out: &mut Outputs,
    ) -> Result<(), GroupError> {
        let generation = request.generation_id_or_member_epoch;
        let group = match self.groups.latest(id) {
            Some(Group::Classic(group)) => group,
            Some(Group::Consumer(group)) => return group.validate_commit(api_version, request),
            Some(Group::Share(_)) => return Err(GroupError::NotAConsumerGroup(id.clone())),
            Some(Group::Streams(group)) => return group.validate_commit(api_version, request),
            None if generation < 0 => return Ok(()),
            None if api_version >= GROUP_NOT_FOUND_SINCE => {
                return Err(GroupError::GroupNotFound(id.clone()));
            }
            None => {
                return Err(GroupError::IllegalGeneration { asked: generation, current: -1 });
            }
        };
        validate_classic_commit(group, request, out)?;
        if matches!(group.state, GroupState::Stable | GroupState::PreparingRebalance) {
            // A commit keeps the session, too.
            self.heard_of(id, &request.member_id, now);
        }
        Ok(())
    }

    /// OffsetDelete. `request` names only topics and partitions that exist.
    pub fn delete_offsets(
        &mut self,
        request: &OffsetDeleteRequest,
        reply: Reply<DeleteOffsetsAnswer>,
        out: &mut Outputs,
    ) {
        let id = own(&request.group_id);
        if let Err(error) = self.validate_delete(&id) {
            return out.reply(reply, Err(error));
        }
        let mut records = Vec::new();
        let mut topics = Vec::with_capacity(request.topics.len());
        for topic in &request.topics {
            topics.push(self.delete_topic_offsets(&id, topic, &mut records));
        }
        if records.is_empty() {
            out.reply(reply, Ok(topics));
        } else {
            out.write_and_reply(self, records, reply, Ok(topics));
        }
    }

    fn delete_topic_offsets(
        &self,
        id: &StrBytes,
        topic: &OffsetDeleteRequestTopic,
        records: &mut Vec<GroupRecord>,
    ) -> DeletedTopic {
        let name = own(&topic.name);
        let is_subscribed = match self.groups.latest(id) {
            Some(Group::Classic(group)) => group.is_subscribed_to(&name),
            Some(Group::Consumer(group)) => group.is_subscribed_to(&name),
            Some(Group::Share(group)) => group.is_subscribed_to(&name),
            Some(Group::Streams(group)) => group.is_subscribed_to(&name),
            None => false,
        };
        let partitions = topic.partitions.iter().map(|partition| {
            let partition = partition.partition_index;
            if is_subscribed {
                return (partition, Some(GroupError::SubscribedToTopic));
            }
            let key = OffsetCommitKey { group: id.clone(), topic: name.clone(), partition };
            if self.offsets.has_any(&key) {
                records.push(tombstone(key));
            }
            (partition, None)
        });
        let partitions = partitions.collect();
        DeletedTopic { topic: name, partitions }
    }

    fn validate_delete(&self, id: &StrBytes) -> Result<(), GroupError> {
        if id.is_empty() {
            return Err(GroupError::InvalidGroupId);
        }
        match self.group(id)? {
            Group::Classic(group)
                if !group.is_in(GroupState::Empty) && !group.uses_consumer_protocol() =>
            {
                Err(GroupError::NonEmptyGroup)
            }
            Group::Share(_) => Err(GroupError::NotAConsumerGroup(id.clone())),
            _ => Ok(()),
        }
    }
}

fn commit_value(
    topic_id: Uuid,
    partition: &OffsetCommitRequestPartition,
    commit_timestamp_ms: i64,
    expire_timestamp_ms: i64,
) -> OffsetCommitValue {
    OffsetCommitValue {
        offset: partition.committed_offset,
        leader_epoch: partition.committed_leader_epoch,
        metadata: partition.committed_metadata.as_ref().map(own).unwrap_or_default(),
        commit_timestamp_ms,
        expire_timestamp_ms,
        topic_id,
        ..OffsetCommitValue::default()
    }
}

fn validate_classic_commit(
    group: &ClassicGroup,
    request: &OffsetCommitRequest,
    out: &mut Outputs,
) -> Result<(), GroupError> {
    let generation = request.generation_id_or_member_epoch;
    let instance = request.group_instance_id.as_ref();
    if generation < 0 && group.is_in(GroupState::Empty) {
        // An administrator, or a consumer that assigns its partitions itself.
        return Ok(());
    }
    if generation < 0 && request.member_id.is_empty() && instance.is_none() {
        return Err(GroupError::UnknownMember);
    }
    group.validate_member(&request.member_id, instance, "offset-commit", out)?;
    if generation != group.generation {
        return Err(GroupError::IllegalGeneration { asked: generation, current: group.generation });
    }
    if group.is_in(GroupState::CompletingRebalance) {
        // The member knows the generation, but what it commits belongs to the one before.
        return Err(GroupError::RebalanceInProgress);
    }
    Ok(())
}

//! Which members of a consumer group may commit and fetch offsets.
//!
//! A member may commit with its epoch, or with an older one for partitions that have been its since
//! then (KIP-1251): what it has read before it heard of the new epoch is not lost. Answers to
//! `ConsumerGroup.validateOffsetCommit` and `validateOffsetFetch`.

use protocol::messages::{OffsetCommitRequest, TxnOffsetCommitRequest};
use protocol::wire::StrBytes;
use uuid::Uuid;

use super::super::answer::GroupError;
use super::group::ConsumerGroup;
use super::member::Member;

/// Members of the new protocol commit with this version at least.
const MEMBER_EPOCH_SINCE: i16 = 9;

impl ConsumerGroup {
    pub(in super::super) fn validate_commit(
        &self,
        api_version: i16,
        request: &OffsetCommitRequest,
    ) -> Result<(), GroupError> {
        let received = request.generation_id_or_member_epoch;
        if received < 0 && self.members.is_empty() {
            // An administrator, or a consumer that assigns its partitions itself.
            return Ok(());
        }
        let member = self.member(&request.member_id)?;
        if member.classic.is_none() && api_version < MEMBER_EPOCH_SINCE {
            return Err(GroupError::UnsupportedVersion);
        }
        let partitions = request.topics.iter().flat_map(|topic| {
            topic.partitions.iter().map(|partition| (topic.topic_id, partition.partition_index))
        });
        validate_epoch(member, received, partitions)
    }

    /// TxnOffsetCommit, which need not name a member. `topic_id` is nil for a topic that is not
    /// there.
    pub(in super::super) fn validate_transactional_commit(
        &self,
        request: &TxnOffsetCommitRequest,
        topic_id: impl Fn(&str) -> Uuid,
    ) -> Result<(), GroupError> {
        let received = request.generation_id;
        let names_nobody = request.member_id.is_empty() && request.group_instance_id.is_none();
        if received < 0 && (self.members.is_empty() || received == -1 && names_nobody) {
            return Ok(());
        }
        let member = self.member(&request.member_id)?;
        let partitions = request.topics.iter().flat_map(|topic| {
            let id = topic_id(&topic.name);
            topic.partitions.iter().map(move |partition| (id, partition.partition_index))
        });
        validate_epoch(member, received, partitions)
            .map_err(|_| GroupError::IllegalGeneration { asked: received, current: member.epoch })
    }

    pub(in super::super) fn validate_fetch(
        &self,
        member: Option<&StrBytes>,
        epoch: i32,
    ) -> Result<(), GroupError> {
        let Some(id) = member else {
            // An administrator, or a client that does not say who it is.
            let none = StrBytes::default();
            return if epoch < 0 { Ok(()) } else { self.member(&none).map(|_| ()) };
        };
        let member = self.member(id)?;
        if epoch == member.epoch { Ok(()) } else { Err(stale(member, epoch)) }
    }
}

/// The member's epoch, or an older one since which the partitions have been its.
fn validate_epoch(
    member: &Member,
    received: i32,
    partitions: impl IntoIterator<Item = (Uuid, i32)>,
) -> Result<(), GroupError> {
    if received == member.epoch {
        return Ok(());
    }
    let is_its = |(topic, partition): (Uuid, i32)| {
        member.epoch_of(topic, partition).is_some_and(|since| received >= since)
    };
    if received > member.epoch || !partitions.into_iter().all(is_its) {
        return Err(stale(member, received));
    }
    Ok(())
}

fn stale(member: &Member, received: i32) -> GroupError {
    if member.classic.is_some() {
        GroupError::IllegalGeneration { asked: received, current: member.epoch }
    } else {
        GroupError::StaleMemberEpoch { received, current: member.epoch }
    }
}

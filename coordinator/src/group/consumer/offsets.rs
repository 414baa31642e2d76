//! Which members of a consumer group may commit and fetch offsets.
//!
//! A member may commit with its epoch, or with an older one for partitions that have been its since
//! then (KIP-1251): what it has read before it heard of the new epoch is not lost. Answers to
//! `ConsumerGroup.validateOffsetCommit` and `validateOffsetFetch`.

use protocol::messages::OffsetCommitRequest;
use protocol::wire::StrBytes;

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
        if received == member.epoch {
            return Ok(());
        }
        if received > member.epoch {
            return Err(stale(member, received));
        }
        for topic in &request.topics {
            for partition in &topic.partitions {
                let since = member.epoch_of(topic.topic_id, partition.partition_index);
                if since.is_none_or(|since| received < since) {
                    return Err(stale(member, received));
                }
            }
        }
        Ok(())
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

fn stale(member: &Member, received: i32) -> GroupError {
    if member.classic.is_some() {
        GroupError::IllegalGeneration { asked: received, current: member.epoch }
    } else {
        GroupError::StaleMemberEpoch { received, current: member.epoch }
    }
}

//! Which members of a streams group may commit and fetch offsets.
//!
//! A member may commit with its epoch, or with an older one for partitions whose tasks have been
//! its since then (KIP-1251). Answers to `StreamsGroup.validateOffsetCommit` and
//! `validateOffsetFetch`.

use protocol::messages::{OffsetCommitRequest, TxnOffsetCommitRequest};
use protocol::wire::StrBytes;

use super::super::answer::GroupError;
use super::group::StreamsGroup;
use super::member::Member;

/// Members commit with this version at least.
const MEMBER_EPOCH_SINCE: i16 = 9;

impl StreamsGroup {
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
        if api_version < MEMBER_EPOCH_SINCE {
            return Err(GroupError::UnsupportedStreamsVersion);
        }
        let partitions = request.topics.iter().flat_map(|topic| {
            let partitions = topic.partitions.iter();
            partitions.map(|partition| (&*topic.name, partition.partition_index))
        });
        self.validate_epoch(member, received, partitions)
    }

    /// TxnOffsetCommit, which need not name a member.
    pub(in super::super) fn validate_transactional_commit(
        &self,
        request: &TxnOffsetCommitRequest,
    ) -> Result<(), GroupError> {
        let received = request.generation_id;
        let names_nobody = request.member_id.is_empty() && request.group_instance_id.is_none();
        if received < 0 && (self.members.is_empty() || received == -1 && names_nobody) {
            return Ok(());
        }
        let member = self.member(&request.member_id)?;
        let partitions = request.topics.iter().flat_map(|topic| {
            let partitions = topic.partitions.iter();
            partitions.map(|partition| (&*topic.name, partition.partition_index))
        });
        self.validate_epoch(member, received, partitions)
            .map_err(|_| GroupError::IllegalGeneration { asked: received, current: member.epoch })
    }

    /// The member's epoch, or an older one since which the partitions' tasks have been its.
    fn validate_epoch<'a>(
        &self,
        member: &Member,
        received: i32,
        partitions: impl IntoIterator<Item = (&'a StrBytes, i32)>,
    ) -> Result<(), GroupError> {
        if received == member.epoch {
            return Ok(());
        }
        let is_its = |(topic, partition): (&StrBytes, i32)| {
            let part = self.topology.as_ref().and_then(|topology| topology.reader_of(topic));
            let since = part.and_then(|part| {
                let of_assigned = member.assigned.epoch_of(part, partition);
                of_assigned.or_else(|| member.pending_revocation.epoch_of(part, partition))
            });
            since.is_some_and(|since| received >= since)
        };
        if received > member.epoch || !partitions.into_iter().all(is_its) {
            return Err(GroupError::StaleMemberEpoch { received, current: member.epoch });
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
        let current = self.member(id)?.epoch;
        if epoch == current {
            Ok(())
        } else {
            Err(GroupError::StaleMemberEpoch { received: epoch, current })
        }
    }
}

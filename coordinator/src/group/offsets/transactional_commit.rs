//! TxnOffsetCommit: offsets that a producer commits as a part of its transaction.
//!
//! Whoever runs in a transaction is fenced by the producer's epoch; membership is checked where the
//! request names it, the state of the group is not. Answers to
//! `OffsetMetadataManager.commitTransactionalOffset`, `validateOffsetCommit` of the groups.

use protocol::messages::TxnOffsetCommitRequest;
use protocol::messages::txn_offset_commit_request::TxnOffsetCommitRequestPartition;
use protocol::records::group::OffsetCommitValue;
use protocol::wire::StrBytes;

use super::super::Outputs;
use super::super::answer::{CommitAnswer, GroupError};
use super::super::classic::{ClassicGroup, GroupState};
use super::super::settings::own;
use super::super::shard::{Group, GroupShard};
use crate::runtime::{Now, Reply};

impl GroupShard {
    /// TxnOffsetCommit, as a step in the producer's transaction. `request` names only topics and
    /// partitions that exist.
    pub fn commit_offsets_in_transaction(
        &mut self,
        request: &TxnOffsetCommitRequest,
        reply: Reply<CommitAnswer>,
        now: Now,
        out: &mut Outputs,
    ) {
        let id = own(&request.group_id);
        if let Err(error) = self.validate_transactional_commit(&id, request, out) {
            return out.reply(reply, Err(error));
        }
        let topics = request.topics.iter().map(|topic| {
            let partitions = topic.partitions.iter();
            let partitions =
                partitions.map(|partition| (partition.partition_index, value(partition, now)));
            (own(&topic.name), partitions)
        });
        self.write_commits(&id, topics, reply, out);
    }

    fn validate_transactional_commit(
        &self,
        id: &StrBytes,
        request: &TxnOffsetCommitRequest,
        out: &mut Outputs,
    ) -> Result<(), GroupError> {
        let generation = request.generation_id;
        match self.groups.latest(id) {
            Some(Group::Classic(group)) => validate_classic(group, request, out),
            Some(Group::Consumer(group)) => {
                let topic_id = |name: &str| self.metadata.topic_id(name);
                group.validate_transactional_commit(request, topic_id)
            }
            Some(Group::Share(_)) => Err(GroupError::NotAConsumerGroup(id.clone())),
            Some(Group::Streams(group)) => group.validate_transactional_commit(request),
            None if generation < 0 => Ok(()),
            None => Err(GroupError::IllegalGeneration { asked: generation, current: -1 }),
        }
    }
}

fn validate_classic(
    group: &ClassicGroup,
    request: &TxnOffsetCommitRequest,
    out: &mut Outputs,
) -> Result<(), GroupError> {
    let generation = request.generation_id;
    let instance = request.group_instance_id.as_ref();
    if generation < 0 && group.is_in(GroupState::Empty) {
        return Ok(());
    }
    if generation < 0 && request.member_id.is_empty() && instance.is_none() {
        // Older versions name no member.
        return Ok(());
    }
    group.validate_member(&request.member_id, instance, "txn-offset-commit", out)?;
    if generation != group.generation {
        return Err(GroupError::IllegalGeneration { asked: generation, current: group.generation });
    }
    Ok(())
}

fn value(partition: &TxnOffsetCommitRequestPartition, now: Now) -> OffsetCommitValue {
    OffsetCommitValue {
        offset: partition.committed_offset,
        leader_epoch: partition.committed_leader_epoch,
        metadata: partition.committed_metadata.as_ref().map(own).unwrap_or_default(),
        commit_timestamp_ms: now.wall_ms,
        ..OffsetCommitValue::default()
    }
}

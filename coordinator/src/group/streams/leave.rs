//! Members go: by themselves, or because nothing was heard of them in time. Answers to
//! `streamsGroupLeave` and `streamsGroupFenceMember`.

use std::sync::Arc;

use protocol::records::group::GroupRecord;
use protocol::wire::StrBytes;

use super::super::Outputs;
use super::super::answer::GroupError;
use super::super::log_event::LogEvent;
use super::super::shard::{Group, GroupShard};
use super::event::StreamsGroupEvent;
use super::group::StreamsGroup;
use super::heartbeat::request_shutdown;
use super::records;
use super::request::StreamsHeartbeatRequest;

impl GroupShard {
    /// A heartbeat with the epoch of a member that leaves.
    pub(super) fn leave_streams_by_heartbeat(
        &mut self,
        request: &StreamsHeartbeatRequest,
        out: &mut Outputs,
    ) -> Result<Vec<GroupRecord>, GroupError> {
        let id = &request.group_id;
        let group = self.streams_group(id)?;
        if request.shutdown_application {
            request_shutdown(self.streams.entry(id.clone()).or_default(), request, out);
        }
        group.member(&request.member_id)?;
        out.log(LogEvent::Streams(StreamsGroupEvent::Left {
            group: id.clone(),
            member: request.member_id.clone(),
        }));
        Ok(self.fence_streams(&group, &request.member_id))
    }

    /// The group, if it is one of this kind.
    pub(super) fn streams_group(&self, id: &StrBytes) -> Result<Arc<StreamsGroup>, GroupError> {
        match self.group(id)? {
            Group::Streams(group) => Ok(Arc::clone(group)),
            _ => Err(GroupError::NotAStreamsGroup(id.clone())),
        }
    }

    /// What takes a member out of its group, and lets the others share what it had.
    pub(super) fn fence_streams(
        &mut self,
        group: &StreamsGroup,
        member: &StrBytes,
    ) -> Vec<GroupRecord> {
        let id = &group.id;
        let mut written: Vec<GroupRecord> = records::member_tombstones(id, member).into();
        written.push(records::group_epoch(
            id,
            group.epoch + 1,
            group.metadata_hash,
            group.validated_topology_epoch,
            &group.assignment_configs,
        ));
        self.end_session(id, member);
        self.end_rebalance(id, member);
        written
    }
}

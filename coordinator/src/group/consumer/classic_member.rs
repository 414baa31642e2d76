//! Members of the classic protocol in a consumer group, between two joins: Heartbeat and SyncGroup.
//!
//! ```text
//!  target moved, partitions to give up, or partitions free   ──▶ Heartbeat: join again
//!  JoinGroup (classic_join)  ──▶ SyncGroup: the partitions   ──▶ Heartbeat: fine
//! ```
//! A member has its rebalance timeout to join again once it was told to, and to sync once it has
//! joined. Answers to `classicGroupHeartbeatToConsumerGroup` and `classicGroupSyncToConsumerGroup`.

use std::sync::Arc;

use protocol::messages::{HeartbeatRequest, SyncGroupRequest};
use protocol::records::group::ClassicMemberMetadata;
use protocol::wire::StrBytes;

use super::super::Outputs;
use super::super::answer::{GroupError, SyncAnswer};
use super::super::shard::GroupShard;
use super::embedded_protocol::{self, CONSUMER};
use super::group::ConsumerGroup;
use super::member::{Member, MemberState};
use super::static_member::known_instance;
use crate::runtime::{Now, Reply};

impl GroupShard {
    /// Answered at once, as in a classic group: it tells the member nothing that it acts on but to
    /// join again.
    pub(in super::super) fn heartbeat_in_consumer_group(
        &mut self,
        group: &ConsumerGroup,
        request: &HeartbeatRequest,
        now: Now,
    ) -> Result<(), GroupError> {
        let instance = request.group_instance_id.as_ref();
        let (member, classic) = group.classic_member(&request.member_id, instance)?;
        check_generation(member, request.generation_id)?;
        self.restart_classic_session(&group.id, &member.id, classic.session_timeout_ms, now);
        let rejoins = match member.state {
            _ if member.epoch < group.assignment_epoch => true,
            MemberState::UnrevokedPartitions => true,
            MemberState::UnreleasedPartitions => !group.waits_for_others(member),
            MemberState::Stable | MemberState::Unknown => false,
        };
        if rejoins {
            self.time_rejoin(&group.id, member, now);
            return Err(GroupError::RebalanceInProgress);
        }
        Ok(())
    }

    /// The member is told what it has, which stands in the log.
    pub(in super::super) fn sync_in_consumer_group(
        &mut self,
        group: &ConsumerGroup,
        request: &SyncGroupRequest,
        reply: Reply<SyncAnswer>,
        now: Now,
        out: &mut Outputs,
    ) {
        let answer = match self.assignment_in_consumer_group(group, request, now) {
            Ok(answer) => answer,
            Err(error) => return out.reply(reply, SyncAnswer::refused(error)),
        };
        if self.groups.is_under_way(&group.id) {
            out.reply_when_settled(reply, answer);
        } else {
            out.reply(reply, answer);
        }
    }

    fn assignment_in_consumer_group(
        &mut self,
        group: &ConsumerGroup,
        request: &SyncGroupRequest,
        now: Now,
    ) -> Result<SyncAnswer, GroupError> {
        let instance = request.group_instance_id.as_ref();
        let (member, classic) = group.classic_member(&request.member_id, instance)?;
        check_generation(member, request.generation_id)?;
        let protocol = classic.supported_protocols.first();
        let is_other = |asked: &Option<StrBytes>, name: Option<&str>| {
            asked.as_ref().is_some_and(|asked| Some(asked.as_str()) != name)
        };
        if is_other(&request.protocol_type, Some(CONSUMER))
            || is_other(&request.protocol_name, protocol.map(|(name, _)| name.as_str()))
        {
            return Err(GroupError::InconsistentProtocol);
        }
        // Who is giving something up does that first; it joins again by itself.
        if group.assignment_epoch > member.epoch && member.state != MemberState::UnrevokedPartitions
        {
            self.time_rejoin(&group.id, member, now);
            return Err(GroupError::RebalanceInProgress);
        }
        let version = protocol.and_then(|(_, metadata)| embedded_protocol::version_of(metadata));
        let version = version.ok_or(GroupError::Unexpected(
            "Malformed embedded consumer protocol in version deserialization.",
        ))?;
        let partitions = embedded_protocol::partitions_of(&member.assigned);
        let assignment = embedded_protocol::assignment(&partitions, version, &*self.metadata.image);
        self.end_sync(&group.id, &member.id);
        self.restart_classic_session(&group.id, &member.id, classic.session_timeout_ms, now);
        Ok(SyncAnswer {
            error: None,
            protocol_type: request.protocol_type.clone(),
            protocol_name: request.protocol_name.clone(),
            assignment,
        })
    }
}

fn check_generation(member: &Member, asked: i32) -> Result<(), GroupError> {
    if member.epoch == asked {
        Ok(())
    } else {
        Err(GroupError::IllegalGeneration { asked, current: member.epoch })
    }
}

impl ConsumerGroup {
    /// A member that speaks the classic protocol, by its id, or by its instance and its id.
    fn classic_member(
        &self,
        id: &StrBytes,
        instance: Option<&StrBytes>,
    ) -> Result<(&Arc<Member>, &ClassicMemberMetadata), GroupError> {
        let member = match instance {
            None => self.member(id)?,
            Some(instance) => known_instance(self.static_member(instance), id, instance)?,
        };
        let classic = member.classic.as_ref().ok_or(GroupError::UnknownMember)?;
        Ok((member, classic))
    }

    /// Whether somebody has, or is giving up, what this member is to have and has not.
    fn waits_for_others(&self, member: &Member) -> bool {
        let Some(target) = self.target.get(&member.id) else { return false };
        let has = |of: &Member, topic, partition: &i32| {
            let owned = [&of.assigned, &of.pending_revocation];
            owned.iter().any(|owned| {
                owned.get(topic).is_some_and(|partitions| partitions.contains_key(partition))
            })
        };
        target.iter().any(|(topic, partitions)| {
            let assigned = member.assigned.get(topic);
            let missing = partitions
                .iter()
                .filter(|one| assigned.is_none_or(|assigned| !assigned.contains_key(one)));
            missing
                .into_iter()
                .any(|partition| self.members.values().any(|other| has(other, topic, partition)))
        })
    }
}

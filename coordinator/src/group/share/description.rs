//! ShareGroupDescribe: a group in full, as it stands in the log. Answers to
//! `ShareGroup.asDescribedGroup`.

use protocol::wire::StrBytes;

use super::super::DescribedPartitions;
use super::super::answer::GroupError;
use super::super::modern::{Assignment, timeline_map_order};
use super::super::shard::{Group, GroupShard};
use super::assignor;
use super::group::ShareGroup;
use super::member::Member;
use crate::java_hash;

/// A group in full.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DescribedShareGroup {
    pub group: StrBytes,
    pub state: &'static str,
    pub epoch: i32,
    pub assignment_epoch: i32,
    pub assignor: &'static str,
    pub members: Vec<DescribedShareMember>,
}

/// A member in full.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DescribedShareMember {
    pub member_id: StrBytes,
    pub rack_id: Option<StrBytes>,
    pub epoch: i32,
    pub client_id: StrBytes,
    pub client_host: StrBytes,
    pub topics: Vec<StrBytes>,
    pub assignment: Vec<DescribedPartitions>,
}

impl GroupShard {
    /// ShareGroupDescribe.
    pub fn describe_share_group(&self, id: &StrBytes) -> Result<DescribedShareGroup, GroupError> {
        match self.groups.committed(id) {
            Some(Group::Share(group)) => Ok(self.described_share_group(group)),
            Some(_) => Err(GroupError::NotAShareGroup(id.clone())),
            None => Err(GroupError::GroupNotFound(id.clone())),
        }
    }

    fn described_share_group(&self, group: &ShareGroup) -> DescribedShareGroup {
        let members = group.members.values().collect();
        let members = timeline_map_order(members, |member| java_hash(&member.id));
        DescribedShareGroup {
            group: group.id.clone(),
            state: group.state(),
            epoch: group.epoch,
            assignment_epoch: group.assignment_epoch,
            assignor: assignor::NAME,
            members: members.into_iter().map(|each| self.described_share_member(each)).collect(),
        }
    }

    fn described_share_member(&self, member: &Member) -> DescribedShareMember {
        DescribedShareMember {
            member_id: member.id.clone(),
            rack_id: member.rack_id.clone(),
            epoch: member.epoch,
            client_id: member.client_id.clone(),
            client_host: member.client_host.clone(),
            topics: member.topics.iter().cloned().collect(),
            assignment: self.named(&member.assigned),
        }
    }

    /// For which partitions the share coordinator holds the group's state; none for a group of
    /// another kind, and for none at all.
    #[must_use]
    pub fn initialized_share_partitions(&self, id: &StrBytes) -> Assignment {
        match self.groups.latest(id) {
            Some(Group::Share(group)) => group.initialized(),
            _ => Assignment::new(),
        }
    }
}

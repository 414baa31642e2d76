//! ListGroups and DescribeGroups: what can be seen of groups. Answers to
//! `GroupMetadataManager.listGroups` and `describeGroups`.

use bytes::Bytes;
use protocol::wire::StrBytes;

use super::answer::GroupError;
use super::classic::{ClassicGroup, GroupState};
use super::modern::timeline_map_order;
use super::shard::{Group, GroupShard};
use crate::java_hash;

/// The kinds of groups, by the names that clients filter by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum GroupKind {
    Classic,
    Consumer,
    Share,
    Streams,
}

impl GroupKind {
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Classic => "classic",
            Self::Consumer => "consumer",
            Self::Share => "share",
            Self::Streams => "streams",
        }
    }
}

/// A group in a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedGroup {
    pub group: StrBytes,
    pub protocol_type: StrBytes,
    pub state: &'static str,
    pub kind: GroupKind,
}

/// A group in full.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DescribedGroup {
    pub group: StrBytes,
    pub state: GroupState,
    pub protocol_type: StrBytes,
    /// Empty unless the group is stable.
    pub protocol: StrBytes,
    pub members: Vec<DescribedMember>,
}

/// A member in a description.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DescribedMember {
    pub member_id: StrBytes,
    pub group_instance_id: Option<StrBytes>,
    pub client_id: StrBytes,
    pub client_host: StrBytes,
    /// Empty unless the group is stable.
    pub metadata: Bytes,
    pub assignment: Bytes,
}

impl GroupShard {
    /// The groups in one of these states and of one of these kinds, in the order of Kafka's map of
    /// them; an empty filter takes all. States are compared without regard to case and blanks
    /// around them.
    #[must_use]
    pub fn list(&self, states: &[StrBytes], kinds: &[StrBytes]) -> Vec<ListedGroup> {
        let states: Vec<String> =
            states.iter().map(|state| state.to_lowercase().trim().to_owned()).collect();
        let is_listed = |group: &ListedGroup| {
            let in_state = states.is_empty()
                || states.iter().any(|state| state.eq_ignore_ascii_case(filtered_as(group.state)));
            let of_kind = kinds.is_empty()
                || kinds.iter().any(|kind| kind.eq_ignore_ascii_case(group.kind.name()));
            in_state && of_kind
        };
        // Kafka has the last that came to a bucket first; which that was is not known: by name.
        let mut groups: Vec<_> = self.groups.iter().collect();
        groups.reverse();
        let groups = timeline_map_order(groups, |(id, _)| java_hash(id));
        groups.into_iter().map(|(id, group)| listed(id, group)).filter(is_listed).collect()
    }

    /// A classic group as it stands.
    pub fn describe(&self, group: &StrBytes) -> Result<DescribedGroup, GroupError> {
        match self.group(group)? {
            Group::Classic(group) => Ok(described(group)),
            Group::Consumer(_) | Group::Share(_) | Group::Streams(_) => {
                Err(GroupError::NotAClassicGroup(group.clone()))
            }
        }
    }
}

/// The name by which a filter means a state: Kafka writes one of them differently there.
fn filtered_as(state: &'static str) -> &'static str {
    if state == "NotReady" { "not_ready" } else { state }
}

fn listed(id: &StrBytes, group: &Group) -> ListedGroup {
    match group {
        Group::Classic(group) => ListedGroup {
            group: id.clone(),
            protocol_type: group.protocol_type.clone().unwrap_or_default(),
            state: group.state.name(),
            kind: GroupKind::Classic,
        },
        Group::Consumer(group) => ListedGroup {
            group: id.clone(),
            protocol_type: StrBytes::from_static_str(GroupKind::Consumer.name()),
            state: group.state(),
            kind: GroupKind::Consumer,
        },
        Group::Share(group) => ListedGroup {
            group: id.clone(),
            protocol_type: StrBytes::from_static_str(GroupKind::Share.name()),
            state: group.state(),
            kind: GroupKind::Share,
        },
        Group::Streams(group) => ListedGroup {
            group: id.clone(),
            protocol_type: StrBytes::from_static_str(GroupKind::Streams.name()),
            state: group.state(),
            kind: GroupKind::Streams,
        },
    }
}

fn described(group: &ClassicGroup) -> DescribedGroup {
    let is_stable = group.is_in(GroupState::Stable);
    let protocol = group.protocol_name.clone().filter(|_| is_stable).unwrap_or_default();
    let members = group.members.values().map(|member| DescribedMember {
        member_id: member.id.clone(),
        group_instance_id: member.instance_id.clone(),
        client_id: member.client_id.clone(),
        client_host: member.client_host.clone(),
        metadata: if is_stable { member.metadata(&protocol) } else { Bytes::new() },
        assignment: member.assignment.clone(),
    });
    DescribedGroup {
        group: group.id.clone(),
        state: group.state,
        protocol_type: group.protocol_type.clone().unwrap_or_default(),
        members: members.collect(),
        protocol,
    }
}

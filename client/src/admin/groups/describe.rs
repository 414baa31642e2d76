//! What groups are made of: their state, their members and what these have.
//!
//! ConsumerGroupDescribe (KIP-848) is asked first, DescribeGroups for what that does not know.
//! Answers to `DescribeConsumerGroupsHandler`.

use bytes::{Buf, Bytes};
use protocol::messages::consumer_group_describe_response as new;
use protocol::messages::describe_groups_response as classic;
use protocol::messages::{
    ConsumerGroupDescribeRequest, ConsumerGroupDescribeResponse, ConsumerProtocolAssignment,
    DescribeGroupsRequest, DescribeGroupsResponse,
};
use protocol::wire::Decodable;

use super::{GroupState, GroupType, by_name, group_id, group_keys};
use crate::admin::keyed::{KeyedCall, Outcome, Results};
use crate::admin::located::{GroupKey, TopicPartition, group_failed};
use crate::admin::{Admin, AdminError, Node};

const UNSUPPORTED_VERSION: i16 = 35;
const GROUP_ID_NOT_FOUND: i16 = 69;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupDescription {
    pub group: String,
    pub kind: GroupType,
    pub state: GroupState,
    pub assignor: String,
    /// The node whose answer this is.
    pub coordinator: i32,
    pub members: Vec<GroupMember>,
    /// Epochs of the group and of its target assignment; a classic group has none.
    pub epochs: Option<(i32, i32)>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupMember {
    pub member_id: String,
    pub instance_id: Option<String>,
    /// Unknown of members of the classic protocol.
    pub rack: Option<String>,
    pub client_id: String,
    pub host: String,
    pub assigned: Vec<TopicPartition>,
    /// What KIP-848 adds.
    pub generation: Option<MemberGeneration>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MemberGeneration {
    pub epoch: i32,
    pub target: Vec<TopicPartition>,
    /// Whether it speaks the new protocol, where the node says so.
    pub is_upgraded: Option<bool>,
}

struct ConsumerGroupDescribe;

impl KeyedCall for ConsumerGroupDescribe {
    type Key = GroupKey;
    type Value = GroupDescription;
    type Request = ConsumerGroupDescribeRequest;

    const NAMES: [&'static str; 2] = [
        "describeConsumerGroups(api=FIND_COORDINATOR)",
        "describeConsumerGroups(api=CONSUMER_GROUP_DESCRIBE)",
    ];

    fn request(&self, keys: &[GroupKey], _: i32) -> ConsumerGroupDescribeRequest {
        ConsumerGroupDescribeRequest::default().with_group_ids(keys.iter().map(group_id).collect())
    }

    fn read(
        &self,
        node: i32,
        _: &[GroupKey],
        answer: ConsumerGroupDescribeResponse,
    ) -> Vec<(GroupKey, Outcome<GroupDescription>)> {
        let groups = answer.groups.iter().map(|group| {
            let outcome = match group.error_code {
                0 => Outcome::Done(Ok(of_new(group, node))),
                code => group_failed(code, group.error_message.as_deref()),
            };
            (GroupKey(group.group_id.to_string()), outcome)
        });
        groups.collect()
    }
}

struct DescribeGroups;

impl KeyedCall for DescribeGroups {
    type Key = GroupKey;
    type Value = GroupDescription;
    type Request = DescribeGroupsRequest;

    const NAMES: [&'static str; 2] = [
        "describeConsumerGroups(api=FIND_COORDINATOR)",
        "describeConsumerGroups(api=DESCRIBE_GROUPS)",
    ];

    fn request(&self, keys: &[GroupKey], _: i32) -> DescribeGroupsRequest {
        DescribeGroupsRequest::default().with_groups(keys.iter().map(group_id).collect())
    }

    fn read(
        &self,
        node: i32,
        _: &[GroupKey],
        answer: DescribeGroupsResponse,
    ) -> Vec<(GroupKey, Outcome<GroupDescription>)> {
        let groups = answer.groups.iter().map(|group| {
            let outcome = match group.error_code {
                0 => Outcome::Done(of_classic(group, node)),
                code => group_failed(code, group.error_message.as_deref()),
            };
            (GroupKey(group.group_id.to_string()), outcome)
        });
        groups.collect()
    }
}

impl Admin {
    /// Describes groups of consumers; the description of each, or why there is none.
    pub async fn describe_consumer_groups(
        &mut self,
        groups: &[String],
    ) -> Results<String, GroupDescription> {
        let mut described =
            by_name(self.ask_of_keys(&ConsumerGroupDescribe, &group_keys(groups)).await);
        let is_older = |error: &AdminError| {
            matches!(error, AdminError::UnsupportedVersion { .. })
                || matches!(error.code(), Some(UNSUPPORTED_VERSION | GROUP_ID_NOT_FOUND))
        };
        let older = described.iter().filter(|(_, result)| result.as_ref().is_err_and(is_older));
        let older: Vec<String> = older.map(|(group, _)| group.clone()).collect();
        let classic = by_name(self.ask_of_keys(&DescribeGroups, &group_keys(&older)).await);
        for (group, result) in classic {
            // What the newer request said of a group that is not there is worth more.
            let is_absent = |result: &Result<_, AdminError>| {
                result.as_ref().is_err_and(|error| error.code() == Some(GROUP_ID_NOT_FOUND))
            };
            if !(is_absent(&result) && described.get(&group).is_some_and(is_absent)) {
                described.insert(group, result);
            }
        }
        described
    }

    /// The node of a description's coordinator.
    pub async fn node_of(&mut self, id: i32) -> Result<Option<Node>, AdminError> {
        if !self.nodes.iter().any(|node| node.id == id) {
            self.nodes = self.describe_cluster(false).await?.nodes;
        }
        Ok(self.nodes.iter().find(|node| node.id == id).cloned())
    }
}

fn of_new(group: &new::DescribedGroup, coordinator: i32) -> GroupDescription {
    let assignment = |assignment: &new::Assignment| {
        let topics = assignment.topic_partitions.iter();
        topics
            .flat_map(|topic| {
                topic.partitions.iter().map(|partition| TopicPartition {
                    topic: topic.topic_name.to_string(),
                    partition: *partition,
                })
            })
            .collect()
    };
    let members = group.members.iter().map(|member| GroupMember {
        member_id: member.member_id.to_string(),
        instance_id: member.instance_id.as_ref().map(ToString::to_string),
        rack: member.rack_id.as_ref().map(ToString::to_string),
        client_id: member.client_id.to_string(),
        host: member.client_host.to_string(),
        assigned: assignment(&member.assignment),
        generation: Some(MemberGeneration {
            epoch: member.member_epoch,
            target: assignment(&member.target_assignment),
            is_upgraded: Some(member.member_type).filter(|kind| *kind != -1).map(|kind| kind == 1),
        }),
    });
    GroupDescription {
        group: group.group_id.to_string(),
        kind: GroupType::Consumer,
        state: GroupState::parse(&group.group_state),
        assignor: group.assignor_name.to_string(),
        coordinator,
        members: members.collect(),
        epochs: Some((group.group_epoch, group.assignment_epoch)),
    }
}

fn of_classic(
    group: &classic::DescribedGroup,
    coordinator: i32,
) -> Result<GroupDescription, AdminError> {
    let protocol = &*group.protocol_type;
    if !protocol.is_empty() && protocol != "consumer" {
        let id = &*group.group_id;
        return Err(AdminError::IllegalArgument(format!(
            "GroupId {} is not a consumer group ({protocol}).",
            id.as_str()
        )));
    }
    let members = group.members.iter().map(|member| {
        Ok(GroupMember {
            member_id: member.member_id.to_string(),
            instance_id: member.group_instance_id.as_ref().map(ToString::to_string),
            rack: None,
            client_id: member.client_id.to_string(),
            host: member.client_host.to_string(),
            assigned: assignment(&member.member_assignment)?,
            generation: None,
        })
    });
    Ok(GroupDescription {
        group: group.group_id.to_string(),
        kind: GroupType::Classic,
        state: GroupState::parse(&group.group_state),
        assignor: group.protocol_data.to_string(),
        coordinator,
        members: members.collect::<Result<_, AdminError>>()?,
        epochs: None,
    })
}

/// The newest version of the assignment's schema; a newer one is read as this.
const NEWEST_ASSIGNMENT: i16 = 3;

/// What the leader of a classic group gave a member.
fn assignment(bytes: &Bytes) -> Result<Vec<TopicPartition>, AdminError> {
    if bytes.is_empty() {
        return Ok(Vec::new());
    }
    let unreadable = |why: String| {
        AdminError::Unusable(format!(
            "Buffer underflow while parsing consumer protocol's assignment: {why}"
        ))
    };
    let mut bytes = bytes.clone();
    let version = bytes.try_get_i16().map_err(|error| unreadable(error.to_string()))?;
    if version < 0 {
        return Err(AdminError::Unusable(format!("Unsupported assignment version: {version}")));
    }
    let read = ConsumerProtocolAssignment::decode(&mut bytes, version.min(NEWEST_ASSIGNMENT))
        .map_err(|error| unreadable(error.to_string()))?;
    let partitions = read.assigned_partitions.iter().flat_map(|topic| {
        topic.partitions.iter().map(|partition| TopicPartition {
            topic: topic.topic.to_string(),
            partition: *partition,
        })
    });
    let mut partitions: Vec<TopicPartition> = partitions.collect();
    partitions.sort();
    partitions.dedup();
    Ok(partitions)
}

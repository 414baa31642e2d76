//! ConsumerGroupDescribe: consumer groups with their members, of those whose topics the sender may
//! see. Kafka: `KafkaApis.handleConsumerGroupDescribeRequest`.

use coordinator::group::{
    DescribedConsumerGroup, DescribedConsumerMember, DescribedPartitions, GroupError,
};
use protocol::ErrorCode;
use protocol::messages::consumer_group_describe_response::{
    Assignment, DescribedGroup, Member, TopicPartitions,
};
use protocol::messages::{
    ConsumerGroupDescribeRequest, ConsumerGroupDescribeResponse, GroupId, TopicName,
};
use protocol::wire::StrBytes;

use crate::coordinators::groups::Groups;
use crate::metadata::metadata_cache::MetadataCache;
use crate::requests::authorizer::{Operation, Resource};
use crate::requests::context::RequestContext;
use crate::requests::error_map;
use crate::requests::reply::CloseConnection;

const CLASSIC: i8 = 0;
const CONSUMER: i8 = 1;

pub(crate) async fn handle(
    metadata: &MetadataCache,
    groups: &Groups,
    context: &RequestContext,
    request: ConsumerGroupDescribeRequest,
) -> Result<ConsumerGroupDescribeResponse, CloseConnection> {
    let is_served = groups.serves_consumer_groups(&metadata.image());
    let mut denied = Vec::new();
    let mut described = Vec::with_capacity(request.group_ids.len());
    for id in request.group_ids {
        let refused = |code: ErrorCode| {
            DescribedGroup::default().with_group_id(id.clone()).with_error_code(code.code())
        };
        if !is_served {
            described.push(refused(ErrorCode::UnsupportedVersion));
        } else if !context.authorize(Operation::Describe, Resource::Group(&id)) {
            denied.push(refused(ErrorCode::GroupAuthorizationFailed));
        } else {
            let mut group = describe_one(metadata, groups, id);
            if request.include_authorized_operations && group.error_code == 0 {
                group.authorized_operations =
                    context.authorized_operations(Resource::Group(&group.group_id));
            }
            described.push(visible(context, group));
        }
    }
    denied.extend(described);
    Ok(ConsumerGroupDescribeResponse::default().with_groups(denied))
}

fn describe_one(metadata: &MetadataCache, groups: &Groups, id: GroupId) -> DescribedGroup {
    let refused = DescribedGroup::default().with_group_id(id.clone());
    let described = if id.is_empty() {
        Err(GroupError::InvalidGroupId)
    } else {
        look_up(metadata, groups, &id)
    };
    match described {
        Ok(group) => respond(group),
        Err(error @ (GroupError::GroupNotFound(_) | GroupError::NotAConsumerGroup(_))) => refused
            .with_error_code(ErrorCode::GroupIdNotFound.code())
            .with_error_message(Some(StrBytes::from_string(error.to_string()))),
        Err(error) => refused.with_error_code(error_map::groups::code(&error).code()),
    }
}

fn look_up(
    metadata: &MetadataCache,
    groups: &Groups,
    id: &GroupId,
) -> Result<DescribedConsumerGroup, GroupError> {
    let shard = groups.shard(groups.partition_of(id, &metadata.image()))?;
    shard.act(|shard, _, _| shard.describe_consumer_group(id))?
}

/// A group with a topic that the sender may not see is not shown at all.
fn visible(context: &RequestContext, group: DescribedGroup) -> DescribedGroup {
    let is_denied = |topic: &TopicPartitions| {
        !context.authorize(Operation::Describe, Resource::Topic(&topic.topic_name))
    };
    let shows = |assignment: &Assignment| assignment.topic_partitions.iter().any(is_denied);
    if !group
        .members
        .iter()
        .any(|member| shows(&member.assignment) || shows(&member.target_assignment))
    {
        return group;
    }
    let why = "The group has described topic(s) that the client is not authorized to describe.";
    DescribedGroup::default()
        .with_group_id(group.group_id)
        .with_error_code(ErrorCode::TopicAuthorizationFailed.code())
        .with_error_message(Some(StrBytes::from_static_str(why)))
}

fn respond(group: DescribedConsumerGroup) -> DescribedGroup {
    DescribedGroup::default()
        .with_group_id(GroupId(group.group))
        .with_group_state(StrBytes::from_static_str(group.state))
        .with_group_epoch(group.epoch)
        .with_assignment_epoch(group.assignment_epoch)
        .with_assignor_name(StrBytes::from_static_str(group.assignor))
        .with_members(group.members.into_iter().map(member).collect())
}

fn member(member: DescribedConsumerMember) -> Member {
    Member::default()
        .with_member_id(member.member_id)
        .with_instance_id(member.instance_id)
        .with_rack_id(member.rack_id)
        .with_member_epoch(member.epoch)
        .with_client_id(member.client_id)
        .with_client_host(member.client_host)
        .with_subscribed_topic_names(member.topics.into_iter().map(TopicName).collect())
        .with_subscribed_topic_regex(member.regex)
        .with_assignment(assignment(member.assignment))
        .with_target_assignment(assignment(member.target_assignment))
        .with_member_type(if member.uses_classic_protocol { CLASSIC } else { CONSUMER })
}

fn assignment(topics: Vec<DescribedPartitions>) -> Assignment {
    let topics = topics.into_iter().map(|topic| {
        TopicPartitions::default()
            .with_topic_id(topic.topic_id)
            .with_topic_name(TopicName(topic.topic))
            .with_partitions(topic.partitions)
    });
    Assignment::default().with_topic_partitions(topics.collect())
}

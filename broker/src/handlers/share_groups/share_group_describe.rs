//! ShareGroupDescribe: share groups with their members, of those whose topics the sender may see.
//! Kafka: `KafkaApis.handleShareGroupDescribe`.

use coordinator::group::{
    DescribedPartitions, DescribedShareGroup, DescribedShareMember, GroupError,
};
use protocol::ErrorCode;
use protocol::messages::share_group_describe_response::{
    Assignment, DescribedGroup, Member, TopicPartitions,
};
use protocol::messages::{
    GroupId, ShareGroupDescribeRequest, ShareGroupDescribeResponse, TopicName,
};

use super::refusal;
use crate::coordinators::groups::Groups;
use crate::metadata::metadata_cache::MetadataCache;
use crate::requests::api_error::{ApiError, text};
use crate::requests::authorizer::{Operation, Resource};
use crate::requests::context::RequestContext;
use crate::requests::reply::CloseConnection;

pub(crate) async fn handle(
    metadata: &MetadataCache,
    groups: &Groups,
    context: &RequestContext,
    request: ShareGroupDescribeRequest,
) -> Result<ShareGroupDescribeResponse, CloseConnection> {
    let is_served = groups.serves_share_groups(&metadata.image());
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
    Ok(ShareGroupDescribeResponse::default().with_groups(denied))
}

fn describe_one(metadata: &MetadataCache, groups: &Groups, id: GroupId) -> DescribedGroup {
    let refused = DescribedGroup::default().with_group_id(id.clone());
    if id.is_empty() {
        return refused.with_error_code(ErrorCode::InvalidGroupId.code());
    }
    match look_up(metadata, groups, &id) {
        Ok(group) => respond(group),
        Err(error) => {
            let ApiError { code, message } = refusal(&error);
            refused.with_error_code(code.code()).with_error_message(message.map(text))
        }
    }
}

fn look_up(
    metadata: &MetadataCache,
    groups: &Groups,
    id: &GroupId,
) -> Result<DescribedShareGroup, GroupError> {
    let shard = groups.shard(groups.partition_of(id, &metadata.image()))?;
    shard.act(|shard, _, _| shard.describe_share_group(id))?
}

/// A group with a topic that the sender may not see is not shown at all.
fn visible(context: &RequestContext, group: DescribedGroup) -> DescribedGroup {
    let is_denied = |topic: &TopicPartitions| {
        !context.authorize(Operation::Describe, Resource::Topic(&topic.topic_name))
    };
    let mut members = group.members.iter();
    if !members.any(|member| member.assignment.topic_partitions.iter().any(is_denied)) {
        return group;
    }
    let why = "The group has described topic(s) that the client is not authorized to describe.";
    DescribedGroup::default()
        .with_group_id(group.group_id)
        .with_error_code(ErrorCode::TopicAuthorizationFailed.code())
        .with_error_message(Some(text(why)))
}

fn respond(group: DescribedShareGroup) -> DescribedGroup {
    DescribedGroup::default()
        .with_group_id(GroupId(group.group))
        .with_group_state(text(group.state))
        .with_group_epoch(group.epoch)
        .with_assignment_epoch(group.assignment_epoch)
        .with_assignor_name(text(group.assignor))
        .with_members(group.members.into_iter().map(member).collect())
}

fn member(member: DescribedShareMember) -> Member {
    Member::default()
        .with_member_id(member.member_id)
        .with_rack_id(member.rack_id)
        .with_member_epoch(member.epoch)
        .with_client_id(member.client_id)
        .with_client_host(member.client_host)
        .with_subscribed_topic_names(member.topics.into_iter().map(TopicName).collect())
        .with_assignment(assignment(member.assignment))
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

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
use protocol::wire::StrBytes;

use super::refusal;
use crate::coordinators::groups::Groups;
use crate::coordinators::share::serves_share_groups;
use crate::handlers::groups::described::{Asked, Described, described};
use crate::metadata::metadata_cache::MetadataCache;
use crate::requests::api_error::{ApiError, text};
use crate::requests::context::RequestContext;
use crate::requests::reply::CloseConnection;

pub(crate) async fn handle(
    metadata: &MetadataCache,
    groups: &Groups,
    context: &RequestContext,
    request: ShareGroupDescribeRequest,
) -> Result<ShareGroupDescribeResponse, CloseConnection> {
    let asked = Asked {
        is_served: serves_share_groups(&metadata.image()),
        ids: request.group_ids,
        include_authorized_operations: request.include_authorized_operations,
    };
    let groups = described(context, asked, |id| describe_one(metadata, groups, id));
    Ok(ShareGroupDescribeResponse::default().with_groups(groups))
}

fn describe_one(metadata: &MetadataCache, groups: &Groups, id: GroupId) -> DescribedGroup {
    if id.is_empty() {
        return DescribedGroup::refused(id, ErrorCode::InvalidGroupId, None);
    }
    match look_up(metadata, groups, &id) {
        Ok(group) => respond(group),
        Err(error) => {
            let ApiError { code, message } = refusal(&error);
            DescribedGroup::refused(id, code, message.map(text))
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

impl Described for DescribedGroup {
    const TOPICS_DENIED: &'static str =
        "The group has described topic(s) that the client is not authorized to describe.";

    fn refused(id: GroupId, code: ErrorCode, why: Option<StrBytes>) -> Self {
        Self::default().with_group_id(id).with_error_code(code.code()).with_error_message(why)
    }

    fn group_id(&self) -> &GroupId {
        &self.group_id
    }

    fn is_refused(&self) -> bool {
        self.error_code != 0
    }

    fn set_authorized_operations(&mut self, operations: i32) {
        self.authorized_operations = operations;
    }

    fn names(&self, is_such: &dyn Fn(&str) -> bool) -> bool {
        let mut members = self.members.iter();
        members.any(|member| {
            let topics = &member.assignment.topic_partitions;
            topics.iter().any(|topic| is_such(&topic.topic_name))
        })
    }
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

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

use super::described::{Asked, Described, described};
use crate::coordinators::groups::Groups;
use crate::metadata::metadata_cache::MetadataCache;
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
    let asked = Asked {
        is_served: groups.serves_consumer_groups(&metadata.image()),
        ids: request.group_ids,
        include_authorized_operations: request.include_authorized_operations,
    };
    let groups = described(context, asked, |id| describe_one(metadata, groups, id));
    Ok(ConsumerGroupDescribeResponse::default().with_groups(groups))
}

fn describe_one(metadata: &MetadataCache, groups: &Groups, id: GroupId) -> DescribedGroup {
    let described = if id.is_empty() {
        Err(GroupError::InvalidGroupId)
    } else {
        look_up(metadata, groups, &id)
    };
    match described {
        Ok(group) => respond(group),
        Err(error @ (GroupError::GroupNotFound(_) | GroupError::NotAConsumerGroup(_))) => {
            let why = StrBytes::from_string(error.to_string());
            DescribedGroup::refused(id, ErrorCode::GroupIdNotFound, Some(why))
        }
        Err(error) => DescribedGroup::refused(id, error_map::groups::code(&error), None),
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
        let shows = |assignment: &Assignment| {
            assignment.topic_partitions.iter().any(|topic| is_such(&topic.topic_name))
        };
        let mut members = self.members.iter();
        members.any(|member| shows(&member.assignment) || shows(&member.target_assignment))
    }
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

//! StreamsGroupDescribe: streams groups with their topology and members, of those whose topics the
//! sender may see. Kafka: `KafkaApis.handleStreamsGroupDescribe`.

use coordinator::group::{
    DescribedStreamsGroup, DescribedStreamsMember, DescribedSubtopology, DescribedTopic,
    DescribedTopology, GroupError, TaskAssignment, Tasks,
};
use protocol::ErrorCode;
use protocol::messages::streams_group_describe_response::{
    Assignment, DescribedGroup, Endpoint, KeyValue, Member, Subtopology, TaskIds, TopicInfo,
    Topology,
};
use protocol::messages::{
    GroupId, StreamsGroupDescribeRequest, StreamsGroupDescribeResponse, TopicName,
};
use protocol::wire::StrBytes;

use super::described::{Asked, Described, described};
use crate::coordinators::groups::Groups;
use crate::metadata::metadata_cache::MetadataCache;
use crate::requests::context::RequestContext;
use crate::requests::error_map;
use crate::requests::reply::CloseConnection;

pub(crate) async fn handle(
    metadata: &MetadataCache,
    groups: &Groups,
    context: &RequestContext,
    request: StreamsGroupDescribeRequest,
) -> Result<StreamsGroupDescribeResponse, CloseConnection> {
    let asked = Asked {
        is_served: groups.serves_streams_groups(&metadata.image()),
        ids: request.group_ids,
        include_authorized_operations: request.include_authorized_operations,
    };
    let groups = described(context, asked, |id| describe_one(metadata, groups, id));
    Ok(StreamsGroupDescribeResponse { groups, ..StreamsGroupDescribeResponse::default() })
}

fn describe_one(metadata: &MetadataCache, groups: &Groups, id: GroupId) -> DescribedGroup {
    let described = if id.is_empty() {
        Err(GroupError::InvalidGroupId)
    } else {
        look_up(metadata, groups, &id)
    };
    match described {
        Ok(group) => respond(group),
        Err(error @ (GroupError::GroupNotFound(_) | GroupError::NotAStreamsGroup(_))) => {
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
) -> Result<DescribedStreamsGroup, GroupError> {
    let shard = groups.shard(groups.partition_of(id, &metadata.image()))?;
    shard.act(|shard, _, _| shard.describe_streams_group(id))?
}

impl Described for DescribedGroup {
    const TOPICS_DENIED: &'static str =
        "The described group uses topics that the client is not authorized to describe.";

    fn refused(id: GroupId, code: ErrorCode, why: Option<StrBytes>) -> Self {
        Self { group_id: id, error_code: code.code(), error_message: why, ..Self::default() }
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
        let parts =
            self.topology.iter().flat_map(|topology| topology.subtopologies.iter().flatten());
        parts.into_iter().any(|part| {
            let named = part.source_topics.iter().chain(&part.repartition_sink_topics);
            let made = part.repartition_source_topics.iter().chain(&part.state_changelog_topics);
            named.chain(made.map(|topic| &topic.name)).any(|topic| is_such(topic))
        })
    }
}

fn respond(group: DescribedStreamsGroup) -> DescribedGroup {
    DescribedGroup {
        group_id: GroupId(group.group),
        group_state: StrBytes::from_static_str(group.state),
        group_epoch: group.epoch,
        assignment_epoch: group.assignment_epoch,
        topology: Some(topology(group.topology)),
        members: group.members.into_iter().map(member).collect(),
        ..DescribedGroup::default()
    }
}

fn topology(topology: DescribedTopology) -> Topology {
    let parts = topology.subtopologies.into_iter().map(subtopology);
    Topology { epoch: topology.epoch, subtopologies: Some(parts.collect()) }
}

fn subtopology(part: DescribedSubtopology) -> Subtopology {
    let names = |names: Vec<StrBytes>| names.into_iter().map(TopicName).collect();
    let topics = |topics: Vec<DescribedTopic>| topics.into_iter().map(topic).collect();
    Subtopology {
        subtopology_id: part.id,
        source_topics: names(part.source_topics),
        repartition_sink_topics: names(part.repartition_sink_topics),
        state_changelog_topics: topics(part.state_changelog_topics),
        repartition_source_topics: topics(part.repartition_source_topics),
    }
}

fn topic(topic: DescribedTopic) -> TopicInfo {
    TopicInfo {
        name: TopicName(topic.name),
        partitions: topic.partitions,
        replication_factor: topic.replication_factor,
        topic_configs: key_values(topic.configs),
    }
}

fn key_values(pairs: Vec<(StrBytes, StrBytes)>) -> Vec<KeyValue> {
    pairs.into_iter().map(|(key, value)| KeyValue { key, value }).collect()
}

fn member(member: DescribedStreamsMember) -> Member {
    let endpoint = member.user_endpoint;
    Member {
        member_id: member.member_id,
        member_epoch: member.epoch,
        instance_id: member.instance_id,
        rack_id: member.rack_id,
        client_id: member.client_id,
        client_host: member.client_host,
        topology_epoch: member.topology_epoch,
        process_id: member.process_id,
        user_endpoint: endpoint.map(|of| Endpoint { host: of.host, port: of.port }),
        client_tags: key_values(member.client_tags),
        assignment: assignment(member.assignment),
        target_assignment: assignment(member.target_assignment),
        ..Member::default()
    }
}

fn assignment(assignment: TaskAssignment) -> Assignment {
    Assignment {
        active_tasks: tasks(assignment.active),
        standby_tasks: tasks(assignment.standby),
        warmup_tasks: tasks(assignment.warmup),
    }
}

fn tasks(tasks: Tasks) -> Vec<TaskIds> {
    let tasks = tasks.into_iter().map(|(subtopology_id, partitions)| TaskIds {
        subtopology_id,
        partitions: partitions.into_iter().collect(),
    });
    tasks.collect()
}

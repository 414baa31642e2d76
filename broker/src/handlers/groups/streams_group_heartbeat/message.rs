//! StreamsGroupHeartbeat on the wire, and as the coordinator knows it.

use coordinator::group::{
    EndpointPartitions, StreamsGroupHeartbeat, StreamsHeartbeatRequest, StreamsStatus,
    TaskAssignment, Tasks, TopicPartitions,
};
use protocol::messages::streams_group_heartbeat_request as asked;
use protocol::messages::streams_group_heartbeat_response as told;
use protocol::messages::{StreamsGroupHeartbeatRequest, StreamsGroupHeartbeatResponse, TopicName};
use protocol::records::group::{
    StreamsCopartitionGroup, StreamsEndpoint, StreamsKeyValue, StreamsSubtopologyValue,
    StreamsTopicInfo, StreamsTopologyValue,
};
use protocol::wire::StrBytes;

/// A copy that does not keep the frame it came in alive.
fn own(text: &StrBytes) -> StrBytes {
    StrBytes::from_string(text.as_str().to_owned())
}

pub(super) fn read(request: StreamsGroupHeartbeatRequest) -> StreamsHeartbeatRequest {
    let own_or_none = |text: &Option<StrBytes>| text.as_ref().map(own);
    StreamsHeartbeatRequest {
        group_id: own(&request.group_id),
        member_id: own(&request.member_id),
        member_epoch: request.member_epoch,
        endpoint_information_epoch: request.endpoint_information_epoch,
        instance_id: own_or_none(&request.instance_id),
        rack_id: own_or_none(&request.rack_id),
        rebalance_timeout_ms: request.rebalance_timeout_ms,
        topology: request.topology.as_ref().map(topology),
        active_tasks: task_ids(request.active_tasks),
        standby_tasks: task_ids(request.standby_tasks),
        warmup_tasks: task_ids(request.warmup_tasks),
        process_id: own_or_none(&request.process_id),
        user_endpoint: request.user_endpoint.map(|endpoint| StreamsEndpoint {
            host: own(&endpoint.host),
            port: endpoint.port,
            ..StreamsEndpoint::default()
        }),
        client_tags: request.client_tags.as_deref().map(key_values),
        has_task_offsets: request.task_offsets.is_some(),
        has_task_end_offsets: request.task_end_offsets.is_some(),
        shutdown_application: request.shutdown_application,
    }
}

fn task_ids(tasks: Option<Vec<asked::TaskIds>>) -> Option<Vec<coordinator::group::TaskIds>> {
    let tasks = tasks?.into_iter().map(|tasks| coordinator::group::TaskIds {
        subtopology: own(&tasks.subtopology_id),
        partitions: tasks.partitions,
    });
    Some(tasks.collect())
}

fn key_values(pairs: &[asked::KeyValue]) -> Vec<StreamsKeyValue> {
    let pairs = pairs.iter().map(|pair| StreamsKeyValue {
        key: own(&pair.key),
        value: own(&pair.value),
        ..StreamsKeyValue::default()
    });
    pairs.collect()
}

fn topology(topology: &asked::Topology) -> StreamsTopologyValue {
    StreamsTopologyValue {
        epoch: topology.epoch,
        subtopologies: topology.subtopologies.iter().map(subtopology).collect(),
        ..StreamsTopologyValue::default()
    }
}

fn subtopology(part: &asked::Subtopology) -> StreamsSubtopologyValue {
    let names = |names: &[TopicName]| names.iter().map(|name| own(name)).collect();
    let groups = part.copartition_groups.iter().map(|group| StreamsCopartitionGroup {
        source_topics: group.source_topics.clone(),
        source_topic_regex: group.source_topic_regex.clone(),
        repartition_source_topics: group.repartition_source_topics.clone(),
        ..StreamsCopartitionGroup::default()
    });
    StreamsSubtopologyValue {
        subtopology_id: own(&part.subtopology_id),
        source_topics: names(&part.source_topics),
        source_topic_regex: part.source_topic_regex.iter().map(own).collect(),
        state_changelog_topics: part.state_changelog_topics.iter().map(topic).collect(),
        repartition_sink_topics: names(&part.repartition_sink_topics),
        repartition_source_topics: part.repartition_source_topics.iter().map(topic).collect(),
        copartition_groups: groups.collect(),
        ..StreamsSubtopologyValue::default()
    }
}

fn topic(topic: &asked::TopicInfo) -> StreamsTopicInfo {
    StreamsTopicInfo {
        name: own(&topic.name),
        partitions: topic.partitions,
        replication_factor: topic.replication_factor,
        topic_configs: key_values(&topic.topic_configs),
        ..StreamsTopicInfo::default()
    }
}

pub(super) fn respond(beat: StreamsGroupHeartbeat) -> StreamsGroupHeartbeatResponse {
    let endpoints = beat.endpoints.map(|all| all.into_iter().map(endpoint).collect());
    let mut response = StreamsGroupHeartbeatResponse {
        member_id: beat.member_id,
        member_epoch: beat.member_epoch,
        heartbeat_interval_ms: beat.heartbeat_interval_ms,
        status: Some(beat.statuses.iter().map(status).collect()),
        endpoint_information_epoch: beat.endpoint_information_epoch,
        partitions_by_user_endpoint: endpoints,
        ..StreamsGroupHeartbeatResponse::default()
    };
    if let Some(TaskAssignment { active, standby, warmup }) = beat.tasks {
        response.active_tasks = Some(tasks(active));
        response.standby_tasks = Some(tasks(standby));
        response.warmup_tasks = Some(tasks(warmup));
    }
    response
}

fn status(status: &StreamsStatus) -> told::Status {
    told::Status {
        status_code: status.code(),
        status_detail: StrBytes::from_string(status.to_string()),
    }
}

fn tasks(tasks: Tasks) -> Vec<told::TaskIds> {
    let tasks = tasks.into_iter().map(|(subtopology_id, partitions)| told::TaskIds {
        subtopology_id,
        partitions: partitions.into_iter().collect(),
    });
    tasks.collect()
}

fn endpoint(of: EndpointPartitions) -> told::EndpointToPartitions {
    let topics = |topics: Vec<TopicPartitions>| {
        let topics = topics.into_iter().map(|of| told::TopicPartition {
            topic: TopicName(of.topic),
            partitions: of.partitions,
        });
        topics.collect()
    };
    let EndpointPartitions { endpoint, active, standby } = of;
    told::EndpointToPartitions {
        user_endpoint: told::Endpoint { host: endpoint.host, port: endpoint.port },
        active_partitions: topics(active),
        standby_partitions: topics(standby),
    }
}

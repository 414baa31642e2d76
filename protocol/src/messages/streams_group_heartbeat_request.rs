//! StreamsGroupHeartbeat: a member of a streams group is alive, says what it has, and hears what it
//! is to have (KIP-1071).

pub use super::streams_group_heartbeat_response::StreamsGroupHeartbeatResponse;
use super::{GroupId, TopicName};
use crate::layout::{messages, request};
use crate::wire::StrBytes;

messages! {
    pub struct StreamsGroupHeartbeatRequest {
        group_id: GroupId [0+],
        member_id: StrBytes [0+],
        member_epoch: i32 [0+],
        endpoint_information_epoch: i32 [0+],
        instance_id: Option<StrBytes> [0+],
        rack_id: Option<StrBytes> [0+],
        rebalance_timeout_ms: i32 [0+] = -1,
        topology: Option<Topology> [0+],
        active_tasks: Option<Vec<TaskIds>> [0+],
        standby_tasks: Option<Vec<TaskIds>> [0+],
        warmup_tasks: Option<Vec<TaskIds>> [0+],
        process_id: Option<StrBytes> [0+],
        user_endpoint: Option<Endpoint> [0+],
        client_tags: Option<Vec<KeyValue>> [0+],
        task_offsets: Option<Vec<TaskOffset>> [0+],
        task_end_offsets: Option<Vec<TaskOffset>> [0+],
        shutdown_application: bool [0+],
    }

    pub struct Topology {
        epoch: i32 [0+],
        subtopologies: Vec<Subtopology> [0+],
    }

    pub struct Subtopology {
        subtopology_id: StrBytes [0+],
        source_topics: Vec<TopicName> [0+],
        source_topic_regex: Vec<StrBytes> [0+],
        state_changelog_topics: Vec<TopicInfo> [0+],
        repartition_sink_topics: Vec<TopicName> [0+],
        repartition_source_topics: Vec<TopicInfo> [0+],
        copartition_groups: Vec<CopartitionGroup> [0+],
    }

    pub struct TopicInfo {
        name: TopicName [0+],
        partitions: i32 [0+],
        replication_factor: i16 [0+],
        topic_configs: Vec<KeyValue> [0+],
    }

    pub struct KeyValue {
        key: StrBytes [0+],
        value: StrBytes [0+],
    }

    pub struct CopartitionGroup {
        source_topics: Vec<i16> [0+],
        source_topic_regex: Vec<i16> [0+],
        repartition_source_topics: Vec<i16> [0+],
    }

    pub struct TaskIds {
        subtopology_id: StrBytes [0+],
        partitions: Vec<i32> [0+],
    }

    pub struct Endpoint {
        host: StrBytes [0+],
        port: u16 [0+],
    }

    pub struct TaskOffset {
        subtopology_id: StrBytes [0+],
        partition: i32 [0+],
        offset: i64 [0+],
    }
}

request! {
    StreamsGroupHeartbeatRequest => StreamsGroupHeartbeatResponse,
    StreamsGroupHeartbeat in 0..=0, flexible from 0
}

//! The answer to StreamsGroupDescribe.

use super::{GroupId, TopicName};
use crate::layout::messages;
use crate::wire::StrBytes;

messages! {
    pub struct StreamsGroupDescribeResponse {
        throttle_time_ms: i32 [0+],
        groups: Vec<DescribedGroup> [0+],
    }

    pub struct DescribedGroup {
        error_code: i16 [0+],
        error_message: Option<StrBytes> [0+],
        group_id: GroupId [0+],
        group_state: StrBytes [0+],
        group_epoch: i32 [0+],
        assignment_epoch: i32 [0+],
        topology: Option<Topology> [0+],
        members: Vec<Member> [0+],
        authorized_operations: i32 [0+] = i32::MIN,
    }

    pub struct Topology {
        epoch: i32 [0+],
        subtopologies: Option<Vec<Subtopology>> [0+],
    }

    pub struct Subtopology {
        subtopology_id: StrBytes [0+],
        source_topics: Vec<TopicName> [0+],
        repartition_sink_topics: Vec<TopicName> [0+],
        state_changelog_topics: Vec<TopicInfo> [0+],
        repartition_source_topics: Vec<TopicInfo> [0+],
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

    pub struct Member {
        member_id: StrBytes [0+],
        member_epoch: i32 [0+],
        instance_id: Option<StrBytes> [0+],
        rack_id: Option<StrBytes> [0+],
        client_id: StrBytes [0+],
        client_host: StrBytes [0+],
        topology_epoch: i32 [0+],
        process_id: StrBytes [0+],
        user_endpoint: Option<Endpoint> [0+],
        client_tags: Vec<KeyValue> [0+],
        task_offsets: Vec<TaskOffset> [0+],
        task_end_offsets: Vec<TaskOffset> [0+],
        assignment: Assignment [0+],
        target_assignment: Assignment [0+],
        is_classic: bool [0+],
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

    pub struct Assignment {
        active_tasks: Vec<TaskIds> [0+],
        standby_tasks: Vec<TaskIds> [0+],
        warmup_tasks: Vec<TaskIds> [0+],
    }

    pub struct TaskIds {
        subtopology_id: StrBytes [0+],
        partitions: Vec<i32> [0+],
    }
}

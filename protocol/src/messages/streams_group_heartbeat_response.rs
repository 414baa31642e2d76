//! The answer to StreamsGroupHeartbeat.

use super::TopicName;
use crate::layout::messages;
use crate::wire::StrBytes;

messages! {
    pub struct StreamsGroupHeartbeatResponse {
        throttle_time_ms: i32 [0+],
        error_code: i16 [0+],
        error_message: Option<StrBytes> [0+],
        member_id: StrBytes [0+],
        member_epoch: i32 [0+],
        heartbeat_interval_ms: i32 [0+],
        acceptable_recovery_lag: i32 [0+],
        task_offset_interval_ms: i32 [0+],
        status: Option<Vec<Status>> [0+] = Some(Vec::new()),
        active_tasks: Option<Vec<TaskIds>> [0+],
        standby_tasks: Option<Vec<TaskIds>> [0+],
        warmup_tasks: Option<Vec<TaskIds>> [0+],
        endpoint_information_epoch: i32 [0+],
        partitions_by_user_endpoint: Option<Vec<EndpointToPartitions>> [0+],
    }

    pub struct Status {
        status_code: i8 [0+],
        status_detail: StrBytes [0+],
    }

    pub struct TaskIds {
        subtopology_id: StrBytes [0+],
        partitions: Vec<i32> [0+],
    }

    pub struct EndpointToPartitions {
        user_endpoint: Endpoint [0+],
        active_partitions: Vec<TopicPartition> [0+],
        standby_partitions: Vec<TopicPartition> [0+],
    }

    pub struct Endpoint {
        host: StrBytes [0+],
        port: u16 [0+],
    }

    pub struct TopicPartition {
        topic: TopicName [0+],
        partitions: Vec<i32> [0+],
    }
}

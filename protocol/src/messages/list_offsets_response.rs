//! The answer to ListOffsets.

use super::TopicName;
use crate::layout::messages;

messages! {
    pub struct ListOffsetsResponse {
        throttle_time_ms: i32 [2+],
        topics: Vec<ListOffsetsTopicResponse> [0+],
    }

    pub struct ListOffsetsTopicResponse {
        name: TopicName [0+],
        partitions: Vec<ListOffsetsPartitionResponse> [0+],
    }

    pub struct ListOffsetsPartitionResponse {
        partition_index: i32 [0+],
        error_code: i16 [0+],
        timestamp: i64 [1+] = -1,
        offset: i64 [1+] = -1,
        leader_epoch: i32 [4+] = -1,
    }
}

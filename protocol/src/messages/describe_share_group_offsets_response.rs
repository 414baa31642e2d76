//! The answer to DescribeShareGroupOffsets.

use uuid::Uuid;

use super::{GroupId, TopicName};
use crate::layout::messages;
use crate::wire::StrBytes;

messages! {
    pub struct DescribeShareGroupOffsetsResponse {
        throttle_time_ms: i32 [0+],
        groups: Vec<DescribeShareGroupOffsetsResponseGroup> [0+],
    }

    pub struct DescribeShareGroupOffsetsResponseGroup {
        group_id: GroupId [0+],
        topics: Vec<DescribeShareGroupOffsetsResponseTopic> [0+],
        error_code: i16 [0+],
        error_message: Option<StrBytes> [0+],
    }

    pub struct DescribeShareGroupOffsetsResponseTopic {
        topic_name: TopicName [0+],
        topic_id: Uuid [0+],
        partitions: Vec<DescribeShareGroupOffsetsResponsePartition> [0+],
    }

    pub struct DescribeShareGroupOffsetsResponsePartition {
        partition_index: i32 [0+],
        start_offset: i64 [0+],
        leader_epoch: i32 [0+],
        lag: i64 [1+] = -1,
        error_code: i16 [0+],
        error_message: Option<StrBytes> [0+],
    }
}

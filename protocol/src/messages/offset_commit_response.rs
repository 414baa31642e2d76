//! The answer to OffsetCommit.

use uuid::Uuid;

use super::TopicName;
use crate::layout::messages;

messages! {
    pub struct OffsetCommitResponse {
        throttle_time_ms: i32 [3+],
        topics: Vec<OffsetCommitResponseTopic> [0+],
    }

    pub struct OffsetCommitResponseTopic {
        name: TopicName [0-9],
        topic_id: Uuid [10+],
        partitions: Vec<OffsetCommitResponsePartition> [0+],
    }

    pub struct OffsetCommitResponsePartition {
        partition_index: i32 [0+],
        error_code: i16 [0+],
    }
}

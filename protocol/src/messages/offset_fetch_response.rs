//! The answer to OffsetFetch.

use uuid::Uuid;

use super::{GroupId, TopicName};
use crate::layout::messages;
use crate::wire::StrBytes;

messages! {
    pub struct OffsetFetchResponse {
        throttle_time_ms: i32 [3+],
        topics: Vec<OffsetFetchResponseTopic> [0-7],
        error_code: i16 [2-7],
        groups: Vec<OffsetFetchResponseGroup> [8+],
    }

    pub struct OffsetFetchResponseTopic {
        name: TopicName [0-7],
        partitions: Vec<OffsetFetchResponsePartition> [0-7],
    }

    pub struct OffsetFetchResponsePartition {
        partition_index: i32 [0-7],
        /// -1 where nothing is committed.
        committed_offset: i64 [0-7],
        committed_leader_epoch: i32 [5-7] = -1,
        metadata: Option<StrBytes> [0-7] = Some(StrBytes::new()),
        error_code: i16 [0-7],
    }

    pub struct OffsetFetchResponseGroup {
        group_id: GroupId [8+],
        topics: Vec<OffsetFetchResponseTopics> [8+],
        error_code: i16 [8+],
    }

    pub struct OffsetFetchResponseTopics {
        name: TopicName [8-9],
        topic_id: Uuid [10+],
        partitions: Vec<OffsetFetchResponsePartitions> [8+],
    }

    pub struct OffsetFetchResponsePartitions {
        partition_index: i32 [8+],
        /// -1 where nothing is committed.
        committed_offset: i64 [8+],
        committed_leader_epoch: i32 [8+] = -1,
        metadata: Option<StrBytes> [8+] = Some(StrBytes::new()),
        error_code: i16 [8+],
    }
}

//! ListOffsets: the offset of a time, or of a place in the log that has a name.
//!
//! The names are negative times: -1 the end, -2 the start, -3 the greatest time, -4 the start of
//! what lies here, -5 the end of what lies in remote storage, -6 the start of what does not lie
//! there yet (version 11, KIP-1023).

pub use super::list_offsets_response::ListOffsetsResponse;
use super::{BrokerId, TopicName};
use crate::layout::{messages, request};

messages! {
    pub struct ListOffsetsRequest {
        /// -1 of a client.
        replica_id: BrokerId [0+],
        isolation_level: i8 [2+],
        topics: Vec<ListOffsetsTopic> [0+],
        timeout_ms: i32 [10+],
    }

    pub struct ListOffsetsTopic {
        name: TopicName [0+],
        partitions: Vec<ListOffsetsPartition> [0+],
    }

    pub struct ListOffsetsPartition {
        partition_index: i32 [0+],
        current_leader_epoch: i32 [4+] = -1,
        timestamp: i64 [0+],
    }
}

request! { ListOffsetsRequest => ListOffsetsResponse, ListOffsets in 1..=11, flexible from 6 }

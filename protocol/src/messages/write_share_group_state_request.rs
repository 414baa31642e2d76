//! WriteShareGroupState: the leader of a share-partition has its state kept (KIP-932).
//!
//! Version 1 counts the deliveries that are complete (KIP-1226).

use uuid::Uuid;

pub use super::write_share_group_state_response::WriteShareGroupStateResponse;
use crate::layout::{messages, request};
use crate::wire::StrBytes;

messages! {
    pub struct WriteShareGroupStateRequest {
        group_id: StrBytes [0+],
        topics: Vec<WriteStateData> [0+],
    }

    pub struct WriteStateData {
        topic_id: Uuid [0+],
        partitions: Vec<PartitionData> [0+],
    }

    pub struct PartitionData {
        partition: i32 [0+],
        state_epoch: i32 [0+],
        leader_epoch: i32 [0+],
        start_offset: i64 [0+],
        delivery_complete_count: i32 [1+] = -1,
        state_batches: Vec<StateBatch> [0+],
    }

    pub struct StateBatch {
        first_offset: i64 [0+],
        last_offset: i64 [0+],
        delivery_state: i8 [0+],
        delivery_count: i16 [0+],
    }
}

request! {
    WriteShareGroupStateRequest => WriteShareGroupStateResponse,
    WriteShareGroupState in 0..=1, flexible from 0
}

//! ReadShareGroupStateSummary: how far a share-partition is (KIP-932).
//!
//! Version 1 counts the deliveries that are complete (KIP-1226).

use uuid::Uuid;

pub use super::read_share_group_state_summary_response::ReadShareGroupStateSummaryResponse;
use crate::layout::{messages, request};
use crate::wire::StrBytes;

messages! {
    pub struct ReadShareGroupStateSummaryRequest {
        group_id: StrBytes [0+],
        topics: Vec<ReadStateSummaryData> [0+],
    }

    pub struct ReadStateSummaryData {
        topic_id: Uuid [0+],
        partitions: Vec<PartitionData> [0+],
    }

    pub struct PartitionData {
        partition: i32 [0+],
        leader_epoch: i32 [0+],
    }
}

request! {
    ReadShareGroupStateSummaryRequest => ReadShareGroupStateSummaryResponse,
    ReadShareGroupStateSummary in 0..=1, flexible from 0
}

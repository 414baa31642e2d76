//! The answer to ReadShareGroupStateSummary.

use uuid::Uuid;

use crate::layout::messages;
use crate::wire::StrBytes;

messages! {
    pub struct ReadShareGroupStateSummaryResponse {
        results: Vec<ReadStateSummaryResult> [0+],
    }

    pub struct ReadStateSummaryResult {
        topic_id: Uuid [0+],
        partitions: Vec<PartitionResult> [0+],
    }

    pub struct PartitionResult {
        partition: i32 [0+],
        error_code: i16 [0+],
        error_message: Option<StrBytes> [0+],
        state_epoch: i32 [0+],
        leader_epoch: i32 [0+],
        start_offset: i64 [0+],
        delivery_complete_count: i32 [1+] = -1,
    }
}

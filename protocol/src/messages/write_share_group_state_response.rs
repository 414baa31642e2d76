//! The answer to WriteShareGroupState.

use uuid::Uuid;

use crate::layout::messages;
use crate::wire::StrBytes;

messages! {
    pub struct WriteShareGroupStateResponse {
        results: Vec<WriteStateResult> [0+],
    }

    pub struct WriteStateResult {
        topic_id: Uuid [0+],
        partitions: Vec<PartitionResult> [0+],
    }

    pub struct PartitionResult {
        partition: i32 [0+],
        error_code: i16 [0+],
        error_message: Option<StrBytes> [0+],
    }
}

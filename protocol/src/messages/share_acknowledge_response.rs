//! The answer to ShareAcknowledge.

use uuid::Uuid;

pub use super::share_fetch_response::{LeaderIdAndEpoch, NodeEndpoint};
use crate::layout::messages;
use crate::wire::StrBytes;

messages! {
    pub struct ShareAcknowledgeResponse {
        throttle_time_ms: i32 [0+],
        error_code: i16 [0+],
        error_message: Option<StrBytes> [0+],
        /// For so long renewed records are locked.
        acquisition_lock_timeout_ms: i32 [2+],
        responses: Vec<ShareAcknowledgeTopicResponse> [0+],
        node_endpoints: Vec<NodeEndpoint> [0+],
    }

    pub struct ShareAcknowledgeTopicResponse {
        topic_id: Uuid [0+],
        partitions: Vec<PartitionData> [0+],
    }

    pub struct PartitionData {
        partition_index: i32 [0+],
        error_code: i16 [0+],
        error_message: Option<StrBytes> [0+],
        current_leader: LeaderIdAndEpoch [0+],
    }
}

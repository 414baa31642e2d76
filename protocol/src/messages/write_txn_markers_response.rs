//! The answer to WriteTxnMarkers.

use super::{ProducerId, TopicName};
use crate::layout::messages;

messages! {
    pub struct WriteTxnMarkersResponse {
        markers: Vec<WritableTxnMarkerResult> [0+],
    }

    pub struct WritableTxnMarkerResult {
        producer_id: ProducerId [0+],
        topics: Vec<WritableTxnMarkerTopicResult> [0+],
    }

    pub struct WritableTxnMarkerTopicResult {
        name: TopicName [0+],
        partitions: Vec<WritableTxnMarkerPartitionResult> [0+],
    }

    pub struct WritableTxnMarkerPartitionResult {
        partition_index: i32 [0+],
        error_code: i16 [0+],
    }
}

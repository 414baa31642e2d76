//! WriteTxnMarkers: a transaction coordinator has leaders end transactions in their partitions.
//!
//! Version 2 says of each which version its transaction has (KIP-1228).

pub use super::write_txn_markers_response::WriteTxnMarkersResponse;
use super::{ProducerId, TopicName};
use crate::layout::{messages, request};

messages! {
    pub struct WriteTxnMarkersRequest {
        markers: Vec<WritableTxnMarker> [0+],
    }

    pub struct WritableTxnMarker {
        producer_id: ProducerId [0+],
        producer_epoch: i16 [0+],
        /// Whether it is committed.
        transaction_result: bool [0+],
        topics: Vec<WritableTxnMarkerTopic> [0+],
        coordinator_epoch: i32 [0+],
        /// 0 where it is not known.
        transaction_version: i8 [2+],
    }

    pub struct WritableTxnMarkerTopic {
        name: TopicName [0+],
        partition_indexes: Vec<i32> [0+],
    }
}

request! {
    WriteTxnMarkersRequest => WriteTxnMarkersResponse, WriteTxnMarkers in 1..=2, flexible from 1
}

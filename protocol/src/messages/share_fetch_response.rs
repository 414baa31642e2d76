//! The answer to ShareFetch.

use bytes::Bytes;
use uuid::Uuid;

use super::BrokerId;
use crate::layout::messages;
use crate::wire::StrBytes;

messages! {
    pub struct ShareFetchResponse {
        throttle_time_ms: i32 [0+],
        error_code: i16 [0+],
        error_message: Option<StrBytes> [0+],
        /// For so long the acquired records are locked.
        acquisition_lock_timeout_ms: i32 [1+],
        responses: Vec<ShareFetchableTopicResponse> [0+],
        /// Of all leaders that are told because a partition is not led here.
        node_endpoints: Vec<NodeEndpoint> [0+],
    }

    pub struct ShareFetchableTopicResponse {
        topic_id: Uuid [0+],
        partitions: Vec<PartitionData> [0+],
    }

    pub struct PartitionData {
        partition_index: i32 [0+],
        error_code: i16 [0+],
        error_message: Option<StrBytes> [0+],
        acknowledge_error_code: i16 [0+],
        acknowledge_error_message: Option<StrBytes> [0+],
        current_leader: LeaderIdAndEpoch [0+],
        records: Option<Bytes> [0+] = Some(Bytes::new()),
        acquired_records: Vec<AcquiredRecords> [0+],
    }

    pub struct LeaderIdAndEpoch {
        /// -1 where it is not known.
        leader_id: i32 [0+],
        leader_epoch: i32 [0+],
    }

    pub struct AcquiredRecords {
        first_offset: i64 [0+],
        /// Inclusive.
        last_offset: i64 [0+],
        delivery_count: i16 [0+],
    }

    pub struct NodeEndpoint {
        node_id: BrokerId [0+],
        host: StrBytes [0+],
        port: i32 [0+],
        rack: Option<StrBytes> [0+],
    }
}

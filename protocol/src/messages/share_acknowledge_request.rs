//! ShareAcknowledge: acknowledges records of a share group without a fetch (KIP-932).
//!
//! Version 2 has renewed acquisition locks (KIP-1222).

use uuid::Uuid;

use super::GroupId;
pub use super::share_acknowledge_response::ShareAcknowledgeResponse;
pub use super::share_fetch_request::AcknowledgementBatch;
use crate::layout::{messages, request};
use crate::wire::StrBytes;

messages! {
    pub struct ShareAcknowledgeRequest {
        group_id: Option<GroupId> [0+],
        member_id: Option<StrBytes> [0+] = Some(StrBytes::new()),
        /// -1 closes the share session; else one more than in the request before.
        share_session_epoch: i32 [0+],
        is_renew_ack: bool [2+],
        topics: Vec<AcknowledgeTopic> [0+],
    }

    pub struct AcknowledgeTopic {
        topic_id: Uuid [0+],
        partitions: Vec<AcknowledgePartition> [0+],
    }

    pub struct AcknowledgePartition {
        partition_index: i32 [0+],
        acknowledgement_batches: Vec<AcknowledgementBatch> [0+],
    }
}

request! {
    ShareAcknowledgeRequest => ShareAcknowledgeResponse, ShareAcknowledge in 1..=2, flexible from 0
}

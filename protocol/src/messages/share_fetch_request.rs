//! ShareFetch: fetches records for a member of a share group, and acknowledges what it had
//! (KIP-932).
//!
//! Version 2 has the acquire mode (KIP-1206) and renewed acquisition locks (KIP-1222).

use uuid::Uuid;

use super::GroupId;
pub use super::share_fetch_response::ShareFetchResponse;
use crate::layout::{messages, request};
use crate::wire::StrBytes;

messages! {
    pub struct ShareFetchRequest {
        group_id: Option<GroupId> [0+],
        member_id: Option<StrBytes> [0+] = Some(StrBytes::new()),
        /// 0 opens a share session, -1 closes it; else one more than in the request before.
        share_session_epoch: i32 [0+],
        max_wait_ms: i32 [0+],
        min_bytes: i32 [0+],
        max_bytes: i32 [0+] = i32::MAX,
        /// May be exceeded so that whole batches are acquired.
        max_records: i32 [1+],
        /// Records that a batch of acquired records should have.
        batch_size: i32 [1+],
        /// 0: whole batches; 1: no more than `max_records`.
        share_acquire_mode: i8 [2+],
        is_renew_ack: bool [2+],
        topics: Vec<FetchTopic> [0+],
        forgotten_topics_data: Vec<ForgottenTopic> [0+],
    }

    pub struct FetchTopic {
        topic_id: Uuid [0+],
        partitions: Vec<FetchPartition> [0+],
    }

    pub struct FetchPartition {
        partition_index: i32 [0+],
        partition_max_bytes: i32 [0-0],
        acknowledgement_batches: Vec<AcknowledgementBatch> [0+],
    }

    pub struct AcknowledgementBatch {
        first_offset: i64 [0+],
        /// Inclusive.
        last_offset: i64 [0+],
        /// 0 gap, 1 accept, 2 release, 3 reject, 4 renew: one for all, or one for each record.
        acknowledge_types: Vec<i8> [0+],
    }

    pub struct ForgottenTopic {
        topic_id: Uuid [0+],
        partitions: Vec<i32> [0+],
    }
}

request! { ShareFetchRequest => ShareFetchResponse, ShareFetch in 1..=2, flexible from 0 }

//! OffsetFetch: what groups have committed.
//!
//! One group below version 8, several from there on; version 10 goes by topics' ids (KIP-848).

use uuid::Uuid;

pub use super::offset_fetch_response::OffsetFetchResponse;
use super::{GroupId, TopicName};
use crate::layout::{messages, request};
use crate::wire::StrBytes;

messages! {
    pub struct OffsetFetchRequest {
        group_id: GroupId [0-7],
        /// All that the group has committed, where it is null.
        topics: Option<Vec<OffsetFetchRequestTopic>> [0-7] null 2 = Some(Vec::new()),
        groups: Vec<OffsetFetchRequestGroup> [8+],
        require_stable: bool [7+],
    }

    pub struct OffsetFetchRequestTopic {
        name: TopicName [0-7],
        partition_indexes: Vec<i32> [0-7],
    }

    pub struct OffsetFetchRequestGroup {
        group_id: GroupId [8+],
        member_id: Option<StrBytes> [9+],
        member_epoch: i32 [9+] = -1,
        /// All that the group has committed, where it is null.
        topics: Option<Vec<OffsetFetchRequestTopics>> [8+] = Some(Vec::new()),
    }

    pub struct OffsetFetchRequestTopics {
        name: TopicName [8-9],
        topic_id: Uuid [10+],
        partition_indexes: Vec<i32> [8+],
    }
}

request! { OffsetFetchRequest => OffsetFetchResponse, OffsetFetch in 1..=10, flexible from 6 }

//! OffsetCommit: a group's offsets, as its member or somebody without membership sets them.
//!
//! Version 10 goes by topics' ids (KIP-848).

use uuid::Uuid;

pub use super::offset_commit_response::OffsetCommitResponse;
use super::{GroupId, TopicName};
use crate::layout::{messages, request};
use crate::wire::StrBytes;

messages! {
    pub struct OffsetCommitRequest {
        group_id: GroupId [0+],
        /// -1 of who is no member.
        generation_id_or_member_epoch: i32 [1+] = -1,
        member_id: StrBytes [1+],
        group_instance_id: Option<StrBytes> [7+],
        /// For so long the offsets are kept; -1: as long as the broker's setting says.
        retention_time_ms: i64 [2-4] = -1,
        topics: Vec<OffsetCommitRequestTopic> [0+],
    }

    pub struct OffsetCommitRequestTopic {
        name: TopicName [0-9],
        topic_id: Uuid [10+],
        partitions: Vec<OffsetCommitRequestPartition> [0+],
    }

    pub struct OffsetCommitRequestPartition {
        partition_index: i32 [0+],
        committed_offset: i64 [0+],
        committed_leader_epoch: i32 [6+] = -1,
        committed_metadata: Option<StrBytes> [0+] = Some(StrBytes::new()),
    }
}

request! { OffsetCommitRequest => OffsetCommitResponse, OffsetCommit in 2..=10, flexible from 8 }

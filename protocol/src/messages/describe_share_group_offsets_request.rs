//! DescribeShareGroupOffsets: how far share groups are (KIP-932).
//!
//! Version 1 tells the lag (KIP-1226).

pub use super::describe_share_group_offsets_response::DescribeShareGroupOffsetsResponse;
use super::{GroupId, TopicName};
use crate::layout::{messages, request};

messages! {
    pub struct DescribeShareGroupOffsetsRequest {
        groups: Vec<DescribeShareGroupOffsetsRequestGroup> [0+],
    }

    pub struct DescribeShareGroupOffsetsRequestGroup {
        group_id: GroupId [0+],
        topics: Option<Vec<DescribeShareGroupOffsetsRequestTopic>> [0+] = Some(Vec::new()),
    }

    pub struct DescribeShareGroupOffsetsRequestTopic {
        topic_name: TopicName [0+],
        partitions: Vec<i32> [0+],
    }
}

request! {
    DescribeShareGroupOffsetsRequest => DescribeShareGroupOffsetsResponse,
    DescribeShareGroupOffsets in 0..=1, flexible from 0
}

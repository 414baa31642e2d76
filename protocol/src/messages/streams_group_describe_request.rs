//! StreamsGroupDescribe: streams groups with their topologies, members and tasks (KIP-1071).

use super::GroupId;
pub use super::streams_group_describe_response::StreamsGroupDescribeResponse;
use crate::layout::{messages, request};

messages! {
    pub struct StreamsGroupDescribeRequest {
        group_ids: Vec<GroupId> [0+],
        include_authorized_operations: bool [0+],
    }
}

request! {
    StreamsGroupDescribeRequest => StreamsGroupDescribeResponse,
    StreamsGroupDescribe in 0..=0, flexible from 0
}

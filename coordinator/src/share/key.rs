//! What a share group's state of one partition is found by.
//!
//! Answers to `SharePartitionKey`.

use std::fmt;

use protocol::wire::StrBytes;
use uuid::Uuid;

/// A partition of a topic that share groups read, by the topic's id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ShareTopicPartition {
    pub topic_id: Uuid,
    pub partition: i32,
}

/// One partition as one group reads it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SharePartitionKey {
    pub group_id: StrBytes,
    pub topic_id: Uuid,
    pub partition: i32,
}

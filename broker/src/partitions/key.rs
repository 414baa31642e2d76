//! The name of a partition within a fetch session.

use protocol::wire::StrBytes;
use uuid::Uuid;

/// Names a partition within a session: by topic id from Fetch 13 on, by name before.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct PartitionKey {
    /// Nil when the request names the topic.
    pub(crate) topic_id: Uuid,
    /// Empty when the request carries a topic id.
    pub(crate) topic: StrBytes,
    pub(crate) partition: i32,
}

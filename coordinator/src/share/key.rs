//! What a share group's state of one partition is found by.
//!
//! Answers to `SharePartitionKey`.

use std::fmt;

use protocol::Base64Uuid;
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

impl SharePartitionKey {
    /// `group:topic id:partition`: what FindCoordinator is asked for, and whose hash says which
    /// partition of the coordinator's topic has the state.
    #[must_use]
    pub fn coordinator_key(&self) -> String {
        let Self { group_id, topic_id, partition } = self;
        format!("{group_id}:{}:{partition}", Base64Uuid(*topic_id))
    }

    /// Reads such a text; a group's id may have colons in it.
    #[must_use]
    pub fn of_coordinator_key(key: &str) -> Option<Self> {
        // Java's split leaves empty ends out.
        let mut parts = key.trim_end_matches(':').rsplitn(3, ':');
        let (partition, topic_id, group_id) = (parts.next()?, parts.next()?, parts.next()?);
        if group_id.trim().is_empty() {
            return None;
        }
        Some(Self {
            group_id: StrBytes::from_string(group_id.to_owned()),
            topic_id: Base64Uuid::parse(topic_id)?.0,
            partition: partition.parse().ok()?,
        })
    }
}

impl fmt::Display for SharePartitionKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { group_id, topic_id, partition } = self;
        let topic_id = Base64Uuid(*topic_id);
        write!(
            f,
            "SharePartitionKey{{groupId={group_id}, topicIdPartition={topic_id}:null-{partition}}}"
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_coordinators_key_is_read_as_it_is_written() {
        for (text, group_id, partition) in [
            ("g:AAAAAAAAAAAAAAAAAAAABw:0", "g", 0),
            ("a:b:c:AAAAAAAAAAAAAAAAAAAABw:12", "a:b:c", 12),
            ("g:AAAAAAAAAAAAAAAAAAAABw:-1", "g", -1),
        ] {
            let key = SharePartitionKey::of_coordinator_key(text).expect("a key");
            assert_eq!(
                (&*key.group_id, key.topic_id, key.partition),
                (group_id, Uuid::from_u128(7), partition)
            );
            assert_eq!(key.coordinator_key(), text);
        }
    }

    #[test]
    fn what_is_no_key_is_none() {
        for text in [
            "",
            "g",
            "g:AAAAAAAAAAAAAAAAAAAABw",
            "g:AAAAAAAAAAAAAAAAAAAABw:x",
            " :AAAAAAAAAAAAAAAAAAAABw:0",
            ":AAAAAAAAAAAAAAAAAAAABw:0",
            "g:short:0",
        ] {
            assert_eq!(SharePartitionKey::of_coordinator_key(text), None, "{text}");
        }
    }
}

//! What is said of share groups, in Kafka's words.

use std::fmt;

use protocol::wire::StrBytes;

use super::super::log_event::{Level, listed};
use super::assignor;

/// Something that happened to a share group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ShareGroupEvent {
    Joins { group: StrBytes, member: StrBytes },
    Subscribed { group: StrBytes, member: StrBytes, topics: Vec<StrBytes> },
    Left { group: StrBytes, member: StrBytes },
    Fenced { group: StrBytes, member: StrBytes },
    MetadataHash { group: StrBytes, metadata_hash: i64 },
    Bumped { group: StrBytes, epoch: i32, metadata_hash: i64 },
    Assigned { group: StrBytes, epoch: i32 },
    Loaded { group: StrBytes, members: usize },
    Unloaded { group: StrBytes, epoch: i32 },
    InitializedWhileDeleted { group: StrBytes, topic: StrBytes },
    NotInitialized { group: StrBytes, why: String },
    NotDeleted { group: StrBytes, why: String },
    StateOfDeletedTopicsGone { groups: usize },
}

impl ShareGroupEvent {
    pub(in super::super) fn level(&self) -> Level {
        match self {
            Self::NotInitialized { .. } | Self::NotDeleted { .. } => Level::Error,
            Self::InitializedWhileDeleted { .. } => Level::Warn,
            _ => Level::Info,
        }
    }
}

impl fmt::Display for ShareGroupEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Joins { group, member } => write!(
                f,
                "[GroupId {group}] Member {member} joins the share group using the share protocol."
            ),
            Self::Subscribed { group, member, topics } => write!(
                f,
                "[GroupId {group}] Member {member} updated its subscribed topics to: {}.",
                listed(topics)
            ),
            Self::Left { group, member } => {
                write!(f, "[GroupId {group}] Member {member} left the share group.")
            }
            Self::Fenced { group, member } => write!(
                f,
                "[GroupId {group}] Member {member} fenced from the group because the member \
                 session expired."
            ),
            Self::MetadataHash { group, metadata_hash } => {
                write!(f, "[GroupId {group}] Computed new metadata hash: {metadata_hash}.")
            }
            Self::Bumped { group, epoch, metadata_hash } => write!(
                f,
                "[GroupId {group}] Bumped group epoch to {epoch} with metadata hash \
                 {metadata_hash}."
            ),
            Self::Assigned { group, epoch } => write!(
                f,
                "[GroupId {group}] Computed a new target assignment for epoch {epoch} with '{}' \
                 assignor.",
                assignor::NAME
            ),
            Self::Loaded { group, members } => {
                write!(f, "Loaded share group {group} with {members} members.")
            }
            Self::Unloaded { group, epoch } => {
                write!(f, "[GroupId={group}] Unloaded group metadata for group epoch {epoch}.")
            }
            Self::InitializedWhileDeleted { group, topic } => write!(
                f,
                "Initializing topic {topic} for share group {group} found in deleting state as \
                 well, removing from deleting."
            ),
            Self::NotInitialized { group, why } => write!(
                f,
                "Received error while calling initialize state for {group} on persister: {why}."
            ),
            Self::NotDeleted { group, why } => {
                write!(f, "Received error while deleting share group {group}: {why}.")
            }
            Self::StateOfDeletedTopicsGone { groups } => write!(
                f,
                "Generated {groups} records while cleaning share group state for deleted topics."
            ),
        }
    }
}

//! What is said of consumer groups, in Kafka's words.

use std::fmt;

use protocol::wire::StrBytes;

use super::super::log_event::Level;

/// Something that happened to a consumer group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ConsumerGroupEvent {
    Joins { group: StrBytes, member: StrBytes, instance: Option<StrBytes> },
    StaticMemberReplaced { group: StrBytes, instance: StrBytes, old: StrBytes, new: StrBytes },
    Left { group: StrBytes, member: StrBytes, instance: Option<StrBytes>, for_now: bool },
    Fenced { group: StrBytes, member: StrBytes, why: String },
    Bumped { group: StrBytes, epoch: i32, metadata_hash: i64 },
    Assigned { group: StrBytes, epoch: i32, assignor: &'static str },
    NotAssigned { group: StrBytes, why: String },
    ConvertedFromClassic { group: StrBytes },
    Loaded { group: StrBytes, members: usize },
    Unloaded { group: StrBytes, epoch: i32 },
}

impl ConsumerGroupEvent {
    pub(in super::super) fn level(&self) -> Level {
        match self {
            Self::NotAssigned { .. } => Level::Error,
            _ => Level::Info,
        }
    }
}

impl fmt::Display for ConsumerGroupEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Joins { group, member, instance: None } => write!(
                f,
                "[GroupId {group}] Member {member} joins the consumer group using the consumer \
                 protocol."
            ),
            Self::Joins { group, member, instance: Some(instance) } => write!(
                f,
                "[GroupId {group}] Static member {member} with instance id {instance} joins the \
                 consumer group using the consumer protocol."
            ),
            Self::StaticMemberReplaced { group, instance, old, new } => write!(
                f,
                "[GroupId {group}] Static member with instance id {instance} re-joins the consumer \
                 group using the consumer protocol. Created a new member {new} to replace the \
                 existing member {old}."
            ),
            Self::Left { group, member, instance: None, .. } => {
                write!(f, "[GroupId {group}] Member {member} left the consumer group.")
            }
            Self::Left { group, member, instance: Some(instance), for_now } => {
                let left = if *for_now { "temporarily left" } else { "left" };
                write!(
                    f,
                    "[GroupId {group}] Static member {member} with instance id {instance} {left} \
                     the consumer group."
                )
            }
            Self::Fenced { group, member, why } => {
                write!(f, "[GroupId {group}] Member {member} fenced from the group because {why}.")
            }
            Self::Bumped { group, epoch, metadata_hash } => write!(
                f,
                "[GroupId {group}] Bumped group epoch to {epoch} with metadata hash \
                 {metadata_hash}."
            ),
            Self::Assigned { group, epoch, assignor } => write!(
                f,
                "[GroupId {group}] Computed a new target assignment for epoch {epoch} with \
                 '{assignor}' assignor."
            ),
            Self::NotAssigned { group, why } => write!(f, "[GroupId {group}] {why}."),
            Self::ConvertedFromClassic { group } => write!(
                f,
                "[GroupId {group}] Converted the empty classic group to a consumer group."
            ),
            Self::Loaded { group, members } => {
                write!(f, "Loaded consumer group {group} with {members} members.")
            }
            Self::Unloaded { group, epoch } => {
                write!(f, "[GroupId={group}] Unloaded group metadata for group epoch {epoch}.")
            }
        }
    }
}

//! What is said of consumer groups, in Kafka's words.

use std::fmt;

use protocol::wire::StrBytes;

use super::super::log_event::Level;
use super::obstacle::{DowngradeObstacle, UpgradeObstacle};

/// The protocol that a member speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MemberProtocol {
    Classic,
    Consumer,
}

impl fmt::Display for MemberProtocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Classic => "classic",
            Self::Consumer => "consumer",
        })
    }
}

/// Something that happened to a consumer group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ConsumerGroupEvent {
    Joins {
        group: StrBytes,
        member: StrBytes,
        instance: Option<StrBytes>,
        protocol: MemberProtocol,
    },
    MemberIdRequired {
        group: StrBytes,
        member: StrBytes,
    },
    StaticMemberReplaced {
        group: StrBytes,
        instance: StrBytes,
        old: StrBytes,
        new: StrBytes,
        protocol: MemberProtocol,
    },
    Left {
        group: StrBytes,
        member: StrBytes,
        instance: Option<StrBytes>,
        for_now: bool,
    },
    /// By LeaveGroup.
    LeftByRequest {
        group: StrBytes,
        member: StrBytes,
        instance: Option<StrBytes>,
        reason: String,
    },
    Fenced {
        group: StrBytes,
        member: StrBytes,
        why: String,
    },
    Bumped {
        group: StrBytes,
        epoch: i32,
        metadata_hash: i64,
    },
    Assigned {
        group: StrBytes,
        epoch: i32,
        assignor: &'static str,
    },
    NotAssigned {
        group: StrBytes,
        why: String,
    },
    ConvertedFromClassic {
        group: StrBytes,
    },
    Upgraded {
        group: StrBytes,
    },
    NotUpgraded {
        group: StrBytes,
        obstacle: UpgradeObstacle,
    },
    Downgraded {
        group: StrBytes,
    },
    NotDowngraded {
        group: StrBytes,
        obstacle: DowngradeObstacle,
    },
    JoinRefused {
        group: StrBytes,
    },
    Loaded {
        group: StrBytes,
        members: usize,
    },
    Unloaded {
        group: StrBytes,
        epoch: i32,
    },
}

impl ConsumerGroupEvent {
    pub(in super::super) fn level(&self) -> Level {
        match self {
            Self::NotAssigned { .. } => Level::Error,
            Self::NotUpgraded {
                obstacle: UpgradeObstacle::Malformed | UpgradeObstacle::CustomAssignor,
                ..
            }
            | Self::NotDowngraded { obstacle: DowngradeObstacle::Malformed, .. } => Level::Warn,
            _ => Level::Info,
        }
    }
}

impl fmt::Display for ConsumerGroupEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Joins { .. }
            | Self::MemberIdRequired { .. }
            | Self::StaticMemberReplaced { .. }
            | Self::JoinRefused { .. } => self.fmt_join(f),
            Self::Left { .. } | Self::LeftByRequest { .. } | Self::Fenced { .. } => {
                self.fmt_departure(f)
            }
            Self::ConvertedFromClassic { .. }
            | Self::Upgraded { .. }
            | Self::NotUpgraded { .. }
            | Self::Downgraded { .. }
            | Self::NotDowngraded { .. } => self.fmt_conversion(f),
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
            Self::Loaded { group, members } => {
                write!(f, "Loaded consumer group {group} with {members} members.")
            }
            Self::Unloaded { group, epoch } => {
                write!(f, "[GroupId={group}] Unloaded group metadata for group epoch {epoch}.")
            }
        }
    }
}

impl ConsumerGroupEvent {
    fn fmt_join(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Joins { group, member, instance: None, protocol } => write!(
                f,
                "[GroupId {group}] Member {member} joins the consumer group using the {protocol} \
                 protocol."
            ),
            Self::Joins { group, member, instance: Some(instance), protocol } => write!(
                f,
                "[GroupId {group}] Static member {member} with instance id {instance} joins the \
                 consumer group using the {protocol} protocol."
            ),
            Self::MemberIdRequired { group, member } => write!(
                f,
                "[GroupId {group}] Dynamic member with unknown member id joins the consumer group. \
                 Created a new member id {member} and requesting the member to rejoin with this id."
            ),
            Self::StaticMemberReplaced { group, instance, old, new, protocol } => write!(
                f,
                "[GroupId {group}] Static member with instance id {instance} re-joins the consumer \
                 group using the {protocol} protocol. Created a new member {new} to replace the \
                 existing member {old}."
            ),
            Self::JoinRefused { group } => write!(
                f,
                "Cannot join the consumer group {group} with the classic protocol because the \
                 group migration is disabled."
            ),
            _ => Ok(()),
        }
    }

    fn fmt_departure(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
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
            Self::LeftByRequest { group, member, instance: None, reason } => write!(
                f,
                "[GroupId {group}] Dynamic member {member} has left group through explicit \
                 `LeaveGroup` request; client reason: {reason}"
            ),
            Self::LeftByRequest { group, member, instance: Some(instance), reason } => write!(
                f,
                "[GroupId {group}] Static member {member} with instance id {instance} has left \
                 group through explicit `LeaveGroup` request; client reason: {reason}"
            ),
            Self::Fenced { group, member, why } => {
                write!(f, "[GroupId {group}] Member {member} fenced from the group because {why}.")
            }
            _ => Ok(()),
        }
    }

    fn fmt_conversion(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ConvertedFromClassic { group } => write!(
                f,
                "[GroupId {group}] Converted the empty classic group to a consumer group."
            ),
            Self::Upgraded { group } => {
                write!(f, "[GroupId {group}] Converted the classic group to a consumer group.")
            }
            Self::NotUpgraded { group, obstacle } => write!(
                f,
                "Cannot upgrade classic group {group} to consumer group because {obstacle}"
            ),
            Self::Downgraded { group } => {
                write!(f, "[GroupId {group}] Converted the consumer group to a classic group.")
            }
            Self::NotDowngraded { group, obstacle: obstacle @ DowngradeObstacle::Malformed } => {
                write!(f, "Cannot downgrade the consumer group {group}: {obstacle}.")
            }
            Self::NotDowngraded { group, obstacle } => write!(
                f,
                "Cannot downgrade consumer group {group} to classic group because {obstacle}."
            ),
            _ => Ok(()),
        }
    }
}

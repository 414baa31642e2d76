//! What is said of streams groups, in Kafka's words.

use std::fmt;

use protocol::wire::StrBytes;

use super::super::log_event::Level;
use super::member::Member;
use super::status::StreamsStatus;
use super::tasks::{OwnedTasks, Tasks};

/// Something that happened to a streams group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StreamsGroupEvent {
    Joins {
        group: StrBytes,
        member: StrBytes,
    },
    Left {
        group: StrBytes,
        member: StrBytes,
    },
    Fenced {
        group: StrBytes,
        member: StrBytes,
        why: String,
    },
    Topology {
        group: StrBytes,
        member: StrBytes,
        text: &'static str,
        epoch: i32,
    },
    Configured {
        group: StrBytes,
        member: StrBytes,
        topology_epoch: i32,
        problem: Option<StreamsStatus>,
    },
    Bumped {
        group: StrBytes,
        member: StrBytes,
        epoch: i32,
        metadata_hash: i64,
        validated_topology_epoch: i32,
    },
    Assigned {
        group: StrBytes,
        epoch: i32,
    },
    NotAssigned {
        group: StrBytes,
        why: String,
    },
    /// `text` is the member's new state.
    Reconciled {
        group: StrBytes,
        member: StrBytes,
        text: String,
    },
    ShutdownRequested {
        group: StrBytes,
        member: StrBytes,
    },
    ConvertedFromClassic {
        group: StrBytes,
    },
    ConvertedToClassic {
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

impl StreamsGroupEvent {
    pub(in super::super) fn level(&self) -> Level {
        match self {
            Self::NotAssigned { .. } => Level::Error,
            Self::Configured { problem: Some(problem), .. }
                if !matches!(problem, StreamsStatus::MissingInternalTopics(_)) =>
            {
                Level::Warn
            }
            _ => Level::Info,
        }
    }

    /// A member has come to another point of its assignment.
    pub(super) fn reconciled(group: &StrBytes, member: &Member) -> Self {
        let Member { id, epoch, previous_epoch, state, assigned, pending_revocation, .. } = member;
        let text = format!(
            "epoch={epoch}, previousEpoch={previous_epoch}, state={}, assignedTasks={} and \
             tasksPendingRevocation={}",
            state.name(),
            Listed(assigned),
            Listed(pending_revocation)
        );
        Self::Reconciled { group: group.clone(), member: id.clone(), text }
    }

    fn fmt_group(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Configured { group, member, topology_epoch, problem: None } => write!(
                f,
                "[GroupId {group}][MemberId {member}] Valid topic configuration found, topology \
                 epoch {topology_epoch} is now initialized."
            ),
            Self::Configured { group, member, topology_epoch, problem: Some(problem) } => {
                write!(f, "[GroupId {group}][MemberId {member}] ")?;
                let internal = match problem {
                    StreamsStatus::MissingInternalTopics(detail) => {
                        detail.strip_prefix("Internal topics are missing: ")
                    }
                    _ => None,
                };
                match internal {
                    Some(topics) => write!(
                        f,
                        "Valid topic configuration found, but internal topics are missing for \
                         topology epoch {topology_epoch}: {topics}"
                    ),
                    None => write!(
                        f,
                        "Topic configuration failed for topology epoch {topology_epoch}: {problem}"
                    ),
                }
            }
            Self::Bumped { group, member, epoch, metadata_hash, validated_topology_epoch } => {
                write!(
                    f,
                    "[GroupId {group}][MemberId {member}] Bumped streams group epoch to {epoch} \
                     with metadata hash {metadata_hash} and validated topic epoch \
                     {validated_topology_epoch}."
                )
            }
            Self::Assigned { group, epoch } => write!(
                f,
                "[GroupId {group}] Computed a new target assignment for epoch {epoch} with \
                 'sticky' assignor."
            ),
            Self::NotAssigned { group, why } => write!(f, "[GroupId {group}] {why}."),
            Self::ConvertedFromClassic { group } => {
                write!(f, "[GroupId {group}] Converted the empty classic group to a streams group.")
            }
            Self::ConvertedToClassic { group } => {
                write!(f, "[GroupId {group}] Converted the empty streams group to a classic group.")
            }
            Self::Loaded { group, members } => {
                write!(f, "Loaded streams group {group} with {members} members.")
            }
            Self::Unloaded { group, epoch } => {
                write!(f, "[GroupId={group}] Unloaded group metadata for group epoch {epoch}.")
            }
            _ => Ok(()),
        }
    }
}

impl fmt::Display for StreamsGroupEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Joins { group, member } => {
                write!(f, "[GroupId {group}][MemberId {member}] Member joins the streams group.")
            }
            Self::Left { group, member } => write!(
                f,
                "[GroupId {group}][MemberId {member}] Member {member} left the streams group."
            ),
            Self::Fenced { group, member, why } => write!(
                f,
                "[GroupId {group}] Streams member {member} fenced from the group because {why}"
            ),
            Self::Topology { group, member, text, epoch } => {
                write!(f, "[GroupId {group}][MemberId {member}] {text} {epoch}")
            }
            Self::Reconciled { group, member, text } => write!(
                f,
                "[GroupId {group}][MemberId {member}] Member's new assignment state: {text}."
            ),
            Self::ShutdownRequested { group, member } => write!(
                f,
                "[GroupId {group}][MemberId {member}] Shutdown requested for the streams \
                 application."
            ),
            _ => self.fmt_group(f),
        }
    }
}

/// Tasks as Kafka prints them, active ones with their epochs.
struct Listed<'a>(&'a OwnedTasks);

impl fmt::Display for Listed<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let active = self.0.active.iter().flat_map(|(part, tasks)| {
            tasks.iter().map(move |(task, epoch)| format!("{part}-{task}@{epoch}"))
        });
        let passive = |tasks: &Tasks| {
            let tasks = tasks
                .iter()
                .flat_map(|(part, tasks)| tasks.iter().map(move |task| format!("{part}-{task}")));
            tasks.collect::<Vec<_>>().join(", ")
        };
        let active = active.collect::<Vec<_>>().join(", ");
        let (standby, warmup) = (passive(&self.0.standby), passive(&self.0.warmup));
        write!(f, "(active=[{active}], standby=[{standby}], warmup=[{warmup}])")
    }
}

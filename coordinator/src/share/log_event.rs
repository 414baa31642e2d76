//! Decisions as data; printed they are Kafka's own log lines, which people grep.
//!
//! Answers to the log statements of `ShareCoordinatorShard`. The host puts the class's own words in
//! front.

use std::fmt;

use super::key::SharePartitionKey;

/// How loud a line is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Level {
    Info,
    Warn,
    Error,
}

/// Which request a line is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Request {
    Initialize,
    Read,
    Write,
}

/// Something that was decided, or could not be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LogEvent {
    LeaderEpochIsOld { request: Request, newest: i32, requested: i32 },
    StateEpochIsOld { request: Request, newest: i32, requested: i32 },
    UnknownPartition,
    ReadUninitialized { key: SharePartitionKey },
    NewLeaderEpoch { key: SharePartitionKey, leader_epoch: i32 },
    NothingToDelete { key: SharePartitionKey },
    UnknownRecordType { record_type: i16 },
}

impl LogEvent {
    #[must_use]
    pub fn level(&self) -> Level {
        match self {
            Self::LeaderEpochIsOld { .. }
            | Self::UnknownPartition
            | Self::ReadUninitialized { .. } => Level::Error,
            Self::NothingToDelete { .. } | Self::UnknownRecordType { .. } => Level::Warn,
            Self::StateEpochIsOld { .. } | Self::NewLeaderEpoch { .. } => Level::Info,
        }
    }
}

impl fmt::Display for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Initialize => "Initialize",
            Self::Read => "Read",
            Self::Write => "Write",
        })
    }
}

impl fmt::Display for LogEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::LeaderEpochIsOld { request, newest, requested } => write!(
                f,
                "{request} request leader epoch is smaller than last recorded current: {newest}, \
                 requested: {requested}."
            ),
            Self::StateEpochIsOld { request, newest, requested } => write!(
                f,
                "{request} request state epoch is smaller than last recorded current: {newest}, \
                 requested: {requested}."
            ),
            Self::UnknownPartition => {
                f.write_str("Topic/TopicPartition not found in metadata image.")
            }
            Self::ReadUninitialized { key } => {
                write!(f, "Read on uninitialized share partition {key}")
            }
            Self::NewLeaderEpoch { key, leader_epoch } => write!(
                f,
                "Read with leader epoch update call for key {key} having new leader epoch \
                 {leader_epoch}."
            ),
            Self::NothingToDelete { key } => {
                write!(f, "Attempted to delete non-existent share partition {key}.")
            }
            Self::UnknownRecordType { record_type } => write!(
                f,
                "Unknown record type {record_type} while loading share state. Ignoring it. It \
                 could be a left over from an aborted upgrade."
            ),
        }
    }
}

//! Decisions as data; printed they are Kafka's own log lines, which people grep.
//!
//! Answers to the log statements of `TransactionCoordinator` and `TransactionStateManager`. The
//! host puts the class's own words in front.

use std::fmt;

use protocol::wire::StrBytes;

use super::answer::ProducerIdAndEpoch;
use super::state::TransactionState;
use crate::runtime::WriteFailure;

/// How loud a line is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Level {
    Info,
    Warn,
}

/// Something that was decided, or could not be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LogEvent {
    Initialized { transactional_id: StrBytes, producer: ProducerIdAndEpoch },
    InvalidState { transactional_id: StrBytes, state: TransactionState, is_commit: bool },
    RolledBack { transactional_id: StrBytes },
    SendingAfterLoad { transactional_id: StrBytes },
    WriteFailed { transactional_id: StrBytes, failure: WriteFailure },
    UnknownKey { version: i16 },
    UnknownValue { version: i16 },
}

impl LogEvent {
    #[must_use]
    pub fn level(&self) -> Level {
        match self {
            Self::InvalidState { .. } | Self::UnknownKey { .. } | Self::UnknownValue { .. } => {
                Level::Warn
            }
            Self::Initialized { .. }
            | Self::RolledBack { .. }
            | Self::SendingAfterLoad { .. }
            | Self::WriteFailed { .. } => Level::Info,
        }
    }

    /// Whether it is a line of the coordinator, not of its log.
    #[must_use]
    pub fn is_of_coordinator(&self) -> bool {
        matches!(
            self,
            Self::Initialized { .. } | Self::InvalidState { .. } | Self::RolledBack { .. }
        )
    }
}

impl fmt::Display for LogEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Initialized { transactional_id, producer } => write!(
                f,
                "Initialized transactionalId {transactional_id} with producerId {} and producer \
                 epoch {}",
                producer.producer_id, producer.producer_epoch,
            ),
            Self::InvalidState { transactional_id, state, is_commit } => write!(
                f,
                "TransactionalId: {transactional_id}'s state is {}, but received transaction \
                 marker result to send: {}",
                state.name(),
                if *is_commit { "COMMIT" } else { "ABORT" },
            ),
            Self::RolledBack { transactional_id } => write!(
                f,
                "Completed rollback of ongoing transaction for transactionalId \
                 {transactional_id} due to timeout"
            ),
            Self::SendingAfterLoad { transactional_id } => {
                write!(f, "Sending txn markers for {transactional_id} after loading")
            }
            Self::WriteFailed { transactional_id, failure } => write!(
                f,
                "TransactionalId {transactional_id} append transaction log failed: {failure}; \
                 aborting state transition"
            ),
            Self::UnknownKey { version } => unknown(f, "key", *version),
            Self::UnknownValue { version } => unknown(f, "value", *version),
        }
    }
}

fn unknown(f: &mut fmt::Formatter<'_>, what: &str, version: i16) -> fmt::Result {
    write!(
        f,
        "Unknown message {what} with version {version} while loading transaction state. Ignoring \
         it. It could be a left over from an aborted upgrade."
    )
}

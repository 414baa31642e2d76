//! What requests are answered with, in the domain's words, and why they are refused.
//!
//! The broker maps [`ShareError`] to Kafka's codes and words in one place.

use super::read::{StateRead, StateSummary};
use crate::runtime::{Unavailable, WriteFailure};

/// Why a request was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ShareError {
    #[error("a partition has no negative number")]
    NegativePartition,
    #[error("there is no state to write to")]
    WriteUninitialized,
    #[error("there is no state to read")]
    ReadUninitialized,
    #[error("a newer leader of the partition has read the state")]
    FencedLeaderEpoch,
    #[error("the state has a newer epoch")]
    FencedStateEpoch,
    #[error("the topic has no such partition, or is not known")]
    UnknownPartition,
    #[error("the shard is being loaded")]
    LoadInProgress,
    #[error("the shard is not here")]
    NotCoordinator,
    #[error("records could not be written: {0}")]
    WriteFailed(WriteFailure),
}

impl From<Unavailable> for ShareError {
    fn from(unavailable: Unavailable) -> Self {
        match unavailable {
            Unavailable::LoadInProgress => Self::LoadInProgress,
            Unavailable::NotCoordinator => Self::NotCoordinator,
        }
    }
}

/// The answer to what initializes, writes or deletes a state.
pub type DoneAnswer = Result<(), ShareError>;
/// The answer to what reads one.
pub type ReadAnswer = Result<StateRead, ShareError>;
/// The answer to what reads one without its batches.
pub type SummaryAnswer = Result<StateSummary, ShareError>;

/// An answer to any request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    Done(DoneAnswer),
    Read(ReadAnswer),
    Summary(SummaryAnswer),
}

impl Answer {
    /// The same answer's refusal, for when what it waited for could not be written.
    pub(super) fn failed(self, error: ShareError) -> Self {
        match self {
            Self::Done(_) => Self::Done(Err(error)),
            Self::Read(_) => Self::Read(Err(error)),
            Self::Summary(_) => Self::Summary(Err(error)),
        }
    }
}

impl From<DoneAnswer> for Answer {
    fn from(answer: DoneAnswer) -> Self {
        Self::Done(answer)
    }
}

impl From<ReadAnswer> for Answer {
    fn from(answer: ReadAnswer) -> Self {
        Self::Read(answer)
    }
}

impl From<SummaryAnswer> for Answer {
    fn from(answer: SummaryAnswer) -> Self {
        Self::Summary(answer)
    }
}

impl TryFrom<Answer> for DoneAnswer {
    type Error = Answer;

    fn try_from(answer: Answer) -> Result<Self, Answer> {
        match answer {
            Answer::Done(answer) => Ok(answer),
            other => Err(other),
        }
    }
}

impl TryFrom<Answer> for ReadAnswer {
    type Error = Answer;

    fn try_from(answer: Answer) -> Result<Self, Answer> {
        match answer {
            Answer::Read(answer) => Ok(answer),
            other => Err(other),
        }
    }
}

impl TryFrom<Answer> for SummaryAnswer {
    type Error = Answer;

    fn try_from(answer: Answer) -> Result<Self, Answer> {
        match answer {
            Answer::Summary(answer) => Ok(answer),
            other => Err(other),
        }
    }
}

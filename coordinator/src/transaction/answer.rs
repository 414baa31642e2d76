//! What requests are answered with, in the domain's words, and why they are refused.
//!
//! The broker maps [`TransactionError`] to Kafka's codes in one place.

use crate::runtime::{Unavailable, WriteFailure};

/// Why a request was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TransactionError {
    #[error("the transactional id has another producer id, or is not known")]
    InvalidProducerIdMapping,
    #[error("the transactional id is not known")]
    TransactionalIdNotFound,
    #[error("another producer has taken over the transactional id")]
    ProducerFenced,
    #[error("a change of the transactional id's state is under way")]
    ConcurrentTransactions,
    #[error("the transaction's state does not allow it")]
    InvalidTransactionState,
    /// Not a refusal: the request is to be made again with a producer id that nobody had.
    #[error("a new producer id is needed")]
    ProducerIdNeeded,
    #[error("the shard is being loaded")]
    LoadInProgress,
    #[error("the shard is not here")]
    NotCoordinator,
    #[error("records could not be written: {0}")]
    WriteFailed(WriteFailure),
    /// Kafka fails such a request with an exception of its own.
    #[error("the request cannot be: {0}")]
    Unexpected(&'static str),
}

/// Who may write under a transactional id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct ProducerIdAndEpoch {
    pub producer_id: i64,
    pub producer_epoch: i16,
}

impl ProducerIdAndEpoch {
    /// What is told where there is nothing to tell.
    pub const NONE: Self = Self { producer_id: -1, producer_epoch: -1 };
}

/// The answer to InitProducerId and to EndTxn: who may write from here on.
pub type ProducerAnswer = Result<ProducerIdAndEpoch, TransactionError>;
/// The answer to AddPartitionsToTxn and to AddOffsetsToTxn.
pub type AddPartitionsAnswer = Result<(), TransactionError>;

/// An answer to a request whose reply was parked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    Producer(ProducerAnswer),
    AddPartitions(AddPartitionsAnswer),
}

impl Answer {
    /// The same answer's refusal, for when its records could not be written.
    pub(super) fn failed(self, error: TransactionError) -> Self {
        match self {
            Self::Producer(_) => Self::Producer(Err(error)),
            Self::AddPartitions(_) => Self::AddPartitions(Err(error)),
        }
    }
}

impl From<ProducerAnswer> for Answer {
    fn from(answer: ProducerAnswer) -> Self {
        Self::Producer(answer)
    }
}

impl From<AddPartitionsAnswer> for Answer {
    fn from(answer: AddPartitionsAnswer) -> Self {
        Self::AddPartitions(answer)
    }
}

impl TryFrom<Answer> for ProducerAnswer {
    type Error = Answer;

    fn try_from(answer: Answer) -> Result<Self, Answer> {
        match answer {
            Answer::Producer(answer) => Ok(answer),
            other @ Answer::AddPartitions(_) => Err(other),
        }
    }
}

impl TryFrom<Answer> for AddPartitionsAnswer {
    type Error = Answer;

    fn try_from(answer: Answer) -> Result<Self, Answer> {
        match answer {
            Answer::AddPartitions(answer) => Ok(answer),
            other @ Answer::Producer(_) => Err(other),
        }
    }
}

impl From<Unavailable> for TransactionError {
    fn from(unavailable: Unavailable) -> Self {
        match unavailable {
            Unavailable::LoadInProgress => Self::LoadInProgress,
            Unavailable::NotCoordinator => Self::NotCoordinator,
        }
    }
}

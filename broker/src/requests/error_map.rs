//! From what our crates report to Kafka's error codes and messages. The only place that does so.

pub(crate) mod groups;
pub(crate) mod share;
pub(crate) mod transactions;

use protocol::ErrorCode;
use protocol::batch::BatchError;
use protocol::produce::RecordError;
use replica::NotAppended;
use storage::{AppendError, BatchFault, ReadError, StorageError};

use super::controller_error::ControllerError;
use crate::requests::api_error::{ApiError, worded};

/// How many record errors a message quotes.
const QUOTED_ERRORS: usize = 3;

/// Why a partition took nothing, as a Produce answer tells it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub(crate) code: ErrorCode,
    /// Only where Kafka sends one.
    pub(crate) message: Option<String>,
    pub(crate) record_errors: Vec<RecordError>,
    pub(crate) log_start_offset: i64,
    /// For our own log line.
    cause: Option<String>,
}

impl Refusal {
    pub(crate) fn of(code: ErrorCode) -> Self {
        Self { code, message: None, record_errors: Vec::new(), log_start_offset: -1, cause: None }
    }

    pub(crate) fn with_message(self, message: impl Into<String>) -> Self {
        Self { message: Some(message.into()), ..self }
    }

    /// What a log line says of it.
    pub(crate) fn reason(&self) -> String {
        match (&self.cause, &self.message) {
            (Some(cause), _) => format!("{:?}: {cause}", self.code),
            (None, Some(message)) => format!("{:?}: {message}", self.code),
            (None, None) => format!("{:?}", self.code),
        }
    }
}

impl From<ErrorCode> for Refusal {
    fn from(code: ErrorCode) -> Self {
        Self::of(code)
    }
}

/// An append that the replica or its log did not take. Kafka: `ReplicaManager.appendToLocalLog`.
pub(crate) fn refused_append(refused: &NotAppended<AppendError>, log_start_offset: i64) -> Refusal {
    match refused {
        NotAppended::NotLeader => Refusal::of(ErrorCode::NotLeaderOrFollower),
        NotAppended::TooFewInSync { in_sync, min_in_sync } => Refusal {
            cause: Some(format!("{in_sync} replicas are in sync, {min_in_sync} are needed")),
            ..Refusal::of(ErrorCode::NotEnoughReplicas)
        },
        NotAppended::Log(error) => {
            let refusal = Refusal { cause: Some(error.to_string()), ..of_append_error(error) };
            // Kafka leaves the log start out for the failures that it expects.
            let expected = [
                ErrorCode::MessageTooLarge,
                ErrorCode::RecordListTooLarge,
                ErrorCode::CorruptMessage,
                ErrorCode::KafkaStorageError,
            ];
            if expected.contains(&refusal.code) {
                refusal
            } else {
                Refusal { log_start_offset, ..refusal }
            }
        }
    }
}

fn of_append_error(error: &AppendError) -> Refusal {
    match error {
        AppendError::InvalidRecords(errors) => rejected(
            ErrorCode::InvalidRecord,
            format!(
                "One or more records have been rejected due to {} record errors in total, and only \
                 showing the first three errors at most: [{}]",
                errors.len(),
                quoted(errors),
            ),
            errors,
        ),
        AppendError::InvalidTimestamps(errors) => rejected(
            ErrorCode::InvalidTimestamp,
            "One or more records have been rejected due to invalid timestamp".to_owned(),
            errors,
        ),
        other => Refusal::of(append_error(other)),
    }
}

fn rejected(code: ErrorCode, message: String, errors: &[storage::RecordError]) -> Refusal {
    let record_errors = errors.iter().map(|error| RecordError {
        batch_index: error.batch_index,
        message: Some(error.message.clone().into()),
    });
    Refusal { record_errors: record_errors.collect(), ..Refusal::of(code) }.with_message(message)
}

fn quoted(errors: &[storage::RecordError]) -> String {
    let quoted: Vec<String> = errors
        .iter()
        .take(QUOTED_ERRORS)
        .map(|e| format!("RecordError(batchIndex={}, message='{}')", e.batch_index, e.message))
        .collect();
    quoted.join(", ")
}

/// The code of an append error by itself.
pub(crate) fn append_error(error: &AppendError) -> ErrorCode {
    match error {
        AppendError::Corrupt(_) => ErrorCode::CorruptMessage,
        AppendError::InvalidBatch(
            BatchFault::Records(_)
            | BatchFault::NoBatch
            | BatchFault::SeveralBatches(_)
            | BatchFault::BaseOffset(_)
            | BatchFault::CountMismatch { .. }
            | BatchFault::Count(_)
            | BatchFault::ControlBatch
            | BatchFault::Sequence { .. }
            | BatchFault::LeaderEpoch { .. }
            | BatchFault::DecompressedTooLarge { .. }
            | BatchFault::NotAMarker,
        )
        | AppendError::InvalidRecords(_)
        // Unlike Kafka, which has no better answer than UNKNOWN_SERVER_ERROR here: the batch is
        // what is wrong, not the server;
        // docs/decisions/0004-undecodable-batches-are-invalid-records.md.
        | AppendError::Undecodable { .. } => ErrorCode::InvalidRecord,
        AppendError::UnknownCompression(_) => ErrorCode::UnsupportedCompressionType,
        AppendError::InvalidTimestamps(_) => ErrorCode::InvalidTimestamp,
        AppendError::TooLarge { .. } => ErrorCode::MessageTooLarge,
        AppendError::LargerThanSegment { .. } => ErrorCode::RecordListTooLarge,
        AppendError::InvalidProducerEpoch { .. } => ErrorCode::InvalidProducerEpoch,
        AppendError::OutOfOrderSequence { .. } => ErrorCode::OutOfOrderSequenceNumber,
        AppendError::InvalidTransactionState { .. } => ErrorCode::InvalidTxnState,
        AppendError::CoordinatorFenced { .. } => ErrorCode::TransactionCoordinatorFenced,
        AppendError::UnexpectedOffset { .. } => ErrorCode::UnknownServerError,
        AppendError::Storage(error) => storage_error(error),
    }
}

/// The code of a failed disk, or of one that gives back something else than was written.
pub(crate) fn storage_error(error: &StorageError) -> ErrorCode {
    match error {
        StorageError::Corrupt(_) => ErrorCode::CorruptMessage,
        _ => ErrorCode::KafkaStorageError,
    }
}

pub(crate) fn read_error(error: &ReadError) -> ErrorCode {
    match error {
        ReadError::OffsetOutOfRange { .. } => ErrorCode::OffsetOutOfRange,
        ReadError::Storage(error) => storage_error(error),
    }
}

/// Why the controller gave no answer, as clients are told.
pub(crate) fn controller_error(error: &ControllerError) -> ApiError {
    match error {
        ControllerError::NotActive => worded(ErrorCode::NotController),
        // A client that hears this looks for another controller, or for this one when it is back.
        ControllerError::Stopping => worded(ErrorCode::NotController),
    }
}

/// The code of bytes that a producer sent for a batch and that are none.
pub(crate) fn unreadable_batch(error: BatchError) -> ErrorCode {
    match error {
        // Half a batch, and one of an old format, is none to `ProduceRequest.validateRecords`.
        BatchError::Incomplete { .. } | BatchError::UnsupportedMagic(0 | 1) => {
            ErrorCode::InvalidRecord
        }
        _ => ErrorCode::CorruptMessage,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rejected_records_are_quoted_as_kafka_quotes_them() {
        let errors: Vec<_> = (0..4)
            .map(|batch_index| storage::RecordError { batch_index, message: "bad".to_owned() })
            .collect();
        let refused = NotAppended::Log(AppendError::InvalidRecords(errors));
        let refusal = refused_append(&refused, 7);
        assert_eq!((refusal.code, refusal.log_start_offset), (ErrorCode::InvalidRecord, 7));
        assert_eq!(refusal.record_errors.len(), 4);
        assert_eq!(
            refusal.message.as_deref(),
            Some(
                "One or more records have been rejected due to 4 record errors in total, and only \
                 showing the first three errors at most: [RecordError(batchIndex=0, \
                 message='bad'), RecordError(batchIndex=1, message='bad'), \
                 RecordError(batchIndex=2, message='bad')]"
            )
        );
    }

    #[test]
    fn failures_that_kafka_expects_do_not_tell_the_log_start() {
        let too_large = AppendError::TooLarge { size_bytes: 2, max_bytes: 1 };
        let refusal = refused_append(&NotAppended::Log(too_large), 7);
        assert_eq!((refusal.code, refusal.log_start_offset), (ErrorCode::MessageTooLarge, -1));
        let not_leader = refused_append(&NotAppended::NotLeader, 7);
        assert_eq!(not_leader, Refusal::of(ErrorCode::NotLeaderOrFollower));
    }
}

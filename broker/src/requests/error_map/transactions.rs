//! Refusals of the transaction coordinator as Kafka's codes.
//!
//! Kafka: `TransactionStateManager.appendTransactionToLog` for what went wrong in the log,
//! `TransactionCoordinator` for the rest.

use coordinator::transaction::TransactionError;
use protocol::ErrorCode;

use super::groups::write_code;

/// The code of a refusal.
pub(crate) fn code(error: TransactionError) -> ErrorCode {
    match error {
        TransactionError::InvalidProducerIdMapping => ErrorCode::InvalidProducerIdMapping,
        TransactionError::TransactionalIdNotFound => ErrorCode::TransactionalIdNotFound,
        TransactionError::ProducerFenced => ErrorCode::ProducerFenced,
        TransactionError::ConcurrentTransactions => ErrorCode::ConcurrentTransactions,
        TransactionError::InvalidTransactionState => ErrorCode::InvalidTxnState,
        TransactionError::LoadInProgress => ErrorCode::CoordinatorLoadInProgress,
        TransactionError::NotCoordinator => ErrorCode::NotCoordinator,
        TransactionError::WriteFailed(failure) => write_code(failure),
        TransactionError::ProducerIdNeeded | TransactionError::Unexpected(_) => {
            ErrorCode::UnknownServerError
        }
    }
}

/// What clients of old, which do not know PRODUCER_FENCED, are told instead.
pub(crate) fn as_known_before(
    code: ErrorCode,
    api_version: i16,
    first_with_fenced: i16,
) -> ErrorCode {
    match code {
        ErrorCode::ProducerFenced if api_version < first_with_fenced => {
            ErrorCode::InvalidProducerEpoch
        }
        other => other,
    }
}

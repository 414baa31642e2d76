//! Refusals of the share coordinator as Kafka's codes and words.
//!
//! Kafka: the messages of `ShareCoordinatorShard`, and
//! `CoordinatorOperationExceptionHelper.handleOperationException` for what went wrong in the log.

use coordinator::runtime::WriteFailure;
use coordinator::share::ShareError;
use protocol::ErrorCode;
use protocol::wire::StrBytes;

use super::groups::write_code;
use crate::requests::api_error::{text, words};

/// What a partition is told that was refused; `operation` is what could not be done, in Kafka's
/// words, where the coordinator as a whole is at fault.
pub(crate) fn refusal(error: ShareError, operation: &str) -> (i16, Option<StrBytes>) {
    let code = code(error);
    let message = match error {
        ShareError::NegativePartition => "The partition id cannot be a negative number.".to_owned(),
        ShareError::WriteUninitialized => {
            "Write operation on uninitialized share partition not allowed.".to_owned()
        }
        ShareError::ReadUninitialized => {
            "Read operation on uninitialized share partition not allowed.".to_owned()
        }
        ShareError::FencedLeaderEpoch
        | ShareError::FencedStateEpoch
        | ShareError::UnknownPartition => words(code).unwrap_or_default().to_owned(),
        ShareError::LoadInProgress
        | ShareError::NotCoordinator
        | ShareError::WriteFailed(WriteFailure::NotLeader) => {
            format!("Unable to {operation}: {}", words(code).unwrap_or_default())
        }
        ShareError::WriteFailed(failure) => format!("Unable to {operation}: {failure}"),
    };
    (code.code(), Some(text(message)))
}

fn code(error: ShareError) -> ErrorCode {
    match error {
        ShareError::NegativePartition
        | ShareError::WriteUninitialized
        | ShareError::ReadUninitialized => ErrorCode::InvalidRequest,
        ShareError::FencedLeaderEpoch => ErrorCode::FencedLeaderEpoch,
        ShareError::FencedStateEpoch => ErrorCode::FencedStateEpoch,
        ShareError::UnknownPartition => ErrorCode::UnknownTopicOrPartition,
        ShareError::LoadInProgress => ErrorCode::CoordinatorLoadInProgress,
        ShareError::NotCoordinator => ErrorCode::NotCoordinator,
        ShareError::WriteFailed(failure) => write_code(failure),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refusals_have_kafkas_codes_and_words() {
        for (error, code, message) in [
            (
                ShareError::FencedStateEpoch,
                124,
                "The share coordinator rejected the request \
                because the share-group state epoch did not match.",
            ),
            (
                ShareError::FencedLeaderEpoch,
                74,
                "The leader epoch in the request is older than \
                the epoch on the broker.",
            ),
            (ShareError::UnknownPartition, 3, "This server does not host this topic-partition."),
            (
                ShareError::NotCoordinator,
                16,
                "Unable to write share group state: This is not the \
                correct coordinator.",
            ),
            (
                ShareError::LoadInProgress,
                14,
                "Unable to write share group state: The coordinator \
                is loading and hence can't process requests.",
            ),
            (
                ShareError::WriteFailed(WriteFailure::NotEnoughReplicas),
                15,
                "Unable to write share group state: too few replicas are in sync",
            ),
            (ShareError::NegativePartition, 42, "The partition id cannot be a negative number."),
        ] {
            let told = refusal(error, "write share group state");
            assert_eq!(told, (code, Some(text(message))), "{error:?}");
        }
    }
}

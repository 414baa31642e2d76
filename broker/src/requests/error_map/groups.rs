//! Refusals of the group coordinator as Kafka's codes.
//!
//! Kafka: `CoordinatorOperationExceptionHelper.handleOperationException` for what went wrong in the
//! log, the exceptions of `GroupMetadataManager` for the rest.

use coordinator::group::GroupError;
use coordinator::runtime::WriteFailure;
use protocol::ErrorCode;

/// The code of a refusal.
pub(crate) fn code(error: &GroupError) -> ErrorCode {
    match error {
        GroupError::InvalidGroupId => ErrorCode::InvalidGroupId,
        GroupError::InvalidSessionTimeout { .. } => ErrorCode::InvalidSessionTimeout,
        GroupError::GroupNotFound(_) => ErrorCode::GroupIdNotFound,
        GroupError::UnknownMember => ErrorCode::UnknownMemberId,
        GroupError::FencedInstance { .. } => ErrorCode::FencedInstanceId,
        GroupError::IllegalGeneration { .. } => ErrorCode::IllegalGeneration,
        GroupError::RebalanceInProgress => ErrorCode::RebalanceInProgress,
        GroupError::InconsistentProtocol => ErrorCode::InconsistentGroupProtocol,
        GroupError::MemberIdRequired => ErrorCode::MemberIdRequired,
        GroupError::MaxSizeReached { .. } => ErrorCode::GroupMaxSizeReached,
        GroupError::NonEmptyGroup => ErrorCode::NonEmptyGroup,
        GroupError::SubscribedToTopic => ErrorCode::GroupSubscribedToTopic,
        GroupError::OffsetMetadataTooLarge { .. } => ErrorCode::OffsetMetadataTooLarge,
        GroupError::UnstableOffset => ErrorCode::UnstableOffsetCommit,
        GroupError::LoadInProgress => ErrorCode::CoordinatorLoadInProgress,
        GroupError::NotCoordinator => ErrorCode::NotCoordinator,
        GroupError::CoordinatorNotAvailable => ErrorCode::CoordinatorNotAvailable,
        GroupError::WriteFailed(failure) => write_code(*failure),
        GroupError::Unexpected(_) => ErrorCode::UnknownServerError,
    }
}

/// The same for OffsetFetch, whose older clients do not know COORDINATOR_NOT_AVAILABLE there.
pub(crate) fn fetch_code(error: &GroupError) -> ErrorCode {
    match error {
        GroupError::WriteFailed(_) => ErrorCode::NotCoordinator,
        other => code(other),
    }
}

/// The code of what may be no refusal at all.
pub(crate) fn code_or_none(error: Option<&GroupError>) -> i16 {
    error.map_or(0, |error| code(error).code())
}

pub(super) fn write_code(failure: WriteFailure) -> ErrorCode {
    match failure {
        WriteFailure::UnknownPartition
        | WriteFailure::NotEnoughReplicas
        | WriteFailure::TimedOut
        | WriteFailure::Reverted => ErrorCode::CoordinatorNotAvailable,
        WriteFailure::NotLeader | WriteFailure::Storage => ErrorCode::NotCoordinator,
        WriteFailure::TooLarge | WriteFailure::Refused => ErrorCode::UnknownServerError,
    }
}

/// Why the log did not take a coordinator's records, from the code that a producer would get.
pub(crate) fn write_failure(code: ErrorCode) -> WriteFailure {
    match code {
        ErrorCode::UnknownTopicOrPartition => WriteFailure::UnknownPartition,
        ErrorCode::NotEnoughReplicas => WriteFailure::NotEnoughReplicas,
        ErrorCode::RequestTimedOut => WriteFailure::TimedOut,
        ErrorCode::NotLeaderOrFollower => WriteFailure::NotLeader,
        ErrorCode::KafkaStorageError => WriteFailure::Storage,
        ErrorCode::MessageTooLarge | ErrorCode::RecordListTooLarge => WriteFailure::TooLarge,
        _ => WriteFailure::Refused,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_went_wrong_in_the_log_reads_as_a_coordinator_that_is_away() {
        for (from_log, to_client, to_fetcher) in [
            (
                ErrorCode::NotEnoughReplicas,
                ErrorCode::CoordinatorNotAvailable,
                ErrorCode::NotCoordinator,
            ),
            (
                ErrorCode::UnknownTopicOrPartition,
                ErrorCode::CoordinatorNotAvailable,
                ErrorCode::NotCoordinator,
            ),
            (ErrorCode::NotLeaderOrFollower, ErrorCode::NotCoordinator, ErrorCode::NotCoordinator),
            (ErrorCode::KafkaStorageError, ErrorCode::NotCoordinator, ErrorCode::NotCoordinator),
        ] {
            let error = GroupError::WriteFailed(write_failure(from_log));
            assert_eq!((code(&error), fetch_code(&error)), (to_client, to_fetcher));
        }
        let too_large = GroupError::WriteFailed(write_failure(ErrorCode::MessageTooLarge));
        assert_eq!(code(&too_large), ErrorCode::UnknownServerError);
    }
}

//! Refusals of the group coordinator as Kafka's codes.
//!
//! Kafka: `CoordinatorOperationExceptionHelper.handleOperationException` for what went wrong in the
//! log, the exceptions of `GroupMetadataManager` for the rest.

use coordinator::group::GroupError;
use coordinator::runtime::WriteFailure;
use protocol::ErrorCode;
use protocol::wire::StrBytes;

/// The code of a refusal.
pub(crate) fn code(error: &GroupError) -> ErrorCode {
    match error {
        GroupError::InvalidGroupId => ErrorCode::InvalidGroupId,
        GroupError::InvalidSessionTimeout { .. } => ErrorCode::InvalidSessionTimeout,
        GroupError::GroupNotFound(_)
        | GroupError::NotAConsumerGroup(_)
        | GroupError::NotAClassicGroup(_)
        | GroupError::NoSuchConsumerGroup(_)
        | GroupError::NotAShareGroup(_)
        | GroupError::NoSuchShareGroup(_)
        | GroupError::NotAStreamsGroup(_)
        | GroupError::NoSuchStreamsGroup(_)
        | GroupError::CannotUpgrade { .. } => ErrorCode::GroupIdNotFound,
        GroupError::UnknownMember
        | GroupError::NotAMember { .. }
        | GroupError::UnknownInstance(_) => ErrorCode::UnknownMemberId,
        GroupError::FencedInstance { .. } | GroupError::StaticMemberFenced { .. } => {
            ErrorCode::FencedInstanceId
        }
        GroupError::UnreleasedInstance { .. } => ErrorCode::UnreleasedInstanceId,
        GroupError::FencedMemberEpoch(_) => ErrorCode::FencedMemberEpoch,
        GroupError::StaleMemberEpoch { .. } => ErrorCode::StaleMemberEpoch,
        GroupError::UnsupportedAssignor(_) => ErrorCode::UnsupportedAssignor,
        GroupError::InvalidRegularExpression(_) => ErrorCode::InvalidRegularExpression,
        GroupError::InvalidRequest(_) | GroupError::InvalidStreamsRequest(_) => {
            ErrorCode::InvalidRequest
        }
        GroupError::InvalidTopology(_) => ErrorCode::StreamsInvalidTopology,
        GroupError::UnsupportedVersion | GroupError::UnsupportedStreamsVersion => {
            ErrorCode::UnsupportedVersion
        }
        GroupError::IllegalGeneration { .. } => ErrorCode::IllegalGeneration,
        GroupError::RebalanceInProgress => ErrorCode::RebalanceInProgress,
        GroupError::InconsistentProtocol => ErrorCode::InconsistentGroupProtocol,
        GroupError::MemberIdRequired => ErrorCode::MemberIdRequired,
        GroupError::MaxSizeReached { .. }
        | GroupError::ConsumerGroupFull { .. }
        | GroupError::ShareGroupFull { .. }
        | GroupError::StreamsGroupFull { .. } => ErrorCode::GroupMaxSizeReached,
        GroupError::NonEmptyGroup => ErrorCode::NonEmptyGroup,
        GroupError::SubscribedToTopic => ErrorCode::GroupSubscribedToTopic,
        GroupError::OffsetMetadataTooLarge { .. } => ErrorCode::OffsetMetadataTooLarge,
        GroupError::UnstableOffset => ErrorCode::UnstableOffsetCommit,
        GroupError::LoadInProgress => ErrorCode::CoordinatorLoadInProgress,
        GroupError::NotCoordinator => ErrorCode::NotCoordinator,
        GroupError::CoordinatorNotAvailable => ErrorCode::CoordinatorNotAvailable,
        GroupError::WriteFailed(failure) => write_code(*failure),
        GroupError::Unexpected(_) | GroupError::NotAssigned(_) => ErrorCode::UnknownServerError,
    }
}

/// Kafka's words for it, where a response has a place for them.
pub(crate) fn message(error: &GroupError) -> Option<StrBytes> {
    match error {
        // What concerns the coordinator as a whole has its code alone.
        GroupError::LoadInProgress | GroupError::NotCoordinator | GroupError::WriteFailed(_) => {
            None
        }
        other => Some(StrBytes::from_string(other.to_string())),
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
        WriteFailure::InvalidProducerEpoch => ErrorCode::InvalidProducerEpoch,
        WriteFailure::InvalidTransactionState => ErrorCode::InvalidTxnState,
        WriteFailure::CoordinatorFenced => ErrorCode::TransactionCoordinatorFenced,
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
        ErrorCode::InvalidProducerEpoch => WriteFailure::InvalidProducerEpoch,
        ErrorCode::InvalidTxnState => WriteFailure::InvalidTransactionState,
        ErrorCode::TransactionCoordinatorFenced => WriteFailure::CoordinatorFenced,
        _ => WriteFailure::Refused,
    }
}

/// The same for a transaction coordinator, whose marker is not written: it expects what a
/// partition's leader says, and takes a group coordinator that is not ready for one who does not
/// lead.
pub(crate) fn marker_code(error: &GroupError) -> ErrorCode {
    match error {
        GroupError::WriteFailed(WriteFailure::TimedOut) => ErrorCode::RequestTimedOut,
        GroupError::WriteFailed(WriteFailure::NotEnoughReplicas) => ErrorCode::NotEnoughReplicas,
        GroupError::WriteFailed(WriteFailure::UnknownPartition) => {
            ErrorCode::UnknownTopicOrPartition
        }
        GroupError::WriteFailed(WriteFailure::Storage) => ErrorCode::KafkaStorageError,
        other => match code(other) {
            ErrorCode::CoordinatorNotAvailable
            | ErrorCode::CoordinatorLoadInProgress
            | ErrorCode::NotCoordinator => ErrorCode::NotLeaderOrFollower,
            other => other,
        },
    }
}

/// What a producer is told whose transaction nobody vouches for. Kafka:
/// `CoordinatorOperationExceptionHelper.handleOperationException`.
pub(crate) fn unverified_code(code: ErrorCode) -> ErrorCode {
    match code {
        // Makes older clients try again, and without looking for the coordinator.
        ErrorCode::NetworkException => ErrorCode::CoordinatorLoadInProgress,
        ErrorCode::UnknownTopicOrPartition
        | ErrorCode::NotEnoughReplicas
        | ErrorCode::RequestTimedOut => ErrorCode::CoordinatorNotAvailable,
        ErrorCode::NotLeaderOrFollower | ErrorCode::KafkaStorageError => ErrorCode::NotCoordinator,
        ErrorCode::MessageTooLarge | ErrorCode::RecordListTooLarge => ErrorCode::UnknownServerError,
        other => other,
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

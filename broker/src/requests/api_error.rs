//! A refusal as answers carry it: Kafka's code, and words where Kafka sends some.
//!
//! Kafka: `ApiError`. The words that belong to a code are those of `Errors`; tools print them.

use protocol::ErrorCode;
use protocol::wire::StrBytes;
pub(crate) use raft::controller::ApiError;

use crate::requests::authorizer::Resource;

/// The code with the words that Kafka has for it; without any where no answer of ours sends them.
pub(crate) fn worded(code: ErrorCode) -> ApiError {
    match words(code) {
        Some(words) => ApiError::new(code, words),
        None => code.into(),
    }
}

/// Kafka: `Errors.message`.
pub(crate) fn words(code: ErrorCode) -> Option<&'static str> {
    Some(match code {
        ErrorCode::UnknownServerError => {
            "The server experienced an unexpected error when processing the request."
        }
        ErrorCode::UnknownTopicOrPartition => "This server does not host this topic-partition.",
        ErrorCode::LeaderNotAvailable => {
            "There is no leader for this topic-partition as we are in the middle of a leadership \
             election."
        }
        ErrorCode::NetworkException => "The server disconnected before a response was received.",
        ErrorCode::CoordinatorLoadInProgress => {
            "The coordinator is loading and hence can't process requests."
        }
        ErrorCode::CoordinatorNotAvailable => "The coordinator is not available.",
        ErrorCode::NotCoordinator => "This is not the correct coordinator.",
        ErrorCode::InvalidGroupId => "The group id is invalid.",
        ErrorCode::NonEmptyGroup => "The group is not empty.",
        ErrorCode::GroupIdNotFound => "The group id does not exist.",
        ErrorCode::RequestTimedOut => "The request timed out.",
        ErrorCode::TopicAuthorizationFailed => "Topic authorization failed.",
        ErrorCode::GroupAuthorizationFailed => "Group authorization failed.",
        ErrorCode::ClusterAuthorizationFailed => "Cluster authorization failed.",
        ErrorCode::UnsupportedVersion => "The version of API is not supported.",
        ErrorCode::NotController => "This is not the correct controller for this cluster.",
        ErrorCode::InvalidRequest => {
            "This most likely occurs because of a request being malformed by the client library or \
             the message was sent to an incompatible broker. See the broker logs for more details."
        }
        ErrorCode::UnknownTopicId => "This server does not host this topic ID.",
        ErrorCode::FencedLeaderEpoch => {
            "The leader epoch in the request is older than the epoch on the broker."
        }
        ErrorCode::FencedStateEpoch => {
            "The share coordinator rejected the request because the share-group state epoch did \
             not match."
        }
        _ => return None,
    })
}

/// What somebody gets who may not do to `resource` what was asked.
pub(crate) fn denied(resource: Resource<'_>) -> ApiError {
    worded(match resource {
        Resource::Cluster => ErrorCode::ClusterAuthorizationFailed,
        Resource::Topic(_) => ErrorCode::TopicAuthorizationFailed,
        Resource::Group(_) => ErrorCode::GroupAuthorizationFailed,
        Resource::TransactionalId(_) => ErrorCode::TransactionalIdAuthorizationFailed,
        Resource::DelegationToken(_) | Resource::User(_) => {
            ErrorCode::DelegationTokenAuthorizationFailed
        }
    })
}

/// A text as the wire has it.
pub(crate) fn text(text: impl Into<String>) -> StrBytes {
    StrBytes::from_string(text.into())
}

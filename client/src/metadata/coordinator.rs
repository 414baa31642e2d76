//! Who coordinates a group or a transactional id: the question, and what an answer to it means.
//!
//! Pure. Answers to `FindCoordinatorRequest` (v4 asks for many keys, KIP-699) and
//! `AbstractCoordinator.FindCoordinatorResponseHandler`.

use protocol::ErrorCode;
use protocol::messages::{FindCoordinatorRequest, FindCoordinatorResponse};
use protocol::wire::StrBytes;

use super::view::address;
use crate::admin::{Node, known};

/// What is coordinated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CoordinatorKind {
    Group,
    Transaction,
    Share,
}

impl CoordinatorKind {
    fn id(self) -> i8 {
        match self {
            Self::Group => 0,
            Self::Transaction => 1,
            Self::Share => 2,
        }
    }
}

/// Why there is no coordinator.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CoordinatorError {
    /// What a node answered, which asking again does not change.
    #[error("{message}")]
    Answer { code: i16, message: String },
    #[error("Timeout expired while fetching the coordinator of {key}")]
    TimedOut { key: String },
    #[error("The node does not support FIND_COORDINATOR")]
    UnsupportedVersion,
}

/// What an answer means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Found {
    Node(Node),
    AskAgain,
    Failed(CoordinatorError),
}

pub(super) fn question(kind: CoordinatorKind, key: &str, version: i16) -> FindCoordinatorRequest {
    let key = StrBytes::from_string(key.to_owned());
    let question = FindCoordinatorRequest::default().with_key_type(kind.id());
    match version {
        4.. => question.with_coordinator_keys(vec![key]),
        _ => question.with_key(key),
    }
}

pub(super) fn read(answer: &FindCoordinatorResponse) -> Found {
    let (code, message, node, host, port) = match answer.coordinators.first() {
        Some(one) => (one.error_code, &one.error_message, one.node_id.0, &one.host, one.port),
        None => {
            let message = &answer.error_message;
            (answer.error_code, message, answer.node_id.0, &answer.host, answer.port)
        }
    };
    if code == 0 {
        let address = address(host, port);
        return Found::Node(Node { id: node, address, rack: None, is_fenced: false });
    }
    let passes = [
        ErrorCode::CoordinatorNotAvailable,
        ErrorCode::CoordinatorLoadInProgress,
        ErrorCode::NotCoordinator,
    ];
    if known(code).is_retriable || passes.iter().any(|error| error.code() == code) {
        return Found::AskAgain;
    }
    let message = message.as_deref().filter(|message| !message.is_empty());
    let message = message.unwrap_or_else(|| known(code).message).to_owned();
    Found::Failed(CoordinatorError::Answer { code, message })
}

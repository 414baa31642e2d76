//! What an answer means for a batch: done, sent again, cut, or failed.
//!
//! Pure. Answers to `Sender.completeBatch`, `canRetry` and `TransactionManager.canRetry`.

use protocol::ErrorCode;

use super::error::ProducerError;
use crate::admin::known;

/// What a broker, or the lack of one, said of one batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Answered {
    pub(super) code: i16,
    pub(super) base_offset: i64,
    pub(super) append_time: i64,
    pub(super) message: Option<String>,
    /// Records that are at fault, by their place in the batch, and the broker's words.
    pub(super) record_errors: Vec<(i32, Option<String>)>,
}

impl Answered {
    pub(super) fn failed(code: ErrorCode, message: Option<String>) -> Self {
        Self {
            code: code.code(),
            base_offset: -1,
            append_time: -1,
            message,
            record_errors: Vec::new(),
        }
    }
}

/// What is known of the batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Standing {
    pub(super) records: usize,
    pub(super) attempts: u32,
    pub(super) retries: u32,
    /// Whether delivery.timeout.ms is over.
    pub(super) is_late: bool,
    /// Whether the log waits for its sequence; nothing without one.
    pub(super) is_next: Option<bool>,
    pub(super) is_transactional: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    Done,
    Retry,
    /// Sent again, but under a new epoch: its sequence is worth nothing any more.
    RetryAfresh,
    Split,
    Fail,
}

pub(super) fn judge(code: i16, standing: &Standing) -> Verdict {
    let is = |error: ErrorCode| error.code() == code;
    if code == 0 {
        return Verdict::Done;
    }
    if is(ErrorCode::MessageTooLarge) && standing.records > 1 {
        return Verdict::Split;
    }
    if standing.is_late || standing.attempts >= standing.retries {
        return match is(ErrorCode::DuplicateSequenceNumber) {
            true => Verdict::Done,
            false => Verdict::Fail,
        };
    }
    match standing.is_next {
        Some(is_next) if is(ErrorCode::OutOfOrderSequenceNumber) => {
            match (is_next, standing.is_transactional) {
                // What lies before it is on its way.
                (false, _) => Verdict::Retry,
                (true, false) => Verdict::RetryAfresh,
                (true, true) => Verdict::Fail,
            }
        }
        Some(_) if is(ErrorCode::UnknownProducerId) && !standing.is_transactional => {
            Verdict::RetryAfresh
        }
        _ if is(ErrorCode::DuplicateSequenceNumber) => Verdict::Done,
        _ if known(code).is_retriable => Verdict::Retry,
        _ => Verdict::Fail,
    }
}

/// Whether the error says that what is known of the cluster is out of date.
pub(super) fn is_stale(code: i16) -> bool {
    [
        ErrorCode::UnknownTopicOrPartition,
        ErrorCode::LeaderNotAvailable,
        ErrorCode::NotLeaderOrFollower,
        ErrorCode::NetworkException,
        ErrorCode::FencedLeaderEpoch,
        ErrorCode::KafkaStorageError,
        ErrorCode::UnknownTopicId,
    ]
    .iter()
    .any(|error| error.code() == code)
}

/// Why the record at this place of a failed batch was not delivered.
pub(super) fn error_of(answered: &Answered, topic: &str, at: usize) -> ProducerError {
    let code = answered.code;
    if answered.record_errors.is_empty() {
        return match code {
            code if code == ErrorCode::TopicAuthorizationFailed.code() => {
                ProducerError::TopicUnauthorized(topic.to_owned())
            }
            code if code == ErrorCode::ClusterAuthorizationFailed.code() => {
                let words = "The producer is not authorized to do idempotent sends";
                ProducerError::answer(code, Some(words))
            }
            code => ProducerError::answer(code, answered.message.as_deref()),
        };
    }
    let mut found = answered.record_errors.iter();
    match found.find(|(index, _)| usize::try_from(*index) == Ok(at)) {
        None => ProducerError::InBadCompany,
        Some((_, words)) => {
            let words = words.as_deref().or(answered.message.as_deref());
            let words = words.unwrap_or_else(|| known(code).message);
            let is_alone = answered.record_errors.len() == 1;
            let code = if is_alone { code } else { ErrorCode::InvalidRecord.code() };
            ProducerError::answer(code, Some(words))
        }
    }
}

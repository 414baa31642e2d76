//! What a leader's answer about one partition makes a follower do.
//!
//! Kafka: `AbstractFetcherThread.processFetchRequest`.

use protocol::ErrorCode;

use crate::fetch::{Diverging, FetchRefused};

/// What is to be done with an answer about a partition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Its records, if any, and its marks are taken.
    Append,
    /// The log parts from the leader's: it is cut.
    Truncate(Diverging),
    /// The leader has nothing at the position: it is asked where its log begins and ends.
    FindRange,
    /// The leader has a newer epoch: nothing is fetched before the controller says so, too.
    AwaitElection,
    /// The leader hears later than we of what the metadata says; it is asked again after a pause.
    Behind,
    /// Anything else; asked again after a pause, too.
    Failed,
}

/// What an answer with this error says; `diverging` has an epoch or an offset from 0 up if the
/// answer has one.
pub fn verdict(error: Option<ErrorCode>, diverging: Diverging) -> Verdict {
    match error {
        None if diverging.epoch >= 0 || diverging.end_offset >= 0 => Verdict::Truncate(diverging),
        None => Verdict::Append,
        Some(ErrorCode::OffsetOutOfRange) => Verdict::FindRange,
        Some(code) => verdict_on_refusal(code),
    }
}

/// What is to be done where the leader did not even say where its log begins and ends.
pub fn verdict_on_refusal(code: ErrorCode) -> Verdict {
    match code {
        ErrorCode::FencedLeaderEpoch => Verdict::AwaitElection,
        ErrorCode::UnknownLeaderEpoch
        | ErrorCode::NotLeaderOrFollower
        | ErrorCode::UnknownTopicOrPartition
        | ErrorCode::UnknownTopicId
        | ErrorCode::InconsistentTopicId => Verdict::Behind,
        _ => Verdict::Failed,
    }
}

impl FetchRefused {
    /// As an answer says it. Kafka: `Errors.forException` of what `Partition.fetchRecords` throws.
    pub fn code(&self) -> ErrorCode {
        match self {
            Self::FencedEpoch { .. } => ErrorCode::FencedLeaderEpoch,
            Self::UnknownEpoch { .. } | Self::UnknownReplica { named_epoch: true, .. } => {
                ErrorCode::UnknownLeaderEpoch
            }
            Self::NotLeader
            | Self::UnknownReplica { named_epoch: false, .. }
            | Self::StaleBroker { .. } => ErrorCode::NotLeaderOrFollower,
            Self::OutOfRange { .. } | Self::EpochNotKnown { .. } => ErrorCode::OffsetOutOfRange,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NONE: Diverging = Diverging { epoch: -1, end_offset: -1 };

    #[test]
    fn every_answer_has_its_verdict() {
        use ErrorCode as E;
        let cut = Diverging { epoch: 3, end_offset: 7 };
        let table = [
            (None, NONE, Verdict::Append),
            (None, cut, Verdict::Truncate(cut)),
            // An error is told without anything else that counts.
            (Some(E::FencedLeaderEpoch), cut, Verdict::AwaitElection),
            (Some(E::OffsetOutOfRange), NONE, Verdict::FindRange),
            (Some(E::UnknownLeaderEpoch), NONE, Verdict::Behind),
            (Some(E::NotLeaderOrFollower), NONE, Verdict::Behind),
            (Some(E::UnknownTopicOrPartition), NONE, Verdict::Behind),
            (Some(E::UnknownTopicId), NONE, Verdict::Behind),
            (Some(E::InconsistentTopicId), NONE, Verdict::Behind),
            (Some(E::KafkaStorageError), NONE, Verdict::Failed),
            (Some(E::CorruptMessage), NONE, Verdict::Failed),
            (Some(E::UnknownServerError), NONE, Verdict::Failed),
        ];
        for (error, diverging, expected) in table {
            assert_eq!(verdict(error, diverging), expected, "{error:?}");
        }
        assert_eq!(verdict_on_refusal(E::OffsetOutOfRange), Verdict::Failed);
    }
}

//! What a share partition asks of the share coordinator that keeps its state, and what its refusals
//! come to. Kafka: `Persister`, `SharePartition.fetchPersisterError`.

use std::fmt::Debug;
use std::future::Future;
use std::pin::Pin;

use protocol::ErrorCode;
use protocol::wire::StrBytes;

use crate::coordinators::persister::{
    PerPartition, PersistedState, Persister, PersisterError, ReadState, WriteState,
};
use crate::requests::api_error::ApiError;

/// An answer of the persister that is not there yet.
pub(crate) type Later<T> = Pin<Box<dyn Future<Output = Result<T, PersisterError>> + Send>>;

/// Where the state of share partitions is kept.
pub(crate) trait StatePersister: Debug + Send + Sync {
    fn read(&self, group: &StrBytes, asked: ReadState) -> Later<PersistedState>;

    /// Each write of a partition is asked for when the one before is over.
    fn write(&self, group: &StrBytes, asked: WriteState) -> Later<()>;
}

impl StatePersister for Persister {
    fn read(&self, group: &StrBytes, asked: ReadState) -> Later<PersistedState> {
        let answer = self.read_state(group, vec![asked]);
        Box::pin(async move { only(answer.await) })
    }

    fn write(&self, group: &StrBytes, asked: WriteState) -> Later<()> {
        let answer = self.write_state(group, vec![asked]);
        Box::pin(async move { only(answer.await) })
    }
}

/// The answer for the one partition that was asked for.
fn only<T>(answers: PerPartition<T>) -> Result<T, PersisterError> {
    let nothing = || PersisterError {
        code: ErrorCode::UnknownServerError,
        message: "the persister answered nothing".to_owned(),
    };
    answers.into_iter().next().map_or_else(|| Err(nothing()), |(_, answer)| answer)
}

/// What a member hears of the persister's refusal.
pub(super) fn refused(error: PersisterError) -> ApiError {
    let code = match error.code {
        ErrorCode::NotCoordinator
        | ErrorCode::CoordinatorNotAvailable
        | ErrorCode::CoordinatorLoadInProgress => ErrorCode::CoordinatorNotAvailable,
        ErrorCode::GroupIdNotFound | ErrorCode::UnknownTopicOrPartition => error.code,
        ErrorCode::FencedLeaderEpoch | ErrorCode::FencedStateEpoch => {
            ErrorCode::NotLeaderOrFollower
        }
        ErrorCode::SaslAuthenticationFailed | ErrorCode::UnsupportedVersion => {
            let words = "Unable to complete operation due to server error.";
            return ApiError::new(ErrorCode::UnknownServerError, words);
        }
        _ => ErrorCode::UnknownServerError,
    };
    ApiError::new(code, error.message)
}

/// Whether a share partition that hears this is not the one that counts any more.
pub(super) fn fences(code: ErrorCode) -> bool {
    matches!(
        code,
        ErrorCode::NotLeaderOrFollower
            | ErrorCode::FencedStateEpoch
            | ErrorCode::GroupIdNotFound
            | ErrorCode::UnknownTopicOrPartition
    )
}

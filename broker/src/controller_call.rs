//! A request to the active controller, with the deadline that the client gave.
//!
//! Kafka: `ForwardingManager`, and the deadlines of `ControllerRequestContext`: a request that the
//! controller did not come to answer in time gets REQUEST_TIMED_OUT, whatever becomes of it.

use std::sync::Arc;
use std::time::Duration;

use protocol::ErrorCode;
use raft::controller::{Controller, ControllerNow, ControllerResult};

use crate::api_error::{ApiError, worded};
use crate::broker::Broker;
use crate::error_map;
use crate::quorum::ControllerError;

/// Why the controller gave no answer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CallFailed {
    #[error(transparent)]
    Controller(#[from] ControllerError),
    #[error("no answer within {0} ms")]
    TimedOut(i32),
}

impl From<CallFailed> for ApiError {
    fn from(failed: CallFailed) -> Self {
        match failed {
            CallFailed::Controller(error) => error_map::controller_error(&error),
            CallFailed::TimedOut(_) => ErrorCode::RequestTimedOut.into(),
        }
    }
}

/// Calls the controller; the answer comes when its records are committed and applied here.
pub(crate) async fn within<R: Send + 'static>(
    broker: &Arc<Broker>,
    timeout_ms: i32,
    call: impl FnOnce(&mut Controller, &ControllerNow) -> ControllerResult<R> + Send + 'static,
) -> Result<R, CallFailed> {
    let timeout = Duration::from_millis(u64::try_from(timeout_ms).unwrap_or(0));
    match tokio::time::timeout(timeout, broker.quorum().submit(call)).await {
        Ok(answered) => Ok(answered?),
        Err(_) => Err(CallFailed::TimedOut(timeout_ms)),
    }
}

/// Calls the controller on behalf of a request that has no deadline of its own.
pub(crate) async fn call<R: Send + 'static>(
    broker: &Arc<Broker>,
    call: impl FnOnce(&mut Controller, &ControllerNow) -> ControllerResult<R> + Send + 'static,
) -> Result<R, CallFailed> {
    within(broker, broker.config().request_timeout_ms, call).await
}

/// As [`worded`], for the answers whose errors always carry words.
pub(crate) fn always_worded(failed: CallFailed) -> ApiError {
    let error = ApiError::from(failed);
    if error.message.is_some() { error } else { worded(error.code) }
}

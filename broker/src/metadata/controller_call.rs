//! A request to this node's controller, with the deadline that the client gave.
//!
//! A handler asks as if the controller were here. Where it is not, `forwarding` has asked the
//! active one already or will: the request's [`ControllerAccess`] tells which. Kafka: the deadlines
//! of `ControllerRequestContext`; a request that the controller did not come to answer in time
//! gets REQUEST_TIMED_OUT, whatever becomes of it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use protocol::ErrorCode;
use protocol::api::Listener;
use raft::controller::{Controller, ControllerNow, ControllerResult};

use crate::broker::Broker;
use crate::metadata::quorum::{ControllerError, Due};
use crate::requests::api_error::{ApiError, worded};
use crate::requests::context::RequestContext;
use crate::requests::error_map;

/// Why the controller gave no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum CallFailed {
    #[error(transparent)]
    Controller(#[from] ControllerError),
    #[error("no answer within {0} ms")]
    TimedOut(i32),
    #[error("the active controller gave an answer that is none")]
    NoAnswer,
    /// This broker's own file stands against it.
    #[error("this broker refuses: {0:?}")]
    Refused(ErrorCode),
}

impl From<CallFailed> for ApiError {
    fn from(failed: CallFailed) -> Self {
        match failed {
            CallFailed::Controller(error) => error_map::controller_error(&error),
            CallFailed::TimedOut(_) => ErrorCode::RequestTimedOut.into(),
            CallFailed::NoAnswer => ErrorCode::UnknownServerError.into(),
            CallFailed::Refused(code) => code.into(),
        }
    }
}

/// How a request gets to the controller.
#[derive(Debug, Clone, Default)]
pub(crate) enum ControllerAccess {
    /// The controller of this node is asked; one that is not active does not answer.
    #[default]
    Here,
    /// As `Here`; that the controller is not active is noted, and the answer not sent then.
    Noted(Arc<AtomicBool>),
    /// The active controller was asked in vain; what is left is to say so.
    Failed(CallFailed),
}

impl ControllerAccess {
    /// One that notes, and where it does.
    pub(crate) fn noted() -> (Self, Arc<AtomicBool>) {
        let noted = Arc::new(AtomicBool::new(false));
        (Self::Noted(Arc::clone(&noted)), noted)
    }
}

/// What is left to answer where the active controller was asked in vain.
pub(crate) fn check_access(context: &RequestContext) -> Result<(), CallFailed> {
    match &context.controller {
        ControllerAccess::Failed(failed) => Err(*failed),
        ControllerAccess::Here | ControllerAccess::Noted(_) => Ok(()),
    }
}

/// Calls the controller. A client of this broker is answered when the records are committed and
/// applied here, so that it finds what it made; other nodes when they are committed, so that
/// nobody's heartbeat waits for the files that this broker opens.
pub(crate) async fn within<R: Send + 'static>(
    broker: &Arc<Broker>,
    context: &RequestContext,
    timeout_ms: i32,
    call: impl FnOnce(&mut Controller, &ControllerNow) -> ControllerResult<R> + Send + 'static,
) -> Result<R, CallFailed> {
    check_access(context)?;
    let timeout = Duration::from_millis(u64::try_from(timeout_ms).unwrap_or(0));
    let due = match broker.listener_kind(&context.client.listener) {
        Listener::Broker => Due::Applied,
        Listener::Controller => Due::Committed,
    };
    match tokio::time::timeout(timeout, broker.quorum().submit_due(due, call)).await {
        Ok(Ok(answer)) => Ok(answer),
        Ok(Err(error)) => {
            if let (ControllerError::NotActive, ControllerAccess::Noted(noted)) =
                (error, &context.controller)
            {
                noted.store(true, Ordering::Relaxed);
            }
            Err(error.into())
        }
        Err(_) => Err(CallFailed::TimedOut(timeout_ms)),
    }
}

/// Calls the controller on behalf of a request that has no deadline of its own.
pub(crate) async fn call<R: Send + 'static>(
    broker: &Arc<Broker>,
    context: &RequestContext,
    call: impl FnOnce(&mut Controller, &ControllerNow) -> ControllerResult<R> + Send + 'static,
) -> Result<R, CallFailed> {
    within(broker, context, broker.config().request_timeout_ms, call).await
}

/// As [`worded`], for the answers whose errors always carry words.
pub(crate) fn always_worded(failed: CallFailed) -> ApiError {
    let error = ApiError::from(failed);
    if error.message.is_some() { error } else { worded(error.code) }
}

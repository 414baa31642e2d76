//! How a request gets to the controller, and what it hears of one that did not answer.
//!
//! A handler asks as if the controller were here. Where it is not, `forwarding` has asked the
//! active one already or will: the request's [`ControllerAccess`] tells which. Kafka: a request
//! that the controller did not come to answer in time gets REQUEST_TIMED_OUT, whatever becomes of
//! it (`ControllerRequestContext`).

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use protocol::ErrorCode;

use super::api_error::{ApiError, worded};
use super::controller_error::ControllerError;
use super::error_map;

/// Why a request has no answer of the controller.
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

    /// What is left to answer where the active controller was asked in vain.
    pub(crate) fn check(&self) -> Result<(), CallFailed> {
        match self {
            Self::Failed(failed) => Err(*failed),
            Self::Here | Self::Noted(_) => Ok(()),
        }
    }

    /// The controller that was asked is not the active one.
    pub(crate) fn note_not_active(&self) {
        if let Self::Noted(noted) = self {
            noted.store(true, Ordering::Relaxed);
        }
    }
}

/// As [`worded`], for the answers whose errors always carry words.
pub(crate) fn always_worded(failed: CallFailed) -> ApiError {
    let error = ApiError::from(failed);
    if error.message.is_some() { error } else { worded(error.code) }
}

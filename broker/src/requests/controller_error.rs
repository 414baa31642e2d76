//! Why the controller did not answer; `error_map` has the codes.

/// Why the controller did not answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum ControllerError {
    #[error("this node is not the active controller")]
    NotActive,
    #[error("the node is stopping")]
    Stopping,
}

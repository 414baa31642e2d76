//! Why a connection ended, and the line that says so.

use std::io;
use std::net::SocketAddr;

use crate::net::frames::{Fault, FrameError};
use crate::net::registry::Seat;
use crate::requests::reply::CloseConnection;

/// Why a connection ended.
#[derive(Debug, thiserror::Error)]
pub(super) enum Ended {
    #[error("{0}")]
    Frame(#[from] FrameError),
    #[error("{0}")]
    Io(#[from] io::Error),
    #[error("{0}")]
    Refused(CloseConnection),
    /// The client did not prove who it is.
    #[error("{0}")]
    Unauthenticated(String),
    #[error("the session is over (connections.max.reauth.ms)")]
    Expired,
    #[error("idle for longer than connections.max.idle.ms")]
    Idle,
    #[error("the broker is shutting down")]
    Stopping,
    #[error("a word was answered")]
    Answered,
}

/// One line where somebody may want to know; peers come and go without one.
pub(super) fn log_end(peer: SocketAddr, ended: &Ended, seat: &Seat) {
    match ended {
        Ended::Frame(FrameError::Closed(_) | FrameError::Io(_))
        | Ended::Refused(CloseConnection::NotServing(_))
        | Ended::Io(_)
        | Ended::Stopping
        | Ended::Expired
        | Ended::Answered => {
            tracing::debug!(
                target: "kafka.network.Processor",
                "Connection with {peer} disconnected: {ended}",
            );
        }
        Ended::Idle => {
            tracing::debug!(
                target: "kafka.network.Processor",
                "Closing connection from {peer}: {ended}",
            );
        }
        Ended::Unauthenticated(why) => {
            let Some(unsaid) = seat.complain(Fault::Unauthenticated) else { return };
            let before = more_before(unsaid, peer);
            tracing::info!(
                target: "org.apache.kafka.common.network.Selector",
                "Failed authentication with {peer} ({}){before}", why.escape_debug(),
            );
        }
        Ended::Frame(_) | Ended::Refused(_) => {
            let fault = match ended {
                Ended::Frame(error) => Fault::Frame(std::mem::discriminant(error)),
                _ => Fault::Refused,
            };
            let Some(unsaid) = seat.complain(fault) else { return };
            let before = more_before(unsaid, peer);
            tracing::warn!(
                target: "kafka.network.Processor",
                "Closing socket for {peer} because of error: {ended}{before}",
            );
        }
    }
}

fn more_before(unsaid: u64, peer: SocketAddr) -> String {
    match unsaid {
        0 => String::new(),
        count => format!(" ({count} more like it from {} before)", peer.ip()),
    }
}

//! What the quorum's thread is told.

use protocol::messages::{
    BrokerHeartbeatResponse, BrokerRegistrationResponse, ControllerRegistrationResponse,
    DescribeQuorumRequest, DescribeQuorumResponse,
};
use raft::controller::{Controller, ControllerNow, ControllerResult};
pub(crate) use raft::pending::Due;
use raft::quorum::{Event, PeerRequest, PeerResponse, SnapshotEntry};
use tokio::sync::oneshot;
use uuid::Uuid;

use super::signs::Sign;
use crate::metadata::controller_channel::ChannelError;
use crate::requests::controller_error::ControllerError;

/// A call of the controller, with the way back to whoever waits for it.
pub(super) trait Call: Send {
    fn due(&self) -> Due;
    /// Puts it to the controller, once.
    fn put(&mut self, controller: &mut Controller, now: &ControllerNow) -> ControllerResult<()>;
    /// What it wrote is as far as it is due, or there is no controller to say so.
    fn answer(self: Box<Self>, outcome: Result<(), ControllerError>);
}

struct Pending<R, Ask> {
    due: Due,
    ask: Option<Ask>,
    response: Option<R>,
    answer: oneshot::Sender<Result<R, ControllerError>>,
}

/// A call that answers here.
pub(super) fn call<R: Send + 'static>(
    due: Due,
    ask: impl FnOnce(&mut Controller, &ControllerNow) -> ControllerResult<R> + Send + 'static,
    answer: oneshot::Sender<Result<R, ControllerError>>,
) -> Box<dyn Call> {
    Box::new(Pending { due, ask: Some(ask), response: None, answer })
}

impl<R, Ask> Call for Pending<R, Ask>
where
    R: Send,
    Ask: FnOnce(&mut Controller, &ControllerNow) -> ControllerResult<R> + Send,
{
    fn due(&self) -> Due {
        self.due
    }

    fn put(&mut self, controller: &mut Controller, now: &ControllerNow) -> ControllerResult<()> {
        let Some(ask) = self.ask.take() else { return ControllerResult::unchanged(()) };
        let ControllerResult { records, response, atomic, kraft_version } = ask(controller, now);
        self.response = Some(response);
        ControllerResult { records, response: (), atomic, kraft_version }
    }

    fn answer(self: Box<Self>, outcome: Result<(), ControllerError>) {
        let Self { response, answer, .. } = *self;
        // Who asked may have given up waiting.
        let _ = answer.send(outcome.and_then(|()| response.ok_or(ControllerError::Stopping)));
    }
}

pub(super) enum Command {
    Call(Box<dyn Call>),
    DescribeQuorum {
        request: DescribeQuorumRequest,
        answer: oneshot::Sender<DescribeQuorumResponse>,
    },
    /// Another node asks the quorum.
    Asked {
        version: i16,
        request: PeerRequest,
        answer: oneshot::Sender<PeerResponse>,
    },
    /// Something happened to the quorum: the disk or another node was heard of.
    Quorum(Event),
    /// The broker has applied everything up to this offset.
    Applied {
        offset: i64,
    },
    SnapshotWritten(SnapshotEntry),
    Registered(Result<BrokerRegistrationResponse, ChannelError>),
    ControllerRegistered(Result<ControllerRegistrationResponse, ChannelError>),
    Heard(Result<BrokerHeartbeatResponse, ChannelError>),
    /// The connection by which this broker sent heartbeats has ended.
    ConnectionEnded,
    /// Something tells of a broker's or a controller's being there.
    Sign(Sign),
    /// A log directory of this broker is offline.
    DirectoryFailed {
        directory_id: Uuid,
    },
    /// These of this broker's log directories get no new replicas.
    DirectoriesCordoned {
        directory_ids: Vec<Uuid>,
    },
    Serve {
        answer: oneshot::Sender<()>,
    },
    ControlledShutdown {
        answer: oneshot::Sender<()>,
    },
    Stop,
}

impl std::fmt::Debug for Command {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Call(_) => "Call",
            Self::DescribeQuorum { .. } => "DescribeQuorum",
            Self::Asked { .. } => "Asked",
            Self::Quorum(_) => "Quorum",
            Self::Applied { .. } => "Applied",
            Self::SnapshotWritten(_) => "SnapshotWritten",
            Self::Registered(_) => "Registered",
            Self::ControllerRegistered(_) => "ControllerRegistered",
            Self::Heard(_) => "Heard",
            Self::ConnectionEnded => "ConnectionEnded",
            Self::Sign(_) => "Sign",
            Self::DirectoryFailed { .. } => "DirectoryFailed",
            Self::DirectoriesCordoned { .. } => "DirectoriesCordoned",
            Self::Serve { .. } => "Serve",
            Self::ControlledShutdown { .. } => "ControlledShutdown",
            Self::Stop => "Stop",
        })
    }
}

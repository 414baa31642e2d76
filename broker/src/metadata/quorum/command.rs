//! What the quorum's thread is told.

use protocol::messages::{
    BrokerHeartbeatResponse, BrokerRegistrationResponse, ControllerRegistrationResponse,
    DescribeQuorumRequest, DescribeQuorumResponse,
};
use raft::quorum::{Event, PeerRequest, PeerResponse, SnapshotEntry};
use tokio::sync::oneshot;
use uuid::Uuid;

use super::evidence::Sign;
use super::host::Host;
use crate::metadata::controller_channel::ChannelError;

type Ask = Box<dyn FnOnce(&mut Host) + Send>;

pub(super) enum Command {
    Call(Ask),
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
            Self::Serve { .. } => "Serve",
            Self::ControlledShutdown { .. } => "ControlledShutdown",
            Self::Stop => "Stop",
        })
    }
}

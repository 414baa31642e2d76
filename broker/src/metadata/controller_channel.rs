//! Requests to whichever node is the active controller.
//!
//! A request goes to the controller that the quorum names. Where that one is not there, or says
//! that it is not the active one, the request waits for news of the quorum (or a moment, should
//! there be none) and is sent again until its time is up. Answers to Kafka's
//! `NodeToControllerChannelManagerImpl`.

use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use protocol::ErrorCode;
use protocol::messages::{
    AllocateProducerIdsResponse, AlterPartitionResponse, AssignReplicasToDirsResponse,
    BrokerHeartbeatResponse, BrokerRegistrationResponse, ControllerRegistrationResponse,
    EnvelopeResponse,
};
use protocol::wire::Request;
use tokio::sync::{Notify, watch};
use tokio::time::Instant;

use client::{Address, Peer, PeerError, PeerSettings, Presence};

/// How long a controller that did not take a request is left alone without news of another.
const PAUSE: Duration = Duration::from_millis(50);

/// The controller that leads the quorum, as far as this node knows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ActiveController {
    pub(crate) id: i32,
    pub(crate) epoch: i32,
    /// Where its controller listener is.
    pub(crate) address: Address,
}

/// Why a request has no answer of the active controller.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum ChannelError {
    #[error("the active controller did not answer within {} ms", .0.as_millis())]
    TimedOut(Duration),
    #[error("{0}")]
    Peer(#[from] PeerError),
    #[error("the node is stopping")]
    Stopping,
}

/// An answer that can say that its sender is not the active controller.
pub(crate) trait FromController {
    fn error_code(&self) -> i16;
}

macro_rules! from_controller {
    ($($response:ty),+ $(,)?) => {
        $(impl FromController for $response {
            fn error_code(&self) -> i16 {
                self.error_code
            }
        })+
    };
}

from_controller!(
    AllocateProducerIdsResponse,
    AlterPartitionResponse,
    AssignReplicasToDirsResponse,
    BrokerHeartbeatResponse,
    BrokerRegistrationResponse,
    ControllerRegistrationResponse,
    EnvelopeResponse,
);

/// The way to the active controller, with a connection of its own.
#[derive(Debug)]
pub(crate) struct ControllerChannel {
    active: watch::Receiver<Option<ActiveController>>,
    settings: PeerSettings,
    /// How long one attempt may take.
    attempt_timeout: Duration,
    current: Mutex<Option<(Address, Arc<Peer>)>>,
    ended: Arc<Notify>,
}

impl ControllerChannel {
    /// `attempt_timeout` is controller.socket.timeout.ms. Requests must be made on one runtime,
    /// which carries the connection.
    pub(crate) fn new(
        active: watch::Receiver<Option<ActiveController>>,
        settings: PeerSettings,
        attempt_timeout: Duration,
    ) -> Self {
        Self { active, settings, attempt_timeout, current: Mutex::new(None), ended: Arc::default() }
    }

    /// Notified each time that a connection ends.
    pub(crate) fn ended(&self) -> Arc<Notify> {
        Arc::clone(&self.ended)
    }

    /// The answer of the active controller, whichever node that is by the time; sent again until
    /// `within` is over. An answer of NOT_CONTROLLER is none.
    pub(crate) async fn request<R>(
        &self,
        request: R,
        within: Duration,
    ) -> Result<R::Response, ChannelError>
    where
        R: Request + Clone + Send + 'static,
        R::Response: FromController,
    {
        self.request_each(request, self.attempt_timeout, within).await
    }

    /// The same where an attempt may take no longer than `attempt_timeout`; one that does costs the
    /// connection, which may be half open.
    pub(crate) async fn request_each<R>(
        &self,
        request: R,
        attempt_timeout: Duration,
        within: Duration,
    ) -> Result<R::Response, ChannelError>
    where
        R: Request + Clone + Send + 'static,
        R::Response: FromController,
    {
        let deadline = Instant::now() + within;
        let mut active = self.active.clone();
        loop {
            let known = active.borrow_and_update().clone();
            if let Some(controller) = known {
                let left = deadline.saturating_duration_since(Instant::now());
                let peer = self.peer(&controller);
                let asked = peer.request(request.clone(), left.min(attempt_timeout));
                let answer = tokio::select! {
                    biased;
                    answer = asked => answer,
                    // One that stands still answers when it is too late for everybody.
                    () = replaced(&mut active, &controller) => continue,
                };
                match answer {
                    Ok(response) if response.error_code() != ErrorCode::NotController.code() => {
                        return Ok(response);
                    }
                    Ok(_)
                    | Err(
                        PeerError::Unreachable { .. }
                        | PeerError::Disconnected(_)
                        | PeerError::TimedOut(_),
                    ) => {}
                    Err(PeerError::Stopping) => return Err(ChannelError::Stopping),
                    Err(error) => return Err(error.into()),
                }
            }
            // Without a controller only news helps.
            let pause = match active.borrow().is_some() {
                true => PAUSE.min(deadline.saturating_duration_since(Instant::now())),
                false => deadline.saturating_duration_since(Instant::now()),
            };
            if let Ok(Err(_)) = tokio::time::timeout(pause, active.changed()).await {
                return Err(ChannelError::Stopping);
            }
            if Instant::now() >= deadline {
                return Err(ChannelError::TimedOut(within));
            }
        }
    }

    fn peer(&self, controller: &ActiveController) -> Arc<Peer> {
        let address = &controller.address;
        let mut current = self.current.lock();
        match &*current {
            Some((known, peer)) if known == address => Arc::clone(peer),
            _ => {
                let settings = self.settings.clone().of_node(controller.id);
                let peer = Arc::new(Peer::new(address.clone(), settings));
                tokio::spawn(tell_ends(peer.presence(), self.ended()));
                *current = Some((address.clone(), Arc::clone(&peer)));
                peer
            }
        }
    }
}

async fn tell_ends(mut presence: watch::Receiver<Presence>, ended: Arc<Notify>) {
    while presence.changed().await.is_ok() {
        if *presence.borrow_and_update() == Presence::Closed {
            ended.notify_one();
        }
    }
}

/// Resolves when another controller than this one is the active one. The same node in a later epoch
/// is no other: what it was asked on a connection that stands it answers, and asking again would
/// have it create a topic twice.
async fn replaced(
    active: &mut watch::Receiver<Option<ActiveController>>,
    known: &ActiveController,
) {
    let is_other = |now: &Option<ActiveController>| {
        now.as_ref().is_some_and(|now| (now.id, &now.address) != (known.id, &known.address))
    };
    if active.wait_for(is_other).await.is_err() {
        // A node that stops hears of no other.
        std::future::pending().await
    }
}

#[cfg(test)]
#[path = "controller_channel_test.rs"]
mod tests;

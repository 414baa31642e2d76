//! This broker's life in the cluster: registered, caught up, unfenced, heartbeating, leaving.
//!
//! What moves it on is events (an image applied, a heartbeat answered); the heartbeat's interval
//! only keeps the session. A combined node asks its own controller, by the methods that requests of
//! other brokers would reach. Answers to `BrokerLifecycleManager`.

use config::BrokerConfig;
use protocol::ErrorCode;
use protocol::messages::{
    BrokerHeartbeatRequest, BrokerHeartbeatResponse, BrokerId, BrokerRegistrationRequest,
    ControllerRegistrationRequest,
};
use tokio::sync::oneshot;

use super::{MetadataDir, identity};

pub(super) struct Lifecycle {
    pub(super) node_id: i32,
    /// `None` on a node without the broker's role.
    pub(super) registration: Option<BrokerRegistrationRequest>,
    pub(super) controller_registration: ControllerRegistrationRequest,
    heartbeat_interval_ms: i64,
    controlled_shutdown: bool,
    state: State,
    pub(super) epoch: Option<i64>,
    next_heartbeat_ms: i64,
    /// Who waits for the broker to be unfenced.
    serving: Vec<oneshot::Sender<()>>,
    /// Who waits for the broker to be allowed to stop.
    leaving: Vec<oneshot::Sender<()>>,
}

/// Kafka's names of a broker's states.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Starting,
    Recovery,
    Running,
    PendingControlledShutdown,
    ShuttingDown,
}

impl State {
    fn name(self) -> &'static str {
        match self {
            Self::Starting => "STARTING",
            Self::Recovery => "RECOVERY",
            Self::Running => "RUNNING",
            Self::PendingControlledShutdown => "PENDING_CONTROLLED_SHUTDOWN",
            Self::ShuttingDown => "SHUTTING_DOWN",
        }
    }
}

/// How a heartbeat's answer moved the broker on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Moved {
    /// Nowhere; the next heartbeat comes in its time.
    Nowhere,
    /// Clients may come when the heartbeat's records are applied.
    Unfenced,
    /// The broker may stop when the heartbeat's records are applied.
    MayStop,
    /// The controller does not know this registration: register again.
    Forgotten,
}

impl Lifecycle {
    pub(super) fn new(config: &BrokerConfig, dir: &MetadataDir) -> Self {
        let broker = config.process_roles.broker;
        Self {
            node_id: config.node_id,
            registration: broker.then(|| identity::broker_registration(config, dir)),
            controller_registration: identity::controller_registration(config),
            heartbeat_interval_ms: i64::from(config.broker_heartbeat_interval_ms),
            controlled_shutdown: config.controlled_shutdown_enable,
            state: State::Starting,
            epoch: None,
            next_heartbeat_ms: i64::MAX,
            serving: Vec::new(),
            leaving: Vec::new(),
        }
    }

    pub(super) fn registered(&mut self, epoch: i64, now_ms: i64) {
        self.epoch = Some(epoch);
        self.next_heartbeat_ms = now_ms + self.heartbeat_interval_ms;
        self.say(&format!(
            "Successfully registered broker {} with broker epoch {epoch}",
            self.node_id
        ));
    }

    /// The logs are recovered and clients may come: the next heartbeat asks to be unfenced.
    pub(super) fn serve(&mut self, answer: oneshot::Sender<()>) {
        if self.state == State::Starting {
            self.say("The broker has caught up. Transitioning from STARTING to RECOVERY.");
            self.state = State::Recovery;
        }
        self.serving.push(answer);
    }

    /// Whether leaving takes the controller's consent; else `answer` is given at once.
    pub(super) fn leave(&mut self, answer: oneshot::Sender<()>) -> bool {
        let asks = self.controlled_shutdown
            && matches!(self.state, State::Running | State::PendingControlledShutdown);
        if !asks {
            // Who asked may be gone.
            let _ = answer.send(());
            return false;
        }
        self.leaving.push(answer);
        if self.state == State::Running {
            self.transition(State::PendingControlledShutdown, "Beginning controlled shutdown.");
        }
        true
    }

    /// Whether an event is waited for that a heartbeat would bring about.
    pub(super) fn is_pressing(&self) -> bool {
        self.state == State::Recovery || self.state == State::PendingControlledShutdown
    }

    pub(super) fn next_heartbeat_ms(&self) -> i64 {
        self.next_heartbeat_ms
    }

    pub(super) fn heartbeat(
        &mut self,
        metadata_offset: i64,
        now_ms: i64,
    ) -> Option<BrokerHeartbeatRequest> {
        let epoch = self.epoch?;
        self.next_heartbeat_ms = now_ms + self.heartbeat_interval_ms;
        let request = BrokerHeartbeatRequest::default()
            .with_broker_id(BrokerId(self.node_id))
            .with_broker_epoch(epoch)
            .with_current_metadata_offset(metadata_offset)
            .with_want_fence(self.state == State::Starting)
            .with_want_shut_down(self.state == State::PendingControlledShutdown);
        Some(request)
    }

    pub(super) fn answered(&mut self, response: &BrokerHeartbeatResponse) -> Moved {
        if response.error_code == ErrorCode::StaleBrokerEpoch.code() {
            return Moved::Forgotten;
        }
        match self.state {
            State::Recovery if !response.is_fenced => Moved::Unfenced,
            State::PendingControlledShutdown if response.should_shut_down => {
                self.transition(State::ShuttingDown, "The controller has asked us to exit.");
                self.next_heartbeat_ms = i64::MAX;
                Moved::MayStop
            }
            _ => Moved::Nowhere,
        }
    }

    /// The unfencing is committed and applied here.
    pub(super) fn unfenced(&mut self) {
        if self.state == State::Recovery {
            self.transition(State::Running, "The broker has been unfenced.");
        }
        for answer in self.serving.drain(..) {
            // Who asked may be gone.
            let _ = answer.send(());
        }
    }

    /// The leave is committed.
    pub(super) fn may_stop(&mut self) {
        for answer in self.leaving.drain(..) {
            // Who asked may be gone.
            let _ = answer.send(());
        }
    }

    fn transition(&mut self, to: State, why: &str) {
        let line = format!("{why} Transitioning from {} to {}.", self.state.name(), to.name());
        self.say(&line);
        self.state = to;
    }

    fn say(&self, what: &str) {
        let id = self.node_id;
        tracing::info!(
            target: "kafka.server.BrokerLifecycleManager",
            "[BrokerLifecycleManager id={id}] {what}"
        );
    }
}

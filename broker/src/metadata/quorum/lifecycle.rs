//! This broker's life in the cluster: registered, caught up, unfenced, heartbeating, leaving.
//!
//! Says what the active controller is to be asked next and when, and takes its answers; the host
//! asks. What moves it on is events (an image applied, an answer); the heartbeat's interval only
//! keeps the session. Kept true: one request is under way at a time. Answers to
//! `BrokerLifecycleManager`.

use config::BrokerConfig;
use protocol::Base64Uuid;
use protocol::ErrorCode;
use protocol::messages::{
    BrokerHeartbeatRequest, BrokerHeartbeatResponse, BrokerId, BrokerRegistrationRequest,
    BrokerRegistrationResponse,
};
use tokio::sync::oneshot;
use uuid::Uuid;

use super::identity;
use super::metadata_dir::MetadataDir;
use crate::log_dirs::FailedDirectories;

/// How soon a broker that starts or leaves asks again when no event lets it ask sooner.
const PRESSING_MS: i64 = 20;
/// How long a broker that leaves goes without an active controller. Unlike Kafka, which waits five
/// minutes: when a whole cluster is stopped nobody is left to consent (docs/decisions/0115).
const ABANDONED_MS: i64 = 5_000;
/// How soon a request that was not answered is tried again, and a registration that the broker's
/// own former self stands in the way of, which the controller is about to give up.
const REFUSED_MS: i64 = 100;

pub(super) struct Lifecycle {
    node_id: i32,
    /// `None` on a node without the broker's role.
    registration: Option<BrokerRegistrationRequest>,
    heartbeat_interval_ms: i64,
    controlled_shutdown: bool,
    state: State,
    /// Of the registration that holds.
    epoch: Option<i64>,
    /// The logs are recovered and clients may come.
    is_ready: bool,
    is_asking: bool,
    /// Something is to be told as soon as the request under way is answered.
    is_due_again: bool,
    next_ms: i64,
    /// When the controller was last heard of, or leaving began.
    last_answer_ms: i64,
    failed_directories: FailedDirectories,
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
    /// The controller has unfenced the broker; its image does not show it yet.
    Unfencing,
    Running,
    PendingControlledShutdown,
    ShuttingDown,
}

impl State {
    fn name(self) -> &'static str {
        match self {
            Self::Starting => "STARTING",
            Self::Recovery | Self::Unfencing => "RECOVERY",
            Self::Running => "RUNNING",
            Self::PendingControlledShutdown => "PENDING_CONTROLLED_SHUTDOWN",
            Self::ShuttingDown => "SHUTTING_DOWN",
        }
    }
}

/// What the active controller is to be asked.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Due {
    Register(BrokerRegistrationRequest),
    Heartbeat(BrokerHeartbeatRequest),
}

impl Lifecycle {
    pub(super) fn new(config: &BrokerConfig, dir: &MetadataDir) -> Self {
        let broker = config.process_roles.broker;
        Self {
            node_id: config.node_id,
            registration: broker.then(|| identity::broker_registration(config, dir)),
            heartbeat_interval_ms: i64::from(config.broker_heartbeat_interval_ms),
            controlled_shutdown: config.controlled_shutdown_enable,
            state: State::Starting,
            epoch: None,
            is_ready: false,
            is_asking: false,
            is_due_again: false,
            next_ms: if broker { i64::MIN } else { i64::MAX },
            last_answer_ms: i64::MIN,
            failed_directories: FailedDirectories::new(config.log_dir_failure_timeout_ms),
            serving: Vec::new(),
            leaving: Vec::new(),
        }
    }

    pub(super) fn epoch(&self) -> Option<i64> {
        self.epoch
    }

    /// When [`Self::due`] has something at the latest.
    pub(super) fn next_ms(&self) -> i64 {
        let next = if self.is_asking { i64::MAX } else { self.next_ms };
        next.min(self.abandoned_ms()).min(self.failed_directories.next_ms())
    }

    /// When this broker leaves without consent.
    fn abandoned_ms(&self) -> i64 {
        match self.state {
            State::PendingControlledShutdown => self.last_answer_ms.saturating_add(ABANDONED_MS),
            _ => i64::MAX,
        }
    }

    /// What to ask now. Its answer must be reported before there is anything else.
    pub(super) fn due(&mut self, metadata_offset: i64, now_ms: i64) -> Option<Due> {
        if now_ms >= self.abandoned_ms() {
            let why = "There is no active controller to ask.";
            self.transition(State::ShuttingDown, why);
            self.next_ms = i64::MAX;
            self.may_stop();
        }
        if let Some(directory) = self.failed_directories.unheard(now_ms) {
            self.give_up(directory);
        }
        if self.is_asking || now_ms < self.next_ms {
            return None;
        }
        let registration = self.registration.as_ref()?;
        self.is_asking = true;
        self.next_ms = now_ms.saturating_add(self.heartbeat_interval_ms);
        let Some(epoch) = self.epoch else {
            return Some(Due::Register(registration.clone()));
        };
        let request = BrokerHeartbeatRequest::default()
            .with_broker_id(BrokerId(self.node_id))
            .with_broker_epoch(epoch)
            .with_current_metadata_offset(metadata_offset)
            .with_want_fence(!self.is_ready)
            .with_offline_log_dirs(self.failed_directories.name_all())
            .with_want_shut_down(self.state == State::PendingControlledShutdown);
        Some(Due::Heartbeat(request))
    }

    /// Something happened that the controller should hear of at once.
    pub(super) fn ask_at_once(&mut self) {
        if self.registration.is_none() || self.state == State::ShuttingDown {
            return;
        }
        self.is_due_again = self.is_asking;
        self.next_ms = i64::MIN;
    }

    /// The connection by which heartbeats went has ended: the controller may wonder whether this
    /// broker lives. A request under way is sent again by itself.
    pub(super) fn connection_ended(&mut self, now_ms: i64) {
        if !self.is_asking && self.epoch.is_some() && self.state != State::ShuttingDown {
            let soonest_ms = self.last_answer_ms.saturating_add(REFUSED_MS).max(now_ms);
            self.next_ms = self.next_ms.min(soonest_ms);
        }
    }

    /// A log directory is offline: every heartbeat says so from now on.
    pub(super) fn directory_failed(&mut self, directory: Uuid, now_ms: i64) {
        self.failed_directories.failed(directory, now_ms);
        self.ask_at_once();
    }

    /// The controller does not know that a directory is offline, so this broker must not go on.
    fn give_up(&self, directory: Uuid) {
        let (id, directory) = (self.node_id, Base64Uuid(directory));
        tracing::error!(
            target: "kafka.server.BrokerLifecycleManager",
            "[BrokerLifecycleManager id={id}] Shutting down because couldn't communicate offline \
             log dir {directory} with controllers"
        );
        let own = rustix::process::getpid();
        if rustix::process::kill_process(own, rustix::process::Signal::TERM).is_err() {
            std::process::exit(1);
        }
    }

    /// Whether the broker knows the metadata up to its registration; so does a node without one.
    pub(super) fn has_caught_up(&self) -> bool {
        self.registration.is_none() || self.state != State::Starting
    }

    /// The node has come further in the metadata.
    pub(super) fn applied(&mut self) {
        let starting = self.epoch.is_some()
            && (self.state == State::Starting || self.is_ready && self.state == State::Recovery);
        if starting || self.state == State::PendingControlledShutdown {
            self.ask_at_once();
        }
    }

    /// There was no answer.
    pub(super) fn unanswered(&mut self, now_ms: i64) {
        self.is_asking = false;
        self.is_due_again = false;
        self.next_ms = now_ms.saturating_add(REFUSED_MS);
    }

    pub(super) fn registered(&mut self, response: &BrokerRegistrationResponse, now_ms: i64) {
        self.is_asking = false;
        let id = self.node_id;
        if response.error_code == 0 {
            let epoch = response.broker_epoch;
            self.epoch = Some(epoch);
            self.is_due_again = false;
            self.next_ms = i64::MIN;
            self.say(&format!("Successfully registered broker {id} with broker epoch {epoch}"));
        } else {
            let code = code_name(response.error_code);
            self.say(&format!(
                "Unable to register broker {id} because the controller returned error {code}"
            ));
            self.is_due_again = false;
            if response.error_code == ErrorCode::DuplicateBrokerRegistration.code() {
                self.next_ms = now_ms.saturating_add(REFUSED_MS);
            }
        }
    }

    /// Whether the broker may stop now.
    pub(super) fn heard(&mut self, response: &BrokerHeartbeatResponse, now_ms: i64) -> bool {
        self.is_asking = false;
        self.last_answer_ms = now_ms;
        let again = std::mem::take(&mut self.is_due_again);
        if response.error_code != 0 {
            self.refused(response.error_code, now_ms);
            return false;
        }
        self.failed_directories.heard();
        let after = |wait_ms: i64| now_ms.saturating_add(wait_ms);
        self.next_ms = if again { i64::MIN } else { after(self.heartbeat_interval_ms) };
        match self.state {
            State::Starting => {
                if response.is_caught_up {
                    self.transition(State::Recovery, "The broker has caught up.");
                }
                if self.is_ready && !response.is_fenced {
                    self.state = State::Unfencing;
                }
            }
            State::Recovery if self.is_ready && !response.is_fenced => {
                self.state = State::Unfencing;
            }
            State::PendingControlledShutdown if response.should_shut_down => {
                self.say("The controller has asked us to exit controlled shutdown.");
                self.say("Transitioning from PENDING_CONTROLLED_SHUTDOWN to SHUTTING_DOWN.");
                self.state = State::ShuttingDown;
                self.next_ms = i64::MAX;
                return true;
            }
            State::PendingControlledShutdown => {
                self.next_ms = self.next_ms.min(after(PRESSING_MS));
            }
            _ => {}
        }
        false
    }

    fn refused(&mut self, error_code: i16, now_ms: i64) {
        let (id, code) = (self.node_id, code_name(error_code));
        tracing::warn!(
            target: "kafka.server.BrokerLifecycleManager",
            "[BrokerLifecycleManager id={id}] Broker {id} sent a heartbeat request but received \
             error {code}."
        );
        let forgotten =
            [ErrorCode::StaleBrokerEpoch.code(), ErrorCode::BrokerIdNotRegistered.code()];
        if forgotten.contains(&error_code) {
            // The controller does not know this registration: register again.
            self.epoch = None;
            self.next_ms = i64::MIN;
        } else {
            self.unanswered(now_ms);
        }
    }

    /// The logs are recovered and clients may come: from now on heartbeats ask to be unfenced.
    pub(super) fn serve(&mut self, answer: oneshot::Sender<()>) {
        self.is_ready = true;
        if self.state == State::Running {
            // Who asked may be gone.
            let _ = answer.send(());
            return;
        }
        self.serving.push(answer);
        self.ask_at_once();
    }

    /// Leaving takes the controller's consent, unless there is nothing that it could consent to.
    pub(super) fn leave(&mut self, answer: oneshot::Sender<()>, now_ms: i64) {
        let asks = self.controlled_shutdown
            && matches!(self.state, State::Running | State::PendingControlledShutdown);
        if !asks {
            // Who asked may be gone.
            let _ = answer.send(());
            return;
        }
        self.leaving.push(answer);
        if self.state == State::Running {
            self.say("Beginning controlled shutdown.");
            self.state = State::PendingControlledShutdown;
            self.last_answer_ms = now_ms;
        }
        self.ask_at_once();
    }

    /// Whether the image that shows this broker unfenced is waited for.
    pub(super) fn is_unfencing(&self) -> bool {
        self.state == State::Unfencing
    }

    /// The unfencing is committed and applied here.
    pub(super) fn unfenced(&mut self) {
        if self.state == State::Unfencing {
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

/// Kafka's spelling.
fn code_name(code: i16) -> String {
    let Some(known) = ErrorCode::try_from_code(code) else { return code.to_string() };
    let mut name = String::new();
    for letter in format!("{known:?}").chars() {
        if letter.is_ascii_uppercase() && !name.is_empty() {
            name.push('_');
        }
        name.push(letter.to_ascii_uppercase());
    }
    name
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_spelled_as_in_kafka() {
        assert_eq!(code_name(ErrorCode::StaleBrokerEpoch.code()), "STALE_BROKER_EPOCH");
        assert_eq!(code_name(0), "0");
    }
}

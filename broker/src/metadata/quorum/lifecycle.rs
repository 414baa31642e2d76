//! This broker's life in the cluster: `raft::lifecycle` says what the active controller is to be
//! asked next and when; here are the requests, the lines that Kafka says of it, who waits for it,
//! and the log directories that failed or are cordoned, which every heartbeat names: the latter not
//! before this broker knows its own settings (KIP-1066).
//!
//! Answers to `BrokerLifecycleManager`.

use config::BrokerConfig;
use protocol::Base64Uuid;
use protocol::ErrorCode;
use protocol::messages::{
    BrokerHeartbeatRequest, BrokerHeartbeatResponse, BrokerId, BrokerRegistrationRequest,
    BrokerRegistrationResponse,
};
use raft::lifecycle::{self, Heard, Leaving, LifecycleAsk, Turn};
use tokio::sync::oneshot;
use uuid::Uuid;

use super::identity;
use super::metadata_dir::MetadataDir;
use crate::log_dirs::FailedDirectories;

pub(super) struct Lifecycle {
    node_id: i32,
    life: lifecycle::Lifecycle,
    /// `None` on a node without the broker's role.
    registration: Option<BrokerRegistrationRequest>,
    failed_directories: FailedDirectories,
    /// `None` until this broker's settings are known.
    cordoned_directories: Option<Vec<Uuid>>,
    /// Who waits for the broker to be unfenced.
    serving: Vec<oneshot::Sender<()>>,
    /// Who waits for the broker to be allowed to stop.
    leaving: Vec<oneshot::Sender<()>>,
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
        let interval_ms = i64::from(config.broker_heartbeat_interval_ms);
        Self {
            node_id: config.node_id,
            life: lifecycle::Lifecycle::new(broker, interval_ms, config.controlled_shutdown_enable),
            registration: broker.then(|| identity::broker_registration(config, dir)),
            failed_directories: FailedDirectories::new(config.log_dir_failure_timeout_ms),
            cordoned_directories: None,
            serving: Vec::new(),
            leaving: Vec::new(),
        }
    }

    pub(super) fn epoch(&self) -> Option<i64> {
        self.life.epoch()
    }

    /// When [`Self::due`] has something at the latest.
    pub(super) fn next_ms(&self) -> i64 {
        self.life.next_ms().min(self.failed_directories.next_ms())
    }

    /// What to ask now. Its answer must be reported before there is anything else.
    pub(super) fn due(&mut self, metadata_offset: i64, now_ms: i64) -> Option<Due> {
        if let Some(turn) = self.life.abandoned(now_ms) {
            self.say(turn);
            self.may_stop();
        }
        if let Some(directory) = self.failed_directories.unheard(now_ms) {
            self.give_up(directory);
        }
        let (epoch, want_fence, want_shut_down) = match self.life.due(now_ms)? {
            LifecycleAsk::Register => return self.registration.clone().map(Due::Register),
            LifecycleAsk::Heartbeat { epoch, want_fence, want_shut_down } => {
                (epoch, want_fence, want_shut_down)
            }
        };
        let request = BrokerHeartbeatRequest {
            broker_id: BrokerId(self.node_id),
            broker_epoch: epoch,
            current_metadata_offset: metadata_offset,
            want_fence,
            offline_log_dirs: self.failed_directories.name_all(),
            cordoned_log_dirs: self.cordoned_directories.clone(),
            want_shut_down,
        };
        Some(Due::Heartbeat(request))
    }

    /// Something happened that the controller should hear of at once.
    pub(super) fn ask_at_once(&mut self) {
        self.life.ask_at_once();
    }

    /// The registration that holds lacks something, and is sent again.
    pub(super) fn register_again(&mut self) {
        self.life.register_again();
    }

    /// The connection by which heartbeats went has ended.
    pub(super) fn connection_ended(&mut self, now_ms: i64) {
        self.life.connection_ended(now_ms);
    }

    /// A log directory is offline: every heartbeat says so from now on.
    pub(super) fn directory_failed(&mut self, directory: Uuid, now_ms: i64) {
        self.failed_directories.failed(directory, now_ms);
        self.life.ask_at_once();
    }

    /// These get no new replicas: the controller hears of it when the metadata has a place for it.
    pub(super) fn directories_cordoned(&mut self, directories: Vec<Uuid>) {
        if self.cordoned_directories.as_ref() != Some(&directories) {
            self.cordoned_directories = Some(directories);
            self.life.ask_at_once();
        }
    }

    /// The controller does not know that a directory is offline, so this broker must not go on.
    fn give_up(&self, directory: Uuid) {
        let (id, directory) = (self.node_id, Base64Uuid(directory));
        tracing::error!(
            target: "org.apache.kafka.server.BrokerLifecycleManager",
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
        self.life.has_caught_up()
    }

    /// The node has come further in the metadata.
    pub(super) fn applied(&mut self) {
        self.life.applied();
    }

    /// There was no answer.
    pub(super) fn unanswered(&mut self, now_ms: i64) {
        self.life.unanswered(now_ms);
    }

    pub(super) fn registered(&mut self, response: &BrokerRegistrationResponse, now_ms: i64) {
        let answer = match response.error_code {
            0 => Ok(response.broker_epoch),
            code => Err(code),
        };
        let turn = self.life.registered(answer, now_ms);
        self.say(turn);
    }

    /// Whether the broker may stop now.
    pub(super) fn heard(&mut self, response: &BrokerHeartbeatResponse, now_ms: i64) -> bool {
        let answer = Heard {
            error_code: response.error_code,
            is_caught_up: response.is_caught_up,
            is_fenced: response.is_fenced,
            should_shut_down: response.should_shut_down,
        };
        if answer.error_code == 0 {
            self.failed_directories.heard();
        }
        let turn = self.life.heard(answer, now_ms);
        turn.into_iter().for_each(|turn| self.say(turn));
        turn == Some(Turn::MayExit)
    }

    /// The logs are recovered and clients may come: from now on heartbeats ask to be unfenced.
    pub(super) fn serve(&mut self, answer: oneshot::Sender<()>) {
        if self.life.serve() {
            // Who asked may be gone.
            let _ = answer.send(());
        } else {
            self.serving.push(answer);
        }
    }

    /// Leaving takes the controller's consent, unless there is nothing that it could consent to.
    pub(super) fn leave(&mut self, answer: oneshot::Sender<()>, now_ms: i64) {
        match self.life.leave(now_ms) {
            Leaving::AtOnce => {
                // Who asked may be gone.
                let _ = answer.send(());
            }
            Leaving::Asks(turn) => {
                self.leaving.push(answer);
                turn.into_iter().for_each(|turn| self.say(turn));
            }
        }
    }

    /// Whether the image that shows this broker unfenced is waited for.
    pub(super) fn is_unfencing(&self) -> bool {
        self.life.is_unfencing()
    }

    /// The unfencing is committed and applied here.
    pub(super) fn unfenced(&mut self) {
        if let Some(turn) = self.life.unfenced() {
            self.say(turn);
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

    /// In Kafka's words and names of the states.
    fn say(&self, turn: Turn) {
        let id = self.node_id;
        let line = match turn {
            Turn::Registered { epoch } => {
                format!("Successfully registered broker {id} with broker epoch {epoch}")
            }
            Turn::NotRegistered { error_code } => {
                let code = code_name(error_code);
                format!(
                    "Unable to register broker {id} because the controller returned error {code}"
                )
            }
            Turn::Refused { error_code } => {
                let code = code_name(error_code);
                tracing::warn!(
                    target: "org.apache.kafka.server.BrokerLifecycleManager",
                    "[BrokerLifecycleManager id={id}] Broker {id} sent a heartbeat request but \
                     received error {code}."
                );
                return;
            }
            Turn::CaughtUp => {
                "The broker has caught up. Transitioning from STARTING to RECOVERY.".to_owned()
            }
            Turn::Unfenced => {
                "The broker has been unfenced. Transitioning from RECOVERY to RUNNING.".to_owned()
            }
            Turn::ShutdownBegun => "Beginning controlled shutdown.".to_owned(),
            Turn::MayExit => {
                tracing::info!(
                    target: "org.apache.kafka.server.BrokerLifecycleManager",
                    "[BrokerLifecycleManager id={id}] The controller has asked us to exit \
                     controlled shutdown."
                );
                "Transitioning from PENDING_CONTROLLED_SHUTDOWN to SHUTTING_DOWN.".to_owned()
            }
            Turn::Abandoned => "There is no active controller to ask. Transitioning from \
                                PENDING_CONTROLLED_SHUTDOWN to SHUTTING_DOWN."
                .to_owned(),
        };
        tracing::info!(
            target: "org.apache.kafka.server.BrokerLifecycleManager",
            "[BrokerLifecycleManager id={id}] {line}"
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

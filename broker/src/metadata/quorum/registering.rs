//! Registrations and heartbeats of this node: asked of its own controller where that is the active
//! one, by RPC otherwise, and what the answers mean for its membership.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use protocol::messages::{
    BrokerHeartbeatResponse, BrokerRegistrationResponse, ControllerRegistrationResponse,
};
use raft::feature::METADATA_VERSION;
use raft::image::{Changes, MetadataImage};

use super::command::{Command, Due as Waits};
use super::host::{Answer, Host};
use super::lifecycle::Due;
use super::membership::Membership;
use crate::clock::monotonic_ms;
use crate::metadata::controller_channel::ChannelError;
use crate::requests::controller_error::ControllerError;

/// The version of BrokerRegistration that our own registration is.
const OWN_REGISTRATION: i16 = 4;
/// How soon a controller that was not registered tries again.
const CONTROLLER_RETRY_MS: i64 = 1_000;

impl Host {
    /// Asks the active controller whatever is due.
    pub(super) fn tell_controller(&mut self) {
        let now_ms = monotonic_ms();
        if now_ms >= self.membership.controller_next_ms && !self.membership.controller_is_asking {
            self.register_controller();
        }
        match self.membership.lifecycle.due(self.metadata_offset(), now_ms) {
            None => {}
            Some(Due::Register(request)) => {
                if !self.node.controller().is_active() {
                    let timeout = self.membership.registration_timeout;
                    self.by_rpc(request, timeout, Command::Registered);
                    return;
                }
                let kraft_version = self.node.quorum().kraft().version;
                let asked = self.ask(|controller, now| {
                    // Its former self held the lock of the directory that this process holds now.
                    controller.session_ended(request.broker_id.0);
                    controller.register_broker(&request, OWN_REGISTRATION, kraft_version, now)
                });
                match asked {
                    Ok((response, offset)) => self.registered_at(response, offset),
                    Err(_) => self.registered(Err(ChannelError::Stopping)),
                }
            }
            Some(Due::Heartbeat(request)) => {
                if !self.node.controller().is_active() {
                    let timeout = self.membership.heartbeat_timeout;
                    self.by_rpc(request, timeout, Command::Heard);
                    return;
                }
                match self.ask(|controller, now| controller.heartbeat(&request, now)) {
                    Ok((response, offset)) => self.heard_at(&response, offset),
                    Err(_) => self.membership.lifecycle.unanswered(now_ms),
                }
            }
        }
    }

    fn by_rpc<R>(
        &self,
        request: R,
        attempt_timeout: Duration,
        answered: impl FnOnce(Result<R::Response, ChannelError>) -> Command + Send + 'static,
    ) where
        R: protocol::wire::Request + Clone + Send + Sync + 'static,
        R::Response: crate::metadata::controller_channel::FromController + Send,
    {
        let (channel, commands) = (Arc::clone(&self.membership.channel), self.commands.clone());
        let within = self.membership.within;
        tokio::spawn(async move {
            let answer = channel.request_each(request, attempt_timeout, within).await;
            // A quorum that has stopped waits for no answer.
            let _ = commands.send(answered(answer));
        });
    }

    /// As by RPC, the epoch is told when it is committed: one that is lost with its controller
    /// would be another one's by then.
    fn registered_at(&mut self, response: BrokerRegistrationResponse, offset: i64) {
        let commands = self.commands.clone();
        let answer: Answer = Box::new(move |outcome, _| {
            let answer = outcome.map(|()| response).map_err(|_| ChannelError::Stopping);
            // A quorum that has stopped registers nobody.
            let _ = commands.send(Command::Registered(answer));
        });
        self.wait_for(Waits::Committed, offset, answer);
    }

    pub(super) fn registered(&mut self, answer: Result<BrokerRegistrationResponse, ChannelError>) {
        let now_ms = monotonic_ms();
        match answer {
            Ok(response) => self.membership.lifecycle.registered(&response, now_ms),
            Err(error) => {
                self.log_unanswered("register the broker", &error);
                self.membership.lifecycle.unanswered(now_ms);
            }
        }
        if let Some(epoch) = self.membership.lifecycle.epoch() {
            self.shared.broker_epoch.store(epoch, Ordering::Release);
        }
    }

    pub(super) fn heard(&mut self, answer: Result<BrokerHeartbeatResponse, ChannelError>) {
        match answer {
            // What it says becomes true here when the image shows it.
            Ok(response) => self.heard_at(&response, -1),
            Err(error) => {
                self.log_unanswered("send a heartbeat", &error);
                self.membership.lifecycle.unanswered(monotonic_ms());
            }
        }
    }

    /// `offset` is what this node must have applied before it acts on the answer.
    fn heard_at(&mut self, response: &BrokerHeartbeatResponse, offset: i64) {
        if self.membership.lifecycle.heard(response, monotonic_ms()) {
            let may_stop: Answer = Box::new(|_, membership| membership.lifecycle.may_stop());
            self.wait_for(Waits::Applied, offset, may_stop);
        }
        self.release();
        let image = self.shared.image.load_full();
        self.note_unfenced(&image, image.provenance().last_contained_offset);
    }

    fn log_unanswered(&self, what: &str, error: &ChannelError) {
        let id = self.membership.node_id;
        tracing::info!(
            target: "org.apache.kafka.server.BrokerLifecycleManager",
            "[BrokerLifecycleManager id={id}] Unable to {what}: {error}"
        );
    }

    /// The cluster changed: what of it concerns this node's membership.
    pub(super) fn noticed(&mut self, image: &MetadataImage, changes: &Changes, offset: i64) {
        self.note_unfenced(image, offset);
        let own = self.membership.node_id;
        let leaving = image.cluster().brokers().any(|broker| {
            broker.broker_id != own
                && broker.in_controlled_shutdown
                && changes.brokers.contains(&broker.broker_id)
        });
        if leaving {
            // Whoever leaves may go when the others have read what it gave up. Unlike Kafka, they
            // say so at once (docs/decisions/0115).
            let hear = move |_: Result<(), ControllerError>, members: &mut Membership| {
                members.lifecycle.ask_at_once();
            };
            self.wait_for(Waits::Applied, offset, Box::new(hear));
        }
        let wronged = self.membership.lifecycle.epoch().is_some_and(|epoch| {
            let broker = image.cluster().broker(own).filter(|_| changes.brokers.contains(&own));
            broker.is_some_and(|broker| broker.fenced && broker.broker_epoch == epoch)
        });
        if wronged {
            // Whoever took this broker for gone was wrong.
            self.membership.lifecycle.ask_at_once();
        }
        let registered = self.membership.controller.as_ref().is_none_or(|request| {
            let known = image.cluster().controller(own);
            known.is_some_and(|known| known.incarnation_id == request.incarnation_id)
        });
        if registered {
            self.membership.controller_next_ms = i64::MAX;
        }
        if changes.features.iter().any(|name| **name == *METADATA_VERSION) {
            if !registered && image.metadata_version().has_controller_registration() {
                self.membership.controller_due_now();
            }
            self.tell_directories(image);
        }
    }

    /// A broker that registered before the metadata had a place for its directories names them when
    /// they have.
    fn tell_directories(&mut self, image: &MetadataImage) {
        let lifecycle = &mut self.membership.lifecycle;
        let shown = image.cluster().broker(self.membership.node_id);
        let lacks = shown.is_some_and(|own| {
            own.log_dirs.is_empty() && lifecycle.epoch() == Some(own.broker_epoch)
        });
        if lacks && image.metadata_version().has_directories() {
            lifecycle.register_again();
        }
    }

    /// Clients may come when this node has applied its own unfencing.
    fn note_unfenced(&mut self, image: &MetadataImage, offset: i64) {
        let Some(epoch) = self.membership.lifecycle.epoch() else { return };
        let shown = image.cluster().broker(self.membership.node_id);
        let unfenced = shown.is_some_and(|own| own.broker_epoch == epoch && !own.fenced);
        if unfenced && self.membership.lifecycle.is_unfencing() {
            let unfenced: Answer = Box::new(|outcome, membership| {
                if outcome.is_ok() {
                    membership.lifecycle.unfenced();
                }
            });
            self.wait_for(Waits::Applied, offset, unfenced);
        }
    }

    fn register_controller(&mut self) {
        let Some(request) = self.membership.controller.clone() else { return };
        let image = self.shared.image.load_full();
        if !image.is_empty() && !image.metadata_version().has_controller_registration() {
            // Due again when the level rises.
            self.membership.controller_next_ms = i64::MAX;
            return;
        }
        self.membership.controller_is_asking = true;
        if !self.node.controller().is_active() {
            let timeout = self.membership.registration_timeout;
            self.by_rpc(request, timeout, Command::ControllerRegistered);
            return;
        }
        let asked = self.ask(|controller, _| controller.register_controller(&request));
        let answer = asked.map(|(response, _)| response).map_err(|_| ChannelError::Stopping);
        self.controller_registered(answer);
    }

    pub(super) fn controller_registered(
        &mut self,
        answer: Result<ControllerRegistrationResponse, ChannelError>,
    ) {
        self.membership.controller_is_asking = false;
        let refusal = match answer {
            Ok(response) if response.error_code == 0 => {
                self.membership.controller_next_ms = i64::MAX;
                return;
            }
            Ok(response) => {
                let words = response.error_message.map(|words| words.to_string());
                words.unwrap_or_else(|| format!("error code {}", response.error_code))
            }
            Err(error) => error.to_string(),
        };
        let id = self.membership.node_id;
        tracing::warn!(
            target: "kafka.server.ControllerRegistrationManager",
            "[ControllerRegistrationManager id={id}] The controller is not registered: {refusal}"
        );
        self.membership.controller_next_ms = monotonic_ms() + CONTROLLER_RETRY_MS;
    }
}

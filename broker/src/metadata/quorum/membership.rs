//! This node as a member of the cluster: who it is, and when it asks the active controller next.
//!
//! What is asked, and what the answers mean, is in `registering`. Answers to
//! `BrokerLifecycleManager` (whose state is in `lifecycle`) and `ControllerRegistrationManager`.

use std::sync::Arc;
use std::time::Duration;

use config::BrokerConfig;
use protocol::messages::ControllerRegistrationRequest;

use super::identity;
use super::lifecycle::Lifecycle;
use super::metadata_dir::MetadataDir;
use super::timeouts::{heartbeat_timeout, ms};
use crate::metadata::controller_channel::ControllerChannel;

pub(super) struct Membership {
    pub(super) node_id: i32,
    /// Whether this broker's file is of the ZooKeeper era, and with it what its log says.
    pub(super) is_of_zookeeper_era: bool,
    pub(super) lifecycle: Lifecycle,
    /// `None` on a node without the controller's role.
    pub(super) controller: Option<ControllerRegistrationRequest>,
    pub(super) controller_is_asking: bool,
    pub(super) controller_next_ms: i64,
    pub(super) channel: Arc<ControllerChannel>,
    /// How long a request looks for an active controller.
    pub(super) within: Duration,
    /// How long a heartbeat may go unanswered on one connection. The controller answers within half
    /// of it; a flow that was dropped without a word never does, and a session outlasts several
    /// (KAFKA-14392).
    pub(super) heartbeat_timeout: Duration,
    /// How long a registration may.
    pub(super) registration_timeout: Duration,
}

impl Membership {
    pub(super) fn new(
        config: &BrokerConfig,
        dir: &MetadataDir,
        channel: ControllerChannel,
    ) -> Self {
        let is_controller = config.process_roles.controller;
        let within = u64::try_from(config.broker_session_timeout_ms).unwrap_or(0);
        Self {
            node_id: config.node_id,
            is_of_zookeeper_era: config.zookeeper.broker().is_some(),
            lifecycle: Lifecycle::new(config, dir),
            controller: is_controller.then(|| identity::controller_registration(config)),
            controller_is_asking: false,
            controller_next_ms: i64::MAX,
            channel: Arc::new(channel),
            within: Duration::from_millis(within),
            heartbeat_timeout: heartbeat_timeout(config),
            registration_timeout: ms(i64::from(
                config.controller_socket_timeout_ms.min(config.broker_session_timeout_ms),
            )),
        }
    }

    pub(super) fn next_ms(&self) -> i64 {
        let controller = if self.controller_is_asking { i64::MAX } else { self.controller_next_ms };
        self.lifecycle.next_ms().min(controller)
    }

    /// Notified each time that the connection for heartbeats ends.
    pub(super) fn heartbeats_end(&self) -> Arc<tokio::sync::Notify> {
        self.channel.ended()
    }

    /// There is news of who leads: a controller that is not registered can be now.
    pub(super) fn controller_due_now(&mut self) {
        if self.controller.is_some() {
            self.controller_next_ms = i64::MIN;
        }
    }
}

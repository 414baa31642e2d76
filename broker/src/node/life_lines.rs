//! What a node says of its own life: that it starts, what it waits for, that it stops. People,
//! scripts and test containers wait for these lines. Kafka: `KafkaRaftServer`, `BrokerServer`,
//! `ControllerServer`, `AppInfoParser`. The ZooKeeper service says none of it: its log may be the
//! same as its broker's, where somebody waits for the broker's lines.

use config::BrokerConfig;

use crate::broker::KAFKA_VERSION;
use crate::clock::wall_ms;

/// A wait of a broker that starts.
pub(crate) struct Waiting {
    node_id: i32,
    what: &'static str,
}

impl Waiting {
    pub(crate) fn begun(node_id: i32, what: &'static str) -> Self {
        tracing::info!(
            target: "kafka.server.BrokerServer",
            "[BrokerServer id={node_id}] Waiting for {what}",
        );
        Self { node_id, what }
    }

    pub(crate) fn finished(self) {
        tracing::info!(
            target: "kafka.server.BrokerServer",
            "[BrokerServer id={}] Finished waiting for {}", self.node_id, self.what,
        );
    }
}

fn broker_becomes(id: i32, from: &str, to: &str) {
    tracing::info!(
        target: "kafka.server.BrokerServer",
        "[BrokerServer id={id}] Transition from {from} to {to}",
    );
}

pub(crate) fn say_starting(config: &BrokerConfig) {
    if config.zookeeper.service().is_some() {
        return;
    }
    let id = config.node_id;
    tracing::info!(
        target: "kafka.server.KafkaRaftServer",
        "[KafkaRaftServer nodeId={id}] Starting Gregor {}",
        env!("CARGO_PKG_VERSION"),
    );
    if config.process_roles.controller {
        tracing::info!(
            target: "kafka.server.ControllerServer",
            "[ControllerServer id={id}] Starting controller",
        );
    }
    if config.process_roles.broker {
        broker_becomes(id, "SHUTDOWN", "STARTING");
        tracing::info!(
            target: "kafka.server.BrokerServer",
            "[BrokerServer id={id}] Starting broker",
        );
    }
}

/// The lines that people, scripts and test containers wait for.
pub(crate) fn say_started(config: &BrokerConfig) {
    if config.zookeeper.service().is_some() {
        return;
    }
    let id = config.node_id;
    if config.process_roles.broker {
        broker_becomes(id, "STARTING", "STARTED");
    }
    tracing::info!(
        target: "org.apache.kafka.common.utils.AppInfoParser",
        "Kafka version: {KAFKA_VERSION}",
    );
    tracing::info!(
        target: "org.apache.kafka.common.utils.AppInfoParser",
        "Kafka startTimeMs: {}", wall_ms(),
    );
    tracing::info!(
        target: "kafka.server.KafkaRaftServer",
        "[KafkaRaftServer nodeId={id}] Kafka Server started",
    );
    tracing::info!(target: "kafka.server.KafkaServer", "[KafkaServer id={id}] started");
}

pub(crate) fn say_stopping(config: &BrokerConfig) {
    if config.zookeeper.service().is_some() {
        return;
    }
    let id = config.node_id;
    if config.process_roles.broker {
        broker_becomes(id, "STARTED", "SHUTTING_DOWN");
        tracing::info!(
            target: "kafka.server.BrokerServer",
            "[BrokerServer id={id}] shutting down",
        );
    }
    if config.process_roles.controller {
        tracing::info!(
            target: "kafka.server.ControllerServer",
            "[ControllerServer id={id}] shutting down",
        );
    }
}

pub(crate) fn say_stopped(config: &BrokerConfig) {
    if config.zookeeper.service().is_some() {
        return;
    }
    let id = config.node_id;
    if config.process_roles.broker {
        broker_becomes(id, "SHUTTING_DOWN", "SHUTDOWN");
        tracing::info!(
            target: "kafka.server.BrokerServer",
            "[BrokerServer id={id}] shut down completed",
        );
    } else {
        tracing::info!(
            target: "kafka.server.ControllerServer",
            "[ControllerServer id={id}] shut down completed",
        );
    }
}

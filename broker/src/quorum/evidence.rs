//! Which brokers are gone, as the active controller can see without waiting for their sessions.
//!
//! A broker's heartbeats come by one connection. When that ends, somebody tries to reach the broker
//! where it is registered; refused, or not answered within half a second, means that it is gone. A
//! controller that has just become active has no such connections and tries to reach all brokers.
//! Whoever is there is looked for again until its heartbeats come by a connection that can end.
//! A wrong guess is mended by the broker's next heartbeat.
//!
//! Unlike Kafka: sessions are its only evidence (docs/decisions/0105).

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use parking_lot::Mutex;
use raft::image::Broker;

use super::command::Command;
use super::host::Host;
use client::{Address, probe};

/// How long a broker that is there has to send a heartbeat until it is looked for again.
const PAUSE: Duration = Duration::from_millis(500);

/// How long a process takes to end that has closed a connection.
const ENDING: Duration = Duration::from_millis(10);

/// By which connections brokers send their heartbeats.
#[derive(Debug, Default)]
pub(super) struct HeartbeatConnections {
    brokers: Mutex<HashMap<u64, i32>>,
}

impl HeartbeatConnections {
    pub(super) fn heard(&self, connection_id: u64, broker_id: i32) {
        self.brokers.lock().insert(connection_id, broker_id);
    }

    /// The broker whose heartbeats came by this connection, unless they come by another one too.
    pub(super) fn ended(&self, connection_id: u64) -> Option<i32> {
        let mut brokers = self.brokers.lock();
        let ended = brokers.remove(&connection_id)?;
        (!brokers.values().any(|broker| *broker == ended)).then_some(ended)
    }

    fn has(&self, broker_id: i32) -> bool {
        self.brokers.lock().values().any(|broker| *broker == broker_id)
    }
}

impl Host {
    pub(super) fn heartbeats_ended(&self, broker_id: i32) {
        let image = self.shared.image.load_full();
        if let Some(broker) = image.cluster().broker(broker_id) {
            self.look_for(broker);
        }
    }

    pub(super) fn look_for_all_brokers(&self) {
        let image = self.node.controller().image().clone();
        let own = self.membership.node_id;
        image.cluster().brokers().filter(|broker| broker.broker_id != own).for_each(|broker| {
            self.look_for(broker);
        });
    }

    /// Tries to reach a broker that should be there.
    fn look_for(&self, broker: &Broker) {
        if broker.fenced || !self.node.controller().is_active() {
            return;
        }
        let Some(endpoint) = broker.end_points.first() else { return };
        let address = Address { host: endpoint.host.to_string(), port: endpoint.port };
        let (broker_id, epoch) = (broker.broker_id, broker.broker_epoch);
        let commands = self.commands.clone();
        let shared = Arc::clone(&self.shared);
        tokio::spawn(async move {
            loop {
                let Some(reached) = probe::reach(&address).await else {
                    // A quorum that has stopped decides nothing any more.
                    let _ = commands.send(Command::BrokerGone { broker_id, epoch });
                    return;
                };
                if !probe::stays_open(&reached, PAUSE).await {
                    tokio::time::sleep(ENDING).await;
                }
                let image = shared.image.load();
                let is_wanted = image
                    .cluster()
                    .broker(broker_id)
                    .is_some_and(|broker| broker.broker_epoch == epoch && !broker.fenced);
                let is_active = shared.is_active.load(Ordering::Acquire);
                if !is_active || !is_wanted || shared.heartbeats.has(broker_id) {
                    return;
                }
            }
        });
    }

    pub(super) fn broker_gone(&mut self, broker_id: i32, epoch: i64) {
        let Ok((fenced, _)) = self.ask(|controller, _| controller.broker_gone(broker_id, epoch))
        else {
            return;
        };
        if fenced {
            let id = self.membership.node_id;
            tracing::info!(
                target: "org.apache.kafka.controller.ReplicationControlManager",
                "[QuorumController id={id}] Fencing broker {broker_id} at epoch {epoch} because \
                 its connection was closed and it cannot be reached."
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_broker_is_looked_for_when_its_last_connection_ends() {
        let connections = HeartbeatConnections::default();
        connections.heard(10, 1);
        connections.heard(11, 2);
        connections.heard(12, 1);
        connections.heard(12, 1);
        assert_eq!(connections.ended(99), None, "a client's");
        assert_eq!(connections.ended(10), None, "it has another one");
        assert!(connections.has(1));
        assert_eq!(connections.ended(12), Some(1));
        assert_eq!((connections.ended(12), connections.has(1)), (None, false));
        assert_eq!(connections.ended(11), Some(2));
    }
}

//! Signs of brokers' being there: which connections their heartbeats come by, what is seen of
//! them, and the attempts to connect that are under way.

use std::collections::HashMap;

use parking_lot::Mutex;
use raft::evidence::Outcome;
use tokio::task::AbortHandle;

use client::Presence;

/// By which connections brokers send their heartbeats: most connections that end are clients', and
/// those are no concern of the quorum's thread.
#[derive(Debug, Default)]
pub(super) struct HeartbeatConnections {
    brokers: Mutex<HashMap<u64, i32>>,
}

impl HeartbeatConnections {
    pub(super) fn heard(&self, connection_id: u64, broker_id: i32) {
        self.brokers.lock().insert(connection_id, broker_id);
    }

    /// The broker whose heartbeats came by this connection.
    pub(super) fn ended(&self, connection_id: u64) -> Option<i32> {
        self.brokers.lock().remove(&connection_id)
    }
}

/// Probes under way, by broker.
#[derive(Debug, Default)]
pub(super) struct Probes(HashMap<i32, AbortHandle>);

impl Probes {
    /// A look replaces the one before it.
    pub(super) fn began(&mut self, broker_id: i32, look: AbortHandle) {
        self.end(broker_id);
        self.0.insert(broker_id, look);
    }

    pub(super) fn end(&mut self, broker_id: i32) {
        if let Some(look) = self.0.remove(&broker_id) {
            look.abort();
        }
    }
}

/// What the quorum's thread is told of brokers' being there.
#[derive(Debug)]
pub(super) enum Sign {
    /// A heartbeat of this registration came by this connection.
    Heard {
        broker_id: i32,
        epoch: i64,
        connection_id: u64,
    },
    /// The connection by which this broker sent heartbeats here has ended.
    HeartbeatsEnded {
        broker_id: i32,
        connection_id: u64,
    },
    /// Of the quorum's own connection to this node.
    Link {
        node_id: i32,
        presence: Presence,
    },
    Checked {
        broker_id: i32,
        number: u64,
        outcome: Outcome,
    },
    Looked {
        broker_id: i32,
        number: u64,
        outcome: Outcome,
    },
    /// There is a verdict.
    Gone {
        broker_id: i32,
        epoch: i64,
        line: String,
    },
}

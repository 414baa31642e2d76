//! Which brokers are gone, before their sessions are over: what the controller sees and tries.
//!
//! What it comes to is decided in `raft::evidence`. Here are the connections by which heartbeats
//! come, those of the quorum (`network`), and the attempts to connect that the core asks for.

use std::collections::HashMap;
use std::time::Duration;

use parking_lot::Mutex;
use raft::evidence::{Action, Outcome};
use raft::quorum::Event;
use tokio::sync::mpsc::UnboundedSender;
use tokio::task::AbortHandle;

use super::clock;
use super::command::Command;
use super::host::Host;
use client::probe::{self, Attempt};
use client::{Address, Presence};

/// How long a living broker's address has to take a connection.
const CHECK_PATIENCE: Duration = Duration::from_secs(1);

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

/// Looks under way, by broker.
#[derive(Debug, Default)]
pub(super) struct Looks(HashMap<i32, AbortHandle>);

impl Looks {
    fn end(&mut self, broker_id: i32) {
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

impl Host {
    pub(super) fn sign(&mut self, sign: Sign) {
        let now_ms = clock::monotonic_ms();
        let evidence = &mut self.evidence;
        let actions = match sign {
            Sign::Heard { broker_id, epoch, connection_id } => {
                evidence.heard(broker_id, epoch, connection_id, now_ms)
            }
            Sign::HeartbeatsEnded { broker_id, connection_id } => {
                evidence.heartbeats_ended(broker_id, connection_id, now_ms)
            }
            Sign::Link { node_id, presence: Presence::Connected } => evidence.linked(node_id),
            Sign::Link { presence: Presence::Unknown, .. } => return,
            Sign::Link { node_id, presence } => {
                let actions = evidence.link_ended(node_id, now_ms);
                self.look(actions);
                if presence == Presence::Gone {
                    self.step(Event::PeerGone { id: node_id });
                }
                return;
            }
            Sign::Checked { broker_id, number, outcome } => {
                evidence.checked(broker_id, number, outcome, now_ms)
            }
            Sign::Looked { broker_id, number, outcome } => {
                evidence.looked(broker_id, number, outcome, now_ms)
            }
            Sign::Gone { broker_id, epoch, line } => {
                self.broker_gone(broker_id, epoch, &line);
                return;
            }
        };
        self.look(actions);
    }

    /// Carries out what the core asks for. Brokers alone have no controller that could fence.
    pub(super) fn look(&mut self, actions: Vec<Action>) {
        if self.membership.controller.is_none() {
            return;
        }
        for action in actions {
            let commands = self.commands.clone();
            match action {
                Action::Check { broker_id, number, host, port } => {
                    tokio::spawn(async move {
                        let outcome = check(Address { host, port }).await;
                        tell(&commands, Sign::Checked { broker_id, number, outcome });
                    });
                }
                Action::Look { broker_id, number, address, wait_ms, patience_ms } => {
                    let [wait, patience] = [wait_ms, patience_ms].map(super::ms);
                    let told = move |outcome| {
                        tell(&commands, Sign::Looked { broker_id, number, outcome });
                    };
                    let look = tokio::spawn(async move {
                        tokio::time::sleep(wait).await;
                        match probe::attempt(address, patience).await {
                            Attempt::Connected(stream) => {
                                told(Outcome::Connected(address));
                                probe::end_of(&stream).await;
                                told(Outcome::Ended);
                            }
                            Attempt::Refused => told(Outcome::Refused),
                            Attempt::Unanswered => told(Outcome::Unanswered),
                            Attempt::Untried => told(Outcome::Untried),
                        }
                    });
                    self.looks.end(broker_id);
                    self.looks.0.insert(broker_id, look.abort_handle());
                }
                Action::StopLooking { broker_id } => self.looks.end(broker_id),
                Action::Fence { broker_id, epoch, address } => {
                    let line = format!(
                        "its connections have ended and {address}, which took one before, refuses \
                         more"
                    );
                    // What is being carried out comes first.
                    tell(&commands, Sign::Gone { broker_id, epoch, line });
                }
            }
        }
    }

    fn broker_gone(&mut self, broker_id: i32, epoch: i64, why: &str) {
        let Ok((fenced, _)) = self.ask(|controller, _| controller.broker_gone(broker_id, epoch))
        else {
            return;
        };
        if fenced {
            let id = self.membership.node_id;
            tracing::info!(
                target: "org.apache.kafka.controller.ReplicationControlManager",
                "[QuorumController id={id}] Fencing broker {broker_id} at epoch {epoch} because \
                 {why}."
            );
        }
    }
}

fn tell(commands: &UnboundedSender<Command>, sign: Sign) {
    // A quorum that has stopped decides nothing any more.
    let _ = commands.send(Command::Sign(sign));
}

async fn check(address: Address) -> Outcome {
    match probe::attempt_host(&address, CHECK_PATIENCE).await {
        (Attempt::Connected(_), Some(at)) => Outcome::Connected(at),
        (Attempt::Refused, _) => Outcome::Refused,
        (Attempt::Untried, _) => Outcome::Untried,
        (Attempt::Connected(_) | Attempt::Unanswered, _) => Outcome::Unanswered,
    }
}

//! Which node is asked next, and which may be tried to be reached.
//!
//! Pure: times are durations since the client began. A node that failed rests for
//! reconnect.backoff.ms, twice as long after each failure up to reconnect.backoff.max.ms. Before
//! any node is known, and when every known one rests, bootstrap addresses are asked in turn (as
//! metadata.recovery.strategy=rebootstrap has it). Answers to `ClusterConnectionStates` and
//! `NetworkClient.leastLoadedNode`.

use std::collections::HashMap;
use std::time::Duration;

use super::refresh::Backoff;
use crate::Address;
use crate::admin::Node;

#[derive(Debug)]
pub(super) struct Nodes {
    bootstrap: Vec<Address>,
    backoff: Backoff,
    states: HashMap<Address, State>,
    turn: usize,
}

#[derive(Debug, Clone, Copy, Default)]
struct State {
    is_connected: bool,
    failures: u32,
    rests_until: Duration,
}

/// Who is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Choice {
    Ask(Node),
    /// All rest; the first of them until then.
    Wait(Duration),
}

impl Nodes {
    pub(super) fn new(bootstrap: Vec<Address>, backoff: Backoff) -> Self {
        Self { bootstrap, backoff, states: HashMap::new(), turn: 0 }
    }

    pub(super) fn connected(&mut self, address: &Address) {
        let state = State { is_connected: true, ..State::default() };
        self.states.insert(address.clone(), state);
    }

    /// Whether that is news: requests that go down together are one failure.
    pub(super) fn failed(&mut self, address: &Address, now: Duration) -> bool {
        let state = self.states.entry(address.clone()).or_default();
        if state.rests_until > now {
            return false;
        }
        state.is_connected = false;
        state.rests_until = now + self.backoff.after(state.failures);
        state.failures = state.failures.saturating_add(1);
        self.turn = self.turn.wrapping_add(1);
        true
    }

    /// A node that answered before, else one that does not rest, else a bootstrap address.
    pub(super) fn choose(&self, known: &[Node], now: Duration) -> Choice {
        let in_turn = |nodes: &[Node]| -> Option<Node> {
            let turned = (0..nodes.len()).map(|at| &nodes[(at + self.turn) % nodes.len()]);
            let ready = |node: &&Node| self.state(&node.address).rests_until <= now;
            turned.into_iter().find(ready).cloned()
        };
        let connected = known.iter().find(|node| self.state(&node.address).is_connected);
        if let Some(node) = connected.cloned().or_else(|| in_turn(known)) {
            return Choice::Ask(node);
        }
        let bootstrap = self.bootstrap_nodes();
        if let Some(node) = in_turn(&bootstrap) {
            return Choice::Ask(node);
        }
        let waits = known.iter().chain(&bootstrap).map(|node| self.state(&node.address));
        Choice::Wait(waits.map(|state| state.rests_until - now).min().unwrap_or(self.backoff.most))
    }

    fn state(&self, address: &Address) -> State {
        self.states.get(address).copied().unwrap_or_default()
    }

    fn bootstrap_nodes(&self) -> Vec<Node> {
        let ids = (1..).map(|at: i32| -at);
        let nodes = ids.zip(&self.bootstrap).map(|(id, address)| Node {
            id,
            address: address.clone(),
            rack: None,
            is_fenced: false,
        });
        nodes.collect()
    }
}

//! What a link says of its node, in the words of Kafka's `NetworkClient` and at most at its pace.
//!
//! Kafka writes its lines with each attempt to connect, and waits after the n-th failure in a row
//! `reconnect.backoff.ms` · 2ⁿ⁻¹, at most `reconnect.backoff.max.ms`. Attempts of ours may be
//! closer together than that; the lines are not. Nothing is said of a node without a number.
//!
//! Unlike Kafka: a channel to the controller is named less and less often, up to once a second
//! (docs/decisions/0260).

use std::net::SocketAddr;
use std::time::Duration;

use protocol::ask::AskedApi;
use tokio::time::Instant;

use super::{Address, PeerSettings};

/// How often the lines about a node that cannot be reached may come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pace {
    /// After the first failure.
    pub first: Duration,
    /// After many.
    pub most: Duration,
}

impl Pace {
    /// reconnect.backoff.ms and reconnect.backoff.max.ms as Kafka's clients have them.
    pub const CLIENTS: Self =
        Self { first: Duration::from_millis(50), most: Duration::from_secs(1) };

    fn after(self, failures: u32) -> Duration {
        let doubled = self.first.saturating_mul(1 << failures.saturating_sub(1).min(16));
        doubled.min(self.most)
    }
}

/// The lines about one node.
pub(super) struct Lines {
    settings: PeerSettings,
    /// Failures in a row that were spoken of, and when the last one was.
    failures: u32,
    spoken: Option<Instant>,
}

/// A request that goes down with its connection.
pub(super) struct Cancelled {
    pub(super) api: AskedApi,
    pub(super) correlation_id: i32,
    pub(super) asked: Instant,
    pub(super) sent: Instant,
    pub(super) deadline: Instant,
}

impl Lines {
    pub(super) fn new(settings: PeerSettings) -> Self {
        Self { settings, failures: 0, spoken: None }
    }

    /// The node has said what it speaks.
    pub(super) fn connected(&mut self) {
        self.failures = 0;
        self.spoken = None;
    }

    /// An attempt failed before there was a connection; `tried` is the address that refused.
    pub(super) fn unreachable(&mut self, address: &Address, tried: Option<SocketAddr>, why: &str) {
        let Some(node) = self.settings.node else { return };
        if !self.is_due(Instant::now()) {
            return;
        }
        let prefix = &self.settings.log_prefix;
        let Some(tried) = tried else {
            tracing::warn!(
                target: "org.apache.kafka.clients.NetworkClient",
                "{prefix}Error connecting to node {address} (id: {node} rack: null isFenced: \
                 false): {why}",
            );
            return;
        };
        self.disconnected();
        tracing::warn!(
            target: "org.apache.kafka.clients.NetworkClient",
            "{prefix}Connection to node {node} ({}/{tried}) could not be established. Node may not \
             be available.",
            address.host,
        );
    }

    /// Nobody answered the attempt within connect_timeout.
    pub(super) fn setup_timed_out(&mut self) {
        let Some(node) = self.settings.node else { return };
        if !self.is_due(Instant::now()) {
            return;
        }
        tracing::info!(
            target: "org.apache.kafka.clients.NetworkClient",
            "{}Disconnecting from node {node} due to socket connection setup timeout. The timeout \
             value is {} ms.",
            self.settings.log_prefix, self.settings.connect_timeout.as_millis(),
        );
    }

    /// A connection ended that was one.
    pub(super) fn disconnected(&self) {
        let Some(node) = self.settings.node else { return };
        tracing::info!(
            target: "org.apache.kafka.clients.NetworkClient",
            "{}Node {node} disconnected.", self.settings.log_prefix,
        );
    }

    /// The other side does not let us in.
    pub(super) fn unauthenticated(&self, address: &Address, why: &str) {
        let prefix = &self.settings.log_prefix;
        let node = self.settings.node.map_or_else(String::new, |node| format!("node {node} "));
        tracing::error!(
            target: "org.apache.kafka.clients.NetworkClient",
            "{prefix}Connection to {node}({address}) failed authentication due to: {}",
            why.escape_debug(),
        );
    }

    /// We end the connection: an answer is too late.
    pub(super) fn request_timed_out(&self) {
        let Some(node) = self.settings.node else { return };
        tracing::info!(
            target: "org.apache.kafka.clients.NetworkClient",
            "{}Disconnecting from node {node} due to request timeout.", self.settings.log_prefix,
        );
    }

    pub(super) fn cancelled(&self, request: &Cancelled) {
        let Some(node) = self.settings.node else { return };
        tracing::info!(
            target: "org.apache.kafka.clients.NetworkClient",
            "{}Cancelled in-flight {} request with correlation id {} due to node {node} being \
             disconnected (elapsed time since creation: {}ms, elapsed time since send: {}ms, \
             throttle time: 0ms, request timeout: {}ms)",
            self.settings.log_prefix,
            upper_snake(request.api.name),
            request.correlation_id,
            request.asked.elapsed().as_millis(),
            request.sent.elapsed().as_millis(),
            request.deadline.saturating_duration_since(request.asked).as_millis(),
        );
    }

    /// Whether Kafka would have tried again by now, and so spoken.
    fn is_due(&mut self, now: Instant) -> bool {
        let wait = self.settings.pace.after(self.failures);
        if self.failures > 0 && self.spoken.is_some_and(|spoken| now < spoken + wait) {
            return false;
        }
        self.failures = self.failures.saturating_add(1);
        self.spoken = Some(now);
        true
    }
}

/// `BrokerHeartbeat` as Kafka's enum of APIs names it: `BROKER_HEARTBEAT`.
fn upper_snake(name: &str) -> String {
    let mut snake = String::with_capacity(name.len() + 4);
    for letter in name.chars() {
        if letter.is_ascii_uppercase() && !snake.is_empty() {
            snake.push('_');
        }
        snake.push(letter.to_ascii_uppercase());
    }
    snake
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_about_a_node_that_is_away_come_at_kafkas_pace_and_begin_anew_after_a_connection() {
        let mut lines = Lines::new(PeerSettings::new("1", "[Test] ").of_node(2));
        let start = Instant::now();
        let at = |ms: u64| start + Duration::from_millis(ms);
        let mut due = |ms: u64| lines.is_due(at(ms));
        let spoken: Vec<u64> = (0..5_000).filter(|ms| due(*ms)).collect();
        assert_eq!(spoken, [0, 50, 150, 350, 750, 1_550, 2_550, 3_550, 4_550]);
        lines.connected();
        assert!(lines.is_due(at(5_000)) && !lines.is_due(at(5_001)) && lines.is_due(at(5_050)));
    }

    #[test]
    fn apis_are_named_as_kafkas_enum_names_them() {
        for (name, named) in [("Fetch", "FETCH"), ("BrokerHeartbeat", "BROKER_HEARTBEAT")] {
            assert_eq!(upper_snake(name), named);
        }
    }
}

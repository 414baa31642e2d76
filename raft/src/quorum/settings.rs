//! What a quorum node is told at its start. Answers to `QuorumConfig`.

use super::voters::{ReplicaKey, VoterSet};

#[derive(Debug, Clone)]
pub struct QuorumSettings {
    pub own: ReplicaKey,
    pub cluster_id: String,
    /// Of `controller.quorum.voters`; empty with dynamic voters.
    pub static_voters: VoterSet,
    /// Of `controller.quorum.bootstrap.servers`: host and port. Without any, the static voters are
    /// asked.
    pub bootstrap_servers: Vec<(String, u16)>,
    /// The listener by which controllers talk: the first of `controller.listener.names`.
    pub listener: String,
    /// Where this node's controller listens: listener name, host, port. Empty on a plain broker.
    pub endpoints: Vec<(String, String, u16)>,
    /// Whether the log is synced also where this node is no voter: on nodes with the controller
    /// role.
    pub observers_sync: bool,
    /// `controller.quorum.auto.join.enable`: whether this controller asks for a vote by itself.
    pub auto_join: bool,
    pub timeouts: QuorumTimeouts,
    pub asked: QuorumFetchSizes,
}

/// How much a node asks of the leader at a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct QuorumFetchSizes {
    /// `controller.quorum.fetch.max.bytes`
    pub log_bytes: i32,
    /// `controller.quorum.fetch.snapshot.max.bytes`
    pub snapshot_bytes: i32,
}

impl Default for QuorumFetchSizes {
    fn default() -> Self {
        Self { log_bytes: 1 << 20, snapshot_bytes: 1 << 20 }
    }
}

/// The keys `controller.quorum.*.ms`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct QuorumTimeouts {
    /// `election.timeout.ms`: twice this at most, drawn by chance.
    pub election_ms: i64,
    /// `election.backoff.max.ms`
    pub election_backoff_max_ms: i64,
    /// `fetch.timeout.ms`
    pub fetch_ms: i64,
    /// `request.timeout.ms`
    pub request_ms: i64,
    /// `retry.backoff.ms`
    pub retry_backoff_ms: i64,
}

impl Default for QuorumTimeouts {
    fn default() -> Self {
        Self {
            election_ms: 1_000,
            election_backoff_max_ms: 1_000,
            fetch_ms: 2_000,
            request_ms: 2_000,
            retry_backoff_ms: 20,
        }
    }
}

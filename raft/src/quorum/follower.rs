//! Follows the leader of its epoch: fetches its log, and its snapshot where the log does not reach
//! back far enough. Answers to `FollowerState`.

use bytes::BytesMut;

use super::snapshot_id::SnapshotId;
use super::voters::{Endpoints, ReplicaKey};

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Follower {
    pub(super) epoch: i32,
    pub(super) leader_id: i32,
    pub(super) leader_endpoints: Endpoints,
    pub(super) voted: Option<ReplicaKey>,
    /// A voter that has not fetched by then looks for another leader.
    pub(super) fetch_deadline_ms: i64,
    /// Whether the leader answered a fetch and nothing since says that it is gone: then others are
    /// not helped to depose it.
    pub(super) leader_is_well: bool,
    pub(super) download: Option<Download>,
    /// When the leader is next told of this voter, or asked for a vote, if it need be.
    pub(super) next_update_ms: i64,
    pub(super) leader_is_told: bool,
}

/// A snapshot on its way here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Download {
    pub(super) id: SnapshotId,
    pub(super) content: BytesMut,
}

impl Follower {
    pub(super) fn fetched(&mut self, now_ms: i64, fetch_timeout_ms: i64) {
        self.fetch_deadline_ms = now_ms.saturating_add(fetch_timeout_ms);
        self.leader_is_well = true;
    }

    /// The leader is gone, or says so: `delay_ms` is left before this voter stands for election.
    pub(super) fn leader_left(&mut self, now_ms: i64, delay_ms: i64) {
        self.fetch_deadline_ms = self.fetch_deadline_ms.min(now_ms.saturating_add(delay_ms));
        self.leader_is_well = false;
    }
}

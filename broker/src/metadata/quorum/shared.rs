//! What the quorum's thread publishes of itself.

use std::sync::atomic::{AtomicBool, AtomicI16, AtomicI32, AtomicI64};

use arc_swap::ArcSwap;
use protocol::records::metadata::UserScramCredentialRecord;
use raft::image::MetadataImage;
use tokio::sync::watch;

use super::signs::HeartbeatConnections;
use crate::metadata::controller_channel::ActiveController;

/// What anybody may read without asking the quorum's thread.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) image: ArcSwap<MetadataImage>,
    /// Credentials of `bootstrap.checkpoint`, by which voters know one another before the first
    /// record is committed.
    pub(super) first_users: Vec<UserScramCredentialRecord>,
    pub(super) leader_id: AtomicI32,
    pub(super) is_active: AtomicBool,
    pub(super) has_place: AtomicBool,
    pub(super) kraft_version: AtomicI16,
    pub(super) broker_epoch: AtomicI64,
    pub(super) active: watch::Sender<Option<ActiveController>>,
    pub(super) heartbeats: HeartbeatConnections,
}

//! A member of a classic group. Answers to `ClassicGroupMember`.

use bytes::Bytes;
use protocol::messages::join_group_request::JoinGroupRequestProtocol;
use protocol::wire::StrBytes;

use super::super::answer::{JoinAnswer, SyncAnswer};
use super::super::settings::own;
use crate::runtime::Reply;

/// Protocols a member supports, best first, with its metadata for each; names are unique.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(in super::super) struct Protocols(Vec<(StrBytes, Bytes)>);

impl Protocols {
    pub(in super::super) fn new(protocols: Vec<(StrBytes, Bytes)>) -> Self {
        Self(protocols)
    }

    pub(in super::super) fn one(name: StrBytes, metadata: Bytes) -> Self {
        Self(vec![(name, metadata)])
    }

    /// Own copies of a request's protocols; a name given twice counts once.
    pub(in super::super) fn from_request(protocols: &[JoinGroupRequestProtocol]) -> Self {
        let mut unique = Self::default();
        for protocol in protocols {
            if unique.metadata(&protocol.name).is_none() {
                let metadata = Bytes::copy_from_slice(&protocol.metadata);
                unique.0.push((own(&protocol.name), metadata));
            }
        }
        unique
    }

    pub(in super::super) fn iter(&self) -> impl Iterator<Item = &(StrBytes, Bytes)> {
        self.0.iter()
    }

    pub(in super::super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(in super::super) fn names(&self) -> impl Iterator<Item = &StrBytes> {
        self.0.iter().map(|(name, _)| name)
    }

    pub(in super::super) fn metadata(&self, protocol: &StrBytes) -> Option<&Bytes> {
        self.0.iter().find(|(name, _)| name == protocol).map(|(_, metadata)| metadata)
    }
}

#[derive(Debug, Clone)]
pub(in super::super) struct Member {
    pub(in super::super) id: StrBytes,
    pub(in super::super) instance_id: Option<StrBytes>,
    pub(in super::super) client_id: StrBytes,
    pub(in super::super) client_host: StrBytes,
    pub(in super::super) rebalance_timeout_ms: i32,
    pub(in super::super) session_timeout_ms: i32,
    pub(in super::super) protocols: Protocols,
    pub(in super::super) assignment: Bytes,
    /// Its JoinGroup, parked until the join phase is over.
    pub(in super::super) awaiting_join: Option<Reply<JoinAnswer>>,
    /// Its SyncGroup, parked until the leader's assignment is written.
    pub(in super::super) awaiting_sync: Option<Reply<SyncAnswer>>,
    /// Joined for the first time and not yet answered: it may expire although its join is parked.
    pub(in super::super) is_new: bool,
}

impl Member {
    /// Its metadata for a protocol; empty for one it does not support.
    pub(in super::super) fn metadata(&self, protocol: &StrBytes) -> Bytes {
        self.protocols.metadata(protocol).cloned().unwrap_or_default()
    }

    /// A parked request stands for a heartbeat, except a new member's, whose client may be gone.
    pub(in super::super) fn has_satisfied_heartbeat(&self) -> bool {
        !self.is_new && (self.awaiting_join.is_some() || self.awaiting_sync.is_some())
    }

    pub(in super::super) fn session_timeout_ms(&self) -> u64 {
        u64::try_from(self.session_timeout_ms).unwrap_or(0)
    }
}

//! A static member that comes back under a new id, while the record of it is being written.

use protocol::wire::StrBytes;

use super::answer::JoinAnswer;
use super::classic::Protocols;
use crate::runtime::Reply;

/// A takeover whose record is being written, with what it takes to undo it.
#[derive(Debug)]
pub(super) struct Takeover {
    pub(super) group: StrBytes,
    pub(super) instance: StrBytes,
    pub(super) old: StrBytes,
    pub(super) new: StrBytes,
    pub(super) old_protocols: Protocols,
    pub(super) old_rebalance_timeout_ms: i32,
    pub(super) old_session_timeout_ms: i32,
    pub(super) leader_before: StrBytes,
    pub(super) api_version: i16,
    pub(super) reply: Reply<JoinAnswer>,
}

//! The controller quorum's own requests (KIP-595).

pub(crate) mod add_raft_voter;
pub(crate) mod begin_quorum_epoch;
pub(crate) mod controller_fetch;
pub(crate) mod describe_quorum;
pub(crate) mod end_quorum_epoch;
pub(crate) mod fetch_snapshot;
pub(crate) mod remove_raft_voter;
pub(crate) mod update_raft_voter;
pub(crate) mod vote;

//! All that can happen to a quorum node, and all that it asks of its host.
//!
//! Kept true: outputs are carried out in their order; what an output tells others was saved in the
//! vote store before the step that made it returned.

use protocol::messages::{
    AddRaftVoterRequest, AddRaftVoterResponse, ApiVersionsRequest, ApiVersionsResponse,
    BeginQuorumEpochRequest, BeginQuorumEpochResponse, EndQuorumEpochRequest,
    EndQuorumEpochResponse, FetchRequest, FetchResponse, FetchSnapshotRequest,
    FetchSnapshotResponse, RemoveRaftVoterRequest, RemoveRaftVoterResponse, UpdateRaftVoterRequest,
    UpdateRaftVoterResponse, VoteRequest, VoteResponse,
};
use protocol::records::metadata::MetadataRecord;

use super::batches::Entry;
use super::snapshot::Snapshot;
use super::snapshot_id::SnapshotId;
use crate::feature::MetadataVersion;

/// The moment of a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct QuorumNow {
    /// Of a clock that only goes forward: every timeout is measured by it.
    pub monotonic_ms: i64,
    /// Of the wall clock: what batches and DescribeQuorum carry.
    pub wall_ms: i64,
    /// Fresh random bits.
    pub seed: u128,
}

#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    /// The host is ready to carry out outputs.
    Started,
    /// Time went by; due at [`super::Quorum::next_deadline_ms`] at the latest.
    TimePassed,
    /// The active controller wants these in the log.
    RecordsProposed { records: Vec<MetadataRecord>, level: MetadataVersion, atomic: bool },
    /// The active controller raises kraft.version, for which every voter is ready.
    KRaftVersionRaised { version: i16 },
    /// Everything below `end_offset` is on the disk. `generation` is that of the
    /// [`Output::SyncLog`] which the sync answers.
    LogSynced { end_offset: i64, generation: u64 },
    /// Another node asks; to be answered with [`Output::Answer`] under the same token, now or
    /// later. `version` is the request's API version.
    Requested { token: u64, version: i16, request: PeerRequest },
    /// The answer to [`Output::Send`].
    Responded { request_id: u64, response: PeerResponse },
    /// No answer will come to [`Output::Send`].
    RequestFailed { request_id: u64, failure: RequestFailure },
    /// Evidence that a node's process is gone: its connection was closed, and the address that took
    /// it refused another. A wrong guess costs no more than a round of pre-votes.
    PeerGone { id: i32 },
    /// The node is about to stop: whoever leads hands over.
    ShutdownRequested,
}

#[derive(Debug, Clone, PartialEq)]
pub enum Output {
    /// Send this and report the answer under `request_id`.
    Send { request_id: u64, to: Destination, request: PeerRequest },
    /// Answer what came with [`Event::Requested`].
    Answer { token: u64, response: PeerResponse },
    /// Who leads changed, or where that node listens, as far as this node knows.
    LeaderChanged { epoch: i32, leader_id: Option<i32> },
    /// This node leads from now on and knows all that is committed; the controller's first record
    /// goes to `next_offset`.
    BecomeActive { epoch: i32, next_offset: i64 },
    /// This node leads no more; what was not committed is void.
    BecomeInactive { epoch: i32 },
    /// Make the log durable and report it with this generation; it may be gathered with later
    /// ones, whose generation counts then.
    SyncLog { generation: u64 },
    /// Apply these: they are committed.
    Commit { entries: Vec<Entry>, high_watermark: i64 },
    /// Forget everything applied and start over from this committed state.
    LoadSnapshot { id: SnapshotId, snapshot: Snapshot },
}

/// Whom to send to: a node whose address is known, or, without an id, a bootstrap server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Destination {
    pub node_id: Option<i32>,
    pub host: String,
    pub port: u16,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RequestFailure {
    /// Not sent, or the connection broke before the answer.
    Disconnected,
    /// The peer serves no version that can carry the request.
    UnsupportedVersion,
}

#[derive(Debug, Clone, PartialEq)]
pub enum PeerRequest {
    Vote(VoteRequest),
    BeginQuorumEpoch(BeginQuorumEpochRequest),
    EndQuorumEpoch(EndQuorumEpochRequest),
    Fetch(Box<FetchRequest>),
    FetchSnapshot(FetchSnapshotRequest),
    UpdateRaftVoter(UpdateRaftVoterRequest),
    AddRaftVoter(AddRaftVoterRequest),
    RemoveRaftVoter(RemoveRaftVoterRequest),
    /// What a node asks that is to vote; this one is never asked by its quorum.
    ApiVersions(ApiVersionsRequest),
}

#[derive(Debug, Clone, PartialEq)]
pub enum PeerResponse {
    Vote(VoteResponse),
    BeginQuorumEpoch(BeginQuorumEpochResponse),
    EndQuorumEpoch(EndQuorumEpochResponse),
    Fetch(Box<FetchResponse>),
    FetchSnapshot(FetchSnapshotResponse),
    UpdateRaftVoter(UpdateRaftVoterResponse),
    AddRaftVoter(AddRaftVoterResponse),
    RemoveRaftVoter(RemoveRaftVoterResponse),
    ApiVersions(ApiVersionsResponse),
}

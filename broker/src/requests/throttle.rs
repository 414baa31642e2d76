//! How long a client is held back: what its answer says of it (throttle_time_ms), and for how long
//! nothing is read from its connection after that answer (KIP-219: answer first, then mute).
//!
//! ```text
//! handler ─ answer ─▶ RequestContext::throttle ─ ClientQuotas ─▶ throttle_time_ms in the answer
//!                                                           └──▶ Reply::Throttled ─▶ connection
//! ```
//! Every answer goes this way: those of `reply::serve` by [`ThrottledResponse`], and those that are
//! made by hand (Produce, Fetch, what a controller answered) by the same function.
//!
//! Kafka: `RequestHandlerHelper`, `ClientRequestQuotaManager.maybeRecordAndGetThrottleTimeMs`,
//! `ThrottledChannel`.

use std::fmt::Debug;
use std::time::Duration;

use protocol::api::{Api, ApiKey};
use protocol::messages::*;
use raft::image::ClientQuotasImage;

use super::requester::Client;

/// How long somebody is held back.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct ThrottleTime {
    ms: i32,
}

impl ThrottleTime {
    pub(crate) const NONE: Self = Self { ms: 0 };

    pub(crate) fn of_ms(ms: i32) -> Self {
        Self { ms: ms.max(0) }
    }

    /// As quotas calculate it.
    pub(crate) fn of_long_ms(ms: i64) -> Self {
        Self::of_ms(i32::try_from(ms).unwrap_or(if ms < 0 { 0 } else { i32::MAX }))
    }

    /// As answers say it.
    pub(crate) fn as_ms(self) -> i32 {
        self.ms
    }

    /// For how long the connection is muted; `None` where it is not.
    pub(crate) fn mute(self) -> Option<Duration> {
        let ms = u64::try_from(self.ms).ok().filter(|ms| *ms > 0)?;
        Some(Duration::from_millis(ms))
    }
}

/// What the quotas of clients say of a request that is about to be answered.
pub(crate) trait ClientQuotas: Debug + Send + Sync {
    /// Other quotas stand from now on.
    fn publish(&self, _: &ClientQuotasImage) {}

    /// Whether the time counts for which requests have a thread.
    fn counts_time(&self) -> bool {
        false
    }

    /// Whether bytes count that are fetched.
    fn counts_fetches(&self) -> bool {
        false
    }

    /// Whether partitions count that are made and deleted.
    fn counts_mutations(&self) -> bool {
        false
    }

    /// How long the sender of a request is held back that had a thread for so long. Asked once for
    /// each request.
    fn throttle_time(
        &self,
        client: &Client,
        client_id: &str,
        api: &Api,
        took: Duration,
    ) -> ThrottleTime;

    /// Counts time for which nobody is held back before his next request.
    fn note_time(&self, _: &Client, _: &str, _: Duration) {}

    /// How long the sender of a Produce of so many bytes is held back.
    fn produced(&self, _: &Client, _: &str, _bytes: usize) -> ThrottleTime {
        ThrottleTime::NONE
    }

    /// How long the receiver of a Fetch's answer of so many bytes is held back.
    fn fetched(&self, _: &Client, _: &str, _bytes: usize) -> ThrottleTime {
        ThrottleTime::NONE
    }

    /// The answer went out without these bytes.
    fn not_fetched(&self, _: &Client, _: &str, _bytes: usize) {}

    /// An answer with more bytes is held back even if it is the only one.
    fn fetch_bytes_max(&self, _: &Client, _: &str) -> usize {
        usize::MAX
    }

    /// Counts partitions that are made or deleted: for how many milliseconds their maker is in debt
    /// afterwards or, if he may not go further into it, still is.
    fn mutate(
        &self,
        _: &Client,
        _client_id: &str,
        _strictly: bool,
        _partitions: usize,
    ) -> Result<i64, i64> {
        Ok(0)
    }
}

/// Nobody is held back.
#[derive(Debug)]
pub(crate) struct NoQuotas;

impl ClientQuotas for NoQuotas {
    fn throttle_time(&self, _: &Client, _: &str, _: &Api, _: Duration) -> ThrottleTime {
        ThrottleTime::NONE
    }
}

/// Requests between nodes that Kafka never holds back (`sendResponseExemptThrottle`); a follower's
/// Fetch is for its handler to tell.
pub(crate) fn is_exempt(key: ApiKey) -> bool {
    matches!(
        key,
        ApiKey::AlterPartition
            | ApiKey::BeginQuorumEpoch
            | ApiKey::EndQuorumEpoch
            | ApiKey::Envelope
            | ApiKey::FetchSnapshot
            | ApiKey::UpdateRaftVoter
            | ApiKey::Vote
            | ApiKey::WriteTxnMarkers
    )
}

/// The first bytes of an answer to a forwarded request, behind its header, are throttle_time_ms in
/// every version that is served, but for this API's, which has none.
pub(crate) fn begins_with_throttle_time(key: ApiKey) -> bool {
    key != ApiKey::DescribeQuorum
}

/// An answer that may say how long its receiver is held back.
pub(crate) trait ThrottledResponse {
    fn set_throttle_time(&mut self, time: ThrottleTime);
}

macro_rules! with_throttle_time {
    ($($response:ident)*) => {
        $(impl ThrottledResponse for $response {
            fn set_throttle_time(&mut self, time: ThrottleTime) {
                self.throttle_time_ms = time.as_ms();
            }
        })*
    };
}

macro_rules! without_throttle_time {
    ($($response:ident)*) => {
        $(impl ThrottledResponse for $response {
            fn set_throttle_time(&mut self, _: ThrottleTime) {}
        })*
    };
}

with_throttle_time! {
    AddOffsetsToTxnResponse AddPartitionsToTxnResponse AddRaftVoterResponse
    AllocateProducerIdsResponse AlterClientQuotasResponse AlterConfigsResponse
    AlterPartitionReassignmentsResponse
    AlterShareGroupOffsetsResponse DeleteShareGroupOffsetsResponse
    DescribeShareGroupOffsetsResponse ShareGroupDescribeResponse ShareGroupHeartbeatResponse
    AlterPartitionResponse AlterReplicaLogDirsResponse AlterUserScramCredentialsResponse
    ApiVersionsResponse
    AssignReplicasToDirsResponse BrokerHeartbeatResponse BrokerRegistrationResponse
    ConsumerGroupDescribeResponse ConsumerGroupHeartbeatResponse ControllerRegistrationResponse
    CreateDelegationTokenResponse DescribeDelegationTokenResponse ExpireDelegationTokenResponse
    RenewDelegationTokenResponse
    CreateAclsResponse CreatePartitionsResponse CreateTopicsResponse DeleteAclsResponse
    DeleteGroupsResponse DeleteRecordsResponse DeleteTopicsResponse DescribeAclsResponse
    DescribeClientQuotasResponse DescribeClusterResponse DescribeConfigsResponse
    DescribeGroupsResponse DescribeLogDirsResponse DescribeProducersResponse
    DescribeTopicPartitionsResponse DescribeTransactionsResponse
    DescribeUserScramCredentialsResponse ElectLeadersResponse EndTxnResponse FetchResponse
    FetchSnapshotResponse FindCoordinatorResponse GetTelemetrySubscriptionsResponse
    HeartbeatResponse IncrementalAlterConfigsResponse InitProducerIdResponse JoinGroupResponse
    LeaveGroupResponse ListConfigResourcesResponse ListGroupsResponse ListOffsetsResponse
    ListPartitionReassignmentsResponse ListTransactionsResponse MetadataResponse
    OffsetCommitResponse OffsetDeleteResponse OffsetFetchResponse OffsetForLeaderEpochResponse
    PushTelemetryResponse RemoveRaftVoterResponse ShareAcknowledgeResponse
    StreamsGroupDescribeResponse StreamsGroupHeartbeatResponse SyncGroupResponse
    TxnOffsetCommitResponse UnregisterBrokerResponse UpdateFeaturesResponse UpdateRaftVoterResponse
}

without_throttle_time! {
    BeginQuorumEpochResponse DeleteShareGroupStateResponse DescribeQuorumResponse
    EndQuorumEpochResponse EnvelopeResponse InitializeShareGroupStateResponse
    ReadShareGroupStateResponse ReadShareGroupStateSummaryResponse SaslAuthenticateResponse
    SaslHandshakeResponse VoteResponse
    WriteShareGroupStateResponse WriteTxnMarkersResponse
}

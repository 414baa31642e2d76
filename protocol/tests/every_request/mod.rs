//! Decodes and encodes the request of any API, which the vocabulary offers by type only.

use bytes::{Bytes, BytesMut};
use protocol::api::ApiKey;
use protocol::messages::*;
use protocol::wire::{Decodable, Encodable};

/// What came out of decoding `body` and encoding the outcome again.
pub(crate) struct Decoded {
    pub(crate) left: Bytes,
    pub(crate) encoded: Result<Bytes, String>,
}

fn through<M: Decodable + Encodable>(body: Bytes, version: i16) -> Result<Decoded, String> {
    let mut left = body;
    let message = M::decode(&mut left, version).map_err(|error| error.to_string())?;
    let mut encoded = BytesMut::new();
    let outcome = message.encode(&mut encoded, version).map_err(|error| error.to_string());
    Ok(Decoded { left, encoded: outcome.map(|()| encoded.freeze()) })
}

fn only_decode<M: Decodable>(mut body: Bytes, version: i16) -> Result<M, String> {
    M::decode(&mut body, version).map_err(|error| error.to_string())
}

macro_rules! requests {
    ($($key:ident $request:ident,)*) => {
        pub(crate) fn round_trip(
            key: ApiKey,
            version: i16,
            body: Bytes,
        ) -> Result<Decoded, String> {
            match key {
                $(ApiKey::$key => through::<$request>(body, version),)*
            }
        }

        /// Decodes and drops.
        pub(crate) fn decode(key: ApiKey, version: i16, body: Bytes) -> Result<(), String> {
            match key {
                $(ApiKey::$key => only_decode::<$request>(body, version).map(drop),)*
            }
        }
    };
}

requests! {
    Produce ProduceRequest,
    Fetch FetchRequest,
    ListOffsets ListOffsetsRequest,
    Metadata MetadataRequest,
    OffsetCommit OffsetCommitRequest,
    OffsetFetch OffsetFetchRequest,
    FindCoordinator FindCoordinatorRequest,
    JoinGroup JoinGroupRequest,
    Heartbeat HeartbeatRequest,
    LeaveGroup LeaveGroupRequest,
    SyncGroup SyncGroupRequest,
    DescribeGroups DescribeGroupsRequest,
    ListGroups ListGroupsRequest,
    SaslHandshake SaslHandshakeRequest,
    ApiVersions ApiVersionsRequest,
    CreateTopics CreateTopicsRequest,
    DeleteTopics DeleteTopicsRequest,
    DeleteRecords DeleteRecordsRequest,
    InitProducerId InitProducerIdRequest,
    OffsetForLeaderEpoch OffsetForLeaderEpochRequest,
    AddPartitionsToTxn AddPartitionsToTxnRequest,
    AddOffsetsToTxn AddOffsetsToTxnRequest,
    EndTxn EndTxnRequest,
    WriteTxnMarkers WriteTxnMarkersRequest,
    TxnOffsetCommit TxnOffsetCommitRequest,
    DescribeAcls DescribeAclsRequest,
    CreateAcls CreateAclsRequest,
    DeleteAcls DeleteAclsRequest,
    DescribeConfigs DescribeConfigsRequest,
    AlterConfigs AlterConfigsRequest,
    AlterReplicaLogDirs AlterReplicaLogDirsRequest,
    DescribeLogDirs DescribeLogDirsRequest,
    SaslAuthenticate SaslAuthenticateRequest,
    CreatePartitions CreatePartitionsRequest,
    CreateDelegationToken CreateDelegationTokenRequest,
    RenewDelegationToken RenewDelegationTokenRequest,
    ExpireDelegationToken ExpireDelegationTokenRequest,
    DescribeDelegationToken DescribeDelegationTokenRequest,
    DeleteGroups DeleteGroupsRequest,
    ElectLeaders ElectLeadersRequest,
    IncrementalAlterConfigs IncrementalAlterConfigsRequest,
    AlterPartitionReassignments AlterPartitionReassignmentsRequest,
    ListPartitionReassignments ListPartitionReassignmentsRequest,
    OffsetDelete OffsetDeleteRequest,
    DescribeClientQuotas DescribeClientQuotasRequest,
    AlterClientQuotas AlterClientQuotasRequest,
    DescribeUserScramCredentials DescribeUserScramCredentialsRequest,
    AlterUserScramCredentials AlterUserScramCredentialsRequest,
    Vote VoteRequest,
    BeginQuorumEpoch BeginQuorumEpochRequest,
    EndQuorumEpoch EndQuorumEpochRequest,
    DescribeQuorum DescribeQuorumRequest,
    AlterPartition AlterPartitionRequest,
    UpdateFeatures UpdateFeaturesRequest,
    Envelope EnvelopeRequest,
    FetchSnapshot FetchSnapshotRequest,
    DescribeCluster DescribeClusterRequest,
    DescribeProducers DescribeProducersRequest,
    BrokerRegistration BrokerRegistrationRequest,
    BrokerHeartbeat BrokerHeartbeatRequest,
    UnregisterBroker UnregisterBrokerRequest,
    DescribeTransactions DescribeTransactionsRequest,
    ListTransactions ListTransactionsRequest,
    AllocateProducerIds AllocateProducerIdsRequest,
    ConsumerGroupHeartbeat ConsumerGroupHeartbeatRequest,
    ConsumerGroupDescribe ConsumerGroupDescribeRequest,
    ControllerRegistration ControllerRegistrationRequest,
    GetTelemetrySubscriptions GetTelemetrySubscriptionsRequest,
    PushTelemetry PushTelemetryRequest,
    AssignReplicasToDirs AssignReplicasToDirsRequest,
    ListConfigResources ListConfigResourcesRequest,
    DescribeTopicPartitions DescribeTopicPartitionsRequest,
    ShareGroupHeartbeat ShareGroupHeartbeatRequest,
    ShareGroupDescribe ShareGroupDescribeRequest,
    ShareFetch ShareFetchRequest,
    ShareAcknowledge ShareAcknowledgeRequest,
    AddRaftVoter AddRaftVoterRequest,
    RemoveRaftVoter RemoveRaftVoterRequest,
    UpdateRaftVoter UpdateRaftVoterRequest,
    InitializeShareGroupState InitializeShareGroupStateRequest,
    ReadShareGroupState ReadShareGroupStateRequest,
    WriteShareGroupState WriteShareGroupStateRequest,
    DeleteShareGroupState DeleteShareGroupStateRequest,
    ReadShareGroupStateSummary ReadShareGroupStateSummaryRequest,
    StreamsGroupHeartbeat StreamsGroupHeartbeatRequest,
    StreamsGroupDescribe StreamsGroupDescribeRequest,
    DescribeShareGroupOffsets DescribeShareGroupOffsetsRequest,
    AlterShareGroupOffsets AlterShareGroupOffsetsRequest,
    DeleteShareGroupOffsets DeleteShareGroupOffsetsRequest,
}

//! What Gregor serves today. A key enters a list when its handler is whole at every version of the
//! table; docs/apis.md names those that are absent.

use super::{ApiKey, ApiKey::*, Listener};

/// On client and inter-broker listeners.
const ON_BROKER: &[ApiKey] = &[
    Produce,
    Fetch,
    ListOffsets,
    Metadata,
    OffsetCommit,
    OffsetFetch,
    FindCoordinator,
    JoinGroup,
    Heartbeat,
    LeaveGroup,
    SyncGroup,
    DescribeGroups,
    ListGroups,
    SaslHandshake,
    ApiVersions,
    CreateTopics,
    DeleteTopics,
    DeleteRecords,
    InitProducerId,
    OffsetForLeaderEpoch,
    AddPartitionsToTxn,
    AddOffsetsToTxn,
    EndTxn,
    DescribeAcls,
    CreateAcls,
    DeleteAcls,
    DescribeConfigs,
    AlterConfigs,
    AlterReplicaLogDirs,
    DescribeLogDirs,
    SaslAuthenticate,
    CreatePartitions,
    CreateDelegationToken,
    RenewDelegationToken,
    ExpireDelegationToken,
    DescribeDelegationToken,
    DeleteGroups,
    ElectLeaders,
    IncrementalAlterConfigs,
    AlterPartitionReassignments,
    ListPartitionReassignments,
    OffsetDelete,
    DescribeClientQuotas,
    AlterClientQuotas,
    DescribeUserScramCredentials,
    AlterUserScramCredentials,
    DescribeQuorum,
    UpdateFeatures,
    DescribeCluster,
    UnregisterBroker,
    DescribeProducers,
    ConsumerGroupHeartbeat,
    ConsumerGroupDescribe,
    DescribeTransactions,
    ListTransactions,
    WriteTxnMarkers,
    TxnOffsetCommit,
    ListConfigResources,
    DescribeTopicPartitions,
    ShareGroupHeartbeat,
    ShareGroupDescribe,
    ShareFetch,
    ShareAcknowledge,
    InitializeShareGroupState,
    ReadShareGroupState,
    WriteShareGroupState,
    DeleteShareGroupState,
    ReadShareGroupStateSummary,
    DescribeShareGroupOffsets,
    AlterShareGroupOffsets,
    DeleteShareGroupOffsets,
    StreamsGroupHeartbeat,
    StreamsGroupDescribe,
    AddRaftVoter,
    RemoveRaftVoter,
];

/// On controller listeners.
const ON_CONTROLLER: &[ApiKey] = &[
    Fetch,
    SaslHandshake,
    ApiVersions,
    CreateTopics,
    DeleteTopics,
    DescribeAcls,
    CreateAcls,
    DeleteAcls,
    DescribeConfigs,
    AlterConfigs,
    SaslAuthenticate,
    CreatePartitions,
    CreateDelegationToken,
    RenewDelegationToken,
    ExpireDelegationToken,
    ElectLeaders,
    IncrementalAlterConfigs,
    AlterPartitionReassignments,
    ListPartitionReassignments,
    AlterClientQuotas,
    AlterUserScramCredentials,
    Vote,
    BeginQuorumEpoch,
    EndQuorumEpoch,
    DescribeQuorum,
    AlterPartition,
    UpdateFeatures,
    Envelope,
    FetchSnapshot,
    DescribeCluster,
    BrokerRegistration,
    BrokerHeartbeat,
    UnregisterBroker,
    AllocateProducerIds,
    ControllerRegistration,
    AssignReplicasToDirs,
    AddRaftVoter,
    RemoveRaftVoter,
    UpdateRaftVoter,
];

/// On client listeners of brokers that receive clients' metrics (KIP-714).
pub(super) const NEED_RECEIVER: &[ApiKey] = &[GetTelemetrySubscriptions, PushTelemetry];

/// A bit per key, so that asking costs nothing per request.
static BROKER_BITS: u128 = bits(ON_BROKER);
static CONTROLLER_BITS: u128 = bits(ON_CONTROLLER);

const fn bits(keys: &[ApiKey]) -> u128 {
    let mut bits = 0;
    let mut position = 0;
    while position < keys.len() {
        bits |= 1 << keys[position] as u32;
        position += 1;
    }
    bits
}

pub(super) fn is_served(key: ApiKey, listener: Listener) -> bool {
    let bits = match listener {
        Listener::Broker => BROKER_BITS,
        Listener::Controller => CONTROLLER_BITS,
    };
    bits >> (key as u32) & 1 == 1
}

//! Kafka 4.3's APIs: oldest and newest stable version, first flexible version, listeners, and
//! whether a broker forwards it to the controller.
//!
//! The versions are those that a stock 4.3.1 node lists, not the newest of its schemas:
//! InitProducerId has a newer version that Kafka still holds back. Kafka lists
//! GetTelemetrySubscriptions and PushTelemetry only when a telemetry receiver is configured.

use super::{Api, ApiKey, ApiKey::*};

/// Stands for "has no flexible version".
const NEVER: i16 = i16::MAX;

#[derive(Clone, Copy)]
enum Scope {
    Broker,
    Controller,
    Both,
}

use Scope::{Both as BOTH, Broker as BROKER, Controller as CONTROLLER};

const FORWARDED: bool = true;
const LOCAL: bool = false;

const fn api(
    key: ApiKey,
    name: &'static str,
    min_version: i16,
    max_version: i16,
    flexible: i16,
    scope: Scope,
    forwarded: bool,
) -> Api {
    Api {
        key,
        name,
        min_version,
        max_version,
        first_flexible: if flexible == NEVER { None } else { Some(flexible) },
        on_broker: matches!(scope, BOTH | BROKER),
        on_controller: matches!(scope, BOTH | CONTROLLER),
        forwarded,
    }
}

#[rustfmt::skip]
pub(super) static APIS: [Api; 89] = [
    api(Produce, "Produce", 3, 13, 9, BROKER, LOCAL),
    api(Fetch, "Fetch", 4, 18, 12, BOTH, LOCAL),
    api(ListOffsets, "ListOffsets", 1, 11, 6, BROKER, LOCAL),
    api(Metadata, "Metadata", 0, 13, 9, BROKER, LOCAL),
    api(OffsetCommit, "OffsetCommit", 2, 10, 8, BROKER, LOCAL),
    api(OffsetFetch, "OffsetFetch", 1, 10, 6, BROKER, LOCAL),
    api(FindCoordinator, "FindCoordinator", 0, 6, 3, BROKER, LOCAL),
    api(JoinGroup, "JoinGroup", 0, 9, 6, BROKER, LOCAL),
    api(Heartbeat, "Heartbeat", 0, 4, 4, BROKER, LOCAL),
    api(LeaveGroup, "LeaveGroup", 0, 5, 4, BROKER, LOCAL),
    api(SyncGroup, "SyncGroup", 0, 5, 4, BROKER, LOCAL),
    api(DescribeGroups, "DescribeGroups", 0, 6, 5, BROKER, LOCAL),
    api(ListGroups, "ListGroups", 0, 5, 3, BROKER, LOCAL),
    api(SaslHandshake, "SaslHandshake", 0, 1, NEVER, BOTH, LOCAL),
    api(ApiVersions, "ApiVersions", 0, 4, 3, BOTH, LOCAL),
    api(CreateTopics, "CreateTopics", 2, 7, 5, BOTH, FORWARDED),
    api(DeleteTopics, "DeleteTopics", 1, 6, 4, BOTH, FORWARDED),
    api(DeleteRecords, "DeleteRecords", 0, 2, 2, BROKER, LOCAL),
    api(InitProducerId, "InitProducerId", 0, 5, 2, BROKER, LOCAL),
    api(OffsetForLeaderEpoch, "OffsetForLeaderEpoch", 2, 4, 4, BROKER, LOCAL),
    api(AddPartitionsToTxn, "AddPartitionsToTxn", 0, 5, 3, BROKER, LOCAL),
    api(AddOffsetsToTxn, "AddOffsetsToTxn", 0, 4, 3, BROKER, LOCAL),
    api(EndTxn, "EndTxn", 0, 5, 3, BROKER, LOCAL),
    api(WriteTxnMarkers, "WriteTxnMarkers", 1, 2, 1, BROKER, LOCAL),
    api(TxnOffsetCommit, "TxnOffsetCommit", 0, 5, 3, BROKER, LOCAL),
    api(DescribeAcls, "DescribeAcls", 1, 3, 2, BOTH, LOCAL),
    api(CreateAcls, "CreateAcls", 1, 3, 2, BOTH, FORWARDED),
    api(DeleteAcls, "DeleteAcls", 1, 3, 2, BOTH, FORWARDED),
    api(DescribeConfigs, "DescribeConfigs", 1, 4, 4, BOTH, LOCAL),
    api(AlterConfigs, "AlterConfigs", 0, 2, 2, BOTH, FORWARDED),
    api(AlterReplicaLogDirs, "AlterReplicaLogDirs", 1, 2, 2, BROKER, LOCAL),
    api(DescribeLogDirs, "DescribeLogDirs", 1, 5, 2, BROKER, LOCAL),
    api(SaslAuthenticate, "SaslAuthenticate", 0, 2, 2, BOTH, LOCAL),
    api(CreatePartitions, "CreatePartitions", 0, 3, 2, BOTH, FORWARDED),
    api(CreateDelegationToken, "CreateDelegationToken", 1, 3, 2, BOTH, FORWARDED),
    api(RenewDelegationToken, "RenewDelegationToken", 1, 2, 2, BOTH, FORWARDED),
    api(ExpireDelegationToken, "ExpireDelegationToken", 1, 2, 2, BOTH, FORWARDED),
    api(DescribeDelegationToken, "DescribeDelegationToken", 1, 3, 2, BOTH, LOCAL),
    api(DeleteGroups, "DeleteGroups", 0, 2, 2, BROKER, LOCAL),
    api(ElectLeaders, "ElectLeaders", 0, 2, 2, BOTH, FORWARDED),
    api(IncrementalAlterConfigs, "IncrementalAlterConfigs", 0, 1, 1, BOTH, FORWARDED),
    api(AlterPartitionReassignments, "AlterPartitionReassignments", 0, 1, 0, BOTH, FORWARDED),
    api(ListPartitionReassignments, "ListPartitionReassignments", 0, 0, 0, BOTH, FORWARDED),
    api(OffsetDelete, "OffsetDelete", 0, 0, NEVER, BROKER, LOCAL),
    api(DescribeClientQuotas, "DescribeClientQuotas", 0, 1, 1, BROKER, LOCAL),
    api(AlterClientQuotas, "AlterClientQuotas", 0, 1, 1, BOTH, FORWARDED),
    api(DescribeUserScramCredentials, "DescribeUserScramCredentials", 0, 0, 0, BOTH, LOCAL),
    api(AlterUserScramCredentials, "AlterUserScramCredentials", 0, 0, 0, BOTH, FORWARDED),
    api(Vote, "Vote", 0, 2, 0, CONTROLLER, LOCAL),
    api(BeginQuorumEpoch, "BeginQuorumEpoch", 0, 1, 1, CONTROLLER, LOCAL),
    api(EndQuorumEpoch, "EndQuorumEpoch", 0, 1, 1, CONTROLLER, LOCAL),
    api(DescribeQuorum, "DescribeQuorum", 0, 2, 0, BOTH, FORWARDED),
    api(AlterPartition, "AlterPartition", 2, 3, 0, CONTROLLER, LOCAL),
    api(UpdateFeatures, "UpdateFeatures", 0, 2, 0, BOTH, FORWARDED),
    api(Envelope, "Envelope", 0, 0, 0, CONTROLLER, LOCAL),
    api(FetchSnapshot, "FetchSnapshot", 0, 1, 0, CONTROLLER, LOCAL),
    api(DescribeCluster, "DescribeCluster", 0, 2, 0, BOTH, LOCAL),
    api(DescribeProducers, "DescribeProducers", 0, 0, 0, BROKER, LOCAL),
    api(BrokerRegistration, "BrokerRegistration", 0, 4, 0, CONTROLLER, LOCAL),
    api(BrokerHeartbeat, "BrokerHeartbeat", 0, 2, 0, CONTROLLER, LOCAL),
    api(UnregisterBroker, "UnregisterBroker", 0, 0, 0, BOTH, FORWARDED),
    api(DescribeTransactions, "DescribeTransactions", 0, 0, 0, BROKER, LOCAL),
    api(ListTransactions, "ListTransactions", 0, 2, 0, BROKER, LOCAL),
    api(AllocateProducerIds, "AllocateProducerIds", 0, 0, 0, CONTROLLER, FORWARDED),
    api(ConsumerGroupHeartbeat, "ConsumerGroupHeartbeat", 0, 1, 0, BROKER, LOCAL),
    api(ConsumerGroupDescribe, "ConsumerGroupDescribe", 0, 1, 0, BROKER, LOCAL),
    api(ControllerRegistration, "ControllerRegistration", 0, 0, 0, CONTROLLER, LOCAL),
    api(GetTelemetrySubscriptions, "GetTelemetrySubscriptions", 0, 0, 0, BROKER, LOCAL),
    api(PushTelemetry, "PushTelemetry", 0, 0, 0, BROKER, LOCAL),
    api(AssignReplicasToDirs, "AssignReplicasToDirs", 0, 0, 0, CONTROLLER, LOCAL),
    api(ListConfigResources, "ListConfigResources", 0, 1, 0, BROKER, LOCAL),
    api(DescribeTopicPartitions, "DescribeTopicPartitions", 0, 0, 0, BROKER, LOCAL),
    api(ShareGroupHeartbeat, "ShareGroupHeartbeat", 1, 1, 0, BROKER, LOCAL),
    api(ShareGroupDescribe, "ShareGroupDescribe", 1, 1, 0, BROKER, LOCAL),
    api(ShareFetch, "ShareFetch", 1, 2, 0, BROKER, LOCAL),
    api(ShareAcknowledge, "ShareAcknowledge", 1, 2, 0, BROKER, LOCAL),
    api(AddRaftVoter, "AddRaftVoter", 0, 1, 0, BOTH, FORWARDED),
    api(RemoveRaftVoter, "RemoveRaftVoter", 0, 0, 0, BOTH, FORWARDED),
    api(UpdateRaftVoter, "UpdateRaftVoter", 0, 0, 0, CONTROLLER, LOCAL),
    api(InitializeShareGroupState, "InitializeShareGroupState", 0, 0, 0, BROKER, LOCAL),
    api(ReadShareGroupState, "ReadShareGroupState", 0, 0, 0, BROKER, LOCAL),
    api(WriteShareGroupState, "WriteShareGroupState", 0, 1, 0, BROKER, LOCAL),
    api(DeleteShareGroupState, "DeleteShareGroupState", 0, 0, 0, BROKER, LOCAL),
    api(ReadShareGroupStateSummary, "ReadShareGroupStateSummary", 0, 1, 0, BROKER, LOCAL),
    api(StreamsGroupHeartbeat, "StreamsGroupHeartbeat", 0, 0, 0, BROKER, LOCAL),
    api(StreamsGroupDescribe, "StreamsGroupDescribe", 0, 0, 0, BROKER, LOCAL),
    api(DescribeShareGroupOffsets, "DescribeShareGroupOffsets", 0, 1, 0, BROKER, LOCAL),
    api(AlterShareGroupOffsets, "AlterShareGroupOffsets", 0, 0, 0, BROKER, LOCAL),
    api(DeleteShareGroupOffsets, "DeleteShareGroupOffsets", 0, 0, 0, BROKER, LOCAL),
];

//! The shape of every request of Kafka 4.3: by theme those of the crate, and those that are
//! declared here by their declarations.

mod groups;
mod quorum;
mod records;
mod security;
mod share;
mod topics;
mod transactions;

use super::Shape;
use super::table::{NEVER, request};
use crate::api::ApiKey;
use crate::messages::{
    AddRaftVoterRequest, BrokerHeartbeatRequest, DescribeLogDirsRequest,
    DescribeShareGroupOffsetsRequest, ListOffsetsRequest, OffsetCommitRequest, OffsetFetchRequest,
    ReadShareGroupStateSummaryRequest, ShareAcknowledgeRequest, ShareFetchRequest,
    StreamsGroupDescribeRequest, StreamsGroupHeartbeatRequest, WriteShareGroupStateRequest,
    WriteTxnMarkersRequest,
};

/// How the body of this API's requests is laid out.
pub fn shape_of(key: ApiKey) -> &'static Shape {
    BY_KEY[key as usize]
}

/// What a key without a row would have; there is none (tests).
static NONE: Shape = request(0, -1, NEVER, &[]);

static BY_KEY: [&Shape; 128] = index();

const fn index() -> [&'static Shape; 128] {
    let mut by_key: [&'static Shape; 128] = [&NONE; 128];
    let mut row = 0;
    while row < REQUESTS.len() {
        let (key, shape) = REQUESTS[row];
        by_key[key as usize] = shape;
        row += 1;
    }
    by_key
}

#[rustfmt::skip]
static REQUESTS: [(ApiKey, &Shape); 89] = [
    (ApiKey::Produce, &records::PRODUCE),
    (ApiKey::Fetch, &records::FETCH),
    (ApiKey::ListOffsets, &ListOffsetsRequest::SHAPE),
    (ApiKey::Metadata, &records::METADATA),
    (ApiKey::OffsetCommit, &OffsetCommitRequest::SHAPE),
    (ApiKey::OffsetFetch, &OffsetFetchRequest::SHAPE),
    (ApiKey::FindCoordinator, &groups::FIND_COORDINATOR),
    (ApiKey::JoinGroup, &groups::JOIN_GROUP),
    (ApiKey::Heartbeat, &groups::HEARTBEAT),
    (ApiKey::LeaveGroup, &groups::LEAVE_GROUP),
    (ApiKey::SyncGroup, &groups::SYNC_GROUP),
    (ApiKey::DescribeGroups, &groups::DESCRIBE_GROUPS),
    (ApiKey::ListGroups, &groups::LIST_GROUPS),
    (ApiKey::SaslHandshake, &security::SASL_HANDSHAKE),
    (ApiKey::ApiVersions, &records::API_VERSIONS),
    (ApiKey::CreateTopics, &topics::CREATE_TOPICS),
    (ApiKey::DeleteTopics, &topics::DELETE_TOPICS),
    (ApiKey::DeleteRecords, &records::DELETE_RECORDS),
    (ApiKey::InitProducerId, &transactions::INIT_PRODUCER_ID),
    (ApiKey::OffsetForLeaderEpoch, &records::OFFSET_FOR_LEADER_EPOCH),
    (ApiKey::AddPartitionsToTxn, &transactions::ADD_PARTITIONS_TO_TXN),
    (ApiKey::AddOffsetsToTxn, &transactions::ADD_OFFSETS_TO_TXN),
    (ApiKey::EndTxn, &transactions::END_TXN),
    (ApiKey::WriteTxnMarkers, &WriteTxnMarkersRequest::SHAPE),
    (ApiKey::TxnOffsetCommit, &transactions::TXN_OFFSET_COMMIT),
    (ApiKey::DescribeAcls, &security::DESCRIBE_ACLS),
    (ApiKey::CreateAcls, &security::CREATE_ACLS),
    (ApiKey::DeleteAcls, &security::DELETE_ACLS),
    (ApiKey::DescribeConfigs, &topics::DESCRIBE_CONFIGS),
    (ApiKey::AlterConfigs, &topics::ALTER_CONFIGS),
    (ApiKey::AlterReplicaLogDirs, &topics::ALTER_REPLICA_LOG_DIRS),
    (ApiKey::DescribeLogDirs, &DescribeLogDirsRequest::SHAPE),
    (ApiKey::SaslAuthenticate, &security::SASL_AUTHENTICATE),
    (ApiKey::CreatePartitions, &topics::CREATE_PARTITIONS),
    (ApiKey::CreateDelegationToken, &security::CREATE_DELEGATION_TOKEN),
    (ApiKey::RenewDelegationToken, &security::RENEW_DELEGATION_TOKEN),
    (ApiKey::ExpireDelegationToken, &security::EXPIRE_DELEGATION_TOKEN),
    (ApiKey::DescribeDelegationToken, &security::DESCRIBE_DELEGATION_TOKEN),
    (ApiKey::DeleteGroups, &groups::DELETE_GROUPS),
    (ApiKey::ElectLeaders, &topics::ELECT_LEADERS),
    (ApiKey::IncrementalAlterConfigs, &topics::INCREMENTAL_ALTER_CONFIGS),
    (ApiKey::AlterPartitionReassignments, &topics::ALTER_PARTITION_REASSIGNMENTS),
    (ApiKey::ListPartitionReassignments, &topics::LIST_PARTITION_REASSIGNMENTS),
    (ApiKey::OffsetDelete, &groups::OFFSET_DELETE),
    (ApiKey::DescribeClientQuotas, &topics::DESCRIBE_CLIENT_QUOTAS),
    (ApiKey::AlterClientQuotas, &topics::ALTER_CLIENT_QUOTAS),
    (ApiKey::DescribeUserScramCredentials, &security::DESCRIBE_USER_SCRAM_CREDENTIALS),
    (ApiKey::AlterUserScramCredentials, &security::ALTER_USER_SCRAM_CREDENTIALS),
    (ApiKey::Vote, &quorum::VOTE),
    (ApiKey::BeginQuorumEpoch, &quorum::BEGIN_QUORUM_EPOCH),
    (ApiKey::EndQuorumEpoch, &quorum::END_QUORUM_EPOCH),
    (ApiKey::DescribeQuorum, &quorum::DESCRIBE_QUORUM),
    (ApiKey::AlterPartition, &quorum::ALTER_PARTITION),
    (ApiKey::UpdateFeatures, &topics::UPDATE_FEATURES),
    (ApiKey::Envelope, &quorum::ENVELOPE),
    (ApiKey::FetchSnapshot, &quorum::FETCH_SNAPSHOT),
    (ApiKey::DescribeCluster, &topics::DESCRIBE_CLUSTER),
    (ApiKey::DescribeProducers, &records::DESCRIBE_PRODUCERS),
    (ApiKey::BrokerRegistration, &quorum::BROKER_REGISTRATION),
    (ApiKey::BrokerHeartbeat, &BrokerHeartbeatRequest::SHAPE),
    (ApiKey::UnregisterBroker, &topics::UNREGISTER_BROKER),
    (ApiKey::DescribeTransactions, &transactions::DESCRIBE_TRANSACTIONS),
    (ApiKey::ListTransactions, &transactions::LIST_TRANSACTIONS),
    (ApiKey::AllocateProducerIds, &transactions::ALLOCATE_PRODUCER_IDS),
    (ApiKey::ConsumerGroupHeartbeat, &groups::CONSUMER_GROUP_HEARTBEAT),
    (ApiKey::ConsumerGroupDescribe, &groups::CONSUMER_GROUP_DESCRIBE),
    (ApiKey::ControllerRegistration, &quorum::CONTROLLER_REGISTRATION),
    (ApiKey::GetTelemetrySubscriptions, &topics::GET_TELEMETRY_SUBSCRIPTIONS),
    (ApiKey::PushTelemetry, &topics::PUSH_TELEMETRY),
    (ApiKey::AssignReplicasToDirs, &quorum::ASSIGN_REPLICAS_TO_DIRS),
    (ApiKey::ListConfigResources, &topics::LIST_CONFIG_RESOURCES),
    (ApiKey::DescribeTopicPartitions, &records::DESCRIBE_TOPIC_PARTITIONS),
    (ApiKey::ShareGroupHeartbeat, &share::SHARE_GROUP_HEARTBEAT),
    (ApiKey::ShareGroupDescribe, &share::SHARE_GROUP_DESCRIBE),
    (ApiKey::ShareFetch, &ShareFetchRequest::SHAPE),
    (ApiKey::ShareAcknowledge, &ShareAcknowledgeRequest::SHAPE),
    (ApiKey::AddRaftVoter, &AddRaftVoterRequest::SHAPE),
    (ApiKey::RemoveRaftVoter, &quorum::REMOVE_RAFT_VOTER),
    (ApiKey::UpdateRaftVoter, &quorum::UPDATE_RAFT_VOTER),
    (ApiKey::InitializeShareGroupState, &share::INITIALIZE_SHARE_GROUP_STATE),
    (ApiKey::ReadShareGroupState, &share::READ_SHARE_GROUP_STATE),
    (ApiKey::WriteShareGroupState, &WriteShareGroupStateRequest::SHAPE),
    (ApiKey::DeleteShareGroupState, &share::DELETE_SHARE_GROUP_STATE),
    (ApiKey::ReadShareGroupStateSummary, &ReadShareGroupStateSummaryRequest::SHAPE),
    (ApiKey::StreamsGroupDescribe, &StreamsGroupDescribeRequest::SHAPE),
    (ApiKey::StreamsGroupHeartbeat, &StreamsGroupHeartbeatRequest::SHAPE),
    (ApiKey::DescribeShareGroupOffsets, &DescribeShareGroupOffsetsRequest::SHAPE),
    (ApiKey::AlterShareGroupOffsets, &share::ALTER_SHARE_GROUP_OFFSETS),
    (ApiKey::DeleteShareGroupOffsets, &share::DELETE_SHARE_GROUP_OFFSETS),
];

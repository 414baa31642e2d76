//! Where the error codes stand in answers, for whoever counts them by API. Kafka: the
//! `errorCounts` of each response.

use protocol::messages::*;

/// An answer with error codes in it.
pub(crate) trait ErrorCounts {
    /// Calls `count` with each code, zeros too.
    fn each_error(&self, count: &mut dyn FnMut(i16));
}

/// Counts fields, and fields of what lists hold: `error_code, topics[partitions[error_code]]`.
macro_rules! count_in {
    ($from:expr, $count:ident;) => {};
    ($from:expr, $count:ident; $field:ident $(, $($rest:tt)*)?) => {
        $count($from.$field);
        $(count_in!($from, $count; $($rest)*);)?
    };
    ($from:expr, $count:ident; $list:ident [$($inside:tt)*] $(, $($rest:tt)*)?) => {
        for each in &$from.$list {
            count_in!(each, $count; $($inside)*);
        }
        $(count_in!($from, $count; $($rest)*);)?
    };
}

macro_rules! error_counts {
    ($($($response:ident)* => $codes:tt;)*) => {
        $(error_counts!(@each $codes $($response)*);)*
    };
    (@each $codes:tt $($response:ident)*) => {
        $(error_counts!(@one $codes $response);)*
    };
    (@one {$($codes:tt)*} $response:ident) => {
        impl ErrorCounts for $response {
            fn each_error(&self, count: &mut dyn FnMut(i16)) {
                count_in!(self, count; $($codes)*);
            }
        }
    };
}

error_counts! {
    AddOffsetsToTxnResponse AddRaftVoterResponse AllocateProducerIdsResponse ApiVersionsResponse
    BrokerHeartbeatResponse BrokerRegistrationResponse ConsumerGroupHeartbeatResponse
    CreateDelegationTokenResponse DescribeDelegationTokenResponse ExpireDelegationTokenResponse
    RenewDelegationTokenResponse
    ControllerRegistrationResponse DescribeAclsResponse DescribeClientQuotasResponse
    DescribeClusterResponse EndTxnResponse EnvelopeResponse GetTelemetrySubscriptionsResponse
    HeartbeatResponse InitProducerIdResponse JoinGroupResponse ListConfigResourcesResponse
    ListGroupsResponse ListPartitionReassignmentsResponse ListTransactionsResponse
    PushTelemetryResponse RemoveRaftVoterResponse SaslAuthenticateResponse SaslHandshakeResponse
    ShareGroupHeartbeatResponse StreamsGroupHeartbeatResponse SyncGroupResponse
    UnregisterBrokerResponse UpdateRaftVoterResponse
        => {error_code};
    ConsumerGroupDescribeResponse DescribeGroupsResponse ShareGroupDescribeResponse
    StreamsGroupDescribeResponse
        => {groups[error_code]};
    AlterUserScramCredentialsResponse CreateAclsResponse CreatePartitionsResponse
    DeleteGroupsResponse DescribeConfigsResponse
        => {results[error_code]};
    AlterClientQuotasResponse
        => {entries[error_code]};
    AlterConfigsResponse DeleteTopicsResponse IncrementalAlterConfigsResponse
        => {responses[error_code]};
    DeleteRecordsResponse DescribeProducersResponse ListOffsetsResponse OffsetCommitResponse
    OffsetForLeaderEpochResponse TxnOffsetCommitResponse
        => {topics[partitions[error_code]]};
    DescribeTransactionsResponse
        => {transaction_states[error_code]};
    LeaveGroupResponse
        => {error_code, members[error_code]};
    DescribeLogDirsResponse DescribeUserScramCredentialsResponse UpdateFeaturesResponse
        => {error_code, results[error_code]};
    AlterReplicaLogDirsResponse DeleteShareGroupStateResponse InitializeShareGroupStateResponse
    ReadShareGroupStateResponse ReadShareGroupStateSummaryResponse WriteShareGroupStateResponse
        => {results[partitions[error_code]]};
    DeleteShareGroupOffsetsResponse
        => {error_code, responses[error_code]};
    FindCoordinatorResponse
        => {error_code, coordinators[error_code]};
    WriteTxnMarkersResponse
        => {markers[topics[partitions[error_code]]]};
    AlterPartitionResponse BeginQuorumEpochResponse DescribeQuorumResponse
    EndQuorumEpochResponse FetchSnapshotResponse OffsetDeleteResponse VoteResponse
        => {error_code, topics[partitions[error_code]]};
    DescribeTopicPartitionsResponse
        => {topics[error_code, partitions[error_code]]};
    CreateTopicsResponse
        => {topics[error_code, topic_config_error_code]};
    AlterPartitionReassignmentsResponse AlterShareGroupOffsetsResponse FetchResponse
    ShareAcknowledgeResponse
        => {error_code, responses[partitions[error_code]]};
    DescribeShareGroupOffsetsResponse
        => {groups[error_code, topics[partitions[error_code]]]};
    DeleteAclsResponse
        => {filter_results[error_code, matching_acls[error_code]]};
    MetadataResponse
        => {error_code, topics[error_code, partitions[error_code]]};
    AssignReplicasToDirsResponse
        => {error_code, directories[topics[partitions[error_code]]]};
    ElectLeadersResponse
        => {error_code, replica_election_results[partition_result[error_code]]};
    ShareFetchResponse
        => {error_code, responses[partitions[error_code, acknowledge_error_code]]};
    OffsetFetchResponse
        => {error_code,
            topics[partitions[error_code]],
            groups[error_code,
            topics[partitions[error_code]]]};
    AddPartitionsToTxnResponse
        => {error_code,
            results_by_transaction[topic_results[results_by_partition[partition_error_code]]],
            results_by_topic_v3_and_below[results_by_partition[partition_error_code]]};
}

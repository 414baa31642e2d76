//! One file per API: check, call, map. A handler decides nothing that a core could decide.

use std::sync::Arc;

use bytes::Bytes;
use protocol::api::{ApiKey, Listener};

use crate::broker::Broker;
use crate::net::connection::{Later, Reply};
use crate::requests::context::RequestContext;
use crate::requests::dispatch::serve;

pub(crate) mod allocate_producer_ids;
pub(crate) mod alter_configs;
pub(crate) mod alter_partition;
pub(crate) mod alter_partition_reassignments;
pub(crate) mod api_versions;
pub(crate) mod assign_replicas_to_dirs;
#[cfg(test)]
mod authorization_test;
pub(crate) mod begin_quorum_epoch;
pub(crate) mod broker_heartbeat;
pub(crate) mod broker_registration;
pub(crate) mod controller_fetch;
pub(crate) mod controller_registration;
pub(crate) mod create_acls;
pub(crate) mod create_partitions;
pub(crate) mod create_topics;
pub(crate) mod delete_acls;
pub(crate) mod delete_groups;
pub(crate) mod delete_records;
pub(crate) mod delete_topics;
pub(crate) mod describe_acls;
pub(crate) mod describe_client_quotas;
pub(crate) mod describe_cluster;
pub(crate) mod describe_configs;
pub(crate) mod describe_groups;
pub(crate) mod describe_log_dirs;
pub(crate) mod describe_producers;
pub(crate) mod describe_quorum;
pub(crate) mod describe_topic_partitions;
pub(crate) mod describe_user_scram_credentials;
pub(crate) mod elect_leaders;
pub(crate) mod end_quorum_epoch;
pub(crate) mod envelope;
pub(crate) mod fetch;
pub(crate) mod fetch_snapshot;
pub(crate) mod find_coordinator;
pub(crate) mod heartbeat;
pub(crate) mod incremental_alter_configs;
pub(crate) mod init_producer_id;
pub(crate) mod join_group;
pub(crate) mod leave_group;
pub(crate) mod list_config_resources;
pub(crate) mod list_groups;
pub(crate) mod list_offsets;
pub(crate) mod list_partition_reassignments;
pub(crate) mod metadata;
pub(crate) mod offset_commit;
pub(crate) mod offset_delete;
pub(crate) mod offset_fetch;
pub(crate) mod offset_for_leader_epoch;
pub(crate) mod produce;
pub(crate) mod sync_group;
pub(crate) mod unregister_broker;
pub(crate) mod update_features;
pub(crate) mod update_raft_voter;
pub(crate) mod vote;

/// Decodes the body, and has a handler answer.
macro_rules! call {
    ($broker:ident, $context:ident, $body:ident, $handler:path) => {{
        let context_of_call = Arc::clone(&$context);
        serve(&$context, $body, move |request| async move {
            $handler(&$broker, &context_of_call, request).await
        })
    }};
}

/// Hands the request to the handler of its API. Every API that `protocol::api` says is served has
/// its line here or in [`route_between_nodes`]; a test compares.
pub(crate) fn route(broker: Arc<Broker>, context: RequestContext, body: Bytes) -> Later {
    let context = Arc::new(context);
    match context.api.key {
        ApiKey::AlterConfigs => call!(broker, context, body, alter_configs::handle),
        ApiKey::AlterPartitionReassignments => {
            call!(broker, context, body, alter_partition_reassignments::handle)
        }
        ApiKey::ApiVersions => call!(broker, context, body, api_versions::handle),
        ApiKey::CreateAcls => call!(broker, context, body, create_acls::handle),
        ApiKey::CreatePartitions => call!(broker, context, body, create_partitions::handle),
        ApiKey::CreateTopics => call!(broker, context, body, create_topics::handle),
        ApiKey::DeleteAcls => call!(broker, context, body, delete_acls::handle),
        ApiKey::DeleteGroups => call!(broker, context, body, delete_groups::handle),
        ApiKey::DeleteRecords => call!(broker, context, body, delete_records::handle),
        ApiKey::DeleteTopics => call!(broker, context, body, delete_topics::handle),
        ApiKey::DescribeAcls => call!(broker, context, body, describe_acls::handle),
        ApiKey::DescribeClientQuotas => {
            call!(broker, context, body, describe_client_quotas::handle)
        }
        ApiKey::DescribeCluster => call!(broker, context, body, describe_cluster::handle),
        ApiKey::DescribeConfigs => call!(broker, context, body, describe_configs::handle),
        ApiKey::DescribeGroups => call!(broker, context, body, describe_groups::handle),
        ApiKey::DescribeLogDirs => call!(broker, context, body, describe_log_dirs::handle),
        ApiKey::DescribeProducers => call!(broker, context, body, describe_producers::handle),
        ApiKey::DescribeQuorum => call!(broker, context, body, describe_quorum::handle),
        ApiKey::DescribeTopicPartitions => {
            call!(broker, context, body, describe_topic_partitions::handle)
        }
        ApiKey::DescribeUserScramCredentials => {
            call!(broker, context, body, describe_user_scram_credentials::handle)
        }
        ApiKey::ElectLeaders => call!(broker, context, body, elect_leaders::handle),
        ApiKey::Fetch if broker.listener_kind(&context.client.listener) == Listener::Broker => {
            fetch::begin(broker, context, body)
        }
        ApiKey::FindCoordinator => call!(broker, context, body, find_coordinator::handle),
        ApiKey::Heartbeat => call!(broker, context, body, heartbeat::handle),
        ApiKey::IncrementalAlterConfigs => {
            call!(broker, context, body, incremental_alter_configs::handle)
        }
        ApiKey::InitProducerId => call!(broker, context, body, init_producer_id::handle),
        ApiKey::JoinGroup => call!(broker, context, body, join_group::handle),
        ApiKey::LeaveGroup => call!(broker, context, body, leave_group::handle),
        ApiKey::ListConfigResources => call!(broker, context, body, list_config_resources::handle),
        ApiKey::ListGroups => call!(broker, context, body, list_groups::handle),
        ApiKey::ListOffsets => call!(broker, context, body, list_offsets::handle),
        ApiKey::ListPartitionReassignments => {
            call!(broker, context, body, list_partition_reassignments::handle)
        }
        ApiKey::Metadata => call!(broker, context, body, metadata::handle),
        ApiKey::OffsetCommit => call!(broker, context, body, offset_commit::handle),
        ApiKey::OffsetDelete => call!(broker, context, body, offset_delete::handle),
        ApiKey::OffsetFetch => call!(broker, context, body, offset_fetch::handle),
        ApiKey::OffsetForLeaderEpoch => {
            call!(broker, context, body, offset_for_leader_epoch::handle)
        }
        ApiKey::SyncGroup => call!(broker, context, body, sync_group::handle),
        ApiKey::UnregisterBroker => call!(broker, context, body, unregister_broker::handle),
        ApiKey::UpdateFeatures => call!(broker, context, body, update_features::handle),
        _ => route_between_nodes(broker, context, body),
    }
}

/// As [`route`], for what only nodes ask each other.
fn route_between_nodes(broker: Arc<Broker>, context: Arc<RequestContext>, body: Bytes) -> Later {
    match context.api.key {
        ApiKey::AllocateProducerIds => call!(broker, context, body, allocate_producer_ids::handle),
        ApiKey::AlterPartition => call!(broker, context, body, alter_partition::handle),
        ApiKey::AssignReplicasToDirs => {
            call!(broker, context, body, assign_replicas_to_dirs::handle)
        }
        ApiKey::BeginQuorumEpoch => call!(broker, context, body, begin_quorum_epoch::handle),
        ApiKey::BrokerHeartbeat => call!(broker, context, body, broker_heartbeat::handle),
        ApiKey::BrokerRegistration => call!(broker, context, body, broker_registration::handle),
        ApiKey::ControllerRegistration => {
            call!(broker, context, body, controller_registration::handle)
        }
        ApiKey::EndQuorumEpoch => call!(broker, context, body, end_quorum_epoch::handle),
        ApiKey::Envelope => call!(broker, context, body, envelope::handle),
        ApiKey::Fetch => call!(broker, context, body, controller_fetch::handle),
        ApiKey::FetchSnapshot => call!(broker, context, body, fetch_snapshot::handle),
        ApiKey::UpdateRaftVoter => call!(broker, context, body, update_raft_voter::handle),
        ApiKey::Vote => call!(broker, context, body, vote::handle),
        other => {
            let why = format!("{other:?} has no handler");
            Box::pin(std::future::ready(Reply::fault(why)))
        }
    }
}

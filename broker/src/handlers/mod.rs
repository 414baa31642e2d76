//! One file per API: check, call, map. A handler decides nothing that a core could decide.

use std::sync::Arc;

use bytes::Bytes;
use protocol::api::ApiKey;

use crate::broker::Broker;
use crate::context::RequestContext;
use crate::dispatch::serve;
use crate::net::connection::{Later, Reply};

pub(crate) mod alter_configs;
pub(crate) mod api_versions;
#[cfg(test)]
mod authorization_test;
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
pub(crate) mod fetch;
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
pub(crate) mod update_features;

/// Hands the request to the handler of its API. Every API that `protocol::api` says is served has
/// its line here; the test `every_served_api_has_its_handler` compares.
pub(crate) fn route(broker: Arc<Broker>, context: RequestContext, body: Bytes) -> Later {
    let context = Arc::new(context);
    macro_rules! call {
        ($handler:path) => {{
            let context_of_call = Arc::clone(&context);
            serve(&context, body, move |request| async move {
                $handler(&broker, &context_of_call, request).await
            })
        }};
    }
    match context.api.key {
        ApiKey::AlterConfigs => call!(alter_configs::handle),
        ApiKey::ApiVersions => call!(api_versions::handle),
        ApiKey::CreateAcls => call!(create_acls::handle),
        ApiKey::CreatePartitions => call!(create_partitions::handle),
        ApiKey::CreateTopics => call!(create_topics::handle),
        ApiKey::DeleteAcls => call!(delete_acls::handle),
        ApiKey::DeleteGroups => call!(delete_groups::handle),
        ApiKey::DeleteRecords => call!(delete_records::handle),
        ApiKey::DeleteTopics => call!(delete_topics::handle),
        ApiKey::DescribeAcls => call!(describe_acls::handle),
        ApiKey::DescribeClientQuotas => call!(describe_client_quotas::handle),
        ApiKey::DescribeCluster => call!(describe_cluster::handle),
        ApiKey::DescribeConfigs => call!(describe_configs::handle),
        ApiKey::DescribeGroups => call!(describe_groups::handle),
        ApiKey::DescribeLogDirs => call!(describe_log_dirs::handle),
        ApiKey::DescribeProducers => call!(describe_producers::handle),
        ApiKey::DescribeQuorum => call!(describe_quorum::handle),
        ApiKey::DescribeTopicPartitions => call!(describe_topic_partitions::handle),
        ApiKey::DescribeUserScramCredentials => call!(describe_user_scram_credentials::handle),
        ApiKey::ElectLeaders => call!(elect_leaders::handle),
        ApiKey::Fetch => fetch::begin(broker, context, body),
        ApiKey::FindCoordinator => call!(find_coordinator::handle),
        ApiKey::Heartbeat => call!(heartbeat::handle),
        ApiKey::IncrementalAlterConfigs => call!(incremental_alter_configs::handle),
        ApiKey::InitProducerId => call!(init_producer_id::handle),
        ApiKey::JoinGroup => call!(join_group::handle),
        ApiKey::LeaveGroup => call!(leave_group::handle),
        ApiKey::ListConfigResources => call!(list_config_resources::handle),
        ApiKey::ListGroups => call!(list_groups::handle),
        ApiKey::ListOffsets => call!(list_offsets::handle),
        ApiKey::ListPartitionReassignments => call!(list_partition_reassignments::handle),
        ApiKey::Metadata => call!(metadata::handle),
        ApiKey::OffsetCommit => call!(offset_commit::handle),
        ApiKey::OffsetDelete => call!(offset_delete::handle),
        ApiKey::OffsetFetch => call!(offset_fetch::handle),
        ApiKey::OffsetForLeaderEpoch => call!(offset_for_leader_epoch::handle),
        ApiKey::SyncGroup => call!(sync_group::handle),
        ApiKey::UpdateFeatures => call!(update_features::handle),
        other => {
            let why = format!("{other:?} has no handler");
            Box::pin(std::future::ready(Reply::Close(why)))
        }
    }
}

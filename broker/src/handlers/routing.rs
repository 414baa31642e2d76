//! Which handler answers a request, and which parts of the broker it borrows: it may touch no
//! others. Every API that `protocol::api` says is served has its line here; a test compares.

use std::sync::Arc;

use bytes::Bytes;
use protocol::api::{ApiKey, Listener};

use super::cluster::{
    api_versions, broker_heartbeat, broker_registration, controller_registration, describe_cluster,
    envelope, unregister_broker, update_features,
};
use super::configs::{
    alter_configs, describe_configs, incremental_alter_configs, list_config_resources,
};
use super::groups::{
    consumer_group_describe, consumer_group_heartbeat, delete_groups, describe_groups,
    find_coordinator, heartbeat, join_group, leave_group, list_groups, offset_commit,
    offset_delete, offset_fetch, streams_group_describe, streams_group_heartbeat, sync_group,
    txn_offset_commit,
};
use super::producers::{
    allocate_producer_ids, describe_producers, init_producer_id, write_txn_markers,
};
use super::quorum::{
    add_raft_voter, begin_quorum_epoch, controller_fetch, describe_quorum, end_quorum_epoch,
    fetch_snapshot, remove_raft_voter, update_raft_voter, vote,
};
use super::records::{delete_records, fetch, list_offsets, offset_for_leader_epoch};
use super::replicas::{
    alter_partition, alter_partition_reassignments, alter_replica_log_dirs,
    assign_replicas_to_dirs, describe_log_dirs, elect_leaders, list_partition_reassignments,
};
use super::security::{
    alter_client_quotas, alter_user_scram_credentials, create_acls, create_delegation_token,
    delete_acls, describe_acls, describe_client_quotas, describe_delegation_token,
    describe_user_scram_credentials, expire_delegation_token, renew_delegation_token,
    sasl_authenticate, sasl_handshake,
};
use super::share_fetch::{share_acknowledge, share_fetch};
use super::share_groups::{
    alter_share_group_offsets, delete_share_group_offsets, describe_share_group_offsets,
    share_group_describe, share_group_heartbeat,
};
use super::share_state::{
    delete_share_group_state, initialize_share_group_state, read_share_group_state,
    read_share_group_state_summary, write_share_group_state,
};
use super::telemetry::{get_telemetry_subscriptions, push_telemetry};
use super::topics::{
    create_partitions, create_topics, delete_topics, describe_topic_partitions, metadata,
};
use super::transactions::{
    add_offsets_to_txn, add_partitions_to_txn, describe_transactions, end_txn, list_transactions,
};
use crate::broker::Broker;
use crate::requests::context::RequestContext;
use crate::requests::reply::{Later, Reply, serve};

/// Decodes the body, and has a handler answer that borrows the named parts of the broker.
macro_rules! call {
    ($broker:ident, $context:ident, $body:ident => $handler:ident($($part:ident),*)) => {{
        let context_of_call = Arc::clone(&$context);
        serve(&$context, $body, move |request| async move {
            $handler::handle($(&$broker.$part,)* &context_of_call, request).await
        })
    }};
}

/// Hands the request to the handler of its API; what the cluster is and is to be.
pub(crate) fn route(broker: Arc<Broker>, context: RequestContext, body: Bytes) -> Later {
    let context = Arc::new(context);
    match context.api.key {
        ApiKey::AlterClientQuotas => {
            call!(broker, context, body => alter_client_quotas(controller))
        }
        ApiKey::AlterConfigs => call!(broker, context, body => alter_configs(config, controller)),
        ApiKey::AlterPartitionReassignments => {
            call!(broker, context, body => alter_partition_reassignments(controller))
        }
        ApiKey::ApiVersions => {
            call!(broker, context, body => api_versions(config, quorum, metadata, client_metrics))
        }
        ApiKey::CreatePartitions => call!(broker, context, body => create_partitions(controller)),
        ApiKey::CreateTopics => call!(broker, context, body => create_topics(controller)),
        ApiKey::DeleteTopics => {
            call!(broker, context, body => delete_topics(config, metadata, controller))
        }
        ApiKey::DescribeCluster => {
            call!(broker, context, body => describe_cluster(config, quorum, metadata))
        }
        ApiKey::DescribeConfigs => {
            call!(broker, context, body => describe_configs(config, metadata))
        }
        ApiKey::DescribeQuorum => call!(broker, context, body => describe_quorum(quorum)),
        ApiKey::DescribeTopicPartitions => {
            call!(broker, context, body => describe_topic_partitions(config, metadata))
        }
        ApiKey::ElectLeaders => call!(broker, context, body => elect_leaders(controller)),
        ApiKey::GetTelemetrySubscriptions => {
            call!(broker, context, body => get_telemetry_subscriptions(client_metrics))
        }
        ApiKey::IncrementalAlterConfigs => {
            call!(broker, context, body => incremental_alter_configs(config, controller))
        }
        ApiKey::ListConfigResources => {
            call!(broker, context, body => list_config_resources(metadata))
        }
        ApiKey::ListPartitionReassignments => {
            call!(broker, context, body => list_partition_reassignments(controller))
        }
        ApiKey::Metadata => call!(broker, context, body => metadata(config, metadata, auto_topics)),
        ApiKey::PushTelemetry => call!(broker, context, body => push_telemetry(client_metrics)),
        ApiKey::AddRaftVoter => call!(broker, context, body => add_raft_voter(quorum)),
        ApiKey::RemoveRaftVoter => call!(broker, context, body => remove_raft_voter(quorum)),
        ApiKey::UnregisterBroker => call!(broker, context, body => unregister_broker(controller)),
        ApiKey::UpdateFeatures => {
            call!(broker, context, body => update_features(controller))
        }
        _ => route_security(broker, context, body),
    }
}

/// As [`route`], for who somebody is, what he may do, and how much.
fn route_security(broker: Arc<Broker>, context: Arc<RequestContext>, body: Bytes) -> Later {
    match context.api.key {
        ApiKey::AlterUserScramCredentials => {
            call!(broker, context, body => alter_user_scram_credentials(controller))
        }
        ApiKey::CreateAcls => call!(broker, context, body => create_acls(config, controller)),
        ApiKey::CreateDelegationToken => {
            call!(broker, context, body =>
                create_delegation_token(config, controller, delegation_tokens))
        }
        ApiKey::DeleteAcls => call!(broker, context, body => delete_acls(config, controller)),
        ApiKey::DescribeAcls => call!(broker, context, body => describe_acls(config, metadata)),
        ApiKey::DescribeClientQuotas => {
            call!(broker, context, body => describe_client_quotas(metadata))
        }
        ApiKey::DescribeDelegationToken => {
            call!(broker, context, body =>
                describe_delegation_token(config, metadata, delegation_tokens))
        }
        ApiKey::DescribeUserScramCredentials => {
            call!(broker, context, body => describe_user_scram_credentials(metadata))
        }
        ApiKey::ExpireDelegationToken => {
            call!(broker, context, body =>
                expire_delegation_token(config, controller, delegation_tokens))
        }
        ApiKey::RenewDelegationToken => {
            call!(broker, context, body =>
                renew_delegation_token(config, controller, delegation_tokens))
        }
        ApiKey::SaslAuthenticate => call!(broker, context, body => sasl_authenticate()),
        ApiKey::SaslHandshake => call!(broker, context, body => sasl_handshake()),
        _ => route_records(broker, context, body),
    }
}

/// As [`route`], for records and those who write them.
fn route_records(broker: Arc<Broker>, context: Arc<RequestContext>, body: Bytes) -> Later {
    match context.api.key {
        ApiKey::Fetch
            if broker.config.listener_kind(&context.client.listener) == Listener::Broker =>
        {
            Box::pin(async move {
                let Broker { config, metadata, replicas, fetch_sessions, .. } = &*broker;
                fetch::begin(config, metadata, replicas, fetch_sessions, &context, body).await
            })
        }
        ApiKey::AlterReplicaLogDirs => {
            call!(broker, context, body => alter_replica_log_dirs(moves))
        }
        ApiKey::DeleteRecords => {
            call!(broker, context, body => delete_records(config, metadata, replicas))
        }
        ApiKey::DescribeLogDirs => {
            call!(broker, context, body => describe_log_dirs(config, replicas))
        }
        ApiKey::DescribeProducers => {
            call!(broker, context, body => describe_producers(metadata, replicas))
        }
        ApiKey::InitProducerId => {
            call!(broker, context, body => init_producer_id(transactions, producer_ids))
        }
        ApiKey::ListOffsets => call!(broker, context, body => list_offsets(replicas)),
        ApiKey::OffsetForLeaderEpoch => {
            call!(broker, context, body => offset_for_leader_epoch(replicas))
        }
        ApiKey::ShareAcknowledge => {
            call!(broker, context, body => share_acknowledge(metadata, share_partitions))
        }
        ApiKey::ShareFetch => Box::pin(async move {
            let Broker { config, metadata, share_partitions, .. } = &*broker;
            share_fetch::begin(config, metadata, share_partitions, &context, body).await
        }),
        _ => route_transactions(broker, context, body),
    }
}

/// As [`route`], for transactions.
fn route_transactions(broker: Arc<Broker>, context: Arc<RequestContext>, body: Bytes) -> Later {
    match context.api.key {
        ApiKey::AddOffsetsToTxn => {
            call!(broker, context, body => add_offsets_to_txn(metadata, groups, transactions))
        }
        ApiKey::AddPartitionsToTxn => {
            call!(broker, context, body => add_partitions_to_txn(metadata, transactions))
        }
        ApiKey::DescribeTransactions => {
            call!(broker, context, body => describe_transactions(transactions))
        }
        ApiKey::EndTxn => call!(broker, context, body => end_txn(transactions)),
        ApiKey::ListTransactions => {
            call!(broker, context, body => list_transactions(transactions))
        }
        _ => route_groups(broker, context, body),
    }
}

/// As [`route`], for groups and their offsets.
fn route_groups(broker: Arc<Broker>, context: Arc<RequestContext>, body: Bytes) -> Later {
    match context.api.key {
        ApiKey::ConsumerGroupDescribe => {
            call!(broker, context, body => consumer_group_describe(metadata, groups))
        }
        ApiKey::ConsumerGroupHeartbeat => {
            call!(broker, context, body => consumer_group_heartbeat(metadata, groups))
        }
        ApiKey::DeleteGroups => {
            call!(broker, context, body => delete_groups(metadata, groups, persister))
        }
        ApiKey::DescribeGroups => call!(broker, context, body => describe_groups(metadata, groups)),
        ApiKey::FindCoordinator => {
            call!(broker, context, body =>
                find_coordinator(metadata, groups, transactions, share_states, auto_topics))
        }
        ApiKey::Heartbeat => call!(broker, context, body => heartbeat(metadata, groups)),
        ApiKey::JoinGroup => call!(broker, context, body => join_group(metadata, groups)),
        ApiKey::LeaveGroup => call!(broker, context, body => leave_group(metadata, groups)),
        ApiKey::ListGroups => call!(broker, context, body => list_groups(groups)),
        ApiKey::OffsetCommit => call!(broker, context, body => offset_commit(metadata, groups)),
        ApiKey::OffsetDelete => call!(broker, context, body => offset_delete(metadata, groups)),
        ApiKey::OffsetFetch => call!(broker, context, body => offset_fetch(metadata, groups)),
        ApiKey::StreamsGroupDescribe => {
            call!(broker, context, body => streams_group_describe(metadata, groups))
        }
        ApiKey::StreamsGroupHeartbeat => {
            call!(broker, context, body => streams_group_heartbeat(metadata, groups, auto_topics))
        }
        ApiKey::SyncGroup => call!(broker, context, body => sync_group(metadata, groups)),
        ApiKey::TxnOffsetCommit => {
            call!(broker, context, body => txn_offset_commit(
                metadata, replicas, groups, add_partitions_to_txn
            ))
        }
        _ => route_share_groups(broker, context, body),
    }
}

/// As [`route`], for share groups.
fn route_share_groups(broker: Arc<Broker>, context: Arc<RequestContext>, body: Bytes) -> Later {
    match context.api.key {
        ApiKey::AlterShareGroupOffsets => {
            call!(broker, context, body => alter_share_group_offsets(metadata, groups, persister))
        }
        ApiKey::DeleteShareGroupOffsets => {
            call!(broker, context, body => delete_share_group_offsets(metadata, groups, persister))
        }
        ApiKey::DescribeShareGroupOffsets => {
            call!(broker, context, body => describe_share_group_offsets(
                metadata, groups, persister, end_offsets
            ))
        }
        ApiKey::ShareGroupDescribe => {
            call!(broker, context, body => share_group_describe(metadata, groups))
        }
        ApiKey::ShareGroupHeartbeat => {
            call!(broker, context, body => share_group_heartbeat(metadata, groups, persister))
        }
        _ => route_between_nodes(broker, context, body),
    }
}

/// As [`route`], for what only nodes ask each other.
fn route_between_nodes(broker: Arc<Broker>, context: Arc<RequestContext>, body: Bytes) -> Later {
    match context.api.key {
        ApiKey::AllocateProducerIds => {
            call!(broker, context, body => allocate_producer_ids(controller))
        }
        ApiKey::AlterPartition => call!(broker, context, body => alter_partition(controller)),
        ApiKey::AssignReplicasToDirs => {
            call!(broker, context, body => assign_replicas_to_dirs(controller))
        }
        ApiKey::BeginQuorumEpoch => call!(broker, context, body => begin_quorum_epoch(quorum)),
        ApiKey::BrokerHeartbeat => {
            call!(broker, context, body => broker_heartbeat(config, quorum, controller))
        }
        ApiKey::BrokerRegistration => {
            call!(broker, context, body => broker_registration(quorum, controller))
        }
        ApiKey::ControllerRegistration => {
            call!(broker, context, body => controller_registration(controller))
        }
        ApiKey::EndQuorumEpoch => call!(broker, context, body => end_quorum_epoch(quorum)),
        ApiKey::FetchSnapshot => call!(broker, context, body => fetch_snapshot(quorum)),
        ApiKey::UpdateRaftVoter => call!(broker, context, body => update_raft_voter(quorum)),
        ApiKey::WriteTxnMarkers => {
            call!(broker, context, body => write_txn_markers(config, replicas, groups))
        }
        ApiKey::Vote => call!(broker, context, body => vote(quorum)),
        ApiKey::Envelope => {
            let passed_on = Arc::clone(&context);
            serve(&context, body, move |request| async move {
                let route = |context, body| route(Arc::clone(&broker), context, body);
                envelope::handle(&passed_on, request, route).await
            })
        }
        ApiKey::Fetch => call!(broker, context, body => controller_fetch(quorum)),
        _ => route_share_state(broker, context, body),
    }
}

/// As [`route`], for the state of share groups.
fn route_share_state(broker: Arc<Broker>, context: Arc<RequestContext>, body: Bytes) -> Later {
    match context.api.key {
        ApiKey::DeleteShareGroupState => {
            call!(broker, context, body => delete_share_group_state(share_states))
        }
        ApiKey::InitializeShareGroupState => {
            call!(broker, context, body => initialize_share_group_state(share_states))
        }
        ApiKey::ReadShareGroupState => {
            call!(broker, context, body => read_share_group_state(share_states))
        }
        ApiKey::ReadShareGroupStateSummary => {
            call!(broker, context, body => read_share_group_state_summary(share_states))
        }
        ApiKey::WriteShareGroupState => {
            call!(broker, context, body => write_share_group_state(share_states))
        }
        other => {
            let why = format!("{other:?} has no handler");
            Box::pin(std::future::ready(Reply::fault(why)))
        }
    }
}

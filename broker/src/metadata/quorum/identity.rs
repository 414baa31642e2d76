//! What this node says of itself to the quorum: its settings, endpoints, features and ids.

use config::{BrokerConfig, Endpoint, TopicConfig};
use protocol::messages::broker_registration_request as broker;
use protocol::messages::controller_registration_request as controller;
use protocol::messages::{BrokerId, BrokerRegistrationRequest, ControllerRegistrationRequest};
use protocol::wire::StrBytes;
use raft::controller::{ControllerSettings, DelegationTokenSettings};
use raft::feature::FEATURES;
use raft::node::NodeSettings;
use raft::quorum::{
    QuorumFetchSizes, QuorumSettings, QuorumTimeouts, ReplicaKey, Retention, VoterSet,
};
use uuid::Uuid;

use super::clock;
use super::metadata_dir::MetadataDir;

pub(super) fn node_settings(config: &BrokerConfig, dir: &MetadataDir) -> NodeSettings {
    let voters = config.controller_quorum_voters.iter();
    let static_voters =
        voters.map(|voter| (voter.id, voter.address.host.clone(), voter.address.port));
    let listener = config.controller_listener_names.first().map_or("", String::as_str);
    let topic = TopicConfig::defaults(config);
    NodeSettings {
        quorum: QuorumSettings {
            own: ReplicaKey { id: config.node_id, directory_id: dir.directory_id },
            cluster_id: dir.cluster_id.clone(),
            bootstrap_servers: config
                .controller_quorum_bootstrap_servers
                .iter()
                .map(|server| (server.host.clone(), server.port))
                .collect(),
            listener: listener.to_owned(),
            observers_sync: config.process_roles.controller,
            auto_join: config.controller_quorum_auto_join_enable,
            timeouts: QuorumTimeouts {
                election_ms: i64::from(config.controller_quorum_election_timeout_ms),
                election_backoff_max_ms: i64::from(
                    config.controller_quorum_election_backoff_max_ms,
                ),
                fetch_ms: i64::from(config.controller_quorum_fetch_timeout_ms),
                request_ms: i64::from(config.controller_quorum_request_timeout_ms),
                retry_backoff_ms: i64::from(config.controller_quorum_retry_backoff_ms),
            },
            asked: QuorumFetchSizes {
                log_bytes: config.controller_quorum_fetch_max_bytes,
                snapshot_bytes: config.controller_quorum_fetch_snapshot_max_bytes,
            },
            static_voters: VoterSet::from_configuration(listener, static_voters),
            endpoints: own_endpoints(config),
        },
        controller: ControllerSettings {
            node_id: config.node_id,
            cluster_id: dir.cluster_id.clone(),
            default_partitions: config.num_partitions,
            default_replication_factor: i16::try_from(config.default_replication_factor)
                .unwrap_or(i16::MAX),
            min_insync_replicas: topic.min_insync_replicas,
            unclean_leader_election: topic.unclean_leader_election_enable,
            session_timeout_ms: i64::from(config.broker_session_timeout_ms),
            leader_balance_interval_ms: config
                .auto_leader_rebalance_enable
                .then(|| config.leader_imbalance_check_interval_seconds.saturating_mul(1_000)),
            unclean_election_interval_ms: config.unclean_leader_election_interval_ms,
            delegation_tokens: DelegationTokenSettings {
                enabled: config
                    .delegation_token_secret
                    .as_ref()
                    .is_some_and(|secret| !secret.reveal().is_empty()),
                max_lifetime_ms: config.delegation_token_max_lifetime_ms,
                expiry_time_ms: config.delegation_token_expiry_time_ms,
                expiry_check_interval_ms: config.delegation_token_expiry_check_interval_ms,
            },
            topic_deletion: config.delete_topic_enable,
            unstable_features: config.unstable_feature_versions_enable,
            quorum_node_ids: Vec::new(),
        },
        max_bytes_between_snapshots: u64::try_from(
            config.metadata_log_max_record_bytes_between_snapshots,
        )
        .unwrap_or(u64::MAX),
        max_snapshot_interval_ms: config.metadata_log_max_snapshot_interval_ms,
        retention: Retention {
            max_bytes: config.metadata_max_retention_bytes,
            max_ms: config.metadata_max_retention_ms,
        },
        max_idle_interval_ms: i64::from(config.metadata_max_idle_interval_ms),
    }
}

/// Where this controller says that it is. The ZooKeeper service says nothing: by which address it
/// is reached only those know who have it in zookeeper.connect (docs/decisions/0220).
fn own_endpoints(config: &BrokerConfig) -> Vec<(String, String, u16)> {
    if config.zookeeper.service().is_some() {
        return Vec::new();
    }
    let listeners = config.advertised_controller_listeners.iter();
    let own = |endpoint: &Endpoint| (endpoint.listener.clone(), host_of(endpoint), endpoint.port);
    listeners.map(own).collect()
}

pub(super) fn broker_registration(
    config: &BrokerConfig,
    dir: &MetadataDir,
) -> BrokerRegistrationRequest {
    let listener = |endpoint: &Endpoint| {
        broker::Listener::default()
            .with_name(text(&endpoint.listener))
            .with_host(host_of(endpoint).into())
            .with_port(endpoint.port)
            .with_security_protocol(endpoint.protocol.id())
    };
    let unstable = config.unstable_feature_versions_enable;
    let features = FEATURES.iter().map(|feature| {
        broker::Feature::default()
            .with_name(StrBytes::from_static_str(feature.name))
            .with_min_supported_version(feature.min_supported)
            .with_max_supported_version(feature.supported_max(unstable))
    });
    BrokerRegistrationRequest::default()
        .with_broker_id(BrokerId(config.node_id))
        .with_cluster_id(text(&dir.cluster_id))
        .with_incarnation_id(incarnation())
        .with_listeners(config.advertised_listeners.iter().map(listener).collect())
        .with_features(features.collect())
        .with_rack(config.broker_rack.as_deref().map(text))
        .with_log_dirs(dir.log_dirs.clone())
        .with_previous_broker_epoch(dir.previous_broker_epoch)
}

pub(super) fn controller_registration(config: &BrokerConfig) -> ControllerRegistrationRequest {
    let listener = |endpoint: &Endpoint| {
        controller::Listener::default()
            .with_name(text(&endpoint.listener))
            .with_host(host_of(endpoint).into())
            .with_port(endpoint.port)
            .with_security_protocol(endpoint.protocol.id())
    };
    let unstable = config.unstable_feature_versions_enable;
    let features = FEATURES.iter().map(|feature| {
        controller::Feature::default()
            .with_name(StrBytes::from_static_str(feature.name))
            .with_min_supported_version(feature.min_supported)
            .with_max_supported_version(feature.supported_max(unstable))
    });
    ControllerRegistrationRequest::default()
        .with_controller_id(config.node_id)
        .with_incarnation_id(incarnation())
        .with_listeners(config.advertised_controller_listeners.iter().map(listener).collect())
        .with_features(features.collect())
}

fn incarnation() -> Uuid {
    uuid::Builder::from_random_bytes(clock::random_bits().to_be_bytes()).into_uuid()
}

/// The host of an endpoint; the machine's own name where the configuration says none.
fn host_of(endpoint: &Endpoint) -> String {
    let own_name = || rustix::system::uname().nodename().to_string_lossy().into_owned();
    endpoint.host.clone().filter(|host| !host.is_empty()).unwrap_or_else(own_name)
}

fn text(text: &str) -> StrBytes {
    StrBytes::from_string(text.to_owned())
}

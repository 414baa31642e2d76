//! The fields of `BrokerConfig`.

use std::collections::BTreeMap;
use std::sync::Arc;

use security::Secret;

use super::ProcessRoles;
use super::network::Network;
use super::sasl::{LoginFile, Sasl};
use super::tls_listeners::TlsListener;
use crate::endpoint::csv;
use crate::keys::Table;
use crate::quorum::{parse_bootstrap_servers, parse_voters};
use crate::zookeeper::ZooKeeperPart;
use crate::{Address, ConfigError, Endpoint, Properties, SecurityProtocol, Values, Voter};

macro_rules! broker_config {
    (
        plain { $($key:literal => $plain:ident: $plain_type:ty,)* }
        derived { $($(#[$note:meta])* $derived:ident: $derived_type:ty,)* }
        kept { $($kept:ident: $kept_type:ty,)* }
    ) => {
        /// The configuration of one node.
        #[derive(Debug, Clone, PartialEq)]
        #[non_exhaustive]
        pub struct BrokerConfig {
            $(pub $plain: $plain_type,)*
            $($(#[$note])* pub $derived: $derived_type,)*
            pub(super) values: Values,
            $(pub(super) $kept: $kept_type,)*
        }

        /// Fields that are made of more than one key.
        pub(super) struct Derived {
            $($derived: $derived_type,)*
            $($kept: $kept_type,)*
        }

        /// The name of every public field.
        pub const FIELDS: &[&str] = &[$(stringify!($plain),)* $(stringify!($derived),)*];

        /// Plain fields and the keys they are.
        #[cfg(test)]
        pub(super) const PLAIN: &[(&str, &str)] = &[$(($key, stringify!($plain)),)*];

        impl BrokerConfig {
            pub(super) fn assemble(
                values: Values,
                derived: Derived,
            ) -> Result<Self, ConfigError> {
                Ok(Self {
                    $($plain: values.typed($key)?,)*
                    $($derived: derived.$derived,)*
                    values,
                    $($kept: derived.$kept,)*
                })
            }
        }
    };
}

broker_config! {
    plain {
        // node and topics
        "authorizer.class.name" => authorizer_class_name: String,
        "auto.create.topics.enable" => auto_create_topics_enable: bool,
        "broker.heartbeat.interval.ms" => broker_heartbeat_interval_ms: i32,
        "broker.rack" => broker_rack: Option<String>,
        "broker.session.timeout.ms" => broker_session_timeout_ms: i32,
        "default.replication.factor" => default_replication_factor: i32,
        "delegation.token.expiry.check.interval.ms" => delegation_token_expiry_check_interval_ms:
            i64,
        "delegation.token.expiry.time.ms" => delegation_token_expiry_time_ms: i64,
        "delegation.token.max.lifetime.ms" => delegation_token_max_lifetime_ms: i64,
        "delete.topic.enable" => delete_topic_enable: bool,
        "fetch.max.bytes" => fetch_max_bytes: i32,
        "initial.broker.registration.timeout.ms" => initial_broker_registration_timeout_ms: i32,
        "max.incremental.fetch.session.cache.slots" =>
            max_incremental_fetch_session_cache_slots: i32,
        "max.request.partition.size.limit" => max_request_partition_size_limit: i32,
        "num.partitions" => num_partitions: i32,
        // listeners and connections
        "connection.failed.authentication.delay.ms" => connection_failed_authentication_delay_ms:
            i32,
        "connections.max.idle.ms" => connections_max_idle_ms: i64,
        "max.connection.creation.rate" => max_connection_creation_rate: i32,
        "max.connections" => max_connections: i32,
        "max.connections.per.ip" => max_connections_per_ip: i32,
        "queued.max.request.bytes" => queued_max_request_bytes: i64,
        "queued.max.requests" => queued_max_requests: i32,
        "request.timeout.ms" => request_timeout_ms: i32,
        "socket.listen.backlog.size" => socket_listen_backlog_size: i32,
        "socket.receive.buffer.bytes" => socket_receive_buffer_bytes: i32,
        "socket.request.max.bytes" => socket_request_max_bytes: i32,
        "socket.send.buffer.bytes" => socket_send_buffer_bytes: i32,
        "socket.connection.setup.timeout.ms" => socket_connection_setup_timeout_ms: i64,
        "socket.connection.setup.timeout.max.ms" => socket_connection_setup_timeout_max_ms: i64,
        // logs
        "background.threads" => background_threads: i32,
        "log.cleaner.backoff.ms" => log_cleaner_backoff_ms: i64,
        "log.cleaner.dedupe.buffer.size" => log_cleaner_dedupe_buffer_size: i64,
        "log.cleaner.enable" => log_cleaner_enable: bool,
        "log.cleaner.io.buffer.load.factor" => log_cleaner_io_buffer_load_factor: f64,
        "log.cleaner.io.buffer.size" => log_cleaner_io_buffer_size: i32,
        "log.cleaner.threads" => log_cleaner_threads: i32,
        "log.cleaner.io.max.bytes.per.second" => log_cleaner_io_max_bytes_per_second: f64,
        "log.dir.failure.timeout.ms" => log_dir_failure_timeout_ms: i64,
        "log.flush.offset.checkpoint.interval.ms" => log_flush_offset_checkpoint_interval_ms: i32,
        "log.flush.scheduler.interval.ms" => log_flush_scheduler_interval_ms: i64,
        "log.flush.start.offset.checkpoint.interval.ms" =>
            log_flush_start_offset_checkpoint_interval_ms: i32,
        "log.initial.task.delay.ms" => log_initial_task_delay_ms: i64,
        "log.retention.check.interval.ms" => log_retention_check_interval_ms: i64,
        "num.recovery.threads.per.data.dir" => num_recovery_threads_per_data_dir: i32,
        "producer.id.expiration.check.interval.ms" => producer_id_expiration_check_interval_ms: i32,
        "producer.id.expiration.ms" => producer_id_expiration_ms: i32,
        // replication
        "alter.log.dirs.replication.quota.window.num" =>
            alter_log_dirs_replication_quota_window_num: i32,
        "alter.log.dirs.replication.quota.window.size.seconds" =>
            alter_log_dirs_replication_quota_window_size_seconds: i32,
        "auto.leader.rebalance.enable" => auto_leader_rebalance_enable: bool,
        "controlled.shutdown.enable" => controlled_shutdown_enable: bool,
        "controller.socket.timeout.ms" => controller_socket_timeout_ms: i32,
        "leader.imbalance.check.interval.seconds" => leader_imbalance_check_interval_seconds: i64,
        "unclean.leader.election.interval.ms" => unclean_leader_election_interval_ms: i64,
        "num.replica.fetchers" => num_replica_fetchers: i32,
        "replica.fetch.backoff.ms" => replica_fetch_backoff_ms: i32,
        "replica.fetch.max.bytes" => replica_fetch_max_bytes: i32,
        "replica.fetch.min.bytes" => replica_fetch_min_bytes: i32,
        "replica.fetch.response.max.bytes" => replica_fetch_response_max_bytes: i32,
        "replica.fetch.wait.max.ms" => replica_fetch_wait_max_ms: i32,
        "replica.high.watermark.checkpoint.interval.ms" =>
            replica_high_watermark_checkpoint_interval_ms: i64,
        "replica.lag.time.max.ms" => replica_lag_time_max_ms: i64,
        "replica.selector.class" => replica_selector_class: Option<String>,
        "replica.socket.receive.buffer.bytes" => replica_socket_receive_buffer_bytes: i32,
        "replica.socket.timeout.ms" => replica_socket_timeout_ms: i32,
        "controller.quota.window.num" => controller_quota_window_num: i32,
        "controller.quota.window.size.seconds" => controller_quota_window_size_seconds: i32,
        "quota.window.num" => quota_window_num: i32,
        "quota.window.size.seconds" => quota_window_size_seconds: i32,
        "replication.quota.window.num" => replication_quota_window_num: i32,
        "replication.quota.window.size.seconds" => replication_quota_window_size_seconds: i32,
        // metrics
        "telemetry.max.bytes" => telemetry_max_bytes: i32,
        // groups and offsets
        "group.consumer.assignment.interval.ms" => group_consumer_assignment_interval_ms: i32,
        "group.consumer.assignors" => group_consumer_assignors: Vec<String>,
        "group.consumer.heartbeat.interval.ms" => group_consumer_heartbeat_interval_ms: i32,
        "group.consumer.max.assignment.interval.ms" => group_consumer_max_assignment_interval_ms:
            i32,
        "group.consumer.max.heartbeat.interval.ms" => group_consumer_max_heartbeat_interval_ms:
            i32,
        "group.consumer.max.session.timeout.ms" => group_consumer_max_session_timeout_ms: i32,
        "group.consumer.max.size" => group_consumer_max_size: i32,
        "group.consumer.migration.policy" => group_consumer_migration_policy: String,
        "group.consumer.min.assignment.interval.ms" => group_consumer_min_assignment_interval_ms:
            i32,
        "group.consumer.min.heartbeat.interval.ms" => group_consumer_min_heartbeat_interval_ms:
            i32,
        "group.consumer.min.session.timeout.ms" => group_consumer_min_session_timeout_ms: i32,
        "group.consumer.regex.refresh.interval.ms" => group_consumer_regex_refresh_interval_ms:
            i32,
        "group.consumer.session.timeout.ms" => group_consumer_session_timeout_ms: i32,
        "group.share.assignment.interval.ms" => group_share_assignment_interval_ms: i32,
        "group.share.initialize.retry.interval.ms" => group_share_initialize_retry_interval_ms:
            i32,
        "group.share.max.assignment.interval.ms" => group_share_max_assignment_interval_ms: i32,
        "group.share.min.assignment.interval.ms" => group_share_min_assignment_interval_ms: i32,
        "group.share.heartbeat.interval.ms" => group_share_heartbeat_interval_ms: i32,
        "group.share.max.heartbeat.interval.ms" => group_share_max_heartbeat_interval_ms: i32,
        "group.share.max.session.timeout.ms" => group_share_max_session_timeout_ms: i32,
        "group.share.max.size" => group_share_max_size: i32,
        "group.share.min.heartbeat.interval.ms" => group_share_min_heartbeat_interval_ms: i32,
        "group.share.min.session.timeout.ms" => group_share_min_session_timeout_ms: i32,
        "group.share.persister.class.name" => group_share_persister_class_name: String,
        "group.share.session.timeout.ms" => group_share_session_timeout_ms: i32,
        "group.coordinator.append.linger.ms" => group_coordinator_append_linger_ms: i32,
        "group.coordinator.rebalance.protocols" => group_coordinator_rebalance_protocols:
            Vec<String>,
        "group.initial.rebalance.delay.ms" => group_initial_rebalance_delay_ms: i32,
        "group.max.session.timeout.ms" => group_max_session_timeout_ms: i32,
        "group.max.size" => group_max_size: i32,
        "group.min.session.timeout.ms" => group_min_session_timeout_ms: i32,
        "group.streams.assignment.interval.ms" => group_streams_assignment_interval_ms: i32,
        "group.streams.heartbeat.interval.ms" => group_streams_heartbeat_interval_ms: i32,
        "group.streams.initial.rebalance.delay.ms" => group_streams_initial_rebalance_delay_ms:
            i32,
        "group.streams.max.assignment.interval.ms" => group_streams_max_assignment_interval_ms:
            i32,
        "group.streams.max.heartbeat.interval.ms" => group_streams_max_heartbeat_interval_ms: i32,
        "group.streams.max.session.timeout.ms" => group_streams_max_session_timeout_ms: i32,
        "group.streams.max.size" => group_streams_max_size: i32,
        "group.streams.max.standby.replicas" => group_streams_max_standby_replicas: i32,
        "group.streams.min.assignment.interval.ms" => group_streams_min_assignment_interval_ms:
            i32,
        "group.streams.min.heartbeat.interval.ms" => group_streams_min_heartbeat_interval_ms: i32,
        "group.streams.min.session.timeout.ms" => group_streams_min_session_timeout_ms: i32,
        "group.streams.num.standby.replicas" => group_streams_num_standby_replicas: i32,
        "group.streams.session.timeout.ms" => group_streams_session_timeout_ms: i32,
        "offset.metadata.max.bytes" => offset_metadata_max_bytes: i32,
        "offsets.commit.timeout.ms" => offsets_commit_timeout_ms: i32,
        "offsets.load.buffer.size" => offsets_load_buffer_size: i32,
        "offsets.retention.check.interval.ms" => offsets_retention_check_interval_ms: i64,
        "offsets.retention.minutes" => offsets_retention_minutes: i32,
        "offsets.topic.compression.codec" => offsets_topic_compression_codec: i32,
        "offsets.topic.num.partitions" => offsets_topic_num_partitions: i32,
        "offsets.topic.replication.factor" => offsets_topic_replication_factor: i16,
        "offsets.topic.segment.bytes" => offsets_topic_segment_bytes: i32,
        // transactions
        "add.partitions.to.txn.retry.backoff.max.ms" => add_partitions_to_txn_retry_backoff_max_ms:
            i32,
        "add.partitions.to.txn.retry.backoff.ms" => add_partitions_to_txn_retry_backoff_ms: i32,
        "transaction.abort.timed.out.transaction.cleanup.interval.ms" =>
            transaction_abort_timed_out_transaction_cleanup_interval_ms: i32,
        "transaction.max.timeout.ms" => transaction_max_timeout_ms: i32,
        "transaction.partition.verification.enable" => transaction_partition_verification_enable:
            bool,
        "transaction.remove.expired.transaction.cleanup.interval.ms" =>
            transaction_remove_expired_transaction_cleanup_interval_ms: i32,
        "transaction.state.log.load.buffer.size" => transaction_state_log_load_buffer_size: i32,
        "transaction.state.log.min.isr" => transaction_state_log_min_isr: i32,
        "transaction.state.log.num.partitions" => transaction_state_log_num_partitions: i32,
        "transaction.state.log.replication.factor" => transaction_state_log_replication_factor: i16,
        "transaction.state.log.segment.bytes" => transaction_state_log_segment_bytes: i32,
        "transactional.id.expiration.ms" => transactional_id_expiration_ms: i32,
        // the share coordinator
        "share.coordinator.cold.partition.snapshot.interval.ms" =>
            share_coordinator_cold_partition_snapshot_interval_ms: i32,
        "share.coordinator.load.buffer.size" => share_coordinator_load_buffer_size: i32,
        "share.coordinator.snapshot.update.records.per.snapshot" =>
            share_coordinator_snapshot_update_records_per_snapshot: i32,
        "share.coordinator.state.topic.compression.codec" =>
            share_coordinator_state_topic_compression_codec: i32,
        "share.coordinator.state.topic.min.isr" => share_coordinator_state_topic_min_isr: i16,
        "share.coordinator.state.topic.num.partitions" =>
            share_coordinator_state_topic_num_partitions: i32,
        "share.coordinator.state.topic.prune.interval.ms" =>
            share_coordinator_state_topic_prune_interval_ms: i32,
        "share.coordinator.state.topic.replication.factor" =>
            share_coordinator_state_topic_replication_factor: i16,
        "share.coordinator.state.topic.segment.bytes" =>
            share_coordinator_state_topic_segment_bytes: i32,
        "share.coordinator.write.timeout.ms" => share_coordinator_write_timeout_ms: i32,
        // share groups at their partitions
        "group.share.delivery.count.limit" => group_share_delivery_count_limit: i32,
        "group.share.max.delivery.count.limit" => group_share_max_delivery_count_limit: i32,
        "group.share.max.partition.max.record.locks" =>
            group_share_max_partition_max_record_locks: i32,
        "group.share.max.record.lock.duration.ms" => group_share_max_record_lock_duration_ms: i32,
        "group.share.max.share.sessions" => group_share_max_share_sessions: i32,
        "group.share.min.delivery.count.limit" => group_share_min_delivery_count_limit: i32,
        "group.share.min.partition.max.record.locks" =>
            group_share_min_partition_max_record_locks: i32,
        "group.share.min.record.lock.duration.ms" => group_share_min_record_lock_duration_ms: i32,
        "group.share.partition.max.record.locks" => group_share_partition_max_record_locks: i32,
        "group.share.record.lock.duration.ms" => group_share_record_lock_duration_ms: i32,
        "unstable.feature.versions.enable" => unstable_feature_versions_enable: bool,
        // the controller quorum
        "controller.quorum.append.linger.ms" => controller_quorum_append_linger_ms: i32,
        "controller.quorum.auto.join.enable" => controller_quorum_auto_join_enable: bool,
        "controller.quorum.election.backoff.max.ms" => controller_quorum_election_backoff_max_ms:
            i32,
        "controller.quorum.election.timeout.ms" => controller_quorum_election_timeout_ms: i32,
        "controller.quorum.fetch.max.bytes" => controller_quorum_fetch_max_bytes: i32,
        "controller.quorum.fetch.snapshot.max.bytes" => controller_quorum_fetch_snapshot_max_bytes:
            i32,
        "controller.quorum.fetch.timeout.ms" => controller_quorum_fetch_timeout_ms: i32,
        "controller.quorum.request.timeout.ms" => controller_quorum_request_timeout_ms: i32,
        "controller.quorum.retry.backoff.ms" => controller_quorum_retry_backoff_ms: i32,
        "metadata.log.max.record.bytes.between.snapshots" =>
            metadata_log_max_record_bytes_between_snapshots: i64,
        "metadata.log.max.snapshot.interval.ms" => metadata_log_max_snapshot_interval_ms: i64,
        "metadata.log.segment.bytes" => metadata_log_segment_bytes: i32,
        "metadata.log.segment.ms" => metadata_log_segment_ms: i64,
        "metadata.max.idle.interval.ms" => metadata_max_idle_interval_ms: i32,
        "metadata.max.retention.bytes" => metadata_max_retention_bytes: i64,
        "metadata.max.retention.ms" => metadata_max_retention_ms: i64,
    }
    derived {
        /// node.id, or broker.id where only that is set.
        node_id: i32,
        process_roles: ProcessRoles,
        /// log.dirs, or log.dir where only that is set; never empty.
        log_dirs: Vec<String>,
        /// The directories of `log_dirs` that get no new replicas.
        cordoned_log_dirs: Vec<String>,
        /// metadata.log.dir, or the first of `log_dirs`.
        metadata_log_dir: String,
        /// What to listen on for clients and brokers.
        listeners: Vec<Endpoint>,
        /// What to listen on for the controller; empty on a node that is only a broker.
        controller_listeners: Vec<Endpoint>,
        /// Where clients and brokers are told to connect to; the listeners where nothing else is
        /// said. An endpoint without host stands for the machine's own name.
        advertised_listeners: Vec<Endpoint>,
        /// Where controllers and brokers are told to reach this controller.
        advertised_controller_listeners: Vec<Endpoint>,
        /// Names of the controllers' listeners, as given: on a broker the first is connected to.
        controller_listener_names: Vec<String>,
        /// What the first of them speaks.
        controller_security_protocol: SecurityProtocol,
        /// The name of the listener that brokers use among themselves.
        inter_broker_listener_name: String,
        inter_broker_security_protocol: SecurityProtocol,
        /// The listeners that speak TLS, this node's own and the controllers'.
        tls_listeners: Vec<TlsListener>,
        controller_quorum_voters: Vec<Voter>,
        controller_quorum_bootstrap_servers: Vec<Address>,
        /// The protocol of every listener name, in upper case.
        listener_security_protocol_map: BTreeMap<String, SecurityProtocol>,
        /// Addresses and the most connections from each.
        max_connections_per_ip_overrides: Vec<(String, i32)>,
        /// Whether clients can push metrics to this broker; a key of our own.
        metrics_client_receiver: bool,
        /// What delegation tokens are made of; empty as none.
        delegation_token_secret: Option<Secret>,
        /// Whom its listeners let in, and with what it logs in at others.
        sasl: Sasl,
        /// What this node has to do with a ZooKeeper of its file.
        zookeeper: ZooKeeperPart,
    }
    kept {
        static_properties: Properties,
        dynamic_defaults: Properties,
        dynamic_own: Properties,
        login_file: Option<Arc<LoginFile>>,
    }
}

/// Stands for all directories in cordoned.log.dirs.
pub(super) const ALL_DIRS: &str = "*";

impl Derived {
    pub(super) fn from_values(
        values: &Values,
        properties: Properties,
        zookeeper: ZooKeeperPart,
    ) -> Result<Self, ConfigError> {
        let network = Network::from_values(values, &properties)?;
        let own = Values::read(Table::Own, &properties)?;
        let log_dirs: Vec<String> = match values.typed::<Option<Vec<String>>>("log.dirs")? {
            Some(dirs) => dirs,
            None => values.typed("log.dir")?,
        };
        let cordoned: Vec<String> = values.typed("cordoned.log.dirs")?;
        let all_cordoned = cordoned.iter().any(|dir| dir == ALL_DIRS);
        let metadata_log_dir = match values.typed::<Option<String>>("metadata.log.dir")? {
            Some(dir) => dir,
            None => log_dirs.first().cloned().ok_or_else(|| {
                let message = "At least one log directory must be defined via log.dirs or log.dir.";
                ConfigError::conflict(&["log.dirs", "log.dir"], message)
            })?,
        };
        Ok(Self {
            node_id: values.typed("node.id")?,
            process_roles: roles(&values.typed::<Vec<String>>("process.roles")?),
            cordoned_log_dirs: if all_cordoned { log_dirs.clone() } else { cordoned },
            log_dirs,
            metadata_log_dir,
            tls_listeners: TlsListener::of(&network),
            listeners: network.listeners,
            controller_listeners: network.controller_listeners,
            advertised_listeners: network.advertised_listeners,
            advertised_controller_listeners: network.advertised_controller_listeners,
            controller_listener_names: network.controller_listener_names,
            controller_security_protocol: network.controller_security_protocol,
            inter_broker_listener_name: network.inter_broker.0,
            inter_broker_security_protocol: network.inter_broker.1,
            controller_quorum_voters: parse_voters(
                &values.typed::<Vec<String>>("controller.quorum.voters")?,
            )?,
            controller_quorum_bootstrap_servers: parse_bootstrap_servers(
                &values.typed::<Vec<String>>("controller.quorum.bootstrap.servers")?,
            )?,
            listener_security_protocol_map: network.protocols,
            max_connections_per_ip_overrides: overrides(
                &values.typed::<String>("max.connections.per.ip.overrides")?,
            )?,
            metrics_client_receiver: own.typed("metrics.client.receiver")?,
            delegation_token_secret: values
                .typed::<Option<String>>("delegation.token.secret.key")?
                .map(Secret::new),
            // Made of what is assembled.
            sasl: Sasl::default(),
            zookeeper,
            static_properties: properties,
            dynamic_defaults: Properties::new(),
            dynamic_own: Properties::new(),
            login_file: None,
        })
    }
}

fn roles(names: &[String]) -> ProcessRoles {
    let has = |role: &str| names.iter().any(|name| name == role);
    ProcessRoles { broker: has("broker"), controller: has("controller") }
}

fn overrides(text: &str) -> Result<Vec<(String, i32)>, ConfigError> {
    const KEY: &str = "max.connections.per.ip.overrides";
    let parse = |entry: String| {
        let limit = entry
            .rsplit_once(':')
            .and_then(|(host, count)| Some((host.trim().to_owned(), count.trim().parse().ok()?)));
        let allowed = "a comma separated list of host:count is expected";
        limit.ok_or_else(|| ConfigError::invalid(KEY, &entry, allowed))
    };
    csv(text).into_iter().map(parse).collect()
}

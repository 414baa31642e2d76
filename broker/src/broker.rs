//! A node that serves requests: its parts, put together once by `node::server`.
//!
//! Only what decides who serves a request sees all of it (`serving`, `handlers::routing`, the
//! publisher, the order of start and stop). Each handler and task borrows the parts that it uses.

use std::sync::Arc;

use crate::client_metrics::ClientMetrics;
use crate::coordinators::end_offsets::EndOffsets;
use crate::coordinators::groups::Groups;
use crate::coordinators::persister::Persister;
use crate::coordinators::share::ShareStates;
use crate::coordinators::transactions::Transactions;
use crate::metadata::auto_topics::AutoTopics;
use crate::metadata::controller_client::ControllerClient;
use crate::metadata::delegation_tokens::DelegationTokens;
use crate::metadata::dynamic_broker_config::DynamicBrokerConfig;
use crate::metadata::metadata_cache::MetadataCache;
use crate::metadata::producer_ids::ProducerIds;
use crate::metadata::quorum::QuorumHandle;
use crate::net::buffers::Buffers;
use crate::net::jwks::JwksEndpoints;
use crate::net::registry::Registry;
use crate::replication::add_partitions_to_txn::AddPartitionsToTxn;
use crate::replication::fetch_session::FetchSessions;
use crate::replication::fetchers::Fetchers;
use crate::replication::log_dir_moves::LogDirMoves;
use crate::replication::replica_manager::ReplicaManager;
use crate::requests::context::Policies;
use crate::requests::request_metrics::RequestMetrics;
use crate::requests::requester::Client;
use crate::share::SharePartitions;
use crate::zookeeper::ZooKeeperFace;

/// The release of Kafka that a node presents itself as.
pub(crate) const KAFKA_VERSION: &str = "4.3.1";

/// One node, of whichever roles.
#[derive(Debug)]
pub(crate) struct Broker {
    pub(crate) config: Arc<DynamicBrokerConfig>,
    pub(crate) quorum: Arc<QuorumHandle>,
    pub(crate) metadata: Arc<MetadataCache>,
    pub(crate) controller: Arc<ControllerClient>,
    pub(crate) delegation_tokens: Arc<DelegationTokens>,
    pub(crate) replicas: Arc<ReplicaManager>,
    pub(crate) add_partitions_to_txn: Arc<AddPartitionsToTxn>,
    pub(crate) fetchers: Arc<Fetchers>,
    pub(crate) moves: Arc<LogDirMoves>,
    pub(crate) fetch_sessions: FetchSessions,
    pub(crate) groups: Groups,
    pub(crate) share_partitions: Arc<SharePartitions>,
    pub(crate) end_offsets: EndOffsets,
    pub(crate) transactions: Transactions,
    pub(crate) share_states: ShareStates,
    #[allow(dead_code, reason = "who asks comes with share groups and their partitions")]
    pub(crate) persister: Arc<Persister>,
    pub(crate) auto_topics: Arc<AutoTopics>,
    pub(crate) producer_ids: Arc<ProducerIds>,
    /// Of tokens that listeners are shown.
    pub(crate) jwks: JwksEndpoints,
    pub(crate) policies: Arc<Policies>,
    pub(crate) buffers: Arc<Buffers>,
    pub(crate) registry: Arc<Registry>,
    pub(crate) metrics: Arc<metrics::Registry>,
    /// Of a node whose metrics are scraped.
    pub(crate) request_metrics: Option<Arc<RequestMetrics>>,
    /// Of a node that receives them.
    pub(crate) client_metrics: Option<Arc<ClientMetrics>>,
    /// Of the service that zookeeper-server-start starts.
    pub(crate) zookeeper: Option<ZooKeeperFace>,
}

impl Broker {
    /// A connection is gone; what was kept for it alone is forgotten.
    pub(crate) fn connection_closed(&self, client: &Client) {
        tracing::trace!(
            target: "kafka.network.Processor",
            "Connection {} ended",
            client.connection_id,
        );
        if let Some(client_metrics) = &self.client_metrics {
            client_metrics.disconnected(client.connection_id);
        }
        self.share_partitions.connection_closed(client.connection_id);
        if let Some(broker_id) = self.quorum.connection_ended(client.connection_id) {
            self.metadata.lost(broker_id);
        }
    }
}

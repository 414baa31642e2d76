//! What every handler sees: the node's state, and the questions that many handlers ask of it.

use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use arc_swap::ArcSwap;
use config::BrokerConfig;
use protocol::ErrorCode;
use protocol::api::Listener;
use protocol::leader_hint::{CurrentLeader, NodeEndpoint};
use raft::image::MetadataImage;
use replica::NotAppended;
use storage::{AppendError, Corruption, ReadError, StorageError};
use uuid::Uuid;

use crate::coordinators::groups::Groups;
use crate::log_dirs::LogDirs;
use crate::metadata::auto_topics::AutoTopics;
use crate::metadata::controller_channel::ControllerChannel;
use crate::metadata::producer_ids::ProducerIds;
use crate::metadata::quorum::QuorumHandle;
use crate::metadata::suspects::SuspectedBrokers;
use crate::net::buffers::Buffers;
use crate::net::registry::Registry;
use crate::replication::fetch_session::FetchSessions;
use crate::replication::fetchers::Fetchers;
use crate::replication::partitions::{AppendRefused, HostedPartition, Partitions, Surroundings};
use crate::replication::replication_quota::ReplicationQuotas;
use crate::requests::authorizer::Authorizer;
use crate::requests::context::Client;
use crate::zookeeper::ZooKeeperFace;

/// Topics that Kafka keeps for itself; clients may read them, not write them.
const INTERNAL_TOPICS: [&str; 3] =
    ["__consumer_offsets", "__transaction_state", "__share_group_state"];

/// The one replica selector that Kafka brings along; others are Java classes of somebody's own.
const RACK_AWARE_SELECTOR: &str = "org.apache.kafka.common.replica.RackAwareReplicaSelector";

/// One node that has the broker role.
#[derive(Debug)]
pub(crate) struct Broker {
    pub(crate) parts: Parts,
    config: ArcSwap<BrokerConfig>,
    image: ArcSwap<MetadataImage>,
}

/// What the node is made of; put together once, by `server`.
#[derive(Debug)]
pub(crate) struct Parts {
    pub(crate) cluster_id: String,
    pub(crate) quorum: Arc<QuorumHandle>,
    pub(crate) log_dirs: Arc<LogDirs>,
    pub(crate) partitions: Partitions,
    pub(crate) fetch_sessions: FetchSessions,
    pub(crate) buffers: Arc<Buffers>,
    pub(crate) registry: Arc<Registry>,
    pub(crate) authorizer: Arc<dyn Authorizer>,
    pub(crate) surroundings: Arc<Surroundings>,
    pub(crate) fetchers: Fetchers,
    pub(crate) suspects: SuspectedBrokers,
    pub(crate) quotas: ReplicationQuotas,
    pub(crate) auto_topics: AutoTopics,
    pub(crate) groups: Groups,
    pub(crate) producer_ids: ProducerIds,
    pub(crate) to_controller: ControllerChannel,
    /// Of the service that zookeeper-server-start starts.
    pub(crate) zookeeper: Option<ZooKeeperFace>,
}

impl Broker {
    pub(crate) fn new(config: BrokerConfig, parts: Parts) -> Self {
        let image = parts.quorum.image();
        Self { parts, config: ArcSwap::from_pointee(config), image: ArcSwap::new(image) }
    }

    /// The configuration with the dynamic settings that hold now.
    pub(crate) fn config(&self) -> Arc<BrokerConfig> {
        self.config.load_full()
    }

    /// Dynamic settings changed.
    pub(crate) fn set_config(&self, config: BrokerConfig) {
        self.config.store(Arc::new(config));
    }

    /// The cluster as far as this broker has applied it.
    pub(crate) fn image(&self) -> Arc<MetadataImage> {
        self.image.load_full()
    }

    /// The partitions are what this image says.
    pub(crate) fn set_image(&self, image: Arc<MetadataImage>) {
        self.image.store(Arc::clone(&image));
        self.parts.suspects.moved_on(image.cluster());
    }

    /// The image to answer from when the answer names these leaders of an image: one of them may be
    /// going, and then the controller's word is waited for.
    pub(crate) async fn settled_image<Leaders: IntoIterator<Item = i32>>(
        &self,
        leaders: impl Fn(&MetadataImage) -> Leaders,
    ) -> Arc<MetadataImage> {
        self.parts.suspects.settled(|| self.image(), leaders).await
    }

    /// This node lost a broker: a connection that it had was closed or reset, or refused.
    pub(crate) fn lost(&self, broker_id: i32) {
        self.parts.suspects.lost(broker_id, self.image.load().cluster());
    }

    pub(crate) fn node_id(&self) -> i32 {
        self.config.load().node_id
    }

    pub(crate) fn cluster_id(&self) -> &str {
        &self.parts.cluster_id
    }

    pub(crate) fn quorum(&self) -> &Arc<QuorumHandle> {
        &self.parts.quorum
    }

    pub(crate) fn partitions(&self) -> &Partitions {
        &self.parts.partitions
    }

    pub(crate) fn fetch_sessions(&self) -> &FetchSessions {
        &self.parts.fetch_sessions
    }

    pub(crate) fn groups(&self) -> &Groups {
        &self.parts.groups
    }

    pub(crate) fn auto_topics(&self) -> &AutoTopics {
        &self.parts.auto_topics
    }

    pub(crate) fn producer_ids(&self) -> &ProducerIds {
        &self.parts.producer_ids
    }

    /// The way to the active controller for what only it decides.
    pub(crate) fn to_controller(&self) -> &ControllerChannel {
        &self.parts.to_controller
    }

    pub(crate) fn buffers(&self) -> &Arc<Buffers> {
        &self.parts.buffers
    }

    pub(crate) fn authorizer(&self) -> &Arc<dyn Authorizer> {
        &self.parts.authorizer
    }

    pub(crate) fn frame_bytes_max(&self) -> usize {
        usize::try_from(self.config.load().socket_request_max_bytes).unwrap_or(0)
    }

    pub(crate) fn fetch_max_bytes(&self) -> i32 {
        self.config.load().fetch_max_bytes
    }

    /// Whether consumers are sent to replicas of their own rack (KIP-392).
    pub(crate) fn selects_replicas_by_rack(&self) -> bool {
        self.config.load().replica_selector_class.as_deref() == Some(RACK_AWARE_SELECTOR)
    }

    /// Whether a listener is a client's or a controller's.
    pub(crate) fn listener_kind(&self, listener: &str) -> Listener {
        let config = self.config.load();
        if config.controller_listener_names.iter().any(|name| name == listener) {
            Listener::Controller
        } else {
            Listener::Broker
        }
    }

    /// The wall clock, milliseconds since 1970.
    pub(crate) fn now_ms(&self) -> i64 {
        now_ms()
    }

    pub(crate) fn random_i32(&self) -> i32 {
        // Zero is as good a draw as any where the system has no entropy to give.
        getrandom::u32().unwrap_or(0).cast_signed()
    }

    pub(crate) fn random_u64(&self) -> u64 {
        getrandom::u64().unwrap_or(0)
    }

    /// Which broker clients are told to take for the controller: any that is up will do, it
    /// forwards. Kafka: `KRaftMetadataCache.getRandomAliveBrokerId`.
    pub(crate) fn random_alive(&self, image: &MetadataImage) -> i32 {
        let brokers = image.cluster().brokers();
        let alive: Vec<i32> = brokers.filter(|b| !b.fenced).map(|b| b.broker_id).collect();
        drawn(&alive, self.random_u64())
    }

    /// The partition as hosted here, or why there is none.
    pub(crate) fn partition(
        &self,
        topic: &str,
        partition: i32,
    ) -> Result<Arc<HostedPartition>, ErrorCode> {
        if let Some(hosted) = self.parts.partitions.partition(topic, partition) {
            return Ok(hosted);
        }
        if self.parts.partitions.topic(topic).is_some_and(|topic| topic.is_offline(partition)) {
            return Err(ErrorCode::KafkaStorageError);
        }
        let image = self.image.load();
        match image.topics().by_name(topic).and_then(|topic| topic.partition(partition)) {
            Some(_) => Err(ErrorCode::NotLeaderOrFollower),
            None => Err(ErrorCode::UnknownTopicOrPartition),
        }
    }

    pub(crate) fn topic_name(&self, id: Uuid) -> Option<Arc<str>> {
        if let Some(topic) = self.parts.partitions.topic_by_id(id) {
            return Some(Arc::clone(&topic.name));
        }
        self.image.load().topics().by_id(id).map(|topic| Arc::from(topic.name.as_str()))
    }

    pub(crate) fn is_internal(&self, topic: &str) -> bool {
        INTERNAL_TOPICS.contains(&topic)
    }

    /// Who leads a partition, and where clients of such a listener reach it (KIP-951).
    pub(crate) fn current_leader(
        &self,
        topic: &str,
        partition: i32,
        listener: &str,
    ) -> (CurrentLeader, Option<NodeEndpoint>) {
        // The newest: who is told that we do not lead is not sent back to us.
        let image = self.quorum().image();
        let found = image.topics().by_name(topic).and_then(|topic| topic.partition(partition));
        let Some(found) = found else { return (CurrentLeader::UNKNOWN, None) };
        let leader = CurrentLeader { leader_id: found.leader, leader_epoch: found.leader_epoch };
        (leader, node_endpoint(&image, found.leader, listener))
    }

    /// A connection is gone; what was kept for it alone is forgotten.
    pub(crate) fn connection_closed(&self, client: &Client) {
        tracing::trace!(
            target: "kafka.network.Processor",
            "Connection {} ended",
            client.connection_id,
        );
        if let Some(broker_id) = self.parts.quorum.connection_ended(client.connection_id) {
            self.lost(broker_id);
        }
    }

    /// A refused append may mean that the log directory failed.
    pub(crate) fn note_append_failure(&self, refused: &AppendRefused) {
        if let NotAppended::Log(AppendError::Storage(error)) = refused {
            self.note_storage_failure(error);
        }
    }

    /// A failed read may mean that the log directory failed.
    pub(crate) fn note_read_failure(&self, error: &ReadError) {
        if let ReadError::Storage(error) = error {
            self.note_storage_failure(error);
        }
    }

    /// A log directory failed, unless we only ran out of descriptors: its partitions are offline
    /// from now on, and the process ends when nothing can go on without it.
    pub(crate) fn note_storage_failure(&self, error: &StorageError) {
        if let StorageError::Corrupt(found) = error {
            self.note_damage(found);
        }
        self.parts.log_dirs.note_failure(error);
    }

    /// A partition's log has bytes that cannot be read.
    fn note_damage(&self, found: &Corruption) {
        let name = found.log_name();
        let Some((topic, partition)) = name.rsplit_once('-') else { return };
        let partition = partition.parse().ok();
        let hosted = partition.and_then(|partition| self.partitions().partition(topic, partition));
        if let Some(hosted) = hosted.filter(|_| found.fault.is_of_records()) {
            hosted.note_damage(found);
        }
    }
}

fn drawn(ids: &[i32], draw: u64) -> i32 {
    let at = usize::try_from(draw % (ids.len() as u64).max(1)).unwrap_or(0);
    ids.get(at).copied().unwrap_or(-1)
}

/// The wall clock, milliseconds since 1970.
pub(crate) fn now_ms() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

/// Where clients of `listener` reach a broker that is up.
pub(crate) fn node_endpoint(
    image: &MetadataImage,
    broker_id: i32,
    listener: &str,
) -> Option<NodeEndpoint> {
    let broker = image.cluster().broker(broker_id).filter(|broker| !broker.fenced)?;
    registered_endpoint(broker, listener)
}

/// Where clients of `listener` reach a broker if it is up.
pub(crate) fn registered_endpoint(
    broker: &raft::image::Broker,
    listener: &str,
) -> Option<NodeEndpoint> {
    let endpoint = broker.end_points.iter().find(|endpoint| endpoint.name.as_str() == listener)?;
    Some(NodeEndpoint {
        node_id: broker.broker_id,
        host: endpoint.host.to_string(),
        port: i32::from(endpoint.port),
        rack: broker.rack.as_ref().map(ToString::to_string),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_of_those_that_are_up_is_drawn() {
        assert_eq!(drawn(&[], 5), -1);
        assert_eq!(drawn(&[1, 2, 3], 4), 2);
    }
}

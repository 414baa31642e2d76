//! Which broker has a share partition's state, and the connection to it.
//!
//! Where the coordinator's topic is missing, asking for it creates it, as FindCoordinator does.
//! Answers to `ShareCoordinatorMetadataCacheHelper`.

use std::collections::HashMap;
use std::sync::Arc;

use client::{Address, Peer, PeerSettings};
use coordinator::partition_of;
use coordinator::share::SharePartitionKey;
use parking_lot::Mutex;

use crate::coordinators::share::TOPIC;
use crate::metadata::auto_topics::AutoTopics;
use crate::metadata::dynamic_broker_config::DynamicBrokerConfig;
use crate::metadata::metadata_cache::{MetadataCache, node_address};

/// The brokers that lead partitions of the coordinator's topic.
#[derive(Debug)]
pub(super) struct ShareCoordinators {
    config: Arc<DynamicBrokerConfig>,
    metadata: Arc<MetadataCache>,
    auto_topics: Arc<AutoTopics>,
    peers: Mutex<HashMap<i32, (Address, Arc<Peer>)>>,
}

impl ShareCoordinators {
    pub(super) fn new(
        config: Arc<DynamicBrokerConfig>,
        metadata: Arc<MetadataCache>,
        auto_topics: Arc<AutoTopics>,
    ) -> Self {
        Self { config, metadata, auto_topics, peers: Mutex::default() }
    }

    /// The broker, if there is one now.
    pub(super) fn find(&self, key: &SharePartitionKey) -> Option<i32> {
        let image = self.metadata.image();
        let Some(topic) = image.topics().by_name(TOPIC) else {
            self.auto_topics.create_own(TOPIC);
            return None;
        };
        let partitions = i32::try_from(topic.partitions().len()).ok()?;
        let partition = partition_of(&key.coordinator_key(), partitions);
        let leader = topic.partition(partition)?.leader;
        self.address(leader).map(|_| leader)
    }

    /// The connection to a broker that is up.
    pub(super) fn peer(&self, id: i32) -> Option<Arc<Peer>> {
        let address = self.address(id)?;
        let mut peers = self.peers.lock();
        match peers.get(&id) {
            Some((known, peer)) if *known == address => Some(Arc::clone(peer)),
            _ => {
                let own = self.config.node_id();
                let prefix = format!("[PersisterStateManager broker={own}]: ");
                let settings = PeerSettings::new(own.to_string(), prefix).of_node(id);
                let peer = Arc::new(Peer::new(address.clone(), settings));
                peers.insert(id, (address, Arc::clone(&peer)));
                Some(peer)
            }
        }
    }

    fn address(&self, id: i32) -> Option<Address> {
        let listener = &self.config.current().inter_broker_listener_name;
        node_address(&self.metadata.image(), id, listener)
    }
}

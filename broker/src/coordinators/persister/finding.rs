//! Which broker has a share partition's state, and the connection to it.
//!
//! Where the coordinator's topic is missing, asking for it creates it, as FindCoordinator does.
//! Answers to `ShareCoordinatorMetadataCacheHelper`.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use client::{Address, Peer, PeerError, PeerSettings};
use coordinator::partition_of;
use coordinator::share::SharePartitionKey;
use parking_lot::Mutex;
use protocol::ErrorCode;
use protocol::ask::Ask;

use super::call::Refused;
use super::lane::Brokers;
use crate::coordinators::share::TOPIC;
use crate::metadata::auto_topics::AutoTopics;
use crate::metadata::dynamic_broker_config::DynamicBrokerConfig;
use crate::metadata::metadata_cache::{MetadataCache, node_address};

/// Longer than any of a coordinator's own limits.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(30);

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

    /// The connection to a broker that is up.
    fn peer(&self, id: i32) -> Option<Arc<Peer>> {
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

impl Brokers for ShareCoordinators {
    fn find(&self, key: &SharePartitionKey) -> Option<i32> {
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

    async fn ask<R>(&self, node: i32, request: R) -> Result<R::Answer, Refused>
    where
        R: Ask<Answer: Send> + Send + 'static,
    {
        match self.peer(node) {
            Some(peer) => peer.request(request, REQUEST_TIMEOUT).await.map_err(refused),
            None => Err(Refused::of(ErrorCode::NetworkException)),
        }
    }
}

fn refused(error: PeerError) -> Refused {
    let code = match error {
        PeerError::Unreachable { .. } | PeerError::Disconnected(_) | PeerError::Stopping => {
            ErrorCode::NetworkException
        }
        PeerError::TimedOut(_) => ErrorCode::RequestTimedOut,
        PeerError::UnsupportedVersion { .. } => ErrorCode::UnsupportedVersion,
        PeerError::Garbage { .. } | PeerError::Unencodable(_) => ErrorCode::UnknownServerError,
    };
    Refused { code, message: error.to_string() }
}

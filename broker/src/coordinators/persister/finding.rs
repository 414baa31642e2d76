//! Which broker has a share partition's state, and the connection to it.
//!
//! Where the coordinator's topic is missing, asking for it creates it, as FindCoordinator does.
//! Answers to `ShareCoordinatorMetadataCacheHelper`.

use std::sync::Arc;
use std::time::Duration;

use client::PeerError;
use coordinator::partition_of;
use coordinator::share::SharePartitionKey;
use protocol::ErrorCode;
use protocol::ask::Ask;

use super::call::Refused;
use super::lane::Brokers;
use crate::coordinators::share::TOPIC;
use crate::metadata::auto_topics::AutoTopics;
use crate::metadata::broker_peers::BrokerPeers;
use crate::metadata::dynamic_broker_config::DynamicBrokerConfig;
use crate::metadata::metadata_cache::MetadataCache;

/// Longer than any of a coordinator's own limits.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(30);

/// The brokers that lead partitions of the coordinator's topic.
#[derive(Debug)]
pub(super) struct ShareCoordinators {
    metadata: Arc<MetadataCache>,
    auto_topics: Arc<AutoTopics>,
    peers: BrokerPeers,
}

impl ShareCoordinators {
    pub(super) fn new(
        config: Arc<DynamicBrokerConfig>,
        metadata: Arc<MetadataCache>,
        auto_topics: Arc<AutoTopics>,
    ) -> Self {
        let prefix = format!("[PersisterStateManager broker={}]: ", config.node_id());
        Self { metadata, auto_topics, peers: BrokerPeers::new(config, prefix) }
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
        self.peers.address(&image, leader).map(|_| leader)
    }

    async fn ask<R>(&self, node: i32, request: R) -> Result<R::Answer, Refused>
    where
        R: Ask<Answer: Send> + Send + 'static,
    {
        match self.peers.find(&self.metadata.image(), node) {
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
        PeerError::Unauthenticated { .. } => ErrorCode::SaslAuthenticationFailed,
        PeerError::Garbage { .. } | PeerError::Unencodable(_) => ErrorCode::UnknownServerError,
    };
    Refused { code, message: error.to_string() }
}

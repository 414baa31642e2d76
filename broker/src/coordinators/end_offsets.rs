//! Where partitions end, as their leaders say: what is asked on behalf of share groups, whose lag
//! is told from it. Answers to `NetworkPartitionMetadataClient` (KIP-1226).

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Duration;

use client::{Peer, PeerError};
use coordinator::share::ShareTopicPartition;
use protocol::ErrorCode;
use protocol::messages::list_offsets_request::{ListOffsetsPartition, ListOffsetsTopic};
use protocol::messages::{ListOffsetsRequest, ListOffsetsResponse, TopicName};
use protocol::wire::StrBytes;
use raft::image::MetadataImage;

use super::persister::backoff::Backoff;
use crate::metadata::broker_peers::BrokerPeers;
use crate::metadata::dynamic_broker_config::DynamicBrokerConfig;
use crate::metadata::metadata_cache::MetadataCache;

/// `DEFAULT_SOCKET_CONNECTION_SETUP_TIMEOUT_MAX_MS`, which Kafka waits for an answer.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(30);
const LATEST: i64 = -1;
/// The replica id of whoever is no replica.
const CLIENT: i32 = -1;

/// The high watermark, or why it is not known.
pub(crate) type EndOffset = Result<i64, ErrorCode>;

/// The way to the leaders of partitions.
#[derive(Debug)]
pub(crate) struct EndOffsets {
    metadata: Arc<MetadataCache>,
    peers: BrokerPeers,
}

impl EndOffsets {
    pub(crate) fn new(config: Arc<DynamicBrokerConfig>, metadata: Arc<MetadataCache>) -> Self {
        let prefix = format!("[NetworkPartitionMetadataClient broker={}]: ", config.node_id());
        Self { metadata, peers: BrokerPeers::new(config, prefix) }
    }

    /// Of each of these, from all leaders at once.
    pub(crate) async fn latest(
        &self,
        partitions: BTreeSet<ShareTopicPartition>,
    ) -> BTreeMap<ShareTopicPartition, EndOffset> {
        let image = self.metadata.image();
        let mut ends: BTreeMap<ShareTopicPartition, EndOffset> = BTreeMap::new();
        let mut by_leader: BTreeMap<i32, Vec<(StrBytes, ShareTopicPartition)>> = BTreeMap::new();
        for place in partitions {
            match self.leader(&image, place) {
                Some((leader, topic)) => by_leader.entry(leader).or_default().push((topic, place)),
                None => _ = ends.insert(place, Err(ErrorCode::LeaderNotAvailable)),
            }
        }
        let asked = by_leader.into_iter().map(|(leader, places)| {
            let peer = self.peers.find(&image, leader);
            let request = request(&places);
            let asking = tokio::spawn(async move {
                match peer {
                    Some(peer) => ask(&peer, request).await,
                    None => Err(ErrorCode::NetworkException),
                }
            });
            (places, asking)
        });
        let asked: Vec<_> = asked.collect();
        for (places, asking) in asked {
            let answer = asking.await.unwrap_or(Err(ErrorCode::UnknownServerError));
            let said = answer.as_ref().map(offsets).map_err(|code| *code);
            ends.extend(places.into_iter().map(|(topic, place)| {
                let end = said.as_ref().map_err(|code| *code).and_then(|said| {
                    let end = said.get(&(topic.as_str(), place.partition)).copied();
                    end.unwrap_or(Err(ErrorCode::UnknownTopicOrPartition))
                });
                (place, end)
            }));
        }
        ends
    }

    /// A leader that is up, and the topic's name.
    fn leader(&self, image: &MetadataImage, place: ShareTopicPartition) -> Option<(i32, StrBytes)> {
        let topic = image.topics().by_id(place.topic_id)?;
        let leader = topic.partition(place.partition)?.leader;
        self.peers.address(image, leader).map(|_| (leader, topic.name.clone()))
    }
}

/// Again after a pause where no answer came.
async fn ask(peer: &Peer, request: ListOffsetsRequest) -> Result<ListOffsetsResponse, ErrorCode> {
    let mut backoff = Backoff::default();
    loop {
        let code = match peer.request(request.clone(), REQUEST_TIMEOUT).await {
            Ok(response) => return Ok(response),
            Err(PeerError::Unreachable { .. } | PeerError::Disconnected(_)) => {
                ErrorCode::NetworkException
            }
            Err(PeerError::TimedOut(_)) => ErrorCode::RequestTimedOut,
            Err(_) => return Err(ErrorCode::UnknownServerError),
        };
        // Zero is as good a draw as any where the system has no entropy to give.
        match backoff.failed(getrandom::u64().unwrap_or(0)) {
            Some(pause) => tokio::time::sleep(pause).await,
            None => return Err(code),
        }
    }
}

fn request(places: &[(StrBytes, ShareTopicPartition)]) -> ListOffsetsRequest {
    let mut topics: BTreeMap<&StrBytes, Vec<ListOffsetsPartition>> = BTreeMap::new();
    for (topic, place) in places {
        topics.entry(topic).or_default().push(ListOffsetsPartition {
            partition_index: place.partition,
            current_leader_epoch: -1,
            timestamp: LATEST,
        });
    }
    let topics = topics
        .into_iter()
        .map(|(name, partitions)| ListOffsetsTopic { name: TopicName(name.clone()), partitions });
    let topics = topics.collect();
    ListOffsetsRequest { replica_id: CLIENT.into(), topics, ..ListOffsetsRequest::default() }
}

fn offsets(response: &ListOffsetsResponse) -> HashMap<(&str, i32), EndOffset> {
    let topics = response.topics.iter().flat_map(|topic| {
        topic.partitions.iter().map(|partition| {
            let refused = ErrorCode::try_from_code(partition.error_code);
            let end = refused.map_or(Ok(partition.offset), Err);
            ((topic.name.as_str(), partition.partition_index), end)
        })
    });
    topics.collect()
}

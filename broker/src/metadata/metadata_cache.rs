//! The cluster as this broker has applied it, and what answers say of it: brokers that are alive,
//! who leads a partition and where clients reach it. Kafka: `KRaftMetadataCache`.

use std::sync::Arc;

use arc_swap::ArcSwap;
use client::Address;
use protocol::leader_hint::{CurrentLeader, NodeEndpoint};
use raft::image::MetadataImage;

use super::quorum::QuorumHandle;
use super::suspects::SuspectedBrokers;

/// Topics that Kafka keeps for itself; clients may read them, not write them.
const INTERNAL_TOPICS: [&str; 3] =
    ["__consumer_offsets", "__transaction_state", "__share_group_state"];

/// What this node knows of the cluster.
#[derive(Debug)]
pub(crate) struct MetadataCache {
    cluster_id: String,
    /// What partitions here are already; the quorum's image may be newer.
    applied: ArcSwap<MetadataImage>,
    quorum: Arc<QuorumHandle>,
    suspects: SuspectedBrokers,
}

impl MetadataCache {
    pub(crate) fn new(
        cluster_id: String,
        quorum: Arc<QuorumHandle>,
        suspects: SuspectedBrokers,
    ) -> Self {
        Self { cluster_id, applied: ArcSwap::new(quorum.image()), quorum, suspects }
    }

    pub(crate) fn cluster_id(&self) -> &str {
        &self.cluster_id
    }

    /// The cluster as far as this broker has applied it.
    pub(crate) fn image(&self) -> Arc<MetadataImage> {
        self.applied.load_full()
    }

    /// The partitions are what this image says.
    pub(crate) fn set_image(&self, image: Arc<MetadataImage>) {
        self.applied.store(Arc::clone(&image));
        self.suspects.moved_on(image.cluster());
    }

    /// The image to answer from when the answer names these leaders of an image: one of them may be
    /// going, and then the controller's word is waited for.
    pub(crate) async fn settled_image<Leaders: IntoIterator<Item = i32>>(
        &self,
        leaders: impl Fn(&MetadataImage) -> Leaders,
    ) -> Arc<MetadataImage> {
        self.suspects.settled(|| self.image(), leaders).await
    }

    /// Brokers that are gone or may be.
    pub(crate) fn suspects(&self) -> &SuspectedBrokers {
        &self.suspects
    }

    /// This node lost a broker: a connection that it had was closed or reset, or refused.
    pub(crate) fn lost(&self, broker_id: i32) {
        self.suspects.lost(broker_id, self.applied.load().cluster());
    }

    /// Whether the metadata has the partition, whoever replicates it.
    pub(crate) fn has_partition(&self, topic: &str, partition: i32) -> bool {
        let image = self.applied.load();
        image.topics().by_name(topic).is_some_and(|topic| topic.partition(partition).is_some())
    }

    /// Which broker clients are told to take for the controller: any that is up will do, it
    /// forwards. Kafka: `KRaftMetadataCache.getRandomAliveBrokerId`.
    pub(crate) fn random_alive(image: &MetadataImage) -> i32 {
        let brokers = image.cluster().brokers();
        let alive: Vec<i32> = brokers.filter(|b| !b.fenced).map(|b| b.broker_id).collect();
        // Zero is as good a draw as any where the system has no entropy to give.
        drawn(&alive, getrandom::u64().unwrap_or(0))
    }

    /// Who leads a partition, and where clients of such a listener reach it (KIP-951).
    pub(crate) fn current_leader(
        &self,
        topic: &str,
        partition: i32,
        listener: &str,
    ) -> (CurrentLeader, Option<NodeEndpoint>) {
        // The newest: who is told that we do not lead is not sent back to us.
        let image = self.quorum.image();
        let found = image.topics().by_name(topic).and_then(|topic| topic.partition(partition));
        let Some(found) = found else { return (CurrentLeader::UNKNOWN, None) };
        let leader = CurrentLeader { leader_id: found.leader, leader_epoch: found.leader_epoch };
        (leader, node_endpoint(&image, found.leader, listener))
    }
}

pub(crate) fn is_internal(topic: &str) -> bool {
    INTERNAL_TOPICS.contains(&topic)
}

fn drawn(ids: &[i32], draw: u64) -> i32 {
    let at = usize::try_from(draw % (ids.len() as u64).max(1)).unwrap_or(0);
    ids.get(at).copied().unwrap_or(-1)
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

/// Where this node reaches a broker that is up.
pub(crate) fn node_address(
    image: &MetadataImage,
    broker_id: i32,
    listener: &str,
) -> Option<Address> {
    let NodeEndpoint { host, port, .. } = node_endpoint(image, broker_id, listener)?;
    Some(Address { host, port: u16::try_from(port).ok()? })
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

//! How the cluster stands, as a controller knows it. Kafka: `ControllerMetadataMetrics`,
//! `QuorumControllerMetrics`.
//!
//! Every controller tells, not the active one alone; ActiveControllerCount tells them apart.

use std::sync::Arc;

use metrics::{MetricName, Reading, Registry};
use raft::image::MetadataImage;

use super::metadata_cache::MetadataCache;
use super::quorum::QuorumHandle;

/// Has the registry ask the metadata.
pub(crate) fn show(quorum: &Arc<QuorumHandle>, metadata: &Arc<MetadataCache>, registry: &Registry) {
    let (quorum, metadata) = (Arc::downgrade(quorum), Arc::downgrade(metadata));
    registry.collector(move || match (quorum.upgrade(), metadata.upgrade()) {
        (Some(quorum), Some(metadata)) => read(quorum.is_active(), &metadata.image()),
        _ => Vec::new(),
    });
}

/// One look at the cluster.
fn read(is_active: bool, image: &MetadataImage) -> Vec<(MetricName, Reading)> {
    let (mut partitions, mut offline, mut imbalanced) = (0, 0, 0);
    for (_, partition) in image.topics().iter().flat_map(|topic| topic.partitions()) {
        partitions += 1;
        offline += i64::from(!partition.has_leader());
        imbalanced += i64::from(!partition.has_preferred_leader());
    }
    let brokers = image.cluster().brokers();
    let (fenced, active): (Vec<_>, Vec<_>) = brokers.partition(|broker| broker.fenced);
    let count = |count: usize| i64::try_from(count).unwrap_or(i64::MAX);
    let values = [
        ("ActiveControllerCount", i64::from(is_active)),
        ("GlobalTopicCount", count(image.topics().len())),
        ("GlobalPartitionCount", partitions),
        ("OfflinePartitionsCount", offline),
        ("PreferredReplicaImbalanceCount", imbalanced),
        ("ActiveBrokerCount", count(active.len())),
        ("FencedBrokerCount", count(fenced.len())),
        ("LastAppliedRecordOffset", image.provenance().last_contained_offset),
    ];
    let name = |which| MetricName::new("kafka.controller", "KafkaController", which);
    values.map(|(which, value)| (name(which), Reading::Value(value))).to_vec()
}

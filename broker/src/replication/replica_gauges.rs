//! How the replicas of this broker stand, for whoever reads its metrics.
//!
//! ```text
//! kafka.server:type=ReplicaManager   how many are led, lag, are at the edge    `ReplicaManager`
//! kafka.cluster:type=Partition       each that is led here                     `Partition`
//! kafka.log:type=Log                 each log: offsets, segments, bytes        `UnifiedLog`
//! ```
//! What the metadata says counts: of an in-sync set that was asked for nothing is told.

use std::sync::Arc;

use metrics::{MetricName, Reading, Registry};
use raft::image::{MetadataImage, Partition};

use super::replica_manager::ReplicaManager;
use crate::partitions::HostedPartition;

/// Has the registry ask the replicas.
pub(crate) fn show(replicas: &Arc<ReplicaManager>, registry: &Registry) {
    let gauge = |name, count: fn(&ReplicaManager) -> usize| {
        let replicas = Arc::downgrade(replicas);
        let value = move || integer(replicas.upgrade().map_or(0, |replicas| count(&replicas)));
        registry.gauge(MetricName::new("kafka.server", "ReplicaManager", name), value);
    };
    gauge("PartitionCount", |replicas| replicas.partitions.all().len());
    gauge("OfflineReplicaCount", |replicas| replicas.partitions.offline_count());
    gauge("LeaderCount", |replicas| {
        replicas.partitions.all().iter().filter(|each| each.published().leads()).count()
    });
    gauge("UnderReplicatedPartitions", |replicas| led(replicas, |led| led.is_under_replicated()));
    gauge("UnderMinIsrPartitionCount", |replicas| led(replicas, |led| led.is_under_min_isr()));
    gauge("AtMinIsrPartitionCount", |replicas| led(replicas, |led| led.is_at_min_isr()));
    gauge("ReassigningPartitions", |replicas| led(replicas, |led| led.partition.is_reassigning()));
    let replicas = Arc::downgrade(replicas);
    registry.collector(move || replicas.upgrade().map_or_else(Vec::new, |here| each(&here)));
}

/// A partition that is led here, as the metadata has it.
struct Led<'a> {
    partition: &'a Partition,
    min_in_sync: usize,
}

impl<'a> Led<'a> {
    fn of(image: &'a MetadataImage, hosted: &HostedPartition) -> Option<Self> {
        let topic = image.topics().by_id(hosted.topic_id())?;
        let partition = topic.partition(hosted.partition())?;
        // Of a replication factor below it Kafka takes that.
        let min_in_sync = hosted.min_in_sync().min(partition.replicas.len());
        hosted.published().leads().then_some(Self { partition, min_in_sync })
    }

    /// Those that a reassignment adds are not missed yet.
    fn is_under_replicated(&self) -> bool {
        let is_added = |id: &&i32| self.partition.adding_replicas.contains(id);
        let replicas = self.partition.replicas.iter().filter(|id| !is_added(id)).count();
        self.partition.isr.len() < replicas
    }

    fn is_under_min_isr(&self) -> bool {
        self.partition.isr.len() < self.min_in_sync
    }

    fn is_at_min_isr(&self) -> bool {
        self.partition.isr.len() == self.min_in_sync
    }
}

/// How many of those that are led here are so.
fn led(replicas: &ReplicaManager, is_so: fn(&Led<'_>) -> bool) -> usize {
    let image = replicas.metadata.image();
    let all = replicas.partitions.all();
    all.iter().filter(|hosted| Led::of(&image, hosted).is_some_and(|led| is_so(&led))).count()
}

fn each(replicas: &ReplicaManager) -> Vec<(MetricName, Reading)> {
    let image = replicas.metadata.image();
    let mut readings = Vec::new();
    for hosted in replicas.partitions.all() {
        let name = |domain, kind, name| {
            let name = MetricName::new(domain, kind, name);
            let name = name.with_tag("topic", &**hosted.topic());
            name.with_tag("partition", hosted.partition().to_string())
        };
        let published = hosted.published();
        let reader = hosted.reader();
        let of_log = [
            ("LogStartOffset", published.log_start_offset()),
            ("LogEndOffset", published.log_end_offset()),
            ("Size", i64::try_from(reader.size_bytes()).unwrap_or(i64::MAX)),
            ("NumLogSegments", integer(reader.segment_count())),
        ];
        readings.extend(
            of_log.map(|(which, value)| (name("kafka.log", "Log", which), Reading::Value(value))),
        );
        let Some(led) = Led::of(&image, &hosted) else { continue };
        let of_partition = [
            ("ReplicasCount", integer(led.partition.replicas.len())),
            ("InSyncReplicasCount", integer(led.partition.isr.len())),
            ("UnderReplicated", i64::from(led.is_under_replicated())),
            ("UnderMinIsr", i64::from(led.is_under_min_isr())),
            ("AtMinIsr", i64::from(led.is_at_min_isr())),
            ("LastStableOffsetLag", published.high_watermark() - published.last_stable_offset()),
        ];
        readings.extend(of_partition.map(|(which, value)| {
            (name("kafka.cluster", "Partition", which), Reading::Value(value))
        }));
    }
    readings
}

fn integer(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

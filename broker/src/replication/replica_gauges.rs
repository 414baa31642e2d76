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
    let replicas = Arc::downgrade(replicas);
    registry.collector(move || replicas.upgrade().map_or_else(Vec::new, |here| read(&here)));
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

/// How many are so, of all that are here.
#[derive(Default)]
struct Counts {
    partitions: usize,
    leaders: usize,
    under_replicated: usize,
    under_min_isr: usize,
    at_min_isr: usize,
    reassigning: usize,
}

impl Counts {
    fn add(&mut self, led: &Led<'_>) {
        self.under_replicated += usize::from(led.is_under_replicated());
        self.under_min_isr += usize::from(led.is_under_min_isr());
        self.at_min_isr += usize::from(led.is_at_min_isr());
        self.reassigning += usize::from(led.partition.is_reassigning());
    }
}

/// One look at all of them.
fn read(replicas: &ReplicaManager) -> Vec<(MetricName, Reading)> {
    let image = replicas.metadata.image();
    let (mut readings, mut counts) = (Vec::new(), Counts::default());
    for hosted in replicas.partitions.all() {
        counts.partitions += 1;
        counts.leaders += usize::from(hosted.published().leads());
        of_log(&hosted, &mut readings);
        if let Some(led) = Led::of(&image, &hosted) {
            counts.add(&led);
            of_partition(&hosted, &led, &mut readings);
        }
    }
    let of_all = [
        ("PartitionCount", counts.partitions),
        ("OfflineReplicaCount", replicas.partitions.offline_count()),
        ("LeaderCount", counts.leaders),
        ("UnderReplicatedPartitions", counts.under_replicated),
        ("UnderMinIsrPartitionCount", counts.under_min_isr),
        ("AtMinIsrPartitionCount", counts.at_min_isr),
        ("ReassigningPartitions", counts.reassigning),
    ];
    readings.extend(of_all.map(|(which, count)| {
        let name = MetricName::new("kafka.server", "ReplicaManager", which);
        (name, Reading::Value(integer(count)))
    }));
    readings
}

fn named(
    hosted: &HostedPartition,
    domain: &'static str,
    kind: &'static str,
    which: &'static str,
) -> MetricName {
    let name = MetricName::new(domain, kind, which).with_tag("topic", &**hosted.topic());
    name.with_tag("partition", hosted.partition().to_string())
}

fn of_log(hosted: &HostedPartition, readings: &mut Vec<(MetricName, Reading)>) {
    let (published, reader) = (hosted.published(), hosted.reader());
    let values = [
        ("LogStartOffset", published.log_start_offset()),
        ("LogEndOffset", published.log_end_offset()),
        ("Size", i64::try_from(reader.size_bytes()).unwrap_or(i64::MAX)),
        ("NumLogSegments", integer(reader.segment_count())),
    ];
    let of_log = |which| named(hosted, "kafka.log", "Log", which);
    readings.extend(values.map(|(which, value)| (of_log(which), Reading::Value(value))));
}

fn of_partition(
    hosted: &HostedPartition,
    led: &Led<'_>,
    readings: &mut Vec<(MetricName, Reading)>,
) {
    let published = hosted.published();
    let values = [
        ("ReplicasCount", integer(led.partition.replicas.len())),
        ("InSyncReplicasCount", integer(led.partition.isr.len())),
        ("UnderReplicated", i64::from(led.is_under_replicated())),
        ("UnderMinIsr", i64::from(led.is_under_min_isr())),
        ("AtMinIsr", i64::from(led.is_at_min_isr())),
        ("LastStableOffsetLag", published.high_watermark() - published.last_stable_offset()),
    ];
    let of_partition = |which| named(hosted, "kafka.cluster", "Partition", which);
    readings.extend(values.map(|(which, value)| (of_partition(which), Reading::Value(value))));
}

fn integer(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

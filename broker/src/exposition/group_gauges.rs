//! The groups of this coordinator, and how far each is behind, as the public exporters of group lag
//! name it: nobody has to run one beside the broker.
//!
//! ```text
//! kafka_consumergroup_current_offset{consumergroup,topic,partition}   what it has committed
//! kafka_consumergroup_lag{…}                                          records behind it
//! kafka_server_group_coordinator_metrics_group_count{protocol}        groups by their protocol
//! kafka_topic_partition_current_offset{topic,partition}               where readers can get to
//! ```
//! Kept true: of a partition that has no replica on this broker no lag is told, since its end is
//! not known here; a shard is held for one group at a time.

use std::collections::BTreeMap;
use std::sync::{Arc, Weak};

use coordinator::group::FetchedTopic;
use metrics::{MetricName, Reading};

use crate::broker::Broker;

/// Has the registry ask the coordinator.
pub(crate) fn show(broker: &Arc<Broker>) {
    let asked: Weak<Broker> = Arc::downgrade(broker);
    broker.metrics.collector(move || asked.upgrade().map_or_else(Vec::new, |here| each(&here)));
}

/// What one group has committed.
struct Committed {
    group: String,
    topics: Vec<FetchedTopic>,
}

fn each(broker: &Broker) -> Vec<(MetricName, Reading)> {
    let mut readings = ends(broker);
    let mut by_protocol: BTreeMap<&'static str, i64> = BTreeMap::new();
    for shard in broker.groups.shards() {
        // A shard that is being loaded or was lost has nothing to tell.
        let Ok(listed) = shard.act(|shard, _, _| shard.list(&[], &[])) else { continue };
        for group in listed {
            *by_protocol.entry(group.kind.name()).or_default() += 1;
            let id = group.group;
            // One group at a time: commits of others wait for no more than that.
            let told = shard.act(|shard, _, _| shard.fetch_all_offsets(&id, None, false));
            if let Ok(Ok(topics)) = told {
                lags(broker, &Committed { group: id.to_string(), topics }, &mut readings);
            }
        }
    }
    readings.extend(by_protocol.into_iter().map(|(protocol, count)| {
        let name = MetricName::new("kafka.server", "group-coordinator-metrics", "group-count");
        (name.with_tag("protocol", protocol.to_lowercase()), Reading::Value(count))
    }));
    readings
}

fn lags(broker: &Broker, committed: &Committed, readings: &mut Vec<(MetricName, Reading)>) {
    for topic in &committed.topics {
        for partition in &topic.partitions {
            let Ok(Some(offset)) = &partition.offset else { continue };
            let name = |which| {
                MetricName::new("kafka", "consumergroup", which)
                    .with_tag("consumergroup", committed.group.as_str())
                    .with_tag("topic", topic.topic.as_str())
                    .with_tag("partition", partition.partition.to_string())
            };
            readings.push((name("current_offset"), Reading::Value(offset.offset)));
            let hosted = broker.replicas.partitions.partition(&topic.topic, partition.partition);
            if let Some(hosted) = hosted {
                let lag = hosted.published().high_watermark() - offset.offset;
                readings.push((name("lag"), Reading::Value(lag.max(0))));
            }
        }
    }
}

/// Where the partitions end that are led here.
fn ends(broker: &Broker) -> Vec<(MetricName, Reading)> {
    let hosted = broker.replicas.partitions.all().into_iter();
    let ends = hosted.filter(|hosted| hosted.published().leads()).flat_map(|hosted| {
        let name = |which| {
            MetricName::new("kafka", "topic_partition", which)
                .with_tag("topic", &**hosted.topic())
                .with_tag("partition", hosted.partition().to_string())
        };
        let published = hosted.published();
        [
            (name("current_offset"), Reading::Value(published.high_watermark())),
            (name("oldest_offset"), Reading::Value(published.log_start_offset())),
        ]
    });
    ends.collect()
}

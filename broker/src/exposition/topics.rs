//! `/api/topics` and `/api/topic`: topics by name, and the partitions of one.

use std::sync::Arc;

use client::admin::TopicPartition;
use protocol::Base64Uuid;
use raft::image::{MetadataImage, Partition, Topic};

use super::cluster_client::{ClusterClient, Figures, Placed};
use super::json::Json;
use super::overview::is_under_replicated;
use super::query::Query;
use crate::broker::Broker;
use crate::clock::wall_ms;
use crate::metadata::metadata_cache::is_internal;

pub(super) async fn topics(broker: &Broker, client: &ClusterClient, query: &Query) -> Json {
    let image = broker.metadata.image();
    let sorted = image.topics().sorted();
    let is_troubled = |topic: &Topic| {
        topic
            .partitions()
            .any(|(_, partition)| !partition.has_leader() || is_under_replicated(partition))
    };
    let matching = sorted
        .iter()
        .filter(|topic| query.finds(&topic.name) && (!query.troubled || is_troubled(topic)));
    let matching: Vec<&Arc<Topic>> = matching.copied().collect();
    let part = query.part(&matching);
    let placed = part.iter().flat_map(|topic| placed(topic));
    let figures = client.figures(&image, &placed.collect::<Vec<_>>()).await;
    let rows = part.iter().map(|topic| of_topic(topic, &figures));
    Json::Object(vec![
        ("at", wall_ms().into()),
        ("total", Json::count(sorted.len())),
        ("matching", Json::count(matching.len())),
        ("offset", Json::count(query.offset)),
        ("topics", Json::List(rows.collect())),
        ("problem", figures.problem.into()),
    ])
}

/// One topic; nothing where there is none of this name.
pub(super) async fn topic(broker: &Broker, client: &ClusterClient, query: &Query) -> Option<Json> {
    let image = broker.metadata.image();
    let topic = Arc::clone(image.topics().by_name(&query.name)?);
    let all: Vec<(i32, &Arc<Partition>)> = topic.partitions().collect();
    let part = query.part(&all);
    let asked: Vec<Placed> =
        part.iter().map(|(id, partition)| of_place(&topic, *id, partition)).collect();
    let figures = client.figures(&image, &asked).await;
    let rows =
        part.iter().map(|(id, partition)| of_partition(&image, &topic, *id, partition, &figures));
    Some(Json::Object(vec![
        ("at", wall_ms().into()),
        ("name", topic.name.as_str().into()),
        ("id", Base64Uuid(topic.id).to_string().into()),
        ("internal", is_internal(&topic.name).into()),
        ("total", Json::count(all.len())),
        ("offset", Json::count(query.offset)),
        ("partitions", Json::List(rows.collect())),
        ("problem", figures.problem.into()),
    ]))
}

fn placed(topic: &Topic) -> impl Iterator<Item = Placed> {
    topic.partitions().map(move |(id, partition)| of_place(topic, id, partition))
}

fn of_place(topic: &Topic, id: i32, partition: &Partition) -> Placed {
    Placed {
        partition: TopicPartition { topic: topic.name.to_string(), partition: id },
        replicas: partition.replicas.clone(),
        has_leader: partition.has_leader(),
    }
}

/// The sum where all are known.
fn sum(topic: &Topic, of: impl Fn(&TopicPartition) -> Option<i64>) -> Option<i64> {
    let name = topic.name.to_string();
    let mut key = TopicPartition { topic: name, partition: 0 };
    topic.partitions().try_fold(0_i64, |sum, (id, _)| {
        key.partition = id;
        of(&key).map(|value| sum.saturating_add(value))
    })
}

fn of_topic(topic: &Topic, figures: &Figures) -> Json {
    let count = |is: fn(&Partition) -> bool| {
        Json::count(topic.partitions().filter(|(_, partition)| is(partition)).count())
    };
    let factors = || topic.partitions().map(|(_, partition)| partition.replicas.len());
    Json::Object(vec![
        ("name", topic.name.as_str().into()),
        ("internal", is_internal(&topic.name).into()),
        ("partitions", Json::count(topic.partitions().len())),
        ("replicas", Json::count(factors().max().unwrap_or(0))),
        ("underReplicated", count(is_under_replicated)),
        ("offline", count(|partition| !partition.has_leader())),
        ("size", sum(topic, |key| figures.sizes.get(key).copied()).into()),
        ("end", sum(topic, |key| figures.ends.get(key).copied()).into()),
    ])
}

fn of_partition(
    image: &MetadataImage,
    topic: &Topic,
    id: i32,
    partition: &Partition,
    figures: &Figures,
) -> Json {
    let key = TopicPartition { topic: topic.name.to_string(), partition: id };
    let out = partition.replicas.iter().filter(|id| !image.cluster().is_active(**id));
    Json::Object(vec![
        ("id", id.into()),
        ("leader", Some(partition.leader).filter(|_| partition.has_leader()).into()),
        ("replicas", Json::list(partition.replicas.iter().copied())),
        ("isr", Json::list(partition.isr.iter().copied())),
        ("down", Json::list(out.copied())),
        ("underReplicated", is_under_replicated(partition).into()),
        ("reassigning", partition.is_reassigning().into()),
        ("size", figures.sizes.get(&key).copied().into()),
        ("end", figures.ends.get(&key).copied().into()),
    ])
}

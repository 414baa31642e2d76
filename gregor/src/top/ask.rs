//! Takes samples of a cluster by what any client may ask of it.
//!
//! Kept true: a broker, a partition or a group that does not answer is missing from the sample, and
//! does not end it; a cluster that does not answer at all does.

use std::collections::{BTreeMap, HashMap};

use client::admin::{Admin, AdminError, GroupFilter, OffsetSpec, TopicPartition};

use super::screen::{BrokerSeen, Key, PartitionSeen, Sample};

/// The greatest number of partitions in one answer.
const PAGE: i32 = 2000;

pub(crate) async fn sample(admin: &mut Admin) -> Result<Sample, AdminError> {
    let cluster = admin.describe_cluster(false).await?;
    let mut brokers = Vec::new();
    for node in &cluster.nodes {
        let dirs = admin.describe_log_dirs(node.id).await.ok();
        let replicas = |dirs: Vec<client::admin::LogDir>| {
            let replicas = dirs.into_iter().flat_map(|dir| dir.replicas);
            replicas.map(|replica| u64::try_from(replica.size).unwrap_or(0)).sum()
        };
        brokers.push(BrokerSeen {
            id: node.id,
            address: node.address.to_string(),
            rack: node.rack.clone(),
            log_bytes: dirs.map(replicas),
        });
    }
    brokers.sort_by_key(|broker| broker.id);
    let partitions = partitions(admin).await?;
    let groups = groups(admin).await?;
    Ok(Sample { controller: cluster.controller_id, brokers, partitions, groups })
}

async fn partitions(admin: &mut Admin) -> Result<BTreeMap<Key, PartitionSeen>, AdminError> {
    let listed = admin.list_topics().await?;
    let names: Vec<String> = listed.into_iter().map(|topic| topic.name).collect();
    // A topic that was deleted since it was listed is missing for one sample, with all others.
    let topics = match admin.describe_topics(&names, PAGE).await {
        Err(AdminError::Answer { .. }) => Vec::new(),
        described => described?,
    };
    let mut seen = BTreeMap::new();
    for topic in topics {
        for partition in topic.partitions {
            let (leader, end) = (partition.leader, None);
            let (replicas, isr) = (partition.replicas, partition.isr);
            let key = (topic.name.clone(), partition.index);
            seen.insert(key, PartitionSeen { leader, replicas, isr, end });
        }
    }
    let led = seen.iter().filter(|(_, partition)| partition.leader.is_some());
    let asked: Vec<TopicPartition> = led
        .map(|((topic, partition), _)| TopicPartition {
            topic: topic.clone(),
            partition: *partition,
        })
        .collect();
    let ends: HashMap<_, _> = admin.list_offsets(&asked, OffsetSpec::Latest).await;
    for (partition, end) in ends {
        if let (Some(seen), Ok(end)) = (seen.get_mut(&key(partition)), end) {
            seen.end = Some(end.offset);
        }
    }
    Ok(seen)
}

fn key(of: TopicPartition) -> Key {
    (of.topic, of.partition)
}

async fn groups(admin: &mut Admin) -> Result<BTreeMap<String, Vec<(Key, i64)>>, AdminError> {
    let listed = admin.list_groups(&GroupFilter::consumers()).await?;
    let names: Vec<String> = listed.into_iter().map(|group| group.group).collect();
    let mut groups = BTreeMap::new();
    for (group, committed) in admin.committed_offsets(&names).await {
        let Ok(committed) = committed else { continue };
        let known = committed
            .into_iter()
            .filter_map(|(partition, offset)| Some((key(partition), offset?.offset)));
        groups.insert(group, known.collect());
    }
    Ok(groups)
}

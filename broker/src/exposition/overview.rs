//! `/api/overview`: the cluster and its brokers.

use std::collections::BTreeMap;

use client::admin::LogDir;
use raft::image::{self, MetadataImage};

use super::cluster_client::ClusterClient;
use super::json::Json;
use crate::broker::{Broker, KAFKA_VERSION};
use crate::clock::wall_ms;

/// Brokers that are listed.
const BROKERS_MAX: usize = 500;

/// What partitions come to for one broker.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
struct Share {
    leaders: i64,
    replicas: i64,
    /// Partitions that are led here and lack replicas.
    under_replicated: i64,
    /// Replicas here that are not in sync.
    lagging: i64,
}

/// What partitions come to in all.
#[derive(Debug, Default, PartialEq, Eq)]
struct Totals {
    partitions: i64,
    offline: i64,
    under_replicated: i64,
    shares: BTreeMap<i32, Share>,
}

impl Totals {
    fn of(image: &MetadataImage) -> Self {
        let mut totals = Self::default();
        for (_, partition) in image.topics().iter().flat_map(|topic| topic.partitions()) {
            totals.add(partition);
        }
        totals
    }

    fn add(&mut self, partition: &image::Partition) {
        let lacks = is_under_replicated(partition);
        self.partitions += 1;
        self.offline += i64::from(!partition.has_leader());
        self.under_replicated += i64::from(lacks);
        for id in &partition.replicas {
            let share = self.shares.entry(*id).or_default();
            share.replicas += 1;
            share.lagging += i64::from(!partition.isr.contains(id));
        }
        if partition.has_leader() {
            let share = self.shares.entry(partition.leader).or_default();
            share.leaders += 1;
            share.under_replicated += i64::from(lacks);
        }
    }
}

/// Those that a reassignment adds are not missed yet.
pub(super) fn is_under_replicated(partition: &image::Partition) -> bool {
    let is_added = |id: &&i32| partition.adding_replicas.contains(id);
    partition.isr.len() < partition.replicas.iter().filter(|id| !is_added(id)).count()
}

pub(super) async fn overview(broker: &Broker, client: &ClusterClient) -> Json {
    let image = broker.metadata.image();
    let totals = Totals::of(&image);
    let disks = client.disks(&image).await;
    let features = image.features().finalized().map(|(name, level)| {
        Json::Object(vec![("name", name.into()), ("level", i32::from(level).into())])
    });
    let roles = broker.config.current().process_roles;
    let roles = [("broker", roles.broker), ("controller", roles.controller)];
    let roles = roles.into_iter().filter(|(_, has)| *has).map(|(role, _)| role);
    let all = image.cluster().brokers();
    let brokers = all.take(BROKERS_MAX).map(|registered| {
        let id = registered.broker_id;
        let told = match &disks {
            Ok(disks) => disks.get(&id).map(Result::as_ref),
            Err(_) => None,
        };
        let share = totals.shares.get(&id).copied().unwrap_or_default();
        of_broker(registered, share, told)
    });
    Json::Object(vec![
        ("at", wall_ms().into()),
        ("clusterId", broker.metadata.cluster_id().into()),
        ("node", broker.config.node_id().into()),
        ("roles", Json::list(roles)),
        ("controller", Some(broker.quorum.leader_id()).filter(|id| *id >= 0).into()),
        ("release", KAFKA_VERSION.into()),
        ("metadataVersion", image.metadata_version().name().into()),
        ("features", Json::List(features.collect())),
        ("topics", Json::count(image.topics().len())),
        ("partitions", totals.partitions.into()),
        ("offline", totals.offline.into()),
        ("underReplicated", totals.under_replicated.into()),
        ("brokerCount", Json::count(image.cluster().brokers().len())),
        ("brokers", Json::List(brokers.collect())),
        ("problem", disks.err().into()),
    ])
}

fn of_broker(
    registered: &image::Broker,
    share: Share,
    disks: Option<Result<&Vec<LogDir>, &String>>,
) -> Json {
    let state = match (registered.fenced, registered.in_controlled_shutdown) {
        (true, _) => "fenced",
        (false, true) => "shutting down",
        (false, false) => "up",
    };
    let endpoint = registered.end_points.first();
    let endpoint = endpoint.map(|endpoint| format!("{}:{}", endpoint.host.as_str(), endpoint.port));
    let dirs = disks.and_then(Result::ok).map(|dirs| dirs.iter().map(of_dir).collect());
    Json::Object(vec![
        ("id", registered.broker_id.into()),
        ("rack", registered.rack.as_ref().map(|rack| rack.to_string()).into()),
        ("endpoint", endpoint.into()),
        ("state", state.into()),
        ("leaders", share.leaders.into()),
        ("replicas", share.replicas.into()),
        ("underReplicated", share.under_replicated.into()),
        ("lagging", share.lagging.into()),
        ("dirs", dirs.map_or(Json::Null, Json::List)),
        ("problem", disks.and_then(Result::err).cloned().into()),
    ])
}

fn of_dir(dir: &LogDir) -> Json {
    Json::Object(vec![
        ("path", dir.path.as_str().into()),
        ("problem", dir.error.as_ref().map(ToString::to_string).into()),
        ("total", dir.space.map(|space| space.total).into()),
        ("usable", dir.space.map(|space| space.usable).into()),
    ])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn leaders_and_replicas_that_lack_are_counted_for_their_brokers() {
        let partition = |replicas: &[i32], isr: &[i32], leader: i32| {
            let directories = replicas.iter().map(|_| uuid::Uuid::nil()).collect();
            let mut made = image::Partition::new(replicas.to_vec(), directories, isr.to_vec());
            made.leader = leader;
            made
        };
        let mut totals = Totals::default();
        totals.add(&partition(&[1, 2], &[1, 2], 1));
        totals.add(&partition(&[2, 1], &[2], 2));
        totals.add(&partition(&[2, 3], &[3], -1));
        let mut added = partition(&[1, 4], &[1], 1);
        added.adding_replicas = vec![4];
        totals.add(&added);
        assert_eq!((totals.partitions, totals.offline, totals.under_replicated), (4, 1, 2));
        let of = |id| totals.shares[&id];
        let share = |leaders, replicas, under_replicated, lagging| Share {
            leaders,
            replicas,
            under_replicated,
            lagging,
        };
        assert_eq!(of(1), share(2, 3, 0, 1));
        assert_eq!(of(2), share(1, 3, 1, 1));
        assert_eq!(of(3), share(0, 1, 0, 0));
        assert_eq!(of(4), share(0, 1, 0, 1));
    }
}

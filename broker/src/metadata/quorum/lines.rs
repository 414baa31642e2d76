//! What the controller says of the metadata that it replays and of brokers that come and go, in
//! the words of Kafka's `QuorumController` and its control managers.

use protocol::Base64Uuid;
use raft::image::{Broker, Changes, ConfigResource, MetadataImage, ResourceType};

/// The leader of the quorum is another, as a controller says it.
pub(super) fn leader_is(node_id: i32, epoch: i32, leader: Option<i32>) {
    let leader = leader.map_or_else(|| "(none)".to_owned(), |id| id.to_string());
    tracing::info!(
        target: "org.apache.kafka.controller.QuorumController",
        "[QuorumController id={node_id}] In the new epoch {epoch}, the leader is {leader}.",
    );
}

/// A broker was silent for longer than its session lasts.
pub(super) fn session_over(node_id: i32, broker: i32, epoch: i64) {
    tracing::info!(
        target: "org.apache.kafka.controller.ReplicationControlManager",
        "[QuorumController id={node_id}] Fencing broker {broker} at epoch {epoch} because its \
         session has timed out.",
    );
}

/// What a controller has replayed.
pub(super) fn replayed(
    node_id: i32,
    before: &MetadataImage,
    after: &MetadataImage,
    changes: &Changes,
) {
    for (id, name) in &changes.deleted_topics {
        tracing::info!(
            target: "org.apache.kafka.controller.ReplicationControlManager",
            "[QuorumController id={node_id}] Replayed RemoveTopicRecord for topic {name} with ID \
             {}.",
            Base64Uuid(*id),
        );
    }
    for (id, _) in changes.topics.iter().filter(|(_, change)| change.created) {
        let Some(topic) = after.topics().by_id(*id) else { continue };
        tracing::info!(
            target: "org.apache.kafka.controller.ReplicationControlManager",
            "[QuorumController id={node_id}] Replayed TopicRecord for topic {} with topic ID {}.",
            topic.name, Base64Uuid(*id),
        );
    }
    let of_topics = changes.configs.iter().filter(|c| c.resource_type == ResourceType::Topic);
    // No setting of a topic is a secret.
    of_topics.for_each(|resource| settings(node_id, resource, before, after));
}

fn settings(
    node_id: i32,
    resource: &ConfigResource,
    before: &MetadataImage,
    after: &MetadataImage,
) {
    let (old, new) = (before.configs().of(resource), after.configs().of(resource));
    for (name, value) in new.iter().filter(|(name, value)| old.get(*name) != Some(value)) {
        tracing::info!(
            target: "org.apache.kafka.controller.ConfigurationControlManager",
            "[QuorumController id={node_id}] Replayed ConfigRecord for \
             ConfigResource(type=TOPIC, name='{}') which set configuration {name} to {value}",
            resource.name,
        );
    }
}

/// What the active controller has granted and taken.
pub(super) fn decided(
    node_id: i32,
    before: &MetadataImage,
    after: &MetadataImage,
    changes: &Changes,
) {
    for id in &changes.brokers {
        let (old, new) = (before.cluster().broker(*id), after.cluster().broker(*id));
        if let Some((old, new)) = old.zip(new).filter(|(old, new)| same_life(old, new)) {
            broker_changed(node_id, old, new, changes);
        }
    }
}

fn same_life(old: &Broker, new: &Broker) -> bool {
    old.broker_epoch == new.broker_epoch
}

fn broker_changed(node_id: i32, old: &Broker, new: &Broker, changes: &Changes) {
    let (id, epoch) = (new.broker_id, new.broker_epoch);
    if old.fenced && !new.fenced {
        tracing::info!(
            target: "org.apache.kafka.controller.BrokerHeartbeatManager",
            "[QuorumController id={node_id}] The request from broker {id} to unfence has been \
             granted because it has caught up with the offset of its register broker record \
             {epoch}.",
        );
    }
    if !old.in_controlled_shutdown && new.in_controlled_shutdown {
        tracing::info!(
            target: "org.apache.kafka.controller.BrokerHeartbeatManager",
            "[QuorumController id={node_id}] Unfenced broker {id} has requested and been granted \
             a controlled shutdown.",
        );
    }
    let moved: usize = changes.topics.values().map(|change| change.partitions.len()).sum();
    if moved == 0 {
        return;
    }
    if !old.fenced && new.fenced && !new.in_controlled_shutdown {
        tracing::info!(
            target: "org.apache.kafka.controller.ReplicationControlManager",
            "[QuorumController id={node_id}] handleBrokerFenced: changing {moved} partition(s)",
        );
    } else if !old.in_controlled_shutdown && new.in_controlled_shutdown {
        tracing::info!(
            target: "org.apache.kafka.controller.ReplicationControlManager",
            "[QuorumController id={node_id}] enterControlledShutdown[{id}]: changing {moved} \
             partition(s)",
        );
    }
}

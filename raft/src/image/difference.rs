//! What differs between two images that no records lead across: a snapshot came from elsewhere.
//!
//! Answers to what `MetadataDelta.finishSnapshot` finds missing.

use std::collections::BTreeSet;
use std::sync::Arc;

use protocol::wire::StrBytes;

use super::changes::{Changes, TopicChange};
use super::topics::Topic;
use super::{ClusterImage, MetadataImage};

/// Everything that the one has and the other has not, or has otherwise.
pub(super) fn between(before: &MetadataImage, after: &MetadataImage) -> Changes {
    let mut changes = Changes {
        brokers: differing(
            before.cluster.brokers().map(|broker| broker.broker_id),
            after.cluster.brokers().map(|broker| broker.broker_id),
            |id| before.cluster.broker(*id) == after.cluster.broker(*id),
        ),
        controllers: controllers(&before.cluster, &after.cluster),
        producer_ids: before.producer_ids != after.producer_ids,
        acls: differing(
            before.acls.iter().map(|acl| acl.id),
            after.acls.iter().map(|acl| acl.id),
            |id| before.acls.find(*id) == after.acls.find(*id),
        ),
        configs: differing(
            before.configs.resources().map(|(resource, _)| resource.clone()),
            after.configs.resources().map(|(resource, _)| resource.clone()),
            |resource| before.configs.of(resource) == after.configs.of(resource),
        ),
        client_quotas: differing(
            before.client_quotas.iter().map(|(entity, _)| entity.clone()),
            after.client_quotas.iter().map(|(entity, _)| entity.clone()),
            |entity| before.client_quotas.of(entity) == after.client_quotas.of(entity),
        ),
        scram: differing(
            before.scram.iter().map(|user| (user.mechanism, user.name.clone())),
            after.scram.iter().map(|user| (user.mechanism, user.name.clone())),
            |(mechanism, name)| {
                before.scram.find(*mechanism, name) == after.scram.find(*mechanism, name)
            },
        ),
        delegation_tokens: differing(
            before.delegation_tokens.iter().map(|token| token.token_id.clone()),
            after.delegation_tokens.iter().map(|token| token.token_id.clone()),
            |id| before.delegation_tokens.find(id) == after.delegation_tokens.find(id),
        ),
        features: differing(
            before.features.finalized().map(|(name, _)| StrBytes::from_string(name.to_owned())),
            after.features.finalized().map(|(name, _)| StrBytes::from_string(name.to_owned())),
            |name| before.features.level(name) == after.features.level(name),
        ),
        ..Changes::default()
    };
    topics(before, after, &mut changes);
    changes
}

fn differing<K: Ord>(
    before: impl Iterator<Item = K>,
    after: impl Iterator<Item = K>,
    same: impl Fn(&K) -> bool,
) -> BTreeSet<K> {
    before.chain(after).filter(|key| !same(key)).collect()
}

fn controllers(before: &ClusterImage, after: &ClusterImage) -> BTreeSet<i32> {
    let of = |image: &ClusterImage| -> Vec<i32> {
        image.controllers().map(|controller| controller.controller_id).collect()
    };
    differing(of(before).into_iter(), of(after).into_iter(), |id| {
        before.controller(*id) == after.controller(*id)
    })
}

fn topics(before: &MetadataImage, after: &MetadataImage, changes: &mut Changes) {
    for topic in before.topics.iter() {
        if after.topics.by_id(topic.id).is_none() {
            changes.deleted_topics.insert(topic.id, topic.name.clone());
        }
    }
    for topic in after.topics.iter() {
        let known = before.topics.by_id(topic.id);
        let differs =
            |id: &i32| known.and_then(|known| known.partition(*id)) != topic.partition(*id);
        let partitions: BTreeSet<i32> = ids(topic).filter(differs).collect();
        if known.is_none() || !partitions.is_empty() {
            let change = TopicChange { created: known.is_none(), partitions };
            changes.topics.insert(topic.id, change);
        }
    }
}

fn ids(topic: &Arc<Topic>) -> impl Iterator<Item = i32> {
    topic.partitions().map(|(id, _)| id)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::image::MetadataDelta;
    use crate::image::tests::{image_of, random_records};

    #[test]
    fn an_image_differs_from_itself_in_nothing_and_from_another_in_what_records_change() {
        for seed in 0..20 {
            let records = random_records(seed, 120);
            let (head, tail) = records.split_at(60);
            let before = image_of(head);
            let mut delta = MetadataDelta::new(&before);
            if tail.iter().any(|record| delta.replay(record).is_err()) {
                continue;
            }
            let after = delta.after().clone();
            assert!(between(&before, &before).is_empty(), "seed {seed}");
            let (found, replayed) = (between(&before, &after), delta.changes());
            assert!(found.brokers.is_subset(&replayed.brokers), "seed {seed}");
            assert!(found.configs.is_subset(&replayed.configs), "seed {seed}");
            assert_eq!(found.deleted_topics, replayed.deleted_topics, "seed {seed}");
            for (id, change) in &found.topics {
                let replayed = &replayed.topics[id];
                assert_eq!(change.created, replayed.created, "seed {seed}");
                assert!(change.partitions.is_subset(&replayed.partitions), "seed {seed}");
            }
            let back = between(&after, &MetadataImage::default());
            assert_eq!(back.deleted_topics.len(), after.topics().len(), "seed {seed}");
            assert_eq!(back.brokers.len(), after.cluster().brokers().len(), "seed {seed}");
        }
    }
}

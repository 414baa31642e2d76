//! What is known of the cluster's metadata, and for which groups it has been looked at. Answers to
//! `GroupMetadataManager.onMetadataUpdate` and `ModernGroup.hasMetadataExpired`.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use protocol::wire::StrBytes;
use uuid::Uuid;

use super::super::modern::{ClusterMetadata, MetadataHashes, NoMetadata, group_hash};
use super::super::shard::{Group, GroupShard};
use super::group::ConsumerGroup;
use super::subscriptions::Subscriptions;
use crate::runtime::Now;

/// A group's metadata is looked at again after this time at the latest, as in Kafka.
const REFRESH_INTERVAL_MS: i64 = i32::MAX as i64;

#[derive(Debug)]
pub(in super::super) struct MetadataState {
    pub(in super::super) image: Arc<dyn ClusterMetadata>,
    /// The newest version that brought topics along.
    pub(super) newest_topics: i64,
    hashes: MetadataHashes,
    /// Until when, and from which epoch of theirs on, groups are known to be up to date. No record
    /// says so: a coordinator that has just loaded a group looks.
    refreshed: BTreeMap<StrBytes, (i64, i32)>,
}

impl Default for MetadataState {
    fn default() -> Self {
        Self {
            image: Arc::new(NoMetadata),
            newest_topics: -1,
            hashes: MetadataHashes::default(),
            refreshed: BTreeMap::new(),
        }
    }
}

impl MetadataState {
    pub(super) fn hash_of(&mut self, subscriptions: &Subscriptions) -> i64 {
        self.hash_of_topics(subscriptions.topics())
    }

    /// Of topics by their names, in order.
    pub(in super::super) fn hash_of_topics<'a>(
        &mut self,
        topics: impl IntoIterator<Item = &'a StrBytes>,
    ) -> i64 {
        let Self { image, hashes, .. } = self;
        let topics = topics.into_iter();
        let hashes: Vec<i64> = topics.filter_map(|topic| hashes.topic(topic, &**image)).collect();
        group_hash(hashes.into_iter())
    }

    pub(in super::super) fn image(&self) -> &Arc<dyn ClusterMetadata> {
        &self.image
    }

    pub(in super::super) fn refreshed(&mut self, group: &StrBytes, epoch: i32, now: Now) {
        let deadline_ms = now.wall_ms.saturating_add(REFRESH_INTERVAL_MS);
        self.refreshed.insert(group.clone(), (deadline_ms, epoch));
    }

    /// The group is not one of members that are told of topics any more.
    pub(super) fn forget(&mut self, group: &StrBytes) {
        self.refreshed.remove(group);
    }

    /// An epoch that was taken back leaves its group to be looked at again.
    pub(super) fn is_expired(&self, group: &ConsumerGroup, now: Now) -> bool {
        self.is_expired_at(&group.id, group.epoch, now)
    }

    pub(in super::super) fn is_expired_at(&self, group: &StrBytes, epoch: i32, now: Now) -> bool {
        self.refreshed.get(group).is_none_or(|(deadline_ms, refreshed)| {
            now.wall_ms >= *deadline_ms || epoch < *refreshed
        })
    }

    /// Nil for a topic that is not there.
    pub(in super::super) fn topic_id(&self, name: &str) -> Uuid {
        self.image.topic_by_name(name).map_or(Uuid::nil(), |topic| topic.id)
    }

    fn replace(&mut self, image: &Arc<dyn ClusterMetadata>, has_new_topics: bool) {
        self.image = Arc::clone(image);
        if has_new_topics || self.newest_topics == -1 {
            self.newest_topics = image.version();
        }
    }
}

impl GroupShard {
    /// The shard knows this much of the metadata from the beginning.
    #[must_use]
    pub fn with_metadata(mut self, image: &Arc<dyn ClusterMetadata>) -> Self {
        self.metadata.replace(image, true);
        self
    }

    /// These topics came, changed or went.
    pub fn metadata_changed(
        &mut self,
        image: &Arc<dyn ClusterMetadata>,
        changed: &BTreeSet<StrBytes>,
        has_new_topics: bool,
    ) {
        self.metadata.replace(image, has_new_topics);
        if changed.is_empty() {
            return;
        }
        for topic in changed {
            self.metadata.hashes.forget(topic);
        }
        let groups = &self.groups;
        self.metadata.refreshed.retain(|id, _| match groups.latest(id) {
            Some(Group::Consumer(group)) => {
                !changed.iter().any(|topic| group.is_subscribed_to(topic))
            }
            Some(Group::Share(group)) => !changed.iter().any(|topic| group.is_subscribed_to(topic)),
            Some(Group::Streams(group)) => !changed.iter().any(|topic| group.requires(topic)),
            _ => false,
        });
    }

    /// A change that the shard was not told of, because it was being loaded.
    pub fn catch_up(&mut self, image: &Arc<dyn ClusterMetadata>) {
        if image.version() > self.metadata.image.version() {
            self.metadata.replace(image, true);
            self.metadata.hashes.clear();
            self.metadata.refreshed.clear();
        }
    }
}

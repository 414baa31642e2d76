//! Offsets that open transactions hold: invisible until the marker comes, and a reason to answer
//! that the partition's offset is not stable.
//!
//! ```text
//! records ─▶ under way ─ written ─▶ held per producer ─┬─ commit marker ─▶ committed offsets
//!               └─ failed: gone                        └─ abort marker ─▶ gone
//! ```
//! A marker ends what was written before it. What is under way is told as held already: whether it
//! will be is known in a moment.
//!
//! Answers to `OffsetMetadataManager.pendingTransactionalOffsets` and `OpenTransactions`.

use std::collections::{BTreeMap, BTreeSet};

use protocol::records::group::OffsetCommitKey;
use protocol::wire::StrBytes;

use super::CommittedOffset;

#[derive(Debug, Default)]
pub(super) struct OpenTransactions {
    held: BTreeMap<i64, BTreeMap<OffsetCommitKey, CommittedOffset>>,
    holders: BTreeMap<OffsetCommitKey, BTreeSet<i64>>,
    /// How many records under way there are for a partition.
    under_way: BTreeMap<OffsetCommitKey, usize>,
}

impl OpenTransactions {
    pub(super) fn hold(&mut self, producer_id: i64, key: OffsetCommitKey, offset: CommittedOffset) {
        self.holders.entry(key.clone()).or_default().insert(producer_id);
        self.held.entry(producer_id).or_default().insert(key, offset);
    }

    /// A record that is to be held has been decided upon.
    pub(super) fn will_hold(&mut self, key: &OffsetCommitKey) {
        *self.under_way.entry(key.clone()).or_default() += 1;
    }

    /// It is written, or it failed to be.
    pub(super) fn will_not_hold(&mut self, key: &OffsetCommitKey) {
        if let Some(count) = self.under_way.get_mut(key) {
            *count -= 1;
            if *count == 0 {
                self.under_way.remove(key);
            }
        }
    }

    /// What a producer's transaction held.
    pub(super) fn end(&mut self, producer_id: i64) -> BTreeMap<OffsetCommitKey, CommittedOffset> {
        let held = self.held.remove(&producer_id).unwrap_or_default();
        for key in held.keys() {
            if let Some(holders) = self.holders.get_mut(key) {
                holders.remove(&producer_id);
                if holders.is_empty() {
                    self.holders.remove(key);
                }
            }
        }
        held
    }

    /// A tombstone takes what transactions hold, too.
    pub(super) fn forget(&mut self, key: &OffsetCommitKey) {
        for producer_id in self.holders.remove(key).unwrap_or_default() {
            if let Some(held) = self.held.get_mut(&producer_id) {
                held.remove(key);
                if held.is_empty() {
                    self.held.remove(&producer_id);
                }
            }
        }
    }

    pub(super) fn holds(&self, key: &OffsetCommitKey) -> bool {
        self.holders.contains_key(key) || self.under_way.contains_key(key)
    }

    pub(super) fn keys(&self) -> impl Iterator<Item = &OffsetCommitKey> {
        self.holders.keys().chain(self.under_way.keys())
    }

    pub(super) fn touches_group(&self, group: &StrBytes) -> bool {
        let first = OffsetCommitKey {
            group: group.clone(),
            topic: StrBytes::default(),
            partition: i32::MIN,
        };
        let held = self.holders.range(&first..).next().map(|(key, _)| key);
        let under_way = self.under_way.range(&first..).next().map(|(key, _)| key);
        held.into_iter().chain(under_way).any(|key| key.group == *group)
    }
}

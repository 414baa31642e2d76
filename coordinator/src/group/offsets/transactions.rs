//! Offsets that open transactions hold: invisible until the marker comes, and a reason to answer
//! that the partition's offset is not stable.
//!
//! ```text
//! TxnOffsetCommit records ─▶ held per producer ─┬─ commit marker ─▶ committed offsets
//!                                               └─ abort marker  ─▶ gone
//! ```
//! Answers to `OffsetMetadataManager.pendingTransactionalOffsets` and `OpenTransactions`.

use std::collections::{BTreeMap, BTreeSet};

use protocol::records::group::OffsetCommitKey;
use protocol::wire::StrBytes;

use super::CommittedOffset;

#[derive(Debug, Default)]
pub(super) struct OpenTransactions {
    held: BTreeMap<i64, BTreeMap<OffsetCommitKey, CommittedOffset>>,
    holders: BTreeMap<OffsetCommitKey, BTreeSet<i64>>,
}

impl OpenTransactions {
    pub(super) fn hold(&mut self, producer_id: i64, key: OffsetCommitKey, offset: CommittedOffset) {
        self.holders.entry(key.clone()).or_default().insert(producer_id);
        self.held.entry(producer_id).or_default().insert(key, offset);
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
        self.holders.contains_key(key)
    }

    pub(super) fn keys(&self) -> impl Iterator<Item = &OffsetCommitKey> {
        self.holders.keys()
    }

    pub(super) fn touches_group(&self, group: &StrBytes) -> bool {
        let first = OffsetCommitKey {
            group: group.clone(),
            topic: StrBytes::default(),
            partition: i32::MIN,
        };
        self.holders.range(first..).next().is_some_and(|(key, _)| key.group == *group)
    }
}

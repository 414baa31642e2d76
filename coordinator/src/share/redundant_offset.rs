//! Below which offset of the coordinator's log nothing is needed: where the oldest of all newest
//! snapshots lies. A partition whose state was deleted is not counted any more.
//!
//! ```text
//! partition a   s1 . . s4 . . .      s: a snapshot. a needs s4, b needs s2: below 2 nothing is
//! partition b   . s2 . . . u6 u7     needed; after b's next snapshot at 8, below 4
//! ```
//! Answers to `ShareCoordinatorOffsetsManager`.

use std::collections::{BTreeSet, HashMap};

use super::key::SharePartitionKey;

/// Where each partition's newest snapshot lies in the log.
#[derive(Debug, Default)]
pub(super) struct RedundantOffset {
    newest: HashMap<SharePartitionKey, i64>,
    in_order: BTreeSet<(i64, SharePartitionKey)>,
    /// Kept when the last state is deleted: up to its tombstone nothing was needed.
    last: Option<i64>,
}

impl RedundantOffset {
    /// A snapshot, or the tombstone of a state, stands at this offset.
    pub(super) fn written(&mut self, key: SharePartitionKey, offset: i64, is_deleted: bool) {
        if let Some(before) = self.newest.insert(key.clone(), offset) {
            self.in_order.remove(&(before, key.clone()));
        }
        self.in_order.insert((offset, key.clone()));
        self.last = self.in_order.first().map(|(oldest, _)| *oldest);
        if is_deleted {
            self.newest.remove(&key);
            self.in_order.remove(&(offset, key));
        }
    }

    /// The offset, unless there is nothing below it.
    pub(super) fn get(&self) -> Option<i64> {
        self.last.filter(|offset| *offset > 0)
    }
}

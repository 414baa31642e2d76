//! The offsets of all groups of a shard: committed, being written, and held by open transactions.
//!
//! Kept true here: what is read as committed has been written, and a write that fails leaves no
//! trace; of two commits for a partition the later in the log stands, also when one of them was
//! held by a transaction until its marker came; no map in here is empty. Answers to
//! `OffsetMetadataManager`.

mod commit;
mod fetch;
mod transactional_commit;
mod transactions;

use std::collections::{BTreeMap, VecDeque};

use protocol::records::group::{OffsetCommitKey, OffsetCommitValue};
use protocol::wire::StrBytes;
use uuid::Uuid;

pub use fetch::{FetchedPartition, FetchedTopic};
use transactions::OpenTransactions;

use crate::planted::{Bug, is_planted};
use crate::runtime::{RecordPosition, Versions, WriteId};

/// What a group has committed for a partition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommittedOffset {
    pub offset: i64,
    /// -1 when the client did not say.
    pub leader_epoch: i32,
    pub metadata: StrBytes,
    pub commit_timestamp_ms: i64,
    pub expire_timestamp_ms: Option<i64>,
    pub topic_id: Uuid,
    /// Where the commit stands in the shard's log.
    pub record_offset: i64,
}

/// A partition whose topic is gone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeletedPartition {
    pub topic: StrBytes,
    pub topic_id: Uuid,
    pub partition: i32,
}

impl CommittedOffset {
    /// Whether it is an offset of the topic with this id, as far as either side knows one.
    pub fn is_of(&self, topic_id: Uuid) -> bool {
        self.topic_id.is_nil() || topic_id.is_nil() || self.topic_id == topic_id
    }

    fn new(value: &OffsetCommitValue, record_offset: i64) -> Self {
        Self {
            offset: value.offset,
            leader_epoch: value.leader_epoch,
            metadata: value.metadata.clone(),
            commit_timestamp_ms: value.commit_timestamp_ms,
            expire_timestamp_ms: Some(value.expire_timestamp_ms).filter(|expire| *expire != -1),
            topic_id: value.topic_id,
            record_offset,
        }
    }
}

/// One partition's offset in one group.
pub(super) type Slot = Versions<CommittedOffset>;
pub(super) type Partitions = BTreeMap<i32, Slot>;
pub(super) type Topics = BTreeMap<StrBytes, Partitions>;

/// A record under way.
#[derive(Debug)]
struct Change {
    write: WriteId,
    /// The record's place in the write.
    index: u32,
    key: OffsetCommitKey,
    /// What a producer's transaction will hold, for a record of one.
    held: Option<(i64, CommittedOffset)>,
}

#[derive(Debug, Default)]
pub(super) struct Offsets {
    groups: BTreeMap<StrBytes, Topics>,
    /// The records of writes under way, in order.
    changes: VecDeque<Change>,
    transactions: OpenTransactions,
}

impl Offsets {
    fn slot(&mut self, key: &OffsetCommitKey) -> &mut Slot {
        self.groups
            .entry(key.group.clone())
            .or_default()
            .entry(key.topic.clone())
            .or_default()
            .entry(key.partition)
            .or_default()
    }

    fn slot_if_any(&mut self, key: &OffsetCommitKey) -> Option<&mut Slot> {
        self.groups.get_mut(&key.group)?.get_mut(&key.topic)?.get_mut(&key.partition)
    }

    fn drop_if_unused(&mut self, key: &OffsetCommitKey) {
        let Some(topics) = self.groups.get_mut(&key.group) else {
            return;
        };
        if let Some(partitions) = topics.get_mut(&key.topic) {
            if partitions.get(&key.partition).is_some_and(Slot::is_unused) {
                partitions.remove(&key.partition);
            }
            if partitions.is_empty() {
                topics.remove(&key.topic);
            }
        }
        if topics.is_empty() {
            self.groups.remove(&key.group);
        }
    }

    /// What a record says, by where it stands.
    pub(super) fn replay(
        &mut self,
        key: OffsetCommitKey,
        value: Option<&OffsetCommitValue>,
        standing: RecordPosition,
    ) {
        match (standing, value) {
            (RecordPosition::UnderWay { write, index, producer_id: Some(id) }, Some(value))
                if !is_planted(Bug::OffsetsNotHeld) =>
            {
                self.transactions.will_hold(&key);
                let held = Some((id, CommittedOffset::new(value, -1)));
                self.changes.push_back(Change { write, index, key, held });
            }
            (RecordPosition::UnderWay { write, index, .. }, value) => {
                let offset = value.map(|value| CommittedOffset::new(value, -1));
                self.slot(&key).set(standing, offset);
                self.changes.push_back(Change { write, index, key, held: None });
            }
            (RecordPosition::InLog { offset, producer_id: None }, Some(value)) => {
                self.slot(&key).set(standing, Some(CommittedOffset::new(value, offset)));
            }
            (RecordPosition::InLog { offset, producer_id: Some(producer_id) }, Some(value)) => {
                self.transactions.hold(producer_id, key, CommittedOffset::new(value, offset));
            }
            (RecordPosition::InLog { .. }, None) => {
                if let Some(slot) = self.slot_if_any(&key) {
                    slot.set(standing, None);
                }
                self.drop_if_unused(&key);
                self.transactions.forget(&key);
            }
        }
    }

    /// What this write made stands in the log.
    pub(super) fn commit(&mut self, write: WriteId, base_offset: i64) {
        while self.changes.front().is_some_and(|change| change.write == write) {
            let Some(Change { index, key, held, .. }) = self.changes.pop_front() else { return };
            let record_offset = base_offset.saturating_add(i64::from(index));
            if let Some((producer_id, offset)) = held {
                self.transactions.will_not_hold(&key);
                let offset = CommittedOffset { record_offset, ..offset };
                self.transactions.hold(producer_id, key, offset);
                continue;
            }
            let Some(slot) = self.slot_if_any(&key) else { continue };
            slot.commit(write);
            match slot.committed_mut() {
                Some(committed) => {
                    committed.record_offset = record_offset;
                }
                None => {
                    self.transactions.forget(&key);
                    self.drop_if_unused(&key);
                }
            }
        }
    }

    /// Takes back what this write and later ones made.
    pub(super) fn revert(&mut self, from: WriteId) {
        while self.changes.back().is_some_and(|change| change.write >= from) {
            let Some(Change { key, held, .. }) = self.changes.pop_back() else { return };
            if held.is_some() {
                self.transactions.will_not_hold(&key);
                continue;
            }
            if let Some(slot) = self.slot_if_any(&key) {
                slot.revert(from);
            }
            self.drop_if_unused(&key);
        }
    }

    /// A transaction has ended: what it held is committed, unless a later commit stands already.
    /// Returns the keys of those that were too late.
    pub(super) fn end_transaction(
        &mut self,
        producer_id: i64,
        is_commit: bool,
    ) -> Vec<OffsetCommitKey> {
        let mut too_late = Vec::new();
        for (key, offset) in self.transactions.end(producer_id) {
            if !is_commit && !is_planted(Bug::AbortCommitsOffsets) {
                continue;
            }
            let slot = self.slot(&key);
            let standing = slot.committed().map(|offset| offset.record_offset);
            if standing.is_none_or(|standing| offset.record_offset > standing) {
                slot.set_committed(Some(offset));
            } else {
                too_late.push(key);
            }
        }
        too_late
    }

    pub(super) fn topics_of(&self, group: &StrBytes) -> Option<&Topics> {
        self.groups.get(group)
    }

    pub(super) fn has_open_transaction(&self, group: &StrBytes) -> bool {
        self.transactions.touches_group(group)
    }

    /// Whether an open transaction holds an offset of this partition.
    pub(super) fn is_unstable(&self, key: &OffsetCommitKey) -> bool {
        self.transactions.holds(key)
    }

    /// Whether the group has an offset for this partition, or an open transaction may give it one.
    pub(super) fn has_any(&self, key: &OffsetCommitKey) -> bool {
        let slot = self
            .groups
            .get(&key.group)
            .and_then(|topics| topics.get(&key.topic))
            .and_then(|partitions| partitions.get(&key.partition));
        slot.and_then(Slot::latest).is_some() || self.is_unstable(key)
    }

    /// All that a group has committed, or that open transactions hold for it.
    pub(super) fn keys_of(&self, group: &StrBytes) -> Vec<OffsetCommitKey> {
        let committed = self.groups.get(group).into_iter().flat_map(|topics| keys(group, topics));
        let mut keys: Vec<OffsetCommitKey> = committed.collect();
        keys.extend(self.transactions.keys().filter(|key| key.group == *group).cloned());
        keys.sort();
        keys.dedup();
        keys
    }

    /// What any group has committed, or open transactions hold, for these partitions.
    pub(super) fn keys_of_partitions(
        &self,
        partitions: &[DeletedPartition],
    ) -> Vec<OffsetCommitKey> {
        let mut wanted = Vec::new();
        for DeletedPartition { topic, topic_id, partition } in partitions {
            for (group, topics) in &self.groups {
                let slot = topics.get(topic).and_then(|partitions| partitions.get(partition));
                let newest = slot.and_then(Slot::latest);
                if newest.is_some_and(|committed| committed.is_of(*topic_id)) {
                    wanted.push(OffsetCommitKey {
                        group: group.clone(),
                        topic: topic.clone(),
                        partition: *partition,
                    });
                }
            }
            let held = self.transactions.keys();
            let held = held.filter(|key| key.topic == *topic && key.partition == *partition);
            wanted.extend(held.cloned());
        }
        wanted.sort();
        wanted.dedup();
        wanted
    }

    /// Every committed offset, for comparing states.
    #[cfg(test)]
    pub(super) fn committed(&self) -> BTreeMap<OffsetCommitKey, CommittedOffset> {
        let mut committed = BTreeMap::new();
        for (group, topics) in &self.groups {
            for (topic, partitions) in topics {
                for (partition, slot) in partitions {
                    let (group, topic) = (group.clone(), topic.clone());
                    let key = OffsetCommitKey { group, topic, partition: *partition };
                    committed.extend(slot.committed().cloned().map(|offset| (key, offset)));
                }
            }
        }
        committed
    }
}

fn keys<'a>(group: &'a StrBytes, topics: &'a Topics) -> impl Iterator<Item = OffsetCommitKey> + 'a {
    topics.iter().flat_map(move |(topic, partitions)| {
        let present = partitions.iter().filter(|(_, slot)| slot.latest().is_some());
        present.map(move |(partition, _)| OffsetCommitKey {
            group: group.clone(),
            topic: topic.clone(),
            partition: *partition,
        })
    })
}

//! Groups of a protocol that is not served here (share), as a stock broker left them in
//! the log.
//!
//! Their records are kept: the group is listed, its offsets can be read, committed by an
//! administrator and deleted, and it goes when somebody deletes it or its offsets expire. Members
//! are believed in for a session timeout, then removed, because nobody here can hear of them.
//!
//! Tombstones are written in the order in which stock Kafka's replay accepts them: what belongs to
//! members first, the group itself last.

use std::collections::BTreeMap;

use bytes::Bytes;
use protocol::records::group::{GroupRecord, ModernGroupKey, ModernGroupKind};

#[derive(Debug, Clone)]
pub(super) struct UnservedGroup {
    pub(super) kind: ModernGroupKind,
    /// Keys of the records that are not deleted.
    keys: BTreeMap<Bytes, ModernGroupKey>,
}

/// Whether a record is about one member, and where its tombstone stands among a group's.
fn place(record_type: i16) -> (bool, u8) {
    match record_type {
        14 => (true, 0),  // current assignment
        13 => (true, 1),  // target assignment
        10 => (true, 2),  // the member
        12 => (false, 3), // epoch of the target assignment
        11 => (false, 5), // the group
        _ => (false, 4),
    }
}

impl UnservedGroup {
    pub(super) fn new(kind: ModernGroupKind) -> Self {
        Self { kind, keys: BTreeMap::new() }
    }

    /// True when the group has no members.
    pub(super) fn is_empty(&self) -> bool {
        self.members() == 0
    }

    pub(super) fn members(&self) -> usize {
        self.keys.values().filter(|key| key.names_member()).count()
    }

    /// Takes in a record; true when nothing of the group is left.
    pub(super) fn apply(&mut self, key: ModernGroupKey, is_tombstone: bool) -> bool {
        if is_tombstone {
            self.keys.remove(&key.bytes);
        } else {
            self.keys.insert(key.bytes.clone(), key);
        }
        self.keys.is_empty()
    }

    /// Whether this record leaves nothing of the group.
    pub(super) fn is_last(&self, key: &ModernGroupKey, is_tombstone: bool) -> bool {
        is_tombstone && self.keys.keys().all(|kept| *kept == key.bytes)
    }

    pub(super) fn tombstones(&self) -> Vec<GroupRecord> {
        self.tombstones_for(|_| true)
    }

    /// Of the records about members alone.
    pub(super) fn tombstones_of_members(&self) -> Vec<GroupRecord> {
        self.tombstones_for(|key| place(key.record_type).0)
    }

    fn tombstones_for(&self, wanted: impl Fn(&ModernGroupKey) -> bool) -> Vec<GroupRecord> {
        let mut keys: Vec<&ModernGroupKey> = self.keys.values().filter(|key| wanted(key)).collect();
        keys.sort_by_key(|key| place(key.record_type).1);
        keys.into_iter().map(|key| GroupRecord::Modern { key: key.clone(), value: None }).collect()
    }
}

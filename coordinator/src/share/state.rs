//! The state of one share partition, as its records make it.
//!
//! Kept true: the newest epochs that were seen never go back while there is a state. Answers to
//! `ShareGroupOffset`, and to the maps of epochs and of updates of `ShareCoordinatorShard`.

use protocol::records::share::{
    ShareRecordKey, ShareSnapshotValue, ShareStateBatch, ShareUpdateValue,
};

use super::key::SharePartitionKey;
use super::state_batch::{StateBatch, combine};

/// Where nothing is known.
pub(super) const UNINITIALIZED_OFFSET: i64 = -1;
pub(super) const UNINITIALIZED_COUNT: i32 = -1;
/// An epoch that is none, and fences nobody.
pub(super) const NO_EPOCH: i32 = -1;

/// What a share group remembers of a partition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShareState {
    pub snapshot_epoch: i32,
    pub state_epoch: i32,
    pub leader_epoch: i32,
    /// -1: not known yet.
    pub start_offset: i64,
    /// KIP-1226; -1: not known.
    pub delivery_complete_count: i32,
    pub batches: Vec<StateBatch>,
    pub create_timestamp_ms: i64,
    pub write_timestamp_ms: i64,
}

/// The same with what decides about requests.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Known {
    pub(super) state: ShareState,
    /// Of any record; a state that begins anew begins with leader epoch 0.
    pub(super) newest_leader_epoch: i32,
    /// Of any snapshot; none where there was no snapshot.
    pub(super) newest_state_epoch: Option<i32>,
    /// Updates since they were last too many.
    pub(super) updates: u32,
}

impl Known {
    /// A snapshot is the whole state; of what was known before only the epochs stay.
    pub(super) fn of_snapshot(
        before: Option<&Self>,
        value: ShareSnapshotValue,
        updates_per_snapshot: u32,
    ) -> Self {
        let state = ShareState {
            snapshot_epoch: value.snapshot_epoch,
            state_epoch: value.state_epoch,
            leader_epoch: value.leader_epoch,
            start_offset: value.start_offset,
            delivery_complete_count: value.delivery_complete_count,
            batches: value.batches.iter().map(batch_of).collect(),
            create_timestamp_ms: value.create_timestamp_ms,
            write_timestamp_ms: value.write_timestamp_ms,
        };
        let (leader_epoch, state_epoch) = (state.leader_epoch, state.state_epoch);
        let known = |epoch: fn(&Self) -> i32| before.map_or(i32::MIN, epoch);
        let updates = before.map_or(0, |before| before.updates);
        Self {
            newest_leader_epoch: leader_epoch.max(known(|before| before.newest_leader_epoch)),
            newest_state_epoch: Some(
                state_epoch.max(known(|before| before.newest_state_epoch.unwrap_or(i32::MIN))),
            ),
            updates: if updates >= updates_per_snapshot { 0 } else { updates },
            state,
        }
    }

    /// An update without a snapshot before it is taken for what it says.
    pub(super) fn of_update(before: Option<&Self>, value: &ShareUpdateValue) -> Self {
        let new: Vec<StateBatch> = value.batches.iter().map(batch_of).collect();
        let Some(before) = before else {
            return Self {
                state: ShareState {
                    snapshot_epoch: value.snapshot_epoch,
                    state_epoch: 0,
                    leader_epoch: value.leader_epoch,
                    start_offset: value.start_offset,
                    delivery_complete_count: value.delivery_complete_count,
                    batches: new,
                    create_timestamp_ms: 0,
                    write_timestamp_ms: 0,
                },
                newest_leader_epoch: value.leader_epoch,
                newest_state_epoch: None,
                updates: 1,
            };
        };
        let start_offset = match value.start_offset {
            UNINITIALIZED_OFFSET => before.state.start_offset,
            moved => moved,
        };
        let leader_epoch = match value.leader_epoch {
            NO_EPOCH => before.state.leader_epoch,
            epoch => epoch,
        };
        Self {
            state: ShareState {
                leader_epoch,
                start_offset,
                delivery_complete_count: value.delivery_complete_count,
                batches: combine(&before.state.batches, &new, start_offset),
                ..before.state.clone()
            },
            newest_leader_epoch: before.newest_leader_epoch.max(value.leader_epoch),
            newest_state_epoch: before.newest_state_epoch,
            updates: before.updates.saturating_add(1),
        }
    }
}

impl ShareState {
    /// The record that says all of it.
    pub(super) fn snapshot_value(self) -> ShareSnapshotValue {
        ShareSnapshotValue {
            snapshot_epoch: self.snapshot_epoch,
            state_epoch: self.state_epoch,
            leader_epoch: self.leader_epoch,
            start_offset: self.start_offset,
            delivery_complete_count: self.delivery_complete_count,
            create_timestamp_ms: self.create_timestamp_ms,
            write_timestamp_ms: self.write_timestamp_ms,
            batches: self.batches.iter().map(record_batch).collect(),
            unknown_tagged_fields: Default::default(),
        }
    }
}

pub(super) fn record_key(key: &SharePartitionKey) -> ShareRecordKey {
    ShareRecordKey {
        group_id: key.group_id.clone(),
        topic_id: key.topic_id,
        partition: key.partition,
    }
}

pub(super) fn key_of(key: ShareRecordKey) -> SharePartitionKey {
    let ShareRecordKey { group_id, topic_id, partition } = key;
    SharePartitionKey { group_id, topic_id, partition }
}

fn batch_of(batch: &ShareStateBatch) -> StateBatch {
    StateBatch {
        first_offset: batch.first_offset,
        last_offset: batch.last_offset,
        delivery_count: batch.delivery_count,
        delivery_state: batch.delivery_state,
    }
}

pub(super) fn record_batch(batch: &StateBatch) -> ShareStateBatch {
    ShareStateBatch {
        first_offset: batch.first_offset,
        last_offset: batch.last_offset,
        delivery_state: batch.delivery_state,
        delivery_count: batch.delivery_count,
        ..ShareStateBatch::default()
    }
}

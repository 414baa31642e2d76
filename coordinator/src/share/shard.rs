//! One partition of `__share_group_state`: the states of share partitions, and its timers.
//!
//! Kept true here: what a state is follows from records alone; a step is decided on what is under
//! way, and answered when all of that stands in the log. Answers to `ShareCoordinatorShard` and to
//! the periodic jobs of `ShareCoordinatorService`.

use std::collections::VecDeque;

use protocol::records::share::{ShareRecord, ShareRecordError};

use super::Outputs;
use super::answer::{Answer, ShareError};
use super::key::SharePartitionKey;
use super::log_event::LogEvent;
use super::redundant_offset::RedundantOffset;
use super::state::{Known, ShareState, key_of};
use crate::runtime::{
    Now, RecordPosition, Shard, Timers, VersionedMap, WriteFailure, WriteId, WriteRecord,
};

/// Limits and delays of the coordinator.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShareSettings {
    /// share.coordinator.snapshot.update.records.per.snapshot
    pub updates_per_snapshot: u32,
    /// share.coordinator.state.topic.prune.interval.ms
    pub prune_interval_ms: u64,
    /// share.coordinator.cold.partition.snapshot.interval.ms
    pub cold_interval_ms: u64,
}

impl Default for ShareSettings {
    fn default() -> Self {
        Self { updates_per_snapshot: 500, prune_interval_ms: 300_000, cold_interval_ms: 300_000 }
    }
}

/// What the host does for the shard.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// Deletes the records below this offset, and says when they are ([`ShareShard::pruned`]).
    Prune { offset: i64 },
}

/// What a deadline is about.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum TimerKey {
    Prune,
    ColdSnapshots,
}

/// A snapshot or tombstone under way, which has no offset yet.
#[derive(Debug)]
struct Placing {
    write: WriteId,
    index: u32,
    key: SharePartitionKey,
    is_deleted: bool,
}

/// The state of one shard.
#[derive(Debug)]
pub struct ShareShard {
    pub(super) settings: ShareSettings,
    pub(super) states: VersionedMap<SharePartitionKey, Known>,
    redundant: RedundantOffset,
    placing: VecDeque<Placing>,
    timers: Timers<TimerKey, ()>,
    /// The feature level of the cluster has share groups.
    is_enabled: bool,
    is_loaded: bool,
    pruned: Option<i64>,
}

impl ShareShard {
    /// An empty shard, ready for replay.
    #[must_use]
    pub fn new(settings: ShareSettings, is_enabled: bool) -> Self {
        Self {
            settings,
            states: VersionedMap::default(),
            redundant: RedundantOffset::default(),
            placing: VecDeque::new(),
            timers: Timers::default(),
            is_enabled,
            is_loaded: false,
            pruned: None,
        }
    }

    /// Whether the cluster's feature level has share groups; without them nothing is done
    /// periodically.
    pub fn set_enabled(&mut self, is_enabled: bool, now: Now) {
        if self.is_enabled != is_enabled {
            self.is_enabled = is_enabled;
            self.set_timers(now);
        }
    }

    /// Records below this offset have been deleted.
    pub fn pruned(&mut self, offset: i64) {
        self.pruned = Some(offset);
    }

    /// A state with all that is under way.
    #[must_use]
    pub fn state(&self, key: &SharePartitionKey) -> Option<&ShareState> {
        self.states.latest(key).map(|known| &known.state)
    }

    /// Below this offset of the log nothing is needed.
    #[must_use]
    pub fn redundant_offset(&self) -> Option<i64> {
        self.redundant.get()
    }

    fn set_timers(&mut self, now: Now) {
        for (key, after_ms) in [
            (TimerKey::Prune, self.settings.prune_interval_ms),
            (TimerKey::ColdSnapshots, self.settings.cold_interval_ms),
        ] {
            match self.is_enabled && self.is_loaded {
                true => self.timers.set(key, now.monotonic_ms.saturating_add(after_ms), ()),
                false => self.timers.cancel(&key),
            }
        }
    }

    fn prune(&self, out: &mut Outputs) {
        if let Some(offset) = self.redundant.get().filter(|offset| self.pruned != Some(*offset)) {
            out.command(Command::Prune { offset });
        }
    }

    /// A snapshot or tombstone is at its place in the log, or will be.
    fn place(&mut self, standing: RecordPosition, key: SharePartitionKey, is_deleted: bool) {
        match standing {
            RecordPosition::InLog { offset, .. } => {
                self.redundant.written(key, offset, is_deleted);
            }
            RecordPosition::UnderWay { write, index, .. } => {
                self.placing.push_back(Placing { write, index, key, is_deleted });
            }
        }
    }
}

impl Shard for ShareShard {
    type Record = ShareRecord;
    type RecordError = ShareRecordError;
    type Answer = Answer;
    type LogEvent = LogEvent;
    type AfterWrite = ();
    type Command = Command;

    fn read(key: Option<&[u8]>, value: Option<&[u8]>) -> Result<ShareRecord, ShareRecordError> {
        ShareRecord::read(key, value)
    }

    fn encode(record: &ShareRecord) -> Option<WriteRecord> {
        record.write().map(|(key, value)| WriteRecord { key, value })
    }

    fn replay(
        &mut self,
        record: ShareRecord,
        standing: RecordPosition,
        _: Now,
        log_events: &mut Vec<LogEvent>,
    ) {
        match record {
            ShareRecord::Snapshot { key, value } => {
                let key = key_of(key);
                let before = self.states.latest(&key);
                let is_deleted = value.is_none();
                let limit = self.settings.updates_per_snapshot;
                let known = value.map(|value| Known::of_snapshot(before, value, limit));
                self.states.set(standing, key.clone(), known);
                self.place(standing, key, is_deleted);
            }
            ShareRecord::Update { key, value: Some(value) } => {
                let key = key_of(key);
                let known = Known::of_update(self.states.latest(&key), &value);
                self.states.set(standing, key, Some(known));
            }
            // Nobody writes one.
            ShareRecord::Update { value: None, .. } => {}
            ShareRecord::Unknown { record_type } => {
                log_events.push(LogEvent::UnknownRecordType { record_type });
            }
        }
    }

    /// The coordinator's own log has no transactions.
    fn end_transaction(&mut self, _: i64, _: bool, _: &mut Vec<LogEvent>) {}

    fn commit(&mut self, write: WriteId, base_offset: i64) {
        self.states.commit(write);
        while let Some(placing) = self.placing.pop_front_if(|placing| placing.write <= write) {
            let Placing { index, key, is_deleted, .. } = placing;
            self.redundant.written(key, base_offset + i64::from(index), is_deleted);
        }
    }

    fn revert(&mut self, from: WriteId, _: WriteFailure, _: &mut Outputs) {
        self.states.revert(from);
        self.placing.retain(|placing| placing.write < from);
    }

    fn after_write(&mut self, (): (), _: Result<(), WriteFailure>, _: Now, _: &mut Outputs) {}

    fn refused(answer: Answer, failure: WriteFailure) -> Answer {
        answer.failed(match failure {
            WriteFailure::NotLeader => ShareError::NotCoordinator,
            other => ShareError::WriteFailed(other),
        })
    }

    fn loaded(&mut self, now: Now, _: &mut Outputs) {
        self.is_loaded = true;
        self.set_timers(now);
    }

    fn next_deadline_ms(&self) -> Option<u64> {
        self.timers.next_deadline_ms()
    }

    fn tick(&mut self, now: Now, out: &mut Outputs) {
        while let Some((key, ())) = self.timers.take_due(now.monotonic_ms) {
            let after_ms = match key {
                TimerKey::Prune => {
                    self.prune(out);
                    self.settings.prune_interval_ms
                }
                TimerKey::ColdSnapshots => {
                    self.snapshot_cold_states(now, out);
                    self.settings.cold_interval_ms
                }
            };
            self.timers.set(key, now.monotonic_ms.saturating_add(after_ms), ());
        }
    }

    /// Nothing is parked but behind writes.
    fn unload(&mut self, _: &mut Outputs) {}
}

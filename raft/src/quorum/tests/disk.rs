//! A disk, the log on it, and its vote file.

use std::cell::RefCell;
use std::rc::Rc;

use bytes::Bytes;
use protocol::batch;

use crate::quorum::*;

/// What a log directory holds.
#[derive(Debug, Clone, Default)]
pub(crate) struct Files {
    /// One batch each.
    pub(crate) batches: Vec<Bytes>,
    pub(crate) start_offset: i64,
    pub(crate) snapshots: Vec<(SnapshotId, Bytes)>,
}

#[derive(Debug, Default)]
pub(crate) struct Disk {
    /// As the node sees it.
    pub(crate) live: Files,
    /// As a crash leaves it.
    pub(crate) durable: Files,
    pub(crate) vote: Option<String>,
    /// Writes of the vote, in their order among the log's appends.
    pub(crate) order: Vec<&'static str>,
    pub(crate) vote_fails: bool,
}

pub(crate) type SharedDisk = Rc<RefCell<Disk>>;

impl Disk {
    pub(crate) fn crash(&mut self) {
        self.live = self.durable.clone();
    }

    /// Syncs everything and says up to where.
    pub(crate) fn sync(&mut self) -> i64 {
        self.durable = self.live.clone();
        self.live.end_offset()
    }

    /// A snapshot got its final name.
    pub(crate) fn add_snapshot(&mut self, id: SnapshotId, content: Bytes) {
        self.live.snapshots.push((id, content.clone()));
        self.durable.snapshots.push((id, content));
    }

    /// What was appended and not synced, a batch each.
    pub(crate) fn unsynced(&self) -> Vec<Bytes> {
        self.live.batches[self.durable.batches.len()..].to_vec()
    }
}

fn view(batch: &Bytes) -> batch::BatchView<'_> {
    batch::batches(batch).next().unwrap().unwrap()
}

impl Files {
    pub(crate) fn end_offset(&self) -> i64 {
        let snapshot = self.snapshots.last().map_or(0, |(id, _)| id.end_offset);
        self.batches.last().map_or(snapshot, |last| view(last).next_offset())
    }
}

#[derive(Debug)]
pub(crate) struct MemoryLog(pub(crate) SharedDisk);

impl Log for MemoryLog {
    fn log_start_offset(&self) -> i64 {
        self.0.borrow().live.start_offset
    }
    fn log_end_offset(&self) -> i64 {
        self.0.borrow().live.end_offset()
    }
    fn epoch_starts(&self) -> Vec<EpochStart> {
        let disk = self.0.borrow();
        let mut starts: Vec<EpochStart> = Vec::new();
        for view in disk.live.batches.iter().map(view) {
            let (epoch, start_offset) = (view.partition_leader_epoch(), view.base_offset());
            if starts.last().is_none_or(|last| last.epoch < epoch) {
                starts.push(EpochStart { epoch, start_offset });
            }
        }
        starts
    }
    fn size_bytes(&self) -> u64 {
        self.0.borrow().live.batches.iter().map(|piece| piece.len() as u64).sum()
    }
    fn append(&mut self, batches: Bytes, epoch: i32) {
        let mut disk = self.0.borrow_mut();
        let mut from = 0;
        for view in batch::batches(&batches).map(Result::unwrap) {
            assert_eq!(view.base_offset(), disk.live.end_offset(), "an append leaves no gap");
            assert_eq!(view.partition_leader_epoch(), epoch);
            disk.live.batches.push(batches.slice(from..from + view.len()));
            from += view.len();
        }
        assert_eq!(from, batches.len(), "whole batches");
        disk.order.push("append");
    }
    fn read(&self, from: i64, max_bytes: usize) -> Result<Vec<Bytes>, HostError> {
        let disk = self.0.borrow();
        let wanted = disk.live.batches.iter().filter(|batch| view(batch).next_offset() > from);
        let mut bytes = 0;
        let fit = wanted.take_while(|batch| {
            let first = bytes == 0;
            bytes += batch.len();
            first || bytes <= max_bytes
        });
        Ok(fit.cloned().collect())
    }
    fn truncate_to(&mut self, offset: i64) {
        let mut disk = self.0.borrow_mut();
        disk.live.batches.retain(|batch| view(batch).next_offset() <= offset);
        assert_eq!(disk.live.end_offset(), offset, "a batch is cut whole");
    }
    fn snapshots(&self) -> Vec<SnapshotEntry> {
        let disk = self.0.borrow();
        let entry = |(id, content): &(SnapshotId, Bytes)| SnapshotEntry {
            id: *id,
            size_bytes: content.len() as u64,
            timestamp_ms: Some(0),
        };
        disk.live.snapshots.iter().map(entry).collect()
    }
    fn read_snapshot(&self, id: SnapshotId) -> Result<Bytes, HostError> {
        let disk = self.0.borrow();
        Ok(disk.live.snapshots.iter().find(|(known, _)| *known == id).unwrap().1.clone())
    }
    fn install_snapshot(&mut self, id: SnapshotId, content: Bytes) {
        let mut disk = self.0.borrow_mut();
        disk.live.batches.clear();
        disk.live.start_offset = id.end_offset;
        disk.live.snapshots = vec![(id, content)];
    }
    fn delete_before(&mut self, id: SnapshotId) {
        let mut disk = self.0.borrow_mut();
        let files = &mut disk.live;
        files.snapshots.retain(|(known, _)| *known >= id);
        files.batches.retain(|batch| view(batch).next_offset() > id.end_offset);
        files.start_offset = id.end_offset;
    }
}

#[derive(Debug)]
pub(crate) struct MemoryStore(pub(crate) SharedDisk);

impl VoteStore for MemoryStore {
    fn read(&self) -> Result<Option<ElectionState>, HostError> {
        Ok(self.0.borrow().vote.as_deref().map(|text| ElectionState::from_json(text).unwrap()))
    }
    fn write(&mut self, state: &ElectionState, kraft_version: i16) -> Result<(), HostError> {
        let mut disk = self.0.borrow_mut();
        if disk.vote_fails {
            return Err(HostError("quorum-state: no space left".to_owned()));
        }
        disk.order.push("vote");
        disk.vote = Some(state.to_json(kraft_version));
        Ok(())
    }
}

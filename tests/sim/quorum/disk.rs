//! A disk that crashes: what was not synced may be lost, any tail of it, in the order in which it
//! was written. The vote file is as its trait promises, written when the call returns, which may
//! take long; when the machine goes down meanwhile it is the old one or the new one. Writing it may
//! fail, and then nobody knows which one it is.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;

use bytes::Bytes;
use protocol::batch::{self, BatchView};
use raft::draws::Draws;
use raft::quorum::{
    ElectionState, EpochStart, HostError, Log, SnapshotEntry, SnapshotId, VoteStore,
};

/// What a log directory holds.
#[derive(Debug, Clone, Default)]
pub(crate) struct Files {
    /// One batch each, in the order of their offsets.
    pub(crate) batches: Vec<Bytes>,
    pub(crate) start_offset: i64,
    pub(crate) snapshots: Vec<(SnapshotId, Bytes)>,
}

/// A change on its way to the disk.
#[derive(Debug, Clone)]
enum Write {
    Append(Bytes),
    TruncateTo(i64),
    Install(SnapshotId, Bytes),
    DeleteBefore(SnapshotId),
}

/// What becomes of the next vote that is saved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum VoteFault {
    /// It takes long.
    Slow,
    /// It fails; with true the new file is there all the same.
    Fails(bool),
}

#[derive(Debug, Default)]
pub(crate) struct Disk {
    /// As the node sees it.
    pub(crate) live: Files,
    /// As it is for sure.
    pub(crate) durable: Files,
    /// What lies between them.
    writes: VecDeque<Write>,
    /// How many writes there ever were.
    written: u64,
    pub(crate) vote: Option<ElectionState>,
    /// Votes that a slow disk is still saving, in their order.
    pub(crate) votes_under_way: Vec<ElectionState>,
    pub(crate) vote_fault: Option<VoteFault>,
    /// Whether saving a vote has failed since the process began.
    pub(crate) vote_failed: bool,
    /// How often power was lost while a vote was being saved.
    pub(crate) torn_votes: u64,
    pub(crate) truncations: u64,
    pub(crate) installs: u64,
}

pub(crate) type SharedDisk = Rc<RefCell<Disk>>;

pub(crate) fn view(batch: &Bytes) -> BatchView<'_> {
    batch::batches(batch).next().expect("a batch").expect("a sound batch")
}

impl Files {
    pub(crate) fn end_offset(&self) -> i64 {
        self.batches.last().map_or(self.start_offset, |last| view(last).next_offset())
    }

    /// The batches that hold offsets from `from` on.
    pub(crate) fn from(&self, from: i64) -> &[Bytes] {
        let at = self.batches.partition_point(|batch| view(batch).next_offset() <= from);
        &self.batches[at..]
    }

    /// The batch that ends at `end`.
    pub(crate) fn ending_at(&self, end: i64) -> Option<&Bytes> {
        self.from(end - 1).first().filter(|batch| view(batch).next_offset() == end)
    }

    fn last_epoch(&self) -> i32 {
        self.batches.last().map_or(0, |last| view(last).partition_leader_epoch())
    }

    fn apply(&mut self, write: &Write) {
        match write {
            Write::Append(batch) => self.batches.push(batch.clone()),
            Write::TruncateTo(offset) => {
                let kept = self.batches.partition_point(|b| view(b).next_offset() <= *offset);
                self.batches.truncate(kept);
            }
            Write::Install(id, content) => {
                self.batches.clear();
                self.start_offset = id.end_offset;
                self.snapshots.retain(|(known, _)| known > id);
                self.snapshots.insert(0, (*id, content.clone()));
            }
            Write::DeleteBefore(id) => {
                self.snapshots.retain(|(known, _)| known >= id);
                let gone = self.batches.partition_point(|b| view(b).next_offset() <= id.end_offset);
                self.batches.drain(..gone);
                self.start_offset = self.start_offset.max(id.end_offset);
            }
        }
    }

    /// A log that ends before its newest snapshot holds nothing that is not in there.
    fn recover(&mut self) {
        let Some((id, _)) = self.snapshots.last() else { return };
        let behind = (id.epoch, id.end_offset) > (self.last_epoch(), self.end_offset());
        if behind && *id != SnapshotId::BOOTSTRAP {
            self.batches.clear();
            self.start_offset = id.end_offset;
        }
    }
}

impl Disk {
    fn write(&mut self, write: Write) {
        self.live.apply(&write);
        self.writes.push_back(write);
        self.written += 1;
    }

    /// Up to which write a sync that begins now reaches.
    pub(crate) fn written(&self) -> u64 {
        self.written
    }

    /// Everything up to that write is on the disk; says up to which offset that is.
    pub(crate) fn sync(&mut self, up_to: u64) -> i64 {
        while self.written - (self.writes.len() as u64) < up_to {
            let Some(write) = self.writes.pop_front() else { break };
            self.durable.apply(&write);
        }
        self.durable.end_offset()
    }

    pub(crate) fn crash(&mut self, draws: &mut Draws) {
        let lost = draws.below(self.writes.len() as u64 + 1);
        self.sync(self.written - lost);
        self.writes.clear();
        self.durable.recover();
        self.live = self.durable.clone();
        self.vote_failed = false;
        if !self.votes_under_way.is_empty() {
            self.torn_votes += 1;
            let saved = draws.below(self.votes_under_way.len() as u64 + 1) as usize;
            self.votes_under_way.truncate(saved);
            self.votes_are_saved();
        }
    }

    /// The slow disk is done.
    pub(crate) fn votes_are_saved(&mut self) {
        if let Some(newest) = self.votes_under_way.drain(..).next_back() {
            self.vote = Some(newest);
        }
    }

    /// A snapshot got its final name.
    pub(crate) fn add_snapshot(&mut self, id: SnapshotId, content: Bytes) {
        for files in [&mut self.live, &mut self.durable] {
            if files.snapshots.last().is_none_or(|(newest, _)| *newest < id) {
                files.snapshots.push((id, content.clone()));
            }
        }
    }
}

pub(crate) struct SimLog(pub SharedDisk);

impl Log for SimLog {
    fn log_start_offset(&self) -> i64 {
        self.0.borrow().live.start_offset
    }

    fn log_end_offset(&self) -> i64 {
        self.0.borrow().live.end_offset()
    }

    fn epoch_starts(&self) -> Vec<EpochStart> {
        let mut starts: Vec<EpochStart> = Vec::new();
        for view in self.0.borrow().live.batches.iter().map(view) {
            let (epoch, start_offset) = (view.partition_leader_epoch(), view.base_offset());
            if starts.last().is_none_or(|last| last.epoch < epoch) {
                starts.push(EpochStart { epoch, start_offset });
            }
        }
        starts
    }

    fn size_bytes(&self) -> u64 {
        self.0.borrow().live.batches.iter().map(|batch| batch.len() as u64).sum()
    }

    fn append(&mut self, batches: Bytes, epoch: i32) {
        let mut disk = self.0.borrow_mut();
        let mut from = 0;
        for view in batch::batches(&batches).map(|view| view.expect("a sound batch")) {
            assert_eq!(view.base_offset(), disk.live.end_offset(), "an append leaves no gap");
            assert_eq!(view.partition_leader_epoch(), epoch, "a batch keeps its epoch");
            disk.write(Write::Append(batches.slice(from..from + view.len())));
            from += view.len();
        }
        assert_eq!(from, batches.len(), "whole batches are appended");
    }

    fn read(&self, from: i64, max_bytes: usize) -> Result<Vec<Bytes>, HostError> {
        let disk = self.0.borrow();
        let mut bytes = 0;
        let fit = disk.live.from(from).iter().take_while(|batch| {
            let first = bytes == 0;
            bytes += batch.len();
            first || bytes <= max_bytes
        });
        Ok(fit.cloned().collect())
    }

    fn truncate_to(&mut self, offset: i64) {
        let mut disk = self.0.borrow_mut();
        disk.truncations += 1;
        disk.write(Write::TruncateTo(offset));
        assert_eq!(disk.live.end_offset(), offset, "a batch is cut off whole");
    }

    fn snapshots(&self) -> Vec<SnapshotEntry> {
        let entry = |(id, content): &(SnapshotId, Bytes)| SnapshotEntry {
            id: *id,
            size_bytes: content.len() as u64,
            timestamp_ms: None,
        };
        self.0.borrow().live.snapshots.iter().map(entry).collect()
    }

    fn read_snapshot(&self, id: SnapshotId) -> Result<Bytes, HostError> {
        let disk = self.0.borrow();
        let found = disk.live.snapshots.iter().find(|(known, _)| *known == id);
        found.map(|(_, content)| content.clone()).ok_or_else(|| HostError(id.file_name()))
    }

    fn install_snapshot(&mut self, id: SnapshotId, content: Bytes) {
        let mut disk = self.0.borrow_mut();
        disk.installs += 1;
        disk.write(Write::Install(id, content));
    }

    fn delete_before(&mut self, id: SnapshotId) {
        self.0.borrow_mut().write(Write::DeleteBefore(id));
    }
}

pub(crate) struct SimStore(pub SharedDisk);

impl VoteStore for SimStore {
    fn read(&self) -> Result<Option<ElectionState>, HostError> {
        Ok(self.0.borrow().vote.clone())
    }

    fn write(&mut self, state: &ElectionState, kraft_version: i16) -> Result<(), HostError> {
        // As the file would give it back.
        let read = ElectionState::from_json(&state.to_json(kraft_version));
        let state = read.map_err(|error| HostError(error.to_string()))?;
        let mut disk = self.0.borrow_mut();
        let under_way = !disk.votes_under_way.is_empty();
        match disk.vote_fault.take() {
            Some(VoteFault::Fails(saved)) => {
                disk.vote_failed = true;
                if saved {
                    disk.votes_under_way.push(state);
                    disk.votes_are_saved();
                }
                return Err(HostError("the vote file is not written".to_owned()));
            }
            Some(VoteFault::Slow) => disk.votes_under_way.push(state),
            None if under_way => disk.votes_under_way.push(state),
            None => disk.vote = Some(state),
        }
        Ok(())
    }
}

//! `__cluster_metadata-0` on the disk: the quorum's view of it.
//!
//! ```text
//! quorum's thread ── MetadataLog ── orders ──▶ writer's thread: append*, one sync, report
//!                        ├── recent batches (memory)
//!                        └── LogReader (no lock)
//! ```
//! Kept true: the quorum's thread never waits for the disk to write; what it appended, cut or
//! installed shows at once, whether the writer has come to it or not. Recent batches stay in
//! memory, so that those who follow closely cost the disk nothing. Answers to `KafkaMetadataLog`.

use crate::clock::wall_ms;
use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::JoinHandle;

use bytes::Bytes;
use parking_lot::Mutex;
use protocol::batch;
use raft::quorum::{EpochStart, HostError, Log, SnapshotEntry, SnapshotId};
use storage::{CleanupPolicy, LogConfig, LogReader, OpenOptions, ReadError, StorageError};
use uuid::Uuid;

use super::error::QuorumStartError;
use super::exhaustion::outwait;
use super::log_writer::{Order, Writer};
use super::metadata_dir::MetadataDir;
use super::snapshot_files::{self, SnapshotFiles};

const MAX_BATCH_BYTES: u32 = 8 * 1024 * 1024;
/// Kafka: `Uuid.METADATA_TOPIC_ID`.
const TOPIC_ID: Uuid = Uuid::from_u128(1);
/// Written batches that stay in memory for those who follow closely.
const RECENT_BYTES: usize = 1024 * 1024;

/// Whole batches that follow the one before.
#[derive(Debug)]
struct Recent {
    base_offset: i64,
    batches: Bytes,
    /// The order by which they were appended.
    order: u64,
}

/// The quorum's view of its log.
#[derive(Debug)]
pub(super) struct MetadataLog {
    reader: LogReader,
    start_offset: i64,
    end_offset: i64,
    epochs: Vec<EpochStart>,
    recent: VecDeque<Recent>,
    recent_bytes: usize,
    /// Orders that cut the log and may not be carried out yet, with what they leave of it.
    cuts: VecDeque<(u64, i64)>,
    /// A snapshot whose file may not be there yet.
    installing: Option<(u64, SnapshotId, Bytes)>,
    files: Arc<Mutex<SnapshotFiles>>,
    orders: Sender<Order>,
    ordered: u64,
    done: Arc<AtomicU64>,
}

/// The log, opened, before its writer runs.
pub(super) struct OpenedLog {
    pub(super) log: MetadataLog,
    storage: storage::Log,
    received: Receiver<Order>,
}

/// Sizes and times of the log's segments.
#[derive(Debug, Clone, Copy)]
pub(super) struct Segments {
    pub(super) bytes: i32,
    pub(super) ms: i64,
}

impl OpenedLog {
    pub(super) fn open(dir: &MetadataDir, segments: Segments) -> Result<Self, QuorumStartError> {
        let path = dir.partition_path();
        let config = LogConfig {
            segment_bytes: u32::try_from(segments.bytes).unwrap_or(u32::MAX),
            segment_ms: segments.ms,
            max_message_bytes: MAX_BATCH_BYTES,
            retention_ms: -1,
            retention_bytes: -1,
            cleanup: CleanupPolicy { delete: true, compact: false },
            ..LogConfig::default()
        };
        let mut files = SnapshotFiles::find(&path, &dir.disk)?;
        let newest = files.newest();
        let options = OpenOptions {
            clean_shutdown: dir.clean_shutdown,
            // A snapshot has what lies below it, whether that was synced or not.
            recovery_point: newest.map_or(0, |id| id.end_offset),
            now_ms: wall_ms(),
            producer_expiration_ms: i64::MAX,
            disk: dir.disk.clone(),
            open_files: Arc::clone(&dir.open_files),
            ..OpenOptions::default()
        };
        let mut storage = storage::Log::open(&path, config, options)?;
        storage::write_topic_id(&dir.disk, &path, TOPIC_ID)?;
        if let Some(id) = newest.filter(|id| is_ahead(id, &storage)) {
            let end = id.end_offset;
            storage.truncate_fully_and_start_at(end, end, wall_ms())?;
        }
        if !dir.clean_shutdown
            && let Some(id) = newest
        {
            doubt_below(&mut storage, id.end_offset)?;
        }
        if let Some(id) = newest.filter(|id| id.end_offset == storage.log_start_offset()) {
            // As in Kafka: what the newest one has, no older one is read for.
            files.delete_before(id)?;
        }
        let starts = storage.leader_epochs().iter();
        let epochs = starts
            .map(|entry| EpochStart { epoch: entry.epoch, start_offset: entry.start_offset })
            .collect();
        let (orders, received) = channel();
        let log = MetadataLog {
            reader: storage.reader(),
            start_offset: storage.log_start_offset(),
            end_offset: storage.log_end_offset(),
            epochs,
            recent: VecDeque::new(),
            recent_bytes: 0,
            cuts: VecDeque::new(),
            installing: None,
            files: Arc::new(Mutex::new(files)),
            orders,
            ordered: 0,
            done: Arc::new(AtomicU64::new(0)),
        };
        Ok(Self { log, storage, received })
    }

    /// Starts the writer; `synced` hears up to where the disk has everything, and by which sync.
    pub(super) fn run(
        self,
        synced: impl Fn(i64, u64) + Send + 'static,
    ) -> std::io::Result<(MetadataLog, JoinHandle<()>)> {
        let Self { log, storage, received } = self;
        let (files, done) = (Arc::clone(&log.files), Arc::clone(&log.done));
        let write = move || Writer { storage, files, done }.run(&received, &synced);
        let thread = std::thread::Builder::new().name("gregor-metadata-log".to_owned());
        Ok((log, thread.spawn(write)?))
    }
}

/// A node that was no voter never synced its log, and may be one now: what lies below the newest
/// snapshot may not be on the disk, or be there in parts. It is synced with the rest, and begins at
/// the snapshot if it is not whole, so that what a voter promised behind it stays.
///
/// Unlike Kafka, which validates all of the log and cuts it at the first damage
/// (docs/decisions/0311).
fn doubt_below(storage: &mut storage::Log, offset: i64) -> Result<(), StorageError> {
    if offset <= storage.log_end_offset() && !storage.is_whole_below(offset)? {
        tracing::warn!(
            target: "org.apache.kafka.raft.KafkaMetadataLog",
            "The metadata log is damaged below its snapshot at offset {offset} and begins there."
        );
        storage.high_watermark_moved(offset);
        match storage.delete_records_before(offset) {
            Ok(()) => {}
            Err(ReadError::Storage(error)) => return Err(error),
            // It is within the log.
            Err(ReadError::OffsetOutOfRange { .. }) => {}
        }
        storage.delete_old_segments(wall_ms())?;
    }
    storage.doubt_recovery_point();
    Ok(())
}

/// Whether whatever the log holds is in the snapshot, which was installed when the node ended.
/// Kafka: `KafkaMetadataLog.truncateToLatestSnapshot`.
fn is_ahead(id: &SnapshotId, log: &storage::Log) -> bool {
    let epoch = log.latest_epoch().unwrap_or(0);
    id.epoch > epoch && id.end_offset > 0
        || id.epoch == epoch && id.end_offset > log.log_end_offset()
}

impl MetadataLog {
    /// Asks for everything appended so far to be synced and reported.
    pub(super) fn request_sync(&mut self, generation: u64) {
        self.order(Order::Sync { generation });
    }

    /// Lets the writer finish and close the log.
    pub(super) fn close(&mut self) {
        self.order(Order::Close);
    }

    pub(super) fn snapshot_files(&self) -> Arc<Mutex<SnapshotFiles>> {
        Arc::clone(&self.files)
    }

    fn order(&mut self, order: Order) {
        self.ordered += 1;
        // A writer that is gone has been closed: nothing is owed to anybody any more.
        let _ = self.orders.send(order);
    }

    /// Lets go of what the writer has done.
    fn settle(&mut self) {
        let done = self.done.load(Ordering::Acquire);
        while let Some((order, _)) = self.cuts.front()
            && *order <= done
        {
            self.cuts.pop_front();
        }
        if self.installing.as_ref().is_some_and(|(order, ..)| *order <= done) {
            self.installing = None;
        }
        while self.recent_bytes > RECENT_BYTES
            && self.recent.front().is_some_and(|oldest| oldest.order <= done)
            && let Some(oldest) = self.recent.pop_front()
        {
            self.recent_bytes -= oldest.batches.len();
        }
    }

    /// Drops recent batches from `offset` on.
    fn forget_from(&mut self, offset: i64) {
        while self.recent.back().is_some_and(|newest| newest.base_offset >= offset)
            && let Some(dropped) = self.recent.pop_back()
        {
            self.recent_bytes -= dropped.batches.len();
        }
        if let Some(newest) = self.recent.back_mut() {
            let kept = bytes_below(&newest.batches, offset);
            self.recent_bytes -= newest.batches.len() - kept;
            newest.batches.truncate(kept);
        }
    }

    fn read_recent(&self, from: i64, max_bytes: usize) -> Vec<Bytes> {
        let first = self.recent.partition_point(|recent| recent.base_offset <= from);
        let mut slices = Vec::new();
        let mut room = max_bytes;
        for recent in self.recent.iter().skip(first.saturating_sub(1)) {
            let skipped = bytes_below(&recent.batches, from);
            let batches = recent.batches.slice(skipped..);
            let mut fitting = bytes_within(&batches, room);
            if fitting == 0 && slices.is_empty() {
                fitting = bytes_within(&batches, usize::MAX).min(first_batch_bytes(&batches));
            }
            if fitting > 0 {
                slices.push(batches.slice(..fitting));
            }
            room = room.saturating_sub(fitting);
            if fitting < batches.len() {
                break;
            }
        }
        slices
    }

    fn read_disk(&self, from: i64, max_bytes: usize, below: i64) -> Result<Vec<Bytes>, HostError> {
        let read = outwait(|| self.reader.read(from, max_bytes, below, true));
        let mut slices = read.map_err(|error| HostError(error.to_string()))?.slices;
        // The limit may cut the last batch short.
        if let Some(last) = slices.last_mut() {
            let whole = bytes_within(last, usize::MAX);
            last.truncate(whole);
        }
        slices.retain(|slice| !slice.is_empty());
        Ok(slices)
    }
}

/// How many bytes the batches take that end at or below `offset`.
fn bytes_below(batches: &Bytes, offset: i64) -> usize {
    let mut bytes = 0;
    for batch in batch::batches(batches).map_while(Result::ok) {
        if batch.next_offset() > offset {
            break;
        }
        bytes += batch.len();
    }
    bytes
}

/// How many bytes the first whole batches take that fit together into `room`.
fn bytes_within(batches: &Bytes, room: usize) -> usize {
    let mut bytes = 0;
    for batch in batch::batches(batches).map_while(Result::ok) {
        if bytes + batch.len() > room {
            break;
        }
        bytes += batch.len();
    }
    bytes
}

fn first_batch_bytes(batches: &Bytes) -> usize {
    batch::batches(batches).map_while(Result::ok).next().map_or(0, |batch| batch.len())
}

impl Log for MetadataLog {
    fn log_start_offset(&self) -> i64 {
        self.start_offset
    }

    fn log_end_offset(&self) -> i64 {
        self.end_offset
    }

    fn epoch_starts(&self) -> Vec<EpochStart> {
        self.epochs.clone()
    }

    fn size_bytes(&self) -> u64 {
        self.reader.size_bytes()
    }

    fn append(&mut self, batches: Bytes, epoch: i32) {
        let base_offset = self.end_offset;
        let views = batch::batches(&batches).filter_map(Result::ok);
        self.end_offset = views.last().map_or(self.end_offset, |batch| batch.next_offset());
        self.order(Order::Append { batches: batches.clone(), epoch });
        self.recent_bytes += batches.len();
        self.recent.push_back(Recent { base_offset, batches, order: self.ordered });
        self.settle();
    }

    fn read(&self, from: i64, max_bytes: usize) -> Result<Vec<Bytes>, HostError> {
        let recent_from = self.recent.front().map_or(self.end_offset, |oldest| oldest.base_offset);
        if from >= recent_from {
            return Ok(self.read_recent(from, max_bytes));
        }
        let done = self.done.load(Ordering::Acquire);
        let cut = self.cuts.iter().filter(|(order, _)| *order > done).map(|(_, offset)| *offset);
        let below = cut.min().unwrap_or(recent_from).min(recent_from);
        self.read_disk(from, max_bytes, below)
    }

    fn truncate_to(&mut self, offset: i64) {
        if offset >= self.end_offset {
            return;
        }
        self.forget_from(offset);
        self.end_offset = offset;
        self.order(Order::TruncateTo(offset));
        self.cuts.push_back((self.ordered, offset));
        self.settle();
    }

    fn snapshots(&self) -> Vec<SnapshotEntry> {
        self.files.lock().entries()
    }

    fn read_snapshot(&self, id: SnapshotId) -> Result<Bytes, HostError> {
        if let Some((_, installing, content)) = &self.installing
            && *installing == id
        {
            return Ok(content.clone());
        }
        let path = self.files.lock().path(id);
        let read = outwait(|| std::fs::read(&path));
        read.map(Bytes::from).map_err(|error| HostError(format!("{}: {error}", path.display())))
    }

    fn read_snapshot_piece(
        &self,
        id: SnapshotId,
        position: u64,
        max_bytes: usize,
    ) -> Result<Bytes, HostError> {
        if let Some((_, installing, content)) = &self.installing
            && *installing == id
        {
            let from = usize::try_from(position).unwrap_or(usize::MAX).min(content.len());
            return Ok(content.slice(from..content.len().min(from.saturating_add(max_bytes))));
        }
        let path = self.files.lock().path(id);
        outwait(|| snapshot_files::read_piece(&path, position, max_bytes))
            .map_err(|error| HostError(error.to_string()))
    }

    fn install_snapshot(&mut self, id: SnapshotId, content: Bytes) {
        let entry = SnapshotEntry { id, size_bytes: content.len() as u64, timestamp_ms: None };
        self.files.lock().add(entry);
        self.forget_from(i64::MIN);
        self.start_offset = id.end_offset;
        self.end_offset = id.end_offset;
        self.order(Order::Install { id, content: content.clone() });
        self.installing = Some((self.ordered, id, content));
        self.cuts.push_back((self.ordered, id.end_offset));
        self.settle();
    }

    fn delete_before(&mut self, id: SnapshotId) {
        self.start_offset = self.start_offset.max(id.end_offset);
        self.order(Order::DeleteBefore(id));
    }
}

//! `__cluster_metadata-0` on the disk: the quorum's view of it, and the thread that writes it.
//!
//! ```text
//! quorum's thread ── MetadataLog ── orders ──▶ writer's thread: append*, one sync, report
//!                        └── LogReader (no lock)
//! ```
//! Kept true: the quorum's thread never waits for the disk; orders are carried out in their order;
//! what is reported as synced came back from fdatasync. All orders that wait are written before one
//! sync, which serves them all. A write that fails ends the process: what the disk holds then is
//! unknown.

use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::JoinHandle;

use bytes::Bytes;
use parking_lot::Mutex;
use raft::quorum::{HostError, Log, SnapshotEntry, SnapshotId};
use storage::{AppendOrigin, CleanupPolicy, LogConfig, LogReader, OpenOptions};

use super::snapshot_files::{self, SnapshotFiles};
use super::{FileError, MetadataDir, QuorumStartError, clock, fatal};

const MAX_BATCH_BYTES: u32 = 8 * 1024 * 1024;
const TOPIC_ID_FILE: &str = "version: 0\ntopic_id: AAAAAAAAAAAAAAAAAAAAAQ";

/// What the quorum's thread asks of the writer.
enum Order {
    Append { batches: Bytes, epoch: i32 },
    Sync,
    DeleteBefore(SnapshotId),
    Close,
}

/// The quorum's view of its log.
#[derive(Debug)]
pub(super) struct MetadataLog {
    reader: LogReader,
    end_offset: i64,
    last_epoch: i32,
    files: Arc<Mutex<SnapshotFiles>>,
    orders: Sender<Order>,
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
        let files = SnapshotFiles::find(&path)?;
        let newest = files.newest();
        let options = OpenOptions {
            clean_shutdown: dir.clean_shutdown,
            // A snapshot is made of committed records, so everything below it was synced.
            recovery_point: newest.map_or(0, |id| id.end_offset),
            now_ms: clock::wall_ms(),
            producer_expiration_ms: i64::MAX,
            disk: dir.disk.clone(),
            open_files: Arc::clone(&dir.open_files),
            ..OpenOptions::default()
        };
        let mut storage = storage::Log::open(&path, config, options)?;
        write_topic_id(&path)?;
        let mut last_epoch = storage.latest_epoch().unwrap_or(0);
        if let Some(id) = newest {
            let lost = storage.log_end_offset() < id.end_offset;
            if lost {
                // The log ends before its snapshot: whatever it holds is in there.
                storage.truncate_fully_and_start_at(
                    id.end_offset,
                    id.end_offset,
                    clock::wall_ms(),
                )?;
                last_epoch = id.epoch;
            }
            last_epoch = last_epoch.max(id.epoch);
        }
        let (orders, received) = channel();
        let log = MetadataLog {
            reader: storage.reader(),
            end_offset: storage.log_end_offset(),
            last_epoch,
            files: Arc::new(Mutex::new(files)),
            orders,
        };
        Ok(Self { log, storage, received })
    }

    /// Starts the writer; `synced` hears up to where the disk has everything.
    pub(super) fn run(
        self,
        synced: impl Fn(i64) + Send + 'static,
    ) -> std::io::Result<(MetadataLog, JoinHandle<()>)> {
        let Self { log, storage, received } = self;
        let files = Arc::clone(&log.files);
        let write = move || Writer { storage, files }.run(&received, &synced);
        let thread = std::thread::Builder::new().name("gregor-metadata-log".to_owned());
        Ok((log, thread.spawn(write)?))
    }
}

/// Kafka gives the metadata topic a fixed id, and reads it from this file.
fn write_topic_id(directory: &Path) -> Result<(), FileError> {
    let path = directory.join("partition.metadata");
    if path.exists() {
        return Ok(());
    }
    std::fs::write(&path, TOPIC_ID_FILE)
        .map_err(|error| snapshot_files::failed("write", &path, error))
}

impl MetadataLog {
    /// Asks for everything appended so far to be synced and reported.
    pub(super) fn request_sync(&self) {
        self.order(Order::Sync);
    }

    /// Lets the writer finish and close the log.
    pub(super) fn close(&self) {
        self.order(Order::Close);
    }

    pub(super) fn snapshot_files(&self) -> Arc<Mutex<SnapshotFiles>> {
        Arc::clone(&self.files)
    }

    fn order(&self, order: Order) {
        // A writer that is gone has been closed: nothing is owed to anybody any more.
        let _ = self.orders.send(order);
    }
}

impl Log for MetadataLog {
    fn log_start_offset(&self) -> i64 {
        self.reader.log_start_offset()
    }

    fn log_end_offset(&self) -> i64 {
        self.end_offset
    }

    fn last_epoch(&self) -> i32 {
        self.last_epoch
    }

    fn size_bytes(&self) -> u64 {
        self.reader.size_bytes()
    }

    fn append(&mut self, batches: Bytes, epoch: i32) {
        let views = protocol::batch::batches(&batches).filter_map(Result::ok);
        self.end_offset = views.last().map_or(self.end_offset, |batch| batch.next_offset());
        self.last_epoch = epoch;
        self.order(Order::Append { batches, epoch });
    }

    fn read(&self, from: i64, max_bytes: usize) -> Result<Vec<Bytes>, HostError> {
        let read = self.reader.read(from, max_bytes, i64::MAX, true);
        let mut slices = read.map_err(|error| HostError(error.to_string()))?.slices;
        // The limit may cut the last batch short.
        if let Some(last) = slices.last_mut() {
            let mut batches = protocol::batch::batches(last);
            batches.by_ref().for_each(drop);
            let whole = batches.position();
            last.truncate(whole);
        }
        slices.retain(|slice| !slice.is_empty());
        Ok(slices)
    }

    fn snapshots(&self) -> Vec<SnapshotEntry> {
        self.files.lock().entries()
    }

    fn read_snapshot(&self, id: SnapshotId) -> Result<Bytes, HostError> {
        let path = self.files.lock().path(id);
        let read = std::fs::read(&path);
        read.map(Bytes::from).map_err(|error| HostError(format!("{}: {error}", path.display())))
    }

    fn delete_before(&mut self, id: SnapshotId) {
        self.order(Order::DeleteBefore(id));
    }
}

/// Owns the log's files while the node runs.
struct Writer {
    storage: storage::Log,
    files: Arc<Mutex<SnapshotFiles>>,
}

impl Writer {
    fn run(mut self, orders: &Receiver<Order>, synced: &dyn Fn(i64)) {
        while let Ok(first) = orders.recv() {
            let mut sync = false;
            let mut close = false;
            for order in std::iter::once(first).chain(orders.try_iter()) {
                match order {
                    Order::Append { batches, epoch } => self.append(&batches, epoch),
                    Order::Sync => sync = true,
                    Order::DeleteBefore(id) => self.delete_before(id),
                    Order::Close => close = true,
                }
            }
            if sync {
                let end_offset = self.storage.log_end_offset();
                or_fatal(self.storage.flush(clock::wall_ms()));
                synced(end_offset);
            }
            if close {
                or_fatal(self.storage.close(clock::wall_ms()));
                return;
            }
        }
    }

    fn append(&mut self, batches: &Bytes, epoch: i32) {
        let origin = AppendOrigin::RaftLeader;
        or_fatal(self.storage.append_as_leader(batches, epoch, clock::wall_ms(), origin));
    }

    fn delete_before(&mut self, id: SnapshotId) {
        self.storage.high_watermark_moved(id.end_offset);
        or_fatal(self.storage.delete_records_before(id.end_offset));
        or_fatal(self.storage.delete_old_segments(clock::wall_ms()));
        or_fatal(self.storage.remove_doomed(clock::wall_ms()));
        or_fatal(self.files.lock().delete_before(id));
    }
}

fn or_fatal<T, E: std::fmt::Display>(result: Result<T, E>) -> T {
    match result {
        Ok(value) => value,
        Err(error) => fatal(&error),
    }
}

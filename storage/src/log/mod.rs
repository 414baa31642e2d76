//! One partition's log: a directory of segments that is appended to at its end, read anywhere, cut
//! at either end. Answers to Kafka's `UnifiedLog` and `LocalLog`.
//!
//! ```text
//! log_start_offset <= recovery_point <= log_end_offset
//! ```
//! One owner writes (`&mut`, under the partition's lock); any number of [`LogReader`]s read without
//! that lock. Offsets are published to them after the bytes behind them were written. A failed
//! write or sync is final: the log answers [`StorageError::PreviousIo`] from then on. Running out
//! of descriptors or memory is not (`reload`).

mod append;
mod beside;
mod flush;
mod lines;
mod lookup;
mod open;
mod producers;
mod read;
pub(crate) mod rebuilt;
mod recover;
mod reload;
mod replace_segments;
mod retention;
mod roll;
mod snapshots;
pub(crate) mod to_clean;
mod truncate;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

use arc_swap::ArcSwap;

pub use append::Appended;
pub use flush::{FlushTicket, Flushed};
pub use lookup::TimestampOffset;
pub use open::OpenOptions;
pub use producers::ProducerSummary;
pub use read::{LogRead, LogReader, ReadPlan};
pub use replace_segments::CleanedSegment;
pub use to_clean::{CleanableOffsets, LogToClean};

use crate::config::LogConfig;
use crate::corruption::Corruption;
use crate::dir::Checkpointed;
use crate::epochs::{EpochEntry, LeaderEpochs};
use crate::error::StorageError;
use crate::index::time::TimeEntry;
use crate::names;
use crate::producer::{ProducerState, Unstable};
use crate::segment::{Home, Segment};
use snapshots::Snapshots;

/// What readers see. `end` is stored before the active segment's published size and read after it,
/// so that a reader who finds `end` where it expected it also has the size that belongs to it.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) home: Arc<Home>,
    /// Ascending by base offset; never empty.
    segments: ArcSwap<Vec<Arc<Segment>>>,
    start: AtomicI64,
    end: AtomicI64,
    unstable: Arc<Unstable>,
    /// Truncations begun and ended: odd while one is under way. A reader that finds it changed has
    /// seen offsets or bytes of before and of after.
    cuts: AtomicU64,
}

/// A truncation under way; readers give nothing until it ends.
#[derive(Debug)]
struct Cutting(Arc<Shared>);

impl Drop for Cutting {
    fn drop(&mut self) {
        self.0.cuts.fetch_add(1, Ordering::SeqCst);
    }
}

impl Shared {
    fn begin_cut(self: &Arc<Self>) -> Cutting {
        self.cuts.fetch_add(1, Ordering::SeqCst);
        Cutting(Arc::clone(self))
    }

    /// The number of the state between two truncations; `None` within one.
    fn uncut(&self) -> Option<u64> {
        let cuts = self.cuts.load(Ordering::SeqCst);
        cuts.is_multiple_of(2).then_some(cuts)
    }
}

/// What only the writer knows of the segment it writes.
#[derive(Debug)]
struct Active {
    segment: Arc<Segment>,
    /// Where the next batch goes; ahead of the published size only during an append.
    written: u64,
    /// Where the offsets of its batches end; below the log's end when a cut took half a batch.
    next_offset: i64,
    bytes_since_entry: u64,
    last_time_entry: TimeEntry,
    /// Largest timestamp of the first batch: rolling by time counts from it.
    first_timestamp: Option<i64>,
    created_ms: i64,
    jitter_ms: i64,
}

/// A file renamed to `.deleted`, to be removed when its delay is over.
#[derive(Debug)]
struct Doomed {
    path: PathBuf,
    due_ms: i64,
}

#[derive(Debug)]
pub struct Log {
    shared: Arc<Shared>,
    /// `topic-partition`: the directory's name, for messages.
    name: String,
    config: LogConfig,
    active: Active,
    epochs: LeaderEpochs,
    /// The file says something else than `epochs`.
    epochs_unwritten: bool,
    epochs_unsynced: bool,
    /// Files were created or renamed since the directory was synced.
    directory_unsynced: bool,
    /// The log dir may not know this directory after a power loss.
    name_unsynced: bool,
    /// A ticket is out.
    flush_under_way: bool,
    producers: ProducerState,
    snapshots: Snapshots,
    recovery_point: i64,
    checkpointed: Option<Checkpointed>,
    last_flush_ms: i64,
    high_watermark: i64,
    jitter_draw: u64,
    doomed: Vec<Doomed>,
    closed: Option<Closed>,
    /// A cut that was begun and not ended left files and memory apart; where the log began then.
    interrupted: Option<i64>,
}

/// Why a log takes nothing more.
#[derive(Debug)]
enum Closed {
    /// A write or a sync failed.
    Io,
    /// A truncation came upon damage when some of it was done.
    Corrupt(Corruption),
}

impl Drop for Log {
    fn drop(&mut self) {
        self.shared.segments.load().iter().for_each(|segment| segment.retire());
    }
}

impl Log {
    /// Readers need no lock. Slices that they gave may outlive the log; the readers themselves read
    /// nothing once it is gone.
    #[must_use]
    pub fn reader(&self) -> LogReader {
        LogReader::new(Arc::clone(&self.shared))
    }

    #[must_use]
    pub fn log_start_offset(&self) -> i64 {
        self.shared.start.load(Ordering::Acquire)
    }

    #[must_use]
    pub fn log_end_offset(&self) -> i64 {
        self.shared.end.load(Ordering::Acquire)
    }

    /// Everything below is on the disk, side files included.
    #[must_use]
    pub fn recovery_point(&self) -> i64 {
        self.recovery_point
    }

    #[must_use]
    pub fn config(&self) -> &LogConfig {
        &self.config
    }

    /// Takes effect with the next append.
    pub fn set_config(&mut self, config: LogConfig) {
        self.config = config;
    }

    #[must_use]
    pub fn directory(&self) -> PathBuf {
        self.shared.home.path()
    }

    /// Bytes of all segments' `.log` files.
    #[must_use]
    pub fn size_bytes(&self) -> u64 {
        self.shared.segments.load().iter().map(|segment| segment.size()).sum()
    }

    #[must_use]
    pub fn segment_count(&self) -> usize {
        self.shared.segments.load().len()
    }

    /// Base offsets of the segments, ascending.
    #[must_use]
    pub fn segment_offsets(&self) -> Vec<i64> {
        self.shared.segments.load().iter().map(|segment| segment.base_offset()).collect()
    }

    /// Moves the log's directory and lets go of the log; its files stay readable to those who have
    /// them open.
    pub(crate) fn rename(&self, to: &Path) -> Result<(), StorageError> {
        let home = &self.shared.home;
        let mut path = home.path.write();
        let renamed = home.disk.rename(&path, to);
        renamed.map_err(|error| StorageError::io("rename", &path, error))?;
        to.clone_into(&mut path);
        Ok(())
    }

    /// A future log becomes the one of its partition: its directory gets the partition's name, and
    /// has it on the disk when this returns.
    pub(crate) fn promote(&mut self, to: &Path, now_ms: i64) -> Result<(), StorageError> {
        self.flush(now_ms)?;
        self.rename(to)?;
        self.name = to.file_name().unwrap_or_default().to_string_lossy().into_owned();
        self.name_unsynced = true;
        let ticket = self.ticket(self.log_end_offset(), now_ms)?;
        self.end_flush(ticket.run())
    }

    /// Whether a flush was begun that has not ended: its end will be told to this log.
    #[must_use]
    pub fn is_being_flushed(&self) -> bool {
        self.flush_under_way
    }

    // --- leader epochs ---------------------------------------------------------------------

    #[must_use]
    pub fn latest_epoch(&self) -> Option<i32> {
        self.epochs.latest().map(|entry| entry.epoch)
    }

    #[must_use]
    pub fn leader_epochs(&self) -> &[EpochEntry] {
        self.epochs.entries()
    }

    /// The largest known epoch at or below `epoch` and the offset where it ends; `None` where Kafka
    /// answers an undefined epoch and offset.
    #[must_use]
    pub fn end_offset_for_epoch(&self, epoch: i32) -> Option<(i32, i64)> {
        self.epochs.end_offset_for(epoch, self.log_end_offset())
    }

    /// The epoch under which the record at `offset` was written.
    #[must_use]
    pub fn epoch_at(&self, offset: i64) -> Option<i32> {
        self.epochs.epoch_for_offset(offset)
    }

    /// Notes that `leader_epoch` begins at the present log end.
    pub fn begin_leader_epoch(&mut self, leader_epoch: i32) -> Result<(), StorageError> {
        self.take_up_again()?;
        self.assign_epoch(leader_epoch, self.log_end_offset())
    }

    fn assign_epoch(&mut self, epoch: i32, start_offset: i64) -> Result<(), StorageError> {
        self.epochs_unwritten |= self.epochs.assign(epoch, start_offset);
        self.write_epochs_if_needed()
    }

    fn write_epochs_if_needed(&mut self) -> Result<(), StorageError> {
        if self.epochs_unwritten { self.write_epochs() } else { Ok(()) }
    }

    /// Kafka's file is there, empty, from the first moment.
    fn create_epochs(&self) -> Result<(), StorageError> {
        let home = &self.shared.home;
        let path = home.path.read().join(names::EPOCHS);
        home.disk.create(&path).map(drop).map_err(|error| StorageError::io("create", &path, error))
    }

    fn write_epochs(&mut self) -> Result<(), StorageError> {
        let home = &self.shared.home;
        let path = home.path.read().join(names::EPOCHS);
        self.epochs_unwritten = true;
        self.epochs_unsynced = true;
        self.directory_unsynced = true;
        let written = home.disk.replace(&path, self.epochs.encode().as_bytes(), false);
        self.guard(written.map_err(|error| StorageError::io("write", &path, error)))?;
        self.epochs_unwritten = false;
        Ok(())
    }

    // --- failure ---------------------------------------------------------------------------

    /// Whether an earlier failure has closed this log for good.
    #[must_use]
    pub fn is_failed(&self) -> bool {
        self.closed.is_some()
    }

    fn check_health(&self) -> Result<(), StorageError> {
        match &self.closed {
            None => {}
            Some(Closed::Io) => {
                return Err(StorageError::PreviousIo { path: self.shared.home.path() });
            }
            Some(Closed::Corrupt(found)) => return Err(StorageError::Corrupt(found.clone())),
        }
        if self.interrupted.is_some() {
            return Err(StorageError::Interrupted { path: self.shared.home.path() });
        }
        Ok(())
    }

    /// Passes a result on; a failure of the disk closes the log. Running out of descriptors is not
    /// one: nothing was written then, and the next attempt may find some.
    fn guard<T>(&mut self, result: Result<T, StorageError>) -> Result<T, StorageError> {
        if let Err(error) = &result
            && !error.is_exhaustion()
        {
            let cause = match error {
                StorageError::Corrupt(found) => Closed::Corrupt(found.clone()),
                _ => Closed::Io,
            };
            self.closed.get_or_insert(cause);
        }
        result
    }
}

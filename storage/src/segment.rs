//! One segment: a `.log` file, its indexes, and how many of their bytes are published. Answers to
//! Kafka's `LogSegment`, `FileRecords` and `LazyIndex`.
//!
//! Shared between the log that writes it and readers on any thread. Everything below `published`
//! stays as it is, but for [`Segment::cut`], which waits for readers and refuses while slices are
//! out. Files and map are opened when needed and may be closed at any time by [`OpenFiles`].

use std::io;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Weak};

use bytes::Bytes;
use parking_lot::{MappedRwLockReadGuard, RwLock, RwLockReadGuard};

use crate::disk::{Disk, DiskFile};
use crate::error::StorageError;
use crate::index::offset::{self, OffsetEntry};
use crate::index::time::{self, TimeEntry};
use crate::index::transaction::{self, AbortedTransaction};
use crate::map::{self, Mapping, SliceCount};
use crate::names;
use crate::open_files::OpenFiles;
use crate::producer::CompletedTransaction;
use crate::scan::{self, BatchSpan, Spans};

/// Where a log lives and what it opens files with. The path changes when the log is renamed.
#[derive(Debug)]
pub(crate) struct Home {
    pub path: RwLock<PathBuf>,
    pub disk: Disk,
    pub open_files: Arc<OpenFiles>,
}

impl Home {
    pub(crate) fn file(&self, base_offset: i64, suffix: &str) -> PathBuf {
        names::file(&self.path.read(), base_offset, suffix)
    }

    pub(crate) fn path(&self) -> PathBuf {
        self.path.read().clone()
    }
}

#[derive(Debug, Default)]
struct Files {
    log: Option<Arc<DiskFile>>,
    offset_index: Option<Arc<DiskFile>>,
    time_index: Option<Arc<DiskFile>>,
    map: Option<Arc<Mapped>>,
}

/// A map and the counter of the slices made of its file.
#[derive(Debug)]
struct Mapped {
    mapping: Arc<Mapping>,
    slices: SliceCount,
}

impl Files {
    fn count(&self) -> usize {
        usize::from(self.log.is_some())
            + usize::from(self.offset_index.is_some())
            + usize::from(self.time_index.is_some())
            + usize::from(self.map.is_some())
    }
}

/// Not known yet; asked of the file on first use.
const UNKNOWN_ENTRIES: u32 = u32::MAX;
const UNKNOWN_TIMESTAMP: i64 = i64::MIN;

#[derive(Debug)]
pub(crate) struct Segment {
    base_offset: i64,
    home: Arc<Home>,
    this: Weak<Self>,
    published: AtomicU64,
    /// What a map of the active segment covers, so that it need not be renewed as the file grows.
    address_space: AtomicU64,
    offset_entries: AtomicU32,
    time_entries: AtomicU32,
    max_timestamp: AtomicI64,
    max_timestamp_offset: AtomicI64,
    files: RwLock<Files>,
    used: AtomicBool,
    /// The log let go of it: no more slices are made.
    retired: AtomicBool,
    /// A lookup found the offset index to disagree with the log.
    index_unfit: AtomicBool,
    /// Something changed since the last sync of the indexes, of the transaction index. Set behind
    /// the change and taken before the sync, so that none is missed.
    indexes_unsynced: AtomicBool,
    transactions_unsynced: AtomicBool,
}

impl Segment {
    pub(crate) fn new(home: &Arc<Home>, base_offset: i64, size: u64, space: u64) -> Arc<Self> {
        Arc::new_cyclic(|this| Self {
            base_offset,
            home: Arc::clone(home),
            this: this.clone(),
            published: AtomicU64::new(size),
            address_space: AtomicU64::new(space),
            offset_entries: AtomicU32::new(UNKNOWN_ENTRIES),
            time_entries: AtomicU32::new(UNKNOWN_ENTRIES),
            max_timestamp: AtomicI64::new(UNKNOWN_TIMESTAMP),
            max_timestamp_offset: AtomicI64::new(base_offset),
            files: RwLock::default(),
            used: AtomicBool::new(false),
            retired: AtomicBool::new(false),
            index_unfit: AtomicBool::new(false),
            indexes_unsynced: AtomicBool::new(true),
            transactions_unsynced: AtomicBool::new(true),
        })
    }

    pub(crate) fn base_offset(&self) -> i64 {
        self.base_offset
    }

    /// The files were created just now: nothing needs to be asked of them.
    pub(crate) fn know_empty(&self) {
        self.offset_entries.store(0, Ordering::Release);
        self.time_entries.store(0, Ordering::Release);
        self.set_max_timestamp(TimeEntry { timestamp: -1, offset: self.base_offset });
    }

    pub(crate) fn size(&self) -> u64 {
        self.published.load(Ordering::Acquire)
    }

    pub(crate) fn publish(&self, size: u64) {
        self.published.store(size, Ordering::Release);
    }

    pub(crate) fn path(&self, suffix: &str) -> PathBuf {
        self.home.file(self.base_offset, suffix)
    }

    pub(crate) fn io_error(&self, operation: &'static str, error: io::Error) -> StorageError {
        StorageError::io(operation, &self.path(names::LOG), error)
    }

    pub(crate) fn is_index_unfit(&self) -> bool {
        self.index_unfit.load(Ordering::Relaxed)
    }

    // --- files -----------------------------------------------------------------------------

    /// What `have` finds among the open files, made by `make` if it finds nothing. While the guard
    /// lives the segment is neither cut nor closed, and nothing else of it can be opened.
    fn open<T>(
        &self,
        have: impl Fn(&Files) -> Option<&Arc<T>>,
        make: impl Fn(&mut Files) -> Result<(), StorageError>,
    ) -> Result<MappedRwLockReadGuard<'_, Arc<T>>, StorageError> {
        self.used.store(true, Ordering::Relaxed);
        loop {
            if let Ok(file) = RwLockReadGuard::try_map(self.files.read(), |files| have(files)) {
                return Ok(file);
            }
            let mut files = self.files.write();
            if have(&files).is_some() {
                continue;
            }
            let before = files.count();
            let made = make(&mut files);
            let added = files.count() - before;
            drop(files);
            self.home.open_files.opened(self.this.clone(), added, before == 0 && added > 0);
            made?;
        }
    }

    fn open_file(&self, suffix: &str, create: bool) -> Result<Arc<DiskFile>, StorageError> {
        let path = self.path(suffix);
        let disk = &self.home.disk;
        let file = if create { disk.open_or_create(&path) } else { disk.open(&path) };
        file.map(Arc::new).map_err(|error| StorageError::io("open", &path, error))
    }

    /// The `.log`. Whoever holds it keeps it open, not from being cut.
    pub(crate) fn log(&self) -> Result<Arc<DiskFile>, StorageError> {
        let guard = self.open(
            |files| files.log.as_ref(),
            |files| {
                files.log = Some(self.open_file(names::LOG, false)?);
                Ok(())
            },
        )?;
        Ok(Arc::clone(&guard))
    }

    pub(crate) fn offset_index(&self) -> Result<Arc<DiskFile>, StorageError> {
        let guard = self.open(
            |files| files.offset_index.as_ref(),
            |files| {
                files.offset_index = Some(self.open_file(names::OFFSET_INDEX, true)?);
                Ok(())
            },
        )?;
        Ok(Arc::clone(&guard))
    }

    pub(crate) fn time_index(&self) -> Result<Arc<DiskFile>, StorageError> {
        let guard = self.open(
            |files| files.time_index.as_ref(),
            |files| {
                files.time_index = Some(self.open_file(names::TIME_INDEX, true)?);
                Ok(())
            },
        )?;
        Ok(Arc::clone(&guard))
    }

    fn map(&self, at_least: u64) -> Result<MappedRwLockReadGuard<'_, Arc<Mapped>>, StorageError> {
        self.open(
            |files| files.map.as_ref().filter(|map| map.mapping.len() as u64 >= at_least),
            |files| {
                let log = match &files.log {
                    Some(log) => Arc::clone(log),
                    None => self.open_file(names::LOG, false)?,
                };
                let len = self.address_space.load(Ordering::Relaxed).max(at_least);
                let fail = |error| self.io_error("map", error);
                let mapping = Arc::new(Mapping::new(log.as_file(), len as usize).map_err(fail)?);
                let slices = self.home.open_files.slice_count(&log).map_err(fail)?;
                files.log = Some(log);
                files.map = Some(Arc::new(Mapped { mapping, slices }));
                Ok(())
            },
        )
    }

    /// For [`OpenFiles`]: closes everything unless used since the last call. `false` keeps it.
    pub(crate) fn close_if_idle(&self) -> bool {
        if self.used.swap(false, Ordering::Relaxed) {
            return false;
        }
        let Some(mut files) = self.files.try_write() else {
            return false;
        };
        let closed = std::mem::take(&mut *files);
        self.home.open_files.closed(closed.count());
        true
    }

    /// Its log lets go of it: it is closed, and readers that still have it get nothing of it.
    pub(crate) fn retire(&self) {
        self.retired.store(true, Ordering::Release);
        self.close();
    }

    /// Closes everything; what is needed again is opened again.
    pub(crate) fn close(&self) {
        let closed = std::mem::take(&mut *self.files.write());
        self.home.open_files.closed(closed.count());
    }

    // --- reading ---------------------------------------------------------------------------

    pub(crate) fn offset_entries(&self) -> Result<u32, StorageError> {
        let known = self.offset_entries.load(Ordering::Acquire);
        if known != UNKNOWN_ENTRIES {
            return Ok(known);
        }
        let entries = self.entries_in(&*self.offset_index()?, offset::ENTRY_BYTES)?;
        self.offset_entries.store(entries, Ordering::Release);
        Ok(entries)
    }

    pub(crate) fn time_entries(&self) -> Result<u32, StorageError> {
        let known = self.time_entries.load(Ordering::Acquire);
        if known != UNKNOWN_ENTRIES {
            return Ok(known);
        }
        let entries = self.entries_in(&*self.time_index()?, time::ENTRY_BYTES)?;
        self.time_entries.store(entries, Ordering::Release);
        Ok(entries)
    }

    fn entries_in(&self, file: &DiskFile, entry_bytes: usize) -> Result<u32, StorageError> {
        let len = file.len().map_err(|error| self.io_error("stat index of", error))?;
        Ok(u32::try_from(len / entry_bytes as u64).unwrap_or(0))
    }

    pub(crate) fn last_offset_entry(&self) -> Result<Option<OffsetEntry>, StorageError> {
        let entries = self.offset_entries()?;
        offset::last(&*self.offset_index()?, self.base_offset, entries)
            .map_err(|error| self.io_error("read index of", error))
    }

    pub(crate) fn last_time_entry(&self) -> Result<Option<TimeEntry>, StorageError> {
        let entries = self.time_entries()?;
        time::last(&*self.time_index()?, self.base_offset, entries)
            .map_err(|error| self.io_error("read time index of", error))
    }

    /// The last time index entry at or below `timestamp`.
    pub(crate) fn time_entry_before(
        &self,
        timestamp: i64,
    ) -> Result<Option<TimeEntry>, StorageError> {
        let entries = self.time_entries()?;
        time::lookup(&*self.time_index()?, self.base_offset, entries, timestamp)
            .map_err(|error| self.io_error("read time index of", error))
    }

    /// Where a search for `target` may begin: the position of a batch that lies at or before it.
    pub(crate) fn position_before(&self, target: i64) -> Result<u64, StorageError> {
        let Some(entry) = self.entry_before(target)? else { return Ok(0) };
        let fits = scan::span_at(&*self.log()?, u64::from(entry.position), self.size())
            .map_err(|error| self.io_error("read", error))?
            .is_some_and(|span| span.last_offset == entry.offset);
        if fits {
            return Ok(u64::from(entry.position));
        }
        self.note_unfit();
        Ok(0)
    }

    /// The first batch that holds `target` or lies after it.
    ///
    /// The index entry used is held against the batch it names; one that disagrees sends the search
    /// to the segment's start and marks the index for a rebuild.
    pub(crate) fn find(&self, target: i64) -> Result<Option<BatchSpan>, StorageError> {
        let entry = self.entry_before(target)?;
        let (log, size) = (self.log()?, self.size());
        let fail = |error| self.io_error("read", error);
        let mut spans = Spans::new(&log, entry.map_or(0, |entry| u64::from(entry.position)), size);
        let mut span = spans.next().map_err(fail)?;
        if let Some(entry) = entry
            && span.is_none_or(|span| span.last_offset != entry.offset)
        {
            self.note_unfit();
            spans = Spans::new(&log, 0, size);
            span = spans.next().map_err(fail)?;
        }
        while let Some(before) = span
            && before.last_offset < target
        {
            span = spans.next().map_err(fail)?;
        }
        Ok(span)
    }

    fn entry_before(&self, target: i64) -> Result<Option<OffsetEntry>, StorageError> {
        if target <= self.base_offset {
            return Ok(None);
        }
        let entries = self.offset_entries()?;
        if entries == 0 {
            return Ok(None);
        }
        offset::lookup(&*self.offset_index()?, self.base_offset, entries, target)
            .map_err(|error| self.io_error("read index of", error))
    }

    /// An offset that no record before `position` reaches, if the index knows one.
    pub(crate) fn offset_above(&self, position: u64) -> Result<Option<i64>, StorageError> {
        let entries = self.offset_entries()?;
        let found = offset::first_from(&*self.offset_index()?, self.base_offset, entries, position);
        let entry = found.map_err(|error| self.io_error("read index of", error))?;
        Ok(entry.map(|entry| entry.offset))
    }

    fn note_unfit(&self) {
        if !self.index_unfit.swap(true, Ordering::Relaxed) {
            let path = self.path(names::OFFSET_INDEX);
            tracing::warn!(index = %path.display(), "offset index does not fit its log");
        }
    }

    /// Published bytes `[start, start + len)` without a copy; less where the segment ends before.
    pub(crate) fn slice(&self, start: u64, len: u64) -> Result<Bytes, StorageError> {
        let map = self.map((start + len).min(self.size()))?;
        // Under the lock that `cut` needs: the published length holds until the slice is counted.
        let len = len.min(self.size().saturating_sub(start));
        if len == 0 || self.retired.load(Ordering::Acquire) {
            return Ok(Bytes::new());
        }
        map::published(&map.mapping, &map.slices, start as usize, len as usize)
            .ok_or_else(|| self.io_error("map", io::ErrorKind::UnexpectedEof.into()))
    }

    // --- timestamps ------------------------------------------------------------------------

    /// The largest timestamp and the last offset of its batch; what the time index says, unless
    /// appends since have raised it.
    pub(crate) fn max_timestamp(&self) -> Result<TimeEntry, StorageError> {
        let timestamp = self.max_timestamp.load(Ordering::Acquire);
        if timestamp != UNKNOWN_TIMESTAMP {
            let offset = self.max_timestamp_offset.load(Ordering::Acquire);
            return Ok(TimeEntry { timestamp, offset });
        }
        let entry = self
            .last_time_entry()?
            .unwrap_or(TimeEntry { timestamp: -1, offset: self.base_offset });
        self.set_max_timestamp(entry);
        Ok(entry)
    }

    pub(crate) fn set_max_timestamp(&self, entry: TimeEntry) {
        self.max_timestamp_offset.store(entry.offset, Ordering::Release);
        self.max_timestamp.store(entry.timestamp, Ordering::Release);
    }

    /// For retention: the largest timestamp, or for records without any the file's age.
    pub(crate) fn largest_timestamp_or_modified(&self) -> Result<i64, StorageError> {
        let largest = self.max_timestamp()?.timestamp;
        if largest >= 0 {
            return Ok(largest);
        }
        let modified = (|| {
            let modified = self.log()?.as_file().metadata().and_then(|meta| meta.modified());
            modified.map_err(|error| self.io_error("stat", error))
        })()?;
        let since = modified.duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
        Ok(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
    }

    // --- writing (the owning log only) -----------------------------------------------------

    pub(crate) fn append_offset_entry(&self, entry: OffsetEntry) -> Result<(), StorageError> {
        let entries = self.offset_entries()?;
        let at = u64::from(entries) * offset::ENTRY_BYTES as u64;
        self.offset_index()?
            .write_at(&entry.encode(self.base_offset), at)
            .map_err(|error| self.io_error("write index of", error))?;
        self.offset_entries.store(entries + 1, Ordering::Release);
        self.indexes_unsynced.store(true, Ordering::Release);
        Ok(())
    }

    pub(crate) fn append_time_entry(&self, entry: TimeEntry) -> Result<(), StorageError> {
        let entries = self.time_entries()?;
        let at = u64::from(entries) * time::ENTRY_BYTES as u64;
        self.time_index()?
            .write_at(&entry.encode(self.base_offset), at)
            .map_err(|error| self.io_error("write time index of", error))?;
        self.time_entries.store(entries + 1, Ordering::Release);
        self.indexes_unsynced.store(true, Ordering::Release);
        Ok(())
    }

    /// Adds a rolled-back transaction to the transaction index, whose file begins with the first.
    pub(crate) fn append_aborted(
        &self,
        completed: &CompletedTransaction,
        last_stable_offset: i64,
    ) -> Result<(), StorageError> {
        let entry = AbortedTransaction {
            producer_id: completed.producer_id,
            first_offset: completed.first_offset,
            last_offset: completed.last_offset,
            last_stable_offset,
        };
        let append = || {
            let file = self.home.disk.open_or_create(&self.path(names::TRANSACTION_INDEX))?;
            file.write_at(&entry.encode(), file.len()?)
        };
        let appended = append();
        self.transactions_unsynced.store(true, Ordering::Release);
        appended.map_err(|error| self.io_error("write transaction index of", error))
    }

    /// The transaction index's entries; `None` when it does not fit the segment.
    pub(crate) fn aborted(
        &self,
        end_offset: i64,
    ) -> Result<Option<Vec<AbortedTransaction>>, StorageError> {
        match self.home.disk.read(&self.path(names::TRANSACTION_INDEX)) {
            Ok(content) => Ok(transaction::decode(&content, self.base_offset, end_offset).ok()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Some(Vec::new())),
            Err(error) => Err(self.io_error("read transaction index of", error)),
        }
    }

    /// Replaces the transaction index; without entries there is no file.
    pub(crate) fn replace_aborted(
        &self,
        entries: &[AbortedTransaction],
    ) -> Result<(), StorageError> {
        let path = self.path(names::TRANSACTION_INDEX);
        let disk = &self.home.disk;
        let result = if entries.is_empty() {
            disk.remove(&path)
        } else {
            let content: Vec<u8> = entries.iter().flat_map(AbortedTransaction::encode).collect();
            disk.create(&path).and_then(|file| file.write_at(&content, 0))
        };
        self.transactions_unsynced.store(true, Ordering::Release);
        result.map_err(|error| self.io_error("rewrite transaction index of", error))
    }

    /// Whether both index files are as long as a number of entries is.
    pub(crate) fn indexes_have_whole_entries(&self) -> Result<bool, StorageError> {
        let fail = |error| self.io_error("stat index of", error);
        let offsets = self.offset_index()?.len().map_err(fail)?;
        let times = self.time_index()?.len().map_err(fail)?;
        Ok(offsets % offset::ENTRY_BYTES as u64 == 0 && times % time::ENTRY_BYTES as u64 == 0)
    }

    /// Contents of the offset and of the time index.
    pub(crate) fn index_contents(&self) -> Result<(Vec<u8>, Vec<u8>), StorageError> {
        let fail = |error| self.io_error("read indexes of", error);
        let mut offsets = vec![0; self.offset_entries()? as usize * offset::ENTRY_BYTES];
        let read = self.offset_index()?.read_at(&mut offsets, 0).map_err(fail)?;
        offsets.truncate(read);
        let mut times = vec![0; self.time_entries()? as usize * time::ENTRY_BYTES];
        let read = self.time_index()?.read_at(&mut times, 0).map_err(fail)?;
        times.truncate(read);
        Ok((offsets, times))
    }

    fn holds_indexes(&self, offsets: &[u8], times: &[u8]) -> Result<bool, StorageError> {
        let held = self.index_contents()?;
        Ok(held.0 == offsets && held.1 == times)
    }

    /// Replaces both indexes' contents by what a scan of the log found.
    pub(crate) fn replace_indexes(&self, offsets: &[u8], times: &[u8]) -> Result<(), StorageError> {
        let fail = |error| self.io_error("rewrite indexes of", error);
        // A file that is as it should be is not touched: most are, and a truncation costs the file
        // system dear.
        if self.indexes_have_whole_entries()? && self.holds_indexes(offsets, times)? {
            return Ok(());
        }
        let files = [self.offset_index()?, self.time_index()?];
        for (file, content) in files.iter().zip([offsets, times]) {
            file.set_len(0).map_err(fail)?;
            if !content.is_empty() {
                file.write_at(content, 0).map_err(fail)?;
            }
        }
        self.offset_entries.store((offsets.len() / offset::ENTRY_BYTES) as u32, Ordering::Release);
        self.time_entries.store((times.len() / time::ENTRY_BYTES) as u32, Ordering::Release);
        self.index_unfit.store(false, Ordering::Relaxed);
        self.indexes_unsynced.store(true, Ordering::Release);
        Ok(())
    }

    /// Drops index entries at or above `offset`.
    pub(crate) fn cut_indexes(&self, offset: i64) -> Result<(), StorageError> {
        let fail = |error| self.io_error("cut indexes of", error);
        let (base, entries) = (self.base_offset, self.offset_entries()?);
        let index = self.offset_index()?;
        let kept = offset::entries_below(&index, base, entries, offset).map_err(fail)?;
        index.set_len(u64::from(kept) * offset::ENTRY_BYTES as u64).map_err(fail)?;
        self.offset_entries.store(kept, Ordering::Release);
        let entries = self.time_entries()?;
        let index = self.time_index()?;
        let kept = time::entries_below(&index, base, entries, offset).map_err(fail)?;
        index.set_len(u64::from(kept) * time::ENTRY_BYTES as u64).map_err(fail)?;
        self.time_entries.store(kept, Ordering::Release);
        self.indexes_unsynced.store(true, Ordering::Release);
        Ok(())
    }

    /// Cuts the `.log` to `size` in place. `false`, and nothing done, while slices are out.
    pub(crate) fn cut(&self, size: u64) -> Result<bool, StorageError> {
        let log = self.log()?;
        let _no_slice_is_made = self.files.write();
        let slices = self.home.open_files.slice_count(&log);
        if !slices.map_err(|error| self.io_error("stat", error))?.is_zero() {
            return Ok(false);
        }
        self.publish(size);
        log.set_len(size).map_err(|error| self.io_error("cut", error))?;
        Ok(true)
    }

    /// Log and indexes to the disk; indexes that did not change are left out, because even an idle
    /// sync may cost a flush of the device.
    pub(crate) fn sync(&self) -> Result<(), StorageError> {
        let fail = |error| self.io_error("sync", error);
        self.log()?.sync().map_err(fail)?;
        if self.indexes_unsynced.swap(false, Ordering::AcqRel) {
            self.offset_index()?.sync().map_err(fail)?;
            self.time_index()?.sync().map_err(fail)?;
        }
        if self.transactions_unsynced.swap(false, Ordering::AcqRel) {
            match self.home.disk.open(&self.path(names::TRANSACTION_INDEX)) {
                Ok(transactions) => transactions.sync().map_err(fail)?,
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(fail(error)),
            }
        }
        Ok(())
    }
}

impl Drop for Segment {
    fn drop(&mut self) {
        self.home.open_files.closed(self.files.get_mut().count());
    }
}

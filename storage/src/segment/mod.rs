//! One segment: a `.log` file, its indexes, and how many of their bytes are published. Answers to
//! Kafka's `LogSegment`, `FileRecords` and `LazyIndex`.
//!
//! Shared between the log that writes it and readers on any thread. Everything below `published`
//! stays as it is, but for [`Segment::cut`], which waits for readers and refuses while slices are
//! out. Files and map are opened when needed and may be closed at any time by [`OpenFiles`].

mod reading;
mod writing;

use std::io;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock, Weak};

use parking_lot::{MappedRwLockReadGuard, RwLock, RwLockReadGuard};

use crate::disk::{Disk, DiskFile};
use crate::error::StorageError;
use crate::index::time::TimeEntry;
use crate::index::transaction::AbortedTransaction;
use crate::map::{Mapping, SliceCount};
use crate::names;
use crate::open_files::OpenFiles;
use crate::scan::WalkError;

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
    /// Of a segment whose names are another's from now on: what its transaction index held.
    detached: OnceLock<Option<Vec<AbortedTransaction>>>,
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
            detached: OnceLock::new(),
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

    /// What a walk over the batches of the `.log` came upon.
    pub(crate) fn walk_error(&self, error: WalkError) -> StorageError {
        match error {
            WalkError::Io(error) => self.io_error("read", error),
            WalkError::Corrupt { position, fault } => fault.at(self.path(names::LOG), position),
        }
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
            let is_counted = self.detached.get().is_none();
            drop(files);
            if is_counted {
                self.home.open_files.opened(self.this.clone(), added, before == 0 && added > 0);
            }
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
        if self.detached.get().is_some() {
            // Its files have lost their names: they stay open until the last reader lets go.
            return true;
        }
        let closed = std::mem::take(&mut *files);
        self.home.open_files.closed(closed.count());
        true
    }

    /// Another segment takes its names: whoever still reads it needs its files, which can be opened
    /// no more by then.
    pub(crate) fn detach(&self) -> Result<(), StorageError> {
        let aborted = self.aborted(i64::MAX)?;
        let mut files = self.files.write();
        let before = files.count();
        let opened = self.open_missing(&mut files);
        let added = files.count() - before;
        if opened.is_ok() && self.detached.set(aborted).is_ok() {
            // What nobody may close is not counted among what may be open.
            self.home.open_files.closed(before);
        } else {
            drop(files);
            self.home.open_files.opened(self.this.clone(), added, before == 0 && added > 0);
        }
        opened
    }

    /// Log and indexes, all of them: one by one, opening the next might close the one before.
    fn open_missing(&self, files: &mut Files) -> Result<(), StorageError> {
        if files.log.is_none() {
            files.log = Some(self.open_file(names::LOG, false)?);
        }
        if files.offset_index.is_none() {
            files.offset_index = Some(self.open_file(names::OFFSET_INDEX, true)?);
        }
        if files.time_index.is_none() {
            files.time_index = Some(self.open_file(names::TIME_INDEX, true)?);
        }
        Ok(())
    }

    /// What the transaction index held when the segment lost its names.
    pub(crate) fn detached_aborted(&self) -> Option<&Option<Vec<AbortedTransaction>>> {
        self.detached.get()
    }

    /// All its files were synced by who wrote them.
    pub(crate) fn know_synced(&self) {
        self.indexes_unsynced.store(false, Ordering::Release);
        self.transactions_unsynced.store(false, Ordering::Release);
    }

    /// Its log lets go of it: it is closed, and readers that still have it get nothing of it.
    pub(crate) fn retire(&self) {
        self.retired.store(true, Ordering::Release);
        self.close();
    }

    /// Closes everything; what is needed again is opened again.
    pub(crate) fn close(&self) {
        let mut files = self.files.write();
        let closed = std::mem::take(&mut *files);
        if self.detached.get().is_none() {
            self.home.open_files.closed(closed.count());
        }
    }
}

impl Drop for Segment {
    fn drop(&mut self) {
        if self.detached.get().is_none() {
            self.home.open_files.closed(self.files.get_mut().count());
        }
    }
}

//! What only the log that owns a segment does to it: index entries, cuts, syncs. The bytes of the
//! `.log` itself are written by the log's append.

use std::io;
use std::sync::atomic::{AtomicBool, Ordering};

use super::Segment;
use crate::error::StorageError;
use crate::index::offset::{self, OffsetEntry};
use crate::index::time::{self, TimeEntry};
use crate::index::transaction::{self, AbortedTransaction};
use crate::names;
use crate::producer::CompletedTransaction;

impl Segment {
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
        if let Some(held) = self.detached_aborted() {
            return Ok(held.clone());
        }
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
        self.log()?.sync().map_err(|error| self.io_error("sync", error))?;
        let once = |unsynced: &AtomicBool, sync: &dyn Fn() -> Result<(), StorageError>| {
            if !unsynced.swap(false, Ordering::AcqRel) {
                return Ok(());
            }
            // A lack of descriptors passes: the next flush has this to do again.
            sync().inspect_err(|_| unsynced.store(true, Ordering::Release))
        };
        let fail = |error| self.io_error("sync", error);
        once(&self.indexes_unsynced, &|| {
            self.offset_index()?.sync().map_err(fail)?;
            self.time_index()?.sync().map_err(fail)
        })?;
        once(&self.transactions_unsynced, &|| match self
            .home
            .disk
            .open(&self.path(names::TRANSACTION_INDEX))
        {
            Ok(transactions) => transactions.sync().map_err(fail),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            Err(error) => Err(fail(error)),
        })
    }

    pub(crate) fn has_unsynced_side_files(&self) -> bool {
        self.indexes_unsynced.load(Ordering::Acquire)
            || self.transactions_unsynced.load(Ordering::Acquire)
    }
}

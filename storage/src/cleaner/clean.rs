//! The second half of a pass: a group of segments is copied into one, without what the offset map
//! says is superseded. Kafka's `Cleaner.cleanSegments` and `cleanInto`.

use std::sync::Arc;

use protocol::batch::{BatchHeader, HEADER_LEN};

use super::batches::{Batch, Batches};
use super::build::control_key;
use super::filter::{BatchRetention, Filtered, RecordFilter, delete_horizon};
use super::offset_map::OffsetMap;
use super::transactions::{CleanedTransactionMetadata, MarkerOf};
use super::{CleanerHost, CleanerStats, CleaningError};
use crate::disk::DiskFile;
use crate::error::StorageError;
use crate::log::rebuilt::Rebuilt;
use crate::log::{CleanedSegment, LogReader, LogToClean};
use crate::names;
use crate::segment::{Home, Segment};

/// Segments that become one.
pub(super) struct Group<'g> {
    pub(super) to_clean: &'g LogToClean,
    pub(super) segments: Vec<Arc<Segment>>,
    /// Where the segment behind them begins.
    pub(super) next_base_offset: i64,
    pub(super) map: &'g OffsetMap,
    pub(super) transactions: &'g mut CleanedTransactionMetadata,
    pub(super) stats: &'g mut CleanerStats,
    pub(super) io_buffer_bytes: usize,
    pub(super) now_ms: i64,
}

impl Group<'_> {
    pub(super) fn clean(&mut self, host: &mut dyn CleanerHost) -> Result<(), CleaningError> {
        let base_offset = self.segments[0].base_offset();
        let home = Arc::clone(&self.to_clean.shared.home);
        let cleaned = self.write(&home, base_offset, host);
        let replaced = cleaned.and_then(|cleaned| host.replace_segments(&cleaned));
        if replaced.is_err() {
            // What stays here the next pass, or the next start, removes.
            for suffix in names::OF_SEGMENT {
                let _ = home.disk.remove(&cleaned_path(&home, base_offset, suffix));
            }
        }
        replaced
    }

    fn write(
        &mut self,
        home: &Arc<Home>,
        base_offset: i64,
        host: &mut dyn CleanerHost,
    ) -> Result<CleanedSegment, CleaningError> {
        let mut out = Output::create(home, base_offset, self.to_clean, self.io_buffer_bytes)?;
        let reader = LogReader::new(Arc::clone(&self.to_clean.shared));
        for at in 0..self.segments.len() {
            let segment = Arc::clone(&self.segments[at]);
            let next = self.segments.get(at + 1).map(|next| next.base_offset());
            let upper = next.unwrap_or(self.next_base_offset);
            let aborted = reader.aborted_transactions(segment.base_offset(), upper)?;
            self.transactions.add_aborted(aborted);
            let mut batches = Batches::new(&segment, 0, self.io_buffer_bytes)?;
            while let Some(batch) = batches.next(host)? {
                self.clean_batch(&batch, &segment, &mut out, host)?;
            }
        }
        let modified = self.segments.last().map(|segment| segment.log()).transpose()?;
        let cleaned = out.finish(modified.as_deref(), host)?;
        self.stats.bytes_written += cleaned.size;
        Ok(CleanedSegment { old: self.segments.clone(), ..cleaned })
    }

    fn clean_batch(
        &mut self,
        batch: &Batch<'_>,
        segment: &Segment,
        out: &mut Output,
        host: &mut dyn CleanerHost,
    ) -> Result<(), CleaningError> {
        let header = &batch.header;
        let retention = self.retention(batch, segment, out)?;
        let filter = RecordFilter {
            map: self.map,
            now_ms: self.now_ms,
            delete_retention_ms: self.to_clean.config.delete_retention_ms,
        };
        let filtered = filter.filter(header, batch.payload(), retention);
        let filtered = filtered.map_err(|error| batch.fault(segment, &error))?;
        self.stats.bytes_read += batch.bytes.len() as u64;
        self.stats.messages_read += filtered.messages_read;
        self.stats.messages_written += filtered.messages_retained;
        self.stats.invalid_messages_read += filtered.invalid_messages;
        match filtered.written {
            Filtered::Dropped => Ok(()),
            Filtered::AsItIs => out.append(header, batch.payload(), host),
            Filtered::Rewritten(header, payload) => out.append(&header, &payload, host),
        }
    }

    fn retention(
        &mut self,
        batch: &Batch<'_>,
        segment: &Segment,
        out: &mut Output,
    ) -> Result<BatchRetention, CleaningError> {
        let header = &batch.header;
        let (can_discard, discards_records) = if header.is_control() {
            let key = control_key(batch).map_err(|error| batch.fault(segment, &error))?;
            let marker = self.transactions.on_control_batch_read(header, key.as_deref());
            if let MarkerOf::Aborted(transaction) = marker {
                out.rebuilt.aborted.push(transaction);
            }
            let is_over = delete_horizon(header).is_some_and(|horizon| horizon <= self.now_ms);
            (marker.can_be_discarded(), marker.can_be_discarded() && is_over)
        } else {
            let is_aborted = self.transactions.on_batch_read(header);
            (is_aborted, is_aborted)
        };
        let ends_round = header.next_offset() == self.to_clean.offsets.first_uncleanable_offset;
        Ok(BatchRetention {
            discards_records,
            retains_empty: ends_round || self.is_last_of_producer(header),
            is_marker_of_nothing: can_discard && header.is_control(),
        })
    }

    /// Whether a batch holds the last sequence of a producer that is active, or where it has none
    /// its epoch.
    fn is_last_of_producer(&self, header: &BatchHeader) -> bool {
        let last = self.to_clean.last_records.get(&header.producer_id());
        header.has_producer_id()
            && last.is_some_and(|last| match last.last_data_offset {
                Some(offset) => header.last_offset() == offset,
                None => header.is_control() && header.producer_epoch() == last.producer_epoch,
            })
    }
}

/// A segment under `.cleaned` names that is being written.
struct Output {
    home: Arc<Home>,
    base_offset: i64,
    log: DiskFile,
    buffer: Vec<u8>,
    io_buffer_bytes: usize,
    /// Bytes in the file.
    written: u64,
    rebuilt: Rebuilt,
    index_interval_bytes: u32,
}

impl Output {
    fn create(
        home: &Arc<Home>,
        base_offset: i64,
        to_clean: &LogToClean,
        io_buffer_bytes: usize,
    ) -> Result<Self, StorageError> {
        let path = cleaned_path(home, base_offset, names::LOG);
        let created = home.disk.create(&path);
        Ok(Self {
            home: Arc::clone(home),
            base_offset,
            log: created.map_err(|error| StorageError::io("create", &path, error))?,
            buffer: Vec::new(),
            io_buffer_bytes,
            written: 0,
            rebuilt: Rebuilt::new(base_offset, base_offset),
            index_interval_bytes: to_clean.config.index_interval_bytes,
        })
    }

    fn append(
        &mut self,
        header: &BatchHeader,
        payload: &[u8],
        host: &mut dyn CleanerHost,
    ) -> Result<(), CleaningError> {
        let (position, size) = (self.rebuilt.end, (HEADER_LEN + payload.len()) as u64);
        let fits = header.last_offset() - self.base_offset <= i64::from(i32::MAX)
            && position + size <= i32::MAX as u64;
        if !fits {
            return Err(CleaningError::TooLarge { base_offset: self.base_offset });
        }
        self.rebuilt.index_at(header, position, size, self.index_interval_bytes);
        self.buffer.extend_from_slice(header.as_bytes());
        self.buffer.extend_from_slice(payload);
        if self.buffer.len() >= self.io_buffer_bytes { self.write_buffer(host) } else { Ok(()) }
    }

    fn write_buffer(&mut self, host: &mut dyn CleanerHost) -> Result<(), CleaningError> {
        host.acquire(self.buffer.len() as u64)?;
        let written = self.log.write_at(&self.buffer, self.written);
        let path = cleaned_path(&self.home, self.base_offset, names::LOG);
        written.map_err(|error| StorageError::io("write", &path, error))?;
        self.written += self.buffer.len() as u64;
        self.buffer.clear();
        Ok(())
    }

    /// Writes what is left and the indexes, and syncs all of it. The log is as old as `modified`.
    fn finish(
        mut self,
        modified: Option<&DiskFile>,
        host: &mut dyn CleanerHost,
    ) -> Result<CleanedSegment, CleaningError> {
        self.write_buffer(host)?;
        self.rebuilt.finish();
        let path = cleaned_path(&self.home, self.base_offset, names::LOG);
        let fail = |error| StorageError::io("sync", &path, error);
        if let Some(modified) = modified {
            let time = modified.as_file().metadata().and_then(|metadata| metadata.modified());
            self.log.as_file().set_modified(time.map_err(fail)?).map_err(fail)?;
        }
        self.log.sync().map_err(fail)?;
        let aborted: Vec<u8> = self.rebuilt.aborted.iter().flat_map(|a| a.encode()).collect();
        self.write_side_file(names::OFFSET_INDEX, &self.rebuilt.offsets)?;
        self.write_side_file(names::TIME_INDEX, &self.rebuilt.times)?;
        if !aborted.is_empty() {
            self.write_side_file(names::TRANSACTION_INDEX, &aborted)?;
        }
        Ok(CleanedSegment {
            old: Vec::new(),
            base_offset: self.base_offset,
            size: self.written,
            largest: self.rebuilt.largest,
            has_aborted: !aborted.is_empty(),
        })
    }

    fn write_side_file(&self, suffix: &str, content: &[u8]) -> Result<(), StorageError> {
        let path = cleaned_path(&self.home, self.base_offset, suffix);
        let write = || {
            let file = self.home.disk.create(&path)?;
            file.write_at(content, 0)?;
            file.sync()
        };
        write().map_err(|error| StorageError::io("write", &path, error))
    }
}

fn cleaned_path(home: &Home, base_offset: i64, suffix: &str) -> std::path::PathBuf {
    home.file(base_offset, &format!("{suffix}{}", names::CLEANED))
}

/// Removes what a pass left that was aborted: behind such a file a start would take the swap of
/// another segment for one that did not come to its end, and undo it.
pub(super) fn remove_leftovers(to_clean: &LogToClean) -> Result<(), StorageError> {
    let home = &to_clean.shared.home;
    let directory = home.path();
    let fail = |error| StorageError::io("list", &directory, error);
    for entry in std::fs::read_dir(&directory).map_err(fail)? {
        let name = entry.map_err(fail)?.file_name();
        let name = name.to_string_lossy();
        let is_ours = names::OF_SEGMENT.iter().any(|suffix| {
            let suffix = format!("{suffix}{}", names::CLEANED);
            names::offset_with_suffix(&name, &suffix).is_some()
        });
        if is_ours {
            let path = directory.join(&*name);
            let removed = home.disk.remove(&path);
            removed.map_err(|error| StorageError::io("remove", &path, error))?;
        }
    }
    Ok(())
}

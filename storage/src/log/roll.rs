//! Beginning a new segment: when the active one is full, old, or its offsets would no longer fit
//! its indexes. Kafka's `LogSegment.shouldRoll` and `UnifiedLog.roll`.

use std::sync::Arc;

use super::{Active, Log, Shared};
use crate::config::LogConfig;
use crate::error::StorageError;
use crate::index::offset;
use crate::index::time::{self, TimeEntry};
use crate::names;
use crate::segment::{Home, Segment};

impl Active {
    pub(super) fn new(segment: Arc<Segment>, now_ms: i64, jitter_ms: i64) -> Self {
        let last_time_entry = TimeEntry { timestamp: -1, offset: segment.base_offset() };
        Self {
            written: segment.size(),
            next_offset: segment.base_offset(),
            segment,
            bytes_since_entry: 0,
            last_time_entry,
            first_timestamp: None,
            created_ms: now_ms,
            jitter_ms,
        }
    }

    /// Adds the entry if it says something new.
    pub(super) fn append_time_entry(&mut self, entry: TimeEntry) -> Result<(), StorageError> {
        if entry.timestamp > self.last_time_entry.timestamp {
            self.segment.append_time_entry(entry)?;
            self.last_time_entry = entry;
        }
        Ok(())
    }
}

/// A draw in `[0, segment_jitter_ms)` that differs from segment to segment.
pub(super) fn jitter(draw: u64, base_offset: i64, config: &LogConfig) -> i64 {
    let bound = config.segment_jitter_ms.min(config.segment_ms);
    let mixed = (draw ^ base_offset as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 1;
    if bound > 0 { (mixed % bound as u64) as i64 } else { 0 }
}

/// Creates an empty segment's files.
pub(super) fn create_segment(
    home: &Arc<Home>,
    base_offset: i64,
    config: &LogConfig,
) -> Result<Arc<Segment>, StorageError> {
    for suffix in [names::LOG, names::OFFSET_INDEX, names::TIME_INDEX] {
        let path = home.file(base_offset, suffix);
        let created = home.disk.create(&path);
        let file = created.map_err(|error| StorageError::io("create", &path, error))?;
        if config.preallocate && suffix == names::LOG {
            file.set_len(u64::from(config.segment_bytes))
                .map_err(|error| StorageError::io("preallocate", &path, error))?;
        }
    }
    if base_offset > 0 {
        let stale = home.file(base_offset, names::TRANSACTION_INDEX);
        home.disk.remove(&stale).map_err(|error| StorageError::io("remove", &stale, error))?;
    }
    let segment = Segment::new(home, base_offset, 0, u64::from(config.segment_bytes));
    segment.know_empty();
    Ok(segment)
}

impl Shared {
    /// Gives readers another list of segments.
    pub(super) fn edit_segments(&self, edit: impl FnOnce(&mut Vec<Arc<Segment>>)) {
        let mut segments = Vec::clone(&self.segments.load());
        edit(&mut segments);
        self.segments.store(Arc::new(segments));
    }
}

impl Log {
    /// Makes sure that `size` bytes of offsets up to `last_offset` fit the active segment, rolling
    /// if they do not.
    pub(super) fn make_room(
        &mut self,
        size: u64,
        first_offset: i64,
        last_offset: i64,
        max_timestamp: i64,
        now_ms: i64,
    ) -> Result<(), StorageError> {
        let full = self.should_roll(size, last_offset, max_timestamp, now_ms);
        if self.guard(full)? {
            // Unlike Kafka, which begins a segment at its first record: where there is a gap
            // between two segments, recovery knows that the disk has lost what was in it
            // (docs/decisions/0304).
            let end = self.active.next_offset;
            let fits = last_offset - end <= i64::from(i32::MAX);
            let base = if fits { end } else { first_offset.max(self.log_end_offset()) };
            let rolled = self.roll_at(base, now_ms);
            self.guard(rolled)?;
        }
        Ok(())
    }

    fn should_roll(
        &self,
        size: u64,
        last_offset: i64,
        max_timestamp: i64,
        now_ms: i64,
    ) -> Result<bool, StorageError> {
        let active = &self.active;
        if active.written + size > u64::from(self.config.segment_bytes)
            || last_offset - active.segment.base_offset() > i64::from(i32::MAX)
        {
            return Ok(true);
        }
        if active.written == 0 {
            return Ok(false);
        }
        let waited_ms = match active.first_timestamp {
            Some(first) if first >= 0 => max_timestamp.saturating_sub(first),
            _ => now_ms - active.created_ms,
        };
        if waited_ms > self.config.segment_ms - active.jitter_ms {
            return Ok(true);
        }
        let room = u64::from(self.config.segment_index_bytes);
        let offsets = u64::from(active.segment.offset_entries()?) + 1;
        // The time index keeps one entry free for the roll.
        let times = u64::from(active.segment.time_entries()?) + 2;
        Ok(offsets * offset::ENTRY_BYTES as u64 > room || times * time::ENTRY_BYTES as u64 > room)
    }

    /// Begins a new segment at the log's end, even if the active one has room. An empty active
    /// segment is one already.
    pub fn roll(&mut self, now_ms: i64) -> Result<(), StorageError> {
        self.check_health()?;
        let rolled = self.roll_at(self.active.next_offset, now_ms);
        self.guard(rolled)
    }

    fn roll_at(&mut self, base_offset: i64, now_ms: i64) -> Result<(), StorageError> {
        let old = Arc::clone(&self.active.segment);
        if old.base_offset() == base_offset {
            return Ok(());
        }
        let began = self.shared.home.disk.now();
        self.close_active()?;
        if self.recovery_point >= self.log_end_offset() {
            // No flush comes by here any more, and recovery trusts what lies below its point: the
            // last index entry, and a cut to this very end.
            old.sync()?;
        }
        let segment = create_segment(&self.shared.home, base_offset, &self.config)?;
        self.say_rolled(base_offset, self.shared.home.disk.now().saturating_sub(began));
        self.activate(segment, now_ms);
        // The snapshot's offset is the segment's base, so that recovery of the segment may begin
        // with it.
        self.producers.set_end_offset(base_offset);
        self.take_snapshot(false)?;
        Ok(())
    }

    /// Completes the active segment's time index, as Kafka does before it lets go of a segment.
    pub(super) fn close_active(&mut self) -> Result<(), StorageError> {
        let largest = self.active.segment.max_timestamp()?;
        self.active.append_time_entry(largest)?;
        if self.config.preallocate {
            let segment = &self.active.segment;
            let cut = segment.log()?.set_len(self.active.written);
            cut.map_err(|error| segment.io_error("cut", error))?;
        }
        Ok(())
    }

    pub(super) fn activate(&mut self, segment: Arc<Segment>, now_ms: i64) {
        self.directory_unsynced = true;
        let jitter_ms = jitter(self.jitter_draw, segment.base_offset(), &self.config);
        self.shared.edit_segments(|segments| segments.push(Arc::clone(&segment)));
        self.active = Active::new(segment, now_ms, jitter_ms);
    }
}

//! What of a log may be compacted, and how much of it is dirty. Kafka's `LogToClean`, and of
//! `LogCleanerManager` what looks at one log (`cleanableOffsets`, `maxCompactionDelay`).
//!
//! ```text
//! log start ── clean ── first dirty ── cleanable ── first uncleanable ── active segment
//! ```
//! Never compacted are the active segment, what lies above the last stable offset (and so above the
//! high watermark), and records younger than `min.compaction.lag.ms`. Unlike Kafka, nor is what a
//! flush has not brought to the disk: recovery takes a gap between segments that were not synced
//! for a loss (docs/decisions/0446).

use std::collections::HashMap;
use std::sync::Arc;

use parking_lot::Mutex;
use protocol::batch::{BatchHeader, HEADER_LEN};

use super::{Log, Shared};
use crate::config::LogConfig;
use crate::error::StorageError;
use crate::segment::Segment;

/// How much of a log is to be compacted, as of one moment.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CleanableOffsets {
    /// Where the last compaction ended.
    pub first_dirty_offset: i64,
    /// A segment's base offset: it and those behind it are left alone.
    pub first_uncleanable_offset: i64,
    pub clean_bytes: u64,
    pub cleanable_bytes: u64,
    /// For how long records have been there that `max.compaction.lag.ms` wants compacted; 0 for
    /// none.
    pub compaction_delay_ms: i64,
    /// What the checkpoint said could not be: the log begins or ends elsewhere.
    pub checkpoint_is_invalid: bool,
    pub min_cleanable_dirty_ratio: f64,
}

impl CleanableOffsets {
    /// The dirty part of what may be compacted; `None` of an empty log.
    #[must_use]
    #[allow(clippy::cast_precision_loss, reason = "a ratio, of bytes of one disk")]
    pub fn ratio(&self) -> Option<f64> {
        let total = self.clean_bytes + self.cleanable_bytes;
        (total > 0).then(|| self.cleanable_bytes as f64 / total as f64)
    }

    /// Whether it is to be compacted now.
    #[must_use]
    pub fn is_due(&self) -> bool {
        let is_late = self.compaction_delay_ms > 0 && self.cleanable_bytes > 0;
        self.ratio().is_some_and(|ratio| is_late || ratio > self.min_cleanable_dirty_ratio)
    }
}

/// The last thing a producer wrote: its last batch of records, or else its epoch.
#[derive(Debug, Clone, Copy)]
pub(crate) struct LastRecord {
    pub(crate) last_data_offset: Option<i64>,
    pub(crate) producer_epoch: i16,
}

/// A log that is to be compacted, as it was when that began. Appends go on meanwhile; whatever
/// else changes it is noticed when segments are to be replaced.
#[derive(Debug)]
pub struct LogToClean {
    pub(crate) shared: Arc<Shared>,
    /// `topic-partition`.
    pub(crate) name: String,
    pub(crate) config: LogConfig,
    pub(crate) offsets: CleanableOffsets,
    /// Whoever cleans takes them: a segment that was replaced is to be let go of.
    pub(crate) segments: Mutex<Vec<Arc<Segment>>>,
    first_base_offset: i64,
    pub(crate) last_records: HashMap<i64, LastRecord>,
    /// [`Shared::cuts`] when it began.
    pub(super) cuts: u64,
}

impl LogToClean {
    /// `topic-partition`: the log's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether the log was cut, or segments deleted, since this began.
    pub(crate) fn is_disturbed(&self) -> bool {
        let segments = self.shared.segments.load();
        self.shared.uncut() != Some(self.cuts)
            || segments.first().is_none_or(|s| s.base_offset() != self.first_base_offset)
    }

    #[must_use]
    pub fn offsets(&self) -> &CleanableOffsets {
        &self.offsets
    }
}

/// Segments of `[from, to)`: the first is the one that holds `from`. Kafka: `LogSegments.values`.
pub(crate) fn between(segments: &[Arc<Segment>], from: i64, to: i64) -> &[Arc<Segment>] {
    if from >= to {
        return &[];
    }
    let first = segments.partition_point(|segment| segment.base_offset() <= from).saturating_sub(1);
    let end = segments.partition_point(|segment| segment.base_offset() < to);
    segments.get(first..end).unwrap_or(&[])
}

impl Log {
    /// What may be compacted now.
    pub fn cleanable_offsets(&self, now_ms: i64) -> Result<CleanableOffsets, StorageError> {
        let segments = self.shared.segments.load_full();
        let active_base = self.active.segment.base_offset();
        let (first_dirty, checkpoint_is_invalid) = self.first_dirty_offset();
        let dirty = between(&segments, first_dirty, active_base);
        let stable = self.last_stable_offset(self.high_watermark);
        let mut uncleanable = stable.min(active_base).min(self.recovery_point);
        let lag_ms = self.config.min_compaction_lag_ms.max(0);
        if lag_ms > 0 {
            for segment in dirty {
                if segment.largest_timestamp_or_modified()? > now_ms.saturating_sub(lag_ms) {
                    uncleanable = uncleanable.min(segment.base_offset());
                    break;
                }
            }
        }
        let uncleanable = uncleanable.max(first_dirty);
        // The segment that holds the first uncleanable offset is left alone as a whole.
        let holding = between(&segments, uncleanable, active_base).first();
        let first_uncleanable = holding.map_or(active_base, |segment| segment.base_offset());
        let bytes = |segments: &[Arc<Segment>]| segments.iter().map(|s| s.size()).sum();
        let cleanable = between(&segments, first_dirty.min(first_uncleanable), first_uncleanable);
        let clean = segments.partition_point(|segment| segment.base_offset() < first_dirty);
        Ok(CleanableOffsets {
            first_dirty_offset: first_dirty,
            first_uncleanable_offset: first_uncleanable,
            clean_bytes: bytes(&segments[..clean]),
            cleanable_bytes: bytes(cleanable),
            compaction_delay_ms: self.compaction_delay_ms(dirty, now_ms)?,
            checkpoint_is_invalid,
            min_cleanable_dirty_ratio: self.config.min_cleanable_dirty_ratio,
        })
    }

    /// Where the last compaction ended, and whether the checkpoint of it could not be.
    fn first_dirty_offset(&self) -> (i64, bool) {
        let (start, end) = (self.log_start_offset(), self.log_end_offset());
        let checkpoint = self.checkpointed.as_ref().and_then(|all| all.cleaned.get());
        match checkpoint.unwrap_or(start) {
            below if below < start => {
                if !self.config.cleanup.delete {
                    tracing::warn!(
                        target: "kafka.log.LogCleaner",
                        "Resetting first dirty offset of {} to log start offset {start} since the \
                         checkpointed offset {below} is invalid.",
                        self.name,
                    );
                }
                (start, true)
            }
            above if above > end => {
                tracing::warn!(
                    target: "kafka.log.LogCleaner",
                    "The last checkpoint dirty offset for partition {} is {above}, which is \
                     larger than the log end offset {end}. Resetting to the log start offset \
                     {start}.",
                    self.name,
                );
                (start, true)
            }
            offset => (offset, false),
        }
    }

    /// By how much `max.compaction.lag.ms` is passed.
    fn compaction_delay_ms(
        &self,
        dirty: &[Arc<Segment>],
        now_ms: i64,
    ) -> Result<i64, StorageError> {
        let until = now_ms.saturating_sub(self.config.max_compaction_lag_ms.max(0));
        if until <= 0 {
            return Ok(0);
        }
        let mut earliest = i64::MAX;
        for segment in dirty {
            let mut first = [0; HEADER_LEN];
            let read = segment.log()?.read_at(&mut first, 0);
            let read = read.map_err(|error| segment.io_error("read", error))?;
            let timestamp = BatchHeader::from_bytes(first).max_timestamp();
            if read == HEADER_LEN && segment.size() > 0 && timestamp > 0 {
                earliest = earliest.min(timestamp);
            }
        }
        Ok(until.saturating_sub(earliest).max(0))
    }

    /// Begins to compact the log; `offsets` are [`Self::cleanable_offsets`].
    pub fn begin_cleaning(&self, offsets: CleanableOffsets) -> Result<LogToClean, StorageError> {
        self.check_health()?;
        if offsets.checkpoint_is_invalid {
            self.note_cleaned(offsets.first_dirty_offset)?;
        }
        let last_record = |entry: &crate::producer::ProducerEntry| {
            let last_offset = entry.last_offset();
            let last_data_offset = (last_offset >= 0).then_some(last_offset);
            let producer_epoch = entry.producer_epoch;
            (entry.producer_id, LastRecord { last_data_offset, producer_epoch })
        };
        let segments = Vec::clone(&self.shared.segments.load());
        Ok(LogToClean {
            shared: Arc::clone(&self.shared),
            name: self.name.clone(),
            config: self.config.clone(),
            offsets,
            first_base_offset: segments[0].base_offset(),
            segments: Mutex::new(segments),
            last_records: self.producers.iter().map(last_record).collect(),
            cuts: self.shared.cuts.load(std::sync::atomic::Ordering::SeqCst),
        })
    }

    /// Notes that the log is compacted up to `end_offset`; `false` where it was cut meanwhile, or
    /// another log has taken its place, so that this may be said no more.
    pub fn end_cleaning(
        &mut self,
        cleaned: &LogToClean,
        end_offset: i64,
    ) -> Result<bool, StorageError> {
        let is_same = Arc::ptr_eq(&self.shared, &cleaned.shared);
        if self.check_health().is_err() || !is_same || self.shared.uncut() != Some(cleaned.cuts) {
            return Ok(false);
        }
        self.note_cleaned(end_offset).map(|()| true)
    }

    fn note_cleaned(&self, offset: i64) -> Result<(), StorageError> {
        self.checkpointed.as_ref().map_or(Ok(()), |all| all.cleaned.set(offset))
    }
}

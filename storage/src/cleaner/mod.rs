//! Compaction: of each key the last record stays, at its offset. Kafka's `Cleaner`.
//!
//! ```text
//! LogToClean ─▶ offset map: key ─▶ last offset, of the dirty part
//!            ─▶ groups of segments, each copied without what the map says is superseded
//!            ─▶ CleanerHost::replace_segments, under the log's lock
//! ```
//! No clock, no threads: the host hands in the time, waits where bytes are to be moved, and puts
//! the new segments in place. Reads and writes here need no lock of the log: what is compacted is
//! changed by nobody but a cut or a deletion, which is noticed when segments are to be replaced.
//!
//! Kept true: a key's last value is in a segment with its name, or in a synced one that takes the
//! name, at every moment. Offsets, sequences and epochs of batches never change; the last batch of
//! a producer and of a round stays, if need be without records.

mod batches;
mod build;
mod clean;
mod filter;
mod groups;
mod offset_map;
mod records;
mod transactions;

use crate::error::StorageError;
use crate::log::{CleanedSegment, LogToClean};
use offset_map::OffsetMap;

/// What a pass may take. Kafka's `CleanerConfig`, of one thread.
#[derive(Debug, Clone, Copy)]
pub struct CleanerConfig {
    /// Bytes of the offset map at most.
    pub dedupe_buffer_bytes: usize,
    /// How full the offset map gets.
    pub dedupe_buffer_load_factor: f64,
    /// Bytes read and written at a time; a batch larger than that is held whole.
    pub io_buffer_bytes: usize,
}

/// Why a log was not compacted to the end.
#[derive(Debug, thiserror::Error)]
pub enum CleaningError {
    /// The log was changed meanwhile, or whoever asked wants no more of it. Kafka:
    /// `LogCleaningAbortedException`.
    #[error("the log cleaning was aborted")]
    Aborted,
    /// A batch with its delete horizon takes more bytes than without.
    #[error("segment {base_offset} would not fit its index when it is cleaned")]
    TooLarge { base_offset: i64 },
    #[error(transparent)]
    Storage(#[from] StorageError),
}

/// What a pass asks of who runs it.
pub trait CleanerHost {
    /// Returns when so many bytes may be read or written.
    fn acquire(&mut self, bytes: u64) -> Result<(), CleaningError>;

    /// Has the log replace its segments ([`crate::Log::replace_segments`]).
    fn replace_segments(&mut self, cleaned: &CleanedSegment) -> Result<(), CleaningError>;
}

/// Numbers of one pass. Kafka's `CleanerStats`.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct CleanerStats {
    pub map_bytes_read: u64,
    pub map_messages_read: u64,
    pub bytes_read: u64,
    pub bytes_written: u64,
    pub messages_read: u64,
    pub messages_written: u64,
    /// Records without a key, which go.
    pub invalid_messages_read: u64,
    pub buffer_utilization: f64,
}

/// A log was compacted.
#[derive(Debug, Clone, Copy)]
pub struct Cleaned {
    /// The log is clean below.
    pub end_offset: i64,
    pub stats: CleanerStats,
}

/// Compacts a log. `offset_map_is_built` hears when the first half is over.
pub fn clean(
    to_clean: &LogToClean,
    config: &CleanerConfig,
    now_ms: i64,
    host: &mut dyn CleanerHost,
    offset_map_is_built: &mut dyn FnMut(),
) -> Result<Cleaned, CleaningError> {
    let cleaned = clean_undisturbed(to_clean, config, now_ms, host, offset_map_is_built);
    match cleaned {
        // Whoever looks at files while they are cut or deleted finds what is not to be found.
        Err(CleaningError::Storage(_)) if to_clean.is_disturbed() => Err(CleaningError::Aborted),
        cleaned => cleaned,
    }
}

fn clean_undisturbed(
    to_clean: &LogToClean,
    config: &CleanerConfig,
    now_ms: i64,
    host: &mut dyn CleanerHost,
    offset_map_is_built: &mut dyn FnMut(),
) -> Result<Cleaned, CleaningError> {
    clean::remove_leftovers(to_clean)?;
    let offsets = to_clean.offsets();
    let dirty = offsets.first_uncleanable_offset.saturating_sub(offsets.first_dirty_offset);
    let mut map = OffsetMap::new(
        config.dedupe_buffer_bytes,
        config.dedupe_buffer_load_factor,
        usize::try_from(dirty).unwrap_or(0),
    );
    let mut stats = CleanerStats::default();
    let segments = std::mem::take(&mut *to_clean.segments.lock());
    build::build_offset_map(to_clean, &segments, config, &mut map, &mut stats, host)?;
    offset_map_is_built();
    let end_offset = map.latest_offset() + 1;
    let mut transactions = transactions::CleanedTransactionMetadata::default();
    let groups = groups::group_segments_by_size(to_clean, &segments, end_offset)?;
    drop(segments);
    for (segments, next_base_offset) in groups {
        let mut group = clean::Group {
            to_clean,
            segments,
            next_base_offset,
            map: &map,
            transactions: &mut transactions,
            stats: &mut stats,
            io_buffer_bytes: config.io_buffer_bytes,
            now_ms,
        };
        group.clean(host)?;
    }
    stats.buffer_utilization = map.utilization();
    Ok(Cleaned { end_offset, stats })
}

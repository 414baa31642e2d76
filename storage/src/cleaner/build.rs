//! The first half of a pass: the offset map of what is dirty. Kafka's `Cleaner.buildOffsetMap`.

use std::sync::Arc;

use super::batches::{Batch, Batches};
use super::offset_map::OffsetMap;
use super::records::{self, RecordsError};
use super::transactions::CleanedTransactionMetadata;
use super::{CleanerConfig, CleanerHost, CleanerStats, CleaningError};
use crate::log::to_clean::between;
use crate::log::{LogReader, LogToClean};
use crate::segment::Segment;

/// Fills the map with the keys of the dirty part, as far as they fit.
pub(super) fn build_offset_map(
    to_clean: &LogToClean,
    segments: &[Arc<Segment>],
    config: &CleanerConfig,
    map: &mut OffsetMap,
    stats: &mut CleanerStats,
    host: &mut dyn CleanerHost,
) -> Result<(), CleaningError> {
    let (start, end) =
        (to_clean.offsets.first_dirty_offset, to_clean.offsets.first_uncleanable_offset);
    let dirty = between(segments, start, end);
    let mut transactions = CleanedTransactionMetadata::default();
    let reader = LogReader::new(Arc::clone(&to_clean.shared));
    transactions.add_aborted(reader.aborted_transactions(start, end)?);
    for (at, segment) in dirty.iter().enumerate() {
        let position = segment.position_before(start)?;
        let mut batches = Batches::new(segment, position, config.io_buffer_bytes)?;
        while let Some(batch) = batches.next(host)? {
            stats.map_bytes_read += batch.bytes.len() as u64;
            if !add(&batch, segment, start, map, &mut transactions, stats)? {
                return Ok(());
            }
        }
        // What is missing at a segment's end is compacted, too.
        let next = dirty.get(at + 1).map_or(end, |next| next.base_offset());
        map.update_latest_offset(next - 1);
    }
    Ok(())
}

/// Takes a batch's keys; `false` when the map is full.
fn add(
    batch: &Batch<'_>,
    segment: &Segment,
    start: i64,
    map: &mut OffsetMap,
    transactions: &mut CleanedTransactionMetadata,
    stats: &mut CleanerStats,
) -> Result<bool, CleaningError> {
    let header = &batch.header;
    let fail = |error: RecordsError| batch.fault(segment, &error);
    if header.is_control() {
        let key = control_key(batch).map_err(fail)?;
        transactions.on_control_batch_read(header, key.as_deref());
        stats.map_messages_read += 1;
    } else if transactions.on_batch_read(header) {
        stats.map_messages_read += header.records_count().max(0) as u64;
    } else if header.records_count() > 0 {
        let codec = header.compression().map_err(|error| batch.fault(segment, &error))?;
        let mut source = records::source(codec, batch.payload()).map_err(fail)?;
        let mut rest = header.records_count() as usize;
        let mut heads = Vec::new();
        while rest > 0 {
            records::next_heads(&mut source, rest, &mut heads).map_err(fail)?;
            rest -= heads.len();
            for head in &heads {
                let offset = header.base_offset().wrapping_add(i64::from(head.offset_delta));
                if let Some(key) = head.key.filter(|_| offset >= start) {
                    if map.is_full() {
                        return Ok(false);
                    }
                    map.put(key, offset);
                }
                stats.map_messages_read += 1;
            }
        }
    }
    if header.last_offset() >= start {
        map.update_latest_offset(header.last_offset());
    }
    Ok(true)
}

/// The key of a control batch's record; `None` where it has none.
pub(super) fn control_key(batch: &Batch<'_>) -> Result<Option<Vec<u8>>, RecordsError> {
    if batch.header.records_count() <= 0 {
        return Ok(None);
    }
    let (record, _) = protocol::batch::RawRecord::parse(batch.payload())?;
    Ok(Some(record.key.unwrap_or(&[]).to_vec()))
}

//! Which segments become one: as many in a row as fit `segment.bytes`, `segment.index.bytes` and
//! the 31 bits of an index's offsets. Kafka's `Cleaner.groupSegmentsBySize`.

use std::sync::Arc;

use crate::error::StorageError;
use crate::index::{offset, time};
use crate::log::LogToClean;
use crate::log::to_clean::between;
use crate::segment::Segment;

/// Segments in a row, and the base offset of the one behind them.
pub(super) type SegmentGroup = (Vec<Arc<Segment>>, i64);

/// The segments below `end_offset` in groups.
pub(super) fn group_segments_by_size(
    to_clean: &LogToClean,
    all: &[Arc<Segment>],
    end_offset: i64,
) -> Result<Vec<SegmentGroup>, StorageError> {
    let segments = between(all, 0, end_offset);
    let limits = Sizes {
        log: u64::from(to_clean.config.segment_bytes),
        offset_index: u64::from(to_clean.config.segment_index_bytes),
        time_index: u64::from(to_clean.config.segment_index_bytes),
    };
    let mut groups: Vec<(Vec<Arc<Segment>>, Sizes)> = Vec::new();
    for (at, segment) in segments.iter().enumerate() {
        let sizes = Sizes::of(segment)?;
        let next = segments.get(at + 1).map(|next| next.base_offset());
        let last_offset = next.unwrap_or(to_clean.offsets.first_uncleanable_offset) - 1;
        match groups.last_mut() {
            Some((group, sum))
                if sum.plus(&sizes).fits(&limits)
                    && (sizes.log == 0
                        || last_offset - group[0].base_offset() <= i64::from(i32::MAX)) =>
            {
                group.push(Arc::clone(segment));
                *sum = sum.plus(&sizes);
            }
            _ => groups.push((vec![Arc::clone(segment)], sizes)),
        }
    }
    let bounded = |(group, _): (Vec<Arc<Segment>>, Sizes)| {
        let last = group.last().map_or(0, |last| last.base_offset());
        let behind = all.partition_point(|segment| segment.base_offset() <= last);
        let end = to_clean.offsets.first_uncleanable_offset;
        let next = all.get(behind).map_or(end, |next| next.base_offset());
        (group, next)
    };
    Ok(groups.into_iter().map(bounded).collect())
}

struct Sizes {
    log: u64,
    offset_index: u64,
    time_index: u64,
}

impl Sizes {
    fn of(segment: &Segment) -> Result<Self, StorageError> {
        Ok(Self {
            log: segment.size(),
            offset_index: u64::from(segment.offset_entries()?) * offset::ENTRY_BYTES as u64,
            time_index: u64::from(segment.time_entries()?) * time::ENTRY_BYTES as u64,
        })
    }

    fn plus(&self, other: &Self) -> Self {
        Self {
            log: self.log + other.log,
            offset_index: self.offset_index + other.offset_index,
            time_index: self.time_index + other.time_index,
        }
    }

    fn fits(&self, limits: &Self) -> bool {
        self.log <= limits.log
            && self.offset_index <= limits.offset_index
            && self.time_index <= limits.time_index
    }
}

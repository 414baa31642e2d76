//! What happens to a log's segments, said as Kafka's `UnifiedLog`, `LocalLog` and `LogSegment` say
//! it. Appends say nothing.

use std::fmt;
use std::path::Path;
use std::time::{Duration, UNIX_EPOCH};

use super::Log;
use crate::error::StorageError;
use crate::names;
use crate::segment::Segment;

/// Why a segment goes.
#[derive(Debug, Clone, Copy)]
pub(super) enum SegmentDeletionReason {
    Size { left: u64 },
    Time { is_recorded: bool },
    Start,
}

/// Why a log begins later than it did.
#[derive(Debug, Clone, Copy)]
pub(super) enum LogStartOffsetIncrementReason {
    ByRequest,
    ByDeletion,
}

impl fmt::Display for LogStartOffsetIncrementReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::ByRequest => "client delete records request",
            Self::ByDeletion => "segment deletion",
        })
    }
}

/// A segment as Kafka prints it.
struct SegmentDescription(String);

impl SegmentDescription {
    fn of(segment: &Segment) -> Result<Self, StorageError> {
        let modified = segment.log()?.as_file().metadata().and_then(|meta| meta.modified());
        let modified = modified.map_err(|error| segment.io_error("stat", error))?;
        Ok(Self(format!(
            "LogSegment(baseOffset={}, size={}, lastModifiedTime={}, largestRecordTimestamp={})",
            segment.base_offset(),
            segment.size(),
            modified.duration_since(UNIX_EPOCH).unwrap_or_default().as_millis(),
            segment.max_timestamp()?.timestamp,
        )))
    }
}

impl Log {
    /// `partition=orders-0, dir=/var/lib/kafka`.
    pub(super) fn place(&self) -> String {
        let path = self.shared.home.path();
        let parent = path.parent().unwrap_or_else(|| Path::new("")).display();
        format!("partition={}, dir={parent}", self.name)
    }

    pub(super) fn say_rolled(&self, offset: i64, took: Duration) {
        tracing::info!(
            target: "org.apache.kafka.storage.internals.log.LocalLog",
            "[LocalLog partition={}, dir={}] Rolled new log segment at offset {offset} in {} ms.",
            self.name, self.shared.home.path().display(), took.as_millis(),
        );
    }

    pub(super) fn say_start_raised(&self, offset: i64, why: LogStartOffsetIncrementReason) {
        tracing::info!(
            target: "org.apache.kafka.storage.internals.log.UnifiedLog",
            "[UnifiedLog {}] Incremented log start offset to {offset} due to {why}", self.place(),
        );
    }

    pub(super) fn say_truncating(&self, offset: i64) {
        tracing::info!(
            target: "org.apache.kafka.storage.internals.log.UnifiedLog",
            "[UnifiedLog {}] Truncating to offset {offset}", self.place(),
        );
    }

    /// A segment goes. Kafka names those below the log's start in one line, which says no more.
    pub(super) fn say_going(
        &self,
        segment: &Segment,
        why: SegmentDeletionReason,
    ) -> Result<(), StorageError> {
        let (place, segment) = (self.place(), SegmentDescription::of(segment)?.0);
        let config = &self.config;
        match why {
            SegmentDeletionReason::Size { left } => tracing::info!(
                target: "org.apache.kafka.storage.internals.log.UnifiedLog",
                "[UnifiedLog {place}] Deleting segment {segment} due to log retention size {} \
                 breach. Log size after deletion will be {left}.",
                config.retention_bytes,
            ),
            SegmentDeletionReason::Time { is_recorded } => tracing::info!(
                target: "org.apache.kafka.storage.internals.log.UnifiedLog",
                "[UnifiedLog {place}] Deleting segment {segment} due to log retention time {}ms \
                 breach based on the {} the segment",
                config.retention_ms,
                if is_recorded { "largest record timestamp in" } else { "last modified time of" },
            ),
            SegmentDeletionReason::Start => tracing::info!(
                target: "org.apache.kafka.storage.internals.log.UnifiedLog",
                "[UnifiedLog {place}] Deleting segments due to log start offset {} breach: \
                 {segment}",
                self.log_start_offset(),
            ),
        }
        Ok(())
    }
}

/// A file of a segment is gone for good.
pub(super) fn say_deleted(file: &Path) {
    let name = file.file_name().unwrap_or_default().to_string_lossy();
    let name = name.trim_end_matches(names::DELETED);
    let kind = if name.ends_with(names::LOG) {
        "log"
    } else if name.ends_with(names::TIME_INDEX) {
        "time index"
    } else if name.ends_with(names::OFFSET_INDEX) {
        "offset index"
    } else {
        "transaction index"
    };
    tracing::info!(
        target: "org.apache.kafka.storage.internals.log.LogSegment",
        "Deleted {kind} {}.", file.display(),
    );
}

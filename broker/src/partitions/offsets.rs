//! Where in a partition a time, the beginning or the end is: what ListOffsets looks for.

use std::sync::Arc;

use replica::FetchIsolation;
use storage::{LogReader, StorageError, TimestampOffset};

use super::hosted::HostedPartition;

/// What a search of the log by time comes to.
type Sought = Result<Option<TimestampOffset>, StorageError>;

/// What ListOffsets looks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum OffsetSought {
    Latest,
    Earliest,
    MaxTimestamp,
    Tiered,
    Timestamp(i64),
}

/// Where it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct FoundOffset {
    /// -1 where no record was looked at.
    pub(crate) timestamp: i64,
    pub(crate) offset: i64,
    pub(crate) leader_epoch: i32,
}

impl HostedPartition {
    /// Where in the log something is; looks into files, so it runs on a blocking thread.
    pub(crate) async fn find_offset(
        self: &Arc<Self>,
        sought: OffsetSought,
        isolation: FetchIsolation,
    ) -> Result<Option<FoundOffset>, StorageError> {
        let epoch = self.published().leader_epoch();
        match sought {
            OffsetSought::Latest => Ok(Some(FoundOffset {
                timestamp: -1,
                offset: self.upper_bound(isolation),
                leader_epoch: epoch,
            })),
            OffsetSought::Tiered => {
                Ok(Some(FoundOffset { timestamp: -1, offset: -1, leader_epoch: -1 }))
            }
            OffsetSought::Earliest => {
                let offset = self.published().log_start_offset();
                let leader_epoch =
                    self.with_replica(|r| r.log().log.earliest_epoch().unwrap_or(-1));
                Ok(Some(FoundOffset { timestamp: -1, offset, leader_epoch }))
            }
            OffsetSought::MaxTimestamp => self.search(LogReader::max_timestamp).await,
            OffsetSought::Timestamp(timestamp) => {
                self.search(move |reader| reader.offset_for_timestamp(timestamp)).await
            }
        }
    }

    async fn search(
        &self,
        look: impl FnOnce(&LogReader) -> Sought + Send + 'static,
    ) -> Result<Option<FoundOffset>, StorageError> {
        let reader = LogReader::clone(&self.reader());
        let searched = tokio::task::spawn_blocking(move || look(&reader)).await;
        Ok(searched.unwrap_or(Ok(None))?.map(found))
    }
}

fn found(found: TimestampOffset) -> FoundOffset {
    let TimestampOffset { timestamp, offset, leader_epoch } = found;
    FoundOffset { timestamp, offset, leader_epoch }
}

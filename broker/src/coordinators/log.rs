//! What a shard needs of its partition's log. The second user is the tests' log in memory.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use bytes::Bytes;
use coordinator::runtime::WriteFailure;
use replica::FetchIsolation;
use storage::{ReadError, TransactionTerms};

use super::clock;
use crate::partitions::{AppendRefused, HostedPartition};
use crate::requests::error_map;

/// An append under way: the offset of its first record once the high watermark has passed it.
pub(crate) type Appending = Pin<Box<dyn Future<Output = Result<i64, WriteFailure>> + Send>>;

/// A deletion of records under way.
pub(crate) type Deleting = Pin<Box<dyn Future<Output = Result<(), String>> + Send>>;

/// One partition of the coordinator's topic.
pub(crate) trait ShardLog: Send + Sync + std::fmt::Debug {
    /// Appends one batch.
    fn append(&self, batch: Bytes, transaction: TransactionTerms) -> Appending;
    /// The largest batch that the log takes.
    fn max_batch_bytes(&self) -> usize;
    fn start_offset(&self) -> i64;
    fn end_offset(&self) -> i64;
    fn high_watermark(&self) -> i64;
    /// Whether this broker leads the partition.
    fn leads(&self) -> bool;
    /// The partition is not served as it should be: whoever keeps it so is told.
    fn note_failure(&self);
    /// A load met bytes that cannot be read.
    fn note_damage(&self, found: &str);
    /// Deletes the records below this offset; why it cannot, where it cannot.
    fn delete_records_before(&self, offset: i64) -> Deleting;
    /// Whole batches from the one that holds `from`, `max_bytes` of them or one if it is larger.
    /// Waits for the disk.
    fn read(&self, from: i64, max_bytes: usize) -> Result<Vec<u8>, ReadError>;
}

/// A hosted partition as a shard's log.
#[derive(Debug)]
pub(crate) struct PartitionLog {
    partition: Arc<HostedPartition>,
}

impl PartitionLog {
    pub(crate) fn new(partition: Arc<HostedPartition>) -> Self {
        Self { partition }
    }
}

impl ShardLog for PartitionLog {
    fn append(&self, batch: Bytes, transaction: TransactionTerms) -> Appending {
        let partition = Arc::clone(&self.partition);
        let now_ms = clock::now().wall_ms;
        Box::pin(async move {
            match partition.append_internal(&batch, now_ms, transaction).await {
                Ok(appended) => Ok(appended.base_offset),
                Err(refused) => Err(failure(&refused)),
            }
        })
    }

    fn max_batch_bytes(&self) -> usize {
        self.partition.with_replica(|replica| {
            usize::try_from(replica.log().log.config().max_message_bytes).unwrap_or(usize::MAX)
        })
    }

    fn start_offset(&self) -> i64 {
        self.partition.reader().log_start_offset()
    }

    fn end_offset(&self) -> i64 {
        self.partition.reader().log_end_offset()
    }

    fn high_watermark(&self) -> i64 {
        self.partition.upper_bound(FetchIsolation::HighWatermark)
    }

    fn leads(&self) -> bool {
        self.partition.published().leads()
    }

    fn note_failure(&self) {
        self.partition.note_failure();
    }

    fn note_damage(&self, found: &str) {
        self.partition.note_damage(&found);
    }

    /// Followers hear of it with their next fetch; nobody waits for them.
    fn delete_records_before(&self, offset: i64) -> Deleting {
        let partition = Arc::clone(&self.partition);
        Box::pin(async move {
            // Files may go with the records.
            let deleting = Arc::clone(&partition);
            let deleted =
                tokio::task::spawn_blocking(move || deleting.delete_records_before(offset)).await;
            let deleting = deleted.map_err(|error| error.to_string())?;
            let deleting = deleting.map_err(|refused| format!("{refused:?}"))?;
            partition.forget_deletion(&deleting);
            Ok(())
        })
    }

    fn read(&self, from: i64, max_bytes: usize) -> Result<Vec<u8>, ReadError> {
        match self.partition.reader().plan(from, max_bytes, i64::MAX, true)? {
            Some(plan) => Ok(plan.copy()?),
            None => Ok(Vec::new()),
        }
    }
}

fn failure(refused: &AppendRefused) -> WriteFailure {
    let code = error_map::refused_append(refused, -1).code;
    error_map::groups::write_failure(code)
}

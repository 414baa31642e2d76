//! Loads a shard: reads its partition from the start in pieces of offsets.load.buffer.size, on a
//! thread that may wait for the disk, and hands each batch to the shard.
//!
//! The shard serves when everything that was in the log has been committed, so that it never
//! answers with what a failover could take back. A batch that is not whole, sound and in order
//! makes no coordinator: groups that lie behind it would be taken for ones that never were.
//! Kafka: `CoordinatorLoaderImpl`, which checks no CRC (docs/decisions/0301).

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use coordinator::runtime::{Effects, LoadError, Runtime};
use protocol::batch::{BatchError, BatchView, Compression, batches};
use storage::{ReadError, StorageError};

use super::clock;
use super::hosted::{HostedShard, NotLoaded};
use super::kind::Kind;
use crate::clock::monotonic;

/// How often the high watermark is looked at while it is behind.
const HIGH_WATERMARK_PAUSE: Duration = Duration::from_millis(5);

#[derive(Debug, thiserror::Error)]
enum LoadFailed {
    #[error(transparent)]
    Read(#[from] ReadError),
    #[error("at offset {offset}: {cause}")]
    Batch { offset: i64, cause: BatchError },
    #[error("a batch that ends at offset {last} comes where offset {expected} belongs")]
    Order { last: i64, expected: i64 },
    #[error("the batch at offset {offset} cannot be decompressed: {cause}")]
    Compressed { offset: i64, cause: std::io::Error },
    #[error(transparent)]
    Replay(#[from] LoadError),
    #[error("the partition is not led here any more")]
    Lost,
}

/// Loads the shard in the background.
pub(super) fn start<S: Kind>(shard: Arc<HostedShard<S>>, empty: S, buffer_bytes: usize) {
    tokio::spawn(async move {
        let loading = Arc::clone(&shard);
        let replayed =
            tokio::task::spawn_blocking(move || replay(&loading, empty, buffer_bytes)).await;
        let loaded = match replayed {
            Ok(Ok(replayed)) => {
                let end_offset = replayed.end_offset;
                if committed(&shard, end_offset).await {
                    replayed.say(&shard);
                    Ok(replayed.state)
                } else {
                    Err(NotLoaded::ForNow(LoadFailed::Lost.to_string()))
                }
            }
            Ok(Err(failed)) => {
                let not_loaded = failed.not_loaded();
                if matches!(not_loaded, NotLoaded::Unreadable(_)) {
                    tracing::error!(
                        target: "org.apache.kafka.coordinator.common.runtime.CoordinatorRuntime",
                        "Failed to load {}-{}: {failed}", S::TOPIC, shard.partition(),
                    );
                }
                if failed.is_damage() {
                    shard.log().note_damage(&failed.to_string());
                }
                Err(not_loaded)
            }
            Err(panicked) => Err(NotLoaded::Unreadable(panicked.to_string())),
        };
        let failed = loaded.is_err();
        shard.begin(loaded);
        if failed {
            shard.log().note_failure();
        }
    });
}

impl LoadFailed {
    /// Whether the log's bytes are at fault, so that another replica may have better ones.
    fn is_damage(&self) -> bool {
        match self {
            Self::Batch { .. }
            | Self::Order { .. }
            | Self::Compressed { .. }
            | Self::Read(ReadError::Storage(StorageError::Corrupt(_)))
            | Self::Replay(LoadError::Batch { .. }) => true,
            Self::Read(_) | Self::Replay(LoadError::Record { .. }) | Self::Lost => false,
        }
    }

    /// Whether another attempt may do better.
    fn not_loaded(&self) -> NotLoaded {
        match self {
            Self::Lost => NotLoaded::ForNow(self.to_string()),
            Self::Read(ReadError::Storage(error)) if error.is_exhaustion() => {
                NotLoaded::ForNow(error.to_string())
            }
            _ => NotLoaded::Unreadable(self.to_string()),
        }
    }
}

/// The state that a log stands for, and how much it took.
struct Replayed<S: Kind> {
    state: Runtime<S>,
    /// Where the log ended.
    end_offset: i64,
    records: i64,
    bytes: usize,
    begun: Duration,
}

impl<S: Kind> Replayed<S> {
    /// Kafka's line.
    fn say(&self, shard: &HostedShard<S>) {
        tracing::info!(
            target: "org.apache.kafka.coordinator.common.runtime.CoordinatorRuntime",
            "[{} id={}] Finished loading of metadata from {}-{} with epoch {} \
             in {}ms where 0ms was spent in the scheduler. Loaded {} records which total to \
             {} bytes.",
            S::NAME,
            shard.node_id(),
            S::TOPIC,
            shard.partition(),
            shard.leader_epoch(),
            monotonic().saturating_sub(self.begun).as_millis(),
            self.records,
            self.bytes,
        );
    }
}

fn replay<S: Kind>(
    shard: &Arc<HostedShard<S>>,
    empty: S,
    buffer_bytes: usize,
) -> Result<Replayed<S>, LoadFailed> {
    let log = shard.log();
    let begun = monotonic();
    let (mut records, mut read) = (0, 0);
    let mut state = Runtime::new(empty);
    let mut effects = Effects::default();
    let mut next = log.start_offset();
    while next < log.end_offset() {
        if shard.is_closed() || !log.leads() {
            return Err(LoadFailed::Lost);
        }
        let bytes = log.read(next, buffer_bytes)?;
        let from = next;
        for batch in batches(&bytes) {
            let batch = batch.map_err(|cause| LoadFailed::Batch { offset: next, cause })?;
            let last = batch.last_offset();
            if last < next {
                return Err(LoadFailed::Order { last, expected: next });
            }
            replay_batch(&mut state, &batch, &mut effects)?;
            records += i64::from(batch.records_count());
            read += batch.len();
            next = batch.next_offset();
            shard.say(&std::mem::take(&mut effects.log_events));
        }
        if next == from {
            match BatchView::parse(&bytes) {
                Err(cause) if !bytes.is_empty() => {
                    return Err(LoadFailed::Batch { offset: next, cause });
                }
                // Nothing is left: the log ends in what compaction took away.
                _ => break,
            }
        }
    }
    Ok(Replayed { state, end_offset: log.end_offset(), records, bytes: read, begun })
}

fn replay_batch<S: Kind>(
    state: &mut Runtime<S>,
    batch: &BatchView<'_>,
    effects: &mut Effects<S>,
) -> Result<(), LoadFailed> {
    let offset = batch.base_offset();
    let bad_batch = |cause| LoadFailed::Batch { offset, cause };
    batch.verify_crc().map_err(bad_batch)?;
    let payload = match batch.compression().map_err(bad_batch)? {
        Compression::None => Cow::Borrowed(batch.payload()),
        // offsets.topic.compression.codec of a stock broker.
        codec => Cow::Owned(
            compression::decompress(codec, batch.payload())
                .map_err(|cause| LoadFailed::Compressed { offset, cause })?,
        ),
    };
    Ok(state.replay_batch(&batch.header_copy(), &payload, clock::now(), effects)?)
}

/// Waits for the high watermark; false when the partition is lost meanwhile.
async fn committed<S: Kind>(shard: &Arc<HostedShard<S>>, end_offset: i64) -> bool {
    while shard.log().high_watermark() < end_offset {
        if shard.is_closed() || !shard.log().leads() {
            return false;
        }
        tokio::time::sleep(HIGH_WATERMARK_PAUSE).await;
    }
    true
}

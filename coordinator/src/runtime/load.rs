//! Loading: the shard becomes the replay of its partition's records, batch by batch.
//!
//! A record of an unknown type is the shard's to pass over; one of a known type that cannot be read
//! ends the load, because what follows would be built on a hole. Answers to
//! `CoordinatorLoaderImpl`.

use protocol::batch::{BatchError, BatchHeader, ControlType, Records};

use super::Runtime;
use super::outputs::Effects;
use super::shard::{Now, RecordPosition, Shard};

/// Why a shard could not be loaded.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    #[error("the batch at offset {base_offset} cannot be read: {cause}")]
    Batch { base_offset: i64, cause: BatchError },
    #[error("the record at offset {offset} cannot be read: {cause}")]
    Record { offset: i64, cause: Box<dyn std::error::Error + Send + Sync> },
}

impl<S: Shard> Runtime<S> {
    /// Takes in one batch of the partition; `payload` is its records, decompressed.
    pub fn replay_batch(
        &mut self,
        header: &BatchHeader,
        payload: &[u8],
        now: Now,
        effects: &mut Effects<S>,
    ) -> Result<(), LoadError> {
        let base_offset = header.base_offset();
        let bad_batch = |cause| LoadError::Batch { base_offset, cause };
        let producer_id = header.producer_id();
        let transaction = Some(producer_id).filter(|id| *id >= 0);
        for record in Records::new(header, payload).map_err(bad_batch)? {
            let record = record.map_err(bad_batch)?;
            if header.is_control() {
                let marker = ControlType::from_key(record.key.unwrap_or_default());
                self.replay_marker(producer_id, marker, effects);
                continue;
            }
            let offset = record.offset;
            let read = S::read(record.key, record.value)
                .map_err(|cause| LoadError::Record { offset, cause: Box::new(cause) })?;
            let standing = RecordPosition::InLog { offset, producer_id: transaction };
            self.shard.replay(read, standing, now, &mut effects.log_events);
        }
        Ok(())
    }

    /// A control record: the end of a producer's transaction, or nothing of ours.
    fn replay_marker(
        &mut self,
        producer_id: i64,
        marker: Option<ControlType>,
        effects: &mut Effects<S>,
    ) {
        let is_commit = match marker {
            Some(ControlType::Commit) => true,
            Some(ControlType::Abort) => false,
            _ => return,
        };
        self.shard.end_transaction(producer_id, is_commit, &mut effects.log_events);
    }
}

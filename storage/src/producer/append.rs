//! What one append would change about one producer, checked before anything is written. Answers to
//! Kafka's `ProducerAppendInfo`, whose rules and order of checks these are.

use protocol::batch::{BatchHeader, ControlType, NO_PRODUCER_EPOCH, NO_SEQUENCE, Records};

use super::entry::{BatchMetadata, CompletedTransaction, ProducerEntry};
use super::verification::VerificationEntry;
use crate::error::{AppendError, BatchFault};
use crate::validate::AppendOrigin;

/// From this transaction version on markers have an epoch above that of the records they end.
const STRICT_MARKERS: i8 = 2;

/// The end of a transaction as its control record tells it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Marker {
    pub aborted: bool,
    pub coordinator_epoch: i32,
}

impl Marker {
    /// The marker in a control batch; `None` for an empty batch, which compaction leaves, and for
    /// control records of other kinds (KRaft's), which concern no producer.
    pub(crate) fn of(header: &BatchHeader, payload: &[u8]) -> Result<Option<Self>, AppendError> {
        let mut records = Records::new(header, payload)
            .map_err(|error| AppendError::InvalidBatch(BatchFault::Records(error)))?;
        let Some(record) = records.next() else {
            return Ok(None);
        };
        let record =
            record.map_err(|error| AppendError::InvalidBatch(BatchFault::Records(error)))?;
        let kind = record.key.and_then(ControlType::from_key);
        let aborted = match kind {
            Some(ControlType::Abort) => true,
            Some(ControlType::Commit) => false,
            Some(_) => return Ok(None),
            None => return Err(BatchFault::NotAMarker.into()),
        };
        // version i16, coordinator_epoch i32
        let epoch = record.value.and_then(|value| value.get(2..6)?.try_into().ok());
        let epoch = epoch.ok_or(BatchFault::NotAMarker)?;
        Ok(Some(Self { aborted, coordinator_epoch: i32::from_be_bytes(epoch) }))
    }
}

/// What a batch that was judged does to its producer, once it is written.
#[derive(Debug)]
pub struct ProducerChange {
    pub(super) append: ProducerAppend,
    pub(super) completed: Option<CompletedTransaction>,
}

#[derive(Debug)]
pub(crate) struct ProducerAppend {
    origin: AppendOrigin,
    current_epoch: i16,
    current_last_sequence: i32,
    current_is_empty: bool,
    verification: Option<VerificationEntry>,
    pub updated: ProducerEntry,
    /// First offsets of the transactions that this append begins.
    pub started: Vec<i64>,
}

impl ProducerAppend {
    pub(crate) fn new(
        producer_id: i64,
        current: Option<&ProducerEntry>,
        origin: AppendOrigin,
        verification: Option<VerificationEntry>,
    ) -> Self {
        let mut updated = ProducerEntry::empty(producer_id);
        if let Some(entry) = current {
            updated.producer_epoch = entry.producer_epoch;
            updated.coordinator_epoch = entry.coordinator_epoch;
            updated.last_timestamp = entry.last_timestamp;
            updated.transaction_first_offset = entry.transaction_first_offset;
        }
        Self {
            origin,
            current_epoch: updated.producer_epoch,
            current_last_sequence: current.map_or(NO_SEQUENCE, ProducerEntry::last_sequence),
            current_is_empty: current.is_none_or(|entry| entry.batches.is_empty()),
            verification,
            updated,
            started: Vec::new(),
        }
    }

    /// Takes a data batch whose offsets are final.
    pub(crate) fn append_data(&mut self, header: &BatchHeader) -> Result<(), AppendError> {
        let epoch = header.producer_epoch();
        self.check_epoch(epoch)?;
        if self.origin == AppendOrigin::Client {
            self.check_sequence(epoch, header.base_sequence())?;
        }
        self.updated.add_batch(
            epoch,
            BatchMetadata {
                last_sequence: header.last_sequence(),
                last_offset: header.last_offset(),
                offset_delta: header.last_offset_delta(),
                timestamp: header.max_timestamp(),
            },
        );
        match self.updated.transaction_first_offset {
            Some(_) if !header.is_transactional() => Err(AppendError::InvalidTransactionState {
                producer_id: self.updated.producer_id,
                reason: "a record outside of its open transaction",
            }),
            None if header.is_transactional() => {
                self.updated.transaction_first_offset = Some(header.base_offset());
                self.started.push(header.base_offset());
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// Takes a transaction's end. A marker without records before it completes nothing.
    pub(crate) fn append_marker(
        &mut self,
        header: &BatchHeader,
        marker: Marker,
        transaction_version: i8,
    ) -> Result<Option<CompletedTransaction>, AppendError> {
        let epoch = header.producer_epoch();
        self.check_marker_epoch(epoch, transaction_version)?;
        let current = self.updated.coordinator_epoch;
        if current > marker.coordinator_epoch && self.origin != AppendOrigin::Replication {
            return Err(AppendError::CoordinatorFenced {
                producer_id: self.updated.producer_id,
                offered: marker.coordinator_epoch,
                current,
            });
        }
        let completed =
            self.updated.transaction_first_offset.map(|first_offset| CompletedTransaction {
                producer_id: self.updated.producer_id,
                first_offset,
                last_offset: header.base_offset(),
                aborted: marker.aborted,
            });
        self.updated.enter_epoch(epoch);
        self.updated.coordinator_epoch = marker.coordinator_epoch;
        self.updated.transaction_first_offset = None;
        self.updated.last_timestamp = header.max_timestamp();
        Ok(completed)
    }

    /// From transaction version 2 on a marker is of a later epoch than the records that it ends, so
    /// that one which comes late cannot end the next transaction. The same one once more, which a
    /// coordinator writes that has not heard of the first, changes nothing. A transaction in the
    /// largest epoch there is can be ended all the same (KIP-1228, KAFKA-19999).
    fn check_marker_epoch(&self, offered: i16, transaction_version: i8) -> Result<(), AppendError> {
        let is_open = self.updated.transaction_first_offset.is_some();
        let current = self.updated.producer_epoch;
        if transaction_version >= STRICT_MARKERS
            && offered == current
            && is_open
            && offered != i16::MAX
            && self.origin != AppendOrigin::Replication
        {
            let producer_id = self.updated.producer_id;
            return Err(AppendError::InvalidProducerEpoch { producer_id, offered, current });
        }
        self.check_epoch(offered)
    }

    fn check_epoch(&self, offered: i16) -> Result<(), AppendError> {
        let current = self.updated.producer_epoch;
        // What a leader took is not judged again.
        if offered < current && self.origin != AppendOrigin::Replication {
            let producer_id = self.updated.producer_id;
            return Err(AppendError::InvalidProducerEpoch { producer_id, offered, current });
        }
        Ok(())
    }

    fn check_sequence(&self, epoch: i16, offered: i32) -> Result<(), AppendError> {
        let out_of_order = |last| {
            let producer_id = self.updated.producer_id;
            Err(AppendError::OutOfOrderSequence { producer_id, offered, last })
        };
        if let Some(verification) = &self.verification {
            if verification.supports_epoch_bump && offered != 0 && self.current_is_empty {
                return out_of_order(NO_SEQUENCE);
            }
            if offered > verification.lowest_sequence {
                return out_of_order(verification.lowest_sequence);
            }
        }
        if epoch != self.updated.producer_epoch {
            let known = self.updated.producer_epoch != NO_PRODUCER_EPOCH;
            return if offered != 0 && known { out_of_order(NO_SEQUENCE) } else { Ok(()) };
        }
        let last = match self.updated.batches.back() {
            Some(batch) => batch.last_sequence,
            None if epoch == self.current_epoch => self.current_last_sequence,
            None => NO_SEQUENCE,
        };
        // A producer without a past here (its records were deleted) may go on where it is.
        let follows =
            i64::from(offered) == i64::from(last) + 1 || (offered == 0 && last == i32::MAX);
        if self.current_epoch == NO_PRODUCER_EPOCH || follows { Ok(()) } else { out_of_order(last) }
    }
}

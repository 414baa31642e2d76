//! Appending: check everything, write once, publish, then remember what the batch changed. Kafka's
//! `UnifiedLog.append`.
//!
//! Nothing is changed before the bytes are written but what is harmless without them: a roll, and
//! the start of a leader epoch at the log's end.

use std::sync::atomic::Ordering;

use bytes::Bytes;
use protocol::batch::{BatchHeader, BatchView, NO_TIMESTAMP, TimestampType};

use super::{Active, Log};
use crate::error::{AppendError, BatchFault, StorageError};
use crate::index::offset::OffsetEntry;
use crate::index::time::TimeEntry;
use crate::producer::{CompletedTransaction, Marker, ProducerChange, TransactionTerms};
use crate::validate::{self, AppendOrigin, ValidationContext};

/// What an append did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Appended {
    pub base_offset: i64,
    pub last_offset: i64,
    /// Set when the topic stamps records itself, or for a duplicate; -1 otherwise, as Kafka
    /// answers.
    pub log_append_time: i64,
    pub log_start_offset: i64,
    /// The batch was in the log already; these are the offsets it has there.
    pub duplicate: bool,
    /// `flush.messages` is reached: flush before this append is acknowledged.
    pub must_flush: bool,
    pub size_bytes: usize,
}

/// One batch about to be written, with what it does to its producer.
struct Planned<'p> {
    header: BatchHeader,
    size: u64,
    payload: &'p [u8],
}

impl Log {
    /// Checks one batch completely, gives it the next offsets and `leader_epoch`, writes it.
    ///
    /// With [`AppendOrigin::RaftLeader`] offsets and epoch are the batches' own and there may be
    /// several.
    pub fn append_as_leader(
        &mut self,
        records: &Bytes,
        leader_epoch: i32,
        now_ms: i64,
        origin: AppendOrigin,
    ) -> Result<Appended, AppendError> {
        self.append_in_transaction(
            records,
            leader_epoch,
            now_ms,
            origin,
            TransactionTerms::default(),
        )
    }

    /// Like [`Self::append_as_leader`], for the first records of a transaction that the transaction
    /// coordinator has confirmed, and for a transaction's end.
    pub fn append_in_transaction(
        &mut self,
        records: &Bytes,
        leader_epoch: i32,
        now_ms: i64,
        origin: AppendOrigin,
        transaction: TransactionTerms,
    ) -> Result<Appended, AppendError> {
        self.take_up_again()?;
        if matches!(origin, AppendOrigin::RaftLeader | AppendOrigin::Replication) {
            return self.append_given(records, leader_epoch, now_ms, origin);
        }
        let terms = ValidationContext {
            config: &self.config,
            origin,
            leader_epoch,
            next_offset: self.log_end_offset(),
            now_ms,
            name: &self.name,
        };
        let batch = validate::for_leader(records, &terms)?;
        let header = batch.header;
        if origin == AppendOrigin::Client
            && header.has_producer_id()
            && let Some(found) = self.producers.duplicate_of(&header)
        {
            return Ok(Appended {
                base_offset: found.first_offset(),
                last_offset: found.last_offset,
                log_append_time: found.timestamp,
                duplicate: true,
                must_flush: false,
                ..self.appended(&header, 0)
            });
        }
        self.check_segment_size(batch.size())?;
        let plan = Planned { header, size: batch.size() as u64, payload: &batch.payload };
        let change = self.plan_producer(&plan, origin, transaction)?;
        self.make_room(
            plan.size,
            header.base_offset(),
            header.last_offset(),
            batch.max_timestamp,
            now_ms,
        )?;
        self.assign_epoch(leader_epoch, header.base_offset())?;
        self.write(header.as_bytes(), &batch.payload)?;
        self.note_batch(&header, plan.size)?;
        self.publish(header.next_offset());
        self.commit(&header, change)?;
        Ok(self.appended(&header, batch.size()))
    }

    /// Writes whole batches as another log's leader wrote them; an incomplete one at the end, and
    /// those of an epoch above `leader_epoch`, are left out.
    pub fn append_as_follower(
        &mut self,
        records: &Bytes,
        leader_epoch: i32,
        now_ms: i64,
    ) -> Result<Appended, AppendError> {
        self.take_up_again()?;
        self.append_given(records, leader_epoch, now_ms, AppendOrigin::Replication)
    }

    fn append_given(
        &mut self,
        records: &Bytes,
        leader_epoch: i32,
        now_ms: i64,
        origin: AppendOrigin,
    ) -> Result<Appended, AppendError> {
        let next_offset = self.log_end_offset();
        let batches = validate::for_follower(records, origin, leader_epoch, next_offset)?;
        let total: usize = batches.iter().map(BatchView::len).sum();
        let (Some(first), Some(last)) = (batches.first(), batches.last()) else {
            return Ok(Appended {
                base_offset: next_offset,
                last_offset: next_offset - 1,
                log_append_time: NO_TIMESTAMP,
                log_start_offset: self.log_start_offset(),
                duplicate: false,
                must_flush: false,
                size_bytes: 0,
            });
        };
        let whole = total <= self.config.segment_bytes as usize
            && last.last_offset() - first.base_offset() < i64::from(i32::MAX);
        if whole {
            self.append_run(&records[..total], &batches, now_ms)?;
        } else {
            for batch in &batches {
                self.check_segment_size(batch.len())?;
                self.append_run(batch.bytes(), std::slice::from_ref(batch), now_ms)?;
            }
        }
        let base_offset = first.base_offset();
        Ok(Appended { base_offset, ..self.appended(&last.header_copy(), total) })
    }

    /// Writes batches that lie one behind the other in `bytes`, at once.
    fn append_run(
        &mut self,
        bytes: &[u8],
        batches: &[BatchView<'_>],
        now_ms: i64,
    ) -> Result<(), AppendError> {
        let (Some(first), Some(last)) = (batches.first(), batches.last()) else {
            return Ok(());
        };
        let latest = batches.iter().map(BatchView::max_timestamp).max().unwrap_or(NO_TIMESTAMP);
        let size = bytes.len() as u64;
        self.make_room(size, first.base_offset(), last.last_offset(), latest, now_ms)?;
        for batch in batches {
            self.assign_epoch(batch.partition_leader_epoch(), batch.base_offset())?;
        }
        self.write(bytes, &[])?;
        for batch in batches {
            self.note_batch(&batch.header_copy(), batch.len() as u64)?;
        }
        self.publish(last.next_offset());
        for batch in batches {
            let header = batch.header_copy();
            let control = control_payload(&header, batch.payload())?;
            let completed = self.producers.replay(&header, &control)?;
            self.complete(completed)?;
        }
        Ok(())
    }

    fn check_segment_size(&self, size_bytes: usize) -> Result<(), AppendError> {
        let segment_bytes = self.config.segment_bytes as usize;
        if size_bytes > segment_bytes {
            return Err(AppendError::LargerThanSegment { size_bytes, segment_bytes });
        }
        Ok(())
    }

    // --- producers -------------------------------------------------------------------------

    fn plan_producer(
        &self,
        plan: &Planned<'_>,
        origin: AppendOrigin,
        transaction: TransactionTerms,
    ) -> Result<Option<ProducerChange>, AppendError> {
        let header = &plan.header;
        if !header.has_producer_id() {
            return Ok(None);
        }
        if header.is_transactional() {
            let verifies = self.config.verify_transactions;
            self.producers.check_transaction(header, transaction.guard, verifies)?;
        }
        let mut marker = None;
        if header.is_control() {
            marker = Marker::of(header, &control_payload(header, plan.payload)?)?;
        }
        self.producers.judge(header, marker, origin, transaction.version).map(Some)
    }

    fn commit(
        &mut self,
        header: &BatchHeader,
        change: Option<ProducerChange>,
    ) -> Result<(), StorageError> {
        let completed = self.producers.take(header, change);
        self.complete(completed)
    }

    fn complete(&mut self, completed: Option<CompletedTransaction>) -> Result<(), StorageError> {
        let Some(completed) = completed else {
            return Ok(());
        };
        if completed.aborted {
            let stable = self.producers.stable_after(&completed);
            let written = self.active.segment.append_aborted(&completed, stable);
            self.guard(written)?;
            self.directory_unsynced = true;
        }
        self.producers.complete(&completed);
        Ok(())
    }

    // --- writing ---------------------------------------------------------------------------

    fn write(&mut self, head: &[u8], tail: &[u8]) -> Result<(), StorageError> {
        let written = self.try_write(head, tail);
        self.guard(written)
    }

    fn try_write(&self, head: &[u8], tail: &[u8]) -> Result<(), StorageError> {
        let Active { segment, written, .. } = &self.active;
        if self.entry_is_due() {
            // Before the write: a lack of descriptors must not part a batch from its entry.
            drop(segment.offset_index()?);
            drop(segment.time_index()?);
        }
        let result = segment.log()?.write_pair_at(head, tail, *written);
        result.map_err(|error| segment.io_error("write", error))
    }

    fn entry_is_due(&self) -> bool {
        self.active.bytes_since_entry > u64::from(self.config.index_interval_bytes)
    }

    /// Index entries and timestamps of the batch that was written at `active.written`.
    fn note_batch(&mut self, header: &BatchHeader, size: u64) -> Result<(), StorageError> {
        let noted = self.try_note_batch(header, size);
        self.guard(noted)
    }

    fn try_note_batch(&mut self, header: &BatchHeader, size: u64) -> Result<(), StorageError> {
        let entry_is_due = self.entry_is_due();
        let active = &mut self.active;
        let position = active.written;
        let last_offset = header.last_offset();
        let mut largest = active.segment.max_timestamp()?;
        if header.max_timestamp() > largest.timestamp {
            largest = TimeEntry { timestamp: header.max_timestamp(), offset: last_offset };
            active.segment.set_max_timestamp(largest);
        }
        if position == 0 {
            active.first_timestamp = Some(header.max_timestamp());
        }
        if entry_is_due {
            let entry = OffsetEntry { offset: last_offset, position: position as u32 };
            active.segment.append_offset_entry(entry)?;
            active.append_time_entry(largest)?;
            active.bytes_since_entry = 0;
        }
        active.next_offset = header.next_offset();
        active.bytes_since_entry += size;
        active.written += size;
        Ok(())
    }

    /// Shows readers what was written. The order is `Shared`'s.
    fn publish(&self, end_offset: i64) {
        self.shared.end.store(end_offset, Ordering::Release);
        self.active.segment.publish(self.active.written);
    }

    fn appended(&self, header: &BatchHeader, size_bytes: usize) -> Appended {
        let stamped = self.config.timestamp_type == TimestampType::LogAppendTime;
        let unflushed = self.log_end_offset() - self.recovery_point;
        Appended {
            base_offset: header.base_offset(),
            last_offset: header.last_offset(),
            log_append_time: if stamped { header.max_timestamp() } else { NO_TIMESTAMP },
            log_start_offset: self.log_start_offset(),
            duplicate: false,
            must_flush: unflushed >= self.config.flush_messages,
            size_bytes,
        }
    }
}

/// A control batch's records; nothing for other batches.
fn control_payload(header: &BatchHeader, payload: &[u8]) -> Result<Vec<u8>, AppendError> {
    if !header.is_control() || header.records_count() <= 0 {
        return Ok(Vec::new());
    }
    let codec = header.compression().map_err(BatchFault::Records)?;
    compression::decompress(codec, payload)
        .map_err(|error| AppendError::Undecodable { codec, detail: error.to_string() })
}

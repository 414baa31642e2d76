//! All producers of one log and the offset up to which their state is known. Answers to Kafka's
//! `ProducerStateManager`; its files are looked after by the log's snapshots.
//!
//! Invariant: the state is that of a replay of every batch below `end_offset`, less what expired.

use std::collections::HashMap;
use std::sync::Arc;

use protocol::batch::BatchHeader;

use super::append::{Marker, ProducerAppend, ProducerChange};
use super::entry::{BatchMetadata, CompletedTransaction, ProducerEntry};
use super::snapshot;
use super::unstable::Unstable;
use super::verification::{VerificationEntry, VerificationGuard};
use crate::error::AppendError;
use crate::validate::AppendOrigin;

#[derive(Debug)]
pub struct ProducerState {
    producers: HashMap<i64, ProducerEntry>,
    verifications: HashMap<i64, VerificationEntry>,
    guards_given: u64,
    unstable: Arc<Unstable>,
    end_offset: i64,
    expiration_ms: i64,
}

impl ProducerState {
    pub fn new(unstable: Arc<Unstable>, expiration_ms: i64) -> Self {
        Self {
            producers: HashMap::new(),
            verifications: HashMap::new(),
            guards_given: 0,
            unstable,
            end_offset: 0,
            expiration_ms,
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.producers.is_empty()
    }

    pub(crate) fn iter(&self) -> impl ExactSizeIterator<Item = &ProducerEntry> {
        self.producers.values()
    }

    pub(crate) fn end_offset(&self) -> i64 {
        self.end_offset
    }

    pub(crate) fn set_end_offset(&mut self, offset: i64) {
        self.end_offset = offset;
    }

    /// Forgets everything; the state is that of an empty log ending at `offset`.
    pub fn reset(&mut self, offset: i64) {
        self.producers.clear();
        self.unstable.clear();
        self.end_offset = offset;
    }

    /// Takes over a snapshot's entries that are not expired.
    pub(crate) fn load(&mut self, entries: Vec<ProducerEntry>, end_offset: i64, now_ms: i64) {
        for entry in entries {
            if self.is_expired(&entry, now_ms) {
                continue;
            }
            if let Some(first_offset) = entry.transaction_first_offset {
                self.unstable.begin(entry.producer_id, first_offset);
            }
            self.producers.insert(entry.producer_id, entry);
        }
        self.end_offset = end_offset;
    }

    /// `producer.id.expiration.ms`.
    pub(crate) fn expiration_ms(&self) -> i64 {
        self.expiration_ms
    }

    pub(crate) fn snapshot(&self) -> Vec<u8> {
        snapshot::encode(self.producers.values())
    }

    pub(crate) fn set_expiration_ms(&mut self, expiration_ms: i64) {
        self.expiration_ms = expiration_ms;
    }

    fn is_expired(&self, entry: &ProducerEntry, now_ms: i64) -> bool {
        entry.transaction_first_offset.is_none()
            && now_ms.saturating_sub(entry.last_timestamp) >= self.expiration_ms
    }

    pub(crate) fn expire(&mut self, now_ms: i64) {
        let mut producers = std::mem::take(&mut self.producers);
        producers.retain(|_, entry| !self.is_expired(entry, now_ms));
        self.producers = producers;
        let expiration_ms = self.expiration_ms;
        self.verifications.retain(|_, entry| now_ms - entry.created_ms < expiration_ms);
    }

    // --- appends ---------------------------------------------------------------------------

    /// Where the remembered batch begins that this one repeats.
    pub fn repeats(&self, header: &BatchHeader) -> Option<i64> {
        self.duplicate_of(header).map(|found| found.first_offset())
    }

    /// The remembered batch that this one repeats.
    pub(crate) fn duplicate_of(&self, header: &BatchHeader) -> Option<BatchMetadata> {
        let entry = self.producers.get(&header.producer_id())?;
        let epoch = header.producer_epoch();
        entry.duplicate_of(epoch, header.base_sequence(), header.last_sequence())
    }

    pub(crate) fn prepare(&self, producer_id: i64, origin: AppendOrigin) -> ProducerAppend {
        let verification = self.verifications.get(&producer_id).copied();
        ProducerAppend::new(producer_id, self.producers.get(&producer_id), origin, verification)
    }

    /// Makes a checked append's changes, after its bytes were written.
    pub(crate) fn commit(&mut self, append: ProducerAppend) {
        let producer_id = append.updated.producer_id;
        for first_offset in append.started {
            self.unstable.begin(producer_id, first_offset);
        }
        match self.producers.get_mut(&producer_id) {
            Some(entry) => entry.update(append.updated),
            None => drop(self.producers.insert(producer_id, append.updated)),
        }
    }

    pub fn stable_after(&self, completed: &CompletedTransaction) -> i64 {
        self.unstable.stable_after(completed)
    }

    pub fn complete(&self, completed: &CompletedTransaction) {
        self.unstable.complete(completed);
    }

    /// Records of a transaction are taken when it is under way here, or when the coordinator has
    /// said that it is. What a producer of an old epoch sends is said to be just that: it can begin
    /// anew, while a wrong state ends it.
    pub fn check_transaction(
        &self,
        header: &BatchHeader,
        guard: VerificationGuard,
        verifies: bool,
    ) -> Result<(), AppendError> {
        let (producer_id, offered) = (header.producer_id(), header.producer_epoch());
        if self.has_ongoing(producer_id, offered) {
            return Ok(());
        }
        self.check_epoch_is_current(producer_id, offered)?;
        let is_verified = || self.is_verified(producer_id, guard);
        if verifies && !header.is_control() && !is_verified() {
            let reason = "a record that is not part of an ongoing transaction";
            return Err(AppendError::InvalidTransactionState { producer_id, reason });
        }
        Ok(())
    }

    /// What a batch whose offsets are final does to its producer; `marker` is what a control batch
    /// has in it. Nothing is changed before it is written.
    pub fn judge(
        &self,
        header: &BatchHeader,
        marker: Option<Marker>,
        origin: AppendOrigin,
        transaction_version: i8,
    ) -> Result<ProducerChange, AppendError> {
        let mut append = self.prepare(header.producer_id(), origin);
        let mut completed = None;
        if !header.is_control() {
            append.append_data(header)?;
        } else if let Some(marker) = marker {
            completed = append.append_marker(header, marker, transaction_version)?;
        }
        Ok(ProducerChange { append, completed })
    }

    /// The batch is written; the transaction that it completes, if it does.
    pub fn take(
        &mut self,
        header: &BatchHeader,
        change: Option<ProducerChange>,
    ) -> Option<CompletedTransaction> {
        let completed = change.and_then(|ProducerChange { append, completed }| {
            if header.is_transactional() {
                self.end_verification(header);
            }
            self.commit(append);
            completed
        });
        self.set_end_offset(header.next_offset());
        completed
    }

    /// Takes a batch that is in the log already, without judging it.
    pub(crate) fn replay(
        &mut self,
        header: &BatchHeader,
        control: &[u8],
    ) -> Result<Option<CompletedTransaction>, AppendError> {
        let has_marker = header.has_producer_id() && header.is_control();
        let marker = if has_marker { Marker::of(header, control)? } else { None };
        self.replay_with(header, marker)
    }

    /// The same where it is known what a control batch has in it.
    pub fn replay_with(
        &mut self,
        header: &BatchHeader,
        marker: Option<Marker>,
    ) -> Result<Option<CompletedTransaction>, AppendError> {
        let mut completed = None;
        if header.has_producer_id() {
            if !header.is_control() || marker.is_some() {
                let change = self.judge(header, marker, AppendOrigin::Replication, 0)?;
                self.commit(change.append);
                completed = change.completed;
            }
            if header.is_transactional() {
                self.end_verification(header);
            }
        }
        self.end_offset = header.next_offset();
        Ok(completed)
    }

    // --- verification ----------------------------------------------------------------------

    pub(crate) fn has_ongoing(&self, producer_id: i64, producer_epoch: i16) -> bool {
        self.producers.get(&producer_id).is_some_and(|entry| {
            entry.transaction_first_offset.is_some() && entry.producer_epoch == producer_epoch
        })
    }

    /// An epoch that is over is told of before anything else.
    pub(crate) fn check_epoch_is_current(
        &self,
        producer_id: i64,
        offered: i16,
    ) -> Result<(), AppendError> {
        let current = self.producers.get(&producer_id).map_or(i16::MIN, |e| e.producer_epoch);
        if offered < current {
            return Err(AppendError::InvalidProducerEpoch { producer_id, offered, current });
        }
        Ok(())
    }

    /// Begins, or goes on with, the verification of a transaction's first records.
    pub fn begin_verification(
        &mut self,
        producer_id: i64,
        sequence: i32,
        epoch: i16,
        supports_epoch_bump: bool,
        now_ms: i64,
    ) -> Result<VerificationGuard, AppendError> {
        self.check_epoch_is_current(producer_id, epoch)?;
        if self.has_ongoing(producer_id, epoch) {
            return Ok(VerificationGuard::NONE);
        }
        let guards_given = &mut self.guards_given;
        let entry = self.verifications.entry(producer_id).or_insert_with(|| {
            *guards_given += 1;
            VerificationEntry {
                guard: VerificationGuard::numbered(*guards_given),
                created_ms: now_ms,
                lowest_sequence: sequence,
                epoch,
                supports_epoch_bump,
            }
        });
        entry.lower(sequence, epoch);
        Ok(entry.guard)
    }

    pub(crate) fn is_verified(&self, producer_id: i64, guard: VerificationGuard) -> bool {
        guard != VerificationGuard::NONE
            && self.verifications.get(&producer_id).is_some_and(|entry| entry.guard == guard)
    }

    /// Once records or a marker are written the guard has served, unless the marker already belongs
    /// to the epoch of the next transaction's verification.
    pub(crate) fn end_verification(&mut self, header: &BatchHeader) {
        let Some(entry) = self.verifications.get(&header.producer_id()) else {
            return;
        };
        let next_began = entry.supports_epoch_bump
            && header.is_control()
            && header.producer_epoch() == entry.epoch;
        if !next_began {
            self.verifications.remove(&header.producer_id());
        }
    }
}

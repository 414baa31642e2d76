//! A member says what became of the records that it acquired (KIP-932, KIP-1222).
//!
//! A request's acknowledgements of one partition count all together or not at all: the first that
//! is refused takes those before it back. Renewed locks stay renewed. Kafka:
//! `SharePartition.acknowledge`.

use super::in_flight::{InFlightBatch, InFlightState, Tracking};
use super::partition::{Limits, SharePartition, Token};
use super::planted::{Bug, is_planted};
use super::record_state::RecordState;
use super::writes::StateBatch;

/// What became of a record. The numbers are the request's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(i8)]
pub enum AcknowledgeType {
    /// There is no such record.
    Gap = 0,
    Accept = 1,
    /// Somebody shall have it again.
    Release = 2,
    /// Nobody shall.
    Reject = 3,
    /// The member needs more time.
    Renew = 4,
}

impl AcknowledgeType {
    /// `None` for a number that no type has.
    #[must_use]
    pub fn from_id(id: i8) -> Option<Self> {
        Some(match id {
            0 => Self::Gap,
            1 => Self::Accept,
            2 => Self::Release,
            3 => Self::Reject,
            4 => Self::Renew,
            _ => return None,
        })
    }
}

/// What became of records that follow each other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AcknowledgementBatch {
    pub first_offset: i64,
    pub last_offset: i64,
    /// One for all of them, or one for each.
    pub types: Vec<AcknowledgeType>,
}

/// Why acknowledgements are refused; the words are Kafka's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AcknowledgeError {
    #[error("Batch record not found. The request batch offsets are not found in the cache.")]
    NotInFlight,
    #[error("Batch record not found. The first offset in request is past acquired records.")]
    FirstOffsetPast,
    #[error("Batch record not found. The last offset in request is past acquired records.")]
    LastOffsetPast,
    #[error("The batch cannot be acknowledged. The batch is not in the acquired state.")]
    BatchNotAcquired,
    #[error("Member is not the owner of batch record")]
    NotOwnerOfBatch,
    #[error("The offset cannot be acknowledged. The offset is not acquired.")]
    OffsetNotAcquired,
    #[error("Member is not the owner of offset")]
    NotOwnerOfOffset,
    #[error("Renewing acquisition locks is not enabled for the group.")]
    RenewDisabled,
}

impl AcknowledgeError {
    /// Whether the request makes no sense, rather than comes too late.
    #[must_use]
    pub fn is_invalid_request(self) -> bool {
        matches!(self, Self::FirstOffsetPast | Self::LastOffsetPast)
    }
}

/// One request's acknowledgements on their way.
struct Acknowledging<'a> {
    member: &'a str,
    limits: &'a Limits,
    token: Token,
    locked_until_ms: i64,
    begun: Vec<StateBatch>,
    /// First offsets of batches whose locks were renewed.
    renewed: Vec<i64>,
}

impl SharePartition {
    /// Takes what a member says. It counts once the token's write is done; where there is no token,
    /// at once.
    pub fn acknowledge(
        &mut self,
        member: &str,
        batches: &[AcknowledgementBatch],
        limits: &Limits,
        now_ms: i64,
    ) -> Result<Option<Token>, AcknowledgeError> {
        let token = self.writes.token();
        let locked_until_ms = now_ms.saturating_add(limits.record_lock_duration_ms);
        let mut taking = Acknowledging {
            member,
            limits,
            token,
            locked_until_ms,
            begun: Vec::new(),
            renewed: Vec::new(),
        };
        let above_start = batches.iter().filter(|batch| batch.last_offset >= self.start_offset);
        let above_start: Vec<&AcknowledgementBatch> = above_start.collect();
        let taken = above_start.into_iter().try_for_each(|batch| self.take_in(&mut taking, batch));
        self.locks.extend(taking.renewed.iter().map(|first| (locked_until_ms, *first)));
        match taken {
            Ok(()) => Ok(self.persist(token, taking.begun)),
            Err(refused) => {
                self.take_back(token, &taking.begun, now_ms);
                Err(refused)
            }
        }
    }

    fn take_in(
        &mut self,
        taking: &mut Acknowledging<'_>,
        batch: &AcknowledgementBatch,
    ) -> Result<(), AcknowledgeError> {
        let start = self.start_offset;
        let floor = match self.floor(batch.first_offset) {
            Some(floor) => floor,
            None if self.start_is_within(batch.first_offset, batch.last_offset) => {
                self.floor(start).ok_or(AcknowledgeError::NotInFlight)?
            }
            None => return Err(AcknowledgeError::NotInFlight),
        };
        let last_known = self.batches.range(floor..=batch.last_offset).next_back();
        let last_known = last_known.map_or(i64::MIN, |(_, known)| known.last);
        if last_known < batch.first_offset {
            return Err(AcknowledgeError::FirstOffsetPast);
        }
        if batch.last_offset > last_known {
            return Err(AcknowledgeError::LastOffsetPast);
        }
        for (_, known) in self.batches.range_mut(floor..=batch.last_offset) {
            if known.last >= start.max(batch.first_offset) {
                taking.take_batch(batch, known, start)?;
            }
        }
        Ok(())
    }
}

impl Acknowledging<'_> {
    fn take_batch(
        &mut self,
        batch: &AcknowledgementBatch,
        known: &mut InFlightBatch,
        start: i64,
    ) -> Result<(), AcknowledgeError> {
        let is_whole = known.is_within(batch.first_offset, batch.last_offset)
            && batch.types.len() == 1
            && known.first >= start;
        if let Tracking::Whole(state) = &known.tracking {
            let owned = state.is_held_by(self.member) || is_planted(Bug::TakesAnyMember);
            match &state.holder {
                None => return Err(AcknowledgeError::BatchNotAcquired),
                Some(_) if !owned => return Err(AcknowledgeError::NotOwnerOfBatch),
                Some(_) if !is_whole => known.split(),
                Some(_) => {}
            }
        }
        let known_first = known.first;
        let from = batch.first_offset.max(start);
        for (first, last, state) in known.states_mut(from, batch.last_offset) {
            if state.state != RecordState::Acquired {
                return Err(AcknowledgeError::OffsetNotAcquired);
            }
            if !state.is_held_by(self.member) && !is_planted(Bug::TakesAnyMember) {
                return Err(AcknowledgeError::NotOwnerOfOffset);
            }
            let at = usize::try_from(first - batch.first_offset).unwrap_or(0);
            let kind =
                if batch.types.len() > 1 { batch.types.get(at) } else { batch.types.first() };
            let kind = kind.copied().unwrap_or(AcknowledgeType::Gap);
            self.take_state((first, last), state, kind)?;
            if kind == AcknowledgeType::Renew {
                self.renewed.push(known_first);
            }
        }
        Ok(())
    }

    fn take_state(
        &mut self,
        (first_offset, last_offset): (i64, i64),
        state: &mut InFlightState,
        kind: AcknowledgeType,
    ) -> Result<(), AcknowledgeError> {
        let to = match kind {
            AcknowledgeType::Renew if !self.limits.renew => {
                return Err(AcknowledgeError::RenewDisabled);
            }
            AcknowledgeType::Renew => {
                state.locked_until_ms = Some(self.locked_until_ms);
                return Ok(());
            }
            AcknowledgeType::Accept => RecordState::Acknowledged,
            AcknowledgeType::Release => RecordState::Available,
            AcknowledgeType::Gap | AcknowledgeType::Reject => RecordState::Archived,
        };
        state.begin(to, self.limits.delivery_count, self.token);
        self.begun.push(state_batch(first_offset, last_offset, state));
        Ok(())
    }
}

/// How a state is persisted.
pub(super) fn state_batch(
    first_offset: i64,
    last_offset: i64,
    state: &InFlightState,
) -> StateBatch {
    let delivery_count = i16::try_from(state.delivery_count).unwrap_or(i16::MAX);
    StateBatch { first_offset, last_offset, state: state.state, delivery_count }
}

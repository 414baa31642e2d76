//! What a fetch wants of a share partition, what was read for it, and what it gets.

use std::sync::Arc;

use super::aborted::{AbortedTransaction, FetchedBatch};
use super::in_flight::{InFlightBatch, Tracking};
use super::partition::Limits;

/// How strictly a fetch keeps to the number of records that it asked for (KIP-1206).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AcquireMode {
    /// Whole record batches, also when the last one has more than was asked for.
    BatchOptimized,
    RecordLimit,
}

/// What a member asks for.
#[derive(Debug, Clone)]
pub struct Wanted {
    pub member: Arc<str>,
    pub mode: AcquireMode,
    /// How many records an acquired batch should have.
    pub batch_size: i64,
    pub max_records: i64,
}

/// What was read from the log for it.
#[derive(Debug, Clone, Copy)]
pub struct Fetched<'a> {
    /// From where it was read.
    pub fetch_offset: i64,
    pub batches: &'a [FetchedBatch],
    /// For a group that reads what is committed.
    pub aborted: &'a [AbortedTransaction],
}

/// Records that the member has now, and for the how manieth time somebody has them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AcquiredRecords {
    pub first_offset: i64,
    pub last_offset: i64,
    pub delivery_count: i16,
}

impl AcquiredRecords {
    pub(super) fn new(first_offset: i64, last_offset: i64, delivery_count: i32) -> Self {
        let delivery_count = i16::try_from(delivery_count).unwrap_or(i16::MAX);
        Self { first_offset, last_offset, delivery_count }
    }

    /// How many offsets they are.
    #[must_use]
    pub fn count(&self) -> i64 {
        self.last_offset - self.first_offset + 1
    }
}

/// An acquisition on its way.
pub(super) struct Acquisition<'a> {
    pub(super) wanted: &'a Wanted,
    pub(super) fetched: Fetched<'a>,
    pub(super) limits: &'a Limits,
    pub(super) locked_until_ms: i64,
    /// How many records it may still take.
    pub(super) left: i64,
    /// The last offset that it may take.
    pub(super) last: i64,
    pub(super) acquired: Vec<AcquiredRecords>,
}

impl Acquisition<'_> {
    pub(super) fn first(&self) -> i64 {
        self.fetched.batches.first().map_or(0, |batch| batch.base_offset)
    }

    pub(super) fn is_record_limit(&self) -> bool {
        self.wanted.mode == AcquireMode::RecordLimit
    }

    /// The offset at which the log's batch that contains `offset` ends.
    pub(super) fn batch_end(&self, offset: i64) -> i64 {
        let batches = self.fetched.batches.iter();
        let containing = batches.take_while(|batch| batch.base_offset <= offset).last();
        containing.map_or(offset, |batch| batch.last_offset.max(offset))
    }

    /// Takes single records of a batch. How many it took.
    ///
    /// Records that have often been delivered in vain come in ever smaller groups, and alone before
    /// they are given up, so that one bad record does not take the others with it.
    pub(super) fn take_single(&mut self, batch: &mut InFlightBatch) -> i64 {
        let limit = self.limits.delivery_count;
        let throttle_from = throttle_from(limit);
        let (first, last) = (self.first(), self.last);
        let size = batch.len();
        let (mut taken, mut throttled_to) = (0, None);
        let mut single: Vec<AcquiredRecords> = Vec::new();
        for (offset, _, state) in batch.states_mut(first, last) {
            if !state.is_acquirable() {
                continue;
            }
            let delivered = state.delivery_count;
            if limit > 2 && delivered == limit - 1 && taken > 0 {
                break;
            }
            if delivered >= throttle_from && throttled_to.is_none() {
                throttled_to = Some((size >> (delivered - throttle_from + 1).min(62)).max(1));
            }
            state.acquire(&self.wanted.member, self.locked_until_ms);
            match single.last_mut() {
                Some(run)
                    if run.last_offset + 1 == offset
                        && i32::from(run.delivery_count) == state.delivery_count =>
                {
                    run.last_offset = offset;
                }
                _ => single.push(AcquiredRecords::new(offset, offset, state.delivery_count)),
            }
            taken += 1;
            let is_last_attempt = limit > 2 && state.delivery_count == limit;
            let is_full = self.wanted.mode == AcquireMode::RecordLimit && taken == self.left;
            if is_last_attempt || is_full || throttled_to == Some(taken) {
                break;
            }
        }
        self.acquired.append(&mut single);
        self.left -= taken;
        taken
    }

    /// Whether a record of the batch has been delivered so often that it comes with few others.
    pub(super) fn is_throttled(&self, batch: &InFlightBatch) -> bool {
        let (first, last) = (self.first(), self.last);
        let acquirable = batch.states().filter(|(at, _, state)| {
            let asked_for = match &batch.tracking {
                Tracking::Whole(_) => true,
                Tracking::PerOffset(_) => (first..=last).contains(at),
            };
            asked_for && state.is_acquirable()
        });
        let most = acquirable.map(|(.., state)| state.delivery_count).max().unwrap_or(0);
        most >= throttle_from(self.limits.delivery_count)
    }
}

/// From how many deliveries on records are isolated: half of what they may have, two at least.
fn throttle_from(delivery_count_limit: i32) -> i32 {
    2.max((delivery_count_limit + 1) / 2)
}

//! A share partition as its persisted state tells it. Kafka: `SharePartition.maybeInitialize`.

use std::collections::{BTreeMap, BTreeSet};

use super::in_flight::{InFlightBatch, InFlightState};
use super::partition::{GapWindow, SharePartition};
use super::record_state::RecordState;
use super::writes::{StateBatch, Writes};

/// What the persister has of a share partition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PersistedState {
    pub state_epoch: i32,
    /// Where it starts: as is persisted, or as the group's reset strategy says.
    pub start_offset: i64,
    /// In the order of their offsets.
    pub batches: Vec<StateBatch>,
}

/// The persister's state makes no sense.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidState {
    #[error("the state batch at {first_offset} begins below the start offset {start_offset}")]
    BelowStart { first_offset: i64, start_offset: i64 },
    #[error("the state batch at {first_offset} ends before it, at {last_offset}")]
    Reversed { first_offset: i64, last_offset: i64 },
    #[error("the state batch at {first_offset} overlaps the one before it")]
    Overlapping { first_offset: i64 },
}

impl SharePartition {
    /// Takes up what the persister has.
    pub fn load(persisted: PersistedState) -> Result<Self, InvalidState> {
        let PersistedState { state_epoch, start_offset, batches: persisted } = persisted;
        let mut batches = BTreeMap::new();
        let (mut gap_start, mut next) = (None, start_offset);
        for StateBatch { first_offset, last_offset, state, delivery_count } in persisted {
            if first_offset < start_offset {
                return Err(InvalidState::BelowStart { first_offset, start_offset });
            }
            if last_offset < first_offset {
                return Err(InvalidState::Reversed { first_offset, last_offset });
            }
            if first_offset < next {
                return Err(InvalidState::Overlapping { first_offset });
            }
            if first_offset > next {
                gap_start = gap_start.or(Some(next));
            }
            next = last_offset + 1;
            // Nobody holds what somebody held before.
            let state = match state {
                RecordState::Acquired => RecordState::Available,
                other => other,
            };
            let state = InFlightState::new(state, i32::from(delivery_count));
            batches.insert(first_offset, InFlightBatch::whole(first_offset, last_offset, state));
        }
        let end_offset = if batches.is_empty() { start_offset } else { next - 1 };
        let mut partition = Self {
            may_be_available: !batches.is_empty(),
            gap: gap_start.map(|start_offset| GapWindow { start_offset, end_offset }),
            batches,
            start_offset,
            end_offset,
            locks: BTreeSet::new(),
            state_epoch,
            writes: Writes::default(),
        };
        partition.advance_start();
        Ok(partition)
    }
}

//! Records between the start and the end of a share partition: in batches as they were read, with
//! one state for all records of a batch until they differ, then with one for each.
//!
//! Kept true: only an acquired record has a holder and a lock; a record in transition is not
//! acquired, and remembers who held it. Kafka: `InFlightBatch`, `InFlightState`.

use std::sync::Arc;

use super::partition::Token;
use super::planted::{Bug, is_planted};
use super::record_state::RecordState;

/// What is known of one record, or of all records of a batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct InFlightState {
    pub(super) state: RecordState,
    pub(super) delivery_count: i32,
    /// The member that has acquired it.
    pub(super) holder: Option<Arc<str>>,
    /// Until when, or how long it would have been, were it not in transition.
    pub(super) locked_until_ms: Option<i64>,
    transition: Option<Transition>,
}

/// A change that the persister does not have yet.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Transition {
    token: Token,
    holder: Option<Arc<str>>,
    max_delivery_count: i32,
}

impl InFlightState {
    pub(super) fn new(state: RecordState, delivery_count: i32) -> Self {
        Self { state, delivery_count, holder: None, locked_until_ms: None, transition: None }
    }

    pub(super) fn acquired(holder: &Arc<str>, locked_until_ms: i64) -> Self {
        Self {
            holder: Some(Arc::clone(holder)),
            locked_until_ms: Some(locked_until_ms),
            ..Self::new(RecordState::Acquired, 1)
        }
    }

    pub(super) fn in_transition(&self) -> bool {
        self.transition.is_some()
    }

    /// Whether somebody may acquire it now.
    pub(super) fn is_acquirable(&self) -> bool {
        self.state == RecordState::Available && !self.in_transition()
    }

    /// Whether the start offset may pass it.
    pub(super) fn is_settled(&self) -> bool {
        let settled = self.state.is_terminal();
        settled && (!self.in_transition() || is_planted(Bug::StartPassesTransitions))
    }

    pub(super) fn is_held_by(&self, member: &str) -> bool {
        self.holder.as_deref() == Some(member)
    }

    pub(super) fn acquire(&mut self, holder: &Arc<str>, locked_until_ms: i64) {
        self.state = RecordState::Acquired;
        if !is_planted(Bug::DeliveryNotCounted) {
            self.delivery_count += 1;
        }
        self.holder = Some(Arc::clone(holder));
        self.locked_until_ms = Some(locked_until_ms);
    }

    /// Gives up what is acquired, for good: nothing has to be persisted first.
    pub(super) fn give_up(&mut self, to: RecordState, max_delivery_count: i32) {
        self.state = self.bounded(to, max_delivery_count);
        self.holder = None;
        self.locked_until_ms = None;
    }

    /// The same, to be taken back unless it is persisted.
    pub(super) fn begin(&mut self, to: RecordState, max_delivery_count: i32, token: Token) {
        self.state = self.bounded(to, max_delivery_count);
        self.transition =
            Some(Transition { token, holder: self.holder.take(), max_delivery_count });
    }

    /// What was delivered as often as may be becomes available no more.
    fn bounded(&self, to: RecordState, max_delivery_count: i32) -> RecordState {
        let exhausted = to == RecordState::Available && self.delivery_count >= max_delivery_count;
        if exhausted && !is_planted(Bug::NoDeliveryLimit) { RecordState::Archived } else { to }
    }

    /// The persister has the transition that `token` began, or refused it. `false` if there is no
    /// such transition any more.
    pub(super) fn end(&mut self, token: Token, persisted: bool, now_ms: i64) -> bool {
        let Some(transition) = self.transition.take_if(|transition| transition.token == token)
        else {
            return false;
        };
        if persisted || is_planted(Bug::NoRollback) {
            self.locked_until_ms = None;
        } else if self.locked_until_ms.is_some_and(|until| until <= now_ms) {
            // The lock's time was over meanwhile, so nobody has the record again.
            self.give_up(RecordState::Available, transition.max_delivery_count);
        } else {
            self.state = RecordState::Acquired;
            self.holder = transition.holder;
        }
        true
    }

    /// It is delivered no more, whatever it was.
    pub(super) fn archive(&mut self) {
        *self = Self::new(RecordState::Archived, self.delivery_count);
    }
}

/// Records that were read together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct InFlightBatch {
    pub(super) first: i64,
    pub(super) last: i64,
    pub(super) tracking: Tracking,
}

/// How the records of a batch are kept track of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Tracking {
    Whole(InFlightState),
    /// From the batch's first offset on.
    PerOffset(Vec<InFlightState>),
}

impl InFlightBatch {
    pub(super) fn whole(first: i64, last: i64, state: InFlightState) -> Self {
        Self { first, last, tracking: Tracking::Whole(state) }
    }

    pub(super) fn len(&self) -> i64 {
        self.last - self.first + 1
    }

    pub(super) fn is_within(&self, first: i64, last: i64) -> bool {
        self.first >= first && self.last <= last
    }

    pub(super) fn whole_state(&self) -> Option<&InFlightState> {
        match &self.tracking {
            Tracking::Whole(state) => Some(state),
            Tracking::PerOffset(_) => None,
        }
    }

    /// From now on each record has a state of its own.
    pub(super) fn split(&mut self) {
        if let Tracking::Whole(state) = &self.tracking {
            let count = usize::try_from(self.len()).unwrap_or(0);
            self.tracking = Tracking::PerOffset(vec![state.clone(); count]);
        }
    }

    /// Ranges of offsets with their state: the whole batch, or each record.
    pub(super) fn states(&self) -> impl Iterator<Item = (i64, i64, &InFlightState)> {
        let (whole, each) = match &self.tracking {
            Tracking::Whole(state) => (Some((self.first, self.last, state)), [].as_slice()),
            Tracking::PerOffset(states) => (None, states.as_slice()),
        };
        let each = (self.first..).zip(each).map(|(offset, state)| (offset, offset, state));
        whole.into_iter().chain(each)
    }

    /// The same, to be changed: all of the batch, or each record from `first` to `last`.
    pub(super) fn states_mut(
        &mut self,
        first: i64,
        last: i64,
    ) -> impl Iterator<Item = (i64, i64, &mut InFlightState)> {
        let (whole, each) = match &mut self.tracking {
            Tracking::Whole(state) => (Some((self.first, self.last, state)), &mut [][..]),
            Tracking::PerOffset(states) => (None, &mut states[..]),
        };
        let each = (self.first..).zip(each).map(|(offset, state)| (offset, offset, state));
        let each = each.skip_while(move |(offset, ..)| *offset < first);
        whole.into_iter().chain(each.take_while(move |(offset, ..)| *offset <= last))
    }
}

//! What a share partition has persisted: one write at a time, in the order in which it came about.
//!
//! While a write is out, what is to be persisted next gathers, and goes out as one. Kept true: what
//! is answered after a write was persisted by it, or refused with it. Unlike Kafka: no second write
//! is out meanwhile (decision 0491). Kafka: `SharePartition.rollbackOrProcessStateUpdates`,
//! `writeShareGroupState`.

use super::partition::{SharePartition, Token};
use super::planted::{Bug, is_planted};
use super::record_state::RecordState;

/// Records with one state and delivery count, as they are persisted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StateBatch {
    pub first_offset: i64,
    /// The last one of them.
    pub last_offset: i64,
    pub state: RecordState,
    pub delivery_count: i16,
}

/// What the persister is to write now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StateWrite {
    pub state_epoch: i32,
    pub start_offset: i64,
    /// How many records from the start offset on the group is done with.
    pub delivery_complete_count: i64,
    pub batches: Vec<StateBatch>,
}

/// What came of a write that is over.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Written {
    /// Who is to hear how it ended.
    pub answered: Vec<Token>,
    /// Whether there may be more to acquire.
    pub acquirable: bool,
}

/// Which offsets are in transition for whom.
type Transitions = Vec<(Token, Vec<(i64, i64)>)>;

/// What is out, and what goes out next.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Writes {
    last_token: u64,
    next: Write,
    out: Option<Transitions>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Write {
    batches: Vec<StateBatch>,
    transitions: Transitions,
}

impl Writes {
    pub(super) fn token(&mut self) -> Token {
        self.last_token += 1;
        Token(self.last_token)
    }

    /// What is persisted, but nobody waits for.
    pub(super) fn add(&mut self, batches: impl IntoIterator<Item = StateBatch>) {
        for batch in batches {
            match self.next.batches.last_mut() {
                Some(last)
                    if last.last_offset + 1 == batch.first_offset
                        && (last.state, last.delivery_count)
                            == (batch.state, batch.delivery_count) =>
                {
                    last.last_offset = batch.last_offset;
                }
                _ => self.next.batches.push(batch),
            }
        }
    }

    fn add_transition(&mut self, token: Token, batches: Vec<StateBatch>) {
        let mut ranges: Vec<(i64, i64)> = Vec::new();
        for StateBatch { first_offset, last_offset, .. } in &batches {
            match ranges.last_mut() {
                Some((_, last)) if *last + 1 == *first_offset => *last = *last_offset,
                _ => ranges.push((*first_offset, *last_offset)),
            }
        }
        self.next.transitions.push((token, ranges));
        self.add(batches);
    }
}

impl SharePartition {
    /// What is to be persisted now; nothing while a write is out.
    pub fn next_write(&mut self) -> Option<StateWrite> {
        if self.writes.out.is_some() || self.writes.next.batches.is_empty() {
            return None;
        }
        let Write { batches, transitions } = std::mem::take(&mut self.writes.next);
        self.writes.out = Some(transitions);
        Some(StateWrite {
            state_epoch: self.state_epoch,
            start_offset: self.start_offset,
            delivery_complete_count: self.delivery_complete_count(),
            batches,
        })
    }

    /// The write that was out is over.
    pub fn written(&mut self, persisted: bool, now_ms: i64) -> Written {
        let mut written = Written::default();
        for (token, ranges) in self.writes.out.take().unwrap_or_default() {
            for (first, last) in ranges {
                written.acquirable |= self.end_transition(token, first, last, persisted, now_ms);
            }
            written.answered.push(token);
        }
        written.acquirable |= self.advance_start();
        written
    }

    /// Has the persister write what a member made of its records; `None` if there is nothing.
    pub(super) fn persist(&mut self, token: Token, batches: Vec<StateBatch>) -> Option<Token> {
        if batches.is_empty() {
            return None;
        }
        if is_planted(Bug::ForgetsToPersist) {
            for batch in batches {
                self.end_transition(token, batch.first_offset, batch.last_offset, true, 0);
            }
            self.advance_start();
            return None;
        }
        self.writes.add_transition(token, batches);
        Some(token)
    }

    /// Takes back what a request began before something in it was refused.
    pub(super) fn take_back(&mut self, token: Token, begun: &[StateBatch], now_ms: i64) {
        for batch in begun {
            self.end_transition(token, batch.first_offset, batch.last_offset, false, now_ms);
        }
    }

    /// Whether some of the records are available now.
    fn end_transition(
        &mut self,
        token: Token,
        first: i64,
        last: i64,
        persisted: bool,
        now_ms: i64,
    ) -> bool {
        let mut available = false;
        let from = self.floor(first).unwrap_or(first);
        for batch in self.batches.range_mut(from..=last.max(from)).map(|(_, batch)| batch) {
            for (_, _, state) in batch.states_mut(first, last) {
                let ended = state.end(token, persisted, now_ms);
                available |= ended && state.state == RecordState::Available;
            }
        }
        // The log may have lost them meanwhile.
        if available && first < self.start_offset {
            self.archive(first, self.start_offset - 1, RecordState::Available);
        }
        self.may_be_available |= available;
        available
    }
}

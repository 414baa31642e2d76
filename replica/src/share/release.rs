//! A member is gone: what it had acquired is available again, once the persister has it.
//! Kafka: `SharePartition.releaseAcquiredRecords`.

use super::acknowledge::state_batch;
use super::partition::{Limits, SharePartition, Token};
use super::planted::{Bug, is_planted};
use super::record_state::RecordState;

impl SharePartition {
    /// Releases what `member` has. It counts once the token's write is done.
    pub fn release(&mut self, member: &str, limits: &Limits) -> Option<Token> {
        let token = self.writes.token();
        let start = self.start_offset;
        let mut begun = Vec::new();
        if is_planted(Bug::KeepsWhatLeft) {
            return None;
        }
        for batch in self.batches.values_mut() {
            let held = |state: &super::in_flight::InFlightState| state.is_held_by(member);
            if batch.first < start && batch.last >= start && batch.whole_state().is_some_and(held) {
                batch.split();
            }
            for (first, last, state) in batch.states_mut(i64::MIN, i64::MAX) {
                if state.state == RecordState::Acquired && held(state) {
                    let below_start = last < start;
                    let to =
                        if below_start { RecordState::Archived } else { RecordState::Available };
                    state.begin(to, limits.delivery_count, token);
                    begun.push(state_batch(first, last, state));
                }
            }
        }
        self.persist(token, begun)
    }
}

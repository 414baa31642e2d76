//! What every coordinator's shard stands on, whatever it coordinates: one log, writes under way,
//! answers that wait for them, and the way back when one fails.
//!
//! ```text
//! request, now ──▶ Shard ── records ──▶ replay at once (as under way) ──▶ Write ──▶ log
//!                    ▲                                                       │
//!                    ├── commit(write, base offset), answers ◀── written ────┤
//!                    └── revert(from write), refusals ◀── not written ───────┘
//! the log at start ──▶ replay (as in the log), then loaded
//! ```
//!
//! Invariants:
//! - What records say is made by [`Shard::replay`] alone, at a load and while the shard serves.
//! - A write that fails takes back what it and all later writes have made: those were decided
//!   upon it.
//! - Writes are reported in the order in which they were decided.
//! - An answer that waits for a write is given once: when it is written, or why it was not.
//! - The end of a transaction makes nothing before it is written: what was written before it is
//!   what it ends, and one that fails concerns nobody else.
//!
//! Answers to Kafka's `CoordinatorRuntime`, `SnapshottableCoordinator` and `CoordinatorShard`
//! (KIP-848). It knows no clock, task, disk or random.

mod load;
mod outputs;
mod shard;
mod shared_map;
#[cfg(test)]
mod tests;
mod timers;
mod transactions;
mod versions;

use std::collections::BTreeMap;

pub use load::LoadError;
pub use outputs::{Effects, Outputs, Reply, ReplyId, Write, WriteId, WriteRecord};
pub use shard::{Now, RecordPosition, Shard, Unavailable, WriteFailure};
pub use shared_map::SharedMap;
pub use timers::Timers;
pub use transactions::{Producer, TransactionEnd, WritePurpose};
pub use versions::{VersionedMap, Versions};

use outputs::Decided;

/// One shard that serves.
#[derive(Debug)]
pub struct Runtime<S: Shard> {
    shard: S,
    next_write: WriteId,
    max_write_bytes: usize,
    under_way: BTreeMap<WriteId, Waiting<S>>,
}

/// What waits for a write.
#[derive(Debug)]
struct Waiting<S: Shard> {
    after_write: Option<S::AfterWrite>,
    replies: Vec<(ReplyId, S::Answer)>,
    /// The producer whose transaction it ends, and whether that is committed.
    ends: Option<(i64, bool)>,
}

impl<S: Shard> Runtime<S> {
    /// A shard that is empty, ready for [`Self::replay_batch`].
    pub fn new(shard: S) -> Self {
        Self {
            shard,
            next_write: WriteId(0),
            max_write_bytes: usize::MAX,
            under_way: BTreeMap::new(),
        }
    }

    /// How large the records of a write may be ([`Write::size_bound`]); a larger one fails as it is
    /// decided, before anything is decided upon it.
    pub fn limit_writes(&mut self, max_bytes: usize) {
        self.max_write_bytes = max_bytes;
    }

    pub fn shard(&self) -> &S {
        &self.shard
    }

    /// The newest write under way: after it, all that was decided so far has been written.
    pub fn newest_write(&self) -> Option<WriteId> {
        self.under_way.last_key_value().map(|(id, _)| *id)
    }

    /// When [`Shard::tick`] has something to do next, on the monotonic clock.
    pub fn next_deadline_ms(&self) -> Option<u64> {
        self.shard.next_deadline_ms()
    }

    /// One call of the shard, whatever it is.
    pub fn step<R>(
        &mut self,
        now: Now,
        effects: &mut Effects<S>,
        call: impl FnOnce(&mut S, Now, &mut Outputs<S>) -> R,
    ) -> R {
        self.step_for(WritePurpose::Own, now, effects, call)
    }

    fn step_for<R>(
        &mut self,
        purpose: WritePurpose,
        now: Now,
        effects: &mut Effects<S>,
        call: impl FnOnce(&mut S, Now, &mut Outputs<S>) -> R,
    ) -> R {
        let mut out = Outputs::new(now, self.next_write, purpose);
        let result = call(&mut self.shard, now, &mut out);
        self.next_write = out.next_write();
        let Outputs { replies, log_events, commands, decided, when_settled, .. } = out;
        effects.replies.extend(replies);
        effects.commands.extend(commands);
        effects.log_events.extend(log_events);
        let mut too_large = None;
        for Decided { write, after_write, reply } in decided {
            if write.size_bound() > self.max_write_bytes {
                too_large = too_large.or(Some(write.id));
            }
            let replies = reply.into_iter().collect();
            self.under_way.insert(write.id, Waiting { after_write, replies, ends: None });
            effects.writes.push(write);
        }
        match self.under_way.last_entry() {
            Some(mut newest) => newest.get_mut().replies.extend(when_settled),
            None => effects.replies.extend(when_settled),
        }
        if let Some(id) = too_large {
            effects.writes.retain(|write| write.id < id);
            self.revert(id, WriteFailure::TooLarge, now, effects);
        }
        result
    }

    /// A write has its fate: the offset of its first record, or why it failed. A failure is that of
    /// every write after it, too: whoever holds them drops them ([`Effects::reverted_from`]).
    pub fn written(
        &mut self,
        id: WriteId,
        fate: Result<i64, WriteFailure>,
        now: Now,
        effects: &mut Effects<S>,
    ) {
        match fate {
            Ok(base_offset) => {
                let Some(Waiting { after_write, replies, ends }) = self.under_way.remove(&id)
                else {
                    return;
                };
                self.shard.commit(id, base_offset);
                if let Some((producer_id, is_commit)) = ends {
                    let log_events = &mut effects.log_events;
                    self.shard.end_transaction(producer_id, is_commit, log_events);
                }
                if let Some(after) = after_write {
                    self.step(now, effects, |shard, now, out| {
                        shard.after_write(after, Ok(()), now, out)
                    });
                }
                effects.replies.extend(replies);
            }
            Err(failure) if self.concerns_nobody_else(id, failure) => {
                let replies = self.under_way.remove(&id).map(|waiting| waiting.replies);
                let refused = replies.into_iter().flatten();
                let refused = refused.map(|(reply, answer)| (reply, S::refused(answer, failure)));
                effects.replies.extend(refused);
            }
            Err(failure) if self.under_way.contains_key(&id) => {
                self.revert(id, failure, now, effects);
            }
            Err(_) => {}
        }
    }

    fn revert(&mut self, id: WriteId, failure: WriteFailure, now: Now, effects: &mut Effects<S>) {
        effects.reverted_from = Some(id);
        let reverted = self.under_way.split_off(&id);
        self.step(now, effects, |shard, _, out| shard.revert(id, failure, out));
        for (write, Waiting { after_write, replies, .. }) in reverted {
            let failure = if write == id { failure } else { failure.of_what_came_after() };
            if let Some(after) = after_write {
                self.step(now, effects, |shard, now, out| {
                    shard.after_write(after, Err(failure), now, out)
                });
            }
            let refused =
                replies.into_iter().map(|(reply, answer)| (reply, S::refused(answer, failure)));
            effects.replies.extend(refused);
        }
    }

    /// Answers all that waits, for a shard that goes away.
    pub fn unload(&mut self, now: Now, effects: &mut Effects<S>) {
        let under_way = std::mem::take(&mut self.under_way).into_values();
        let gone = WriteFailure::NotLeader;
        effects.replies.extend(
            under_way
                .flat_map(|Waiting { replies, .. }| replies)
                .map(|(reply, answer)| (reply, S::refused(answer, gone))),
        );
        self.step(now, effects, |shard, _, out| shard.unload(out));
    }
}

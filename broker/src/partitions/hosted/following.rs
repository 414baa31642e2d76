//! What the leader says to a follower.

use replica::{Diverging, Effects, FetchPosition, Fetched, Partition, Replicated, StepContext};
use storage::AppendError;

use super::{HostedPartition, StoredLog};

type Followed = Result<Replicated, AppendError>;

impl HostedPartition {
    /// What to ask the leader for; `None` when nobody is to be asked. A damaged replica asks for
    /// nothing: it would be taken for one in sync.
    pub(crate) fn fetch_position(&self) -> Option<FetchPosition> {
        if self.damage().is_some() {
            return None;
        }
        self.context.gate().run(|| self.replica.lock().fetch_position())
    }

    /// The leader sent records, or none.
    pub(crate) fn append_from_leader(&self, at: &FetchPosition, fetched: &Fetched) -> Followed {
        let done = self.follow(|replica, context| replica.append_from_leader(at, fetched, context));
        if matches!(done, Ok(Replicated::Appended)) {
            self.context.metrics().replicated(fetched.records.len());
        }
        done
    }

    /// The leader says where our log parts from its own, which begins at `start`.
    pub(crate) fn diverged(
        &self,
        at: &FetchPosition,
        diverging: Diverging,
        start: i64,
    ) -> Followed {
        self.follow(|replica, context| replica.diverged(at, diverging, start, context))
    }

    /// The leader has nothing at our position; these are the ends of what it has.
    pub(crate) fn out_of_range(&self, at: &FetchPosition, start: i64, end: i64) -> Followed {
        self.follow(|replica, context| replica.out_of_range(at, start, end, context))
    }

    /// The leader has a newer epoch than we: nothing is asked until the controller tells us, too.
    pub(crate) fn leader_fenced_us(&self, at: &FetchPosition) {
        *self.halted_for.lock() = None;
        self.step(|replica, _| (replica.leader_fenced_us(at), Effects::default()));
    }

    /// Nothing more is fetched until the next election.
    pub(crate) fn halt(&self, reason: String) {
        *self.halted_for.lock() = Some(reason);
        self.step(|replica, _| (replica.halt(), Effects::default()));
    }

    /// Why it was fetched no more, when it last was.
    pub(crate) fn why_halted(&self) -> Option<String> {
        self.halted_for.lock().clone()
    }

    fn follow(
        &self,
        act: impl FnOnce(&mut Partition<StoredLog>, &StepContext<'_>) -> Followed,
    ) -> Followed {
        self.context.gate().run(|| self.step(|replica, at| (act(replica, at), Effects::default())))
    }
}

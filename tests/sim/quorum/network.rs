//! What becomes of a message: it arrives late, twice, behind later ones, or never.

use std::collections::BTreeSet;

use raft::draws::Draws;

#[derive(Debug, Clone)]
pub(crate) struct Network {
    /// Links that carry nothing, by sender and receiver.
    cut: BTreeSet<(i32, i32)>,
    /// Out of a thousand messages.
    pub(crate) lost: u64,
    pub(crate) doubled: u64,
    pub(crate) delay_ms: u64,
}

/// What holds when nothing is wrong.
const CALM_DELAY_MS: u64 = 3;

impl Network {
    pub(crate) fn calm() -> Self {
        Self { cut: BTreeSet::new(), lost: 0, doubled: 0, delay_ms: CALM_DELAY_MS }
    }

    pub(crate) fn cut(&mut self, from: i32, to: i32) {
        self.cut.insert((from, to));
    }

    pub(crate) fn mend(&mut self, from: i32, to: i32) {
        self.cut.remove(&(from, to));
    }

    pub(crate) fn isolate(&mut self, id: i32, others: &[i32]) {
        for other in others {
            self.cut.insert((id, *other));
            self.cut.insert((*other, id));
        }
    }

    /// Nobody of the one side hears anybody of the other.
    pub(crate) fn split(&mut self, left: &[i32], right: &[i32]) {
        left.iter().for_each(|id| self.isolate(*id, right));
    }

    pub(crate) fn heal(&mut self) {
        self.cut.clear();
    }

    pub(crate) fn carries(&self, from: i32, to: i32) -> bool {
        !self.cut.contains(&(from, to))
    }

    /// After how many milliseconds copies of a message arrive.
    pub(crate) fn arrivals(&self, from: i32, to: i32, draws: &mut Draws) -> Vec<i64> {
        if !self.carries(from, to) || draws.below(1_000) < self.lost {
            return Vec::new();
        }
        let copies = if draws.below(1_000) < self.doubled { 2 } else { 1 };
        (0..copies).map(|_| draws.below(self.delay_ms + 1) as i64).collect()
    }
}

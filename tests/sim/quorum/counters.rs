//! What happened in a run: a simulation in which nothing went wrong shows nothing.

use std::ops::AddAssign;

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Counters {
    pub(crate) events: u64,
    pub(crate) simulated_ms: u64,
    pub(crate) faults: u64,
    pub(crate) elections: u64,
    /// Epochs in which two voted for themselves.
    pub(crate) split_votes: u64,
    pub(crate) divergence_truncations: u64,
    pub(crate) snapshot_installs: u64,
    pub(crate) crashes: u64,
    pub(crate) handovers: u64,
    pub(crate) committed: u64,
}

impl AddAssign for Counters {
    fn add_assign(&mut self, other: Self) {
        self.events += other.events;
        self.simulated_ms += other.simulated_ms;
        self.faults += other.faults;
        self.elections += other.elections;
        self.split_votes += other.split_votes;
        self.divergence_truncations += other.divergence_truncations;
        self.snapshot_installs += other.snapshot_installs;
        self.crashes += other.crashes;
        self.handovers += other.handovers;
        self.committed += other.committed;
    }
}

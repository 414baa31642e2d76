//! Bugs that somebody could write, for the simulation to find: with the feature `planted` one is
//! chosen at run time for a thread; without it none exists.

/// A known way to get a log's transactions wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Bug {
    /// A marker makes records stable before it is replicated.
    StableBeforeReplication,
    /// What is open is shown.
    OpenIsStable,
}

impl Bug {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::StableBeforeReplication, Self::OpenIsStable];
}

#[cfg(feature = "planted")]
std::thread_local! {
    static CHOSEN: std::cell::Cell<Option<Bug>> = const { std::cell::Cell::new(None) };
}

/// From now on this thread's logs have this bug.
#[cfg(feature = "planted")]
pub fn plant(bug: Option<Bug>) {
    CHOSEN.set(bug);
}

#[cfg(feature = "planted")]
pub(crate) fn is_planted(bug: Bug) -> bool {
    CHOSEN.get() == Some(bug)
}

#[cfg(not(feature = "planted"))]
pub(crate) const fn is_planted(_: Bug) -> bool {
    false
}

//! Bugs that somebody could write into a share partition, for its simulation to find: one is chosen
//! at run time for a thread; in a product none exists.

/// A known way to get a share partition wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Bug {
    /// A record in transition can be acquired.
    AcquiresTransitions,
    /// What the persister refused stays as it was to be.
    NoRollback,
    /// An acknowledgement is taken from whoever sends it.
    TakesAnyMember,
    /// A record is delivered as often as it is released.
    NoDeliveryLimit,
    /// An acquisition is not counted.
    DeliveryNotCounted,
    /// A lock whose time is over stays.
    LocksForever,
    /// The start offset passes what is not persisted.
    StartPassesTransitions,
    /// An acknowledgement is answered, and never persisted.
    ForgetsToPersist,
    /// What lies between persisted state batches is not read again.
    SkipsGaps,
    /// A member that is gone keeps what it acquired.
    KeepsWhatLeft,
}

impl Bug {
    /// All of them.
    pub const ALL: [Self; 10] = [
        Self::AcquiresTransitions,
        Self::NoRollback,
        Self::TakesAnyMember,
        Self::NoDeliveryLimit,
        Self::DeliveryNotCounted,
        Self::LocksForever,
        Self::StartPassesTransitions,
        Self::ForgetsToPersist,
        Self::SkipsGaps,
        Self::KeepsWhatLeft,
    ];
}

#[cfg(any(test, feature = "planted"))]
thread_local! {
    static PLANTED: std::cell::Cell<Option<Bug>> = const { std::cell::Cell::new(None) };
}

/// Plants a bug in everything that this thread does, or takes it out.
#[cfg(any(test, feature = "planted"))]
pub fn plant(bug: Option<Bug>) {
    PLANTED.set(bug);
}

#[cfg(any(test, feature = "planted"))]
pub(super) fn is_planted(bug: Bug) -> bool {
    PLANTED.get() == Some(bug)
}

#[cfg(not(any(test, feature = "planted")))]
pub(super) fn is_planted(_: Bug) -> bool {
    false
}

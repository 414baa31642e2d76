//! Offsets that were delivered alike.

/// The delivery of a run of offsets. In the order of its fields: where it begins and ends, then how
/// far its delivery has come. Answers to `PersisterStateBatch`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct StateBatch {
    pub first_offset: i64,
    pub last_offset: i64,
    pub delivery_count: i16,
    /// 0 available, 2 acknowledged, 4 archived.
    pub delivery_state: i8,
}

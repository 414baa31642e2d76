//! What a share group has made of a record so far. The numbers are those of persisted state
//! batches. Kafka: `RecordState`.

/// The state of one record, or of all records of a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(i8)]
pub enum RecordState {
    Available = 0,
    Acquired = 1,
    Acknowledged = 2,
    /// On its way to a dead letter queue (KIP-1191); nothing of 4.3 makes it.
    Archiving = 3,
    Archived = 4,
}

impl RecordState {
    /// As it is persisted.
    #[must_use]
    pub fn id(self) -> i8 {
        self as i8
    }

    /// `None` for a number that no state has.
    #[must_use]
    pub fn from_id(id: i8) -> Option<Self> {
        Some(match id {
            0 => Self::Available,
            1 => Self::Acquired,
            2 => Self::Acknowledged,
            3 => Self::Archiving,
            4 => Self::Archived,
            _ => return None,
        })
    }

    /// Whether the group is done with the record for ever.
    #[must_use]
    pub fn is_terminal(self) -> bool {
        matches!(self, Self::Acknowledged | Self::Archived)
    }
}

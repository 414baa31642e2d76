//! What a transaction is at, in Kafka's names. Answers to `TransactionState`.

use std::fmt;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TransactionState {
    Ongoing,
    PrepareAbort,
    PrepareCommit,
    CompleteAbort,
    CompleteCommit,
    Empty,
    PrepareEpochFence,
    Unknown,
}

impl TransactionState {
    const ALL: [Self; 8] = [
        Self::Ongoing,
        Self::PrepareAbort,
        Self::PrepareCommit,
        Self::CompleteAbort,
        Self::CompleteCommit,
        Self::Empty,
        Self::PrepareEpochFence,
        Self::Unknown,
    ];

    fn name(self) -> &'static str {
        match self {
            Self::Ongoing => "Ongoing",
            Self::PrepareAbort => "PrepareAbort",
            Self::PrepareCommit => "PrepareCommit",
            Self::CompleteAbort => "CompleteAbort",
            Self::CompleteCommit => "CompleteCommit",
            Self::Empty => "Empty",
            Self::PrepareEpochFence => "PrepareEpochFence",
            Self::Unknown => "Unknown",
        }
    }

    /// By its name; `Dead`, for one, is none that Kafka's clients know.
    pub(super) fn parse(name: &str) -> Self {
        Self::ALL.into_iter().find(|state| state.name() == name).unwrap_or(Self::Unknown)
    }
}

impl fmt::Display for TransactionState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn states_have_names_and_others_are_unknown() {
        for state in TransactionState::ALL {
            assert_eq!(TransactionState::parse(&state.to_string()), state);
        }
        assert_eq!(TransactionState::parse("Dead"), TransactionState::Unknown);
    }
}

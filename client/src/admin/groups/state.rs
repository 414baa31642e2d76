//! States and kinds of groups by the names that Kafka gives them.
//!
//! Answers to `GroupState` and `GroupType`: what has no name here is unknown.

use std::fmt;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum GroupState {
    Unknown,
    PreparingRebalance,
    CompletingRebalance,
    Stable,
    Dead,
    Empty,
    Assigning,
    Reconciling,
    NotReady,
}

impl GroupState {
    const NAMES: [(Self, &'static str); 9] = [
        (Self::Unknown, "Unknown"),
        (Self::PreparingRebalance, "PreparingRebalance"),
        (Self::CompletingRebalance, "CompletingRebalance"),
        (Self::Stable, "Stable"),
        (Self::Dead, "Dead"),
        (Self::Empty, "Empty"),
        (Self::Assigning, "Assigning"),
        (Self::Reconciling, "Reconciling"),
        (Self::NotReady, "NotReady"),
    ];

    /// Whatever the case of the letters.
    pub fn parse(name: &str) -> Self {
        let found = Self::NAMES.iter().find(|(_, known)| known.eq_ignore_ascii_case(name));
        found.map_or(Self::Unknown, |(state, _)| *state)
    }

    pub fn name(self) -> &'static str {
        let found = Self::NAMES.iter().find(|(state, _)| *state == self);
        found.map_or("Unknown", |(_, name)| name)
    }
}

impl fmt::Display for GroupState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum GroupType {
    Unknown,
    Consumer,
    Classic,
    Share,
    Streams,
}

impl GroupType {
    const NAMES: [(Self, &'static str); 5] = [
        (Self::Unknown, "Unknown"),
        (Self::Consumer, "Consumer"),
        (Self::Classic, "Classic"),
        (Self::Share, "Share"),
        (Self::Streams, "Streams"),
    ];

    /// Whatever the case of the letters.
    pub fn parse(name: &str) -> Self {
        let found = Self::NAMES.iter().find(|(_, known)| known.eq_ignore_ascii_case(name));
        found.map_or(Self::Unknown, |(kind, _)| *kind)
    }

    pub fn name(self) -> &'static str {
        let found = Self::NAMES.iter().find(|(kind, _)| *kind == self);
        found.map_or("Unknown", |(_, name)| name)
    }
}

impl fmt::Display for GroupType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_in_any_case_and_shown_as_kafka_shows_them() {
        assert_eq!(GroupState::parse("STABLE"), GroupState::Stable);
        assert_eq!(GroupState::parse("preparingrebalance").name(), "PreparingRebalance");
        assert_eq!(GroupState::parse("rebalancing"), GroupState::Unknown);
        assert_eq!(GroupType::parse("cOnsumer").to_string(), "Consumer");
        assert_eq!(GroupType::parse(""), GroupType::Unknown);
    }
}

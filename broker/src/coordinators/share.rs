//! The share coordinator on this broker.

/// The coordinator's topic.
pub(crate) const TOPIC: &str = "__share_group_state";

//! Partitions by the ids of their topics. Answers to Kafka's `Assignment`.

use std::collections::{BTreeMap, BTreeSet};

use uuid::Uuid;

/// Partitions by topic; no topic without one.
pub type Assignment = BTreeMap<Uuid, BTreeSet<i32>>;

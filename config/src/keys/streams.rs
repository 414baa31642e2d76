//! Streams groups (KIP-1071).
//!
//! Rows of the broker table; the facts are those of
//! GroupCoordinatorConfig.

use super::key::{Key, int};

pub(super) const KEYS: &[Key] = &[
    int("group.streams.assignment.interval.ms")
        .or("1000")
        .at_least(0)
        .cluster_wide()
        .acts("How long after one assignment of a streams group the next one is made."),
    int("group.streams.heartbeat.interval.ms")
        .or("5000")
        .at_least(1)
        .acts("How often members of streams groups are told to be heard of."),
    int("group.streams.initial.rebalance.delay.ms")
        .or("3000")
        .at_least(0)
        .acts("How long a new streams group waits for members before it assigns tasks."),
    int("group.streams.max.assignment.interval.ms")
        .or("15000")
        .at_least(0)
        .acts("The most that a group may set for itself as streams.assignment.interval.ms."),
    int("group.streams.max.heartbeat.interval.ms")
        .or("15000")
        .at_least(1)
        .acts("The most that a group may set for itself as streams.heartbeat.interval.ms."),
    int("group.streams.max.session.timeout.ms")
        .or("60000")
        .at_least(1)
        .acts("The most that a group may set for itself as streams.session.timeout.ms."),
    int("group.streams.max.size")
        .or("2147483647")
        .at_least(1)
        .acts("How many members a streams group may have."),
    int("group.streams.max.standby.replicas")
        .or("2")
        .at_least(0)
        .acts("The most that a group may set for itself as streams.num.standby.replicas."),
    int("group.streams.min.assignment.interval.ms")
        .or("0")
        .at_least(0)
        .acts("The least that a group may set for itself as streams.assignment.interval.ms."),
    int("group.streams.min.heartbeat.interval.ms")
        .or("5000")
        .at_least(1)
        .acts("The least that a group may set for itself as streams.heartbeat.interval.ms."),
    int("group.streams.min.session.timeout.ms")
        .or("45000")
        .at_least(1)
        .acts("The least that a group may set for itself as streams.session.timeout.ms."),
    int("group.streams.num.standby.replicas")
        .or("0")
        .at_least(0)
        .acts("How many standbys each task with state has."),
    int("group.streams.session.timeout.ms")
        .or("45000")
        .at_least(1)
        .acts("After how long without a heartbeat a member of a streams group is fenced."),
];

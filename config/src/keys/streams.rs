//! Streams groups (KIP-1071).
//!
//! Rows of the broker table; the facts are those of
//! GroupCoordinatorConfig. None acts.

use super::key::{Key, int};
use super::why;

pub(super) const KEYS: &[Key] = &[
    int("group.streams.assignment.interval.ms")
        .or("1000")
        .at_least(0)
        .cluster_wide()
        .ignored(why::STREAMS),
    int("group.streams.heartbeat.interval.ms").or("5000").at_least(1).ignored(why::STREAMS),
    int("group.streams.initial.rebalance.delay.ms").or("3000").at_least(0).ignored(why::STREAMS),
    int("group.streams.max.assignment.interval.ms").or("15000").at_least(0).ignored(why::STREAMS),
    int("group.streams.max.heartbeat.interval.ms").or("15000").at_least(1).ignored(why::STREAMS),
    int("group.streams.max.session.timeout.ms").or("60000").at_least(1).ignored(why::STREAMS),
    int("group.streams.max.size").or("2147483647").at_least(1).ignored(why::STREAMS),
    int("group.streams.max.standby.replicas").or("2").at_least(0).ignored(why::STREAMS),
    int("group.streams.min.assignment.interval.ms").or("0").at_least(0).ignored(why::STREAMS),
    int("group.streams.min.heartbeat.interval.ms").or("5000").at_least(1).ignored(why::STREAMS),
    int("group.streams.min.session.timeout.ms").or("45000").at_least(1).ignored(why::STREAMS),
    int("group.streams.num.standby.replicas").or("0").at_least(0).ignored(why::STREAMS),
    int("group.streams.session.timeout.ms").or("45000").at_least(1).ignored(why::STREAMS),
];

//! What a group can set for itself.
//!
//! Rows of the group table; the facts are those of
//! GroupConfig.

use super::Valid;
use super::key::{Key, boolean, int, string};

pub(super) const KEYS: &[Key] = &[
    int("consumer.assignment.interval.ms")
        .or("1000")
        .at_least(0)
        .acts("How long the group's partitions stay shared out as they are at least."),
    int("consumer.heartbeat.interval.ms")
        .or("5000")
        .at_least(1)
        .acts("How often the group's members are told to be heard of."),
    int("consumer.session.timeout.ms")
        .or("45000")
        .at_least(1)
        .acts("After how long without a heartbeat a member of the group is fenced."),
    int("share.assignment.interval.ms")
        .or("1000")
        .at_least(0)
        .acts("How long the group's partitions stay shared out as they are at least."),
    string("share.auto.offset.reset")
        .or("latest")
        .valid(Valid::ShareOffsetReset)
        .acts("Where the group begins to read a partition."),
    int("share.delivery.count.limit")
        .or("5")
        .at_least(2)
        .acts("How often a record is delivered to the group at most."),
    int("share.heartbeat.interval.ms")
        .or("5000")
        .at_least(1)
        .acts("How often the group's members are told to be heard of."),
    string("share.isolation.level")
        .or("read_uncommitted")
        .valid(Valid::OneOf(&["read_committed", "read_uncommitted"]))
        .acts("Whether the group is given records of aborted transactions."),
    int("share.partition.max.record.locks")
        .or("2000")
        .at_least(100)
        .acts("How many records of a partition the group has in flight at most."),
    int("share.record.lock.duration.ms")
        .or("30000")
        .at_least(1_000)
        .acts("For how long a member has the records that it acquired."),
    boolean("share.renew.acknowledge.enable")
        .or("true")
        .acts("Whether members may renew their locks."),
    int("share.session.timeout.ms")
        .or("45000")
        .at_least(1)
        .acts("After how long without a heartbeat a member of the group is fenced."),
    int("streams.assignment.interval.ms")
        .or("1000")
        .at_least(0)
        .acts("How long after one assignment of the streams group the next one is made."),
    int("streams.heartbeat.interval.ms")
        .or("5000")
        .at_least(1)
        .acts("How often members of the streams group are told to be heard of."),
    int("streams.initial.rebalance.delay.ms")
        .or("3000")
        .at_least(0)
        .acts("How long the streams group, when it is new, waits for members."),
    int("streams.num.standby.replicas")
        .or("0")
        .at_least(0)
        .acts("How many standbys each of the group's tasks with state has."),
    int("streams.session.timeout.ms")
        .or("45000")
        .at_least(1)
        .acts("After how long without a heartbeat a member of the streams group is fenced."),
];

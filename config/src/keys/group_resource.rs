//! What a group can set for itself.
//!
//! Rows of the group table; the facts are those of
//! GroupConfig.

use super::Valid;
use super::key::{Key, boolean, int, string};
use super::why;

pub(super) const KEYS: &[Key] = &[
    int("consumer.assignment.interval.ms").or("1000").at_least(0).ignored(why::ASSIGNMENTS),
    int("consumer.heartbeat.interval.ms")
        .or("5000")
        .at_least(1)
        .acts("How often the group's members are told to be heard of."),
    int("consumer.session.timeout.ms")
        .or("45000")
        .at_least(1)
        .acts("After how long without a heartbeat a member of the group is fenced."),
    int("share.assignment.interval.ms").or("1000").at_least(0).ignored(why::SHARE),
    string("share.auto.offset.reset")
        .or("latest")
        .valid(Valid::ShareOffsetReset)
        .ignored(why::SHARE),
    int("share.delivery.count.limit").or("5").at_least(2).ignored(why::SHARE),
    int("share.heartbeat.interval.ms").or("5000").at_least(1).ignored(why::SHARE),
    string("share.isolation.level")
        .or("read_uncommitted")
        .valid(Valid::OneOf(&["read_committed", "read_uncommitted"]))
        .ignored(why::SHARE),
    int("share.partition.max.record.locks").or("2000").at_least(100).ignored(why::SHARE),
    int("share.record.lock.duration.ms").or("30000").at_least(1_000).ignored(why::SHARE),
    boolean("share.renew.acknowledge.enable").or("true").ignored(why::SHARE),
    int("share.session.timeout.ms").or("45000").at_least(1).ignored(why::SHARE),
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

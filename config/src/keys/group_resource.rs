//! What a group can set for itself.
//!
//! Rows of the group table; the facts are those of
//! GroupConfig.

use super::Valid;
use super::key::{Key, int, string};
use super::why;

pub(super) const KEYS: &[Key] = &[
    int("consumer.heartbeat.interval.ms")
        .or("5000")
        .at_least(1)
        .acts("How often the group's members are told to be heard of."),
    int("consumer.session.timeout.ms")
        .or("45000")
        .at_least(1)
        .acts("After how long without a heartbeat a member of the group is fenced."),
    string("share.auto.offset.reset")
        .or("latest")
        .valid(Valid::ShareOffsetReset)
        .ignored(why::SHARE),
    int("share.heartbeat.interval.ms").or("5000").at_least(1).ignored(why::SHARE),
    string("share.isolation.level")
        .or("read_uncommitted")
        .valid(Valid::OneOf(&["read_committed", "read_uncommitted"]))
        .ignored(why::SHARE),
    int("share.record.lock.duration.ms").or("30000").at_least(1_000).ignored(why::SHARE),
    int("share.session.timeout.ms").or("45000").at_least(1).ignored(why::SHARE),
    int("streams.heartbeat.interval.ms")
        .or("5000")
        .at_least(1)
        .acts("How often members of the streams group are told to be heard of."),
    int("streams.num.standby.replicas")
        .or("0")
        .at_least(0)
        .acts("How many standbys each of the group's tasks with state has."),
    int("streams.session.timeout.ms")
        .or("45000")
        .at_least(1)
        .acts("After how long without a heartbeat a member of the streams group is fenced."),
];

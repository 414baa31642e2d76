//! Quotas.
//!
//! Rows of the broker table; the facts are those of
//! QuotaConfig. Those of replication act.

use super::key::{Key, class, int};
use super::why;

pub(super) const KEYS: &[Key] = &[
    int("alter.log.dirs.replication.quota.window.num")
        .or("11")
        .at_least(1)
        .low()
        .acts("Over how many samples the rate of moves between log directories is measured."),
    int("alter.log.dirs.replication.quota.window.size.seconds")
        .or("1")
        .at_least(1)
        .low()
        .acts("How long each of these samples is."),
    class("client.quota.callback.class").low().ignored(why::PLUGIN),
    int("controller.quota.window.num").or("11").at_least(1).low().ignored(why::QUOTAS),
    int("controller.quota.window.size.seconds").or("1").at_least(1).low().ignored(why::QUOTAS),
    int("quota.window.num").or("11").at_least(1).low().ignored(why::QUOTAS),
    int("quota.window.size.seconds").or("1").at_least(1).low().ignored(why::QUOTAS),
    int("replication.quota.window.num")
        .or("11")
        .at_least(1)
        .low()
        .acts("Over how many samples the rate of throttled replicas is measured."),
    int("replication.quota.window.size.seconds")
        .or("1")
        .at_least(1)
        .low()
        .acts("How long each of these samples is."),
];

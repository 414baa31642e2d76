//! Quotas.
//!
//! Rows of the broker table; the facts are those of
//! QuotaConfig. All act but the class, of which none is loaded.

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
    int("controller.quota.window.num")
        .or("11")
        .at_least(1)
        .low()
        .acts("Over how many samples partitions may be made and deleted at once."),
    int("controller.quota.window.size.seconds")
        .or("1")
        .at_least(1)
        .low()
        .acts("How long each of these samples is."),
    int("quota.window.num").or("11").at_least(1).low().acts(
        "Over how many samples the rates of clients, requests and new connections are measured.",
    ),
    int("quota.window.size.seconds")
        .or("1")
        .at_least(1)
        .low()
        .acts("How long each of these samples is."),
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

//! Throttles that exist only as dynamic settings of a broker.
//!
//! Rows of the dynamic table; the facts are those of
//! QuotaConfig.brokerQuotaConfigs. All act.

use super::key::{Key, long};

pub(super) const KEYS: &[Key] = &[
    long("follower.replication.throttled.rate").or("9223372036854775807").at_least(0).acts(
        "How many bytes a second this broker fetches for throttled replicas that are behind.",
    ),
    long("leader.replication.throttled.rate")
        .or("9223372036854775807")
        .at_least(0)
        .acts("How many bytes a second this broker sends to throttled replicas that are behind."),
    long("replica.alter.log.dirs.io.max.bytes.per.second")
        .or("9223372036854775807")
        .at_least(0)
        .acts("How many bytes a second are copied for replicas that move between log directories."),
];

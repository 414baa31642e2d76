//! Throttles that exist only as dynamic settings of a broker.
//!
//! Rows of the dynamic table; the facts are those of
//! QuotaConfig.brokerQuotaConfigs. None acts.

use super::key::{Key, long};
use super::why;

pub(super) const KEYS: &[Key] = &[
    long("follower.replication.throttled.rate")
        .or("9223372036854775807")
        .at_least(0)
        .ignored(why::QUOTAS),
    long("leader.replication.throttled.rate")
        .or("9223372036854775807")
        .at_least(0)
        .ignored(why::QUOTAS),
    long("replica.alter.log.dirs.io.max.bytes.per.second")
        .or("9223372036854775807")
        .at_least(0)
        .ignored(why::QUOTAS),
];

//! What a subscription of client metrics can set (KIP-714).
//!
//! Rows of the client metrics table; the facts are those of
//! ClientMetricsConfigs. None acts.

use super::key::{Key, int, list};
use super::why;

pub(super) const KEYS: &[Key] = &[
    int("interval.ms").or("300000").ignored(why::TELEMETRY),
    list("match").or("").ignored(why::TELEMETRY),
    list("metrics").or("").ignored(why::METRICS),
];

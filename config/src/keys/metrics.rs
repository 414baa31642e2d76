//! Metrics and client telemetry.
//!
//! Rows of the broker table; the facts are those of
//! MetricConfigs. `own` has `metrics.client.receiver`.

use super::key::{Key, int, list, long, string};
use super::why;

pub(super) const KEYS: &[Key] =
    &[
        int("kafka.metrics.polling.interval.secs").or("10").at_least(1).low().ignored(why::METRICS),
        list("kafka.metrics.reporters").or("").any_elements().low().ignored(why::METRICS),
        list("metric.reporters")
            .or("org.apache.kafka.common.metrics.JmxReporter")
            .any_elements()
            .low()
            .cluster_wide()
            .ignored(why::METRICS),
        int("metrics.num.samples").or("2").at_least(1).low().ignored(why::METRICS),
        string("metrics.recording.level").or("INFO").low().ignored(why::METRICS),
        long("metrics.sample.window.ms").or("30000").at_least(1).low().ignored(why::METRICS),
        int("telemetry.max.bytes").or("1048576").at_least(1).low().acts(
            "The most bytes that a client may push at one time, as sent and as decompressed.",
        ),
    ];

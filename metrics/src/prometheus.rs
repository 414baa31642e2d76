//! Readings as Prometheus scrapes them: text exposition format 0.0.4.
//!
//! ```text
//! # TYPE kafka_network_requestmetrics_totaltimems summary
//! kafka_network_requestmetrics_totaltimems{request="Fetch",quantile="0.99"} 3
//! kafka_network_requestmetrics_totaltimems_count{request="Fetch"} 3
//! ```
//! Kept true: each family stands together, behind its TYPE line; label values are escaped.

use std::fmt::Write as _;

use crate::family::{Family, FamilyKind, QUANTILES, families};
use crate::name::MetricName;
use crate::registry::Reading;

/// What the content type of an answer says.
pub const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// All of these, which are in the order of their names, one family after the other.
#[must_use]
pub fn exposition(readings: &[(MetricName, Reading)]) -> String {
    let mut text = String::new();
    for family in families(readings) {
        write_family(&mut text, &family);
    }
    text
}

fn write_family(text: &mut String, Family { name: family, kind, members }: &Family<'_>) {
    let kind = match kind {
        FamilyKind::Counter => "counter",
        FamilyKind::Gauge => "gauge",
        FamilyKind::Summary => "summary",
    };
    let mut line = |name: &str, labels: &str, value: &dyn std::fmt::Display| {
        // Writing to a String does not fail.
        let _ = writeln!(text, "{name}{labels} {value}");
    };
    line("# TYPE", &format!(" {family}"), &kind);
    for (name, reading) in *members {
        let labels = |more| labels(name.tags(), more);
        match reading {
            Reading::Count(count) => line(family, &labels(None), count),
            Reading::Value(value) => line(family, &labels(None), value),
            Reading::Number(value) => line(family, &labels(None), value),
            Reading::Distribution(read) => {
                for (label, share) in QUANTILES {
                    line(family, &labels(Some(label)), &read.quantile(share));
                }
                line(&format!("{family}_sum"), &labels(None), &read.sum);
                line(&format!("{family}_count"), &labels(None), &read.count);
            }
        }
    }
}

/// `{key="value",…}`, or nothing where there is none.
fn labels(tags: &[(&'static str, String)], quantile: Option<&str>) -> String {
    let mut all = String::new();
    let quantile = quantile.map(|quantile| ("quantile", quantile));
    let tags = tags.iter().map(|(key, value)| (*key, value.as_str()));
    for (key, value) in tags.chain(quantile) {
        let begins = if all.is_empty() { '{' } else { ',' };
        let value = value.replace('\\', r"\\").replace('"', "\\\"").replace('\n', r"\n");
        // Writing to a String does not fail.
        let _ = write!(all, "{begins}{key}=\"{value}\"");
    }
    if !all.is_empty() {
        all.push('}');
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::registry::Registry;

    fn name(kind: &'static str, name: &'static str) -> MetricName {
        MetricName::new("kafka.server", kind, name)
    }

    #[test]
    fn names_are_those_that_the_rules_of_jmx_exporter_make() {
        let registry = Registry::default();
        registry.counter(name("BrokerTopicMetrics", "BytesInPerSec")).add(7);
        let of_topic = name("BrokerTopicMetrics", "BytesInPerSec").with_tag("topic", "a\"b\\c\nd");
        registry.counter(of_topic).add(5);
        registry.gauge(name("ReplicaManager", "PartitionCount"), || 3);
        let times = MetricName::new("kafka.network", "RequestMetrics", "TotalTimeMs");
        let times = registry.histogram(times.with_tag("request", "Fetch"));
        (1..=4).for_each(|ms| times.record(ms));
        let text = exposition(&registry.read());
        let expected = [
            "# TYPE kafka_network_requestmetrics_totaltimems summary",
            "kafka_network_requestmetrics_totaltimems{request=\"Fetch\",quantile=\"0.50\"} 2",
            "kafka_network_requestmetrics_totaltimems{request=\"Fetch\",quantile=\"0.75\"} 3",
            "kafka_network_requestmetrics_totaltimems{request=\"Fetch\",quantile=\"0.95\"} 4",
            "kafka_network_requestmetrics_totaltimems{request=\"Fetch\",quantile=\"0.98\"} 4",
            "kafka_network_requestmetrics_totaltimems{request=\"Fetch\",quantile=\"0.99\"} 4",
            "kafka_network_requestmetrics_totaltimems{request=\"Fetch\",quantile=\"0.999\"} 4",
            "kafka_network_requestmetrics_totaltimems_sum{request=\"Fetch\"} 10",
            "kafka_network_requestmetrics_totaltimems_count{request=\"Fetch\"} 4",
            "# TYPE kafka_server_brokertopicmetrics_bytesin_total counter",
            "kafka_server_brokertopicmetrics_bytesin_total 7",
            r#"kafka_server_brokertopicmetrics_bytesin_total{topic="a\"b\\c\nd"} 5"#,
            "# TYPE kafka_server_replicamanager_partitioncount gauge",
            "kafka_server_replicamanager_partitioncount 3",
        ];
        assert_eq!(text.lines().collect::<Vec<_>>(), expected);
        assert!(text.ends_with('\n'));
    }

    #[test]
    fn what_is_collected_when_it_is_read_stands_with_its_family() {
        let registry = Registry::default();
        registry.counter(name("A", "x").with_tag("topic", "a")).add(1);
        registry.collector(|| {
            let lag = |topic: &str| name("A", "x").with_tag("topic", topic);
            vec![
                (lag("z"), Reading::Count(2)),
                (MetricName::new("process", "cpu", "seconds_total"), Reading::Number(0.5)),
            ]
        });
        registry.gauge(name("B", "y"), || 1);
        assert_eq!(
            exposition(&registry.read()),
            "# TYPE kafka_server_a_x_total counter\n\
             kafka_server_a_x_total{topic=\"a\"} 1\n\
             kafka_server_a_x_total{topic=\"z\"} 2\n\
             # TYPE kafka_server_b_y gauge\n\
             kafka_server_b_y 1\n\
             # TYPE process_cpu_seconds_total counter\n\
             process_cpu_seconds_total 0.5\n"
        );
    }
}

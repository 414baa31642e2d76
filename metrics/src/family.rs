//! Readings by families: those of one name, which differ in their tags.
//!
//! Names are those that the common rules of jmx_exporter make of Kafka's MBeans, so that dashboards
//! which were made for Kafka find what they ask for:
//!
//! ```text
//! kafka.server:type=BrokerTopicMetrics,name=BytesInPerSec,topic=t    counter
//!   kafka_server_brokertopicmetrics_bytesin_total
//! kafka.server:type=ReplicaManager,name=PartitionCount               gauge
//!   kafka_server_replicamanager_partitioncount
//! kafka.network:type=RequestMetrics,name=TotalTimeMs,request=Fetch   summary
//!   kafka_network_requestmetrics_totaltimems
//! process:type=cpu,name=seconds_total                                as it is, no bean of Kafka's
//!   process_cpu_seconds_total
//! ```
//! Kept true: a family has one kind, whoever reads it.

use crate::name::MetricName;
use crate::registry::Reading;

/// Quantiles as jmx_exporter shows those of Kafka's histograms.
pub const QUANTILES: [(&str, f64); 6] = [
    ("0.50", 0.5),
    ("0.75", 0.75),
    ("0.95", 0.95),
    ("0.98", 0.98),
    ("0.99", 0.99),
    ("0.999", 0.999),
];

/// What a family's readings are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FamilyKind {
    /// Only ever more, since the process began.
    Counter,
    Gauge,
    /// Count, sum and quantiles since the process began.
    Summary,
}

/// The readings of one name.
#[derive(Debug)]
pub struct Family<'a> {
    pub name: String,
    pub kind: FamilyKind,
    pub members: &'a [(MetricName, Reading)],
}

/// These, which are in the order of their names, one family after the other.
#[must_use]
pub fn families(readings: &[(MetricName, Reading)]) -> Vec<Family<'_>> {
    let mut families = Vec::new();
    let mut rest = readings;
    while let Some((first, reading)) = rest.first() {
        let name = family(first, reading);
        let is_member = |(other, reading): &(MetricName, Reading)| family(other, reading) == name;
        let count = rest.iter().take_while(|member| is_member(member)).count();
        let (members, others) = rest.split_at(count);
        let kind = match reading {
            Reading::Count(_) => FamilyKind::Counter,
            _ if name.ends_with("_total") => FamilyKind::Counter,
            Reading::Distribution(_) => FamilyKind::Summary,
            Reading::Value(_) | Reading::Number(_) => FamilyKind::Gauge,
        };
        families.push(Family { name, kind, members });
        rest = others;
    }
    families
}

/// The name of a metric's family.
fn family(name: &MetricName, reading: &Reading) -> String {
    if !name.domain().starts_with("kafka.") {
        return format!("{}_{}_{}", name.domain(), name.kind(), name.name());
    }
    let whole = format!("{}_{}_{}", name.domain(), name.kind(), name.name());
    let of_events = matches!(reading, Reading::Count(_));
    let base = match whole.strip_suffix("PerSec").filter(|_| of_events) {
        Some(base) => base.to_owned() + "_total",
        None if of_events => whole + "_total",
        None => whole,
    };
    let legal = |letter: char| if letter.is_ascii_alphanumeric() { letter } else { '_' };
    base.chars().map(|letter| legal(letter.to_ascii_lowercase())).collect()
}

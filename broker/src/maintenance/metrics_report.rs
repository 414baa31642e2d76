//! All metrics of a node as log lines, once a minute, for whoever sets the logger `kafka.metrics`
//! to DEBUG (at run time, too: KIP-412), and what clients pushed of theirs. Nothing is read while
//! nobody does.

use std::sync::Arc;
use std::time::Duration;

use metrics::{MetricName, Reading, Registry};
use parking_lot::Mutex;
use tracing::Level;

use super::schedule::Outcome;
use super::scheduler::ScheduledTask;
use crate::client_metrics::ClientMetrics;
use crate::clock::monotonic;

const PERIOD: Duration = Duration::from_secs(60);

/// What was read last, and when.
type Before = Mutex<Option<(Duration, Vec<(MetricName, Reading)>)>>;

pub(super) fn task(
    registry: Arc<Registry>,
    client_metrics: Option<Arc<ClientMetrics>>,
) -> ScheduledTask {
    let before = Before::default();
    let work = move || {
        if tracing::enabled!(target: "kafka.metrics", Level::DEBUG) {
            let (now, readings) = (monotonic(), registry.read());
            let mut before = before.lock();
            let of_clients = client_metrics.as_ref().map(|received| received.lines());
            let of_node = lines(before.as_ref(), now, &readings);
            for line in of_node.into_iter().chain(of_clients.unwrap_or_default()) {
                tracing::debug!(target: "kafka.metrics", "{line}");
            }
            *before = Some((now, readings));
        }
        Outcome::Done
    };
    ScheduledTask { name: "metrics-report", delay: PERIOD, period: PERIOD, work: Arc::new(work) }
}

/// A line for each metric; counts with their rate since the readings before, if there were any.
fn lines(
    before: Option<&(Duration, Vec<(MetricName, Reading)>)>,
    now: Duration,
    readings: &[(MetricName, Reading)],
) -> Vec<String> {
    let line = |(name, reading): &(MetricName, Reading)| match reading {
        Reading::Value(value) => format!("{name}: {value}"),
        Reading::Number(value) => format!("{name}: {value}"),
        Reading::Count(count) => {
            let rate = before.and_then(|(at, before)| {
                let found = before.binary_search_by(|(other, _)| other.cmp(name)).ok()?;
                let Reading::Count(earlier) = before.get(found)?.1 else { return None };
                let seconds = now.checked_sub(*at)?.as_secs_f64();
                #[allow(clippy::cast_precision_loss)]
                let more = count.saturating_sub(earlier) as f64;
                Some(format!(", {:.1} a second", more / seconds))
            });
            format!("{name}: {count}{}", rate.unwrap_or_default())
        }
        Reading::Distribution(read) => {
            let of = |share| read.quantile(share);
            format!(
                "{name}: {}, median {}, p99 {}, largest {}",
                read.count,
                of(0.5),
                of(0.99),
                read.max,
            )
        }
    };
    readings.iter().map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_have_their_rate_since_the_minute_before() {
        let registry = Registry::default();
        let name = |name| MetricName::new("kafka.server", "Test", name);
        let counter = registry.counter(name("A"));
        registry.gauge(name("B"), || 7);
        let histogram = registry.histogram(name("C"));
        counter.add(100);
        let first = registry.read();
        let at = Duration::from_secs(60);
        assert_eq!(
            lines(None, at, &first),
            [
                "kafka.server:type=Test,name=A: 100",
                "kafka.server:type=Test,name=B: 7",
                "kafka.server:type=Test,name=C: 0, median 0, p99 0, largest 0",
            ]
        );
        counter.add(30);
        (1..=10).for_each(|ms| histogram.record(ms));
        let shown = lines(Some(&(at, first)), at + Duration::from_secs(60), &registry.read());
        assert_eq!(shown[0], "kafka.server:type=Test,name=A: 130, 0.5 a second");
        assert_eq!(shown[2], "kafka.server:type=Test,name=C: 10, median 5, p99 10, largest 10");
    }
}

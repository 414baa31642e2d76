//! How a broker stands, and who is connected.
//!
//! ```text
//! kafka.server:type=KafkaServer,name=BrokerState                    `BrokerState`
//! kafka.server:type=socket-server-metrics,name=connection-count     of each listener, `Selector`
//! ```

use std::sync::{Arc, Weak};

use metrics::{MetricName, Reading};

use crate::broker::Broker;

/// Kafka's numbers: `BrokerState.STARTING`, `RUNNING`, `PENDING_CONTROLLED_SHUTDOWN`.
const STARTING: i64 = 1;
const RUNNING: i64 = 3;
const LEAVING: i64 = 6;

/// Has the registry ask the node.
pub(super) fn show(broker: &Arc<Broker>) {
    let asked: Weak<Broker> = Arc::downgrade(broker);
    broker.metrics.collector(move || asked.upgrade().map_or_else(Vec::new, |here| each(&here)));
}

fn each(broker: &Broker) -> Vec<(MetricName, Reading)> {
    let counts = broker.registry.counts().into_iter().map(|(listener, count)| {
        let name = MetricName::new("kafka.server", "socket-server-metrics", "connection-count");
        (name.with_tag("listener", &*listener), count)
    });
    let mut readings: Vec<(MetricName, i64)> =
        counts.map(|(name, count)| (name, i64::try_from(count).unwrap_or(i64::MAX))).collect();
    if broker.config.current().process_roles.broker {
        let name = MetricName::new("kafka.server", "KafkaServer", "BrokerState");
        readings.push((name, state(broker)));
    }
    readings.into_iter().map(|(name, value)| (name, Reading::Value(value))).collect()
}

fn state(broker: &Broker) -> i64 {
    let image = broker.metadata.image();
    match image.cluster().broker(broker.config.node_id()) {
        Some(own) if own.in_controlled_shutdown => LEAVING,
        Some(own) if !own.fenced => RUNNING,
        _ => STARTING,
    }
}

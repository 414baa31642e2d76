//! Keys of our own, which Kafka does not have: a node that is given none of them is as Kafka.
//!
//! They are described only where they are set, as a plug-in's keys are.

use super::key::{Key, boolean};

pub(super) const KEYS: &[Key] = &[boolean("metrics.client.receiver").or("false").acts(
    "Whether the broker takes the metrics that clients push (KIP-714). Stands for a class of \
     metric.reporters that is a ClientTelemetryReceiver.",
)];

//! What clients measure and push (KIP-714): whose push is taken, what is asked of whom, and what
//! was pushed, all in bounded memory.
//!
//! Kafka: `ClientMetricsManager`, `ClientMetricsInstance`; what it hands to a plug-in, a
//! `ClientTelemetryReceiver`, is kept here ([`Series`]).

mod instances;
mod series;
#[cfg(test)]
mod tests;

pub use instances::{
    Asked, CACHE_MAX_SIZE, Instances, Push, Refused, SERIES_BYTES_MAX, Subscription, Terms,
};
pub use series::{BYTES_MAX, Series};

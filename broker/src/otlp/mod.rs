//! Pushes a node's metrics to a collector of OpenTelemetry, by OTLP over HTTP as JSON.
//!
//! ```text
//! OTEL_EXPORTER_OTLP_ENDPOINT=http://collector:4318     asks for it: OpenTelemetry's variables
//!
//! registry ─ read ─▶ families ─ encoding ─▶ requests ─ pushing ─▶ POST /v1/metrics
//!                                                          └─ standing: taken, refused, away
//! ```
//! Kept true: what is pushed is what `/metrics` shows, by the same names; one request is in memory
//! at a time; numbers are cumulative, so what a collector missed the next push has; a collector
//! holds up nobody but the pushing, and is spoken of when it changes. Without the cargo feature
//! `otlp` one line says what to build.
//!
//! Kafka: has none of it. What people run beside it is OpenTelemetry's agent for Java.

#[cfg(feature = "otlp")]
mod encoding;
#[cfg(feature = "otlp")]
mod pushing;
mod settings;
#[cfg(feature = "otlp")]
mod standing;

use std::sync::Arc;

use tokio::task::JoinHandle;

use crate::broker::Broker;

fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

/// Whether metrics shall be pushed, and so counted request by request.
pub(crate) fn is_asked_for() -> bool {
    cfg!(feature = "otlp") && settings::endpoint(&variable).is_some()
}

/// Pushes until the task is ended.
#[cfg(feature = "otlp")]
pub(crate) fn start(broker: &Arc<Broker>) -> Option<JoinHandle<()>> {
    let (settings, warnings) = settings::Settings::of(&variable)?;
    for warning in warnings {
        tracing::warn!(target: "kafka.metrics", "{warning}");
    }
    Some(tokio::spawn(pushing::push(Arc::clone(broker), settings)))
}

/// Says what to build.
#[cfg(not(feature = "otlp"))]
pub(crate) fn start(_broker: &Arc<Broker>) -> Option<JoinHandle<()>> {
    let url = settings::endpoint(&variable)?;
    tracing::warn!(
        target: "kafka.metrics",
        "No metrics are pushed to {url}: this gregor is built without OpenTelemetry. Build it with \
         cargo build --release -p gregor --features otlp, or have metrics.listen scraped",
    );
    None
}

//! Reads the metrics every OTEL_METRIC_EXPORT_INTERVAL and posts them, part by part.
//!
//! A part is made while none waits: a collector that stalls holds up one thread of those that may
//! wait, for the time of one request, and then the push is over.

use std::sync::Arc;

use client::http::{self, Limits, Place, Request};
use metrics::families;
use security::Secret;
use tokio::sync::mpsc;
use tokio::time::{Instant, MissedTickBehavior};

use super::encoding::{self, Surroundings};
use super::settings::Settings;
use super::standing::{Outcome, Standing};
use crate::broker::Broker;
use crate::clock;

const TARGET: &str = "kafka.metrics";

/// Of one request: less than a megabyte.
const POINTS_MAX: usize = 4000;
/// What a collector says is short.
const ANSWER_BYTES_MAX: usize = 64 * 1024;

/// Pushes for ever.
pub(super) async fn push(broker: Arc<Broker>, settings: Settings) {
    let Some(place) = Place::parse(&settings.url) else {
        tracing::warn!(
            target: TARGET,
            "No metrics are pushed: {} is no http: or https: URL",
            settings.url
        );
        return;
    };
    let started_ns = wall_ns();
    let attributes = attributes(&broker, &settings);
    let mut standing = Standing::default();
    let mut ticks = tokio::time::interval_at(Instant::now() + settings.interval, settings.interval);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut not_before = Instant::now();
    loop {
        ticks.tick().await;
        if Instant::now() < not_before {
            continue;
        }
        let around = Surroundings { attributes: attributes.clone(), started_ns, now_ns: wall_ns() };
        let (outcome, retry_after) = push_once(&broker, &settings, &place, around).await;
        not_before = Instant::now() + outcome.stay_away(retry_after);
        if standing.is_news(&outcome) {
            tell(&outcome, &settings);
        }
    }
}

/// Posts everything once, up to what is not taken.
async fn push_once(
    broker: &Arc<Broker>,
    settings: &Settings,
    place: &Place,
    around: Surroundings,
) -> (Outcome, Option<u64>) {
    let (parts, mut made) = mpsc::channel(1);
    let broker = Arc::clone(broker);
    tokio::task::spawn_blocking(move || {
        let readings = broker.metrics.read();
        for part in encoding::parts(families(&readings), POINTS_MAX) {
            if parts.blocking_send(encoding::request(&part, &around)).is_err() {
                return;
            }
        }
    });
    let (mut outcome, mut retry_after) = (Outcome::Taken, None);
    while let Some(body) = made.recv().await {
        let (next, after) = post(settings, place, &body).await;
        if next != Outcome::Taken {
            (outcome, retry_after) = (next, after);
        }
        if matches!(outcome, Outcome::Refused { .. } | Outcome::Away(_)) {
            break;
        }
    }
    (outcome, retry_after)
}

async fn post(settings: &Settings, place: &Place, body: &str) -> (Outcome, Option<u64>) {
    let away = |why: String| (Outcome::Away(why), None);
    let transport = match place.transport(&trusted(settings)) {
        Ok(transport) => transport,
        Err(error) => return away(error.to_string()),
    };
    let mut headers = vec![("Content-Type", "application/json"), ("User-Agent", "gregor")];
    headers.extend(settings.headers.iter().map(|(name, value)| (name.as_str(), value.reveal())));
    let request = Request { method: "POST", headers: &headers, body: body.as_bytes() };
    let limits = Limits {
        connect: None,
        read: None,
        whole: settings.timeout,
        answer_bytes_max: ANSWER_BYTES_MAX,
    };
    match http::ask(place, request, &transport, limits).await {
        Ok(answer) => (Outcome::of(answer.status, &answer.body), answer.retry_after_seconds),
        Err(error) => away(error.to_string()),
    }
}

fn trusted(settings: &Settings) -> Vec<(String, Secret)> {
    let option = |name: &str, value: &str| (name.to_owned(), Secret::new(value));
    settings.certificate.as_ref().map_or_else(Vec::new, |file| {
        vec![option("ssl.truststore.type", "PEM"), option("ssl.truststore.location", file)]
    })
}

/// Whose metrics they are: what the variables say goes before what the node knows.
fn attributes(broker: &Broker, settings: &Settings) -> Vec<(String, String)> {
    let node_id = broker.config.node_id().to_string();
    let own = [
        ("service.name", "gregor".to_owned()),
        ("service.instance.id", node_id),
        ("kafka.cluster.id", broker.metadata.cluster_id().to_owned()),
    ];
    let given = &settings.attributes;
    let is_given = |name: &str| given.iter().any(|(known, _)| known == name);
    let own = own.into_iter().filter(|(name, _)| !is_given(name));
    own.map(|(name, value)| (name.to_owned(), value)).chain(given.iter().cloned()).collect()
}

fn tell(outcome: &Outcome, settings: &Settings) {
    let (url, ms) = (&settings.url, settings.interval.as_millis());
    match outcome {
        Outcome::Taken => {
            tracing::info!(target: TARGET, "Metrics are pushed to {url} every {ms} ms");
        }
        Outcome::Rejected(why) => tracing::warn!(
            target: TARGET,
            "{url} takes some of the metrics that are pushed, and rejects {why}",
        ),
        Outcome::Refused { status, why } => tracing::warn!(
            target: TARGET,
            "{url} refuses metrics with the status {status} {why}: tried again every {ms} ms",
        ),
        Outcome::Away(why) => tracing::warn!(
            target: TARGET,
            "No metrics can be pushed to {url}: {why}; tried again every {ms} ms",
        ),
    }
}

fn wall_ns() -> u64 {
    u64::try_from(clock::wall().as_nanos()).unwrap_or(u64::MAX)
}

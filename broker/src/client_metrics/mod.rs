//! The metrics that clients push to this broker (KIP-714), where `metrics.client.receiver` is on.
//!
//! ```text
//! metadata ─▶ update_subscription ─▶ subscriptions ─┐ what is asked of whom
//! GetTelemetrySubscriptions, PushTelemetry ─────────┴▶ metrics::client::Instances
//!          push: accepted ─▶ payload: decompressed, read ─▶ series of the instance
//! ```
//! `metrics::client` decides; here are its lock, the clock, and the codecs. As many pushes are
//! decompressed at one time as there are processors, each to telemetry.max.bytes at most. What
//! clients measure is shown with the node's own metrics (`maintenance::metrics_report`).
//! Unlike Kafka, which hands all of it to plug-ins of Java (docs/decisions/0460).
//! Kafka: `ClientMetricsManager`, `ClientTelemetryExporterPlugin`.

mod payload;

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use config::client_metrics::{ClientAttributes, Subscribed, Subscription};
use config::{BrokerConfig, Properties};
use metrics::client::{Asked, Instances, Push, Refused, Series, Terms};
use metrics::{Counter, MetricName, Registry};
use parking_lot::Mutex;
use protocol::base64_uuid::Base64Uuid;
use tokio::sync::Semaphore;
use tracing::Level;
use uuid::Uuid;

use self::payload::Content;
use crate::clock::monotonic_ms;
use crate::partitions::disk_gate::processors;
use crate::requests::context::RequestContext;

/// What is kept of each attribute of a client; instances are many, and names may be long.
const ATTRIBUTE_BYTES_MAX: usize = 256;

/// The receiver.
#[derive(Debug)]
pub(crate) struct ClientMetrics {
    /// telemetry.max.bytes
    bytes_max: usize,
    state: Mutex<State>,
    decoding: Semaphore,
    counters: Counters,
}

#[derive(Debug)]
struct State {
    /// By name.
    subscriptions: BTreeMap<String, Subscription>,
    instances: Instances<ClientAttributes>,
}

/// Kafka counts each instance by itself; these are the sums.
#[derive(Debug)]
struct Counters {
    throttles: Arc<Counter>,
    unknown_subscriptions: Arc<Counter>,
    exports: Arc<Counter>,
    errors: Arc<Counter>,
}

impl Counters {
    fn refused(&self, refused: Refused) {
        match refused {
            Refused::TooEarly => self.throttles.add(1),
            Refused::UnknownSubscription => self.unknown_subscriptions.add(1),
            Refused::InvalidInstance
            | Refused::Terminated
            | Refused::UnsupportedCompression
            | Refused::TooLarge => {}
        }
    }
}

/// What a client is asked to push.
#[derive(Debug)]
pub(crate) struct Told {
    pub(crate) client_instance_id: Uuid,
    pub(crate) subscription: metrics::client::Subscription,
    pub(crate) bytes_max: i32,
}

/// Why a push is not taken.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PushError {
    #[error("{0:?}")]
    Refused(Refused),
    /// It was to be taken, and is not what it ought to be.
    #[error("{0}")]
    Content(#[from] payload::ContentError),
}

impl ClientMetrics {
    pub(crate) fn new(config: &BrokerConfig, registry: &Registry) -> Arc<Self> {
        let bytes_max = usize::try_from(config.telemetry_max_bytes).unwrap_or(0);
        let name = |name| MetricName::new("kafka.server", "client-metrics", name);
        let counter = |of| registry.counter(name(of));
        let instances = Instances::new(bytes_max);
        let received = Arc::new(Self {
            bytes_max,
            state: Mutex::new(State { subscriptions: BTreeMap::new(), instances }),
            decoding: Semaphore::new(processors()),
            counters: Counters {
                throttles: counter("throttle-count"),
                unknown_subscriptions: counter("unknown-subscription-request-count"),
                exports: counter("plugin-export-count"),
                errors: counter("plugin-error-count"),
            },
        });
        let counted = Arc::downgrade(&received);
        registry.gauge(name("instance-count"), move || {
            let count = counted.upgrade().map_or(0, |all| all.state.lock().instances.count());
            i64::try_from(count).unwrap_or(i64::MAX)
        });
        received
    }

    /// A subscription is what these settings say; without any it is none.
    pub(crate) fn update_subscription(&self, name: &str, own: &Properties) {
        let mut state = self.state.lock();
        let changed = if own.is_empty() {
            let removed = state.subscriptions.remove(name).is_some();
            if removed {
                tracing::info!(
                    target: "org.apache.kafka.server.ClientMetricsManager",
                    "Removing subscription [{name}] from the subscription map",
                );
            }
            removed
        } else {
            match Subscription::read(own) {
                Ok(subscription) => {
                    state.subscriptions.insert(name.to_owned(), subscription);
                }
                Err(error) => {
                    state.subscriptions.remove(name);
                    tracing::warn!(
                        target: "org.apache.kafka.server.ClientMetricsManager",
                        "Subscription [{name}] is left out: {error}",
                    );
                }
            }
            true
        };
        if changed {
            state.instances.subscriptions_changed();
        }
    }

    /// A client asks what to push, as this instance; as none, it is allotted an id.
    pub(crate) fn subscriptions(
        &self,
        context: &RequestContext,
        client_instance_id: Uuid,
    ) -> Result<Told, Refused> {
        let State { subscriptions, instances } = &mut *self.state.lock();
        let mut id = client_instance_id;
        while id.is_nil() {
            let drawn = Base64Uuid::random(Uuid::new_v4).0;
            id = if instances.is_known(drawn) { Uuid::nil() } else { drawn };
        }
        let terms = |client: &ClientAttributes| terms(subscriptions, client);
        let told = instances.subscriptions(asked(context, id), monotonic_ms(), &terms);
        if let Err(refused) = told {
            self.counters.refused(refused);
        }
        let bytes_max = i32::try_from(self.bytes_max).unwrap_or(i32::MAX);
        Ok(Told { client_instance_id: id, subscription: told?, bytes_max })
    }

    /// A client pushes.
    pub(crate) async fn push(
        &self,
        context: &RequestContext,
        client_instance_id: Uuid,
        push: Push,
        payload: Bytes,
    ) -> Result<(), PushError> {
        let judged = {
            let State { subscriptions, instances } = &mut *self.state.lock();
            let terms = |client: &ClientAttributes| terms(subscriptions, client);
            instances.push(asked(context, client_instance_id), push, monotonic_ms(), &terms)
        };
        if let Err(refused) = judged {
            self.counters.refused(refused);
            return Err(PushError::Refused(refused));
        }
        if payload.is_empty() {
            return Ok(());
        }
        // Never closed, so that there is always a permit to come.
        let _decoding = self.decoding.acquire().await;
        let codec = push.compression_type;
        let (bytes_max, id) = (self.bytes_max, Base64Uuid(client_instance_id));
        let decoded =
            tokio::task::spawn_blocking(move || Content::decode(codec, &payload, bytes_max));
        let content = decoded.await.unwrap_or(Err(payload::ContentError::Panicked));
        match content {
            Ok(content) => {
                self.counters.exports.add(1);
                let State { instances, .. } = &mut *self.state.lock();
                content.record(instances, client_instance_id, monotonic_ms())?;
                if let Some((client, series)) = instances.of(client_instance_id) {
                    say_pushed(id, client, series, push.bytes);
                }
                Ok(())
            }
            Err(error) => {
                self.counters.errors.add(1);
                tracing::debug!(
                    target: "org.apache.kafka.server.ClientMetricsManager",
                    "Error exporting client metrics for client instance id: {id}: {error}",
                );
                Err(PushError::Content(error))
            }
        }
    }

    /// A connection ended.
    pub(crate) fn disconnected(&self, connection: u64) {
        self.state.lock().instances.disconnected(connection);
    }

    /// Forgets who is silent.
    pub(crate) fn expire(&self) {
        self.state.lock().instances.expire(monotonic_ms());
    }

    /// A line for each series of each client.
    pub(crate) fn lines(&self) -> Vec<String> {
        let state = self.state.lock();
        let all = state.instances.series();
        all.flat_map(|(id, client, series)| series_lines(Base64Uuid(id), client, series)).collect()
    }
}

fn series_lines(id: Base64Uuid, client: &ClientAttributes, series: &Series) -> Vec<String> {
    let head = format!("client {id} ({}, {})", named(client), series.resource());
    let unfit = series.unfit();
    let unfit = (unfit > 0).then(|| format!("{head}: {unfit} values had no room"));
    series.shown().map(|series| format!("{head}: {series}")).chain(unfit).collect()
}

fn named(client: &ClientAttributes) -> String {
    let ClientAttributes { client_id, client_software_name, client_software_version, .. } = client;
    format!("{client_id} {client_software_name} {client_software_version}")
}

/// At DEBUG how much there is, at TRACE all of it.
fn say_pushed(id: Base64Uuid, client: &ClientAttributes, series: &Series, bytes: usize) {
    tracing::debug!(
        target: "org.apache.kafka.server.ClientMetricsManager",
        "Client {id} ({}) pushed {bytes} bytes of metrics; {} series of it are known",
        named(client), series.count(),
    );
    if tracing::enabled!(target: "org.apache.kafka.server.ClientMetricsManager", Level::TRACE) {
        for line in series_lines(id, client, series) {
            tracing::trace!(target: "org.apache.kafka.server.ClientMetricsManager", "{line}");
        }
    }
}

fn terms(subscriptions: &BTreeMap<String, Subscription>, client: &ClientAttributes) -> Terms {
    let Subscribed { metrics, push_interval_ms } = Subscribed::by(subscriptions.values(), client);
    Terms { metrics: metrics.into_iter().collect(), push_interval_ms }
}

fn asked(context: &RequestContext, instance: Uuid) -> Asked<ClientAttributes> {
    let kept = |text: &str| text[..text.floor_char_boundary(ATTRIBUTE_BYTES_MAX)].to_owned();
    let software = context.client.software();
    Asked {
        instance,
        connection: context.client.connection_id,
        attributes: ClientAttributes {
            client_instance_id: Base64Uuid(instance).to_string(),
            client_id: kept(&context.client_id),
            client_software_name: kept(&software.name),
            client_software_version: kept(&software.version),
            client_source_address: context.client.ip().to_string(),
            client_source_port: context.client.address.port().to_string(),
        },
    }
}

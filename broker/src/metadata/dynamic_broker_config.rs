//! The node's configuration as it holds now: its file with the dynamic settings over it.
//! Kafka: `DynamicBrokerConfig`.

use std::sync::Arc;

use arc_swap::ArcSwap;
use client::Transport;
use config::{BrokerConfig, Properties};
use protocol::api::Listener;

use crate::net::tls::Tls;

/// The one replica selector that Kafka brings along; others are Java classes of somebody's own.
const RACK_AWARE_SELECTOR: &str = "org.apache.kafka.common.replica.RackAwareReplicaSelector";

/// The configuration, replaced whole when a dynamic setting changes.
#[derive(Debug)]
pub(crate) struct DynamicBrokerConfig {
    current: ArcSwap<BrokerConfig>,
    tls: Arc<Tls>,
}

impl DynamicBrokerConfig {
    pub(crate) fn new(config: BrokerConfig) -> Self {
        Self { current: ArcSwap::from_pointee(config), tls: Arc::default() }
    }

    /// The same, with keys and certificates where listeners ask for them.
    #[must_use]
    pub(crate) fn with_tls(self, tls: Arc<Tls>) -> Self {
        Self { tls, ..self }
    }

    pub(crate) fn tls(&self) -> &Arc<Tls> {
        &self.tls
    }

    /// Whether keys and certificates of listeners could be those that this node's own settings
    /// would name.
    pub(crate) fn check_stores(&self, own: &Properties) -> Result<(), String> {
        let current = self.current.load();
        let next = current.with_dynamic(current.dynamic_defaults(), own);
        let next = next.map_err(|error| error.to_string())?;
        self.tls.check(&next).map_err(|error| {
            format!("Validation of dynamic config update of SSLFactory failed: {error}")
        })
    }

    /// How other brokers are connected to.
    pub(crate) fn to_brokers(&self) -> Transport {
        self.tls.transport(&self.current.load().inter_broker_listener_name)
    }

    /// How controllers are connected to.
    pub(crate) fn to_controllers(&self) -> Transport {
        self.tls.to_controllers(&self.current.load())
    }

    pub(crate) fn current(&self) -> Arc<BrokerConfig> {
        self.current.load_full()
    }

    /// Dynamic settings changed.
    pub(crate) fn set(&self, config: BrokerConfig) {
        self.current.store(Arc::new(config));
    }

    pub(crate) fn node_id(&self) -> i32 {
        self.current.load().node_id
    }

    /// socket.request.max.bytes
    pub(crate) fn frame_bytes_max(&self) -> usize {
        usize::try_from(self.current.load().socket_request_max_bytes).unwrap_or(0)
    }

    /// fetch.max.bytes
    pub(crate) fn fetch_max_bytes(&self) -> i32 {
        self.current.load().fetch_max_bytes
    }

    /// background.threads
    pub(crate) fn background_threads(&self) -> usize {
        usize::try_from(self.current.load().background_threads).unwrap_or(1).max(1)
    }

    /// log.cleaner.io.max.bytes.per.second
    pub(crate) fn background_bytes_per_second(&self) -> f64 {
        self.current.load().log_cleaner_io_max_bytes_per_second
    }

    /// Whether consumers are sent to replicas of their own rack (KIP-392).
    pub(crate) fn selects_replicas_by_rack(&self) -> bool {
        self.current.load().replica_selector_class.as_deref() == Some(RACK_AWARE_SELECTOR)
    }

    /// Whether a listener is a client's or a controller's.
    pub(crate) fn listener_kind(&self, listener: &str) -> Listener {
        let config = self.current.load();
        if config.controller_listener_names.iter().any(|name| name == listener) {
            Listener::Controller
        } else {
            Listener::Broker
        }
    }
}

//! A tool's producer: its configuration, the errors of its making, and the warnings that Kafka's
//! client logs.

use client::PeerError;
use client::admin::known;
use client::bootstrap;
use client::metadata::{ClusterEvent, OnClusterEvent};
use client::producer::{OnDelivery, Producer, ProducerSettings, ProducerSettingsError};
use config::Properties;

use protocol::constant_name;

use crate::log_line::{error, warn};
use crate::login_file;
use crate::session::{resolvable, shown};

/// Why a tool has no producer; the first line of Java's trace, and the lines of its causes.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NoProducer {
    #[error("org.apache.kafka.common.config.ConfigException: {0}")]
    Settings(#[from] ProducerSettingsError),
    #[error(
        "org.apache.kafka.common.KafkaException: Failed to construct kafka producer\nCaused by: \
         org.apache.kafka.common.config.ConfigException: {0}"
    )]
    NotConstructed(String),
    #[error("cannot start: {0}")]
    Runtime(#[from] std::io::Error),
}

impl NoProducer {
    /// The message of Java's exception, without its name before it.
    pub(crate) fn words(&self) -> String {
        let line = self.to_string();
        line.split_once("Exception: ").map_or_else(|| line.clone(), |(_, words)| words.to_owned())
    }
}

/// Makes a producer of keys and values, of which the last one of a name counts.
pub(crate) fn open<T: Send + 'static>(
    properties: &[(String, String)],
    on_delivery: OnDelivery<T>,
) -> Result<Producer<T>, NoProducer> {
    let given = properties.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    let given = login_file::beside(&Properties::from_iter(given));
    let settings = match ProducerSettings::from_properties(given.iter()) {
        // Kafka judges it when the client is made.
        Err(error @ ProducerSettingsError::DeliveryTimeout) => {
            return Err(NoProducer::NotConstructed(error.to_string()));
        }
        read => read?,
    };
    let addresses = bootstrap::parse(&settings.bootstrap_servers).and_then(resolvable);
    let addresses = addresses.map_err(|error| NoProducer::NotConstructed(error.to_string()))?;
    let on_event = log_events(settings.cluster.log_prefix.clone());
    Ok(Producer::new(addresses, settings, on_event, on_delivery)?)
}

/// The lines of Kafka's `NetworkClient` about nodes and topics.
fn log_events(prefix: String) -> OnClusterEvent {
    const LOGGER: &str = "org.apache.kafka.clients.NetworkClient";
    Box::new(move |event| match event {
        ClusterEvent::Unreachable { node, error } => {
            if matches!(error, PeerError::Unreachable { .. }) {
                let address = shown(&node.address);
                let words = format!(
                    "{prefix}Connection to node {} ({address}) could not be established. Node may \
                     not be available.",
                    node.id
                );
                warn(LOGGER, &words);
            }
            if node.id < 0 {
                let words = format!(
                    "{prefix}Bootstrap broker {} disconnected",
                    crate::session::described(node)
                );
                warn(LOGGER, &words);
            }
        }
        ClusterEvent::TopicErrors(errors) => {
            let errors = errors.iter().map(|(topic, code)| format!("{topic}={}", constant(*code)));
            let errors: Vec<String> = errors.collect();
            let words = format!(
                "{prefix}The metadata response reported errors for the following topics: {{{}}}",
                errors.join(", ")
            );
            warn(LOGGER, &words);
        }
    })
}

/// `UNKNOWN_TOPIC_OR_PARTITION`, from the name of Java's exception.
fn constant(code: i16) -> String {
    let class = known(code).class.rsplit('.').next().unwrap_or_default();
    let class = class.strip_suffix("Exception").unwrap_or(class);
    constant_name(class)
}

/// What Kafka's `ErrorLoggingCallback` logs of a record that was not delivered.
pub(crate) fn log_undelivered(
    topic: &str,
    lengths: (Option<usize>, Option<usize>),
    failure: &client::producer::ProducerError,
) {
    let bytes = |length: Option<usize>| {
        length.map_or_else(|| "null".to_owned(), |length| format!("{length} bytes"))
    };
    let (key, value) = (bytes(lengths.0), bytes(lengths.1));
    error(
        "org.apache.kafka.clients.producer.internals.ErrorLoggingCallback",
        &format!(
            "Error when sending message to topic {topic} with key: {key}, value: {value} with \
             error:"
        ),
        &format!("{}: {failure}", failure.class()),
    );
}

//! A tool's way to the records of a cluster: a consumer, the runtime that carries it, and the
//! warnings that Kafka's consumer logs.

use client::bootstrap::{self, BootstrapError};
use client::consumer::{Consumer, ConsumerSettings, ConsumerSettingsError};
use client::metadata::ClusterEvent;
use client::{Address, PeerError};
use config::Properties;
use protocol::{ErrorCode, constant_name};
use tokio::runtime::{Builder, Runtime};

use crate::log_line::warn;
use crate::login_file;
use crate::session::{described, resolvable, shown};

/// Why there is no consumer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ConsumerSessionError {
    #[error("{0}")]
    Settings(#[from] ConsumerSettingsError),
    #[error("{0}")]
    Bootstrap(#[from] BootstrapError),
    #[error("cannot start: {0}")]
    Runtime(#[from] std::io::Error),
}

impl ConsumerSessionError {
    /// As Java's trace begins.
    pub(crate) fn exception(&self) -> String {
        let class = match self {
            Self::Settings(_) | Self::Bootstrap(_) => {
                "org.apache.kafka.common.config.ConfigException"
            }
            Self::Runtime(_) => "org.apache.kafka.common.KafkaException",
        };
        format!("{class}: {self}")
    }
}

/// A fetch that nobody set a limit to brings so much at most. Unlike Kafka, whose 50 MiB would be
/// twice the memory of the whole tool; how much comes at once is nothing that a tool shows.
const FETCH_BYTES_MAX: i32 = 4 << 20;

/// One thread for the connections and heartbeats, which go on while a tool waits for its stdout.
pub(crate) fn runtime() -> std::io::Result<Runtime> {
    Builder::new_multi_thread().worker_threads(1).enable_all().build()
}

/// Reads the settings and makes the consumer; nothing is sent before.
pub(crate) fn open(
    list: &str,
    properties: &Properties,
) -> Result<(Runtime, Consumer), ConsumerSessionError> {
    let mut settings = ConsumerSettings::from_properties(login_file::beside(properties).iter())?;
    if !properties.contains("fetch.max.bytes") {
        settings.fetch_max_bytes = FETCH_BYTES_MAX.max(settings.max_partition_fetch_bytes);
    }
    let addresses: Vec<Address> = bootstrap::parse(list).and_then(resolvable)?;
    let runtime = runtime()?;
    let prefix = settings.cluster.log_prefix.clone();
    let on_event = move |event: &ClusterEvent<'_>| say(&prefix, event);
    let entered = runtime.enter();
    let consumer = Consumer::new(addresses, settings, Box::new(on_event));
    drop(entered);
    Ok((runtime, consumer))
}

const NETWORK_CLIENT: &str = "org.apache.kafka.clients.NetworkClient";

/// Logs what Kafka's clients log of the way to their cluster.
pub(crate) fn say(prefix: &str, event: &ClusterEvent<'_>) {
    match event {
        ClusterEvent::Unreachable { node, error } => {
            if matches!(error, PeerError::Unreachable { .. }) {
                let words = format!(
                    "{prefix}Connection to node {} ({}) could not be established. Node may not be \
                     available.",
                    node.id,
                    shown(&node.address)
                );
                warn(NETWORK_CLIENT, &words);
            }
            if node.id < 0 {
                let words = format!("{prefix}Bootstrap broker {} disconnected", described(node));
                warn(NETWORK_CLIENT, &words);
            }
        }
        ClusterEvent::TopicErrors(errors) => {
            let named: Vec<String> =
                errors.iter().map(|(topic, code)| format!("{topic}={}", constant(*code))).collect();
            let words = format!(
                "{prefix}The metadata response from the cluster reported a recoverable issue : \
                 {{{}}}",
                named.join(", ")
            );
            warn(NETWORK_CLIENT, &words);
        }
    }
}

/// `UNKNOWN_TOPIC_OR_PARTITION`, as Java's constant of this code is called.
fn constant(code: i16) -> String {
    let name = format!("{:?}", ErrorCode::try_from_code(code));
    let name = name.trim_start_matches("Some(").trim_end_matches(')');
    constant_name(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_called_as_javas_constants() {
        assert_eq!(constant(3), "UNKNOWN_TOPIC_OR_PARTITION");
        assert_eq!(constant(5), "LEADER_NOT_AVAILABLE");
    }
}

//! A tool's way to the records of a share group: a share consumer and the runtime that carries it.

use client::Address;
use client::bootstrap::{self, BootstrapError};
use client::metadata::ClusterEvent;
use client::share_consumer::{
    ShareConsumer, ShareConsumerError, ShareConsumerSettings, ShareConsumerSettingsError,
};
use config::Properties;
use tokio::runtime::Runtime;

use crate::consumer_session::{runtime, say};
use crate::login_file;
use crate::session::resolvable;

/// Why there is no share consumer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ShareSessionError {
    #[error("{0}")]
    Settings(#[from] ShareConsumerSettingsError),
    /// Java's constructor says no more of what it could not do.
    #[error("Failed to construct Kafka share consumer")]
    Bootstrap(#[from] BootstrapError),
    #[error("Failed to construct Kafka share consumer")]
    Consumer(#[from] ShareConsumerError),
    #[error("cannot start: {0}")]
    Runtime(#[from] std::io::Error),
}

impl ShareSessionError {
    /// As Java's trace begins.
    pub(crate) fn exception(&self) -> String {
        let class = match self {
            Self::Settings(_) => "org.apache.kafka.common.config.ConfigException",
            Self::Bootstrap(_) | Self::Consumer(_) | Self::Runtime(_) => {
                "org.apache.kafka.common.KafkaException"
            }
        };
        format!("{class}: {self}")
    }
}

/// Reads the settings and makes the share consumer; nothing is sent before.
pub(crate) fn open(
    list: &str,
    properties: &Properties,
) -> Result<(Runtime, ShareConsumer), ShareSessionError> {
    let runtime = runtime()?;
    let consumer = open_on(&runtime, list, properties)?;
    Ok((runtime, consumer))
}

/// The same on a runtime that there is.
pub(crate) fn open_on(
    runtime: &Runtime,
    list: &str,
    properties: &Properties,
) -> Result<ShareConsumer, ShareSessionError> {
    let settings = ShareConsumerSettings::from_properties(login_file::beside(properties).iter())?;
    let addresses: Vec<Address> = bootstrap::parse(list).and_then(resolvable)?;
    let prefix = settings.consumer.cluster.log_prefix.clone();
    let on_event = move |event: &ClusterEvent<'_>| say(&prefix, event);
    let _entered = runtime.enter();
    Ok(ShareConsumer::new(addresses, settings, Box::new(on_event))?)
}

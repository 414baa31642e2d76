//! What a producer is configured with: Kafka's keys, their defaults and their checks.
//!
//! Pure. Keys that only tune a JVM's client are passed over. Answers to `ProducerConfig` (4.3.1).

use std::time::Duration;

use protocol::batch::Compression;

use crate::admin::{SettingsError, number};
use crate::metadata::{ClusterSettings, boolean};

/// Which replicas have a record before it counts as delivered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Acks {
    None,
    Leader,
    All,
}

impl Acks {
    pub(super) fn code(self) -> i16 {
        match self {
            Self::None => 0,
            Self::Leader => 1,
            Self::All => -1,
        }
    }
}

/// The keys of a producer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProducerSettings {
    pub cluster: ClusterSettings,
    /// bootstrap.servers
    pub bootstrap_servers: String,
    pub acks: Acks,
    pub enable_idempotence: bool,
    pub batch_size: usize,
    pub linger: Duration,
    pub buffer_memory: usize,
    pub max_in_flight: usize,
    pub max_block: Duration,
    pub delivery_timeout: Duration,
    pub max_request_size: usize,
    pub retries: u32,
    pub compression: Compression,
    pub partitioner_ignore_keys: bool,
    pub transactional_id: Option<String>,
    pub transaction_timeout: Duration,
}

impl Default for ProducerSettings {
    fn default() -> Self {
        Self {
            cluster: ClusterSettings::default(),
            bootstrap_servers: String::new(),
            acks: Acks::All,
            enable_idempotence: true,
            batch_size: 16384,
            linger: Duration::from_millis(5),
            buffer_memory: 32 << 20,
            max_in_flight: 5,
            max_block: Duration::from_secs(60),
            delivery_timeout: Duration::from_secs(120),
            max_request_size: 1 << 20,
            retries: i32::MAX.unsigned_abs(),
            compression: Compression::None,
            partitioner_ignore_keys: false,
            transactional_id: None,
            transaction_timeout: Duration::from_secs(60),
        }
    }
}

/// What is wrong with a producer's configuration; worded as Kafka's `ConfigException`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProducerSettingsError {
    #[error("{0}")]
    Settings(#[from] SettingsError),
    #[error("Invalid value {value} for configuration {name}: Value must be at least {least}")]
    TooSmall { name: String, value: String, least: i64 },
    #[error("Invalid value {value} for configuration {name}: String must be one of: {allowed}")]
    NotOneOf { name: String, value: String, allowed: &'static str },
    #[error("Invalid value  for configuration transactional.id: String must be non-empty")]
    EmptyTransactionalId,
    #[error("Missing required configuration \"bootstrap.servers\" which has no default value.")]
    NoServers,
    #[error("Configuration 'bootstrap.servers' values must not be empty.")]
    EmptyServer,
    #[error("Must set retries to non-zero when using the idempotent producer.")]
    IdempotentWithoutRetries,
    #[error(
        "Must set acks to all in order to use the idempotent producer. Otherwise we cannot \
         guarantee idempotence."
    )]
    IdempotentWithoutAcks,
    #[error(
        "To use the idempotent producer, max.in.flight.requests.per.connection must be set to at \
         most 5. Current value is {0}."
    )]
    IdempotentInFlight(usize),
    #[error("Cannot set a transactional.id without also enabling idempotence.")]
    TransactionalWithoutIdempotence,
    #[error("delivery.timeout.ms should be equal to or larger than linger.ms + request.timeout.ms")]
    DeliveryTimeout,
}

impl ProducerSettings {
    /// Reads keys and values; where a key comes twice the last one counts.
    pub fn from_properties<'a>(
        properties: impl IntoIterator<Item = (&'a str, &'a str)>,
    ) -> Result<Self, ProducerSettingsError> {
        let mut settings = Self::default();
        let (mut idempotence_is_set, mut delivery_timeout_is_set) = (false, false);
        for (name, value) in properties {
            idempotence_is_set |= name == "enable.idempotence";
            delivery_timeout_is_set |= name == "delivery.timeout.ms";
            if !settings.cluster.set(name, value)? {
                settings.set(name, value)?;
            }
        }
        settings.cluster.security.load()?;
        if settings.bootstrap_servers.is_empty() {
            return Err(ProducerSettingsError::NoServers);
        }
        settings.check_idempotence(idempotence_is_set)?;
        settings.check_delivery_timeout(delivery_timeout_is_set)?;
        let client_id = &mut settings.cluster.client_id;
        if client_id.is_empty() {
            let id = settings.transactional_id.as_deref().unwrap_or("1");
            *client_id = format!("producer-{id}");
        }
        settings.cluster.log_prefix = match &settings.transactional_id {
            None => format!("[Producer clientId={client_id}] "),
            Some(id) => format!("[Producer clientId={client_id}, transactionalId={id}] "),
        };
        Ok(settings)
    }

    fn set(&mut self, name: &str, value: &str) -> Result<(), ProducerSettingsError> {
        const INT: i64 = i32::MAX as i64;
        let integer = |most: i64| {
            let kind = if most == INT { "INT" } else { "LONG" };
            number(name, value, kind, most)
        };
        let size = |most: i64| integer(most).map(|n| usize::try_from(n).unwrap_or(usize::MAX));
        match name {
            "bootstrap.servers" if !value.is_empty() && value.split(',').any(is_blank) => {
                return Err(ProducerSettingsError::EmptyServer);
            }
            "bootstrap.servers" => value.clone_into(&mut self.bootstrap_servers),
            "acks" => self.acks = acks(value)?,
            "enable.idempotence" => self.enable_idempotence = boolean(name, value)?,
            "batch.size" => self.batch_size = size(INT)?,
            "linger.ms" => self.linger = Duration::from_millis(integer(i64::MAX)?),
            "buffer.memory" => self.buffer_memory = size(i64::MAX)?,
            "max.request.size" => self.max_request_size = size(INT)?,
            "max.block.ms" => self.max_block = Duration::from_millis(integer(i64::MAX)?),
            "delivery.timeout.ms" => {
                self.delivery_timeout = Duration::from_millis(integer(INT)?);
            }
            "transaction.timeout.ms" => {
                self.transaction_timeout = Duration::from_millis(integer(INT)?);
            }
            "retries" => self.retries = u32::try_from(integer(INT)?).unwrap_or(u32::MAX),
            "max.in.flight.requests.per.connection" => {
                self.max_in_flight = size(INT)?;
                if self.max_in_flight == 0 {
                    let (name, value) = (name.to_owned(), value.trim().to_owned());
                    return Err(ProducerSettingsError::TooSmall { name, value, least: 1 });
                }
            }
            "compression.type" => self.compression = compression(value)?,
            "partitioner.ignore.keys" => self.partitioner_ignore_keys = boolean(name, value)?,
            "transactional.id" if value.is_empty() => {
                return Err(ProducerSettingsError::EmptyTransactionalId);
            }
            "transactional.id" => self.transactional_id = Some(value.to_owned()),
            _ => {}
        }
        Ok(())
    }

    fn check_idempotence(&mut self, is_set: bool) -> Result<(), ProducerSettingsError> {
        if !self.enable_idempotence {
            return match self.transactional_id {
                Some(_) => Err(ProducerSettingsError::TransactionalWithoutIdempotence),
                None => Ok(()),
            };
        }
        let without_retries = self.retries == 0;
        let without_acks = self.acks != Acks::All;
        if is_set && without_retries {
            return Err(ProducerSettingsError::IdempotentWithoutRetries);
        }
        if is_set && without_acks {
            return Err(ProducerSettingsError::IdempotentWithoutAcks);
        }
        if self.max_in_flight > 5 {
            return Err(ProducerSettingsError::IdempotentInFlight(self.max_in_flight));
        }
        self.enable_idempotence = !without_retries && !without_acks;
        match self.transactional_id {
            Some(_) if !self.enable_idempotence => {
                Err(ProducerSettingsError::TransactionalWithoutIdempotence)
            }
            _ => Ok(()),
        }
    }

    /// `KafkaProducer.configureDeliveryTimeout`.
    fn check_delivery_timeout(&mut self, is_set: bool) -> Result<(), ProducerSettingsError> {
        let least = self.linger.saturating_add(self.cluster.request_timeout);
        match self.delivery_timeout < least {
            true if is_set => Err(ProducerSettingsError::DeliveryTimeout),
            true => {
                self.delivery_timeout = least;
                Ok(())
            }
            false => Ok(()),
        }
    }
}

fn is_blank(text: &str) -> bool {
    text.trim().is_empty()
}

fn acks(value: &str) -> Result<Acks, ProducerSettingsError> {
    match value {
        "all" | "-1" => Ok(Acks::All),
        "0" => Ok(Acks::None),
        "1" => Ok(Acks::Leader),
        other => Err(ProducerSettingsError::NotOneOf {
            name: "acks".to_owned(),
            value: other.to_owned(),
            allowed: "all, -1, 0, 1",
        }),
    }
}

fn compression(value: &str) -> Result<Compression, ProducerSettingsError> {
    Ok(match value {
        "none" => Compression::None,
        "gzip" => Compression::Gzip,
        "snappy" => Compression::Snappy,
        "lz4" => Compression::Lz4,
        "zstd" => Compression::Zstd,
        other => {
            return Err(ProducerSettingsError::NotOneOf {
                name: "compression.type".to_owned(),
                value: other.to_owned(),
                allowed: "none, gzip, snappy, lz4, zstd",
            });
        }
    })
}

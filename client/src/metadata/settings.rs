//! What producers and consumers are configured with alike: names and times of the way to a cluster.
//!
//! Answers to `CommonClientConfigs`.

use std::time::Duration;

use crate::SecuritySettings;
use crate::admin::{SettingsError, number};

/// Kafka's keys that every client of records has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClusterSettings {
    pub client_id: String,
    /// What log lines begin with: `[Producer clientId=console-producer] `.
    pub log_prefix: String,
    pub request_timeout: Duration,
    /// socket.connection.setup.timeout.ms
    pub connect_timeout: Duration,
    pub retry_backoff: Duration,
    pub retry_backoff_max: Duration,
    pub reconnect_backoff: Duration,
    pub reconnect_backoff_max: Duration,
    /// metadata.max.age.ms
    pub metadata_max_age: Duration,
    /// Whether asking for a topic may create it.
    pub allow_auto_topic_creation: bool,
    pub security: SecuritySettings,
}

impl Default for ClusterSettings {
    fn default() -> Self {
        Self {
            client_id: String::new(),
            log_prefix: String::new(),
            request_timeout: Duration::from_secs(30),
            connect_timeout: Duration::from_secs(10),
            retry_backoff: Duration::from_millis(100),
            retry_backoff_max: Duration::from_secs(1),
            reconnect_backoff: Duration::from_millis(50),
            reconnect_backoff_max: Duration::from_secs(1),
            metadata_max_age: Duration::from_secs(300),
            allow_auto_topic_creation: true,
            security: SecuritySettings::default(),
        }
    }
}

impl ClusterSettings {
    /// Takes one key of a client's configuration; whether it is one of those that stand here.
    pub fn set(&mut self, name: &str, value: &str) -> Result<bool, SettingsError> {
        if self.security.set(name, value) {
            return Ok(true);
        }
        let duration = match name {
            "client.id" => {
                value.clone_into(&mut self.client_id);
                return Ok(true);
            }
            "allow.auto.create.topics" => {
                self.allow_auto_topic_creation = boolean(name, value)?;
                return Ok(true);
            }
            "request.timeout.ms" => &mut self.request_timeout,
            "socket.connection.setup.timeout.ms" => &mut self.connect_timeout,
            "retry.backoff.ms" => &mut self.retry_backoff,
            "retry.backoff.max.ms" => &mut self.retry_backoff_max,
            "reconnect.backoff.ms" => &mut self.reconnect_backoff,
            "reconnect.backoff.max.ms" => &mut self.reconnect_backoff_max,
            "metadata.max.age.ms" => &mut self.metadata_max_age,
            _ => return Ok(false),
        };
        let (kind, most) = match name {
            "request.timeout.ms" => ("INT", i32::MAX.into()),
            _ => ("LONG", i64::MAX),
        };
        *duration = Duration::from_millis(number(name, value, kind, most)?);
        Ok(true)
    }
}

/// A boolean as Kafka's `ConfigDef` reads it.
pub(crate) fn boolean(name: &str, value: &str) -> Result<bool, SettingsError> {
    match value.trim() {
        word if word.eq_ignore_ascii_case("true") => Ok(true),
        word if word.eq_ignore_ascii_case("false") => Ok(false),
        word => Err(SettingsError::NoBoolean { name: name.to_owned(), value: word.to_owned() }),
    }
}

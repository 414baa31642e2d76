//! What an administrative client is configured with: Kafka's keys, their defaults and their checks.
//!
//! Stores of TLS are read here. Keys that only tune a JVM's client are passed over, as Kafka does
//! with unknown ones. Answers to Kafka's `AdminClientConfig` (4.3.1).

use std::time::Duration;

use security::sasl::Mechanism;

use crate::SecuritySettings;

/// The times and the name of a client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AdminSettings {
    pub client_id: String,
    /// default.api.timeout.ms: how long a call may take with all its attempts.
    pub call_timeout: Duration,
    /// request.timeout.ms: how long one attempt may take.
    pub request_timeout: Duration,
    /// socket.connection.setup.timeout.ms
    pub connect_timeout: Duration,
    pub retry_backoff: Duration,
    pub retry_backoff_max: Duration,
    pub reconnect_backoff: Duration,
    pub reconnect_backoff_max: Duration,
    /// retries: attempts after the first.
    pub retries: u32,
    pub security: SecuritySettings,
}

impl Default for AdminSettings {
    fn default() -> Self {
        Self {
            client_id: "adminclient-1".to_owned(),
            call_timeout: Duration::from_secs(60),
            request_timeout: Duration::from_secs(30),
            connect_timeout: Duration::from_secs(10),
            retry_backoff: Duration::from_millis(100),
            retry_backoff_max: Duration::from_secs(1),
            reconnect_backoff: Duration::from_millis(50),
            reconnect_backoff_max: Duration::from_secs(1),
            retries: i32::MAX.unsigned_abs(),
            security: SecuritySettings::default(),
        }
    }
}

/// What is wrong with a configuration.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SettingsError {
    #[error("Invalid value {value} for configuration {name}: Not a number of type {kind}")]
    NoNumber { name: String, value: String, kind: &'static str },
    #[error("Invalid value {value} for configuration {name}: Value must be at least 0")]
    Negative { name: String, value: String },
    #[error(
        "Invalid value {value} for configuration {name}: Expected value to be either true or false"
    )]
    NoBoolean { name: String, value: String },
    #[error(
        "Invalid value {0} for configuration security.protocol: String must be one of (case \
         insensitive): SASL_SSL, PLAINTEXT, SSL, SASL_PLAINTEXT"
    )]
    NoProtocol(String),
    #[error(
        "The specified value of default.api.timeout.ms must be no smaller than the value of \
         request.timeout.ms."
    )]
    CallTimeout,
    #[error("{0}")]
    Tls(String),
    #[error(
        "sasl.mechanism={0} cannot be used: this client {speaks}, and nothing was sent",
        speaks = what_is_spoken(.0)
    )]
    NoMechanism(String),
    #[error(
        "Could not find a '{0}' entry in the JAAS configuration. Set sasl.jaas.config, or name a \
         file with that section in KAFKA_OPTS (-Djava.security.auth.login.config=FILE)"
    )]
    NoLogin(&'static str),
    #[error("{0}")]
    Login(String),
}

/// In place of a mechanism that cannot be used.
fn what_is_spoken(name: &str) -> String {
    let spoken: Vec<&str> = Mechanism::spoken().map(Mechanism::name).collect();
    let spoken = format!("speaks {}", spoken.join(", "));
    match Mechanism::missing_feature(name) {
        Some(feature) => format!("{spoken} (built with --features {feature}, {name}, too)"),
        None => spoken,
    }
}

impl AdminSettings {
    /// Reads keys and values of a `--command-config` file.
    pub fn from_properties<'a>(
        properties: impl IntoIterator<Item = (&'a str, &'a str)>,
    ) -> Result<Self, SettingsError> {
        let mut settings = Self::default();
        let mut has_call_timeout = false;
        for (name, value) in properties {
            if settings.security.set(name, value) {
                continue;
            }
            has_call_timeout |= name == "default.api.timeout.ms";
            let duration = match name {
                "client.id" if !value.is_empty() => {
                    settings.client_id = value.to_owned();
                    continue;
                }
                "retries" => {
                    let millis = number(name, value, "INT", i32::MAX.into())?;
                    settings.retries = u32::try_from(millis).unwrap_or(u32::MAX);
                    continue;
                }
                "default.api.timeout.ms" => &mut settings.call_timeout,
                "request.timeout.ms" => &mut settings.request_timeout,
                "socket.connection.setup.timeout.ms" => &mut settings.connect_timeout,
                "retry.backoff.ms" => &mut settings.retry_backoff,
                "retry.backoff.max.ms" => &mut settings.retry_backoff_max,
                "reconnect.backoff.ms" => &mut settings.reconnect_backoff,
                "reconnect.backoff.max.ms" => &mut settings.reconnect_backoff_max,
                _ => continue,
            };
            let is_int = name.ends_with("timeout.ms") && !name.starts_with("socket");
            let (kind, most) = if is_int { ("INT", i32::MAX.into()) } else { ("LONG", i64::MAX) };
            *duration = Duration::from_millis(number(name, value, kind, most)?);
        }
        settings.security.load()?;
        if !has_call_timeout {
            // A call takes one request at least.
            settings.call_timeout = settings.call_timeout.max(settings.request_timeout);
        }
        Ok(settings)
    }

    /// What Kafka's client refuses when it is made: a call that may not last as long as a request.
    pub fn check_timeouts(&self) -> Result<(), SettingsError> {
        match self.call_timeout < self.request_timeout {
            true => Err(SettingsError::CallTimeout),
            false => Ok(()),
        }
    }
}

pub(crate) fn number(
    name: &str,
    value: &str,
    kind: &'static str,
    most: i64,
) -> Result<u64, SettingsError> {
    let (name, value) = (name.to_owned(), value.trim().to_owned());
    match value.parse::<i64>() {
        Ok(number) if number > most => Err(SettingsError::NoNumber { name, value, kind }),
        Ok(number) => u64::try_from(number).map_err(|_| SettingsError::Negative { name, value }),
        Err(_) => Err(SettingsError::NoNumber { name, value, kind }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_of_kafkas_client_are_read_and_others_passed_over() {
        let given = [
            ("request.timeout.ms", "1500"),
            ("client.id", "me"),
            ("ssl.truststore.location", "/none"),
            ("security.protocol", "plaintext"),
            ("retries", "3"),
        ];
        let settings = AdminSettings::from_properties(given).unwrap();
        let expected = AdminSettings {
            request_timeout: Duration::from_millis(1500),
            client_id: "me".to_owned(),
            retries: 3,
            security: settings.security.clone(),
            ..AdminSettings::default()
        };
        assert_eq!(settings, expected);
    }

    #[test]
    fn a_call_lasts_as_long_as_a_request_at_least() {
        let read = |given: &[(&'static str, &'static str)]| {
            AdminSettings::from_properties(given.iter().copied()).unwrap()
        };
        let long = read(&[("request.timeout.ms", "90000")]);
        assert_eq!((long.call_timeout, long.check_timeouts()), (Duration::from_secs(90), Ok(())));
        let short = read(&[("default.api.timeout.ms", "100"), ("request.timeout.ms", "1000")]);
        assert_eq!(short.check_timeouts(), Err(SettingsError::CallTimeout));
    }

    #[test]
    fn stores_that_are_not_there_are_refused() {
        let given = [("security.protocol", "SSL"), ("ssl.truststore.location", "/no/such.jks")];
        let refused = AdminSettings::from_properties(given).unwrap_err().to_string();
        assert!(refused.starts_with("Failed to load SSL keystore /no/such.jks: "), "{refused}");
        let refused = AdminSettings::from_properties([("security.protocol", "TLS")]);
        assert!(matches!(refused, Err(SettingsError::NoProtocol(_))));
    }

    #[test]
    fn numbers_that_are_none_are_refused_in_kafkas_words() {
        let refused = AdminSettings::from_properties([("request.timeout.ms", "soon")]).unwrap_err();
        let problem =
            "Invalid value soon for configuration request.timeout.ms: Not a number of type INT";
        assert_eq!(refused.to_string(), problem);
        assert!(AdminSettings::from_properties([("retry.backoff.ms", "-1")]).is_err());
    }
}

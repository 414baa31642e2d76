//! The configuration of a subscription of client metrics (KIP-714).
//!
//! Answers to ClientMetricsConfigs. Nothing collects these metrics yet; subscriptions can be stored
//! and described all the same.

use crate::keys::Table;
use crate::{ConfigError, Properties, Value, Values};

/// What a client can be matched by.
const MATCHABLE: &[&str] = &[
    "client_instance_id",
    "client_id",
    "client_software_name",
    "client_software_version",
    "client_source_address",
    "client_source_port",
];

/// Checks all settings that a subscription would have.
pub fn validate_all(own: &Properties) -> Result<(), ConfigError> {
    if let Some((name, _)) = own.iter().find(|(name, _)| Table::ClientMetrics.key(name).is_none()) {
        let message = format!("Unknown client metrics configuration: {name}");
        return Err(ConfigError::BadRequest { message });
    }
    let values = Values::read(Table::ClientMetrics, own)?;
    let interval: i32 = values.typed("interval.ms")?;
    if !(100..=3_600_000).contains(&interval) {
        let message = format!(
            "Invalid value {interval} for interval.ms, interval must be between 100 and 3600000 \
             (1 hour)"
        );
        return Err(ConfigError::BadRequest { message });
    }
    for pattern in values.typed::<Vec<String>>("match")? {
        let parts: Vec<_> = pattern.trim_end_matches('=').split('=').collect();
        let [name, value] = parts.as_slice() else {
            return Err(illegal(&pattern));
        };
        if value.is_empty() || !MATCHABLE.contains(&name.trim()) {
            return Err(illegal(&pattern));
        }
    }
    Ok(())
}

fn illegal(pattern: &str) -> ConfigError {
    let message = format!("Illegal client matching pattern: {pattern}");
    ConfigError::conflict(&["match"], message)
}

/// The value of every key of a subscription.
pub(crate) fn effective_values(own: &Properties) -> Values {
    let mut values = Values::defaults(Table::ClientMetrics);
    for (name, text) in own.iter() {
        let Some(key) = Table::ClientMetrics.key(name) else {
            continue;
        };
        values.set(key.name, key.parse(text).unwrap_or(Value::Null));
    }
    values
}

//! What may be set on topics, brokers, groups and subscriptions of client metrics while the cluster
//! runs: the controller's rules, and the checks that a broker makes of its own settings before.
//!
//! Kafka: `ControllerConfigurationValidator`, `KafkaConfigSchema`, and the validation in
//! `ConfigAdminManager`, `DynamicBrokerConfig`.

use config::keys::Table;
use config::{
    BrokerConfig, ConfigError, Properties, client_metrics, describe, dynamic, group, topic,
};
use protocol::ErrorCode;
use protocol::messages::incremental_alter_configs_request::AlterableConfig;
use raft::controller::{ConfigRules, EffectiveConfig};
use raft::image::{ConfigResource, ConfigValues, ResourceType};

use crate::metadata::dynamic_broker_config::DynamicBrokerConfig;
use crate::requests::api_error::{ApiError, text};
use crate::requests::topic_names;

/// Settings of a resource as the configuration's own tables read them.
pub(crate) fn properties(values: &ConfigValues) -> Properties {
    values.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect()
}

/// The rules by which the controller of this node judges settings.
#[derive(Debug)]
pub(crate) struct ConfigTables {
    /// What the node was started with.
    node: BrokerConfig,
}

impl ConfigTables {
    pub(crate) fn new(node: BrokerConfig) -> Self {
        Self { node }
    }
}

impl ConfigRules for ConfigTables {
    fn check(
        &self,
        resource: &ConfigResource,
        values: &ConfigValues,
        old: &ConfigValues,
    ) -> Result<(), ApiError> {
        let name = resource.name.as_str();
        let values = properties(values);
        match resource.resource_type {
            ResourceType::Topic => {
                if name.is_empty() {
                    return Err(invalid_request("Default topic resources are not allowed."));
                }
                topic_names::check(name)?;
                topic::validate_all(&self.node, &properties(old), &values).map_err(refused)
            }
            ResourceType::Broker => check_broker_name(name),
            ResourceType::ClientMetrics => {
                if name.is_empty() {
                    return Err(invalid_request("Subscription name can't be empty"));
                }
                client_metrics::validate_all(&values).map_err(refused)
            }
            ResourceType::Group => {
                if name.is_empty() {
                    return Err(invalid_request("Default group resources are not allowed."));
                }
                group::validate_all(&self.node, &values).map_err(refused)
            }
            // Log levels are no metadata.
            ResourceType::BrokerLogger => {
                Err(invalid_request("Unknown resource type BROKER_LOGGER"))
            }
        }
    }

    fn is_list(&self, resource_type: ResourceType, key: &str) -> bool {
        table(resource_type)
            .is_some_and(|table| table.key(key).is_some_and(|key| key.kind == config::Kind::List))
    }

    fn default_value(&self, resource_type: ResourceType, key: &str) -> Option<String> {
        table(resource_type)?.key(key)?.default_value()?.text()
    }

    fn effective_topic_configs(
        &self,
        cluster: &ConfigValues,
        node: &ConfigValues,
        topic: &ConfigValues,
    ) -> Vec<EffectiveConfig> {
        // Settings that do not fit together any more count as absent, as they do for the broker.
        let dynamic = self.node.with_dynamic(&properties(cluster), &properties(node));
        let node = dynamic.as_ref().unwrap_or(&self.node);
        let described = |entry: describe::Entry| EffectiveConfig {
            name: text(entry.name),
            value: entry.value.map(text),
            is_read_only: entry.read_only,
            source: entry.source.id(),
            is_sensitive: entry.is_sensitive,
        };
        describe::topic(node, &properties(topic)).into_iter().map(described).collect()
    }
}

fn table(resource_type: ResourceType) -> Option<Table> {
    match resource_type {
        ResourceType::Topic => Some(Table::Topic),
        ResourceType::Broker => Some(Table::Broker),
        ResourceType::ClientMetrics => Some(Table::ClientMetrics),
        ResourceType::Group => Some(Table::Group),
        ResourceType::BrokerLogger => None,
    }
}

fn check_broker_name(name: &str) -> Result<(), ApiError> {
    match name.parse::<i32>() {
        _ if name.is_empty() => Ok(()),
        Err(_) => Err(invalid_request("Unable to parse broker name as a base 10 number.")),
        Ok(id) if id < 0 => Err(invalid_request("Invalid negative broker ID.")),
        Ok(_) => Ok(()),
    }
}

fn refused(error: ConfigError) -> ApiError {
    let code = match error {
        ConfigError::BadRequest { .. } => ErrorCode::InvalidRequest,
        _ => ErrorCode::InvalidConfig,
    };
    ApiError::new(code, error.to_string())
}

pub(crate) fn invalid_request(message: impl Into<String>) -> ApiError {
    ApiError::new(ErrorCode::InvalidRequest, message)
}

/// Operations of IncrementalAlterConfigs.
pub(crate) mod operation {
    pub(crate) const SET: i8 = 0;
    pub(crate) const DELETE: i8 = 1;
    pub(crate) const APPEND: i8 = 2;
    pub(crate) const SUBTRACT: i8 = 3;
}

/// Checks that this broker could go on with its settings changed so. `of_one_broker`: its own
/// settings, otherwise those of the cluster.
pub(crate) fn check_broker_change(
    config: &DynamicBrokerConfig,
    changes: &[AlterableConfig],
    of_one_broker: bool,
) -> Result<(), ApiError> {
    let node = config.current();
    let mut settings =
        if of_one_broker { node.dynamic_own() } else { node.dynamic_defaults() }.clone();
    for change in changes {
        let name = change.name.as_str();
        let value = change.value.as_deref().unwrap_or("");
        match change.config_operation {
            operation::SET => settings.set(name, value),
            operation::DELETE => {
                settings.remove(name);
            }
            operation::APPEND => {
                change_list(&mut settings, dynamic::ListChange::Append, name, value)?;
            }
            operation::SUBTRACT => {
                change_list(&mut settings, dynamic::ListChange::Subtract, name, value)?;
            }
            other => return Err(invalid_request(format!("Unknown operations type {other}"))),
        }
    }
    check_broker_settings(config, &settings, of_one_broker)
}

/// Checks that this broker could go on with these settings for all that are dynamic.
pub(crate) fn check_broker_settings(
    config: &DynamicBrokerConfig,
    settings: &Properties,
    of_one_broker: bool,
) -> Result<(), ApiError> {
    dynamic::validate_with(&config.current(), settings, of_one_broker)
        .map_err(|error| invalid_request(error.to_string()))?;
    match of_one_broker && settings.iter().any(|(name, _)| name.contains(".ssl.")) {
        true => config.check_stores(settings).map_err(|problem| {
            let names = Vec::new();
            invalid_request(ConfigError::Reconfiguration { names, problem }.to_string())
        }),
        false => Ok(()),
    }
}

fn change_list(
    settings: &mut Properties,
    change: dynamic::ListChange,
    name: &str,
    elements: &str,
) -> Result<(), ApiError> {
    // An unknown name makes Kafka stumble; it has no better answer than this one.
    let key = Table::Broker.key(name).ok_or(ErrorCode::UnknownServerError)?;
    if key.kind != config::Kind::List {
        let verb = match change {
            dynamic::ListChange::Append => "append",
            dynamic::ListChange::Subtract => "subtract",
        };
        let message = format!("Config value {verb} is not allowed for config key: {name}");
        return Err(ApiError::new(ErrorCode::InvalidConfig, message));
    }
    let default = || key.default_value().and_then(|value| value.text());
    let current = settings.get(name).map(str::to_owned).or_else(default).unwrap_or_default();
    settings.set(name, dynamic::change_list(change, &current, elements));
    Ok(())
}

#[cfg(test)]
#[path = "dynamic_config_test.rs"]
mod tests;

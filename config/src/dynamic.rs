//! Settings of a broker that change while it runs: which may, for whom, and how they lie on top of
//! what the broker was started with.
//!
//! Strongest first: the broker's own dynamic settings, those of the whole cluster, the file, the
//! defaults. A dynamic setting also hides synonyms of its key from below (`log.roll.hours` set
//! dynamically hides `log.roll.ms` of the file).
//!
//! Answers to DynamicBrokerConfig and DynamicConfig.Broker.

use crate::keys::{Key, Table, Update};
use crate::synonyms::{below_listener, of_broker_key};
use crate::{BrokerConfig, ConfigError, Kind, Properties, reconfigure};

/// Security keys that can be dynamic only below a listener: those of the TLS stores.
fn is_reloadable_security_key(name: &str) -> bool {
    ["ssl.keystore.", "ssl.truststore."].iter().any(|prefix| name.starts_with(prefix))
        && Table::Broker.key(name).is_some()
        || name == "ssl.key.password"
}

/// Listener keys that hold for the whole cluster even below a listener.
const CLUSTER_LISTENER_KEYS: &[&str] =
    &["max.connections", "max.connection.creation.rate", "num.network.threads"];

/// The definition of a dynamic setting: a broker key that may change, or a throttle.
fn definition(name: &str) -> Option<&'static Key> {
    let broker = Table::Broker.key(name).filter(|key| key.update != Update::ReadOnly);
    broker.or_else(|| Table::Quota.key(name))
}

fn is_fixed(name: &str) -> bool {
    let key = Table::Broker.key(name).or_else(|| Table::Own.key(name));
    key.is_some_and(|key| key.update == Update::ReadOnly)
}

fn needs_broker_id(name: &str) -> bool {
    match below_listener(name) {
        Some(base) => !CLUSTER_LISTENER_KEYS.contains(&base),
        None => Table::Broker.key(name).is_some_and(|key| key.update == Update::PerBroker),
    }
}

/// Checks dynamic settings by themselves: of one broker, or of the whole cluster. Names that no
/// broker key has are kept as they are, for plug-ins.
pub fn validate(settings: &Properties, of_one_broker: bool) -> Result<(), ConfigError> {
    let select = |is: &dyn Fn(&str) -> bool| -> Vec<String> {
        settings.iter().map(|(name, _)| name).filter(|name| is(name)).map(str::to_owned).collect()
    };
    let names = select(&is_fixed);
    if !names.is_empty() {
        return Err(ConfigError::NotDynamic { names });
    }
    let names = select(&is_reloadable_security_key);
    if !names.is_empty() {
        return Err(ConfigError::NeedsListenerPrefix { names });
    }
    for (name, value) in settings.iter() {
        check_value(name, value)?;
    }
    let names = select(&needs_broker_id);
    if !of_one_broker && !names.is_empty() {
        return Err(ConfigError::NeedsBrokerId { names });
    }
    Ok(())
}

/// Checks one dynamic setting by itself.
pub fn validate_one(name: &str, value: &str, of_one_broker: bool) -> Result<(), ConfigError> {
    validate(&Properties::from_iter([(name, value)]), of_one_broker)
}

fn check_value(name: &str, value: &str) -> Result<(), ConfigError> {
    let base = below_listener(name).unwrap_or(name);
    definition(base).map_or(Ok(()), |key| key.parse(value).map(drop))
}

/// Checks dynamic settings on top of everything else the broker has: values that must fit together,
/// and what the running broker cannot change to.
pub fn validate_with(
    broker: &BrokerConfig,
    settings: &Properties,
    of_one_broker: bool,
) -> Result<(), ConfigError> {
    validate(settings, of_one_broker)?;
    let next = if of_one_broker {
        broker.with_dynamic(broker.dynamic_defaults(), settings)
    } else {
        broker.with_dynamic(settings, broker.dynamic_own())
    };
    let next = next.map_err(|error| match error {
        ConfigError::Requirement { names, message } => {
            let message = format!("requirement failed: {message}");
            ConfigError::Requirement { names, message }
        }
        other => other,
    })?;
    reconfigure::check(broker, &next)
}

/// The settings that a broker obeys, of those that are stored: the others are passed over.
pub(crate) fn applicable(settings: &Properties, of_one_broker: bool) -> Properties {
    let obeyed = |(name, value): &(&str, &str)| {
        !is_fixed(name)
            && !is_reloadable_security_key(name)
            && check_value(name, value).is_ok()
            && (of_one_broker || !needs_broker_id(name))
    };
    settings.iter().filter(obeyed).collect()
}

/// Puts `settings` on top of `properties`, hiding their synonyms below.
pub(crate) fn overlay(properties: &mut Properties, settings: &Properties) {
    for (name, value) in settings.iter() {
        for synonym in of_broker_key(name, false) {
            properties.remove(&synonym);
        }
        properties.set(name, value);
    }
}

/// Whether the broker key can change while the broker runs (what `read_only` denies).
pub fn is_dynamic(name: &str) -> bool {
    definition(name).is_some()
}

/// What kind of list operation IncrementalAlterConfigs asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ListChange {
    Append,
    Subtract,
}

/// The new value of a list after elements were added or taken away. `current` is the value that
/// the change starts from: the resource's own, or the default of the key.
pub fn change_list(change: ListChange, current: &str, elements: &str) -> String {
    let split = |text: &str| -> Vec<String> {
        text.split(',').filter(|element| !element.is_empty()).map(str::to_owned).collect()
    };
    let mut list = split(current);
    for element in split(elements) {
        match change {
            ListChange::Append if !list.contains(&element) => list.push(element),
            ListChange::Append => {}
            ListChange::Subtract => {
                if let Some(at) = list.iter().position(|each| *each == element) {
                    list.remove(at);
                }
            }
        }
    }
    list.join(",")
}

/// Whether a key of a table holds a list, which alone can be appended to and subtracted from.
pub fn is_list(table: Table, name: &str) -> bool {
    let base = match table {
        Table::Broker => below_listener(name).unwrap_or(name),
        _ => name,
    };
    table.key(base).is_some_and(|key| key.kind == Kind::List)
}

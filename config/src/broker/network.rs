//! Listeners of a node: what it listens on, what it tells others, and which listener is whose.
//!
//! Answers to the listener half of KafkaConfig and AbstractKafkaConfig.

use super::BrokerConfig;
use crate::endpoint::{ProtocolMap, normalised, parse_endpoints, parse_protocol_map};
use crate::{ConfigError, Endpoint, Properties, SecurityProtocol, Values};

const MAP: &str = "listener.security.protocol.map";
const INTER_BROKER: &str = "inter.broker.listener.name";
const INTER_BROKER_PROTOCOL: &str = "security.inter.broker.protocol";

pub(super) struct Network {
    pub(super) listeners: Vec<Endpoint>,
    pub(super) controller_listeners: Vec<Endpoint>,
    pub(super) advertised_listeners: Vec<Endpoint>,
    pub(super) advertised_controller_listeners: Vec<Endpoint>,
    pub(super) controller_listener_names: Vec<String>,
    pub(super) controller_security_protocol: SecurityProtocol,
    pub(super) inter_broker: (String, SecurityProtocol),
    pub(super) protocols: ProtocolMap,
}

impl Network {
    pub(super) fn from_values(
        values: &Values,
        properties: &Properties,
    ) -> Result<Self, ConfigError> {
        let names: Vec<String> = values.typed("controller.listener.names")?;
        let listed: Vec<String> = values.typed("listeners")?;
        let protocols = effective_protocols(values, properties, &names, &listed)?;
        let all = parse_endpoints("listeners", &listed, &protocols, true)?;
        let advertised = match values.typed::<Option<Vec<String>>>("advertised.listeners")? {
            Some(listed) => {
                Some(parse_endpoints("advertised.listeners", &listed, &protocols, false)?)
            }
            None => None,
        };
        let is_controllers = |endpoint: &Endpoint| names.contains(&endpoint.listener);
        let (controller_listeners, listeners): (Vec<_>, Vec<_>) =
            all.iter().cloned().partition(is_controllers);
        let advertised_listeners = match &advertised {
            Some(advertised) => {
                advertised.iter().filter(|each| !is_controllers(each)).cloned().collect()
            }
            None => listeners.clone(),
        };
        let advertised_controller_listeners =
            advertise_controllers(&names, advertised.as_deref(), &controller_listeners);
        let first = names.first().map(|name| normalised(name)).transpose()?;
        let controller_security_protocol = first
            .and_then(|name| protocols.get(&name).copied())
            .unwrap_or(SecurityProtocol::Plaintext);
        Ok(Self {
            listeners,
            controller_listeners,
            advertised_listeners,
            advertised_controller_listeners,
            controller_listener_names: names,
            controller_security_protocol,
            inter_broker: inter_broker(values, properties, &protocols)?,
            protocols,
        })
    }
}

impl BrokerConfig {
    /// What this node listens on, clients' listeners first, then controllers'.
    pub fn own_endpoints(&self) -> impl Iterator<Item = &Endpoint> {
        self.listeners.iter().chain(&self.controller_listeners)
    }

    /// Its own listener of this name.
    pub fn own_endpoint(&self, listener: &str) -> Option<&Endpoint> {
        self.own_endpoints().find(|endpoint| endpoint.listener == listener)
    }
}

/// The protocol map; where none is given, controller listeners of other names are plaintext too, as
/// long as nothing in sight is secured.
fn effective_protocols(
    values: &Values,
    properties: &Properties,
    controller_names: &[String],
    listeners: &[String],
) -> Result<ProtocolMap, ConfigError> {
    let mut map = parse_protocol_map(&values.typed::<String>(MAP)?)?;
    if properties.contains(MAP) {
        return Ok(map);
    }
    let is_secured = |name: &str| matches!(name, "SSL" | "SASL_SSL" | "SASL_PLAINTEXT");
    let listens_secured = listeners.iter().any(|entry| {
        entry.split_once(':').is_some_and(|(name, _)| is_secured(&name.to_uppercase()))
    });
    if listens_secured || controller_names.iter().any(|name| is_secured(name)) {
        return Ok(map);
    }
    for name in controller_names.iter().filter(|name| *name != "PLAINTEXT") {
        map.insert(name.clone(), SecurityProtocol::Plaintext);
    }
    Ok(map)
}

/// Advertised addresses of controller listeners: as given, or the listeners themselves, where
/// 0.0.0.0 counts as no host.
fn advertise_controllers(
    names: &[String],
    advertised: Option<&[Endpoint]>,
    listeners: &[Endpoint],
) -> Vec<Endpoint> {
    let find = |name: &String| {
        let named = |each: &&Endpoint| each.listener.eq_ignore_ascii_case(name);
        let given =
            advertised.unwrap_or_default().iter().filter(|each| names.contains(&each.listener));
        given.clone().find(named).cloned().or_else(|| {
            let mut endpoint = listeners.iter().find(named)?.clone();
            endpoint.host = endpoint.host.filter(|host| host != "0.0.0.0");
            Some(endpoint)
        })
    };
    names.iter().filter_map(find).collect()
}

fn inter_broker(
    values: &Values,
    properties: &Properties,
    protocols: &ProtocolMap,
) -> Result<(String, SecurityProtocol), ConfigError> {
    let Some(name) = values.typed::<Option<String>>(INTER_BROKER)? else {
        let name: String = values.typed(INTER_BROKER_PROTOCOL)?;
        let protocol = SecurityProtocol::named(&name).ok_or_else(|| {
            let message =
                format!("Invalid security protocol `{name}` defined in {INTER_BROKER_PROTOCOL}");
            ConfigError::conflict(&[INTER_BROKER_PROTOCOL], message)
        })?;
        return Ok((protocol.name().to_owned(), protocol));
    };
    if properties.contains(INTER_BROKER_PROTOCOL) {
        let message =
            format!("Only one of {INTER_BROKER} and {INTER_BROKER_PROTOCOL} should be set.");
        return Err(ConfigError::conflict(&[INTER_BROKER, INTER_BROKER_PROTOCOL], message));
    }
    let name = normalised(&name)?;
    let protocol = *protocols.get(&name).ok_or_else(|| {
        let message =
            format!("Listener with name {name} defined in {INTER_BROKER} not found in {MAP}.");
        ConfigError::conflict(&[INTER_BROKER, MAP], message)
    })?;
    Ok((name, protocol))
}

//! How many connections are allowed, and how fast they may come.
//!
//! Answers to the settings that Kafka's `ConnectionQuotas` reads. A listener's own limit is
//! `listener.name.<listener>.max.connections`, or else max.connections. Protected listeners - the
//! brokers' own where there are others, and the controllers' - are held to their own limits alone,
//! so that clients cannot lock the cluster out.

use std::collections::HashMap;
use std::net::{IpAddr, ToSocketAddrs};
use std::time::Duration;

use config::{BrokerConfig, Value};
use quota::Window;

/// A host of max.connections.per.ip.overrides that has no address.
#[derive(Debug, thiserror::Error)]
#[error("max.connections.per.ip.overrides: no address for {host}: {source}")]
pub struct UnknownHost {
    host: String,
    source: std::io::Error,
}

/// Limits of one listener.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ListenerLimits {
    /// max.connections of this listener.
    pub(crate) connections_max: usize,
    /// max.connection.creation.rate of this listener.
    pub(crate) per_second_max: i32,
    /// What the other listeners accept does not count here.
    pub(crate) is_protected: bool,
}

/// Limits of one process.
#[derive(Debug, Clone)]
pub(crate) struct Limits {
    /// max.connections
    pub(crate) connections_max: usize,
    /// max.connection.creation.rate
    pub(crate) per_second_max: i32,
    /// max.connections.per.ip
    pub(crate) per_ip_max: usize,
    /// max.connections.per.ip.overrides
    pub(crate) of_ip: HashMap<IpAddr, usize>,
    pub(crate) of_listener: HashMap<String, ListenerLimits>,
    /// quota.window.num, quota.window.size.seconds: what rates are measured over.
    pub(crate) window: Window,
    /// connections.max.idle.ms; zero or less in the file means never.
    pub(crate) idle_max: Option<Duration>,
}

impl Limits {
    pub(crate) fn of(config: &BrokerConfig) -> Result<Self, UnknownHost> {
        let mut of_ip = HashMap::new();
        for (host, limit) in &config.max_connections_per_ip_overrides {
            let found = (host.as_str(), 0).to_socket_addrs();
            let found = found.map_err(|source| UnknownHost { host: host.clone(), source })?;
            of_ip.extend(found.map(|address| (address.ip().to_canonical(), count(*limit))));
        }
        let shared = config.listeners.len() > 1;
        let clients = config.listeners.iter().map(|endpoint| {
            let is_brokers = endpoint.listener == config.inter_broker_listener_name;
            (endpoint.listener.clone(), listener(config, &endpoint.listener, is_brokers && shared))
        });
        let controllers = config.controller_listeners.iter().map(|endpoint| {
            (endpoint.listener.clone(), listener(config, &endpoint.listener, true))
        });
        let idle_ms = u64::try_from(config.connections_max_idle_ms).ok().filter(|ms| *ms > 0);
        Ok(Self {
            connections_max: count(config.max_connections),
            per_second_max: config.max_connection_creation_rate,
            per_ip_max: count(config.max_connections_per_ip),
            of_ip,
            of_listener: clients.chain(controllers).collect(),
            window: Window::new(config.quota_window_num, config.quota_window_size_seconds),
            idle_max: idle_ms.map(Duration::from_millis),
        })
    }

    pub(crate) fn of_listener(&self, name: &str) -> ListenerLimits {
        self.of_listener.get(name).copied().unwrap_or(ListenerLimits {
            connections_max: self.connections_max,
            per_second_max: self.per_second_max,
            is_protected: false,
        })
    }
}

fn listener(config: &BrokerConfig, name: &str, is_protected: bool) -> ListenerLimits {
    let number = |key: &str, of_all: i32| match config.of_listener(name, key) {
        Some(Value::Int(own)) => own,
        _ => of_all,
    };
    ListenerLimits {
        connections_max: count(number("max.connections", config.max_connections)),
        per_second_max: number("max.connection.creation.rate", config.max_connection_creation_rate),
        is_protected,
    }
}

fn count(value: i32) -> usize {
    usize::try_from(value).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use config::Properties;
    use config::broker::zero_properties;

    use super::*;

    fn limits(given: &[(&str, &str)]) -> Result<Limits, UnknownHost> {
        let mut properties: Properties = zero_properties();
        given.iter().for_each(|(name, value)| properties.set(*name, *value));
        Limits::of(&BrokerConfig::from_properties(&properties).unwrap().0)
    }

    #[test]
    fn an_override_holds_for_its_address_and_a_listener_may_have_a_limit_of_its_own() {
        let limits = limits(&[
            ("max.connections", "7"),
            ("max.connections.per.ip", "3"),
            ("max.connections.per.ip.overrides", "10.0.0.1:9,::1:4"),
            ("listener.name.plaintext.max.connections", "5"),
        ])
        .unwrap();
        assert_eq!(limits.of_ip[&IpAddr::from([10, 0, 0, 1])], 9);
        assert_eq!(limits.of_ip[&"::1".parse::<IpAddr>().unwrap()], 4);
        let clients = limits.of_listener("PLAINTEXT");
        assert_eq!((clients.connections_max, clients.is_protected), (5, false));
        let controllers = limits.of_listener("CONTROLLER");
        assert_eq!((controllers.connections_max, controllers.is_protected), (7, true));
    }

    #[test]
    fn the_brokers_listener_is_protected_where_clients_have_another() {
        let limits = limits(&[
            ("listeners", "INSIDE://:9,OUTSIDE://:8,CONTROLLER://:7"),
            (
                "listener.security.protocol.map",
                "INSIDE:PLAINTEXT,OUTSIDE:PLAINTEXT,CONTROLLER:PLAINTEXT",
            ),
            ("inter.broker.listener.name", "INSIDE"),
        ])
        .unwrap();
        assert!(limits.of_listener("INSIDE").is_protected);
        assert!(!limits.of_listener("OUTSIDE").is_protected);
    }
}

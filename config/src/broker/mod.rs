//! The configuration of one node, typed: `BrokerConfig`.
//!
//! Built in one way only, from names and texts: a file, an environment and the zero configuration
//! differ in where their `Properties` come from. Steps: `dialect` (older names and files), `Values`
//! (types and ranges), `network` (listeners), `checks` (what must fit together). A node that starts
//! asks `exposure` too, and through it `plugins` and `authorization`.
//!
//! The fields are in `fields::broker_config!`: a plain field is a key with `_` for `.`; a derived
//! one says what it is made of. Defaults of topics are not here but in `TopicConfig`.
//!
//! Answers to KafkaConfig and AbstractKafkaConfig.

mod authorization;
mod checks;
mod dialect;
mod exposition;
mod exposure;
mod fields;
mod group_checks;
mod kerberos;
mod network;
mod oauthbearer;
mod plugins;
mod sasl;
mod tls_listeners;

use crate::keys::Table;
use crate::zookeeper::ZooKeeperPart;
use crate::{ConfigError, Properties, Value, Values, Warning};

pub use authorization::AuthorizerSettings;
pub(crate) use dialect::is_known_name;
pub use exposition::MetricsListener;
pub use fields::{BrokerConfig, FIELDS};
pub use oauthbearer::JwksEndpoint;
pub use sasl::{LoginFile, Sasl, SaslListener};
pub use tls_listeners::TlsListener;

/// What a process is in its cluster.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ProcessRoles {
    pub broker: bool,
    pub controller: bool,
}

impl BrokerConfig {
    /// Reads what a file, an environment or a command line gave.
    pub fn from_properties(given: &Properties) -> Result<(Self, Vec<Warning>), ConfigError> {
        let (mut properties, mut warnings, part) = dialect::translate(given)?;
        exposure::map_controllers(given, &mut properties);
        let config = Self::from_translated(properties, part)?;
        let has_authorizer = config.authorizer().is_some();
        let is_read = |name: &str| {
            Self::is_own_key(name) || has_authorizer && authorization::OWN_KEYS.contains(&name)
        };
        warnings
            .retain(|warning| !matches!(warning, Warning::UnknownName { name } if is_read(name)));
        warnings.extend(plugins::notice(&config));
        warnings.extend(checks::advice(&config));
        Ok((config, warnings))
    }

    /// The configuration of a node that was given none: broker and controller in one on
    /// localhost:9092, with its data in ./gregor-data.
    pub fn zero_configuration() -> Result<(Self, Vec<Warning>), ConfigError> {
        Self::from_properties(&zero_properties())
    }

    /// The controller that a zookeeper.properties comes to.
    pub(crate) fn of_zookeeper_service(
        properties: &Properties,
        part: ZooKeeperPart,
    ) -> Result<Self, ConfigError> {
        let (properties, _, _) = dialect::translate(properties)?;
        Self::from_translated(properties, part)
    }

    /// Builds the configuration from properties that are already in the words of 4.3.
    fn from_translated(properties: Properties, part: ZooKeeperPart) -> Result<Self, ConfigError> {
        let values = Values::read(Table::Broker, &properties)?;
        let derived = fields::Derived::from_values(&values, properties, part)?;
        let mut config = Self::assemble(values, derived)?;
        checks::check(&config)?;
        config.sasl = Sasl::of(&config);
        config.tls_listeners.extend(exposition::tls_listener(&config));
        Ok(config)
    }

    /// What the node would be if its dynamic settings were these. Settings that a broker may not
    /// have are left out; they are what `dynamic::validate` refuses.
    pub fn with_dynamic(
        &self,
        cluster_defaults: &Properties,
        own: &Properties,
    ) -> Result<Self, ConfigError> {
        let cluster_defaults = crate::dynamic::applicable(cluster_defaults, false);
        let own = crate::dynamic::applicable(own, true);
        let mut properties = self.static_properties.clone();
        crate::dynamic::overlay(&mut properties, &cluster_defaults);
        crate::dynamic::overlay(&mut properties, &own);
        let mut config = Self::from_translated(properties, self.zookeeper.clone())?;
        config.static_properties = self.static_properties.clone();
        config.dynamic_defaults = cluster_defaults;
        config.dynamic_own = own;
        config.login_file = self.login_file.clone();
        config.sasl = Sasl::of(&config);
        Ok(config)
    }

    /// Values of every broker key, dynamic settings included.
    pub fn values(&self) -> &Values {
        &self.values
    }

    /// A setting of one listener: `listener.name.<listener>.<key>`, dynamic or of the file, or else
    /// what holds for all.
    pub fn of_listener(&self, listener: &str, name: &str) -> Option<Value> {
        let key = Table::Broker.key(name)?;
        let prefixed = format!("listener.name.{}.{name}", listener.to_lowercase());
        let layers = [&self.dynamic_own, &self.dynamic_defaults, &self.static_properties];
        let own = layers.iter().find_map(|layer| layer.get(&prefixed));
        own.and_then(|text| key.parse(text).ok()).or_else(|| self.values.get(name).cloned())
    }

    /// Whether a setting was made for this listener alone.
    pub fn is_set_for_listener(&self, listener: &str, name: &str) -> bool {
        let prefixed = format!("listener.name.{}.{name}", listener.to_lowercase());
        let layers = [&self.dynamic_own, &self.dynamic_defaults, &self.static_properties];
        layers.iter().any(|layer| layer.contains(&prefixed))
    }

    /// The name of the listener by which brokers reach one another, as far as this node can tell of
    /// others: what it uses itself, or was told. A controller alone that was told nothing does not
    /// know.
    pub fn listener_of_brokers(&self) -> Option<&str> {
        let told = ["inter.broker.listener.name", "security.inter.broker.protocol"];
        let is_told = told.iter().any(|name| self.static_properties.contains(name));
        (self.process_roles.broker || is_told).then_some(&*self.inter_broker_listener_name)
    }

    /// A throttle that only a dynamic setting sets, in bytes a second.
    pub fn throttle(&self, name: &str) -> i64 {
        let set = self.dynamic_own.get(name).or_else(|| self.dynamic_defaults.get(name));
        set.and_then(|text| text.trim().parse().ok()).unwrap_or(i64::MAX)
    }

    /// What the node was started with, in the words of 4.3.
    pub fn static_properties(&self) -> &Properties {
        &self.static_properties
    }

    /// Dynamic settings of the whole cluster that this node obeys.
    pub fn dynamic_defaults(&self) -> &Properties {
        &self.dynamic_defaults
    }

    /// Dynamic settings of this node alone that it obeys.
    pub fn dynamic_own(&self) -> &Properties {
        &self.dynamic_own
    }
}

/// What the zero configuration says; also where a first server.properties may start from.
pub fn zero_properties() -> Properties {
    Properties::from_iter([
        ("node.id", "1"),
        ("process.roles", "broker,controller"),
        ("listeners", "PLAINTEXT://localhost:9092,CONTROLLER://localhost:9093"),
        ("controller.listener.names", "CONTROLLER"),
        ("controller.quorum.voters", "1@localhost:9093"),
        ("log.dirs", "gregor-data"),
        ("offsets.topic.replication.factor", "1"),
        ("transaction.state.log.replication.factor", "1"),
        ("transaction.state.log.min.isr", "1"),
        ("share.coordinator.state.topic.replication.factor", "1"),
        ("share.coordinator.state.topic.min.isr", "1"),
    ])
}

#[cfg(test)]
mod tests;

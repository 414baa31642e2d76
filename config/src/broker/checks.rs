//! What the values of one node must satisfy together.
//!
//! Answers to KafkaConfig.validateValues; the texts are Kafka's, without the `requirement failed: `
//! that Scala puts before most of them.

use super::BrokerConfig;
use super::fields::ALL_DIRS;
use super::group_checks::check_groups;
use crate::endpoint::normalised;
use crate::keys::{Key, Table};
use crate::synonyms::below_listener;
use crate::topic::TopicConfig;
use crate::{ConfigError, Endpoint, SecurityProtocol, Value, Warning};

const ROLES: &str = "process.roles";
const VOTERS: &str = "controller.quorum.voters";
const SERVERS: &str = "controller.quorum.bootstrap.servers";
const CONTROLLER_NAMES: &str = "controller.listener.names";
const LISTENERS: &str = "listeners";
const ADVERTISED: &str = "advertised.listeners";
const AUTO_JOIN: &str = "controller.quorum.auto.join.enable";
const CORDONED: &str = "cordoned.log.dirs";
const MAP: &str = "listener.security.protocol.map";

fn require(
    holds: bool,
    names: &[&'static str],
    message: impl FnOnce() -> String,
) -> Result<(), ConfigError> {
    if holds {
        return Ok(());
    }
    Err(ConfigError::Requirement { names: names.to_vec(), message: message() })
}

/// A check that Kafka does not write as a `require`.
fn ensure(
    holds: bool,
    names: &[&'static str],
    message: impl FnOnce() -> String,
) -> Result<(), ConfigError> {
    if holds {
        return Ok(());
    }
    Err(ConfigError::conflict(names, message()))
}

pub(super) fn check(config: &BrokerConfig) -> Result<(), ConfigError> {
    check_values(config)?;
    match (config.process_roles.broker, config.process_roles.controller) {
        (true, false) => check_broker_only(config)?,
        (false, true) => check_controller_only(config)?,
        _ => {
            check_quorum_is_named(config)?;
            check_controller(config)?;
        }
    }
    if config.process_roles.broker {
        check_broker(config)?;
    }
    check_advertised_hosts(&config.advertised_listeners)?;
    check_advertised_hosts(&config.advertised_controller_listeners)?;
    check_connections(config)
}

fn check_values(config: &BrokerConfig) -> Result<(), ConfigError> {
    let values = &config.values;
    ensure(values.get("broker.id") == values.get("node.id"), &["node.id", "broker.id"], || {
        "You must set `node.id` to the same value as `broker.id`.".to_owned()
    })?;
    check_listener_values(config)?;
    let defaults = TopicConfig::defaults(config);
    require(defaults.segment_ms >= 1, &["log.roll.ms"], || {
        "log.roll.ms must be greater than or equal to 1".to_owned()
    })?;
    require(defaults.segment_jitter_ms >= 0, &["log.roll.jitter.ms"], || {
        "log.roll.jitter.ms must be greater than or equal to 0".to_owned()
    })?;
    let retention = defaults.retention_ms;
    require(retention >= 1 || retention == -1, &["log.retention.ms"], || {
        "log.retention.ms must be unlimited (-1) or, greater than or equal to 1".to_owned()
    })?;
    require(!config.log_dirs.is_empty(), &["log.dirs", "log.dir"], || {
        "At least one log directory must be defined via log.dirs or log.dir.".to_owned()
    })?;
    let dedupe: i64 = values.typed("log.cleaner.dedupe.buffer.size")?;
    let cleaners = i64::from(values.typed::<i32>("log.cleaner.threads")?.max(1));
    require(dedupe / cleaners > 1 << 20, &["log.cleaner.dedupe.buffer.size"], || {
        "log.cleaner.dedupe.buffer.size must be at least 1MB per cleaner thread.".to_owned()
    })?;
    let wait = config.replica_fetch_wait_max_ms;
    require(wait <= config.replica_socket_timeout_ms, &["replica.socket.timeout.ms"], || {
        "replica.socket.timeout.ms should always be at least replica.fetch.wait.max.ms to prevent \
         unnecessary socket timeouts"
            .to_owned()
    })?;
    let lag = config.replica_lag_time_max_ms;
    require(i64::from(wait) <= lag, &["replica.fetch.wait.max.ms"], || {
        "replica.fetch.wait.max.ms should always be less than or equal to replica.lag.time.max.ms \
         to prevent frequent changes in ISR"
            .to_owned()
    })?;
    let protocols = &config.group_coordinator_rebalance_protocols;
    let classic = protocols.iter().any(|name| name == "classic");
    ensure(classic, &["group.coordinator.rebalance.protocols"], || {
        "Disabling the 'classic' protocol is not supported.".to_owned()
    })?;
    check_groups(config)?;
    check_cordoned_dirs(config)
}

/// Cordoned directories are directories of this node, or `*` alone.
fn check_cordoned_dirs(config: &BrokerConfig) -> Result<(), ConfigError> {
    let cordoned: Vec<String> = config.values.typed(CORDONED)?;
    if cordoned.iter().any(|dir| dir == ALL_DIRS) {
        return require(cordoned.len() == 1, &[CORDONED], || {
            format!("When {CORDONED} is set to {ALL_DIRS}, it must not contain other values")
        });
    }
    let unknown: Vec<&str> =
        cordoned.iter().filter(|dir| !config.log_dirs.contains(dir)).map(String::as_str).collect();
    require(unknown.is_empty(), &[CORDONED, "log.dirs", "log.dir"], || {
        format!(
            "All entries in {CORDONED} must be present in log.dirs or log.dir. Missing entries : \
             {}",
            unknown.join(", ")
        )
    })
}

/// A listener's own settings (`listener.name.<listener>.<key>`) obey the rules of their keys.
fn check_listener_values(config: &BrokerConfig) -> Result<(), ConfigError> {
    config.static_properties.iter().try_for_each(|(name, text)| {
        match below_listener(name).and_then(|base| Table::Broker.key(base)) {
            Some(key) => key.parse_as(name, text).map(drop),
            None => Ok(()),
        }
    })
}

fn check_quorum_is_named(config: &BrokerConfig) -> Result<(), ConfigError> {
    let named = !config.controller_quorum_voters.is_empty()
        || !config.controller_quorum_bootstrap_servers.is_empty();
    ensure(named, &[VOTERS, SERVERS], || {
        format!(
            "If using {ROLES}, either {SERVERS} must contain the set of bootstrap controllers or \
             {VOTERS} must contain a parseable set of controllers."
        )
    })
}

fn voter_ids(config: &BrokerConfig) -> String {
    let ids: Vec<_> =
        config.controller_quorum_voters.iter().map(|voter| voter.id.to_string()).collect();
    format!("Set({})", ids.join(", "))
}

fn is_voter(config: &BrokerConfig) -> bool {
    config.controller_quorum_voters.iter().any(|voter| voter.id == config.node_id)
}

fn check_broker_only(config: &BrokerConfig) -> Result<(), ConfigError> {
    check_quorum_is_named(config)?;
    require(!is_voter(config), &[ROLES, VOTERS], || {
        format!(
            "If {ROLES} contains just the 'broker' role, the node id {} must not be included in \
             the set of voters {VOTERS}={}",
            config.node_id,
            voter_ids(config)
        )
    })?;
    require(!config.controller_listener_names.is_empty(), &[CONTROLLER_NAMES], || {
        format!(
            "{CONTROLLER_NAMES} must contain at least one value when running KRaft with just the \
             broker role"
        )
    })?;
    require(config.controller_listeners.is_empty(), &[CONTROLLER_NAMES, LISTENERS], || {
        format!(
            "{CONTROLLER_NAMES} must not contain a value appearing in the '{LISTENERS}' \
             configuration when running KRaft with just the broker role"
        )
    })?;
    let map = &config.listener_security_protocol_map;
    for name in &config.controller_listener_names {
        let name = normalised(name)?;
        ensure(map.contains_key(&name), &[CONTROLLER_NAMES, MAP], || {
            format!(
                "Controller listener with name {name} defined in {CONTROLLER_NAMES} not found in \
                 {MAP}  (an explicit security mapping for each controller listener is required if \
                 {MAP} is non-empty, or if there are security protocols other than PLAINTEXT in \
                 use)"
            )
        })?;
    }
    require(!config.controller_quorum_auto_join_enable, &[AUTO_JOIN, ROLES], || {
        format!("{AUTO_JOIN} is only supported when {ROLES} contains the 'controller' role.")
    })?;
    Ok(())
}

fn check_controller_only(config: &BrokerConfig) -> Result<(), ConfigError> {
    check_quorum_is_named(config)?;
    let all = config.listeners.len() + config.controller_listeners.len();
    require(config.advertised_controller_listeners.len() == all, &[LISTENERS], || {
        format!(
            "The {LISTENERS} config must only contain KRaft controller listeners from \
             {CONTROLLER_NAMES} when {ROLES}=controller"
        )
    })?;
    let explicit = config.values.get("inter.broker.listener.name") != Some(&Value::Null);
    let shared = config.controller_listener_names.contains(&config.inter_broker_listener_name);
    require(!(explicit && shared), &[CONTROLLER_NAMES, "inter.broker.listener.name"], || {
        format!(
            "{CONTROLLER_NAMES} must not contain an explicitly set inter.broker.listener.name \
             configuration value when {ROLES}=controller'"
        )
    })?;
    check_controller(config)
}

fn check_controller(config: &BrokerConfig) -> Result<(), ConfigError> {
    let listed = config.controller_quorum_voters.is_empty() || is_voter(config);
    require(listed, &[ROLES, VOTERS], || {
        format!(
            "If {ROLES} contains the 'controller' role, the node id {} must be included in the \
             set of voters {VOTERS}={}",
            config.node_id,
            voter_ids(config)
        )
    })?;
    let advertised = !config.advertised_controller_listeners.is_empty();
    require(advertised, &[CONTROLLER_NAMES, LISTENERS], || {
        format!(
            "{CONTROLLER_NAMES} must contain at least one value appearing in the '{LISTENERS}' \
             configuration when running the KRaft controller role"
        )
    })?;
    let is_listener =
        |name: &String| config.controller_listeners.iter().any(|each| each.listener == *name);
    let all = config.controller_listener_names.iter().all(is_listener);
    require(all, &[CONTROLLER_NAMES, LISTENERS], || {
        format!(
            "{CONTROLLER_NAMES} must only contain values appearing in the '{LISTENERS}' \
             configuration when running the KRaft controller role"
        )
    })
}

fn names(endpoints: &[Endpoint]) -> String {
    let names: Vec<_> = endpoints.iter().map(|each| each.listener.as_str()).collect();
    names.join(",")
}

fn check_broker(config: &BrokerConfig) -> Result<(), ConfigError> {
    let advertised = &config.advertised_listeners;
    require(!advertised.is_empty(), &[ADVERTISED, LISTENERS], || {
        format!(
            "There must be at least one broker advertised listener. Perhaps all listeners appear \
             in {CONTROLLER_NAMES}?"
        )
    })?;
    let inter_broker =
        advertised.iter().any(|each| each.listener == config.inter_broker_listener_name);
    require(inter_broker, &["inter.broker.listener.name", ADVERTISED], || {
        format!(
            "inter.broker.listener.name must be a listener name defined in {ADVERTISED}. The \
             valid options based on currently configured listeners are {}",
            names(advertised)
        )
    })?;
    let all: Vec<Endpoint> = config.own_endpoints().cloned().collect();
    let is_listener = |endpoint: &Endpoint| config.own_endpoint(&endpoint.listener).is_some();
    require(advertised.iter().all(is_listener), &[ADVERTISED, LISTENERS], || {
        format!(
            "{ADVERTISED} listener names must be equal to or a subset of the ones defined in \
             {LISTENERS}. Found {}. The valid options based on the current configuration are {}",
            names(advertised),
            names(&all)
        )
    })
}

fn check_advertised_hosts(endpoints: &[Endpoint]) -> Result<(), ConfigError> {
    let routable = !endpoints.iter().any(|each| each.host.as_deref() == Some("0.0.0.0"));
    require(routable, &[ADVERTISED], || {
        format!(
            "{ADVERTISED} cannot use the nonroutable meta-address 0.0.0.0. Use a routable IP \
             address."
        )
    })
}

fn check_connections(config: &BrokerConfig) -> Result<(), ConfigError> {
    let values = &config.values;
    let uses_sasl = matches!(
        config.inter_broker_security_protocol,
        SecurityProtocol::SaslPlaintext | SecurityProtocol::SaslSsl
    );
    let prefixed = format!(
        "listener.name.{}.sasl.enabled.mechanisms",
        config.inter_broker_listener_name.to_lowercase()
    );
    let mechanism: String = values.typed("sasl.mechanism.inter.broker.protocol")?;
    let enabled = match config.static_properties.get(&prefixed) {
        Some(text) => crate::endpoint::csv(text),
        None => values.typed("sasl.enabled.mechanisms")?,
    };
    let fits = !uses_sasl || enabled.contains(&mechanism);
    require(fits, &["sasl.mechanism.inter.broker.protocol", "sasl.enabled.mechanisms"], || {
        "sasl.mechanism.inter.broker.protocol must be included in sasl.enabled.mechanisms when \
         SASL is used for inter-broker communication"
            .to_owned()
    })?;
    let queued = config.queued_max_request_bytes;
    let fits = queued <= 0 || queued >= i64::from(config.socket_request_max_bytes);
    require(fits, &["queued.max.request.bytes"], || {
        "queued.max.request.bytes must be larger or equal to socket.request.max.bytes".to_owned()
    })?;
    let overrides = &config.max_connections_per_ip_overrides;
    let fits = config.max_connections_per_ip != 0 || !overrides.is_empty();
    require(fits, &["max.connections.per.ip"], || {
        "max.connections.per.ip can be set to zero only if max.connections.per.ip.overrides \
         property is set."
            .to_owned()
    })?;
    let idle = config.connections_max_idle_ms;
    let delay: i32 = values.typed("connection.failed.authentication.delay.ms")?;
    require(idle < 0 || i64::from(delay) < idle, &["connections.max.idle.ms"], || {
        format!(
            "connection.failed.authentication.delay.ms={delay} should always be less than \
             connections.max.idle.ms={idle} to prevent failed authentication responses from \
             timing out"
        )
    })
}

/// What works, but probably not as its owner thinks.
pub(super) fn advice(config: &BrokerConfig) -> Vec<Warning> {
    let mut advice = Vec::new();
    let broker_only = config.process_roles.broker && !config.process_roles.controller;
    let names = &config.controller_listener_names;
    if broker_only && names.len() > 1 {
        advice.push(format!(
            "{CONTROLLER_NAMES} has multiple entries; only the first will be used since \
             {ROLES}=broker: [{}]",
            names.join(", ")
        ));
    }
    advice.extend(of_the_service(config));
    advice.into_iter().map(|message| Warning::Advice { message }).collect()
}

/// What a broker of the ZooKeeper era decided as the controller, and its service decides now.
fn of_the_service(config: &BrokerConfig) -> Vec<String> {
    const DYNAMIC: &str = "unclean.leader.election.enable";
    const DECIDED: &[&str] =
        &["auto.leader.rebalance.enable", "leader.imbalance.check.interval.seconds", DYNAMIC];
    if config.zookeeper.broker().is_none() {
        return Vec::new();
    }
    let differs = |name: &&&str| {
        let default = Table::Broker.key(name).and_then(Key::default_value);
        default.as_ref() != config.values.get(name)
    };
    let say = |name: &&str| {
        let how = match *name == DYNAMIC {
            true => {
                "; for the whole cluster it is set by `kafka-configs --alter --entity-type brokers \
                 --entity-default`"
            }
            false => "",
        };
        format!("{name} has no effect in a broker's file: the ZooKeeper service decides{how}.")
    };
    DECIDED.iter().filter(differs).map(say).collect()
}

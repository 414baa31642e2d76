//! What a configuration of any age says, in the words of 4.1.
//!
//! - broker.id and node.id stand for each other.
//! - A key of an older Kafka sets the keys that have its meaning today, unless these are set.
//! - A size that Kafka 3 allowed and Kafka 4 refuses is raised to the least that is allowed.
//! - A file of the ZooKeeper era (zookeeper.connect without process.roles) is a node that is broker
//!   and controller in one. Its controller listens on localhost at the port of zookeeper.connect.

use crate::endpoint::csv;
use crate::keys::{Effect, Key, Table, is_quiet};
use crate::synonyms::below_listener;
use crate::{ConfigError, Properties, Warning};

/// The id of a node that ZooKeeper would have drawn an id for (reserved.broker.max.id + 1).
const GENERATED_ID: i32 = 1001;

pub(super) fn translate(given: &Properties) -> Result<(Properties, Vec<Warning>), ConfigError> {
    let mut warnings = notice(given);
    let mut properties = given.clone();
    map_legacy(given, &mut properties);
    raise_sizes(&mut properties, &mut warnings);
    if !given.contains("process.roles") && given.contains("zookeeper.connect") {
        warnings.push(leave_zookeeper(&mut properties)?);
    }
    match (given.get("broker.id"), properties.get("node.id").map(str::to_owned)) {
        (None, Some(node_id)) => properties.set("broker.id", node_id),
        (Some(broker_id), None) => properties.set("node.id", broker_id),
        _ => {}
    }
    Ok((properties, warnings))
}

/// One warning for every name that is unknown, old, or set without effect.
fn notice(given: &Properties) -> Vec<Warning> {
    let notice_one = |(name, value): (&str, &str)| {
        let Some(key) = known_key(name) else {
            let unknown = !is_known_name(name);
            return unknown.then(|| Warning::UnknownName { name: name.to_owned() });
        };
        match key.effect {
            Effect::Legacy { maps_to: [] } if name == "zookeeper.connect" => None,
            Effect::Legacy { maps_to: [] } => {
                Some(Warning::Ignored { name: name.to_owned(), why: key.doc.trim_end_matches('.') })
            }
            Effect::Legacy { maps_to } => Some(Warning::Renamed { name: name.to_owned(), maps_to }),
            Effect::Ignored(why) => {
                let is_default = key.parse(value).ok() == key.default_value();
                let silent = is_default || is_quiet(why);
                (!silent).then(|| Warning::Ignored { name: name.to_owned(), why })
            }
            Effect::Acts { .. } => None,
        }
    };
    given.iter().filter_map(notice_one).collect()
}

fn known_key(name: &str) -> Option<&'static Key> {
    let base = below_listener(name).unwrap_or(name);
    Table::Broker.key(base).or_else(|| Table::LegacyBroker.key(base))
}

/// Whether a name means something to a Kafka of any age.
pub(crate) fn is_known_name(name: &str) -> bool {
    let prefixed = || below_listener(name).is_some() || is_configuration_of_plugin(name);
    known_key(name).is_some() || prefixed()
}

/// Names that belong to plug-ins of Kafka, which are none of a broker's own.
fn is_configuration_of_plugin(name: &str) -> bool {
    ["config.providers", "rsm.config.", "rlmm.config."].iter().any(|each| name.starts_with(each))
}

fn map_legacy(given: &Properties, properties: &mut Properties) {
    for key in Table::LegacyBroker.keys() {
        let (Some(value), Effect::Legacy { maps_to }) = (given.get(key.name), key.effect) else {
            continue;
        };
        for target in maps_to.iter().filter(|target| !given.contains(target)) {
            properties.set(*target, value);
        }
    }
}

/// Unlike Kafka: 4.x refuses a file with these sizes; a change while running is refused here too.
fn raise_sizes(properties: &mut Properties, warnings: &mut Vec<Warning>) {
    const RAISED: &[(&str, i32, i32)] =
        &[("log.segment.bytes", 14, 1 << 20), ("metadata.log.segment.bytes", 12, 8 << 20)];
    for (name, least_then, least_now) in RAISED {
        let Some(text) = properties.get(name).map(str::to_owned) else {
            continue;
        };
        let allowed_then = |size: &i32| (*least_then..*least_now).contains(size);
        if text.trim().parse().ok().filter(allowed_then).is_some() {
            let raised_to = least_now.to_string();
            properties.set(*name, raised_to.clone());
            warnings.push(Warning::Raised { name: (*name).to_owned(), value: text, raised_to });
        }
    }
}

fn leave_zookeeper(properties: &mut Properties) -> Result<Warning, ConfigError> {
    const LISTENER: &str = "CONTROLLER";
    let id = properties.get("node.id").or_else(|| properties.get("broker.id"));
    let node_id = match id {
        None => GENERATED_ID,
        Some(text) => match text.trim().parse() {
            Ok(-1) => GENERATED_ID,
            Ok(id) => id,
            Err(_) => {
                let allowed = "Not a number of type INT";
                return Err(ConfigError::invalid("broker.id", text, allowed));
            }
        },
    };
    let connect = properties.get("zookeeper.connect").unwrap_or("").to_owned();
    let controller_port = zookeeper_port(&connect)?;
    let listeners = properties.get("listeners").unwrap_or("PLAINTEXT://:9092");
    let listeners = format!("{listeners},{LISTENER}://localhost:{controller_port}");
    properties.set("listeners", listeners);
    if let Some(map) = properties.get("listener.security.protocol.map") {
        let map = format!("{map},{LISTENER}:PLAINTEXT");
        properties.set("listener.security.protocol.map", map);
    }
    properties.set("process.roles", "broker,controller");
    properties.set("controller.listener.names", LISTENER);
    properties.set("controller.quorum.voters", format!("{node_id}@localhost:{controller_port}"));
    properties.set("node.id", node_id.to_string());
    properties.set("broker.id", node_id.to_string());
    Ok(Warning::ZooKeeperEra { node_id, controller_port })
}

/// The port of the first address of `host:port,host:port/chroot`; 2181 where none is given.
fn zookeeper_port(connect: &str) -> Result<u16, ConfigError> {
    let addresses = connect.split_once('/').map_or(connect, |(addresses, _)| addresses);
    let first = csv(addresses).into_iter().next().unwrap_or_default();
    match first.rsplit_once(':') {
        None => Ok(2181),
        Some((_, port)) => port.parse().map_err(|_| {
            let allowed = "a comma separated list of host:port is expected";
            ConfigError::invalid("zookeeper.connect", connect, allowed)
        }),
    }
}

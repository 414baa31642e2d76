//! What a configuration of any age says, in the words of 4.3.
//!
//! - broker.id and node.id stand for each other.
//! - A key of an older Kafka sets the keys that have its meaning today, unless these are set.
//! - A size that Kafka 3 allowed and Kafka 4 refuses is raised to the least that is allowed.
//! - A file of the ZooKeeper era (zookeeper.connect without process.roles) is a broker whose
//!   controllers are at the addresses of zookeeper.connect.

use std::sync::Arc;

use crate::keys::{Effect, Key, Table, is_quiet};
use crate::synonyms::below_listener;
use crate::zookeeper::{Connect, LISTENER, ZooKeeperPart};
use crate::{Address, ConfigError, Properties, Warning};

type Translated = (Properties, Vec<Warning>, ZooKeeperPart);

pub(super) fn translate(given: &Properties) -> Result<Translated, ConfigError> {
    let mut warnings = notice(given);
    warnings.extend(repeated(given));
    let mut properties = given.clone();
    map_legacy(given, &mut properties);
    raise_sizes(&mut properties, &mut warnings);
    let mut part = ZooKeeperPart::None;
    if let Some(connect) = Connect::of(given)? {
        leave_zookeeper(&connect, &mut properties);
        part = ZooKeeperPart::Broker(Arc::new(connect));
    }
    match (given.get("broker.id"), properties.get("node.id").map(str::to_owned)) {
        (None, Some(node_id)) => properties.set("broker.id", node_id),
        (Some(broker_id), None) => properties.set("node.id", broker_id),
        _ => {}
    }
    Ok((properties, warnings, part))
}

/// Names of old that a file of the ZooKeeper era is still obeyed in.
const OBEYED: &[&str] = &[
    "broker.id.generation.enable",
    "reserved.broker.max.id",
    "zookeeper.connect",
    "zookeeper.connection.timeout.ms",
    "zookeeper.session.timeout.ms",
];

/// One warning for every name that is unknown, old, or set without effect.
fn notice(given: &Properties) -> Vec<Warning> {
    let is_old = !given.contains("process.roles") && given.contains("zookeeper.connect");
    let notice_one = |(name, value): (&str, &str)| {
        let Some(key) = known_key(name) else {
            let unknown = !is_known_name(name);
            return unknown.then(|| Warning::UnknownName { name: name.to_owned() });
        };
        match key.effect {
            Effect::Legacy { maps_to: [] } if is_old && OBEYED.contains(&name) => None,
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

/// A warning for every list that names something more than once.
fn repeated(given: &Properties) -> Vec<Warning> {
    let repeats = |(name, text): (&str, &str)| {
        let (given, read) = Table::Broker.key(name)?.repeated(text)?;
        Some(Warning::Repeated { name: name.to_owned(), given, read })
    };
    given.iter().filter_map(repeats).collect()
}

fn known_key(name: &str) -> Option<&'static Key> {
    let base = below_listener(name).unwrap_or(name);
    let tables = [Table::Broker, Table::LegacyBroker, Table::Own];
    tables.iter().find_map(|table| table.key(base))
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

/// The controllers are where the file has its ZooKeeper, unless voters are named (by whoever has
/// asked them). An id that is still to be drawn counts as the first that could be.
fn leave_zookeeper(connect: &Connect, properties: &mut Properties) {
    let node_id = connect.broker_id.unwrap_or_else(|| connect.reserved_max_id.saturating_add(1));
    let listener = listener_name(properties);
    if let Some(map) = properties.get("listener.security.protocol.map") {
        let map = format!("{map},{listener}:PLAINTEXT");
        properties.set("listener.security.protocol.map", map);
    }
    properties.set("process.roles", "broker");
    properties.set("controller.listener.names", listener);
    if !properties.contains("controller.quorum.voters") {
        let servers: Vec<_> = connect.servers.iter().map(host_and_port).collect();
        properties.set("controller.quorum.bootstrap.servers", servers.join(","));
    }
    properties.set("node.id", node_id.to_string());
    properties.set("broker.id", node_id.to_string());
}

/// A name that no listener of the file has.
fn listener_name(properties: &Properties) -> String {
    let texts = ["listeners", "advertised.listeners", "listener.security.protocol.map"];
    let taken = |name: &str| {
        let begins = |text: &str| {
            let mut entries = text.split(',').map(|entry| entry.trim().to_uppercase());
            entries.any(|entry| entry.starts_with(&format!("{name}:")))
        };
        texts.iter().any(|key| properties.get(key).is_some_and(begins))
    };
    let mut name = LISTENER.to_owned();
    while taken(&name) {
        name.push_str("_QUORUM");
    }
    name
}

fn host_and_port(address: &Address) -> String {
    match address.host.contains(':') {
        true => format!("[{}]:{}", address.host, address.port),
        false => format!("{}:{}", address.host, address.port),
    }
}

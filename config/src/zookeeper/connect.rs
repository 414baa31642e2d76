//! `zookeeper.connect=host:port,host:port/chroot`: where a broker of that era finds its cluster.
//!
//! Answers to ZooKeeper's ConnectStringParser: the chroot stands once, behind the last address, and
//! holds for all; a port that is not said is 2181.

use std::time::Duration;

use crate::endpoint::csv;
use crate::{Address, ConfigError, Properties};

use super::FIRST_SERVICE_ID;

const CONNECT: &str = "zookeeper.connect";
const TLS: &str = "zookeeper.ssl.client.enable";
const DEFAULT_PORT: u16 = 2181;
/// zookeeper.session.timeout.ms of Kafka 3.
const DEFAULT_TIMEOUT_MS: u64 = 18_000;

/// What a broker's file says of the service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Connect {
    pub servers: Vec<Address>,
    /// `/kafka`; empty where none is said. It names the cluster among those of the service.
    pub chroot: String,
    /// zookeeper.connection.timeout.ms, or zookeeper.session.timeout.ms.
    pub timeout: Duration,
    /// The id of this broker; nothing where the service is to draw one.
    pub broker_id: Option<i32>,
    /// reserved.broker.max.id: ids that are drawn are above it.
    pub reserved_max_id: i32,
}

impl Connect {
    /// Nothing where the file is not of the ZooKeeper era.
    pub fn of(given: &Properties) -> Result<Option<Self>, ConfigError> {
        if given.contains("process.roles") || !given.contains(CONNECT) {
            return Ok(None);
        }
        let text = given.get(CONNECT).unwrap_or_default().trim();
        let (addresses, chroot) = match text.find('/') {
            Some(at) => text.split_at(at),
            None => (text, ""),
        };
        let servers = csv(addresses).into_iter().map(|each| address(&each, text));
        let servers = servers.collect::<Result<Vec<_>, _>>()?;
        if servers.is_empty() {
            let allowed = "a comma separated list of host:port is expected";
            return Err(ConfigError::invalid(CONNECT, text, allowed));
        }
        let chroot = checked_chroot(chroot, text)?;
        if let Some(on) = given.get(TLS).filter(|on| on.trim().eq_ignore_ascii_case("true")) {
            let allowed = "what stands in for ZooKeeper speaks plain text only";
            return Err(ConfigError::invalid(TLS, on, allowed));
        }
        let reserved_max_id = number(given, "reserved.broker.max.id")?.unwrap_or(1000);
        Ok(Some(Self {
            servers,
            chroot,
            timeout: timeout(given)?,
            broker_id: broker_id(given, reserved_max_id)?,
            reserved_max_id,
        }))
    }
}

fn address(entry: &str, whole: &str) -> Result<Address, ConfigError> {
    let wrong = || {
        let allowed = "a comma separated list of host:port is expected";
        ConfigError::invalid(CONNECT, whole, allowed)
    };
    let (host, port) = match entry.strip_prefix('[') {
        Some(bracketed) => {
            let (host, rest) = bracketed.split_once(']').ok_or_else(wrong)?;
            (host, rest.strip_prefix(':'))
        }
        None => match entry.rsplit_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (entry, None),
        },
    };
    let port = match port {
        None => DEFAULT_PORT,
        Some(port) => port.trim().parse().map_err(|_| wrong())?,
    };
    if host.is_empty() || port == 0 {
        return Err(wrong());
    }
    Ok(Address { host: host.to_owned(), port })
}

/// A path of ZooKeeper; `/` alone is none.
fn checked_chroot(chroot: &str, whole: &str) -> Result<String, ConfigError> {
    let trimmed = chroot.trim_end_matches('/');
    let is_path = trimmed.split('/').skip(1).all(|part| !matches!(part, "" | "." | ".."));
    let printable = !trimmed.chars().any(char::is_control) && trimmed.len() <= 512;
    let single = trimmed.is_empty() || trimmed == chroot;
    if !is_path || !printable || !single {
        let allowed = "Invalid path string: a chroot has the form /name/name";
        return Err(ConfigError::invalid(CONNECT, whole, allowed));
    }
    Ok(trimmed.to_owned())
}

fn number(given: &Properties, name: &'static str) -> Result<Option<i32>, ConfigError> {
    let Some(text) = given.get(name).map(str::trim) else { return Ok(None) };
    let parsed =
        text.parse().map_err(|_| ConfigError::invalid(name, text, "Not a number of type INT"))?;
    Ok(Some(parsed))
}

fn timeout(given: &Properties) -> Result<Duration, ConfigError> {
    let connection = number(given, "zookeeper.connection.timeout.ms")?;
    let session = number(given, "zookeeper.session.timeout.ms")?;
    let ms = connection.or(session).and_then(|ms| u64::try_from(ms).ok());
    Ok(Duration::from_millis(ms.unwrap_or(DEFAULT_TIMEOUT_MS)))
}

/// broker.id, or node.id where that one leaves it to be drawn. KafkaConfig.validateValues: a
/// broker.id is not one of those that are drawn.
fn broker_id(given: &Properties, reserved_max_id: i32) -> Result<Option<i32>, ConfigError> {
    let generation = given.get("broker.id.generation.enable").unwrap_or("true");
    let generates = !generation.trim().eq_ignore_ascii_case("false");
    let own = number(given, "broker.id")?.filter(|id| *id != -1);
    let Some(id) = own.or(number(given, "node.id")?) else {
        return if generates { Ok(None) } else { Err(out_of_range(generates)) };
    };
    if id >= FIRST_SERVICE_ID {
        let allowed = "ids from 2000000000 on are those of the ZooKeeper service";
        return Err(ConfigError::invalid("broker.id", &id.to_string(), allowed));
    }
    if id < 0 || (generates && own.is_some_and(|id| id > reserved_max_id)) {
        return Err(out_of_range(generates));
    }
    Ok(Some(id))
}

fn out_of_range(generates: bool) -> ConfigError {
    let message = match generates {
        true => {
            "broker.id must be greater than or equal to -1 and not greater than \
             reserved.broker.max.id"
        }
        false => "broker.id must be greater than or equal to 0",
    };
    ConfigError::Requirement { names: vec!["broker.id"], message: message.to_owned() }
}

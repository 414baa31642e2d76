//! The ZooKeeper service: cp-zookeeper's, bitnami/zookeeper's and zookeeper's variables.
//!
//! - cp-zookeeper: `ZOOKEEPER_CLIENT_PORT`; `ZOOKEEPER_SERVER_ID` in `ZOOKEEPER_SERVERS`
//!   (`host:2888:3888;…`); data in /var/lib/zookeeper/data.
//! - bitnami/zookeeper: `ZOO_PORT_NUMBER`; `ZOO_SERVER_ID` in `ZOO_SERVERS` (`host:2888:3888,…`,
//!   each with `::5` behind it where it says its number); data in /bitnami/zookeeper/data.
//! - zookeeper:3.x: `ZOO_MY_ID` in `ZOO_SERVERS` (`server.1=host:2888:3888;2181 …`); data in /data.
//!
//! The file is one that zookeeper-server-start reads; the id of a server is in `myid` in its data
//! directory. A mounted zoo.cfg counts alone, as in the images.

use super::plan::{Marker, Plan, Service, Storage};
use super::{Dialect, ImageEnvironment, Notice, Refusal, Variables};
use crate::Properties;

/// Whose variables they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Image {
    Confluent,
    Bitnami,
    Official,
}

/// Files that people mount in place of variables.
const MOUNTED: &[&str] = &["/conf/zoo.cfg", "/bitnami/zookeeper/conf/zoo.cfg"];

/// cp-zookeeper's variables and the keys that they are.
const CONFLUENT: &[(&str, &str)] = &[
    ("ZOOKEEPER_CLIENT_PORT", "clientPort"),
    ("ZOOKEEPER_TICK_TIME", "tickTime"),
    ("ZOOKEEPER_INIT_LIMIT", "initLimit"),
    ("ZOOKEEPER_SYNC_LIMIT", "syncLimit"),
    ("ZOOKEEPER_MAX_CLIENT_CNXNS", "maxClientCnxns"),
    ("ZOOKEEPER_CLIENT_PORT_ADDRESS", "clientPortAddress"),
    ("ZOOKEEPER_MIN_SESSION_TIMEOUT", "minSessionTimeout"),
    ("ZOOKEEPER_MAX_SESSION_TIMEOUT", "maxSessionTimeout"),
    ("ZOOKEEPER_GLOBAL_OUTSTANDING_LIMIT", "globalOutstandingLimit"),
    ("ZOOKEEPER_PRE_ALLOC_SIZE", "preAllocSize"),
    ("ZOOKEEPER_SNAP_COUNT", "snapCount"),
    ("ZOOKEEPER_AUTOPURGE_SNAP_RETAIN_COUNT", "autopurge.snapRetainCount"),
    ("ZOOKEEPER_AUTOPURGE_PURGE_INTERVAL", "autopurge.purgeInterval"),
    ("ZOOKEEPER_LEADER_SERVES", "leaderServes"),
    ("ZOOKEEPER_QUORUM_LISTEN_ON_ALL_IPS", "quorumListenOnAllIPs"),
    ("ZOOKEEPER_ADMIN_ENABLE_SERVER", "admin.enableServer"),
    ("ZOOKEEPER_ADMIN_SERVER_PORT", "admin.serverPort"),
];

/// bitnami/zookeeper's variables, the keys that they are, and their defaults.
const BITNAMI: &[(&str, &str, &str)] = &[
    ("ZOO_PORT_NUMBER", "clientPort", "2181"),
    ("ZOO_TICK_TIME", "tickTime", "2000"),
    ("ZOO_INIT_LIMIT", "initLimit", "10"),
    ("ZOO_SYNC_LIMIT", "syncLimit", "5"),
    ("ZOO_MAX_CLIENT_CNXNS", "maxClientCnxns", "60"),
    ("ZOO_AUTOPURGE_INTERVAL", "autopurge.purgeInterval", "0"),
    ("ZOO_AUTOPURGE_RETAIN_COUNT", "autopurge.snapRetainCount", "3"),
    ("ZOO_4LW_COMMANDS_WHITELIST", "4lw.commands.whitelist", "srvr, mntr"),
    ("ZOO_MAX_SESSION_TIMEOUT", "maxSessionTimeout", "40000"),
];

/// The official image's.
const OFFICIAL: &[(&str, &str, &str)] = &[
    ("ZOO_TICK_TIME", "tickTime", "2000"),
    ("ZOO_INIT_LIMIT", "initLimit", "5"),
    ("ZOO_SYNC_LIMIT", "syncLimit", "2"),
    ("ZOO_MAX_CLIENT_CNXNS", "maxClientCnxns", "60"),
    ("ZOO_AUTOPURGE_PURGEINTERVAL", "autopurge.purgeInterval", "0"),
    ("ZOO_AUTOPURGE_SNAPRETAINCOUNT", "autopurge.snapRetainCount", "3"),
    ("ZOO_4LW_COMMANDS_WHITELIST", "4lw.commands.whitelist", "srvr"),
];

/// Variables that ask for what this service does not have, by their ends.
const SECURED: &[&str] = &[
    "ZOOKEEPER_SECURE_CLIENT_PORT",
    "ZOOKEEPER_SSL_QUORUM",
    "ZOOKEEPER_AUTH_PROVIDER_SASL",
    "ZOO_ENABLE_AUTH",
    "ZOO_ENABLE_QUORUM_AUTH",
    "ZOO_TLS_CLIENT_ENABLE",
    "ZOO_TLS_QUORUM_ENABLE",
];

/// Images that are not the official one are known by these.
const OF_BITNAMI: &[&str] =
    &["ALLOW_ANONYMOUS_LOGIN", "ZOO_SERVER_ID", "ZOO_PORT_NUMBER", "ZOO_ENABLE_AUTH"];

/// A variable that only a ZooKeeper service has.
pub(super) fn tell_tale(variables: &Variables) -> Option<&str> {
    let is_of_service = |name: &str| {
        name.starts_with("ZOOKEEPER_")
            || name.starts_with("ZOO_")
            || name == "ALLOW_ANONYMOUS_LOGIN"
    };
    variables.iter().map(|(name, _)| name).find(|name| is_of_service(name))
}

pub(super) fn wanted_files(_: &Variables) -> Vec<String> {
    MOUNTED.iter().map(|path| (*path).to_owned()).collect()
}

pub(super) fn plan(given: &ImageEnvironment) -> Result<Plan, Refusal> {
    let variables = &given.variables;
    if let Some(variable) = SECURED.iter().find(|name| asks(variables, name)) {
        let value = variables.filled(variable).unwrap_or_default().to_owned();
        return Err(Refusal::SecuredZooKeeper { variable: (*variable).to_owned(), value });
    }
    let image = image(variables);
    let mut notices = variables.notices().to_vec();
    let mounted = MOUNTED.iter().find_map(|path| Some((*path, given.files.get(*path)?)));
    if let Some((path, bytes)) = mounted {
        let properties = Properties::parse(bytes)
            .map_err(|error| Refusal::MountedFile { path: path.to_owned(), error })?;
        notices.extend(tell_tale(variables).map(|_| Notice::MountedFileCounts { path }));
        let data = properties.get("dataDir").unwrap_or("/data").to_owned();
        let markers = id(image, variables).map(|id| marker(&data, id)).into_iter().collect();
        return Ok(finish(bytes.clone(), properties, markers, notices));
    }
    let (lines, data) = match image {
        Image::Confluent => (confluent(variables)?, "/var/lib/zookeeper/data"),
        Image::Bitnami => (bitnami(variables)?, "/bitnami/zookeeper/data"),
        Image::Official => (official(variables)?, "/data"),
    };
    let text: String = lines.iter().map(|(key, value)| format!("{key}={value}\n")).collect();
    let properties = lines.into_iter().collect();
    let markers = id(image, variables).map(|id| marker(data, id)).into_iter().collect();
    Ok(finish(text.into_bytes(), properties, markers, notices))
}

fn finish(
    text: Vec<u8>,
    properties: Properties,
    markers: Vec<Marker>,
    notices: Vec<Notice>,
) -> Plan {
    Plan {
        dialect: Dialect::ZooKeeper,
        service: Service::ZooKeeper,
        path: Dialect::ZooKeeper.file(),
        text,
        properties,
        storage: Storage::AtStart,
        markers,
        topics: Vec::new(),
        notices,
    }
}

fn marker(data: &str, id: &str) -> Marker {
    Marker { path: format!("{data}/myid"), text: format!("{id}\n") }
}

fn image(variables: &Variables) -> Image {
    if variables.iter().any(|(name, _)| name.starts_with("ZOOKEEPER_")) {
        Image::Confluent
    } else if OF_BITNAMI.iter().any(|name| variables.get(name).is_some()) {
        Image::Bitnami
    } else {
        Image::Official
    }
}

fn id(image: Image, variables: &Variables) -> Option<&str> {
    match image {
        Image::Confluent => variables.filled("ZOOKEEPER_SERVER_ID"),
        Image::Bitnami => Some(variables.filled("ZOO_SERVER_ID").unwrap_or("1")),
        Image::Official => Some(variables.filled("ZOO_MY_ID").unwrap_or("1")),
    }
}

type Lines = Vec<(String, String)>;

fn confluent(variables: &Variables) -> Result<Lines, Refusal> {
    if variables.filled("ZOOKEEPER_CLIENT_PORT").is_none() {
        let why = "the port that brokers name in zookeeper.connect, usually 2181";
        return Err(Refusal::Missing { variable: "ZOOKEEPER_CLIENT_PORT", why });
    }
    let mut lines = vec![
        line("dataDir", "/var/lib/zookeeper/data"),
        line("dataLogDir", "/var/lib/zookeeper/log"),
    ];
    let servers = variables.filled("ZOOKEEPER_SERVERS");
    if servers.is_some() && variables.filled("ZOOKEEPER_SERVER_ID").is_none() {
        let why = "it says which of ZOOKEEPER_SERVERS this one is, counted from 1";
        return Err(Refusal::Missing { variable: "ZOOKEEPER_SERVER_ID", why });
    }
    for (variable, key) in CONFLUENT {
        lines.extend(variables.filled(variable).map(|value| line(key, value)));
    }
    if let Some(servers) = servers {
        for (key, default) in [("initLimit", "10"), ("syncLimit", "5")] {
            if !lines.iter().any(|(present, _)| present == key) {
                lines.push(line(key, default));
            }
        }
        lines.extend(numbered(servers.split(';')));
    }
    check_port(&lines, "ZOOKEEPER_CLIENT_PORT")?;
    check_id(variables, "ZOOKEEPER_SERVER_ID")?;
    Ok(lines)
}

fn bitnami(variables: &Variables) -> Result<Lines, Refusal> {
    let yes = ["1", "yes", "true"];
    let is_open = variables
        .filled("ALLOW_ANONYMOUS_LOGIN")
        .is_some_and(|value| yes.contains(&value.trim().to_lowercase().as_str()));
    if !is_open {
        return Err(Refusal::AnonymousLogin);
    }
    let mut lines = vec![line("dataDir", "/bitnami/zookeeper/data")];
    if let Some(directory) = variables.filled("ZOO_DATA_LOG_DIR") {
        lines.push(line("dataLogDir", directory));
    }
    lines.extend(with_defaults(variables, BITNAMI));
    let servers = variables.filled("ZOO_SERVERS").unwrap_or_default();
    // An address may say its number itself: host:2888:3888::5.
    let named = servers.split([',', ';', ' ']).map(str::trim).filter(|server| !server.is_empty());
    for (at, server) in named.enumerate() {
        let (address, number) = match server.rsplit_once("::") {
            Some((address, number)) => (address, number.to_owned()),
            None => (server, (at + 1).to_string()),
        };
        lines.push(line(&format!("server.{number}"), address));
    }
    check_port(&lines, "ZOO_PORT_NUMBER")?;
    check_id(variables, "ZOO_SERVER_ID")?;
    Ok(lines)
}

fn official(variables: &Variables) -> Result<Lines, Refusal> {
    let directory = |name, default| variables.filled(name).unwrap_or(default);
    let mut lines = vec![
        line("dataDir", directory("ZOO_DATA_DIR", "/data")),
        line("dataLogDir", directory("ZOO_DATA_LOG_DIR", "/datalog")),
    ];
    lines.extend(with_defaults(variables, OFFICIAL));
    let servers = variables.filled("ZOO_SERVERS").unwrap_or("server.1=localhost:2888:3888;2181");
    let own = format!("server.{}", variables.filled("ZOO_MY_ID").unwrap_or("1").trim());
    let mut port = "2181".to_owned();
    for entry in servers.split_whitespace() {
        let Some((key, address)) = entry.split_once('=') else {
            let value = servers.to_owned();
            let expected = "server.1=host:2888:3888;2181 server.2=…";
            return Err(Refusal::BadValue { variable: "ZOO_SERVERS", value, expected });
        };
        // The client's port, with or without an address before it, stands behind a semicolon.
        let (_, client) = address.split_once(';').unwrap_or((address, ""));
        let client = client.rsplit_once(':').map_or(client, |(_, port)| port);
        if key == own && !client.is_empty() {
            port = client.to_owned();
        }
        lines.push(line(key, address));
    }
    lines.insert(2, line("clientPort", &port));
    for extra in variables.filled("ZOO_CFG_EXTRA").unwrap_or_default().split_whitespace() {
        lines.extend(extra.split_once('=').map(|(key, value)| line(key, value)));
    }
    check_port(&lines, "ZOO_SERVERS")?;
    check_id(variables, "ZOO_MY_ID")?;
    Ok(lines)
}

fn with_defaults<'a>(
    variables: &'a Variables,
    table: &'a [(&str, &str, &str)],
) -> impl Iterator<Item = (String, String)> + 'a {
    let value = |(variable, key, default): &(&str, &str, &str)| {
        line(key, variables.filled(variable).unwrap_or(default))
    };
    table.iter().map(value)
}

fn numbered<'a>(servers: impl Iterator<Item = &'a str>) -> impl Iterator<Item = (String, String)> {
    let named = servers.map(str::trim).filter(|server| !server.is_empty());
    named.enumerate().map(|(at, server)| line(&format!("server.{}", at + 1), server))
}

fn line(key: &str, value: &str) -> (String, String) {
    (key.to_owned(), value.trim().to_owned())
}

fn check_port(lines: &Lines, variable: &'static str) -> Result<(), Refusal> {
    let port = lines.iter().find(|(key, _)| key == "clientPort").map(|(_, port)| port.as_str());
    match port.map(|port| (port, port.parse::<u16>())) {
        Some((_, Ok(port))) if port > 0 => Ok(()),
        other => Err(Refusal::BadValue {
            variable,
            value: other.map(|(text, _)| text.to_owned()).unwrap_or_default(),
            expected: "a port",
        }),
    }
}

fn check_id(variables: &Variables, variable: &'static str) -> Result<(), Refusal> {
    match variables.filled(variable).map(|text| (text, text.trim().parse::<u8>())) {
        None | Some((_, Ok(1..))) => Ok(()),
        Some((text, _)) => Err(Refusal::BadValue {
            variable,
            value: text.to_owned(),
            expected: "a number from 1 to 255",
        }),
    }
}

/// Whether a variable asks for security: it is set, and not to a no.
fn asks(variables: &Variables, name: &str) -> bool {
    let no = ["no", "false", "0", "none"];
    variables.filled(name).is_some_and(|value| !no.contains(&value.trim().to_lowercase().as_str()))
}

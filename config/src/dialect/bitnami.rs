//! bitnami/kafka and bitnamilegacy/kafka: `/opt/bitnami/scripts/kafka/entrypoint.sh`.
//!
//! - `KAFKA_CFG_X_Y` is x.y; empty values are left out. Some 40 older names without `CFG_` stand
//!   for those with it, and win.
//! - The file starts from the one that Kafka ships, without what makes it a node of one kind, and
//!   with log.dirs=/bitnami/kafka/data. A mounted /bitnami/kafka/config/server.properties counts
//!   alone.
//! - The cluster id is KAFKA_CLUSTER_ID or KAFKA_KRAFT_CLUSTER_ID, that of the volume where it has
//!   one, or else a random one.
//! - Users of listeners over SASL: see `bitnami_users`.
//! - A variable X_FILE of the image's own names a file with the value of X.
//! - Nothing that says KRaft or ZooKeeper: a combined node, as 3.3 and 3.4 were.

use super::draft::{Draft, cluster_id};
use super::names::{bitnami_name, is_launchers};
use super::plan::{Bound, ClusterId, InitialVoters, Plan, Storage};
use super::{
    Dialect, ImageEnvironment, Notice, Refusal, Variables, bitnami_users, cp_kafka, secrets,
};
use crate::Properties;
use security::Secret;

const MOUNTED: &str = "/bitnami/kafka/config/server.properties";

/// Run by the host, in this order.
pub(super) const COMMANDS: &[&str] = &[
    "KAFKA_NODE_ID_COMMAND",
    "KAFKA_CONTROLLER_QUORUM_VOTERS_COMMAND",
    "KAFKA_BROKER_ID_COMMAND",
    "BROKER_ID_COMMAND",
];

pub(super) const TELL_TALE: &[&str] = &[
    "ALLOW_PLAINTEXT_LISTENER",
    "KAFKA_ENABLE_KRAFT",
    "KAFKA_KRAFT_CLUSTER_ID",
    "KAFKA_CLIENT_USERS",
    "KAFKA_INITIAL_CONTROLLERS",
    "BITNAMI_DEBUG",
];

/// Variables that name a file when `_FILE` is behind them, besides those of users.
const FROM_FILES: &[&str] = &[
    "KAFKA_CLUSTER_ID",
    "KAFKA_KRAFT_CLUSTER_ID",
    "KAFKA_INITIAL_CONTROLLERS",
    "KAFKA_SKIP_KRAFT_STORAGE_INIT",
    "KAFKA_ZOOKEEPER_PROTOCOL",
    "KAFKA_CFG_LISTENERS",
    "KAFKA_CFG_ADVERTISED_LISTENERS",
    "KAFKA_CFG_LISTENER_SECURITY_PROTOCOL_MAP",
    "KAFKA_CFG_ZOOKEEPER_CONNECT",
    "KAFKA_CFG_CONTROLLER_QUORUM_VOTERS",
    "KAFKA_CFG_INTER_BROKER_LISTENER_NAME",
];

/// Names without CFG_ that stand for the same with it.
const ALIASES: &[&str] = &[
    "ADVERTISED_LISTENERS",
    "AUTO_CREATE_TOPICS_ENABLE",
    "BROKER_ID",
    "CONTROLLER_QUORUM_VOTERS",
    "DEFAULT_REPLICATION_FACTOR",
    "DELETE_TOPIC_ENABLE",
    "INTER_BROKER_LISTENER_NAME",
    "LISTENERS",
    "LISTENER_SECURITY_PROTOCOL_MAP",
    "LOG_DIRS",
    "LOG_FLUSH_INTERVAL_MESSAGES",
    "LOG_FLUSH_INTERVAL_MS",
    "LOG_MESSAGE_FORMAT_VERSION",
    "LOG_RETENTION_BYTES",
    "LOG_RETENTION_CHECK_INTERVALS_MS",
    "LOG_RETENTION_HOURS",
    "LOG_SEGMENT_BYTES",
    "MESSAGE_MAX_BYTES",
    "NODE_ID",
    "NUM_IO_THREADS",
    "NUM_NETWORK_THREADS",
    "NUM_PARTITIONS",
    "NUM_RECOVERY_THREADS_PER_DATA_DIR",
    "OFFSETS_TOPIC_REPLICATION_FACTOR",
    "PROCESS_ROLES",
    "SOCKET_RECEIVE_BUFFER_BYTES",
    "SOCKET_REQUEST_MAX_BYTES",
    "SOCKET_SEND_BUFFER_BYTES",
    "SSL_ENDPOINT_IDENTIFICATION_ALGORITHM",
    "TRANSACTION_STATE_LOG_MIN_ISR",
    "TRANSACTION_STATE_LOG_REPLICATION_FACTOR",
    "ZOOKEEPER_CONNECT",
    "ZOOKEEPER_CONNECTION_TIMEOUT_MS",
];

/// Older names that differ in more than CFG_.
const RENAMED: &[(&str, &str)] = &[
    ("KAFKA_LOGS_DIRS", "KAFKA_CFG_LOG_DIRS"),
    ("KAFKA_SEGMENT_BYTES", "KAFKA_CFG_LOG_SEGMENT_BYTES"),
    ("KAFKA_MAX_MESSAGE_BYTES", "KAFKA_CFG_MESSAGE_MAX_BYTES"),
    ("KAFKA_BROKER_USER", "KAFKA_INTER_BROKER_USER"),
    ("KAFKA_BROKER_PASSWORD", "KAFKA_INTER_BROKER_PASSWORD"),
    ("KAFKA_ZOOKEEPER_CONNECT_TIMEOUT_MS", "KAFKA_CFG_ZOOKEEPER_CONNECTION_TIMEOUT_MS"),
];

/// Variables of the image's own steps, which configure nothing by their names, besides those of
/// users.
const OWN: &[&str] = &[
    "KAFKA_ENABLE_KRAFT",
    "KAFKA_SKIP_KRAFT_STORAGE_INIT",
    "KAFKA_INITIAL_CONTROLLERS",
    "KAFKA_CLIENT_LISTENER_NAME",
    "KAFKA_CLIENT_LISTENER",
    "KAFKA_CERTIFICATE_PASSWORD",
    "KAFKA_MOUNTED_CONF_DIR",
    "KAFKA_VOLUME_DIR",
    "KAFKA_DATA_DIR",
    "KAFKA_DAEMON_USER",
    "KAFKA_DAEMON_GROUP",
];

/// What is left of the file that Kafka ships.
const SHIPPED: &[(&str, &str)] = &[
    ("log.dirs", "/bitnami/kafka/data"),
    ("log.retention.check.interval.ms", "300000"),
    ("log.retention.hours", "168"),
    ("log.segment.bytes", "1073741824"),
    ("num.io.threads", "8"),
    ("num.network.threads", "3"),
    ("num.partitions", "1"),
    ("num.recovery.threads.per.data.dir", "1"),
    ("offsets.topic.replication.factor", "1"),
    ("share.coordinator.state.topic.min.isr", "1"),
    ("share.coordinator.state.topic.replication.factor", "1"),
    ("socket.receive.buffer.bytes", "102400"),
    ("socket.request.max.bytes", "104857600"),
    ("socket.send.buffer.bytes", "102400"),
    ("transaction.state.log.min.isr", "1"),
    ("transaction.state.log.replication.factor", "1"),
];

/// A combined node, where nothing says what the node is.
const COMBINED: &[(&str, &str)] = &[
    ("KAFKA_CFG_PROCESS_ROLES", "broker,controller"),
    ("KAFKA_CFG_NODE_ID", "1"),
    ("KAFKA_CFG_CONTROLLER_LISTENER_NAMES", "CONTROLLER"),
    ("KAFKA_CFG_LISTENERS", "PLAINTEXT://:9092,CONTROLLER://:9093"),
    ("KAFKA_CFG_LISTENER_SECURITY_PROTOCOL_MAP", "CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT"),
    ("KAFKA_CFG_ADVERTISED_LISTENERS", "PLAINTEXT://127.0.0.1:9092"),
];

pub(super) fn wanted_files(variables: &Variables) -> Vec<String> {
    let named = from_files().filter_map(|name| variables.filled(&format!("{name}_FILE")));
    let named = std::iter::once(MOUNTED).chain(named).map(str::to_owned);
    named.chain(secrets::bitnami_files(variables)).collect()
}

pub(super) fn plan(given: &ImageEnvironment) -> Result<Plan, Refusal> {
    let mut variables = settled(given);
    refuse_secured_zookeeper(given, &variables)?;
    let mounted = given.files.get(MOUNTED).map(Vec::as_slice);
    let roles = variables.filled("KAFKA_CFG_PROCESS_ROLES").is_some();
    let zookeeper = variables.filled("KAFKA_CFG_ZOOKEEPER_CONNECT").is_some();
    let is_bare = mounted.is_none() && !roles && !zookeeper;
    if is_bare && !wants_kraft(&variables) {
        return Err(Refusal::no_mode(Dialect::Bitnami));
    }
    let mut draft = Draft::new(Dialect::Bitnami, &variables);
    if is_bare {
        draft.notice(Notice::Defaults { dialect: Dialect::Bitnami });
        combine(&mut variables);
    }
    let mut scram = Vec::new();
    let (base, is_kraft) = match mounted {
        Some(bytes) => {
            let properties = Properties::parse(bytes)
                .map_err(|error| Refusal::MountedFile { path: MOUNTED.to_owned(), error })?;
            if variables.iter().any(|(name, _)| name.starts_with("KAFKA_CFG_")) {
                draft.notice(Notice::MountedFileCounts { path: MOUNTED });
            }
            (bytes, properties.contains("process.roles"))
        }
        None => {
            configure(&variables, &mut draft)?;
            secrets::take_bitnami(&mut draft, given, &variables);
            scram = bitnami_users::log_in(&variables, &mut draft)?;
            (&b""[..], draft.get("process.roles").is_some())
        }
    };
    let storage = match is_kraft {
        false => Storage::AtStart,
        true if is_yes(&variables, "KAFKA_SKIP_KRAFT_STORAGE_INIT") => Storage::Elsewhere,
        true => storage(&variables, &mut draft, scram),
    };
    draft.finish(given, base, storage)
}

/// The variables as the image's scripts leave them: from files, by commands, under today's names.
fn settled(given: &ImageEnvironment) -> Variables {
    let mut variables = given.variables.clone();
    for name in from_files() {
        let path = variables.filled(&format!("{name}_FILE")).map(str::to_owned);
        if let Some(bytes) = path.and_then(|path| given.files.get(&path)) {
            // As $(< file) of a shell reads it.
            let text = String::from_utf8_lossy(bytes).trim_end_matches('\n').to_owned();
            variables.set(name, text);
        }
    }
    let suffixes = ALIASES.iter().map(|suffix| (format!("KAFKA_{suffix}"), *suffix));
    let aliases = suffixes.map(|(old, suffix)| (old, format!("KAFKA_CFG_{suffix}")));
    let renamed = RENAMED.iter().map(|(old, new)| ((*old).to_owned(), (*new).to_owned()));
    for (old, new) in renamed.chain(aliases).collect::<Vec<_>>() {
        if let Some(value) = variables.get(&old).map(str::to_owned) {
            variables.set(new, value);
        }
    }
    let outputs: [(&str, &[&str]); 3] = [
        ("KAFKA_CFG_NODE_ID", &["KAFKA_NODE_ID_COMMAND"]),
        ("KAFKA_CFG_CONTROLLER_QUORUM_VOTERS", &["KAFKA_CONTROLLER_QUORUM_VOTERS_COMMAND"]),
        ("KAFKA_CFG_BROKER_ID", &["KAFKA_BROKER_ID_COMMAND", "BROKER_ID_COMMAND"]),
    ];
    for (name, commands) in outputs {
        if let Some(output) = commands.iter().find_map(|command| given.outputs.get(command)) {
            variables.set(name, output.trim());
        }
    }
    variables
}

/// Fills the draft with what is shipped and what the variables say.
fn configure(variables: &Variables, draft: &mut Draft) -> Result<(), Refusal> {
    for (key, value) in SHIPPED {
        draft.set(key, *value, "the default configuration");
    }
    for (variable, value) in variables.iter() {
        if let Some(key) = bitnami_name(variable).filter(|_| !value.trim().is_empty()) {
            draft.take_one(variable, key, value);
        } else if let Some(suffix) = variable.strip_prefix("KAFKA_").filter(|_| is_stray(variable))
        {
            let instead = format!("KAFKA_CFG_{suffix}");
            draft.notice(Notice::OtherName { variable: variable.to_owned(), instead });
        }
    }
    let is_kraft = draft.get("process.roles").is_some();
    if is_kraft && draft.get("node.id").is_none() && draft.get("broker.id").is_none() {
        let why = "every node of a cluster has a number of its own";
        return Err(Refusal::Missing { variable: "KAFKA_CFG_NODE_ID", why });
    }
    Ok(())
}

fn from_files() -> impl Iterator<Item = &'static str> {
    FROM_FILES.iter().copied().chain(bitnami_users::VARIABLES)
}

/// Whether the variable looks like configuration but is none for want of CFG_.
fn is_stray(variable: &str) -> bool {
    let is_own = OWN.contains(&variable)
        || bitnami_users::VARIABLES.contains(&variable)
        || COMMANDS.contains(&variable)
        || RENAMED.iter().any(|(old, _)| *old == variable)
        || ["KAFKA_CFG_", "KAFKA_TLS_", "KAFKA_ZOOKEEPER_"].iter().any(|p| variable.starts_with(p))
        || from_files().any(|name| variable.strip_prefix(name) == Some("_FILE"));
    let is_alias = |suffix: &str| ALIASES.contains(&suffix);
    !is_own
        && !is_launchers(variable)
        && variable.strip_prefix("KAFKA_").is_some_and(|suffix| !is_alias(suffix))
}

/// Whether a container without roles and without ZooKeeper may be a node of its own.
fn wants_kraft(variables: &Variables) -> bool {
    variables.filled("KAFKA_ENABLE_KRAFT").is_none() || is_yes(variables, "KAFKA_ENABLE_KRAFT")
}

fn combine(variables: &mut Variables) {
    for (name, value) in COMBINED {
        if variables.filled(name).is_none() {
            variables.set(*name, *value);
        }
    }
    if variables.filled("KAFKA_CFG_CONTROLLER_QUORUM_VOTERS").is_none() {
        let id = variables.filled("KAFKA_CFG_NODE_ID").unwrap_or("1").to_owned();
        variables.set("KAFKA_CFG_CONTROLLER_QUORUM_VOTERS", format!("{id}@127.0.0.1:9093"));
    }
}

fn storage(variables: &Variables, draft: &mut Draft, scram: Vec<Secret>) -> Storage {
    const NAMES: &[&str] = &["KAFKA_CLUSTER_ID", "KAFKA_KRAFT_CLUSTER_ID", "CLUSTER_ID"];
    let set = cluster_id(variables, NAMES, Bound::Loosely, draft);
    let has_voters = draft.get("controller.quorum.voters").is_some_and(|list| !list.is_empty());
    let voters = match variables.filled("KAFKA_INITIAL_CONTROLLERS") {
        Some(list) => InitialVoters::Listed(list.trim().to_owned()),
        None if has_voters || draft.get("controller.quorum.bootstrap.servers").is_none() => {
            InitialVoters::Configured
        }
        None => InitialVoters::Others,
    };
    Storage::Format { cluster_id: set.unwrap_or(ClusterId::Drawn), voters, scram }
}

fn refuse_secured_zookeeper(
    given: &ImageEnvironment,
    variables: &Variables,
) -> Result<(), Refusal> {
    cp_kafka::refuse_secured_zookeeper(given)?;
    match variables.filled("KAFKA_ZOOKEEPER_PROTOCOL").map(str::trim) {
        None | Some("PLAINTEXT") => Ok(()),
        Some(value) => Err(Refusal::SecuredZooKeeper {
            variable: "KAFKA_ZOOKEEPER_PROTOCOL".to_owned(),
            value: value.to_owned(),
        }),
    }
}

fn is_yes(variables: &Variables, name: &str) -> bool {
    let yes = ["1", "yes", "true"];
    variables.filled(name).is_some_and(|value| yes.contains(&value.trim().to_lowercase().as_str()))
}

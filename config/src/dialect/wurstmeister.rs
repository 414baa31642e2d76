//! wurstmeister/kafka: `start-kafka.sh`, for Kafka 0.9 … 2.8 with ZooKeeper.
//!
//! - HOSTNAME_COMMAND, PORT_COMMAND, RACK_COMMAND and BROKER_ID_COMMAND are run; their output takes
//!   the place of `_{HOSTNAME_COMMAND}` and `_{PORT_COMMAND}` in every KAFKA_ variable, of
//!   broker.rack and of broker.id.
//! - Without KAFKA_LISTENERS the node is reached at KAFKA_ADVERTISED_HOST_NAME, or at what
//!   HOSTNAME_COMMAND printed, and KAFKA_ADVERTISED_PORT.
//! - KAFKA_LOG_DIRS is /kafka/kafka-logs-HOSTNAME, KAFKA_BROKER_ID -1 (drawn by the cluster).
//!
//! host.name, port and the advertised pair are gone since Kafka 3.0; they are written as listeners.
//! The engine is not asked for the host's port (/var/run/docker.sock): KAFKA_ADVERTISED_PORT is it.

use super::draft::Draft;
use super::names::wurstmeister_name;
use super::plan::{Bound, InitialVoters, Plan, Storage};
use super::{Dialect, ImageEnvironment, Refusal, Variables, cp_kafka};

/// Run by the host, in this order.
pub(super) const COMMANDS: &[&str] =
    &["BROKER_ID_COMMAND", "HOSTNAME_COMMAND", "PORT_COMMAND", "RACK_COMMAND"];

pub(super) const TELL_TALE: &[&str] = &[
    "HOSTNAME_COMMAND",
    "PORT_COMMAND",
    "RACK_COMMAND",
    "BROKER_ID_COMMAND",
    "KAFKA_ADVERTISED_HOST_NAME",
    "CUSTOM_INIT_SCRIPT",
];

/// What stands in the file that the variables change.
const SHIPPED: &[(&str, &str)] = &[
    ("group.initial.rebalance.delay.ms", "0"),
    ("log.retention.check.interval.ms", "300000"),
    ("log.retention.hours", "168"),
    ("log.segment.bytes", "1073741824"),
    ("num.io.threads", "8"),
    ("num.network.threads", "3"),
    ("num.partitions", "1"),
    ("num.recovery.threads.per.data.dir", "1"),
    ("offsets.topic.replication.factor", "1"),
    ("socket.receive.buffer.bytes", "102400"),
    ("socket.request.max.bytes", "104857600"),
    ("socket.send.buffer.bytes", "102400"),
    ("transaction.state.log.min.isr", "1"),
    ("transaction.state.log.replication.factor", "1"),
    ("zookeeper.connection.timeout.ms", "18000"),
];

/// Keys that Kafka dropped in 3.0, with the part of a listener that each was.
const ADDRESSES: &[(&str, &str)] = &[
    ("KAFKA_HOST_NAME", "host.name"),
    ("KAFKA_PORT", "port"),
    ("KAFKA_ADVERTISED_HOST_NAME", "advertised.host.name"),
    ("KAFKA_ADVERTISED_PORT", "advertised.port"),
];

pub(super) fn plan(given: &ImageEnvironment) -> Result<Plan, Refusal> {
    let variables = substituted(given);
    let has_roles = variables.filled("KAFKA_PROCESS_ROLES").is_some();
    if variables.filled("KAFKA_ZOOKEEPER_CONNECT").is_none() && !has_roles {
        let why = "the address of the ZooKeeper service, for example zookeeper:2181";
        return Err(Refusal::Missing { variable: "KAFKA_ZOOKEEPER_CONNECT", why });
    }
    let output = |name| given.outputs.get(name).map(String::as_str).filter(|out| !out.is_empty());
    let host =
        variables.filled("KAFKA_ADVERTISED_HOST_NAME").or_else(|| output("HOSTNAME_COMMAND"));
    let mut draft = Draft::new(Dialect::Wurstmeister, &variables);
    for (key, value) in SHIPPED {
        draft.set(key, *value, "the default configuration");
    }
    for (variable, value) in variables.iter() {
        let is_address = ADDRESSES.iter().any(|(address, _)| *address == variable);
        if let Some(key) = wurstmeister_name(variable).filter(|_| !is_address) {
            draft.take_one(variable, key, value);
        }
    }
    if variables.filled("KAFKA_LISTENERS").is_none() {
        if variables.filled("KAFKA_ADVERTISED_LISTENERS").is_some() && host.is_none() {
            return Err(Refusal::ListenersNeeded);
        }
        if host.is_none() {
            return Err(Refusal::NoListener);
        }
        let port = variables.filled("KAFKA_PORT").unwrap_or("9092");
        let bound = variables.filled("KAFKA_HOST_NAME").unwrap_or_default();
        draft.set("listeners", format!("PLAINTEXT://{bound}:{port}"), "KAFKA_PORT");
    }
    if let (Some(host), None) = (host, draft.get("advertised.listeners")) {
        let port =
            variables.filled("KAFKA_ADVERTISED_PORT").or_else(|| variables.filled("KAFKA_PORT"));
        let advertised = format!("PLAINTEXT://{host}:{}", port.unwrap_or("9092"));
        draft.set("advertised.listeners", advertised, "KAFKA_ADVERTISED_HOST_NAME");
    }
    if !has_roles {
        let id = output("BROKER_ID_COMMAND").unwrap_or("-1");
        draft.set_default("broker.id", id, "BROKER_ID_COMMAND");
    }
    if let Some(rack) = output("RACK_COMMAND") {
        draft.set_default("broker.rack", rack, "RACK_COMMAND");
    }
    let log_dirs = format!("/kafka/kafka-logs-{}", given.hostname);
    draft.set_default("log.dirs", &log_dirs, "KAFKA_LOG_DIRS");
    let ids = cp_kafka::CLUSTER_IDS;
    let cluster_id = super::draft::cluster_id(&variables, ids, Bound::Strictly, &mut draft);
    let storage = match (has_roles, cluster_id) {
        (false, _) => Storage::AtStart,
        (true, Some(cluster_id)) => {
            Storage::Format { cluster_id, voters: InitialVoters::Configured, scram: Vec::new() }
        }
        (true, None) => Storage::Elsewhere,
    };
    draft.finish(given, b"", storage)
}

/// The variables with the outputs of commands where `_{…}` stands.
fn substituted(given: &ImageEnvironment) -> Variables {
    let mut variables = given.variables.clone();
    for command in ["HOSTNAME_COMMAND", "PORT_COMMAND"] {
        let Some(output) = given.outputs.get(command) else { continue };
        let placeholder = format!("_{{{command}}}");
        let changed: Vec<(String, String)> = variables
            .iter()
            .filter(|(name, value)| name.starts_with("KAFKA_") && value.contains(&placeholder))
            .map(|(name, value)| (name.to_owned(), value.replace(&placeholder, output)))
            .collect();
        for (name, value) in changed {
            variables.set(name, value);
        }
    }
    variables
}

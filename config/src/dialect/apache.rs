//! apache/kafka and apache/kafka-native: `/etc/kafka/docker/run`.
//!
//! - A mounted /mnt/shared/config/server.properties is used, with what variables say behind it.
//! - Without it, what variables say is the whole file; one that says anything takes the place of
//!   the file that the image ships, a combined node on :9092.
//! - CLUSTER_ID has a default, and formats. KAFKA_LISTENERS is what is advertised, on all
//!   addresses.
//! - KAFKA_ADVERTISED_LISTENERS ends the start of a node that is controller only.
//!
//! Unlike that image, variables without a meaning do not take the shipped file's place.

use super::draft::{Draft, cluster_id};
use super::names::apache_name;
use super::plan::{Bound, ClusterId, InitialVoters, Plan, Storage};
use super::{Dialect, ImageEnvironment, Notice, Refusal, cp_kafka, listeners};
use crate::Properties;

pub(super) const MOUNTED: &str = "/mnt/shared/config/server.properties";

const CLUSTER_ID: &str = "5L6g3nShT-eMCtK--X86sw";

/// What a node without any configuration is.
const SHIPPED: &[(&str, &str)] = &[
    ("advertised.listeners", "PLAINTEXT://localhost:9092,CONTROLLER://localhost:9093"),
    ("controller.listener.names", "CONTROLLER"),
    ("controller.quorum.voters", "1@localhost:9093"),
    ("inter.broker.listener.name", "PLAINTEXT"),
    (
        "listener.security.protocol.map",
        "CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT,SSL:SSL,SASL_PLAINTEXT:SASL_PLAINTEXT,\
         SASL_SSL:SASL_SSL",
    ),
    ("listeners", "PLAINTEXT://:9092,CONTROLLER://:9093"),
    ("log.dirs", "/tmp/kraft-combined-logs"),
    ("log.retention.check.interval.ms", "300000"),
    ("log.retention.hours", "168"),
    ("log.segment.bytes", "1073741824"),
    ("node.id", "1"),
    ("num.partitions", "1"),
    ("offsets.topic.replication.factor", "1"),
    ("process.roles", "broker,controller"),
    ("share.coordinator.state.topic.min.isr", "1"),
    ("share.coordinator.state.topic.replication.factor", "1"),
    ("transaction.state.log.min.isr", "1"),
    ("transaction.state.log.replication.factor", "1"),
];

pub(super) fn plan(given: &ImageEnvironment) -> Result<Plan, Refusal> {
    let variables = &given.variables;
    let is_controller_only =
        variables.filled("KAFKA_PROCESS_ROLES").map(str::trim) == Some("controller");
    let advertised = variables.filled("KAFKA_ADVERTISED_LISTENERS");
    if is_controller_only && advertised.is_some() {
        return Err(Refusal::AdvertisedOnController);
    }
    let mut draft = Draft::new(Dialect::Apache, variables);
    draft.take(variables, apache_name);
    if is_controller_only {
        draft.remove("advertised.listeners");
    } else if let Some(advertised) = advertised {
        let listeners = listeners::everywhere(advertised);
        draft.set_default("listeners", &listeners, "KAFKA_ADVERTISED_LISTENERS");
    }
    cp_kafka::refuse_secured_zookeeper(given)?;
    let mounted = given.files.get(MOUNTED).map(Vec::as_slice);
    let base = read_mounted(mounted.unwrap_or_default())?;
    let has_roles = base.contains("process.roles") || draft.get("process.roles").is_some();
    let has_zookeeper =
        base.contains("zookeeper.connect") || draft.get("zookeeper.connect").is_some();
    if base.is_empty() && draft.first_source().is_none() {
        draft.notice(Notice::Defaults { dialect: Dialect::Apache });
        for (key, value) in SHIPPED {
            draft.set(key, *value, "the default configuration");
        }
    } else if !has_roles
        && !has_zookeeper
        && let Some(variable) = draft.first_source().filter(|_| mounted.is_none())
    {
        return Err(Refusal::DefaultsReplaced { variable: variable.to_owned() });
    }
    let is_of_zookeeper = has_zookeeper && !has_roles;
    let storage = if is_of_zookeeper {
        Storage::AtStart
    } else {
        let set = cluster_id(variables, cp_kafka::CLUSTER_IDS, Bound::Strictly, &mut draft);
        let cluster_id = set.unwrap_or(ClusterId::Default(CLUSTER_ID));
        Storage::Format { cluster_id, voters: InitialVoters::Configured, scram: Vec::new() }
    };
    draft.finish(given, mounted.unwrap_or_default(), storage)
}

fn read_mounted(bytes: &[u8]) -> Result<Properties, Refusal> {
    Properties::parse(bytes)
        .map_err(|error| Refusal::MountedFile { path: MOUNTED.to_owned(), error })
}

//! confluentinc/confluent-local: a combined node that needs no variable, by the rules of cp-kafka.
//!
//! Its `run` sets what is not set; clients reach it at localhost:9092, other containers at
//! localhost:29092 unless told otherwise. The REST proxy beside it is not part of this.

use super::plan::{ClusterId, Storage};
use super::{Dialect, ImageEnvironment, Notice, Plan, Refusal, Variables, cp_kafka};

const CLUSTER_ID: &str = "4L6g3nShT-eMCtK--X86sw";

const DEFAULTS: &[(&str, &str)] = &[
    ("KAFKA_NODE_ID", "1"),
    (
        "KAFKA_LISTENER_SECURITY_PROTOCOL_MAP",
        "CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT,PLAINTEXT_HOST:PLAINTEXT",
    ),
    (
        "KAFKA_LISTENERS",
        "PLAINTEXT://localhost:29092,CONTROLLER://localhost:29093,PLAINTEXT_HOST://0.0.0.0:9092",
    ),
    ("KAFKA_ADVERTISED_LISTENERS", "PLAINTEXT://localhost:29092,PLAINTEXT_HOST://localhost:9092"),
    ("KAFKA_OFFSETS_TOPIC_REPLICATION_FACTOR", "1"),
    ("KAFKA_GROUP_INITIAL_REBALANCE_DELAY_MS", "0"),
    ("KAFKA_TRANSACTION_STATE_LOG_MIN_ISR", "1"),
    ("KAFKA_TRANSACTION_STATE_LOG_REPLICATION_FACTOR", "1"),
    ("KAFKA_PROCESS_ROLES", "broker,controller"),
    ("KAFKA_CONTROLLER_QUORUM_VOTERS", "1@localhost:29093"),
    ("KAFKA_INTER_BROKER_LISTENER_NAME", "PLAINTEXT"),
    ("KAFKA_CONTROLLER_LISTENER_NAMES", "CONTROLLER"),
    ("KAFKA_LOG_DIRS", "/tmp/kraft-combined-logs"),
];

/// Whether a container that came in by the path of cp-kafka is this one: cp-kafka refuses to start
/// without any of these.
pub(super) fn is_meant(variables: &Variables) -> bool {
    !DEFAULTS.iter().any(|(name, _)| variables.filled(name).is_some())
        && variables.filled("KAFKA_ZOOKEEPER_CONNECT").is_none()
        && variables.filled("KAFKA_BROKER_ID").is_none()
        && variables.filled("CLUSTER_ID").is_none()
}

pub(super) fn plan(given: &ImageEnvironment) -> Result<Plan, Refusal> {
    let mut variables = given.variables.clone();
    for (name, value) in DEFAULTS {
        if variables.filled(name).is_none() {
            variables.set(*name, *value);
        }
    }
    let given = ImageEnvironment { variables, ..given.clone() };
    let mut plan = cp_kafka::plan_as(Dialect::ConfluentLocal, &given)?;
    if let Storage::Elsewhere = plan.storage {
        let cluster_id = ClusterId::Default(CLUSTER_ID);
        let voters = super::InitialVoters::Configured;
        plan.storage = Storage::Format { cluster_id, voters, scram: Vec::new() };
        plan.notices.retain(|notice| *notice != Notice::NoClusterId);
    }
    Ok(plan)
}

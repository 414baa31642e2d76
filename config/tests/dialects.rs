//! Dialects, one row a case: what is set in which image, and the file that results or the refusal.

use config::dialect::{Dialect, Given, Variables};

#[test]
fn a_first_cp_kafka_container_of_k_raft() {
    let variables: Variables = [
        ("KAFKA_NODE_ID", "1"),
        ("KAFKA_PROCESS_ROLES", "broker,controller"),
        ("KAFKA_CONTROLLER_QUORUM_VOTERS", "1@kafka:9093"),
        ("KAFKA_ADVERTISED_LISTENERS", "PLAINTEXT://kafka:9092"),
        ("KAFKA_LISTENERS", "PLAINTEXT://:9092,CONTROLLER://:9093"),
        ("KAFKA_LISTENER_SECURITY_PROTOCOL_MAP", "CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT"),
        ("KAFKA_CONTROLLER_LISTENER_NAMES", "CONTROLLER"),
        ("CLUSTER_ID", "MkU3OEVBNTcwNTJENDM2Qk"),
    ]
    .into_iter()
    .collect();
    let given = Given { variables, ..Given::default() };
    let plan = Dialect::CpKafka.plan(&given).unwrap();
    assert_eq!(plan.properties.get("log.dirs"), Some("/var/lib/kafka/data"));
}

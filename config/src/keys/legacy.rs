//! Other keys of Kafka 3.1 to 3.9 that 4.x does not know.
//!
//! Rows of the broker table; the facts are those of
//! KafkaConfig of Kafka 3. None acts.

use super::key::{Key, boolean, int, long, password, short, string};

pub(super) const KEYS: &[Key] = &[
    boolean("auto.include.jmx.reporter")
        .or("true")
        .low()
        .legacy(&[], "Gregor keeps no JMX metrics."),
    boolean("broker.id.generation.enable").or("true").legacy(&[], "Ids were drawn by ZooKeeper."),
    string("control.plane.listener.name")
        .high()
        .legacy(&[], "Belonged to the controller of the ZooKeeper era."),
    int("controlled.shutdown.max.retries")
        .or("3")
        .legacy(&[], "A stopping broker hands over its partitions by heartbeats."),
    long("controlled.shutdown.retry.backoff.ms")
        .or("5000")
        .legacy(&[], "A stopping broker hands over its partitions by heartbeats."),
    password("delegation.token.master.key")
        .legacy(&["delegation.token.secret.key"], "The name of the key before Kafka 3.0."),
    boolean("eligible.leader.replicas.enable")
        .or("false")
        .high()
        .legacy(&[], "Eligible leader replicas are a feature of the metadata log."),
    boolean("group.coordinator.new.enable")
        .or("false")
        .internal()
        .legacy(&[], "There is one group coordinator."),
    string("inter.broker.protocol.version")
        .or("3.7-IV4")
        .legacy(&[], "The version of the cluster, before it was a feature of the metadata log."),
    int("leader.imbalance.per.broker.percentage")
        .or("10")
        .high()
        .legacy(&[], "The quorum of KRaft looks at every partition."),
    boolean("log.message.downconversion.enable")
        .or("true")
        .low()
        .cluster_wide()
        .legacy(&[], "Records are always of format 2 and never converted down."),
    string("log.message.format.version")
        .or("3.0-IV1")
        .legacy(&[], "Records are always of format 2."),
    long("log.message.timestamp.difference.max.ms")
        .or("9223372036854775807")
        .at_least(0)
        .cluster_wide()
        .legacy(
            &["log.message.timestamp.before.max.ms", "log.message.timestamp.after.max.ms"],
            "Before Kafka 3.6 one bound for both the past and the future.",
        ),
    int("metadata.log.segment.min.bytes")
        .or("8388608")
        .at_least(12)
        .high()
        .internal()
        .legacy(&[], "A setting of the tests inside Kafka."),
    short("offsets.commit.required.acks")
        .or("-1")
        .high()
        .legacy(&[], "A committed offset is always written with acks=all."),
    string("password.encoder.cipher.algorithm")
        .or("AES/CBC/PKCS5Padding")
        .low()
        .legacy(&[], "Passwords were encoded for ZooKeeper."),
    int("password.encoder.iterations")
        .or("4096")
        .at_least(1_024)
        .low()
        .legacy(&[], "Passwords were encoded for ZooKeeper."),
    int("password.encoder.key.length")
        .or("128")
        .at_least(8)
        .low()
        .legacy(&[], "Passwords were encoded for ZooKeeper."),
    string("password.encoder.keyfactory.algorithm")
        .low()
        .legacy(&[], "Passwords were encoded for ZooKeeper."),
    password("password.encoder.old.secret").legacy(&[], "Passwords were encoded for ZooKeeper."),
    password("password.encoder.secret").legacy(&[], "Passwords were encoded for ZooKeeper."),
    int("reserved.broker.max.id")
        .or("1000")
        .at_least(0)
        .legacy(&[], "Ids were drawn by ZooKeeper from here on."),
    boolean("unstable.metadata.versions.enable")
        .or("false")
        .high()
        .internal()
        .legacy(&["unstable.feature.versions.enable"], "The name of the key in Kafka 3."),
];

//! How replicas follow their leader, and who may lead.
//!
//! Rows of the broker table; the words are ours, the facts those of
//! ReplicationConfigs. A row that acts has a typed field (see `super`).

use super::key::{Key, boolean, int, long, string};
use super::why;

pub(super) const KEYS: &[Key] = &[
    boolean("auto.leader.rebalance.enable").or("true").high().ignored(why::CLUSTER),
    int("controller.socket.timeout.ms").or("30000").ignored(why::CLUSTER),
    int("default.replication.factor").or("1").acts(
        "How many replicas each partition of a new topic gets when its creator names no \
             number.",
    ),
    int("delete.records.purgatory.purge.interval.requests").or("1").ignored(why::PURGATORY),
    int("fetch.purgatory.purge.interval.requests").or("1000").ignored(why::PURGATORY),
    long("leader.imbalance.check.interval.seconds")
        .or("300")
        .at_least(1)
        .high()
        .ignored(why::CLUSTER),
    int("min.insync.replicas").or("1").at_least(1).high().cluster_wide().acts(
        "How many replicas must be in sync, the leader included, for a write with \
             acks=all to be taken.",
    ),
    int("num.replica.alter.log.dirs.threads").high().ignored(why::DIRS),
    int("num.replica.fetchers").or("1").high().cluster_wide().ignored(why::THREADS),
    int("producer.purgatory.purge.interval.requests").or("1000").ignored(why::PURGATORY),
    int("replica.fetch.backoff.ms").or("1000").at_least(0).ignored(why::CLUSTER),
    int("replica.fetch.max.bytes").or("1048576").at_least(0).ignored(why::CLUSTER),
    int("replica.fetch.min.bytes").or("1").high().ignored(why::CLUSTER),
    int("replica.fetch.response.max.bytes").or("10485760").at_least(0).ignored(why::CLUSTER),
    int("replica.fetch.wait.max.ms").or("500").high().ignored(why::CLUSTER),
    long("replica.high.watermark.checkpoint.interval.ms")
        .or("5000")
        .high()
        .acts("How often high watermarks are written to replication-offset-checkpoint."),
    long("replica.lag.time.max.ms").or("30000").high().ignored(why::CLUSTER),
    string("replica.selector.class").ignored(why::PLUGIN),
    int("replica.socket.receive.buffer.bytes").or("65536").high().ignored(why::CLUSTER),
    int("replica.socket.timeout.ms").or("30000").high().ignored(why::CLUSTER),
    boolean("unclean.leader.election.enable").or("false").high().cluster_wide().acts(
        "Whether a replica that is out of sync may lead when no other is left, at the \
             price of records.",
    ),
    long("unclean.leader.election.interval.ms")
        .or("300000")
        .at_least(1)
        .internal()
        .ignored(why::CLUSTER),
];

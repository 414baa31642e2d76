//! How replicas follow their leader, and who may lead.
//!
//! Rows of the broker table; the words are ours, the facts those of
//! ReplicationConfigs. A row that acts has a typed field (see `super`).

use super::key::{Key, boolean, int, long, string};
use super::why;

pub(super) const KEYS: &[Key] =
    &[
        boolean("auto.leader.rebalance.enable").or("true").high().acts(
            "Whether the controller gives partitions back to their preferred leaders by itself.",
        ),
        int("controller.socket.timeout.ms").or("30000").acts(
            "How long a broker waits for the active controller's answer before it looks for the \
             controller again.",
        ),
        int("default.replication.factor").or("1").acts(
            "How many replicas each partition of a new topic gets when its creator names no \
             number.",
        ),
        int("delete.records.purgatory.purge.interval.requests").or("1").ignored(why::PURGATORY),
        int("fetch.purgatory.purge.interval.requests").or("1000").ignored(why::PURGATORY),
        boolean("follower.fetch.last.tiered.offset.enable")
            .or("false")
            .cluster_wide()
            .ignored(why::TIERED),
        long("leader.imbalance.check.interval.seconds").or("300").at_least(1).high().acts(
            "How often the controller looks for partitions that their preferred leader lost.",
        ),
        int("min.insync.replicas").or("1").at_least(1).high().cluster_wide().acts(
            "How many replicas must be in sync, the leader included, for a write with \
             acks=all to be taken.",
        ),
        int("num.replica.alter.log.dirs.threads").high().ignored(why::DIRS),
        int("num.replica.fetchers").or("1").at_least(1).high().cluster_wide().acts(
            "How many connections fetch from each broker that leads partitions followed here; \
             each follows its share of them.",
        ),
        int("producer.purgatory.purge.interval.requests").or("1000").ignored(why::PURGATORY),
        int("replica.fetch.backoff.ms").or("1000").at_least(0).acts(
            "How long a follower waits before it asks again for a partition that could not be \
             fetched.",
        ),
        int("replica.fetch.max.bytes").or("1048576").at_least(0).acts(
            "How many bytes of one partition a follower asks for at a time; a larger batch comes \
             whole all the same.",
        ),
        int("replica.fetch.min.bytes")
            .or("1")
            .high()
            .acts("How many bytes a leader gathers before it answers a follower."),
        int("replica.fetch.response.max.bytes")
            .or("10485760")
            .at_least(0)
            .acts("How many bytes of all partitions together a follower asks for at a time."),
        int("replica.fetch.wait.max.ms")
            .or("500")
            .high()
            .acts("How long a leader may wait for records before it answers a follower with none."),
        long("replica.high.watermark.checkpoint.interval.ms")
            .or("5000")
            .high()
            .acts("How often high watermarks are written to replication-offset-checkpoint."),
        long("replica.lag.time.max.ms").or("30000").high().acts(
            "How long a follower may be behind its leader's log before it is no longer counted as \
             in sync.",
        ),
        string("replica.selector.class").acts(
            "Who chooses the replica that a consumer reads from. \
             org.apache.kafka.common.replica.RackAwareReplicaSelector sends it to one of its \
             rack, anything else to the leader.",
        ),
        int("replica.socket.receive.buffer.bytes").or("65536").high().ignored(why::SOCKETS),
        int("replica.socket.timeout.ms").or("30000").high().acts(
            "How long a follower waits for an answer before it takes the connection for lost; at \
             least replica.fetch.wait.max.ms.",
        ),
        boolean("unclean.leader.election.enable").or("false").high().cluster_wide().acts(
            "Whether a replica that is out of sync may lead when no other is left, at the \
             price of records.",
        ),
        long("unclean.leader.election.interval.ms")
            .or("300000")
            .at_least(1)
            .internal()
            .acts("How often the controller looks for leaderless partitions to lead uncleanly."),
    ];

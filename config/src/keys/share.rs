//! Share groups (KIP-932).
//!
//! Rows of the broker table; the facts are those of
//! ShareGroupConfig, ShareCoordinatorConfig. A row that acts has a typed field (see `super`).

use super::Valid;
use super::key::{Key, int, list, short, string};
use super::why;

pub(super) const KEYS: &[Key] = &[
    int("group.share.assignment.interval.ms")
        .or("1000")
        .at_least(0)
        .cluster_wide()
        .acts("How long a share group's partitions stay shared out as they are at least."),
    list("group.share.assignors").or("simple").some_elements().ignored(why::ONE_ASSIGNOR),
    int("group.share.delivery.count.limit")
        .or("5")
        .valid(Valid::Between(2.0, 10.0))
        .acts("How often a record is delivered to members of a share group at most."),
    int("group.share.heartbeat.interval.ms")
        .or("5000")
        .at_least(1)
        .acts("How often members of share groups are told to be heard of."),
    int("group.share.initialize.retry.interval.ms")
        .or("30000")
        .at_least(1)
        .low()
        .internal()
        .acts("After how long the state of a share partition is asked for again."),
    int("group.share.max.assignment.interval.ms")
        .or("15000")
        .at_least(0)
        .acts("The longest time between assignments that a share group may set for itself."),
    int("group.share.max.delivery.count.limit")
        .or("10")
        .valid(Valid::Between(5.0, 25.0))
        .acts("The highest delivery count limit that a share group may set for itself."),
    int("group.share.max.heartbeat.interval.ms")
        .or("15000")
        .at_least(1)
        .acts("The longest heartbeat interval that a share group may set for itself."),
    int("group.share.max.partition.max.record.locks")
        .or("4000")
        .valid(Valid::Between(2_000.0, 10_000.0))
        .acts("The most records in flight that a share group may set for itself."),
    int("group.share.max.record.lock.duration.ms")
        .or("60000")
        .valid(Valid::Between(30_000.0, 3_600_000.0))
        .acts("The longest lock of records that a share group may set for itself."),
    int("group.share.max.session.timeout.ms")
        .or("60000")
        .at_least(1)
        .acts("The longest session timeout that a share group may set for itself."),
    int("group.share.max.share.sessions")
        .or("2000")
        .at_least(1)
        .acts("How many share sessions the broker keeps at most."),
    int("group.share.max.size")
        .or("200")
        .valid(Valid::Between(1.0, 1_000.0))
        .acts("How many members a share group has at most."),
    int("group.share.min.assignment.interval.ms")
        .or("0")
        .at_least(0)
        .acts("The shortest time between assignments that a share group may set for itself."),
    int("group.share.min.delivery.count.limit")
        .or("2")
        .valid(Valid::Between(2.0, 5.0))
        .acts("The lowest delivery count limit that a share group may set for itself."),
    int("group.share.min.heartbeat.interval.ms")
        .or("5000")
        .at_least(1)
        .acts("The shortest heartbeat interval that a share group may set for itself."),
    int("group.share.min.partition.max.record.locks")
        .or("100")
        .valid(Valid::Between(100.0, 2_000.0))
        .acts("The fewest records in flight that a share group may set for itself."),
    int("group.share.min.record.lock.duration.ms")
        .or("15000")
        .valid(Valid::Between(1_000.0, 30_000.0))
        .acts("The shortest lock of records that a share group may set for itself."),
    int("group.share.min.session.timeout.ms")
        .or("45000")
        .at_least(1)
        .acts("The shortest session timeout that a share group may set for itself."),
    int("group.share.partition.max.record.locks")
        .or("2000")
        .valid(Valid::Between(100.0, 10_000.0))
        .acts("How many records of a partition a share group has in flight at most."),
    string("group.share.persister.class.name")
        .or("org.apache.kafka.server.share.persister.DefaultStatePersister")
        .internal()
        .acts("Who keeps the state of share groups; empty: nobody."),
    int("group.share.record.lock.duration.ms")
        .or("30000")
        .valid(Valid::Between(1_000.0, 3_600_000.0))
        .acts("For how long a member of a share group has the records that it acquired."),
    int("group.share.session.timeout.ms")
        .or("45000")
        .at_least(1)
        .acts("After how long without a heartbeat a member of a share group is fenced."),
    int("share.coordinator.append.linger.ms").or("-1").at_least(-1).ignored(why::BATCHING),
    int("share.coordinator.cached.buffer.max.bytes")
        .or("1048588")
        .at_least(524_288)
        .cluster_wide()
        .ignored(why::BUFFERS),
    int("share.coordinator.cold.partition.snapshot.interval.ms")
        .or("300000")
        .at_least(1)
        .low()
        .internal()
        .acts(
            "How old the snapshot of a share partition's state may be before another is \
             written, so that the log behind it can be pruned.",
        ),
    int("share.coordinator.load.buffer.size").or("5242880").at_least(1).high().acts(
        "How many bytes of the share-group state topic are read at a time when a \
             coordinator loads its share partitions.",
    ),
    int("share.coordinator.snapshot.update.records.per.snapshot")
        .or("500")
        .valid(Valid::Between(0.0, 500.0))
        .acts(
            "How many updates of a share partition's state are written between two snapshots of \
             it.",
        ),
    int("share.coordinator.state.topic.compression.codec").or("0").high().acts(
        "How batches of the share-group state topic are compressed: 0 not at all, 1 gzip, \
             2 snappy, 3 lz4, 4 zstd.",
    ),
    short("share.coordinator.state.topic.min.isr").or("2").at_least(1).high().acts(
        "How many replicas of the share-group state topic must be in sync for state to be \
             written; the topic is created with it.",
    ),
    int("share.coordinator.state.topic.num.partitions")
        .or("50")
        .at_least(1)
        .high()
        .acts("How many partitions the share-group state topic is created with."),
    int("share.coordinator.state.topic.prune.interval.ms")
        .or("300000")
        .at_least(1)
        .low()
        .internal()
        .acts("How often records of the share-group state topic that nobody needs are deleted."),
    short("share.coordinator.state.topic.replication.factor").or("3").at_least(1).high().acts(
        "How many replicas the partitions of the share-group state topic are created \
             with.",
    ),
    int("share.coordinator.state.topic.segment.bytes")
        .or("104857600")
        .at_least(1)
        .high()
        .acts("How large a segment of the share-group state topic grows."),
    int("share.coordinator.threads").or("1").at_least(1).ignored(why::THREADS),
    int("share.coordinator.write.timeout.ms").or("5000").at_least(1).high().acts(
        "How long a request for share state waits for the replicas of the share-group \
             state topic.",
    ),
    int("share.fetch.purgatory.purge.interval.requests").or("1000").ignored(why::PURGATORY),
];

//! Consumer groups and their offsets.
//!
//! Rows of the broker table; the words are ours, the facts those of
//! GroupCoordinatorConfig. A row that acts has a typed field (see `super`).

use super::Valid;
use super::key::{Key, int, list, long, short, string};
use super::why;

pub(super) const KEYS: &[Key] = &[
    int("group.consumer.assignment.interval.ms")
        .or("1000")
        .at_least(0)
        .cluster_wide()
        .acts("How long a consumer group's partitions stay shared out as they are at least."),
    list("group.consumer.assignors").or("uniform,range").some_elements().acts(
        "The server-side assignors that members may ask for, the first for those who do not.",
    ),
    int("group.consumer.heartbeat.interval.ms")
        .or("5000")
        .at_least(1)
        .acts("How often members of consumer groups are told to be heard of."),
    int("group.consumer.max.assignment.interval.ms")
        .or("15000")
        .at_least(0)
        .acts("The longest time between assignments that a consumer group may set for itself."),
    int("group.consumer.max.heartbeat.interval.ms")
        .or("15000")
        .at_least(1)
        .acts("The longest heartbeat interval that a consumer group may set for itself."),
    int("group.consumer.max.session.timeout.ms")
        .or("60000")
        .at_least(1)
        .acts("The longest session timeout that a consumer group may set for itself."),
    int("group.consumer.max.size")
        .or("2147483647")
        .at_least(1)
        .acts("The most members of a consumer group."),
    string("group.consumer.migration.policy")
        .or("bidirectional")
        .valid(Valid::OneOfIgnoringCase(&["DISABLED", "DOWNGRADE", "UPGRADE", "BIDIRECTIONAL"]))
        .acts("Which way groups with members go between the classic and the consumer protocol."),
    int("group.consumer.min.assignment.interval.ms")
        .or("0")
        .at_least(0)
        .acts("The shortest time between assignments that a consumer group may set for itself."),
    int("group.consumer.min.heartbeat.interval.ms")
        .or("5000")
        .at_least(1)
        .acts("The shortest heartbeat interval that a consumer group may set for itself."),
    int("group.consumer.min.session.timeout.ms")
        .or("45000")
        .at_least(1)
        .acts("The shortest session timeout that a consumer group may set for itself."),
    int("group.consumer.regex.refresh.interval.ms")
        .or("600000")
        .at_least(10_000)
        .internal()
        .acts("After how long the regular expressions of consumer groups are matched again."),
    int("group.consumer.session.timeout.ms")
        .or("45000")
        .at_least(1)
        .acts("After how long without a heartbeat a member of a consumer group is fenced."),
    int("group.coordinator.append.linger.ms").or("-1").at_least(-1).ignored(why::BATCHING),
    int("group.coordinator.background.threads").or("2").at_least(1).high().ignored(why::THREADS),
    int("group.coordinator.cached.buffer.max.bytes")
        .or("1048588")
        .at_least(524_288)
        .cluster_wide()
        .ignored(why::BUFFERS),
    list("group.coordinator.rebalance.protocols")
        .or("classic,consumer,streams")
        .valid(Valid::ElementsOf {
            or_none: false,
            names: &["consumer", "classic", "share", "streams"],
        })
        .acts("The group protocols that are served; of share and streams groups none is yet."),
    int("group.coordinator.threads").or("4").at_least(1).high().ignored(why::THREADS),
    int("group.initial.rebalance.delay.ms")
        .or("3000")
        .acts("How long the first rebalance of an empty group waits for more members."),
    int("group.max.session.timeout.ms")
        .or("1800000")
        .acts("The longest session timeout that a member of a classic group may ask for."),
    int("group.max.size").or("2147483647").at_least(1).acts("The most members of a classic group."),
    int("group.min.session.timeout.ms")
        .or("6000")
        .acts("The shortest session timeout that a member of a classic group may ask for."),
    int("offset.metadata.max.bytes")
        .or("4096")
        .high()
        .acts("The longest note that a client may store with a committed offset."),
    int("offsets.commit.timeout.ms").or("5000").at_least(1).high().acts(
        "How long the write of a committed offset may take before its client is told to \
             retry.",
    ),
    int("offsets.load.buffer.size").or("5242880").at_least(1).high().acts(
        "How many bytes of the offsets topic are read at a time when a coordinator loads \
             its groups.",
    ),
    long("offsets.retention.check.interval.ms")
        .or("600000")
        .at_least(1)
        .high()
        .acts("How often offsets that nobody uses any more are looked for."),
    int("offsets.retention.minutes")
        .or("10080")
        .at_least(1)
        .high()
        .acts("How long the offsets of a group without members are kept."),
    int("offsets.topic.compression.codec").or("0").high().acts(
        "The codec of batches that the coordinator writes, as a number: 0 none, 1 gzip, 2 \
             snappy, 3 lz4, 4 zstd.",
    ),
    int("offsets.topic.num.partitions")
        .or("50")
        .at_least(1)
        .high()
        .acts("How many partitions the offsets topic is created with."),
    short("offsets.topic.replication.factor")
        .or("3")
        .at_least(1)
        .high()
        .acts("How many replicas the partitions of the offsets topic are created with."),
    int("offsets.topic.segment.bytes")
        .or("104857600")
        .at_least(1)
        .high()
        .acts("How large a segment of the offsets topic grows; small ones load faster."),
];

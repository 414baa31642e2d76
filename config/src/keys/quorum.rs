//! The quorum of controllers and its log.
//!
//! Rows of the broker table; the words are ours, the facts those of
//! QuorumConfig, MetadataLogConfig, KRaftConfigs. A row that acts has a typed field (see `super`).

use super::Valid;
use super::key::{Key, boolean, int, list, long, string};
use super::why;

pub(super) const KEYS: &[Key] = &[
    long("controller.performance.always.log.threshold.ms")
        .or("2000")
        .at_least(0)
        .internal()
        .ignored(why::INTERNAL),
    long("controller.performance.sample.period.ms")
        .or("60000")
        .at_least(100)
        .internal()
        .ignored(why::INTERNAL),
    int("controller.quorum.append.linger.ms").or("25").at_least(0).ignored(why::LINGER),
    boolean("controller.quorum.auto.join.enable")
        .or("false")
        .low()
        .acts("Whether a controller without a vote asks for one by itself (KIP-853)."),
    list("controller.quorum.bootstrap.servers")
        .or("")
        .valid(Valid::BootstrapServers)
        .high()
        .acts("Controllers to ask who the voters are, a list of host:port; voters may change."),
    int("controller.quorum.election.backoff.max.ms")
        .or("1000")
        .at_least(0)
        .high()
        .acts("How long a controller that lost an election waits at most before the next."),
    int("controller.quorum.election.timeout.ms").or("1000").at_least(0).high().acts(
        "How long a controller waits for a leader before it stands for election; twice that \
             at most, drawn by chance.",
    ),
    int("controller.quorum.fetch.max.bytes").or("1048576").at_least(1).low().acts(
        "How many bytes of the metadata log a node asks for at a time; a larger batch comes \
             whole all the same.",
    ),
    int("controller.quorum.fetch.snapshot.max.bytes")
        .or("1048576")
        .at_least(1)
        .low()
        .acts("How many bytes of a metadata snapshot a node asks for at a time."),
    int("controller.quorum.fetch.timeout.ms").or("2000").at_least(0).high().acts(
        "How long a controller goes without an answer of the leader before it stands for \
             election, and a leader without fetches of a majority before it resigns.",
    ),
    int("controller.quorum.request.timeout.ms")
        .or("2000")
        .at_least(0)
        .acts("How long a request to another controller may take."),
    int("controller.quorum.retry.backoff.ms")
        .or("20")
        .at_least(0)
        .low()
        .acts("How long a controller that did not answer is left alone."),
    list("controller.quorum.voters")
        .or("")
        .valid(Valid::Voters)
        .high()
        .acts("The controllers of a quorum that never changes: a list of id@host:port."),
    long("internal.metadata.delete.delay.millis")
        .or("60000")
        .low()
        .internal()
        .ignored(why::INTERNAL),
    int("internal.metadata.log.segment.bytes").low().internal().ignored(why::INTERNAL),
    int("internal.metadata.max.batch.size.in.bytes")
        .or("8388608")
        .low()
        .internal()
        .ignored(why::INTERNAL),
    string("metadata.log.dir")
        .high()
        .acts("The directory of the metadata log; the first of log.dirs when unset."),
    long("metadata.log.max.record.bytes.between.snapshots")
        .or("20971520")
        .at_least(1)
        .high()
        .acts("How many bytes of new metadata make the next snapshot worth its cost."),
    long("metadata.log.max.snapshot.interval.ms").or("3600000").at_least(0).high().acts(
        "How much time may pass, when there is new metadata, until the next snapshot; 0 \
             sets no bound.",
    ),
    int("metadata.log.segment.bytes")
        .or("1073741824")
        .at_least(8_388_608)
        .high()
        .acts("How large a segment of the metadata log grows."),
    long("metadata.log.segment.ms")
        .or("604800000")
        .high()
        .acts("How old a segment of the metadata log gets."),
    int("metadata.max.idle.interval.ms").or("500").at_least(0).low().acts(
        "How often an active controller writes a record that only tells the time; 0 \
             never.",
    ),
    long("metadata.max.retention.bytes").or("104857600").high().acts(
        "How large metadata log and snapshots grow together before the oldest are \
             deleted.",
    ),
    long("metadata.max.retention.ms")
        .or("604800000")
        .high()
        .acts("How long parts of the metadata log that a snapshot covers are kept."),
];

//! What a topic can set for itself.
//!
//! Rows of the topic table; the words are ours, the facts those of
//! LogConfig.configDef. A row that acts has a typed field (see `super`).

use super::Valid;
use super::key::{Key, boolean, double, int, list, long, string};
use super::why;

pub(super) const KEYS: &[Key] = &[
    list("cleanup.policy")
        .or("delete")
        .valid(Valid::ElementsOf { or_none: true, names: &["compact", "delete"] })
        .acts(
            "What becomes of old records: deleted, compacted by key, or both; kept for ever when \
             it is empty.",
        ),
    int("compression.gzip.level").or("-1").valid(Valid::GzipLevel).acts(
        "The level used when the broker itself compresses with gzip; -1 is the default of \
             the library.",
    ),
    int("compression.lz4.level")
        .or("9")
        .valid(Valid::Between(1.0, 17.0))
        .acts("The level used when the broker itself compresses with lz4."),
    string("compression.type")
        .or("producer")
        .valid(Valid::OneOf(&["uncompressed", "zstd", "lz4", "snappy", "gzip", "producer"]))
        .acts(
            "The codec that batches of the topic are stored with. `producer` stores each \
             batch as it came.",
        ),
    int("compression.zstd.level")
        .or("3")
        .valid(Valid::Between(-131_072.0, 22.0))
        .acts("The level used when the broker itself compresses with zstd."),
    long("delete.retention.ms").or("86400000").at_least(0).acts(
        "How long tombstones and transaction markers of a compacted topic are kept, from the \
             compaction that leaves nothing else of their key or transaction.",
    ),
    long("file.delete.delay.ms")
        .or("60000")
        .at_least(0)
        .acts("How long a file stays on disk after it was deleted and renamed."),
    long("flush.messages").or("9223372036854775807").at_least(1).acts(
        "After how many records a partition is synced to disk. 1 syncs every write before \
             it is answered.",
    ),
    long("flush.ms")
        .or("9223372036854775807")
        .at_least(0)
        .acts("After how many milliseconds at most an unsynced record is synced to disk."),
    list("follower.replication.throttled.replicas").or("").valid(Valid::ThrottledReplicas).acts(
        "Replicas (partition:broker, or * for all) whose fetching \
             follower.replication.throttled.rate holds back.",
    ),
    int("index.interval.bytes")
        .or("4096")
        .at_least(0)
        .acts("About how many bytes of log lie between two entries of the offset index."),
    int("internal.segment.bytes").internal().acts_through(
        "segment_bytes",
        "segment.bytes without its lower bound, for tests that need many segments.",
    ),
    list("leader.replication.throttled.replicas").or("").valid(Valid::ThrottledReplicas).acts(
        "Replicas (partition:broker, or * for all) whose sending \
             leader.replication.throttled.rate holds back.",
    ),
    long("local.retention.bytes").or("-2").at_least(-2).ignored(why::TIERED),
    long("local.retention.ms").or("-2").at_least(-2).ignored(why::TIERED),
    long("max.compaction.lag.ms").or("9223372036854775807").at_least(1).acts(
        "How old a record gets before the topic is compacted, however little of it is dirty.",
    ),
    int("max.message.bytes")
        .or("1048588")
        .at_least(0)
        .acts("The largest record batch, as compressed by its producer, that the topic takes."),
    long("message.timestamp.after.max.ms")
        .or("3600000")
        .at_least(0)
        .acts("How far in the future the time of a record may lie when producers give it."),
    long("message.timestamp.before.max.ms")
        .or("9223372036854775807")
        .at_least(0)
        .acts("How far in the past the time of a record may lie when producers give it."),
    string("message.timestamp.type")
        .or("CreateTime")
        .valid(Valid::OneOf(&["CreateTime", "LogAppendTime"]))
        .acts(
            "Whether a record keeps the time its producer gave it (CreateTime) or gets the \
             time of its arrival (LogAppendTime).",
        ),
    double("min.cleanable.dirty.ratio")
        .or("0.5")
        .valid(Valid::Between(0.0, 1.0))
        .acts("Which part of a log is to be dirty before it is compacted."),
    long("min.compaction.lag.ms")
        .or("0")
        .at_least(0)
        .acts("How old a record is at least before it may be compacted away."),
    int("min.insync.replicas").or("1").at_least(1).acts(
        "How many replicas must be in sync, the leader included, for a write with \
             acks=all to be taken.",
    ),
    boolean("preallocate")
        .or("false")
        .acts("Whether a new segment file is given its whole size at once."),
    boolean("remote.log.copy.disable").or("false").ignored(why::TIERED),
    boolean("remote.log.delete.on.disable").or("false").ignored(why::TIERED),
    boolean("remote.storage.enable").or("false").ignored(why::TIERED),
    long("retention.bytes").or("-1").acts(
        "How large a partition grows before its oldest segments are deleted; -1 sets no \
             bound.",
    ),
    long("retention.ms")
        .or("604800000")
        .at_least(-1)
        .acts("How long records are kept; -1 keeps them without limit of time."),
    int("segment.bytes")
        .or("1073741824")
        .at_least(1_048_576)
        .acts("How large a segment file grows before the next one is begun."),
    int("segment.index.bytes").or("10485760").at_least(4).acts(
        "The largest offset or time index of a segment. A full index begins the next \
             segment.",
    ),
    long("segment.jitter.ms")
        .or("0")
        .at_least(0)
        .acts("The most by which the age of segment.ms is shortened at random."),
    long("segment.ms")
        .or("604800000")
        .at_least(1)
        .acts("How old a segment gets before the next one is begun, even when it is not full."),
    boolean("unclean.leader.election.enable").or("false").acts(
        "Whether a replica that is out of sync may lead when no other is left, at the \
             price of records.",
    ),
];

//! Defaults of every log of a broker, and the tasks that keep logs.
//!
//! Rows of the broker table; the words are ours, the facts those of
//! ServerLogConfigs, LogConfig.SERVER_CONFIG_DEF. A row that acts has a typed field (see `super`).

use super::Valid;
use super::key::{Key, boolean, int, list, long, string};
use super::why;

pub(super) const KEYS: &[Key] = &[
    list("log.cleanup.policy")
        .or("delete")
        .valid(Valid::ElementsOf { or_none: true, names: &["compact", "delete"] })
        .cluster_wide()
        .acts_through(
            "cleanup_policy",
            "What becomes of old records: deleted, compacted by key, or both; kept for ever when \
             it is empty.",
        ),
    list("cordoned.log.dirs")
        .or("")
        .any_elements()
        .per_broker()
        .acts("Directories of log.dirs that get no new replicas (KIP-1066); * means all of them."),
    list("log.dir")
        .or("/tmp/kafka-logs")
        .some_elements()
        .high()
        .acts_through("log_dirs", "The directory of the data, when log.dirs is not set."),
    long("log.dir.failure.timeout.ms").or("30000").at_least(1).low().acts(
        "How long the controller may not be told that a log directory has failed before the \
         broker stops.",
    ),
    list("log.dirs")
        .some_elements()
        .high()
        .acts_through("log_dirs", "The directories of the data, comma separated."),
    long("log.flush.interval.messages")
        .or("9223372036854775807")
        .at_least(1)
        .high()
        .cluster_wide()
        .acts_through(
            "flush_messages",
            "After how many records a partition is synced to disk. Kafka and Gregor rely on \
             replication by default.",
        ),
    long("log.flush.interval.ms").high().cluster_wide().acts_through(
        "flush_ms",
        "After how many milliseconds at most an unsynced record is synced to disk; \
             log.flush.scheduler.interval.ms when unset.",
    ),
    int("log.flush.offset.checkpoint.interval.ms").or("60000").at_least(0).high().acts(
        "How often the points up to which logs are surely on disk are written to \
             recovery-point-offset-checkpoint.",
    ),
    long("log.flush.scheduler.interval.ms").or("9223372036854775807").high().acts(
        "How often partitions are looked through for what log.flush.interval.ms wants \
             synced.",
    ),
    int("log.flush.start.offset.checkpoint.interval.ms")
        .or("60000")
        .at_least(0)
        .high()
        .acts("How often the first offsets of logs are written to log-start-offset-checkpoint."),
    int("log.index.interval.bytes").or("4096").at_least(0).cluster_wide().acts_through(
        "index_interval_bytes",
        "About how many bytes of log lie between two entries of the offset index.",
    ),
    int("log.index.size.max.bytes").or("10485760").at_least(4).cluster_wide().acts_through(
        "segment_index_bytes",
        "The largest offset or time index of a segment. A full index begins the next \
             segment.",
    ),
    long("log.initial.task.delay.ms")
        .or("30000")
        .at_least(0)
        .low()
        .internal()
        .acts("How long after the start the first look for segments to delete or sync is taken."),
    long("log.local.retention.bytes").or("-2").at_least(-2).cluster_wide().ignored(why::TIERED),
    long("log.local.retention.ms").or("-2").at_least(-2).cluster_wide().ignored(why::TIERED),
    long("log.message.timestamp.after.max.ms")
        .or("3600000")
        .at_least(0)
        .cluster_wide()
        .acts_through(
            "message_timestamp_after_max_ms",
            "How far in the future the time of a record may lie when producers give it.",
        ),
    long("log.message.timestamp.before.max.ms")
        .or("9223372036854775807")
        .at_least(0)
        .cluster_wide()
        .acts_through(
            "message_timestamp_before_max_ms",
            "How far in the past the time of a record may lie when producers give it.",
        ),
    string("log.message.timestamp.type")
        .or("CreateTime")
        .valid(Valid::OneOf(&["CreateTime", "LogAppendTime"]))
        .cluster_wide()
        .acts_through(
            "message_timestamp_type",
            "Whether a record keeps the time its producer gave it (CreateTime) or gets the \
             time of its arrival (LogAppendTime).",
        ),
    boolean("log.preallocate")
        .or("false")
        .cluster_wide()
        .acts_through("preallocate", "Whether a new segment file is given its whole size at once."),
    long("log.retention.bytes").or("-1").high().cluster_wide().acts_through(
        "retention_bytes",
        "How large a partition grows before its oldest segments are deleted; -1 sets no \
             bound.",
    ),
    long("log.retention.check.interval.ms")
        .or("300000")
        .at_least(1)
        .acts("How often segments are looked through for those that may be deleted."),
    int("log.retention.hours").or("168").high().acts_through(
        "retention_ms",
        "log.retention.ms in hours; used when neither milliseconds nor minutes are set.",
    ),
    int("log.retention.minutes")
        .high()
        .acts_through("retention_ms", "log.retention.ms in minutes; used when that is not set."),
    long("log.retention.ms").high().cluster_wide().acts_through(
        "retention_ms",
        "How long records are kept; -1 keeps them without limit of time.",
    ),
    int("log.roll.hours")
        .or("168")
        .at_least(1)
        .high()
        .acts_through("segment_ms", "log.roll.ms in hours; used when that is not set."),
    int("log.roll.jitter.hours").or("0").at_least(0).high().acts_through(
        "segment_jitter_ms",
        "log.roll.jitter.ms in hours; used when that is not set.",
    ),
    long("log.roll.jitter.ms").high().cluster_wide().acts_through(
        "segment_jitter_ms",
        "The most by which the age of log.roll.ms is shortened at random, so that \
             segments do not all roll at once.",
    ),
    long("log.roll.ms").high().cluster_wide().acts_through(
        "segment_ms",
        "How old a segment gets before the next one is begun, even when it is not full.",
    ),
    int("log.segment.bytes")
        .or("1073741824")
        .at_least(1_048_576)
        .high()
        .cluster_wide()
        .acts_through(
            "segment_bytes",
            "How large a segment file grows before the next one is begun.",
        ),
    long("log.segment.delete.delay.ms").or("60000").at_least(0).high().cluster_wide().acts_through(
        "file_delete_delay_ms",
        "How long a file stays on disk after it was deleted and renamed.",
    ),
    int("num.recovery.threads.per.data.dir")
        .or("2")
        .at_least(1)
        .high()
        .cluster_wide()
        .acts("How many threads open logs at the start and recover them after an unclean stop."),
    int("producer.id.expiration.check.interval.ms").or("600000").at_least(1).low().internal().acts(
        "How often idempotent producers that wrote nothing for long are looked for and \
             forgotten.",
    ),
    int("producer.id.expiration.ms").or("86400000").at_least(1).low().cluster_wide().acts(
        "How long an idempotent producer that writes nothing is remembered in a \
             partition.",
    ),
];

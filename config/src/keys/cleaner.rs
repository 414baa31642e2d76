//! Compaction.
//!
//! Rows of the broker table; the facts are those of
//! CleanerConfig.

use super::Valid;
use super::key::{Key, boolean, double, int, long};

pub(super) const KEYS: &[Key] = &[
    long("log.cleaner.backoff.ms")
        .or("15000")
        .at_least(0)
        .cluster_wide()
        .acts("How long the log cleaner waits when it finds no log that is to be compacted."),
    long("log.cleaner.dedupe.buffer.size").or("134217728").cluster_wide().acts(
        "How much memory the threads of the log cleaner together take at most to note keys and \
             their last offsets.",
    ),
    long("log.cleaner.delete.retention.ms").or("86400000").at_least(0).cluster_wide().acts_through(
        "delete_retention_ms",
        "How long tombstones and transaction markers of compacted topics are kept.",
    ),
    boolean("log.cleaner.enable").or("true").acts(
        "Whether topics with cleanup.policy=compact are compacted. Without it those, the broker's \
             own among them, only grow.",
    ),
    double("log.cleaner.io.buffer.load.factor").or("0.9").cluster_wide().acts(
        "How full the memory for keys gets: a fuller one holds more keys and takes longer to \
             search.",
    ),
    int("log.cleaner.io.buffer.size")
        .or("524288")
        .at_least(0)
        .cluster_wide()
        .acts("The bytes that the threads of the log cleaner together read and write at a time."),
    double("log.cleaner.io.max.bytes.per.second").or("1.7976931348623157E308").cluster_wide().acts(
        "How many bytes a second upkeep reads and writes at most when it goes through whole \
             segments: compaction, and the building anew of indexes that do not fit.",
    ),
    long("log.cleaner.max.compaction.lag.ms")
        .or("9223372036854775807")
        .at_least(1)
        .cluster_wide()
        .acts_through(
            "max_compaction_lag_ms",
            "How old a record of a compacted topic gets before the topic is compacted, however \
                 little of it is dirty.",
        ),
    double("log.cleaner.min.cleanable.ratio")
        .or("0.5")
        .valid(Valid::Between(0.0, 1.0))
        .cluster_wide()
        .acts_through(
            "min_cleanable_dirty_ratio",
            "Which part of a compacted topic's log is to be dirty before it is compacted.",
        ),
    long("log.cleaner.min.compaction.lag.ms").or("0").at_least(0).cluster_wide().acts_through(
        "min_compaction_lag_ms",
        "How old a record is at least before it may be compacted away.",
    ),
    int("log.cleaner.threads")
        .or("1")
        .at_least(0)
        .cluster_wide()
        .acts("How many logs are compacted at the same time at most."),
];

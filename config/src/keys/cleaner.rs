//! Compaction.
//!
//! Rows of the broker table; the facts are those of
//! CleanerConfig.

use super::Valid;
use super::key::{Key, boolean, double, int, long};
use super::why;

pub(super) const KEYS: &[Key] = &[
    long("log.cleaner.backoff.ms").or("15000").at_least(0).cluster_wide().ignored(why::COMPACTION),
    long("log.cleaner.dedupe.buffer.size").or("134217728").cluster_wide().ignored(why::COMPACTION),
    long("log.cleaner.delete.retention.ms")
        .or("86400000")
        .at_least(0)
        .cluster_wide()
        .ignored(why::COMPACTION),
    boolean("log.cleaner.enable").or("true").ignored(why::COMPACTION),
    double("log.cleaner.io.buffer.load.factor").or("0.9").cluster_wide().ignored(why::COMPACTION),
    int("log.cleaner.io.buffer.size")
        .or("524288")
        .at_least(0)
        .cluster_wide()
        .ignored(why::COMPACTION),
    double("log.cleaner.io.max.bytes.per.second").or("1.7976931348623157E308").cluster_wide().acts(
        "How many bytes a second upkeep reads and writes at most when it goes through whole \
             segments: so far the building anew of indexes that do not fit.",
    ),
    long("log.cleaner.max.compaction.lag.ms")
        .or("9223372036854775807")
        .at_least(1)
        .cluster_wide()
        .ignored(why::COMPACTION),
    double("log.cleaner.min.cleanable.ratio")
        .or("0.5")
        .valid(Valid::Between(0.0, 1.0))
        .cluster_wide()
        .ignored(why::COMPACTION),
    long("log.cleaner.min.compaction.lag.ms")
        .or("0")
        .at_least(0)
        .cluster_wide()
        .ignored(why::COMPACTION),
    int("log.cleaner.threads").or("1").at_least(0).cluster_wide().ignored(why::COMPACTION),
];

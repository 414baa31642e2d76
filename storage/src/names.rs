//! File and directory names of a log, as Kafka's `LogFileUtils` and `LocalLog` have them.

use std::path::{Path, PathBuf};

pub(crate) const LOG: &str = ".log";
pub(crate) const OFFSET_INDEX: &str = ".index";
pub(crate) const TIME_INDEX: &str = ".timeindex";
pub(crate) const TRANSACTION_INDEX: &str = ".txnindex";
pub(crate) const SNAPSHOT: &str = ".snapshot";
/// Of a file whose deletion is due.
pub(crate) const DELETED: &str = ".deleted";
/// Of a file being written that is to replace others.
pub(crate) const CLEANED: &str = ".cleaned";
/// Of a finished file that is to replace others.
pub(crate) const SWAP: &str = ".swap";
/// Of what recovery cut out of a log though it had been synced; Kafka and we pass such files over.
pub(crate) const CORRUPT: &str = ".corrupt";
pub(crate) const EPOCHS: &str = "leader-epoch-checkpoint";
pub(crate) const PARTITION_METADATA: &str = "partition.metadata";

/// Every kind of file that belongs to one segment.
pub(crate) const OF_SEGMENT: [&str; 4] = [LOG, OFFSET_INDEX, TIME_INDEX, TRANSACTION_INDEX];

/// `00000000000000000042.log` and its kin.
pub(crate) fn file(dir: &Path, base_offset: i64, suffix: &str) -> PathBuf {
    dir.join(format!("{base_offset:020}{suffix}"))
}

/// The offset before the first dot of a file name.
pub(crate) fn offset_of(name: &str) -> Option<i64> {
    let digits = name.split('.').next()?;
    (!digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit()))
        .then(|| digits.parse().ok())
        .flatten()
}

/// The offset of a name that is digits and exactly this suffix.
pub(crate) fn offset_with_suffix(name: &str, suffix: &str) -> Option<i64> {
    let digits = name.strip_suffix(suffix)?;
    (!digits.contains('.')).then(|| offset_of(name)).flatten()
}

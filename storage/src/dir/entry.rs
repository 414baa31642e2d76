//! The names of partition directories, Kafka's `LocalLog.parseTopicPartitionName` and its converse.
//!
//! ```text
//! orders-0   orders-0.<32 hex digits>-delete   …-stray   …-future
//! ```

use std::path::PathBuf;

use uuid::Uuid;

/// What has become of a partition's directory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DirKind {
    Live,
    /// Renamed for deletion.
    Deleted,
    /// Renamed because no partition of the cluster belongs to it.
    Stray,
    /// A copy being built in another log dir.
    Future,
}

impl DirKind {
    fn suffix(self) -> &'static str {
        match self {
            Self::Live => "",
            Self::Deleted => "-delete",
            Self::Stray => "-stray",
            Self::Future => "-future",
        }
    }
}

/// A partition's directory as found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PartitionDir {
    pub path: PathBuf,
    pub topic: String,
    pub partition: i32,
    pub kind: DirKind,
    /// From `partition.metadata`; `None` if that is missing or garbled.
    pub topic_id: Option<Uuid>,
}

/// File names end at 255 bytes.
const NAME_BYTES_MAX: usize = 255;

pub(super) fn parse(name: &str) -> Option<(String, i32, DirKind)> {
    let (name, kind) = [DirKind::Deleted, DirKind::Stray, DirKind::Future]
        .into_iter()
        .find_map(|kind| {
            let (name, unique) = name.strip_suffix(kind.suffix())?.rsplit_once('.')?;
            (!unique.is_empty()).then_some((name, kind))
        })
        .unwrap_or((name, DirKind::Live));
    let (topic, partition) = name.rsplit_once('-')?;
    let partition = partition.parse().ok().filter(|&partition: &i32| partition >= 0)?;
    (!topic.is_empty()).then(|| (topic.to_owned(), partition, kind))
}

/// The name that `topic-partition` gets when it is put aside.
pub(super) fn aside_name(name: &str, kind: DirKind, unique: Uuid) -> String {
    let (topic, partition) = name.rsplit_once('-').unwrap_or((name, "0"));
    let tail = format!("-{partition}.{}{}", unique.simple(), kind.suffix());
    let kept = topic.len().min(NAME_BYTES_MAX.saturating_sub(tail.len()));
    format!("{}{tail}", topic.get(..kept).unwrap_or(topic))
}

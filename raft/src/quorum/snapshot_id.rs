//! The name of a snapshot of the metadata: `<end offset>-<epoch>.checkpoint`. Kafka: `Snapshots`.

/// Which state a snapshot holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SnapshotId {
    /// The first offset that is not in the snapshot.
    pub end_offset: i64,
    pub epoch: i32,
}

impl SnapshotId {
    /// What the first controller of a cluster with dynamic voters starts from.
    pub const BOOTSTRAP: Self = Self { end_offset: 0, epoch: 0 };

    pub fn file_name(&self) -> String {
        format!("{:020}-{:010}.checkpoint", self.end_offset, self.epoch)
    }

    /// `None` for any other file.
    pub fn from_file_name(name: &str) -> Option<Self> {
        let (offset, epoch) = name.strip_suffix(".checkpoint")?.split_once('-')?;
        let digits = |text: &str, length| {
            text.len() == length && text.bytes().all(|byte| byte.is_ascii_digit())
        };
        (digits(offset, 20) && digits(epoch, 10)).then_some(())?;
        Some(Self { end_offset: offset.parse().ok()?, epoch: epoch.parse().ok()? })
    }
}

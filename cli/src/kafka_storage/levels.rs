//! Feature levels as the tool knows them: which levels there are, from which release on a new
//! cluster gets one, and which release one needs.
//!
//! Answers to Feature and the *Version enums of server-common. `raft::feature` holds what a node
//! supports; the tool also names levels that 4.1 has but does not offer yet.

use raft::feature::{
    ELR_VERSION, GROUP_VERSION, KRAFT_VERSION, MetadataVersion, SHARE_VERSION, TRANSACTION_VERSION,
};

/// A feature other than metadata.version.
pub(super) struct Feature {
    pub(super) name: &'static str,
    /// For each level, from 0 on: the metadata level at which new clusters get it.
    begins_at: &'static [i16],
    /// The highest level that is offered.
    stable: i16,
    /// The metadata level that levels above 0 need, beyond the oldest that is supported.
    needs: Option<i16>,
}

/// In Kafka's order.
pub(super) const FEATURES: &[Feature] = &[
    Feature { name: KRAFT_VERSION, begins_at: &[7, 21], stable: 1, needs: Some(21) },
    Feature { name: TRANSACTION_VERSION, begins_at: &[7, 24, 24], stable: 2, needs: None },
    Feature { name: GROUP_VERSION, begins_at: &[7, 22], stable: 1, needs: None },
    Feature { name: ELR_VERSION, begins_at: &[7, 26], stable: 1, needs: Some(23) },
    Feature { name: SHARE_VERSION, begins_at: &[7, 28], stable: 1, needs: None },
    Feature { name: "streams.version", begins_at: &[7, 29], stable: 0, needs: None },
];

impl Feature {
    pub(super) fn find(name: &str) -> Option<&'static Self> {
        FEATURES.iter().find(|feature| feature.name == name)
    }

    /// The level that a cluster of this metadata version begins with.
    pub(super) fn default_level(&self, version: MetadataVersion) -> i16 {
        let reached = self.begins_at.iter().rposition(|begins_at| *begins_at <= version.level());
        reached.and_then(|level| i16::try_from(level).ok()).unwrap_or(0)
    }

    pub(super) fn has_level(&self, level: i16) -> bool {
        usize::try_from(level).is_ok_and(|level| level < self.begins_at.len())
    }

    pub(super) fn is_stable(&self, level: i16) -> bool {
        self.has_level(level) && level <= self.stable
    }

    /// The metadata version that a level depends on, if it depends on one.
    pub(super) fn needs(&self, level: i16) -> Option<MetadataVersion> {
        self.needs.filter(|_| level > 0).and_then(MetadataVersion::from_level)
    }
}

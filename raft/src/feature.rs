//! The features of the cluster and their levels: what 4.3 supports, what a new cluster starts with,
//! and what a level means for the versions of records.
//!
//! Answers to `Feature`, `MetadataVersion`, `QuorumFeatures` and the `*Version` enums of
//! server-common (KIP-584, KIP-778, KIP-1022).

use protocol::records::metadata::MetadataRecord;

pub const METADATA_VERSION: &str = "metadata.version";
pub const KRAFT_VERSION: &str = "kraft.version";
pub const TRANSACTION_VERSION: &str = "transaction.version";
pub const GROUP_VERSION: &str = "group.version";
pub const ELR_VERSION: &str = "eligible.leader.replicas.version";
pub const SHARE_VERSION: &str = "share.version";
pub const STREAMS_VERSION: &str = "streams.version";

/// A level of `metadata.version`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MetadataVersion(i16);

/// Level, release, and whether the metadata changed against the level before.
const METADATA_VERSIONS: &[(i16, &str, bool)] = &[
    (7, "3.3-IV3", true),
    (8, "3.4-IV0", true),
    (9, "3.5-IV0", false),
    (10, "3.5-IV1", false),
    (11, "3.5-IV2", true),
    (12, "3.6-IV0", false),
    (13, "3.6-IV1", true),
    (14, "3.6-IV2", true),
    (15, "3.7-IV0", true),
    (16, "3.7-IV1", false),
    (17, "3.7-IV2", true),
    (18, "3.7-IV3", false),
    (19, "3.7-IV4", false),
    (20, "3.8-IV0", false),
    (21, "3.9-IV0", false),
    (22, "4.0-IV0", false),
    (23, "4.0-IV1", true),
    (24, "4.0-IV2", false),
    (25, "4.0-IV3", false),
    (26, "4.1-IV0", false),
    (27, "4.1-IV1", false),
    (28, "4.2-IV0", false),
    (29, "4.2-IV1", false),
    (30, "4.3-IV0", true),
    // A placeholder of 4.3 for what 4.4 turns on; no node of 4.3 finalizes it.
    (31, "4.4-IV0", false),
];

impl MetadataVersion {
    /// The oldest level that 4.3 runs with.
    pub const MINIMUM: Self = Self(7);
    /// 4.3-IV0, what a new cluster gets.
    pub const LATEST: Self = Self(30);
    /// The newest level that 4.3 has a name for.
    pub const LATEST_NAMED: Self = Self(31);

    pub fn from_level(level: i16) -> Option<Self> {
        METADATA_VERSIONS.iter().any(|known| known.0 == level).then_some(Self(level))
    }

    /// Reads `4.3`, `4.3.1` or `4.3-IV0`; a bare release means its newest stable level.
    pub fn from_release(text: &str) -> Option<Self> {
        let mut parts = text.split('.');
        let release = match (parts.next(), parts.next(), parts.next()) {
            (Some(major), Some(minor), Some(_)) => format!("{major}.{minor}"),
            _ => text.to_owned(),
        };
        let exact = METADATA_VERSIONS.iter().find(|known| known.1 == release);
        let newest = METADATA_VERSIONS
            .iter()
            .filter(|known| known.0 <= Self::LATEST.0)
            .rfind(|known| known.1.split_once('-').is_some_and(|(short, _)| short == release));
        exact.or(newest).map(|known| Self(known.0))
    }

    pub fn level(self) -> i16 {
        self.0
    }

    /// `4.3-IV0`.
    pub fn name(self) -> &'static str {
        METADATA_VERSIONS.iter().find(|known| known.0 == self.0).map_or("unknown", |known| known.1)
    }

    /// Every level that has a name, oldest first.
    pub fn named() -> impl Iterator<Item = Self> {
        METADATA_VERSIONS.iter().map(|known| Self(known.0))
    }

    /// Whether records written at `self` may say something that `other` cannot.
    pub fn metadata_changed_since(self, other: Self) -> bool {
        let (low, high) = if self < other { (self, other) } else { (other, self) };
        METADATA_VERSIONS.iter().any(|known| known.0 > low.0 && known.0 <= high.0 && known.2)
    }

    pub fn has_scram(self) -> bool {
        self.0 >= 11
    }

    pub fn bumps_leader_epoch_on_isr_shrink(self) -> bool {
        self.0 < 12
    }

    pub fn has_metadata_transactions(self) -> bool {
        self.0 >= 13
    }

    pub fn has_delegation_tokens(self) -> bool {
        self.0 >= 14
    }

    pub fn has_controller_registration(self) -> bool {
        self.0 >= 15
    }

    pub fn has_directories(self) -> bool {
        self.0 >= 17
    }

    pub fn has_elr(self) -> bool {
        self.0 >= 23
    }

    pub fn has_cordoned_log_dirs(self) -> bool {
        self.0 >= 30
    }

    /// The version in which `record` is written at this level.
    pub fn record_version(self, record: &MetadataRecord) -> i16 {
        match record {
            MetadataRecord::RegisterBroker(_) if self.has_cordoned_log_dirs() => 4,
            MetadataRecord::RegisterBroker(_) if self.has_directories() => 3,
            MetadataRecord::RegisterBroker(_) if self.0 >= 8 => 2,
            MetadataRecord::RegisterBroker(_) => 1,
            MetadataRecord::Partition(_) | MetadataRecord::PartitionChange(_) if self.has_elr() => {
                2
            }
            MetadataRecord::Partition(_) | MetadataRecord::PartitionChange(_) => {
                i16::from(self.has_directories())
            }
            // Kafka writes each change in the lowest version that can say it.
            MetadataRecord::BrokerRegistrationChange(change)
                if change.cordoned_log_dirs.is_some() =>
            {
                3
            }
            MetadataRecord::BrokerRegistrationChange(change) if !change.log_dirs.is_empty() => 2,
            MetadataRecord::BrokerRegistrationChange(change) => {
                i16::from(change.in_controlled_shutdown != 0)
            }
            _ => 0,
        }
    }
}

/// What is known about one feature.
#[derive(Debug, Clone, Copy)]
pub struct Feature {
    pub name: &'static str,
    pub min_supported: i16,
    pub max_supported: i16,
    /// From which metadata.version on a new cluster gets which level.
    bootstrap: &'static [(i16, i16)],
    /// Levels from which on the feature needs this metadata.version.
    needs_metadata_version: &'static [(i16, i16)],
}

/// The features that 4.3 supports, in the order of their names.
pub const FEATURES: &[Feature] = &[
    Feature {
        name: ELR_VERSION,
        min_supported: 0,
        max_supported: 1,
        bootstrap: &[(26, 1)],
        needs_metadata_version: &[(1, 23)],
    },
    Feature {
        name: GROUP_VERSION,
        min_supported: 0,
        max_supported: 1,
        bootstrap: &[(22, 1)],
        needs_metadata_version: &[(1, 7)],
    },
    Feature {
        name: KRAFT_VERSION,
        min_supported: 0,
        max_supported: 1,
        bootstrap: &[],
        needs_metadata_version: &[],
    },
    Feature {
        name: METADATA_VERSION,
        min_supported: MetadataVersion::MINIMUM.0,
        max_supported: MetadataVersion::LATEST.0,
        bootstrap: &[],
        needs_metadata_version: &[],
    },
    Feature {
        name: SHARE_VERSION,
        min_supported: 0,
        max_supported: 1,
        bootstrap: &[(28, 1)],
        needs_metadata_version: &[(1, 7)],
    },
    Feature {
        name: STREAMS_VERSION,
        min_supported: 0,
        max_supported: 1,
        bootstrap: &[(29, 1)],
        needs_metadata_version: &[(1, 7)],
    },
    Feature {
        name: TRANSACTION_VERSION,
        min_supported: 0,
        max_supported: 2,
        bootstrap: &[(24, 2)],
        needs_metadata_version: &[(1, 7)],
    },
];

impl Feature {
    pub fn find(name: &str) -> Option<&'static Self> {
        FEATURES.iter().find(|feature| feature.name == name)
    }

    /// The level that a cluster formatted at `metadata_version` starts with.
    pub fn bootstrap_level(&self, metadata_version: MetadataVersion) -> i16 {
        let reached = self.bootstrap.iter().rfind(|(from, _)| *from <= metadata_version.0);
        reached.map_or(0, |(_, level)| *level)
    }

    /// The highest level that a node supports, with `unstable.feature.versions.enable` also that of
    /// a release that is not out.
    pub fn supported_max(&self, unstable: bool) -> i16 {
        match self.name {
            METADATA_VERSION if unstable => MetadataVersion::LATEST_NAMED.0,
            _ => self.max_supported,
        }
    }

    /// Whether there is such a level.
    pub fn has_level(&self, level: i16) -> bool {
        (self.min_supported..=self.max_supported).contains(&level)
    }

    /// The metadata.version that `level` needs, if any.
    pub fn needed_metadata_version(&self, level: i16) -> Option<MetadataVersion> {
        let needed = self.needs_metadata_version.iter().rfind(|(from, _)| *from <= level)?;
        Some(MetadataVersion(needed.1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn releases_are_read_as_kafka_reads_them() {
        for (text, wanted) in [
            ("4.1", Some(27)),
            ("4.1.0", Some(27)),
            ("4.1-IV0", Some(26)),
            ("4.3.1", Some(30)),
            ("3.3", Some(7)),
            ("3.7", Some(19)),
            ("3.7.2", Some(19)),
            ("4.2-IV1", Some(29)),
            ("4.2", Some(29)),
            ("4.4-IV0", Some(31)),
            ("4.4", None),
            ("2.8", None),
            ("", None),
        ] {
            assert_eq!(MetadataVersion::from_release(text).map(MetadataVersion::level), wanted);
        }
    }

    #[test]
    fn metadata_changes_between_some_levels_only() {
        let at = |level| MetadataVersion::from_level(level).unwrap();
        assert!(!at(29).metadata_changed_since(at(24)));
        assert!(at(30).metadata_changed_since(at(29)));
        assert!(at(27).metadata_changed_since(at(22)));
        assert!(at(22).metadata_changed_since(at(27)));
        assert!(!at(7).metadata_changed_since(at(7)));
    }

    #[test]
    fn a_new_cluster_starts_with_what_stock_4_3_finalizes() {
        let levels: Vec<_> = FEATURES
            .iter()
            .map(|feature| (feature.name, feature.bootstrap_level(MetadataVersion::LATEST)))
            .filter(|(_, level)| *level > 0)
            .collect();
        let stock = [
            (ELR_VERSION, 1),
            (GROUP_VERSION, 1),
            (SHARE_VERSION, 1),
            (STREAMS_VERSION, 1),
            (TRANSACTION_VERSION, 2),
        ];
        assert_eq!(levels, stock);
    }
}

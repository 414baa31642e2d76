//! The finalized features. Answers to `FeaturesImage`.

use std::collections::BTreeMap;

use protocol::records::metadata::{FeatureLevelRecord, MetadataRecord, ZkMigrationStateRecord};
use protocol::wire::StrBytes;

use super::ReplayError;
use crate::feature::{ELR_VERSION, Feature, KRAFT_VERSION, METADATA_VERSION, MetadataVersion};

#[derive(Debug, Clone, Default, PartialEq)]
pub struct FeaturesImage {
    metadata_version: Option<MetadataVersion>,
    /// All others whose level is above 0.
    levels: BTreeMap<StrBytes, i16>,
    /// Of a cluster that came from ZooKeeper; kept, never acted on.
    zk_migration_state: i8,
}

impl FeaturesImage {
    /// `None` until the first record of the log is replayed.
    pub fn metadata_version(&self) -> Option<MetadataVersion> {
        self.metadata_version
    }

    /// The finalized level of a feature, 0 when it is not finalized.
    pub fn level(&self, name: &str) -> i16 {
        if name == METADATA_VERSION {
            return self.metadata_version.map_or(0, MetadataVersion::level);
        }
        self.levels.get(name.as_bytes()).copied().unwrap_or(0)
    }

    pub fn elr_enabled(&self) -> bool {
        self.level(ELR_VERSION) > 0
    }

    /// Every finalized feature with its level, metadata.version first.
    pub fn finalized(&self) -> impl Iterator<Item = (&str, i16)> {
        let metadata = self.metadata_version.map(|version| (METADATA_VERSION, version.level()));
        metadata.into_iter().chain(self.levels.iter().map(|(name, level)| (name.as_str(), *level)))
    }

    pub(crate) fn replay_level(&mut self, record: &FeatureLevelRecord) -> Result<(), ReplayError> {
        let level = record.feature_level;
        let name = record.name.as_str();
        // Kafka refuses what it does not know too: acting on half of a feature corrupts.
        let refused = || ReplayError::FeatureLevel { name: name.to_owned(), level };
        let known = Feature::find(name).filter(|feature| {
            level == 0 || (feature.min_supported..=feature.supported_max(true)).contains(&level)
        });
        known.ok_or_else(refused)?;
        match name {
            METADATA_VERSION => {
                self.metadata_version =
                    Some(MetadataVersion::from_level(level).ok_or_else(refused)?);
            }
            // The quorum's own control records rule this one.
            KRAFT_VERSION => {}
            _ if level == 0 => {
                self.levels.remove(&record.name);
            }
            _ => {
                self.levels.insert(record.name.clone(), level);
            }
        }
        Ok(())
    }

    pub(crate) fn replay_zk_migration(&mut self, record: &ZkMigrationStateRecord) {
        self.zk_migration_state = record.zk_migration_state;
    }

    pub(crate) fn write(&self, out: &mut Vec<MetadataRecord>) {
        for (name, feature_level) in self.finalized() {
            let name = StrBytes::from_string(name.to_owned());
            out.push(FeatureLevelRecord { name, feature_level, ..Default::default() }.into());
        }
        if self.zk_migration_state != 0 {
            let zk_migration_state = self.zk_migration_state;
            out.push(ZkMigrationStateRecord { zk_migration_state, ..Default::default() }.into());
        }
    }
}

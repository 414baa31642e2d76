//! Formatting: which features a cluster begins with, and what is written into each directory.
//!
//! Nothing is written before everything was found to fit. Answers to
//! org.apache.kafka.metadata.storage.Formatter.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use config::BrokerConfig;
use protocol::records::metadata::{FeatureLevelRecord, MetadataRecord};
use protocol::wire::StrBytes;
use raft::feature::{KRAFT_VERSION, METADATA_VERSION, MetadataVersion};
use storage::MetaProperties;

use super::directories::{Directories, of_node};
use super::failure::Failure;
use super::random_uuid;
use super::voters::InitialVoters;
use super::{checkpoint, scram, voters};
use crate::kafka_features::levels::{default_level, feature, features};
use crate::release::CliRelease;

/// What to format, and as what.
#[derive(Debug)]
pub(super) struct Formatter {
    pub(super) cluster_id: String,
    pub(super) node_id: i32,
    pub(super) directories: BTreeSet<String>,
    pub(super) metadata_log_dir: String,
    pub(super) controller_listener: String,
    pub(super) release: Option<MetadataVersion>,
    /// Levels that were asked for.
    pub(super) levels: BTreeMap<String, i16>,
    /// Whether levels may be used that no release has yet.
    pub(super) unstable: bool,
    pub(super) initial_voters: Option<InitialVoters>,
    /// Whether the quorum may change: the configuration names no voters.
    pub(super) has_dynamic_quorum: bool,
    pub(super) scram: Vec<String>,
    /// Whose words failures have.
    pub(super) words: CliRelease,
    pub(super) ignore_formatted: bool,
}

/// What formatting found, and the first records of the cluster.
pub(super) struct Seen {
    pub(super) directories: Directories,
    pub(super) records: Vec<MetadataRecord>,
}

/// A directory that was formatted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Formatted {
    pub directory: String,
    kind: &'static str,
    pub(super) metadata_version: &'static str,
}

impl std::fmt::Display for Formatted {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { directory, kind, metadata_version } = self;
        write!(f, "Formatting {kind} {directory} with metadata.version {metadata_version}.")
    }
}

/// Formats those directories of a node that are not, with voters that never change: what a node
/// without configuration does for itself. Directories that are formatted keep their cluster; a new
/// one gets a random id.
pub fn format_if_new(config: &BrokerConfig) -> Result<Vec<Formatted>, Failure> {
    format_if_new_as(config, None, &[])
}

/// The same for a node whose cluster has this id, and begins with these levels of features. A
/// directory of another cluster is refused, and nothing written.
pub fn format_if_new_as(
    config: &BrokerConfig,
    cluster_id: Option<&str>,
    levels: &[(&str, i16)],
) -> Result<Vec<Formatted>, Failure> {
    let directories = of_node(config);
    let found = Directories::load(&directories);
    let known = found.formatted.values().find_map(|meta| meta.cluster_id.clone());
    let given = cluster_id.map(str::to_owned);
    let formatter = Formatter {
        cluster_id: given.or(known).unwrap_or_else(|| random_uuid().to_string()),
        node_id: config.node_id,
        directories,
        metadata_log_dir: config.metadata_log_dir.clone(),
        controller_listener: controller_listener(config)?,
        release: None,
        levels: levels.iter().map(|(name, level)| ((*name).to_owned(), *level)).collect(),
        unstable: false,
        initial_voters: None,
        has_dynamic_quorum: false,
        scram: Vec::new(),
        words: CliRelease::default(),
        ignore_formatted: true,
    };
    formatter.run(&mut None)
}

pub(super) fn controller_listener(config: &BrokerConfig) -> Result<String, Failure> {
    config.controller_listener_names.first().cloned().ok_or(Failure::NoControllerListenerName)
}

impl Formatter {
    /// Formats; `seen` is what was there and what a cluster begins with, where the directories are
    /// this node's.
    pub(super) fn run(&self, seen: &mut Option<Seen>) -> Result<Vec<Formatted>, Failure> {
        let release = self.effective_release()?;
        let levels = self.effective_levels(release)?;
        let records = self.bootstrap_records(release, &levels)?;
        let found = Directories::load(&self.directories);
        found.verify(&self.cluster_id, self.node_id)?;
        *seen = Some(Seen { directories: found.clone(), records: records.clone() });
        let encoded = records.iter().map(|record| record.encode(0)).collect::<Result<Vec<_>, _>>();
        let records = encoded.map_err(|error| Failure::Record(error.to_string()))?;
        if let Some(directory) = found.formatted.keys().next().filter(|_| !self.ignore_formatted) {
            return Err(Failure::AlreadyFormatted { directory: directory.clone() });
        }
        if let Some(directory) = found.unreadable.first().filter(|_| self.words.is_3_7()) {
            return Err(Failure::UnreadableDirectory { directory: directory.clone() });
        }
        let nothing = found.empty.is_empty() && found.formatted.is_empty();
        if nothing && !found.unreadable.is_empty() {
            return Err(Failure::NothingToFormat);
        }
        let k_raft_version = levels.get(KRAFT_VERSION).copied().unwrap_or(0);
        let format = |directory: &String| {
            let kind = self.format_directory(directory, &records, k_raft_version)?;
            let directory = directory.clone();
            Ok(Formatted { directory, kind, metadata_version: release.name() })
        };
        found.empty.iter().map(format).collect()
    }

    fn format_directory(
        &self,
        directory: &String,
        records: &[Bytes],
        k_raft_version: i16,
    ) -> Result<&'static str, Failure> {
        let unwritable = |cause| Failure::Unwritable { directory: directory.clone(), cause };
        let initial = self.initial_voters.as_ref().filter(|_| *directory == self.metadata_log_dir);
        let own = initial.and_then(|initial| initial.get(&self.node_id));
        let kind = match (*directory == self.metadata_log_dir, initial, own) {
            (false, _, _) => "data directory",
            (true, None, _) => "metadata directory",
            (true, Some(_), None) => "dynamic metadata directory",
            (true, Some(_), Some(_)) => "dynamic metadata voter directory",
        };
        let path = Path::new(directory);
        std::fs::create_dir_all(path).map_err(unwritable)?;
        checkpoint::write_bootstrap(path, records, now_ms()).map_err(unwritable)?;
        if let Some(initial) = initial {
            let voters = voters::record(initial, &self.controller_listener);
            checkpoint::write_voters(path, k_raft_version, voters, now_ms()).map_err(unwritable)?;
        }
        // Last, because a directory with this file counts as formatted.
        let meta = MetaProperties {
            version: 1,
            cluster_id: Some(self.cluster_id.clone()),
            node_id: Some(self.node_id),
            directory_id: Some(own.map_or_else(random_uuid, |own| own.directory)),
        };
        meta.write(path, now_ms()).map_err(unwritable)?;
        Ok(kind)
    }

    fn effective_release(&self) -> Result<MetadataVersion, Failure> {
        let release = match (self.levels.get(METADATA_VERSION), self.release) {
            (Some(_), Some(_)) => return Err(Failure::ReleaseTwice),
            (Some(level), None) => {
                MetadataVersion::from_level(*level).ok_or(Failure::UnknownMetadataLevel(*level))?
            }
            (None, Some(release)) => release,
            (None, None) if self.unstable => return Ok(MetadataVersion::LATEST_NAMED),
            (None, None) => return Ok(MetadataVersion::LATEST),
        };
        if release > MetadataVersion::LATEST && !self.unstable {
            return Err(Failure::Unstable(release.name()));
        }
        Ok(release)
    }

    /// The level of every feature, metadata.version left out.
    fn effective_levels(
        &self,
        release: MetadataVersion,
    ) -> Result<BTreeMap<&'static str, i16>, Failure> {
        for name in self.levels.keys().filter(|name| *name != METADATA_VERSION) {
            if feature(name).is_none() {
                let mut supported: Vec<_> = features().map(|feature| feature.name).collect();
                supported.sort_unstable();
                let supported = supported.join(", ");
                return Err(Failure::UnsupportedFeature { name: name.clone(), supported });
            }
        }
        let mut levels = BTreeMap::new();
        for feature in features() {
            let level = match (self.levels.get(feature.name).copied(), feature.name) {
                (level, KRAFT_VERSION) => self.k_raft_level(level)?,
                (Some(level), _) => level,
                (None, _) => default_level(feature, release),
            };
            levels.insert(feature.name, level);
        }
        for (name, level) in &levels {
            Self::check_level(name, *level, release)?;
        }
        Ok(levels)
    }

    fn check_level(name: &str, level: i16, release: MetadataVersion) -> Result<(), Failure> {
        let name = name.to_owned();
        let Some(feature) = feature(&name).filter(|feature| feature.has_level(level)) else {
            return Err(Failure::UnknownLevel { name, level });
        };
        match feature.needed_metadata_version(level).filter(|needed| release < *needed) {
            Some(needed) => {
                let needs = needed.level();
                Err(Failure::NeedsMetadataVersion { name, level, needs })
            }
            None => Ok(()),
        }
    }

    fn k_raft_level(&self, asked: Option<i16>) -> Result<i16, Failure> {
        let may_change = self.has_dynamic_quorum;
        match asked {
            Some(0) if may_change => Err(Failure::StaticQuorumLevel(0)),
            Some(level) if level != 0 && !may_change => Err(Failure::DynamicQuorumLevel(level)),
            Some(level) => Ok(level),
            None => Ok(i16::from(may_change)),
        }
    }

    fn bootstrap_records(
        &self,
        release: MetadataVersion,
        levels: &BTreeMap<&'static str, i16>,
    ) -> Result<Vec<MetadataRecord>, Failure> {
        let feature = |name: &'static str, level| {
            MetadataRecord::from(FeatureLevelRecord {
                name: StrBytes::from_static_str(name),
                feature_level: level,
                ..FeatureLevelRecord::default()
            })
        };
        let mut records = vec![feature(METADATA_VERSION, release.level())];
        // kraft.version is no record of the metadata, and level 0 is that of no record.
        let written = levels.iter().filter(|(name, level)| **name != KRAFT_VERSION && **level > 0);
        records.extend(written.map(|(name, level)| feature(name, *level)));
        if !self.scram.is_empty() && !release.has_scram() {
            return Err(Failure::ScramTooEarly(
                self.words.either("metadataVersion IBP_3_5_IV2", "metadata.version 3.5-IV2"),
            ));
        }
        for argument in &self.scram {
            let draw = |salt: &mut [u8]| {
                for chunk in salt.chunks_mut(16) {
                    let drawn = uuid::Uuid::new_v4();
                    chunk.copy_from_slice(drawn.as_bytes().get(..chunk.len()).unwrap_or_default());
                }
            };
            records.push(scram::parse(self.words, argument, draw)?.into());
        }
        Ok(records)
    }
}

fn now_ms() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

//! The directories of a node as they are found: formatted, not formatted, or not to be read.
//!
//! Answers to MetaPropertiesEnsemble.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use config::BrokerConfig;
use protocol::Base64Uuid;
use storage::{MetaProperties, MetaPropertiesError};

use super::failure::Failure;

/// Every directory of a node: those of log.dirs, and metadata.log.dir.
pub(super) fn of_node(config: &BrokerConfig) -> BTreeSet<String> {
    let mut directories: BTreeSet<String> = config.log_dirs.iter().cloned().collect();
    directories.insert(config.metadata_log_dir.clone());
    directories
}

#[derive(Debug, Default, Clone)]
pub(super) struct Directories {
    pub(super) formatted: BTreeMap<String, MetaProperties>,
    pub(super) empty: Vec<String>,
    pub(super) unreadable: Vec<String>,
}

impl Directories {
    pub(super) fn load(directories: &BTreeSet<String>) -> Self {
        let mut found = Self::default();
        for directory in directories {
            match MetaProperties::read(Path::new(directory)) {
                Ok(meta) => {
                    found.formatted.insert(directory.clone(), meta);
                }
                Err(MetaPropertiesError::Missing) => found.empty.push(directory.clone()),
                Err(MetaPropertiesError::Broken(_)) => found.unreadable.push(directory.clone()),
            }
        }
        found
    }

    /// As 3.7 shows them.
    pub(super) fn shown(&self) -> String {
        let empty = self.empty.iter().map(|directory| (directory, "EMPTY".to_owned()));
        let unreadable = self.unreadable.iter().map(|directory| (directory, "ERROR".to_owned()));
        let formatted = self.formatted.iter().map(|(directory, meta)| (directory, shown(meta)));
        let all: BTreeMap<_, _> = empty.chain(unreadable).chain(formatted).collect();
        let all: Vec<String> =
            all.iter().map(|(directory, state)| format!("{directory}: {state}")).collect();
        let all = all.join(", ");
        format!("MetaPropertiesEnsemble(metadataLogDir=Optional.empty, dirs={{{all}}})")
    }

    /// Checks that what is formatted belongs to this node of this cluster.
    pub(super) fn verify(&self, cluster_id: &str, node_id: i32) -> Result<(), Failure> {
        let mut seen: BTreeMap<Base64Uuid, &String> = BTreeMap::new();
        for (directory, meta) in &self.formatted {
            let path =
                || Path::new(directory).join(MetaProperties::FILE_NAME).display().to_string();
            if let Some(found) = meta.cluster_id.as_ref().filter(|found| *found != cluster_id) {
                return Err(Failure::OtherCluster {
                    path: path(),
                    expected: cluster_id.to_owned(),
                    found: found.clone(),
                });
            }
            if let Some(found) = meta.node_id.filter(|found| *found != node_id) {
                return Err(Failure::OtherNode { path: path(), expected: node_id, found });
            }
            let Some(id) = meta.directory_id else {
                continue;
            };
            if id.is_reserved() {
                let (id, directory) = (id.to_string(), directory.clone());
                return Err(Failure::ReservedDirectory { id, directory });
            }
            if let Some(first) = seen.insert(id, directory) {
                let (first, second) = (first.clone(), directory.clone());
                return Err(Failure::DuplicateDirectory { id: id.to_string(), first, second });
            }
        }
        Ok(())
    }
}

/// As Java shows what is known of a directory.
fn shown(meta: &MetaProperties) -> String {
    let mut shown = format!("MetaProperties(version={}", meta.version);
    for (name, value) in [
        ("clusterId", meta.cluster_id.clone()),
        ("nodeId", meta.node_id.map(|id| id.to_string())),
        ("directoryId", meta.directory_id.map(|id| id.to_string())),
    ] {
        if let Some(value) = value {
            shown.push_str(&format!(", {name}={value}"));
        }
    }
    shown + ")"
}

//! `meta.properties`: to which cluster and node a log directory belongs.
//!
//! ```text
//! #
//! #Sat Nov 21 06:07:59 UTC 2026
//! node.id=1
//! directory.id=yWZzYCPz7Xm04-Qw8NWqvw
//! version=1
//! cluster.id=MkU3OEVBNTcwNTJENDM2Qg
//! ```
//!
//! Version 0, of the ZooKeeper era, has broker.id for node.id and may lack everything. Answers to
//! MetaProperties and PropertiesUtils; the order of lines is that of Java's Properties.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;

use protocol::Base64Uuid;
use protocol::properties::{self, escape};
use protocol::time::java_date;

use crate::disk::Disk;

/// What the file of one directory says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MetaProperties {
    pub version: i32,
    pub cluster_id: Option<String>,
    pub node_id: Option<i32>,
    pub directory_id: Option<Base64Uuid>,
}

impl MetaProperties {
    /// The file's name in its directory.
    pub const FILE_NAME: &'static str = "meta.properties";

    /// Reads the file of a directory; what is wrong with it is said in Kafka's words.
    pub fn read(directory: &Path) -> Result<Self, MetaPropertiesError> {
        let read = Disk::default().read(&directory.join(Self::FILE_NAME));
        let bytes = read.map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => MetaPropertiesError::Missing,
            _ => MetaPropertiesError::Broken(error.to_string()),
        })?;
        Self::parse(&bytes).map_err(MetaPropertiesError::Broken)
    }

    fn parse(bytes: &[u8]) -> Result<Self, String> {
        let pairs = properties::parse(bytes);
        let pairs = pairs.map_err(|error| format!("line {}: {error}", error.line))?;
        let properties: BTreeMap<String, String> = pairs.into_iter().collect();
        let value = |name: &str| properties.get(name).map(String::as_str);
        let text = value("version").unwrap_or("0");
        let version = text
            .trim()
            .parse()
            .map_err(|_| format!("Invalid meta.properties version string '{text}'"))?;
        let number = |name: &str, text: &str| {
            let read = text.trim().parse();
            read.map_err(|_| format!("Unable to read {name} as a base-10 number."))
        };
        let node_id = match (version, value("broker.id"), value("node.id")) {
            (0, broker_id, _) => broker_id.map(|id| number("broker.id", id)).transpose()?,
            (1, _, Some(node_id)) => Some(number("node.id", node_id)?),
            (1, _, None) => return Err("Failed to find node.id".to_owned()),
            _ => return Err(format!("Unknown meta.properties version number {version}")),
        };
        let cluster_id = value("cluster.id").map(str::to_owned);
        if version == 1 && cluster_id.is_none() {
            return Err("cluster.id was not found.".to_owned());
        }
        let directory_id = match value("directory.id") {
            None => None,
            Some(text) => Some(
                Base64Uuid::parse(text)
                    .ok_or_else(|| format!("Unable to read directory.id as a Uuid: `{text}`"))?,
            ),
        };
        Ok(Self { version, cluster_id, node_id, directory_id })
    }

    /// Writes the file of a directory, whole or not at all.
    pub fn write(&self, directory: &Path, now_ms: i64) -> io::Result<()> {
        let path = directory.join(Self::FILE_NAME);
        let aside = directory.join(format!("{}.tmp", Self::FILE_NAME));
        Disk::default().replace_synced(&path, &aside, self.render(now_ms).as_bytes())
    }

    fn render(&self, now_ms: i64) -> String {
        let mut lines = format!("#\n#{}\n", java_date(now_ms));
        if let Some(node_id) = self.node_id {
            let name = if self.version == 0 { "broker.id" } else { "node.id" };
            lines.push_str(&format!("{name}={node_id}\n"));
        }
        if let Some(directory_id) = self.directory_id {
            lines.push_str(&format!("directory.id={directory_id}\n"));
        }
        lines.push_str(&format!("version={}\n", self.version));
        if let Some(cluster_id) = &self.cluster_id {
            lines.push_str(&format!("cluster.id={}\n", escape(cluster_id)));
        }
        lines
    }

    /// Names and values, sorted by name.
    pub fn entries(&self) -> BTreeMap<&'static str, String> {
        let node = if self.version == 0 { "broker.id" } else { "node.id" };
        [
            Some(("version", self.version.to_string())),
            self.cluster_id.clone().map(|id| ("cluster.id", id)),
            self.node_id.map(|id| (node, id.to_string())),
            self.directory_id.map(|id| ("directory.id", id.to_string())),
        ]
        .into_iter()
        .flatten()
        .collect()
    }
}

/// Why there is nothing to read.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum MetaPropertiesError {
    /// No such directory, or no such file in it.
    #[error("there is no meta.properties")]
    Missing,
    #[error("{0}")]
    Broken(String),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_escaped_and_read_again() {
        let meta = MetaProperties {
            version: 1,
            cluster_id: Some(" a=b:c\\d #ö😀".to_owned()),
            node_id: Some(1),
            directory_id: Base64Uuid::parse("MvDxzVmcRsaTz33bUuRU6A"),
        };
        let text = meta.render(0);
        assert!(text.contains("cluster.id=\\ a\\=b\\:c\\\\d \\#ö😀\n"), "{text}");
        assert_eq!(MetaProperties::parse(text.as_bytes()), Ok(meta));
    }

    #[test]
    fn broken_files_are_told_from_missing_ones() {
        let table = [
            ("version=2\n", "Unknown meta.properties version number 2"),
            ("version=x\n", "Invalid meta.properties version string 'x'"),
            ("version=1\ncluster.id=a\n", "Failed to find node.id"),
            ("version=1\nnode.id=1\n", "cluster.id was not found."),
            ("version=1\nnode.id=one\n", "Unable to read node.id as a base-10 number."),
            ("a=b\nc=\\u00\n", "line 2: Malformed \\uxxxx encoding."),
        ];
        let directory = tempfile::tempdir().unwrap();
        assert_eq!(MetaProperties::read(directory.path()), Err(MetaPropertiesError::Missing));
        for (text, problem) in table {
            std::fs::write(directory.path().join(MetaProperties::FILE_NAME), text).unwrap();
            let expected = Err(MetaPropertiesError::Broken(problem.to_owned()));
            assert_eq!(MetaProperties::read(directory.path()), expected);
        }
    }
}

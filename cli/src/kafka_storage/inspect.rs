//! `info`: what is in the directories of a node. The exit code is 1 when something is wrong there.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::Path;

use config::BrokerConfig;
use serde::Serialize;
use storage::{MetaProperties, MetaPropertiesError};

use super::directories::of_node;
use super::failure::Failure;
use crate::json;

/// What there is.
#[derive(Debug, Default, Serialize)]
struct Inspected {
    /// As they stand in the file, for the text.
    #[serde(skip)]
    entries: BTreeMap<&'static str, String>,
    directories: Vec<String>,
    metadata: Option<Metadata>,
    problems: Vec<String>,
}

/// The meta.properties of the first directory.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Metadata {
    version: i32,
    cluster_id: Option<String>,
    node_id: Option<i32>,
    directory_id: Option<String>,
}

impl From<MetaProperties> for Metadata {
    fn from(meta: MetaProperties) -> Self {
        Self {
            version: meta.version,
            cluster_id: meta.cluster_id,
            node_id: meta.node_id,
            directory_id: meta.directory_id.map(|id| id.to_string()),
        }
    }
}

pub(super) fn run(
    config: &BrokerConfig,
    is_json: bool,
    out: &mut dyn Write,
) -> Result<i32, Failure> {
    let found = Inspected::of(config);
    match is_json {
        true => json::object(&found, out)?,
        false => found.print(out)?,
    }
    Ok(i32::from(!found.problems.is_empty()))
}

impl Inspected {
    fn of(config: &BrokerConfig) -> Self {
        let mut found = Self::default();
        let problems = &mut found.problems;
        let mut first: Option<MetaProperties> = None;
        for directory in of_node(config) {
            let path = Path::new(&directory);
            if !path.exists() {
                problems.push(format!("{directory} does not exist"));
                continue;
            }
            if !path.is_dir() {
                problems.push(format!("{directory} is not a directory"));
                continue;
            }
            match MetaProperties::read(path) {
                Err(MetaPropertiesError::Missing) => {
                    problems.push(format!("{directory} is not formatted."))
                }
                Err(MetaPropertiesError::Broken(problem)) => {
                    let path = path.join(MetaProperties::FILE_NAME);
                    problems.push(format!("Error loading {}: {problem}", path.display()));
                }
                Ok(meta) => problems.extend(compare(&mut first, meta)),
            }
            found.directories.push(directory);
        }
        if first.as_ref().is_some_and(|meta| meta.version == 0) {
            problems.push(
                "The kafka configuration file appears to be for a cluster in KRaft mode, but the \
                 directories are formatted for legacy mode."
                    .to_owned(),
            );
        }
        found.entries = first.as_ref().map(MetaProperties::entries).unwrap_or_default();
        found.metadata = first.map(Metadata::from);
        found
    }

    fn print(&self, out: &mut dyn Write) -> Result<(), Failure> {
        list(out, "Found log directory:", "Found log directories:", &self.directories)?;
        if self.metadata.is_some() {
            let entries: Vec<_> =
                self.entries.iter().map(|(name, value)| format!("{name}={value}")).collect();
            writeln!(out, "Found metadata: {{{}}}\n", entries.join(", "))?;
        }
        list(out, "Found problem:", "Found problems:", &self.problems)
    }
}

/// Keeps the first directory's properties, and says how another's differ.
fn compare(first: &mut Option<MetaProperties>, meta: MetaProperties) -> Option<String> {
    let Some(first) = first else {
        *first = Some(meta);
        return None;
    };
    let what = if first.cluster_id != meta.cluster_id {
        "cluster"
    } else if first.node_id != meta.node_id {
        "node"
    } else {
        return None;
    };
    Some(format!("Mismatched {what} IDs between storage directories."))
}

fn list(out: &mut dyn Write, one: &str, many: &str, lines: &[String]) -> Result<(), Failure> {
    if lines.is_empty() {
        return Ok(());
    }
    writeln!(out, "{}", if lines.len() == 1 { one } else { many })?;
    for line in lines {
        writeln!(out, "  {line}")?;
    }
    Ok(writeln!(out)?)
}

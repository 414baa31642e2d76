//! `info`: what is in the directories of a node. The exit code is 1 when something is wrong there.

use std::io::Write;
use std::path::Path;

use config::BrokerConfig;
use storage::{MetaProperties, MetaPropertiesError};

use super::directories::of_node;
use super::failure::Failure;

pub(super) fn run(config: &BrokerConfig, out: &mut dyn Write) -> Result<i32, Failure> {
    let mut problems = Vec::new();
    let mut found = Vec::new();
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
        found.push(directory);
    }
    if first.as_ref().is_some_and(|meta| meta.version == 0) {
        problems.push(
            "The kafka configuration file appears to be for a cluster in KRaft mode, but the \
             directories are formatted for legacy mode."
                .to_owned(),
        );
    }
    list(out, "Found log directory:", "Found log directories:", &found)?;
    if let Some(meta) = first {
        let entries: Vec<_> =
            meta.entries().iter().map(|(name, value)| format!("{name}={value}")).collect();
        writeln!(out, "Found metadata: {{{}}}\n", entries.join(", "))?;
    }
    list(out, "Found problem:", "Found problems:", &problems)?;
    Ok(i32::from(!problems.is_empty()))
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

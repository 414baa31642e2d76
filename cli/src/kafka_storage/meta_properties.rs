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
use std::fs::File;
use std::io::{self, Write as _};
use std::path::Path;

use config::Properties;

use crate::Uuid;

pub(super) const NAME: &str = "meta.properties";

/// What the file of one directory says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MetaProperties {
    pub version: i32,
    pub cluster_id: Option<String>,
    pub node_id: Option<i32>,
    pub directory_id: Option<Uuid>,
}

impl MetaProperties {
    /// Reads the file of a directory; what is wrong with it is said in Kafka's words.
    pub fn read(directory: &Path) -> Result<Self, ReadError> {
        let bytes = std::fs::read(directory.join(NAME)).map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => ReadError::Missing,
            _ => ReadError::Broken(error.to_string()),
        })?;
        let properties =
            Properties::parse(&bytes).map_err(|error| ReadError::Broken(error.to_string()))?;
        Self::from_properties(&properties).map_err(ReadError::Broken)
    }

    fn from_properties(properties: &Properties) -> Result<Self, String> {
        let text = properties.get("version").unwrap_or("0");
        let version = text
            .trim()
            .parse()
            .map_err(|_| format!("Invalid meta.properties version string '{text}'"))?;
        let number = |name: &str, text: &str| {
            let read = text.trim().parse();
            read.map_err(|_| format!("Unable to read {name} as a base-10 number."))
        };
        let node_id = match (version, properties.get("broker.id"), properties.get("node.id")) {
            (0, broker_id, _) => broker_id.map(|id| number("broker.id", id)).transpose()?,
            (1, _, Some(node_id)) => Some(number("node.id", node_id)?),
            (1, _, None) => return Err("Failed to find node.id".to_owned()),
            _ => return Err(format!("Unknown meta.properties version number {version}")),
        };
        let cluster_id = properties.get("cluster.id").map(str::to_owned);
        if version == 1 && cluster_id.is_none() {
            return Err("cluster.id was not found.".to_owned());
        }
        let directory_id = match properties.get("directory.id") {
            None => None,
            Some(text) => Some(
                Uuid::parse(text)
                    .ok_or_else(|| format!("Unable to read directory.id as a Uuid: `{text}`"))?,
            ),
        };
        Ok(Self { version, cluster_id, node_id, directory_id })
    }

    /// Writes the file of a directory, whole or not at all.
    pub fn write(&self, directory: &Path, now_ms: i64) -> io::Result<()> {
        let written = directory.join(format!("{NAME}.tmp"));
        let mut file = File::create(&written)?;
        file.write_all(self.render(now_ms).as_bytes())?;
        file.sync_all()?;
        std::fs::rename(&written, directory.join(NAME))?;
        File::open(directory)?.sync_all()
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
    pub(super) fn entries(&self) -> BTreeMap<&'static str, String> {
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
pub enum ReadError {
    /// No such directory, or no such file in it.
    #[error("there is no meta.properties")]
    Missing,
    #[error("{0}")]
    Broken(String),
}

/// A value as Java writes it: what would end or split it is escaped.
fn escape(value: &str) -> String {
    let mut escaped = String::new();
    for (at, character) in value.chars().enumerate() {
        match character {
            ' ' if at == 0 => escaped.push_str("\\ "),
            '\t' => escaped.push_str("\\t"),
            '\n' => escaped.push_str("\\n"),
            '\r' => escaped.push_str("\\r"),
            '\\' | '=' | ':' | '#' | '!' => {
                escaped.push('\\');
                escaped.push(character);
            }
            other => escaped.push(other),
        }
    }
    escaped
}

/// `Sat Nov 21 06:07:59 UTC 2026`, as java.util.Date prints it.
fn java_date(now_ms: i64) -> String {
    const DAYS: [&str; 7] = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"];
    const MONTHS: [&str; 12] =
        ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let seconds = now_ms.div_euclid(1000);
    let (days, second) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
    // The civil calendar, counted in eras of 400 years that begin in March.
    let shifted = days + 719_468;
    let (era, day_of_era) = (shifted.div_euclid(146_097), shifted.rem_euclid(146_097));
    let year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let march_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * march_month + 2) / 5 + 1;
    let month = (march_month + 2) % 12;
    let year = year_of_era + era * 400 + i64::from(month < 2);
    let name = |names: &[&'static str], at: i64| {
        usize::try_from(at).ok().and_then(|at| names.get(at).copied()).unwrap_or("")
    };
    format!(
        "{} {} {day:02} {:02}:{:02}:{:02} UTC {year}",
        name(&DAYS, days.rem_euclid(7)),
        name(&MONTHS, month),
        second / 3600,
        second / 60 % 60,
        second % 60
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_print_as_java_prints_them() {
        let table = [
            (0, "Thu Jan 01 00:00:00 UTC 1970"),
            (951_782_400_000, "Tue Feb 29 00:00:00 UTC 2000"),
            (1_795_241_279_999, "Sat Nov 21 06:07:59 UTC 2026"),
            (4_107_542_399_000, "Sun Feb 28 23:59:59 UTC 2100"),
        ];
        for (now_ms, date) in table {
            assert_eq!(java_date(now_ms), date);
        }
    }

    #[test]
    fn values_are_escaped_and_read_again() {
        let meta = MetaProperties {
            version: 1,
            cluster_id: Some(" a=b:c\\d #ö😀".to_owned()),
            node_id: Some(1),
            directory_id: Uuid::parse("MvDxzVmcRsaTz33bUuRU6A"),
        };
        let text = meta.render(0);
        assert!(text.contains("cluster.id=\\ a\\=b\\:c\\\\d \\#ö😀\n"), "{text}");
        let read = MetaProperties::from_properties(&Properties::parse(text.as_bytes()).unwrap());
        assert_eq!(read, Ok(meta));
    }

    #[test]
    fn broken_files_are_told_from_missing_ones() {
        let table = [
            ("version=2\n", "Unknown meta.properties version number 2"),
            ("version=x\n", "Invalid meta.properties version string 'x'"),
            ("version=1\ncluster.id=a\n", "Failed to find node.id"),
            ("version=1\nnode.id=1\n", "cluster.id was not found."),
            ("version=1\nnode.id=one\n", "Unable to read node.id as a base-10 number."),
        ];
        let directory = tempfile::tempdir().unwrap();
        assert_eq!(MetaProperties::read(directory.path()), Err(ReadError::Missing));
        for (text, problem) in table {
            std::fs::write(directory.path().join(NAME), text).unwrap();
            let expected = Err(ReadError::Broken(problem.to_owned()));
            assert_eq!(MetaProperties::read(directory.path()), expected);
        }
    }
}

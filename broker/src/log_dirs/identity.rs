//! Whether the directories of this node belong together, by what their meta.properties say.
//!
//! A file that cannot be read costs its directory, one that contradicts the others or the
//! configuration costs the start, and so does a directory that was never formatted.
//! Kafka: `MetaPropertiesEnsemble.verify`, `KafkaRaftServer.initializeLogDirs`.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use storage::{MetaProperties, MetaPropertiesError};
use uuid::Uuid;

use super::error::LogDirError;

/// One directory and what was read in it.
#[derive(Debug)]
pub(super) struct Inspected {
    pub(super) path: PathBuf,
    pub(super) read: Result<MetaProperties, MetaPropertiesError>,
}

/// What the directories agree on.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Verified {
    pub(super) cluster_id: String,
    /// In the given order: the properties of each, or why it is offline.
    pub(super) each: Vec<Result<MetaProperties, String>>,
}

/// Judges all directories of a node; `metadata` is the one that must not be offline.
pub(super) fn verify(
    inspected: Vec<Inspected>,
    metadata: usize,
    node_id: i32,
) -> Result<Verified, LogDirError> {
    let alone = inspected.len() == 1;
    let mut cluster_id: Option<String> = None;
    let mut seen: HashMap<Uuid, PathBuf> = HashMap::new();
    let mut each = Vec::new();
    let mut unformatted = None;
    let mut metadata_lost = None;
    for (at, Inspected { path, read }) in inspected.into_iter().enumerate() {
        match read {
            Ok(meta) => {
                check(&meta, &path, node_id, &mut cluster_id, &mut seen)?;
                each.push(Ok(meta));
            }
            Err(MetaPropertiesError::Broken(reason)) if alone => {
                return Err(LogDirError::Unreadable { path, reason });
            }
            Err(MetaPropertiesError::Broken(reason)) => {
                if at == metadata {
                    metadata_lost = Some(path);
                }
                each.push(Err(reason));
            }
            Err(MetaPropertiesError::Missing) => unformatted = unformatted.or(Some(path)),
        }
    }
    match (metadata_lost, unformatted, cluster_id) {
        (Some(path), _, Some(_)) => Err(LogDirError::MetadataUnreadable(path)),
        (_, Some(path), _) => Err(LogDirError::NotFormatted(path)),
        (_, _, None) => Err(LogDirError::NoneReadable),
        (_, _, Some(cluster_id)) => Ok(Verified { cluster_id, each }),
    }
}

fn check(
    meta: &MetaProperties,
    path: &Path,
    node_id: i32,
    cluster_id: &mut Option<String>,
    seen: &mut HashMap<Uuid, PathBuf>,
) -> Result<(), LogDirError> {
    let path = path.to_owned();
    if let Some(found) = meta.node_id
        && found != node_id
    {
        return Err(LogDirError::OtherNode { path, found, expected: node_id });
    }
    match (&meta.cluster_id, &*cluster_id) {
        (None, _) => {
            let reason = "it names no cluster".to_owned();
            return Err(LogDirError::Unreadable { path, reason });
        }
        (Some(found), Some(expected)) if found != expected => {
            let (found, expected) = (found.clone(), expected.clone());
            return Err(LogDirError::OtherCluster { path, found, expected });
        }
        (Some(found), _) => *cluster_id = Some(found.clone()),
    }
    let Some(id) = meta.directory_id else { return Ok(()) };
    if id.is_reserved() {
        return Err(LogDirError::ReservedId { path, id });
    }
    match seen.insert(id.0, path.clone()) {
        Some(other) => Err(LogDirError::SameId { path, id, other }),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use protocol::Base64Uuid;

    use super::*;

    fn meta(node_id: i32, cluster: &str, directory: u128) -> Inspected {
        let meta = MetaProperties {
            version: 1,
            cluster_id: Some(cluster.to_owned()),
            node_id: Some(node_id),
            directory_id: Some(Base64Uuid(Uuid::from_u128(directory))),
        };
        Inspected { path: format!("/{directory}").into(), read: Ok(meta) }
    }

    fn broken(path: &str) -> Inspected {
        let read = Err(MetaPropertiesError::Broken("Input/output error".to_owned()));
        Inspected { path: path.into(), read }
    }

    fn missing(path: &str) -> Inspected {
        Inspected { path: path.into(), read: Err(MetaPropertiesError::Missing) }
    }

    /// `Ok` with which directories are online, or what is said.
    fn verdict(inspected: Vec<Inspected>) -> Result<Vec<bool>, String> {
        let verified = verify(inspected, 0, 1).map_err(|error| error.to_string())?;
        assert_eq!(verified.cluster_id, "c");
        Ok(verified.each.iter().map(Result::is_ok).collect())
    }

    #[test]
    fn directories_belong_together_or_the_start_is_refused() {
        type Case = (&'static str, Vec<Inspected>, Result<Vec<bool>, &'static str>);
        let cases: [Case; 11] = [
            ("alike", vec![meta(1, "c", 200), meta(1, "c", 201)], Ok(vec![true, true])),
            ("one is lost", vec![meta(1, "c", 200), broken("/b")], Ok(vec![true, false])),
            (
                "the metadata log's is lost",
                vec![broken("/a"), meta(1, "c", 201)],
                Err("Encountered I/O error in metadata log directory /a. Cannot continue."),
            ),
            (
                "all are lost",
                vec![broken("/a"), broken("/b")],
                Err("No readable meta.properties files found."),
            ),
            (
                "one was never formatted",
                vec![meta(1, "c", 200), missing("/b")],
                Err("No `meta.properties` found in /b (have you run"),
            ),
            (
                "one is another node's",
                vec![meta(1, "c", 200), meta(2, "c", 201)],
                Err("Stored node id 2 doesn't match previous node id 1 in /201"),
            ),
            (
                "one is another cluster's",
                vec![meta(1, "c", 200), meta(1, "d", 201)],
                Err("Invalid cluster.id in: /201/meta.properties. Expected c, but read d"),
            ),
            (
                "one is a copy",
                vec![meta(1, "c", 200), meta(1, "c", 200)],
                Err("Duplicate directory ID AAAAAAAAAAAAAAAAAAAAyA found. It was the ID of /200"),
            ),
            (
                "an id is reserved",
                vec![meta(1, "c", 99)],
                Err("Invalid reserved directory ID AAAAAAAAAAAAAAAAAAAAYw found in /99"),
            ),
            (
                "the only one cannot be read",
                vec![broken("/a")],
                Err("Cannot use meta.properties in /a: Input/output error"),
            ),
            (
                "the only one was never formatted",
                vec![missing("/a")],
                Err("No `meta.properties` found in /a (have you run"),
            ),
        ];
        for (case, inspected, expected) in cases {
            match (verdict(inspected), expected) {
                (Ok(online), Ok(expected)) => assert_eq!(online, expected, "{case}"),
                (Err(said), Err(expected)) => {
                    assert!(said.starts_with(expected), "{case}: {said}");
                }
                (verdict, expected) => panic!("{case}: {verdict:?}, not {expected:?}"),
            }
        }
    }
}

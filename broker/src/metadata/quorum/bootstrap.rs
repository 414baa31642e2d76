//! What an empty metadata log begins with (`bootstrap.checkpoint`).

use std::path::Path;

use protocol::records::metadata::{MetadataRecord, UserScramCredentialRecord};
use raft::controller::feature_records;
use raft::feature::{FEATURES, MetadataVersion};
use raft::quorum::Snapshot;

use super::error::QuorumStartError;

pub(super) const BOOTSTRAP_FILE: &str = "bootstrap.checkpoint";

/// What kafka-storage format left, else the newest level alone.
pub(super) fn read_bootstrap(log_dir: &Path) -> Result<Vec<MetadataRecord>, QuorumStartError> {
    let path = log_dir.join(BOOTSTRAP_FILE);
    let refused =
        |reason: String| QuorumStartError::Bootstrap { path: path.display().to_string(), reason };
    match std::fs::read(&path) {
        Ok(bytes) => match Snapshot::read(&bytes) {
            Ok(snapshot) => Ok(snapshot.records),
            Err(error) => Err(refused(error.to_string())),
        },
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            let none: Vec<_> = FEATURES.iter().map(|feature| (feature.name, 0)).collect();
            Ok(feature_records(MetadataVersion::LATEST, &none))
        }
        Err(error) => Err(refused(error.to_string())),
    }
}

/// The credentials among the records.
pub(super) fn scram_credentials(records: &[MetadataRecord]) -> Vec<UserScramCredentialRecord> {
    let credential = |record: &MetadataRecord| match record {
        MetadataRecord::UserScramCredential(credential) => Some(credential.clone()),
        _ => None,
    };
    records.iter().filter_map(credential).collect()
}

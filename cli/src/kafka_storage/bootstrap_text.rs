//! What a cluster begins with, in one line, as Kafka prints it while it formats.
//!
//! Answers to the `toString` of `BootstrapMetadata` and of the records in it: the levels of
//! features and the SCRAM credentials. As in Kafka the salted keys of credentials are in the line.

use protocol::records::metadata::MetadataRecord;
use raft::feature::METADATA_VERSION;

pub(super) fn of(records: &[MetadataRecord]) -> String {
    let shown: Vec<_> = records.iter().map(record).collect();
    let level = records.iter().find_map(|record| match record {
        MetadataRecord::FeatureLevel(feature) if &*feature.name == METADATA_VERSION => {
            Some(feature.feature_level)
        }
        _ => None,
    });
    format!(
        "BootstrapMetadata(records=[{}], metadataVersionLevel={}, source=format command)",
        shown.join(", "),
        level.unwrap_or_default()
    )
}

fn record(record: &MetadataRecord) -> String {
    let message = match record {
        MetadataRecord::FeatureLevel(feature) => {
            let (name, level) = (feature.name.as_str(), feature.feature_level);
            format!("FeatureLevelRecord(name='{name}', featureLevel={level})")
        }
        MetadataRecord::UserScramCredential(credential) => format!(
            "UserScramCredentialRecord(name='{}', mechanism={}, salt={}, storedKey={}, \
             serverKey={}, iterations={})",
            credential.name.as_str(),
            credential.mechanism,
            signed(&credential.salt),
            signed(&credential.stored_key),
            signed(&credential.server_key),
            credential.iterations
        ),
        other => format!("{other:?}"),
    };
    format!("ApiMessageAndVersion({message} at version 0)")
}

/// Java's bytes have a sign.
fn signed(bytes: &[u8]) -> String {
    let bytes: Vec<_> = bytes.iter().map(|byte| byte.cast_signed().to_string()).collect();
    format!("[{}]", bytes.join(", "))
}

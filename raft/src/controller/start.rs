//! The first records of a cluster, and what a controller writes when it takes over.
//!
//! Answers to `BootstrapMetadata`, `Formatter` (for the features) and `ActivationRecordsGenerator`.

use protocol::records::metadata::{
    AbortTransactionRecord, BeginTransactionRecord, EndTransactionRecord, MetadataRecord,
};
use protocol::wire::StrBytes;

use super::Controller;
use super::features::{level_record, min_isr_record};
use crate::feature::{ELR_VERSION, FEATURES, METADATA_VERSION, MetadataVersion};

/// The finalized features of a cluster formatted at `metadata_version`, metadata.version first;
/// `chosen` overrides levels by name. This is what `bootstrap.checkpoint` holds.
pub fn feature_records(
    metadata_version: MetadataVersion,
    chosen: &[(&str, i16)],
) -> Vec<MetadataRecord> {
    let mut records = vec![level_record(METADATA_VERSION, metadata_version.level())];
    for feature in FEATURES.iter().filter(|feature| feature.name != METADATA_VERSION) {
        let level = chosen.iter().find(|(name, _)| *name == feature.name).map(|(_, level)| *level);
        let level = level.unwrap_or_else(|| feature.bootstrap_level(metadata_version));
        if level > 0 && feature.name != crate::feature::KRAFT_VERSION {
            records.push(level_record(feature.name, level));
        }
    }
    records
}

/// What the first controller of an empty log writes, given the records of `bootstrap.checkpoint`:
/// one metadata transaction where the level knows them, and min.insync.replicas of the whole
/// cluster when eligible leader replicas are on.
pub fn bootstrap_records(
    from_checkpoint: Vec<MetadataRecord>,
    min_insync_replicas: i32,
) -> Vec<MetadataRecord> {
    let level = |wanted: &str| {
        let levels = from_checkpoint.iter().filter_map(|record| match record {
            MetadataRecord::FeatureLevel(level) if &*level.name == wanted => {
                Some(level.feature_level)
            }
            _ => None,
        });
        levels.last().unwrap_or(0)
    };
    let elr = level(ELR_VERSION) > 0;
    let transactions = MetadataVersion::from_level(level(METADATA_VERSION))
        .is_some_and(MetadataVersion::has_metadata_transactions);
    let mut records = Vec::with_capacity(from_checkpoint.len() + 3);
    if transactions {
        let name = Some(StrBytes::from_static_str("Bootstrap records"));
        records.push(BeginTransactionRecord { name, ..Default::default() }.into());
    }
    records.extend(from_checkpoint);
    if elr {
        let value = min_insync_replicas.to_string();
        records.push(min_isr_record(StrBytes::default(), Some(value)));
    }
    if transactions {
        records.push(EndTransactionRecord::default().into());
    }
    records
}

impl Controller {
    /// What this controller must write first after it took over: the bootstrap records into an
    /// empty log, the end of a transaction that its predecessor left open.
    pub fn activation_records(&self, from_checkpoint: &[MetadataRecord]) -> Vec<MetadataRecord> {
        let mut records = Vec::new();
        if self.transaction.is_some() {
            let reason = Some(StrBytes::from_static_str("Controller failover"));
            records.push(AbortTransactionRecord { reason, ..Default::default() }.into());
        }
        let before = self.transaction.as_ref().map_or(&self.image, |open| &open.before);
        if before.is_empty() {
            let bootstrap = from_checkpoint.to_vec();
            records.extend(bootstrap_records(bootstrap, self.settings.min_insync_replicas));
        }
        records
    }
}

//! Snapshots of the metadata: their names, their content, and which are old enough to go.
//!
//! ```text
//! <end offset, 20 digits>-<epoch, 10 digits>.checkpoint
//! control batch   SnapshotHeader [KRaftVersion, Voters with kraft.version 1]
//! batches         records of the image
//! control batch   SnapshotFooter
//! ```
//! The end offset is the first one that the snapshot does not hold; record offsets inside count
//! from 0. Answers to `Snapshots`, `RecordsSnapshotWriter`, `SnapshotGenerator` and the cleaning of
//! `KafkaMetadataLog` (KIP-630).

use bytes::Bytes;
use protocol::records::control::{ControlRecord, KRaftVersion, SnapshotFooter, SnapshotHeader};
use protocol::records::metadata::{MetadataRecord, MetadataRecordError};

use super::batches::{self, Entry, EntryError, EntryRecord};
use super::kraft::KRaftState;
use super::log::SnapshotEntry;
use super::snapshot_id::SnapshotId;
use crate::feature::MetadataVersion;

/// The content of a snapshot, whole and checked.
#[derive(Debug, Clone, PartialEq)]
pub struct Snapshot {
    /// When its newest record was appended to the log.
    pub timestamp: i64,
    pub controls: Vec<ControlRecord>,
    pub records: Vec<MetadataRecord>,
}

impl Snapshot {
    pub fn read(bytes: &[u8]) -> Result<Self, EntryError> {
        let mut entries = batches::decode(bytes)?.into_iter();
        let Some(EntryRecord::Control(ControlRecord::SnapshotHeader(header))) =
            entries.next().map(|entry| entry.record)
        else {
            return Err(EntryError::NoHeader);
        };
        let mut snapshot = Self {
            timestamp: header.last_contained_log_timestamp,
            controls: Vec::new(),
            records: Vec::new(),
        };
        let mut complete = false;
        for Entry { record, .. } in entries {
            complete = false;
            match record {
                EntryRecord::Metadata(record) => snapshot.records.push(record),
                EntryRecord::Control(ControlRecord::SnapshotFooter(_)) => complete = true,
                EntryRecord::Control(record) => snapshot.controls.push(record),
            }
        }
        if complete { Ok(snapshot) } else { Err(EntryError::NoFooter) }
    }
}

/// The bytes of a snapshot, in pieces that follow one another.
pub fn write(
    id: SnapshotId,
    last_contained_timestamp: i64,
    kraft: &KRaftState,
    records: &[MetadataRecord],
    level: MetadataVersion,
    now_ms: i64,
) -> Result<Vec<Bytes>, MetadataRecordError> {
    let mut controls = vec![ControlRecord::SnapshotHeader(SnapshotHeader {
        last_contained_log_timestamp: last_contained_timestamp,
        ..Default::default()
    })];
    if kraft.version > 0 {
        let k_raft_version = kraft.version;
        controls.push(ControlRecord::KRaftVersion(KRaftVersion {
            k_raft_version,
            ..Default::default()
        }));
        controls.push(ControlRecord::Voters(kraft.voters.to_record()));
    }
    let mut pieces = vec![batches::control_batch(&controls, 0, id.epoch, now_ms)];
    let first = controls.len() as i64;
    pieces.extend(batches::metadata_batches(records, level, first, id.epoch, now_ms, false)?);
    let footer = [ControlRecord::SnapshotFooter(SnapshotFooter::default())];
    let last = first + records.len() as i64;
    pieces.push(batches::control_batch(&footer, last, id.epoch, now_ms));
    Ok(pieces)
}

/// `metadata.max.retention.bytes` and `metadata.max.retention.ms`; negative: unlimited.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retention {
    pub max_bytes: i64,
    pub max_ms: i64,
}

/// The snapshot before which everything may go, if anything may. The newest snapshot stays always.
pub fn expendable_before(
    snapshots: &[SnapshotEntry],
    log_bytes: u64,
    retention: Retention,
    now_ms: i64,
) -> Option<SnapshotId> {
    let mut total = snapshots.iter().map(|entry| entry.size_bytes).sum::<u64>() + log_bytes;
    let mut found = None;
    for pair in snapshots.windows(2) {
        let [old, next] = pair else { continue };
        let too_big = retention.max_bytes >= 0 && total > retention.max_bytes as u64;
        let too_old = retention.max_ms >= 0
            && old.timestamp_ms.is_some_and(|at| now_ms - at > retention.max_ms);
        if !too_big && !too_old {
            break;
        }
        total -= old.size_bytes;
        found = Some(next.id);
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::image::MetadataImage;
    use crate::image::tests::{STOCK_SNAPSHOT, image_of, random_records};

    #[test]
    fn names_are_kafkas() {
        let id = SnapshotId { end_offset: 608, epoch: 1 };
        assert_eq!(id.file_name(), "00000000000000000608-0000000001.checkpoint");
        assert_eq!(SnapshotId::from_file_name(&id.file_name()), Some(id));
        for other in [
            "bootstrap.checkpoint",
            "00000000000000000608-0000000001.checkpoint.part",
            "00000000000000000608-0000000001.checkpoint.deleted",
            "608-1.checkpoint",
            "00000000000000000000.log",
        ] {
            assert_eq!(SnapshotId::from_file_name(other), None, "{other}");
        }
    }

    #[test]
    fn a_stock_snapshot_is_read_and_ours_reads_the_same() {
        let stock = Snapshot::read(STOCK_SNAPSHOT).unwrap();
        assert_eq!(stock.timestamp, 1_795_239_721_988);
        let image = image_of(&stock.records);
        let written = written(&image, KRaftState::default());
        assert_eq!(image_of(&Snapshot::read(&written).unwrap().records), image);
    }

    #[test]
    fn any_image_survives_its_snapshot() {
        for seed in 0..20 {
            let image = image_of(&random_records(seed, 200));
            let read = Snapshot::read(&written(&image, KRaftState::default())).unwrap();
            assert_eq!(image_of(&read.records), image, "seed {seed}");
        }
    }

    #[test]
    fn a_cut_snapshot_is_refused() {
        let whole = written(&image_of(&random_records(1, 40)), KRaftState::default());
        for cut in 0..whole.len() {
            assert!(Snapshot::read(&whole[..cut]).is_err(), "{cut}");
        }
    }

    #[test]
    fn old_snapshots_go_by_size_and_by_age_but_never_the_newest() {
        let entry = |end_offset: i64| SnapshotEntry {
            id: SnapshotId { end_offset, epoch: 1 },
            size_bytes: 10,
            timestamp_ms: Some(end_offset),
        };
        let three = [entry(100), entry(200), entry(300)];
        for (snapshots, max_bytes, max_ms, wanted) in [
            (&three[..], -1, -1, None),
            (&three, 35, -1, None),
            (&three, 34, -1, Some(200)),
            (&three, 1, -1, Some(300)),
            (&three, -1, 250, Some(200)),
            (&three, -1, 0, Some(300)),
            (&three[..1], 0, 0, None),
            (&[], 0, 0, None),
        ] {
            let retention = Retention { max_bytes, max_ms };
            let found = expendable_before(snapshots, 5, retention, 400);
            assert_eq!(found.map(|id| id.end_offset), wanted, "{max_bytes} {max_ms}");
        }
    }

    fn written(image: &MetadataImage, kraft: KRaftState) -> Vec<u8> {
        let id = SnapshotId { end_offset: 9, epoch: 3 };
        let records = image.to_records();
        write(id, 7, &kraft, &records, image.metadata_version(), 8).unwrap().concat()
    }
}

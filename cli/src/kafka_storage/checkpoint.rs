//! The two files of records that formatting leaves.
//!
//! ```text
//! bootstrap.checkpoint                       batch at 0, control: SnapshotHeader
//!                                            batch at 1: the first metadata records
//!                                            batch behind them, control: SnapshotFooter
//! __cluster_metadata-0/
//!   00000000000000000000-0000000000.checkpoint
//!                                            batch at 0, control: SnapshotHeader, KRaftVersion,
//!                                            Voters; batch at 3, control: SnapshotFooter
//! ```
//!
//! Answers to BatchFileWriter, BootstrapDirectory and RecordsSnapshotWriter. A file appears whole
//! or not at all; the second can only be read, as every checkpoint of a log.

use std::fs::{File, OpenOptions, Permissions, create_dir_all, remove_file, rename};
use std::io::{self, ErrorKind, Write as _};
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::Path;

use bytes::Bytes;
use protocol::batch::BatchBuilder;
use protocol::records::control::{
    ControlRecord, KRaftVersion, SnapshotFooter, SnapshotHeader, Voters,
};

const BOOTSTRAP: &str = "bootstrap.checkpoint";
const METADATA_LOG: &str = "__cluster_metadata-0";
const FIRST_CHECKPOINT: &str = "00000000000000000000-0000000000.checkpoint";

/// Writes the records that the first controller begins with.
pub(super) fn write_bootstrap(directory: &Path, records: &[Bytes], now_ms: i64) -> io::Result<()> {
    let mut bytes =
        control(0, now_ms, &[ControlRecord::SnapshotHeader(SnapshotHeader::default())]).to_vec();
    let mut batch = BatchBuilder::new(1).leader_epoch(0);
    for record in records {
        batch.append(now_ms, None, Some(record));
    }
    let next = batch.next_offset();
    bytes.extend_from_slice(&batch.build());
    bytes.extend_from_slice(&footer(next, now_ms));
    replace(directory, BOOTSTRAP, &bytes, 0o644)
}

/// Writes the checkpoint that names the first voters.
pub(super) fn write_voters(
    directory: &Path,
    k_raft_version: i16,
    voters: Voters,
    now_ms: i64,
) -> io::Result<()> {
    let header =
        SnapshotHeader { last_contained_log_timestamp: now_ms, ..SnapshotHeader::default() };
    let mut records = vec![ControlRecord::SnapshotHeader(header)];
    if k_raft_version > 0 {
        let version = KRaftVersion { k_raft_version, ..KRaftVersion::default() };
        records.push(ControlRecord::KRaftVersion(version));
        records.push(ControlRecord::Voters(voters));
    }
    let mut bytes = control(0, now_ms, &records).to_vec();
    let next = i64::try_from(records.len()).map_err(io::Error::other)?;
    bytes.extend_from_slice(&footer(next, now_ms));
    let log = directory.join(METADATA_LOG);
    create_dir_all(&log)?;
    replace(&log, FIRST_CHECKPOINT, &bytes, 0o400)
}

fn footer(offset: i64, now_ms: i64) -> Bytes {
    control(offset, now_ms, &[ControlRecord::SnapshotFooter(SnapshotFooter::default())])
}

fn control(offset: i64, now_ms: i64, records: &[ControlRecord]) -> Bytes {
    let mut batch = BatchBuilder::new(offset).leader_epoch(0).control();
    for record in records {
        let (key, value) = record.encode();
        batch.append(now_ms, Some(&key), Some(&value));
    }
    batch.build()
}

/// Puts a file into the place of one that may be there.
fn replace(directory: &Path, name: &str, bytes: &[u8], mode: u32) -> io::Result<()> {
    let written = directory.join(format!("{name}.tmp"));
    match remove_file(&written) {
        Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut file =
        OpenOptions::new().write(true).create_new(true).mode(mode | 0o200).open(&written)?;
    file.write_all(bytes)?;
    file.set_permissions(Permissions::from_mode(mode))?;
    file.sync_all()?;
    rename(&written, directory.join(name))?;
    File::open(directory)?.sync_all()
}

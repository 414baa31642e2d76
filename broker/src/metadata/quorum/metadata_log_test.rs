//! The metadata log as the quorum sees it, whether its writer has come to it or not.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use bytes::Bytes;
use parking_lot::Mutex;
use protocol::records::control::{ControlRecord, LeaderChange, LeaderChangeBody};
use raft::quorum::{Log, SnapshotId, control_batch};
use storage::{Disk, DiskOp, Faults, Verdict};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

use super::metadata_log::{MetadataLog, OpenedLog, Segments};
use super::tests::{TestNode, Writing};

/// Holds the writer up while it is told to; notes which segments were synced; has no descriptors
/// while it is told so.
#[derive(Debug, Default)]
struct Stall {
    stalls: AtomicBool,
    synced: Mutex<BTreeSet<String>>,
    exhausted: AtomicBool,
}

impl Faults for Stall {
    fn before(&self, operation: DiskOp, path: &Path) -> Verdict {
        while operation == DiskOp::Write && self.stalls.load(Ordering::Acquire) {
            std::thread::sleep(Duration::from_millis(1));
        }
        if operation == DiskOp::Sync && path.extension().is_some_and(|suffix| suffix == "log") {
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            self.synced.lock().insert(name);
        }
        let opens = matches!(operation, DiskOp::Open | DiskOp::Create);
        if opens && self.exhausted.load(Ordering::Acquire) {
            return Verdict::Fail(std::io::Error::from_raw_os_error(24));
        }
        Verdict::Proceed
    }
}

struct Opened {
    node: TestNode,
    stall: Arc<Stall>,
    log: MetadataLog,
    synced: UnboundedReceiver<(i64, u64)>,
}

fn open(node: TestNode) -> Opened {
    open_with(node, Segments { bytes: 1 << 20, ms: 1 << 40 })
}

fn open_with(mut node: TestNode, segments: Segments) -> Opened {
    let stall = Arc::new(Stall::default());
    node.disk = Disk::with_faults(Arc::clone(&stall) as Arc<dyn Faults>);
    let opened = OpenedLog::open(&node.dir(), segments).unwrap();
    let (report, synced) = unbounded_channel();
    let (log, writer) = opened
        .run(move |end, generation| {
            // The test may be over.
            let _ = report.send((end, generation));
        })
        .unwrap();
    node.writer = Some(Writing(writer));
    Opened { node, stall, log, synced }
}

/// A batch of one record.
fn batch(offset: i64, epoch: i32) -> Bytes {
    let body = LeaderChangeBody { leader_id: 1, ..Default::default() };
    let record = ControlRecord::LeaderChange(LeaderChange { version: 0, body });
    control_batch(&[record], offset, epoch, 1)
}

/// Base offset and epoch of every batch from `from` on.
fn found(log: &MetadataLog, from: i64) -> Vec<(i64, i32)> {
    let mut all = Vec::new();
    let mut next = from;
    while next < log.log_end_offset() {
        let slices = log.read(next, 100).unwrap();
        assert!(!slices.is_empty(), "nothing at {next}");
        for slice in slices {
            for batch in protocol::batch::batches(&slice) {
                let batch = batch.unwrap();
                all.push((batch.base_offset(), batch.partition_leader_epoch()));
                next = batch.next_offset();
            }
        }
    }
    all
}

#[tokio::test]
async fn what_is_appended_and_cut_shows_at_once_and_is_on_the_disk_when_it_is_reported() {
    let Opened { node, stall, mut log, mut synced } = open(TestNode::new(&[]));
    stall.stalls.store(true, Ordering::Release);
    for offset in 0..6 {
        log.append(batch(offset, 1), 1);
    }
    log.truncate_to(4);
    log.append(batch(4, 3), 3);
    log.request_sync(8);
    log.request_sync(9);
    let wanted = [(0, 1), (1, 1), (2, 1), (3, 1), (4, 3)];
    assert_eq!(found(&log, 0), wanted, "before anything is written");
    assert_eq!(found(&log, 3), wanted[3..]);
    assert!(synced.try_recv().is_err());
    stall.stalls.store(false, Ordering::Release);
    while synced.recv().await.unwrap() != (5, 9) {}
    assert_eq!(found(&log, 0), wanted, "after it is written");
    log.close();
    drop(log);
    let Opened { node: _node, log, .. } = open(node.as_if_killed());
    assert_eq!(found(&log, 0), wanted, "after a restart");
    let starts: Vec<_> =
        log.epoch_starts().iter().map(|start| (start.epoch, start.start_offset)).collect();
    assert_eq!(starts, [(1, 0), (3, 4)]);
}

#[tokio::test]
async fn batches_that_are_not_recent_any_more_come_from_the_disk() {
    let Opened { node: _node, mut log, mut synced, .. } = open(TestNode::new(&[]));
    let count = 12_000;
    for offset in 0..count {
        log.append(batch(offset, 1), 1);
        if offset % 1_000 == 0 {
            log.request_sync(1);
            while synced.recv().await.unwrap().0 <= offset {}
        }
    }
    let offsets: Vec<i64> = found(&log, 0).into_iter().map(|(offset, _)| offset).collect();
    assert_eq!(offsets, (0..count).collect::<Vec<_>>());
}

#[tokio::test]
async fn an_installed_snapshot_is_there_at_once_and_the_log_goes_on_behind_it() {
    let Opened { node, stall, mut log, mut synced } = open(TestNode::new(&[]));
    log.append(batch(0, 1), 1);
    log.request_sync(1);
    synced.recv().await.unwrap();
    let id = SnapshotId { end_offset: 40, epoch: 2 };
    let content = Bytes::from_static(b"whatever the leader sent");
    stall.stalls.store(true, Ordering::Release);
    log.append(batch(1, 1), 1);
    log.install_snapshot(id, content.clone());
    assert_eq!((log.log_start_offset(), log.log_end_offset()), (40, 40));
    assert_eq!(log.snapshots().last().map(|entry| entry.id), Some(id));
    assert_eq!(log.read_snapshot(id).unwrap(), content, "the file need not be there yet");
    assert_eq!(log.read_snapshot_piece(id, 9, 3).unwrap(), "the");
    log.append(batch(40, 2), 2);
    assert_eq!(found(&log, 40), [(40, 2)]);
    log.request_sync(2);
    stall.stalls.store(false, Ordering::Release);
    while synced.recv().await.unwrap() != (41, 2) {}
    assert_eq!(log.read_snapshot(id).unwrap(), content);
    assert_eq!(log.read_snapshot_piece(id, 9, 300).unwrap(), "the leader sent");
    let Opened { node: _node, log, .. } = open(node.as_if_killed());
    assert_eq!((log.log_start_offset(), found(&log, 40)), (40, vec![(40, 2)]));
}

#[tokio::test]
async fn a_node_that_ended_before_its_log_was_cut_starts_from_the_snapshot_it_had_installed() {
    let Opened { node, mut log, mut synced, .. } = open(TestNode::new(&[]));
    log.append(batch(0, 1), 1);
    log.request_sync(1);
    synced.recv().await.unwrap();
    let killed = node.as_if_killed();
    let id = SnapshotId { end_offset: 40, epoch: 2 };
    let folder = killed.dir().partition_path();
    let older = SnapshotId { end_offset: 1, epoch: 1 };
    for id in [older, id] {
        std::fs::write(folder.join(id.file_name()), b"a snapshot").unwrap();
    }
    let Opened { node: _node, log, .. } = open(killed);
    assert_eq!((log.log_start_offset(), log.log_end_offset()), (40, 40));
    let left: Vec<_> = log.snapshots().iter().map(|entry| entry.id).collect();
    assert_eq!(left, [id], "followers would be sent to it for ever");
    assert!(!folder.join(older.file_name()).exists());
}

/// The files of an observer that was killed, of which nobody knows what was synced, with a
/// snapshot of the first 30 of 40 records. Segments hold few records.
async fn killed_observer() -> (TestNode, Segments) {
    let segments = Segments { bytes: 512, ms: 1 << 40 };
    let Opened { node, mut log, mut synced, .. } = open_with(TestNode::new(&[]), segments);
    for offset in 0..40 {
        log.append(batch(offset, 1), 1);
    }
    // Only to know that all of it is written.
    log.request_sync(1);
    while synced.recv().await.unwrap() != (40, 1) {}
    let killed = node.as_if_killed();
    let id = SnapshotId { end_offset: 30, epoch: 1 };
    std::fs::write(killed.dir().partition_path().join(id.file_name()), b"a snapshot").unwrap();
    (killed, segments)
}

fn found_files(node: &TestNode) -> BTreeSet<String> {
    let listing = std::fs::read_dir(node.dir().partition_path()).unwrap();
    listing.map(|file| file.unwrap().file_name().into_string().unwrap()).collect()
}

#[tokio::test]
async fn what_an_observer_never_synced_is_synced_before_a_voter_counts_on_it() {
    let (killed, segments) = killed_observer().await;
    let Opened { node, stall, mut log, mut synced } = open_with(killed, segments);
    let end = log.log_end_offset();
    log.request_sync(1);
    while synced.recv().await.unwrap() != (end, 1) {}
    let all = found_files(&node).into_iter().filter(|name| name.ends_with(".log"));
    assert_eq!(*stall.synced.lock(), all.collect::<BTreeSet<_>>());
}

#[tokio::test]
async fn damage_below_a_snapshot_costs_what_the_snapshot_has_and_nothing_behind_it() {
    let (killed, segments) = killed_observer().await;
    let first = killed.dir().partition_path().join("00000000000000000000.log");
    let mut bytes = std::fs::read(&first).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle..].fill(0);
    std::fs::write(&first, bytes).unwrap();
    let Opened { node: _node, log, .. } = open_with(killed, segments);
    let behind: Vec<_> = (30..log.log_end_offset()).map(|offset| (offset, 1)).collect();
    assert!(behind.len() > 5, "{behind:?}");
    assert_eq!((log.log_start_offset(), found(&log, 30)), (30, behind));
}

#[tokio::test]
async fn without_descriptors_the_writer_waits_and_nothing_that_was_ordered_is_lost() {
    let segments = Segments { bytes: 512, ms: 1 << 40 };
    let Opened { node: _node, stall, mut log, mut synced } =
        open_with(TestNode::new(&[]), segments);
    stall.exhausted.store(true, Ordering::Release);
    for offset in 0..40 {
        log.append(batch(offset, 1), 1);
    }
    log.truncate_to(20);
    log.append(batch(20, 2), 2);
    log.request_sync(3);
    let soon = tokio::time::timeout(Duration::from_millis(200), synced.recv()).await;
    assert!(soon.is_err(), "{soon:?}");
    stall.exhausted.store(false, Ordering::Release);
    assert_eq!(synced.recv().await, Some((21, 3)));
    let mut wanted: Vec<_> = (0..20).map(|offset| (offset, 1)).collect();
    wanted.push((20, 2));
    assert_eq!(found(&log, 0), wanted);
}

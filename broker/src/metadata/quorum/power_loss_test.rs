//! What a power loss leaves of the metadata log and of the votes: what was claimed as synced is
//! there or in a snapshot that is whole, a vote that was answered is remembered, and nothing else
//! is believed.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use protocol::records::control::{ControlRecord, LeaderChange, LeaderChangeBody};
use raft::quorum::{ElectionState, Log, SnapshotId, VoteStore, control_batch};
use storage::{Disk, Faults};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

use self::power_loss::{Disks, Draws, Image, Recorder, restore};
use super::metadata_log::{MetadataLog, OpenedLog, Segments};
use super::tests::{TestNode, Writing};
use super::vote_file::VoteFile;

#[path = "../../../../storage/tests/support/power_loss.rs"]
mod power_loss;

/// A few batches each.
const SEGMENTS: Segments = Segments { bytes: 512, ms: 1 << 40 };

fn recorded() -> (TestNode, Arc<Recorder>) {
    let mut node = TestNode::new(&[]);
    let recorder = Recorder::new(&node.dir().path);
    node.disk = Disk::with_faults(Arc::clone(&recorder) as Arc<dyn Faults>);
    (node, recorder)
}

/// Corners, some drawn, and a cut at every byte where `each_byte` says so, after every event.
fn images(recorder: &Recorder, each_byte: impl Fn(usize) -> bool) -> Vec<(usize, Image)> {
    let (mut disks, mut draws) = (Disks::default(), Draws::new(9));
    let mut images = Vec::new();
    for (at, event) in recorder.events().iter().enumerate() {
        disks.apply(event);
        let mut left = disks.corners();
        left.extend((0..3).map(|_| disks.drawn(&mut draws)));
        if each_byte(at + 1) {
            left.extend(disks.cut_at_every_byte(|path| !path.ends_with("partition.metadata")));
        }
        images.extend(left.into_iter().map(|image| (at + 1, image)));
    }
    images
}

fn vote(epoch: i32) -> ElectionState {
    ElectionState { epoch, leader_id: Some(epoch), ..ElectionState::default() }
}

#[test]
fn a_vote_that_was_answered_outlives_a_power_loss_at_any_byte() {
    let (node, recorder) = recorded();
    let opened = OpenedLog::open(&node.dir(), SEGMENTS).unwrap();
    let mut file = VoteFile::new(&node.dir().partition_path(), node.dir().disk);
    let mut answered = vec![(recorder.now(), None)];
    for epoch in [1, 2, 30_000] {
        file.write(&vote(epoch), 1).unwrap();
        answered.push((recorder.now(), Some(epoch)));
    }
    drop(opened);
    let left = TestNode::new(&[]);
    let images = images(&recorder, |_| true);
    assert!(images.len() > 100, "{}", images.len());
    for (point, image) in images {
        restore(&left.dir().path, &image);
        let found = VoteFile::new(&left.dir().partition_path(), Disk::default()).read().unwrap();
        let done = answered.partition_point(|(at, _)| *at <= point);
        let wanted = &answered[done.saturating_sub(1)..answered.len().min(done + 1)];
        let epoch = found.map(|state| state.epoch);
        assert!(wanted.iter().any(|(_, known)| *known == epoch), "{epoch:?} at {point} {wanted:?}");
    }
}

/// A batch of one record.
fn batch(offset: i64, epoch: i32) -> Bytes {
    let body = LeaderChangeBody { leader_id: 1, ..Default::default() };
    let record = ControlRecord::LeaderChange(LeaderChange { version: 0, body });
    control_batch(&[record], offset, epoch, 1)
}

/// Epochs by offset.
type Content = BTreeMap<i64, i32>;

/// A voter's log with what it has said of it.
struct Voter {
    log: MetadataLog,
    synced: UnboundedReceiver<usize>,
    recorder: Arc<Recorder>,
    content: Content,
    /// What the log held, the newest last, and when.
    held: Vec<(usize, Content)>,
    /// What was claimed to be on the disk, less what was cut since, and when.
    claimed: Vec<(usize, Content)>,
    /// Snapshots that the node had been told are there, and when.
    frozen: Vec<(usize, SnapshotId)>,
    /// Behind the log, whose end it waits for.
    _writer: Writing,
}

impl Voter {
    fn start(node: &TestNode, recorder: &Arc<Recorder>) -> Self {
        let (report, synced) = unbounded_channel();
        let at = Arc::clone(recorder);
        let opened = OpenedLog::open(&node.dir(), SEGMENTS).unwrap();
        let (log, writer) = opened
            .run(move |_, _| {
                // The test may be over.
                let _ = report.send(at.now());
            })
            .unwrap();
        let recorder = Arc::clone(recorder);
        let first = vec![(0, Content::new())];
        Self {
            log,
            synced,
            recorder,
            content: Content::new(),
            held: first.clone(),
            claimed: first,
            frozen: Vec::new(),
            _writer: Writing(writer),
        }
    }

    async fn append(&mut self, count: i64, epoch: i32) {
        for offset in self.log.log_end_offset()..self.log.log_end_offset() + count {
            self.log.append(batch(offset, epoch), epoch);
            self.content.insert(offset, epoch);
        }
        self.held.push((self.recorder.now(), self.content.clone()));
        let at = self.idle().await;
        self.claimed.push((at, self.content.clone()));
    }

    /// The writer is idle: everything was synced.
    fn cut(&mut self, offset: i64) {
        drop(self.content.split_off(&offset));
        let at = self.recorder.now();
        self.claimed.push((at, self.content.clone()));
        self.held.push((at, self.content.clone()));
        self.log.truncate_to(offset);
    }

    /// The node has frozen what lies below `end`; the log begins there.
    async fn freeze(&mut self, end: i64, epoch: i32) {
        let id = SnapshotId { end_offset: end, epoch };
        let place = self.log.snapshot_files().lock().place();
        let entry = place.write(id, 1, &[frozen(id)]).unwrap();
        self.log.snapshot_files().lock().add(entry);
        self.frozen.push((self.recorder.now(), id));
        self.log.delete_before(id);
        self.idle().await;
    }

    /// The leader has nothing any more of what this voter lacks but a snapshot.
    async fn install(&mut self, end: i64, epoch: i32) {
        let id = SnapshotId { end_offset: end, epoch };
        self.log.install_snapshot(id, frozen(id));
        self.content.clear();
        let at = self.idle().await;
        self.frozen.push((at, id));
        self.claimed.push((at, Content::new()));
    }

    /// Whether all of that was in the log at one time.
    fn has_held(&self, found: &Content) -> bool {
        let was =
            |content: &Content| found.iter().all(|(at, epoch)| content.get(at) == Some(epoch));
        self.held.iter().any(|(_, content)| was(content))
    }

    /// Waits for the writer; what has happened by then.
    async fn idle(&mut self) -> usize {
        self.log.request_sync(1);
        self.synced.recv().await.unwrap()
    }
}

/// What a snapshot holds.
fn frozen(id: SnapshotId) -> Bytes {
    Bytes::from(format!("all of {id:?}, ").repeat(40))
}

fn found(log: &MetadataLog) -> Content {
    let mut all = Content::new();
    let mut next = log.log_start_offset();
    while next < log.log_end_offset() {
        let slices = log.read(next, 100).unwrap();
        assert!(!slices.is_empty(), "nothing at {next}");
        for slice in slices {
            for batch in protocol::batch::batches(&slice) {
                let batch = batch.unwrap();
                all.insert(batch.base_offset(), batch.partition_leader_epoch());
                next = batch.next_offset();
            }
        }
    }
    all
}

#[tokio::test]
async fn a_metadata_log_that_was_claimed_as_synced_outlives_a_power_loss() {
    let (node, recorder) = recorded();
    let mut voter = Voter::start(&node, &recorder);
    voter.append(3, 1).await;
    voter.append(9, 1).await;
    voter.cut(7);
    voter.append(1, 3).await;
    voter.append(8, 3).await;
    voter.cut(14);
    voter.append(2, 5).await;
    let left = TestNode::new(&[]);
    let last = voter.claimed.last().unwrap().0;
    let images = images(&recorder, |at| at + 4 > last);
    assert!(images.len() > 500, "{}", images.len());
    for (point, image) in images {
        restore(&left.dir().path, &image);
        let opened = OpenedLog::open(&left.dir(), SEGMENTS).unwrap();
        let found = found(&opened.log);
        let end = opened.log.log_end_offset();
        assert_eq!(found.len() as i64, end, "a gap at {point}: {found:?}");
        let claimed = voter.claimed.iter().rfind(|(at, _)| *at <= point).unwrap();
        for (offset, epoch) in &claimed.1 {
            assert_eq!(found.get(offset), Some(epoch), "at {point}: {offset} is lost");
        }
        assert!(voter.has_held(&found), "at {point}: {found:?}");
        let starts = opened.log.epoch_starts();
        for (offset, epoch) in &found {
            let known = starts.iter().rfind(|start| start.start_offset <= *offset).unwrap();
            assert_eq!(known.epoch, *epoch, "at {point}: {offset}");
        }
    }
}

#[tokio::test]
async fn what_a_snapshot_took_the_place_of_outlives_a_power_loss_in_one_or_the_other() {
    let (node, recorder) = recorded();
    let mut voter = Voter::start(&node, &recorder);
    voter.append(12, 1).await;
    voter.freeze(5, 1).await;
    voter.append(6, 2).await;
    voter.freeze(15, 2).await;
    voter.cut(17);
    voter.install(40, 4).await;
    voter.append(3, 4).await;
    voter.freeze(42, 4).await;
    let left = TestNode::new(&[]);
    let images = images(&recorder, |at| at % 3 == 0);
    assert!(images.len() > 500, "{}", images.len());
    for (point, image) in images {
        restore(&left.dir().path, &image);
        let opened = OpenedLog::open(&left.dir(), SEGMENTS).unwrap();
        let (start, end) = (opened.log.log_start_offset(), opened.log.log_end_offset());
        let newest = opened.log.snapshots().last().map(|entry| entry.id);
        let told = voter.frozen.iter().rfind(|(at, _)| *at <= point).map(|(_, id)| *id);
        assert!(newest >= told, "at {point}: {told:?} is lost, there is {newest:?}");
        if let Some(id) = newest {
            assert_eq!(opened.log.read_snapshot(id).unwrap(), frozen(id), "at {point}: in parts");
        }
        let covered = newest.map_or(0, |id| id.end_offset);
        assert!((start..=end).contains(&covered), "at {point}: {start}..{end}, {newest:?}");
        let found = found(&opened.log);
        let offsets: Vec<i64> = found.keys().copied().collect();
        assert_eq!(offsets, (start..end).collect::<Vec<_>>(), "a gap at {point}");
        let claimed = voter.claimed.iter().rfind(|(at, _)| *at <= point).unwrap();
        for (offset, epoch) in claimed.1.range(covered..) {
            assert_eq!(found.get(offset), Some(epoch), "at {point}: {offset} is lost");
        }
        assert!(voter.has_held(&found), "at {point}: {found:?}");
    }
}

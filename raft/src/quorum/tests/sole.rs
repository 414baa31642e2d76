//! A node that decides alone.

use bytes::Bytes;
use protocol::records::control::ControlRecord;
use protocol::records::metadata::{FeatureLevelRecord, NoOpRecord};

use super::*;
use crate::feature::MetadataVersion;
use crate::image::tests::text;

const SYNC: Output = Output::SyncLog { generation: 0 };

/// The node, and all that it found.
fn try_open(
    disk: &SharedDisk,
    voters: &[i32],
) -> Result<(Quorum<MemoryLog, MemoryStore>, Vec<Found>), QuorumError> {
    let (log, store) = (MemoryLog(disk.clone()), MemoryStore(disk.clone()));
    let mut all = Vec::new();
    let quorum = Quorum::open(settings(voters), log, store, at(0), |found| {
        all.push(found);
        Ok::<_, QuorumError>(())
    });
    quorum.map(|quorum| (quorum, all))
}

fn open(disk: &SharedDisk) -> (Quorum<MemoryLog, MemoryStore>, Vec<Found>) {
    try_open(disk, &[1]).unwrap()
}

fn entries(found: &[Found]) -> i64 {
    let count = |found: &Found| match found {
        Found::Entries(entries) => entries.len() as i64,
        Found::Snapshot(..) => 0,
    };
    found.iter().map(count).sum()
}

fn propose(count: usize) -> Event {
    let records = vec![NoOpRecord::default().into(); count];
    Event::RecordsProposed { records, level: MetadataVersion::LATEST, atomic: false }
}

#[test]
fn a_sole_voter_leads_at_once_and_its_vote_is_saved_before_its_log_is_touched() {
    let disk = SharedDisk::default();
    let (mut quorum, _) = open(&disk);
    let outputs = quorum.step(Event::Started, at(5)).unwrap();
    assert_eq!(outputs[..2], [SYNC, Output::BecomeActive { epoch: 1, next_offset: 1 }]);
    assert_eq!(disk.borrow().order, ["vote", "append"]);
    assert_eq!(
        disk.borrow().vote.as_deref(),
        Some(
            "{\"clusterId\":\"\",\"leaderId\":1,\"leaderEpoch\":1,\"votedId\":-1,\
             \"appliedOffset\":0,\"currentVoters\":[{\"voterId\":1}],\"data_version\":0}"
        )
    );
    let entries = decode(&disk.borrow().unsynced()[0]).unwrap();
    let EntryRecord::Control(ControlRecord::LeaderChange(change)) = &entries[0].record else {
        panic!("{entries:?}");
    };
    assert_eq!((change.body.leader_id, change.body.granting_voters.len()), (1, 1));
}

#[test]
fn nothing_is_committed_before_it_is_synced() {
    let disk = SharedDisk::default();
    let (mut quorum, _) = open(&disk);
    quorum.step(Event::Started, at(5)).unwrap();
    assert_eq!(quorum.step(propose(3), at(6)).unwrap(), [SYNC]);
    assert_eq!(quorum.high_watermark(), None);
    let outputs = quorum.step(Event::LogSynced { end_offset: 1, generation: 0 }, at(7)).unwrap();
    let [Output::Commit { entries, high_watermark: 1 }] = &outputs[..] else {
        panic!("{outputs:?}");
    };
    assert_eq!(entries.len(), 1, "the leader change alone");
    let end_offset = disk.borrow_mut().sync();
    let outputs = quorum.step(Event::LogSynced { end_offset, generation: 0 }, at(8)).unwrap();
    let [Output::Commit { entries, high_watermark: 4 }] = &outputs[..] else {
        panic!("{outputs:?}");
    };
    assert_eq!(entries.iter().map(|entry| entry.offset).collect::<Vec<_>>(), [1, 2, 3]);
    assert_eq!(quorum.step(Event::LogSynced { end_offset, generation: 0 }, at(9)).unwrap(), []);
}

#[test]
fn after_a_crash_all_that_was_committed_is_found_and_the_epoch_is_a_new_one() {
    for syncs in 0..4 {
        let disk = SharedDisk::default();
        let mut committed = 0;
        let (mut quorum, _) = open(&disk);
        quorum.step(Event::Started, at(0)).unwrap();
        for round in 0..4 {
            if round < syncs {
                let end_offset = disk.borrow_mut().sync();
                quorum.step(Event::LogSynced { end_offset, generation: 0 }, at(0)).unwrap();
                committed = quorum.high_watermark().unwrap();
            }
            quorum.step(propose(2), at(0)).unwrap();
        }
        drop(quorum);
        disk.borrow_mut().crash();
        let (mut quorum, recovered) = open(&disk);
        assert_eq!(entries(&recovered), committed);
        assert_eq!(quorum.epoch(), 1);
        let outputs = quorum.step(Event::Started, at(0)).unwrap();
        let next_offset = committed + 1;
        assert_eq!(outputs[1], Output::BecomeActive { epoch: 2, next_offset });
    }
}

#[test]
fn a_lost_vote_is_made_up_for_by_the_log() {
    let disk = SharedDisk::default();
    for epoch in 1..=3 {
        let (mut quorum, _) = open(&disk);
        quorum.step(Event::Started, at(0)).unwrap();
        assert_eq!(quorum.epoch(), epoch);
        disk.borrow_mut().sync();
        disk.borrow_mut().vote = None;
    }
}

#[test]
fn a_vote_that_cannot_be_saved_stops_the_node_before_it_leads() {
    let disk = SharedDisk::default();
    disk.borrow_mut().vote_fails = true;
    let (mut quorum, _) = open(&disk);
    let error = quorum.step(Event::Started, at(0)).unwrap_err();
    assert_eq!(error.to_string(), "quorum-state: no space left");
    assert_eq!(quorum.leader_id(), None);
    assert!(disk.borrow().unsynced().is_empty());
}

#[test]
fn a_quorum_that_nobody_can_lead_is_refused() {
    let disk = SharedDisk::default();
    let error = try_open(&disk, &[]).unwrap_err();
    let wanted = "the quorum has no voters: neither configuration nor log name any";
    assert_eq!(error.to_string(), wanted);
    let mut kraft = KRaftState::with_static_voters(VoterSet::default());
    let mut other = settings(&[1]).static_voters.to_record();
    other.voters[0].voter_directory_id = directory(5);
    kraft.voters = VoterSet::from_record(&other);
    kraft.version = 1;
    let id = SnapshotId::BOOTSTRAP;
    let pieces = write_snapshot(id, 0, &kraft, &[], MetadataVersion::LATEST, 0).unwrap();
    disk.borrow_mut().add_snapshot(id, Bytes::from(pieces.concat()));
    let error = try_open(&disk, &[]).unwrap_err();
    let wanted = "node 1 with directory AAAAAAAAAAAAAAAAAAAACw is none of the quorum's voters [1]; \
                  was its directory formatted for another cluster or node?";
    assert_eq!(error.to_string(), wanted);
}

#[test]
fn voters_of_the_bootstrap_snapshot_are_written_into_the_log_once() {
    let disk = SharedDisk::default();
    let mut kraft = KRaftState::with_static_voters(settings(&[1]).static_voters);
    kraft.version = 1;
    let id = SnapshotId::BOOTSTRAP;
    let pieces = write_snapshot(id, 0, &kraft, &[], MetadataVersion::LATEST, 0).unwrap();
    disk.borrow_mut().add_snapshot(id, Bytes::from(pieces.concat()));
    for (round, controls) in [3, 1].into_iter().enumerate() {
        let (mut quorum, found) = try_open(&disk, &[]).unwrap();
        assert!(!matches!(found.first(), Some(Found::Snapshot(..))), "it holds no metadata");
        assert_eq!(quorum.kraft().version, 1);
        quorum.step(Event::Started, at(0)).unwrap();
        let entries = decode(&disk.borrow().unsynced()[0]).unwrap();
        assert_eq!(entries.len(), controls, "start {round}");
        assert!(disk.borrow().vote.as_ref().unwrap().contains("\"data_version\":1"));
        disk.borrow_mut().sync();
    }
}

#[test]
fn who_resigned_leads_no_more_and_takes_nothing() {
    let disk = SharedDisk::default();
    let (mut quorum, _) = open(&disk);
    quorum.step(Event::Started, at(0)).unwrap();
    let outputs = quorum.step(Event::ShutdownRequested, at(0)).unwrap();
    let nobody = Output::LeaderChanged { epoch: 1, leader_id: None };
    assert_eq!(outputs, [Output::BecomeInactive { epoch: 1 }, nobody]);
    assert_eq!(quorum.leader_id(), None);
    assert_eq!(quorum.step(propose(1), at(0)), Err(QuorumError::NotLeader));
    assert_eq!(quorum.step(Event::LogSynced { end_offset: 1, generation: 0 }, at(0)).unwrap(), []);
}

#[test]
fn large_proposals_become_several_batches_unless_they_must_be_one() {
    let name = text(&"x".repeat(30_000));
    let record = FeatureLevelRecord { name, feature_level: 1, ..Default::default() };
    let records = vec![record.into(); 400];
    for (atomic, wanted) in [(false, 2), (true, 1)] {
        let disk = SharedDisk::default();
        let (mut quorum, _) = open(&disk);
        quorum.step(Event::Started, at(0)).unwrap();
        let level = MetadataVersion::LATEST;
        let records = records.clone();
        quorum.step(Event::RecordsProposed { records, level, atomic }, at(0)).unwrap();
        let disk = disk.borrow();
        assert_eq!(disk.unsynced().len(), 1 + wanted);
        assert!(atomic || disk.unsynced().iter().all(|batch| batch.len() <= MAX_BATCH_BYTES));
        let unsynced = disk.unsynced();
        let offsets = unsynced.iter().flat_map(|batch| decode(batch).unwrap());
        assert!(offsets.map(|entry| entry.offset).eq(0..401));
    }
}

#[test]
fn a_log_that_lacks_its_beginning_or_its_middle_is_refused() {
    let disk = SharedDisk::default();
    let (mut quorum, _) = open(&disk);
    quorum.step(Event::Started, at(0)).unwrap();
    for _ in 0..3 {
        quorum.step(propose(2), at(0)).unwrap();
    }
    disk.borrow_mut().sync();
    let gap = disk.borrow_mut().live.batches.remove(1);
    let error = try_open(&disk, &[1]).unwrap_err();
    assert_eq!(error.to_string(), "the metadata log misses the records from offset 1 to 3");
    disk.borrow_mut().live.batches.insert(1, gap);
    assert!(try_open(&disk, &[1]).is_ok());
    disk.borrow_mut().live.start_offset = 3;
    let error = try_open(&disk, &[1]).unwrap_err();
    assert_eq!(
        error.to_string(),
        "the metadata log begins at offset 3, and no snapshot holds what stood before"
    );
}

//! What writes make of a state, and which records say so.

use protocol::records::share::ShareRecord;

use super::super::*;
use super::harness::{Bench, batch, key, write};
use crate::runtime::WriteFailure;

/// For each record of the log whether it is a snapshot, with its snapshot epoch.
fn kinds(bench: &Bench) -> Vec<(bool, i32)> {
    let kind = |record: &ShareRecord| match record {
        ShareRecord::Snapshot { value, .. } => {
            (true, value.as_ref().map_or(-1, |v| v.snapshot_epoch))
        }
        ShareRecord::Update { value, .. } => {
            (false, value.as_ref().map_or(-1, |v| v.snapshot_epoch))
        }
        ShareRecord::Unknown { .. } => panic!("an unknown record"),
    };
    bench.records().iter().map(kind).collect()
}

#[test]
fn a_state_begins_with_a_snapshot() {
    for (start_offset, delivery_complete_count) in [(-1, -1), (0, 0), (42, 0)] {
        let mut bench = Bench::new(10);
        bench.initialize(0, 7, start_offset).unwrap();
        let state = ShareState {
            snapshot_epoch: 0,
            state_epoch: 7,
            leader_epoch: 0,
            start_offset,
            delivery_complete_count,
            batches: Vec::new(),
            create_timestamp_ms: 1_000_000,
            write_timestamp_ms: 1_000_000,
        };
        assert_eq!(bench.state(0), Some(state));
        assert_eq!(kinds(&bench), [(true, 0)]);
    }
}

#[test]
fn so_many_updates_then_a_snapshot_of_all_of_it() {
    let mut bench = Bench::new(2);
    bench.initialize(0, 0, 10).unwrap();
    for offset in 10..15 {
        bench.write(&write(0, 0, 0, -1, vec![batch((offset, offset), 1, 2)])).unwrap();
    }
    let expected = [(true, 0), (false, 0), (false, 0), (true, 1), (false, 1), (false, 1)];
    assert_eq!(kinds(&bench), expected);
    let state = bench.state(0).unwrap();
    assert_eq!(state.batches, [batch((10, 14), 1, 2)]);
    assert_eq!(state.delivery_complete_count, 1, "as it was written last");
    let ShareRecord::Snapshot { value: Some(snapshot), .. } = &bench.records()[3] else {
        panic!("a snapshot")
    };
    assert_eq!(snapshot.batches.len(), 1);
    assert_eq!((snapshot.batches[0].first_offset, snapshot.batches[0].last_offset), (10, 12));
}

#[test]
fn no_updates_at_all_where_every_record_is_to_be_a_snapshot() {
    let mut bench = Bench::new(0);
    bench.initialize(0, 0, 0).unwrap();
    bench.write(&write(0, 0, 0, 1, Vec::new())).unwrap();
    bench.write(&write(0, 0, 0, 2, Vec::new())).unwrap();
    assert_eq!(kinds(&bench), [(true, 0), (true, 1), (true, 2)]);
}

#[test]
fn what_lies_before_the_start_offset_is_forgotten() {
    let mut bench = Bench::new(10);
    bench.initialize(0, 0, 0).unwrap();
    bench.write(&write(0, 0, 0, 0, vec![batch((0, 9), 1, 2)])).unwrap();
    bench.write(&write(0, 0, 0, 5, vec![batch((10, 19), 1, 0)])).unwrap();
    let state = bench.state(0).unwrap();
    assert_eq!(state.start_offset, 5);
    assert_eq!(state.batches, [batch((5, 9), 1, 2), batch((10, 19), 1, 0)]);
    // -1: as it was.
    bench.write(&write(0, 0, 0, -1, vec![batch((12, 12), 2, 2)])).unwrap();
    assert_eq!(bench.state(0).unwrap().start_offset, 5);
}

#[test]
fn a_state_that_begins_anew_has_no_batches_and_the_next_snapshot_epoch() {
    let mut bench = Bench::new(10);
    bench.initialize(0, 0, 0).unwrap();
    bench.write(&write(0, 0, 0, 0, vec![batch((0, 9), 1, 2)])).unwrap();
    bench.initialize(0, 1, 100).unwrap();
    let state = bench.state(0).unwrap();
    assert_eq!((state.snapshot_epoch, state.state_epoch, state.start_offset), (1, 1, 100));
    assert_eq!(state.batches, []);
}

#[test]
fn a_new_leader_is_written_down_once() {
    let mut bench = Bench::new(10);
    bench.initialize(0, 0, 5).unwrap();
    bench.write(&write(0, 0, 0, 5, vec![batch((5, 6), 1, 2)])).unwrap();
    let read = bench.read(0, 3).unwrap();
    let batches = vec![batch((5, 6), 1, 2)];
    assert_eq!(read, StateRead { state_epoch: 0, start_offset: 5, batches });
    assert_eq!(bench.log.len(), 3);
    assert_eq!(bench.state(0).unwrap().leader_epoch, 3);
    assert_eq!(bench.state(0).unwrap().delivery_complete_count, 1, "as it was");
    bench.read(0, 3).unwrap();
    bench.read(0, -1).unwrap();
    assert_eq!(bench.log.len(), 3);
    // The state begins anew, and the leader reads it anew.
    bench.initialize(0, 1, 0).unwrap();
    assert_eq!(bench.state(0).unwrap().leader_epoch, 0);
    bench.read(0, 3).unwrap();
    assert_eq!(bench.state(0).unwrap().leader_epoch, 3);
}

#[test]
fn answers_wait_for_the_log_those_of_reads_too() {
    let mut bench = Bench::new(10);
    bench.initialize(0, 0, 0).unwrap();
    bench.writes_at_once = false;
    let asked = write(0, 0, 0, 1, Vec::new());
    let written =
        bench.begin(|shard, known, reply, now, out| shard.write(&asked, known, reply, now, out));
    let asked = ReadState { key: key(0), leader_epoch: -1 };
    let read =
        bench.begin(|shard, known, reply, now, out| shard.read(&asked, known, reply, now, out));
    assert_eq!((bench.answers.get(&written), bench.answers.get(&read)), (None, None));
    bench.finish_write(Ok(()));
    assert_eq!(bench.answers.get(&written), Some(&Answer::Done(Ok(()))));
    let Some(Answer::Read(Ok(read))) = bench.answers.get(&read) else { panic!("no read") };
    assert_eq!(read.start_offset, 1);
}

#[test]
fn what_could_not_be_written_is_not_the_state() {
    for (failure, error) in [
        (WriteFailure::NotEnoughReplicas, ShareError::WriteFailed(WriteFailure::NotEnoughReplicas)),
        (WriteFailure::NotLeader, ShareError::NotCoordinator),
    ] {
        let mut bench = Bench::new(10);
        bench.initialize(0, 0, 0).unwrap();
        bench.writes_at_once = false;
        let asked = write(0, 0, 0, 1, Vec::new());
        let written = bench
            .begin(|shard, known, reply, now, out| shard.write(&asked, known, reply, now, out));
        bench.finish_write(Err(failure));
        assert_eq!(bench.answers.get(&written), Some(&Answer::Done(Err(error))));
        assert_eq!(bench.state(0).unwrap().start_offset, 0);
    }
}

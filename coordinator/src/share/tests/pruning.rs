//! How much of the log is needed, and snapshots of what nobody writes to.

use super::super::*;
use super::harness::{Bench, write};

fn update(bench: &mut Bench, partition: i32) {
    bench.write(&write(partition, 0, -1, -1, Vec::new())).unwrap();
}

#[test]
fn below_the_oldest_of_all_newest_snapshots_nothing_is_needed() {
    let mut bench = Bench::new(0);
    let redundant = |bench: &Bench| bench.runtime.shard().redundant_offset();
    assert_eq!(redundant(&bench), None);
    bench.initialize(0, 0, 0).unwrap();
    assert_eq!(redundant(&bench), None, "nothing lies below offset 0");
    bench.initialize(1, 0, 0).unwrap();
    update(&mut bench, 0);
    assert_eq!(redundant(&bench), Some(1), "partition 1 stands at 1");
    update(&mut bench, 1);
    assert_eq!(redundant(&bench), Some(2));
    update(&mut bench, 1);
    assert_eq!(redundant(&bench), Some(2));
    bench.delete(0).unwrap();
    assert_eq!(redundant(&bench), Some(4), "partition 1 stands at 4, 0 is gone");
    bench.delete(1).unwrap();
    assert_eq!(redundant(&bench), Some(6), "the last tombstone");
    bench.initialize(2, 0, 0).unwrap();
    assert_eq!(redundant(&bench), Some(7));
    bench.reload();
    assert_eq!(redundant(&bench), Some(7), "a load finds the same");
}

#[test]
fn an_update_does_not_move_it_and_what_was_not_written_neither() {
    let mut bench = Bench::new(10);
    bench.initialize(0, 0, 0).unwrap();
    bench.initialize(0, 1, 0).unwrap();
    update(&mut bench, 0);
    assert_eq!(bench.runtime.shard().redundant_offset(), Some(1));
    bench.writes_at_once = false;
    let asked = InitializeState { key: super::harness::key(0), state_epoch: 1, start_offset: 0 };
    bench.begin(|shard, known, reply, now, out| shard.initialize(&asked, known, reply, now, out));
    assert_eq!(bench.runtime.shard().redundant_offset(), Some(1), "it has no place yet");
    bench.finish_write(Err(crate::runtime::WriteFailure::NotEnoughReplicas));
    assert_eq!(bench.runtime.shard().redundant_offset(), Some(1));
}

#[test]
fn from_time_to_time_the_log_is_pruned_where_there_is_something_to_prune() {
    let mut bench = Bench::new(0);
    bench.initialize(0, 0, 0).unwrap();
    bench.pass(300_000);
    assert_eq!(bench.commands, []);
    update(&mut bench, 0);
    bench.pass(300_000);
    // The cold snapshot of the same moment comes after.
    assert_eq!(bench.commands, [Command::Prune { offset: 2 }]);
    bench.prune();
    bench.pass(300_000);
    assert_eq!(bench.commands, [Command::Prune { offset: 3 }]);
    bench.prune();
    bench.pass(300_000);
    assert_eq!(bench.commands, [], "that was done");
}

#[test]
fn where_share_groups_are_off_nothing_is_done_by_the_clock() {
    let mut bench = Bench::new(0);
    bench.initialize(0, 0, 0).unwrap();
    update(&mut bench, 0);
    bench.run(|shard, now, _| shard.set_enabled(false, now));
    bench.pass(3_000_000);
    assert_eq!((bench.commands.len(), bench.log.len()), (0, 2));
    bench.run(|shard, now, _| shard.set_enabled(true, now));
    bench.pass(300_000);
    assert_eq!(bench.commands.len(), 1);
}

#[test]
fn a_state_that_is_not_written_is_snapshotted_while_others_are() {
    let mut bench = Bench::new(10);
    bench.initialize(0, 0, 3).unwrap();
    bench.pass(300_000);
    let cold = bench.state(0).unwrap();
    assert_eq!((cold.snapshot_epoch, cold.create_timestamp_ms), (1, 1_000_000));
    assert_eq!((cold.write_timestamp_ms, cold.start_offset), (1_300_000, 3));
    bench.pass(3_000_000);
    assert_eq!(bench.log.len(), 2, "all is quiet");
    bench.initialize(1, 0, 0).unwrap();
    bench.pass(300_000);
    let written = [0, 1].map(|partition| bench.state(partition).unwrap().write_timestamp_ms);
    assert_eq!(written, [4_600_000; 2]);
}

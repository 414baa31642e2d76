//! Who is let in: state epochs, leader epochs, partitions that are not there.

use super::super::*;
use super::harness::{Bench, write};

use ShareError::{
    FencedLeaderEpoch, FencedStateEpoch, NegativePartition, ReadUninitialized, UnknownPartition,
    WriteUninitialized,
};

/// A state under state epoch 3, which the leader of epoch 5 has read.
fn bench() -> Bench {
    let mut bench = Bench::new(10);
    bench.initialize(0, 3, 100).unwrap();
    bench.read(0, 5).unwrap();
    bench
}

#[test]
fn a_write_under_an_older_epoch_is_fenced() {
    for (leader_epoch, state_epoch, answer) in [
        (5, 3, Ok(())),
        (6, 3, Ok(())),
        (-1, 3, Ok(())),
        (5, -1, Ok(())),
        (5, 4, Ok(())),
        (4, 3, Err(FencedLeaderEpoch)),
        (5, 2, Err(FencedStateEpoch)),
        (4, 2, Err(FencedLeaderEpoch)),
    ] {
        let written = bench().write(&write(0, leader_epoch, state_epoch, -1, Vec::new()));
        assert_eq!(written, answer, "leader {leader_epoch} state {state_epoch}");
    }
}

#[test]
fn a_write_does_not_fence_and_a_read_does() {
    let mut bench = bench();
    bench.write(&write(0, 9, 3, -1, Vec::new())).unwrap();
    bench.write(&write(0, 5, 3, -1, Vec::new())).unwrap();
    bench.read(0, 9).unwrap();
    assert_eq!(bench.write(&write(0, 5, 3, -1, Vec::new())), Err(FencedLeaderEpoch));
    assert_eq!(bench.read(0, 8), Err(FencedLeaderEpoch));
    assert!(bench.read(0, -1).is_ok(), "who is no leader is not fenced");
}

#[test]
fn a_state_begins_anew_under_the_same_or_a_newer_epoch() {
    for (state_epoch, answer) in
        [(3, Ok(())), (4, Ok(())), (-1, Ok(())), (2, Err(FencedStateEpoch))]
    {
        assert_eq!(bench().initialize(0, state_epoch, 7), answer, "{state_epoch}");
    }
    let mut bench = bench();
    bench.initialize(0, 4, 7).unwrap();
    assert_eq!(bench.write(&write(0, 5, 3, -1, Vec::new())), Err(FencedStateEpoch));
    assert_eq!(bench.write(&write(0, 4, 4, -1, Vec::new())), Err(FencedLeaderEpoch));
}

#[test]
fn what_has_no_state_cannot_be_written_or_read_and_is_summed_up_as_nothing() {
    let mut bench = bench();
    assert_eq!(bench.write(&write(1, 5, 3, -1, Vec::new())), Err(WriteUninitialized));
    assert_eq!(bench.read(1, 5), Err(ReadUninitialized));
    let nothing = StateSummary {
        state_epoch: 0,
        leader_epoch: 0,
        start_offset: -1,
        delivery_complete_count: -1,
    };
    assert_eq!(bench.summarize(1), Ok(nothing));
}

#[test]
fn what_is_wrong_with_a_request_is_said_in_kafkas_order() {
    let mut bench = bench();
    bench.is_known = false;
    assert_eq!(bench.initialize(-1, 0, 0), Err(NegativePartition));
    assert_eq!(bench.initialize(0, 2, 0), Err(FencedStateEpoch));
    assert_eq!(bench.initialize(0, 3, 0), Err(UnknownPartition));
    assert_eq!(bench.write(&write(-1, 0, 0, 0, Vec::new())), Err(NegativePartition));
    assert_eq!(bench.write(&write(1, 0, 0, 0, Vec::new())), Err(WriteUninitialized));
    assert_eq!(bench.write(&write(0, 4, 3, 0, Vec::new())), Err(FencedLeaderEpoch));
    assert_eq!(bench.write(&write(0, 5, 3, 0, Vec::new())), Err(UnknownPartition));
    assert_eq!(bench.read(-1, 5), Err(NegativePartition));
    assert_eq!(bench.read(1, 5), Err(ReadUninitialized));
    assert_eq!(bench.read(0, 4), Err(FencedLeaderEpoch));
    assert_eq!(bench.read(0, 5), Err(UnknownPartition));
    assert_eq!(bench.summarize(-1), Err(NegativePartition));
    assert_eq!(bench.summarize(0), Err(UnknownPartition));
    assert_eq!(bench.delete(-1), Err(NegativePartition));
    assert_eq!(bench.delete(1), Err(UnknownPartition));
    assert_eq!(bench.log.len(), 2, "nothing of this was written");
}

//! EndTxn: what each repetition and each end out of turn is answered.

use super::super::*;
use super::harness::{Bench, producer};
use crate::runtime::WriteFailure;

use TransactionError::{InvalidTransactionState as INVALID, ProducerFenced as FENCED};

const NONE: ProducerIdAndEpoch = ProducerIdAndEpoch::NONE;

/// An id in this state, and who has it; its transaction had one epoch where ends bump it.
fn in_state(version: TransactionVersion, state: TransactionState) -> (Bench, ProducerIdAndEpoch) {
    let mut bench = Bench::new(version);
    bench.init("x").unwrap();
    let who = bench.init("x").unwrap();
    if state == TransactionState::Empty {
        return (bench, who);
    }
    bench.add("x", who, &[0]).unwrap();
    let is_commit = state == TransactionState::CompleteCommit;
    bench.end("x", who, is_commit).unwrap();
    bench.write_markers();
    assert_eq!(bench.state("x"), state);
    let who = bench.standing("x").producer();
    (bench, who)
}

fn behind(who: ProducerIdAndEpoch) -> ProducerIdAndEpoch {
    ProducerIdAndEpoch { producer_epoch: who.producer_epoch - 1, ..who }
}

#[test]
fn where_every_end_bumps_the_epoch_it_says_which_transaction_is_meant() {
    use TransactionState::{CompleteAbort, CompleteCommit, Empty};
    let (epoch_bump, done) = (Ok(1), Ok(0));
    for (state, is_commit, is_behind, expected) in [
        (Empty, false, true, Err(FENCED)),
        (Empty, false, false, epoch_bump),
        (Empty, true, true, Err(FENCED)),
        (Empty, true, false, Err(INVALID)),
        (CompleteAbort, false, true, done),
        (CompleteAbort, false, false, epoch_bump),
        (CompleteAbort, true, true, Err(INVALID)),
        (CompleteAbort, true, false, Err(INVALID)),
        (CompleteCommit, false, true, Err(INVALID)),
        (CompleteCommit, false, false, epoch_bump),
        (CompleteCommit, true, true, done),
        (CompleteCommit, true, false, Err(INVALID)),
    ] {
        let (mut bench, who) = in_state(TransactionVersion::V2, state);
        let asked = if is_behind { behind(who) } else { who };
        let answer = bench.end("x", asked, is_commit);
        let expected = expected.map(|bumps: i16| producer(1000, who.producer_epoch + bumps));
        assert_eq!(answer, expected, "{state:?} commit {is_commit} behind {is_behind}");
        let is_aborted = expected == Ok(producer(1000, who.producer_epoch + 1));
        let after = if is_aborted { CompleteAbort } else { state };
        assert_eq!(bench.state("x"), after, "{state:?} commit {is_commit} behind {is_behind}");
    }
}

#[test]
fn where_no_end_bumps_the_epoch_only_the_state_tells() {
    use TransactionState::{CompleteAbort, CompleteCommit, Empty};
    for version in [TransactionVersion::V0, TransactionVersion::V1] {
        for (state, is_commit, expected) in [
            (Empty, false, Err(INVALID)),
            (Empty, true, Err(INVALID)),
            (CompleteAbort, false, Ok(NONE)),
            (CompleteAbort, true, Err(INVALID)),
            (CompleteCommit, false, Err(INVALID)),
            (CompleteCommit, true, Ok(NONE)),
        ] {
            let (mut bench, who) = in_state(version, state);
            assert_eq!(bench.end("x", behind(who), is_commit), Err(FENCED));
            assert_eq!(bench.end("x", who, is_commit), expected, "{state:?} commit {is_commit}");
            assert_eq!(bench.state("x"), state);
        }
    }
}

#[test]
fn the_answer_waits_for_the_outcome_and_the_markers_wait_for_it_too() {
    let mut bench = Bench::new(TransactionVersion::V2);
    let who = bench.init("x").unwrap();
    bench.add("x", who, &[0, 1]).unwrap();
    bench.writes_at_once = false;
    let reply = bench.begin_end("x", who, true);
    assert_eq!(bench.producer_answer(reply), None);
    assert!(bench.commands.is_empty());
    bench.finish_write(Ok(()));
    assert_eq!(bench.producer_answer(reply), Some(Ok(producer(1000, 1))));
    let markers = bench.markers().clone();
    assert_eq!(markers.producer, producer(1000, 1), "markers have the epoch after");
    assert_eq!(markers.transaction_version, TransactionVersion::V2);
    assert!(markers.is_commit);
    // One of two.
    let mut left = markers.partitions.clone();
    let first = left.pop_first().unwrap();
    bench.markers_written(&markers, [first].into());
    assert!(bench.writes.is_empty());
    assert_eq!(bench.standing("x").partitions, left);
    bench.markers_written(&markers, left.clone());
    assert_eq!(bench.writes.len(), 1);
    // Told twice, written once.
    bench.markers_written(&markers, left);
    assert_eq!(bench.writes.len(), 1);
    bench.settle();
    assert_eq!(bench.state("x"), TransactionState::CompleteCommit);
    assert!(bench.standing("x").partitions.is_empty());
}

#[test]
fn an_outcome_that_could_not_be_written_is_none() {
    let mut bench = Bench::new(TransactionVersion::V2);
    let who = bench.init("x").unwrap();
    bench.add("x", who, &[0]).unwrap();
    bench.writes_at_once = false;
    let reply = bench.begin_end("x", who, true);
    bench.finish_write(Err(WriteFailure::NotEnoughReplicas));
    let refused = TransactionError::WriteFailed(WriteFailure::NotEnoughReplicas);
    assert_eq!(bench.producer_answer(reply), Some(Err(refused)));
    assert!(bench.commands.is_empty());
    assert_eq!(bench.state("x"), TransactionState::Ongoing);
    bench.writes_at_once = true;
    assert_eq!(bench.end("x", who, false), Ok(producer(1000, 1)));
}

#[test]
fn a_completion_that_could_not_be_written_is_tried_again() {
    let mut bench = Bench::new(TransactionVersion::V2);
    let who = bench.init("x").unwrap();
    bench.add("x", who, &[0]).unwrap();
    bench.end("x", who, true).unwrap();
    bench.writes_at_once = false;
    bench.write_markers();
    bench.finish_write(Err(WriteFailure::NotEnoughReplicas));
    assert_eq!(bench.state("x"), TransactionState::PrepareCommit);
    bench.pass(100);
    bench.settle();
    assert_eq!(bench.state("x"), TransactionState::CompleteCommit);
}

#[test]
fn while_markers_are_on_their_way_the_producer_comes_again() {
    for version in [TransactionVersion::V1, TransactionVersion::V2] {
        let mut bench = Bench::new(version);
        let who = bench.init("x").unwrap();
        bench.add("x", who, &[0]).unwrap();
        bench.end("x", who, true).unwrap();
        for is_commit in [true, false] {
            let repeated = bench.end("x", who, is_commit);
            assert_eq!(repeated, Err(TransactionError::ConcurrentTransactions), "{version:?}");
        }
    }
}

#[test]
fn the_last_epoch_of_an_id_ends_with_another_id() {
    for (is_commit, state) in
        [(true, TransactionState::CompleteCommit), (false, TransactionState::CompleteAbort)]
    {
        let mut bench = Bench::new(TransactionVersion::V2);
        while bench.init("x") != Ok(producer(1000, i16::MAX - 1)) {}
        let who = producer(1000, i16::MAX - 1);
        bench.add("x", who, &[0]).unwrap();
        assert_eq!(bench.end("x", who, is_commit), Ok(producer(1001, 0)));
        assert_eq!(bench.markers().producer, producer(1000, i16::MAX));
        bench.reload();
        bench.write_markers();
        let known = bench.standing("x");
        assert_eq!((known.state, known.producer()), (state, producer(1001, 0)));
        assert_eq!(known.previous_producer_id, 1000);
        // The answer was lost.
        assert_eq!(bench.end("x", who, is_commit), Ok(producer(1001, 0)));
        assert_eq!(bench.end("x", who, !is_commit), Err(INVALID));
        bench.add("x", producer(1001, 0), &[1]).unwrap();
        let over = Err(TransactionError::InvalidProducerIdMapping);
        assert_eq!(bench.end("x", who, is_commit), over, "that transaction is over");
    }
}

#[test]
fn a_delayed_end_never_ends_the_next_transaction() {
    let mut bench = Bench::new(TransactionVersion::V2);
    let first = bench.init("x").unwrap();
    bench.add("x", first, &[0]).unwrap();
    let second = bench.end("x", first, true).unwrap();
    bench.write_markers();
    bench.add("x", second, &[1]).unwrap();
    for is_commit in [true, false] {
        assert_eq!(bench.end("x", first, is_commit), Err(FENCED));
        assert_eq!(bench.state("x"), TransactionState::Ongoing);
    }
}

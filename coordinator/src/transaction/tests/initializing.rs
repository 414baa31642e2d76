//! InitProducerId: whose a transactional id is.

use super::super::*;
use super::harness::{Bench, producer};
use crate::runtime::WriteFailure;

const VERSIONS: [TransactionVersion; 3] =
    [TransactionVersion::V0, TransactionVersion::V1, TransactionVersion::V2];

#[test]
fn a_new_id_begins_with_epoch_0_and_each_who_asks_gets_the_next() {
    for version in VERSIONS {
        let mut bench = Bench::new(version);
        assert_eq!(bench.init("x"), Ok(producer(1000, 0)));
        assert_eq!(bench.init("x"), Ok(producer(1000, 1)));
        assert_eq!(bench.init("y"), Ok(producer(1001, 0)));
        assert_eq!(bench.log.len(), 3, "each change is one record");
    }
}

#[test]
fn whoever_asks_while_another_is_answered_comes_again() {
    let mut bench = Bench::new(TransactionVersion::V2);
    bench.writes_at_once = false;
    let first = bench.begin_init("x", None);
    assert_eq!(bench.producer_answer(first), None, "nothing is told before it is written");
    assert_eq!(bench.init("x"), Err(TransactionError::ConcurrentTransactions));
    bench.settle();
    assert_eq!(bench.producer_answer(first), Some(Ok(producer(1000, 0))));
}

#[test]
fn an_id_that_could_not_be_written_is_nobodys() {
    let mut bench = Bench::new(TransactionVersion::V2);
    bench.writes_at_once = false;
    let first = bench.begin_init("x", None);
    bench.finish_write(Err(WriteFailure::NotEnoughReplicas));
    let refused = TransactionError::WriteFailed(WriteFailure::NotEnoughReplicas);
    assert_eq!(bench.producer_answer(first), Some(Err(refused)));
    bench.writes_at_once = true;
    assert_eq!(bench.init("x"), Ok(producer(1001, 0)));
}

#[test]
fn who_says_what_it_has_goes_on_and_a_repetition_changes_nothing() {
    let mut bench = Bench::new(TransactionVersion::V2);
    assert_eq!(bench.init("x"), Ok(producer(1000, 0)));
    assert_eq!(bench.init_again("x", producer(1000, 0)), Ok(producer(1000, 1)));
    // The answer was lost.
    assert_eq!(bench.init_again("x", producer(1000, 0)), Ok(producer(1000, 1)));
    assert_eq!(bench.init_again("x", producer(1000, 1)), Ok(producer(1000, 2)));
    for stranger in [producer(1000, 0), producer(999, 2)] {
        assert_eq!(bench.init_again("x", stranger), Err(TransactionError::ProducerFenced));
    }
    // Somebody new ends repetitions.
    assert_eq!(bench.init("x"), Ok(producer(1000, 3)));
    assert_eq!(bench.init_again("x", producer(1000, 1)), Err(TransactionError::ProducerFenced));
}

#[test]
fn an_open_transaction_is_aborted_before_another_begins() {
    for (version, epoch_of_markers, epoch_after) in [
        (TransactionVersion::V0, 1, 2),
        (TransactionVersion::V1, 1, 2),
        (TransactionVersion::V2, 1, 2),
    ] {
        let mut bench = Bench::new(version);
        let old = bench.init("x").unwrap();
        bench.add("x", old, &[0, 1]).unwrap();
        assert_eq!(bench.init("x"), Err(TransactionError::ConcurrentTransactions));
        assert_eq!(bench.state("x"), TransactionState::PrepareAbort);
        let markers = bench.markers().clone();
        assert_eq!(markers.producer, producer(1000, epoch_of_markers), "{version:?}");
        assert!(!markers.is_commit);
        assert_eq!(markers.partitions.len(), 2);
        // Until all markers are written nobody gets it.
        assert_eq!(bench.init("x"), Err(TransactionError::ConcurrentTransactions));
        bench.write_markers();
        assert_eq!(bench.init("x"), Ok(producer(1000, epoch_after)), "{version:?}");
        assert_eq!(bench.add("x", old, &[0]), Err(TransactionError::ProducerFenced));
    }
}

#[test]
fn epochs_that_are_used_up_bring_a_new_producer_id() {
    for version in VERSIONS {
        let mut bench = Bench::new(version);
        let mut last = bench.init("x").unwrap();
        while last.producer_id == 1000 {
            let next = bench.init("x").unwrap();
            if next.producer_id != 1000 {
                assert_eq!((last, next), (producer(1000, i16::MAX - 1), producer(1001, 0)));
            }
            last = next;
        }
        assert_eq!(bench.standing("x").previous_producer_id, 1000);
        // Who had the old id, and did not hear of the new one, may go on; nobody else.
        let late = producer(1000, i16::MAX - 1);
        let refused = Err(TransactionError::ProducerFenced);
        assert_eq!(bench.init_again("x", producer(1000, 5)), refused);
        // Its epoch is neither the current one nor the one before it: somebody else has begun.
        assert_eq!(bench.init_again("x", late), refused);
    }
}

#[test]
fn a_producer_that_goes_on_over_the_end_of_its_epochs_may_repeat_that() {
    let mut bench = Bench::new(TransactionVersion::V2);
    while bench.init("x") != Ok(producer(1000, i16::MAX - 1)) {}
    let late = producer(1000, i16::MAX - 1);
    assert_eq!(bench.init_again("x", late), Ok(producer(1001, 0)));
    assert_eq!(bench.init_again("x", late), Ok(producer(1001, 0)));
}

//! AddPartitionsToTxn: what takes part, and what leaders are told of it.

use std::collections::BTreeSet;

use super::super::*;
use super::harness::{Bench, partition, producer, text};

#[test]
fn the_first_partitions_begin_a_transaction_and_more_join_it() {
    let mut bench = Bench::new(TransactionVersion::V1);
    let who = bench.init("x").unwrap();
    assert_eq!(bench.standing("x").start_timestamp_ms, -1);
    assert_eq!(bench.add("x", who, &[0]), Ok(()));
    let begun = bench.now.wall_ms;
    bench.pass(500);
    assert_eq!(bench.add("x", who, &[1, 2]), Ok(()));
    let known = bench.standing("x");
    assert_eq!((known.state, known.start_timestamp_ms), (TransactionState::Ongoing, begun));
    assert_eq!(known.partitions, (0..3).map(partition).collect());
    let records = bench.log.len();
    assert_eq!(bench.add("x", who, &[2, 0]), Ok(()), "all of it takes part already");
    assert_eq!(bench.log.len(), records);
}

#[test]
fn a_stranger_adds_nothing() {
    let mut bench = Bench::new(TransactionVersion::V1);
    let who = bench.init("x").unwrap();
    for (id, asked, refusal) in [
        ("y", who, TransactionError::InvalidProducerIdMapping),
        ("x", producer(7, 0), TransactionError::InvalidProducerIdMapping),
        ("x", producer(1000, 1), TransactionError::ProducerFenced),
        ("x", producer(1000, -1), TransactionError::ProducerFenced),
    ] {
        assert_eq!(bench.add(id, asked, &[0]), Err(refusal));
    }
}

#[test]
fn nothing_joins_a_transaction_whose_end_is_decided() {
    let mut bench = Bench::new(TransactionVersion::V1);
    let who = bench.init("x").unwrap();
    bench.add("x", who, &[0]).unwrap();
    bench.end("x", who, true).unwrap();
    assert_eq!(bench.add("x", who, &[0]), Err(TransactionError::ConcurrentTransactions));
    bench.write_markers();
    assert_eq!(bench.add("x", who, &[0]), Ok(()));
}

#[test]
fn leaders_are_told_what_takes_part() {
    let mut bench = Bench::new(TransactionVersion::V1);
    let who = bench.init("x").unwrap();
    bench.add("x", who, &[0]).unwrap();
    let (x, asked) = (text("x"), BTreeSet::from([partition(0), partition(1)]));
    let shard = bench.runtime.shard();
    assert_eq!(
        shard.verify_partitions(&x, who, &asked),
        Ok(vec![(partition(0), true), (partition(1), false)]),
    );
    let refused = |asked_by| shard.verify_partitions(&x, asked_by, &asked).unwrap_err();
    assert_eq!(refused(producer(1000, 1)), TransactionError::ProducerFenced);
    assert_eq!(refused(producer(1, 0)), TransactionError::InvalidProducerIdMapping);
    bench.end("x", who, false).unwrap();
    let verified = bench.runtime.shard().verify_partitions(&x, who, &asked);
    assert_eq!(verified, Err(TransactionError::ConcurrentTransactions));
    bench.write_markers();
    let verified = bench.runtime.shard().verify_partitions(&x, who, &asked).unwrap();
    assert!(verified.iter().all(|(_, takes_part)| !takes_part), "the transaction is over");
}

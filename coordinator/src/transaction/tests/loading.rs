//! What a coordinator makes of a log: its own, one of stock Kafka, one with gaps.

use bytes::Bytes;

use super::super::*;
use super::harness::{Bench, partition, text};
use crate::runtime::WriteRecord;

#[test]
fn a_reload_is_what_was_there() {
    for version in [TransactionVersion::V0, TransactionVersion::V1, TransactionVersion::V2] {
        let mut bench = Bench::new(version);
        let who = bench.init("x").unwrap();
        bench.add("x", who, &[3, 0]).unwrap();
        bench.init("y").unwrap();
        let before = ["x", "y"].map(|id| bench.standing(id));
        bench.reload();
        let after = ["x", "y"].map(|id| bench.standing(id));
        for (mut before, mut after) in before.into_iter().zip(after) {
            // Not in the log, and in the oldest version not all of it.
            before.last_producer_epoch = -1;
            if version == TransactionVersion::V0 {
                (before.previous_producer_id, after.previous_producer_id) = (-1, -1);
            }
            assert_eq!(before, after, "{version:?}");
        }
    }
}

#[test]
fn values_have_the_version_of_the_feature_level() {
    for (version, first_byte) in
        [(TransactionVersion::V0, 0), (TransactionVersion::V1, 1), (TransactionVersion::V2, 1)]
    {
        let mut bench = Bench::new(version);
        bench.init("x").unwrap();
        let value = bench.log[0].value.clone().unwrap();
        assert_eq!(value[..2], [0, first_byte]);
    }
}

#[test]
fn an_outcome_in_the_log_sends_its_markers_again() {
    for is_commit in [true, false] {
        let mut bench = Bench::new(TransactionVersion::V2);
        let who = bench.init("x").unwrap();
        bench.add("x", who, &[0, 1]).unwrap();
        bench.end("x", who, is_commit).unwrap();
        let first = bench.markers().clone();
        bench.markers_written(&first, [partition(0)].into());
        bench.reload();
        // What was told of the old load was lost with it.
        assert_eq!(*bench.markers(), first);
        bench.write_markers();
        assert!(bench.standing("x").partitions.is_empty());
        bench.reload();
        assert!(bench.commands.is_empty());
    }
}

#[test]
fn an_outcome_without_partitions_is_completed_by_a_load() {
    let mut bench = Bench::new(TransactionVersion::V2);
    let who = bench.init("x").unwrap();
    bench.writes_at_once = false;
    bench.begin_end("x", who, false);
    bench.finish_write(Ok(()));
    assert_eq!(bench.state("x"), TransactionState::PrepareAbort);
    bench.reload();
    bench.settle();
    assert_eq!(bench.state("x"), TransactionState::CompleteAbort);
}

#[test]
fn what_nobody_knows_is_passed_over_and_what_is_broken_is_not() {
    let known = Record::read(Some(&[0, 0, 0, 1, b'x']), Some(&[0, 9, 1]));
    assert_eq!(known, Ok(Record::UnknownValue { version: 9 }));
    let unknown = Record::read(Some(&[0, 9, 1]), None);
    assert_eq!(unknown, Ok(Record::UnknownKey { version: 9 }));
    assert!(Record::read(Some(&[0, 0, 0, 1, b'x']), Some(&[0, 1, 1])).is_err());
    let mut bench = Bench::new(TransactionVersion::V2);
    let bytes = Bytes::from_static;
    bench.log.push(WriteRecord { key: bytes(&[0, 9, 1]), value: None });
    bench.reload();
    assert_eq!(bench.log_events, [LogEvent::UnknownKey { version: 9 }]);
}

#[test]
fn lists_and_descriptions_are_of_what_stands_in_the_log() {
    let mut bench = Bench::new(TransactionVersion::V2);
    let x = bench.init("x").unwrap();
    bench.init("y").unwrap();
    bench.add("x", x, &[2]).unwrap();
    bench.pass(1_000);
    bench.writes_at_once = false;
    bench.begin_end("x", x, true);
    let ids = |filter: &TransactionFilter| -> Vec<String> {
        let listed = bench.runtime.shard().list(filter, bench.now);
        listed.iter().map(|listed| listed.transactional_id.to_string()).collect()
    };
    let all = TransactionFilter { duration_ms: -1, ..TransactionFilter::default() };
    let by_state = |states: &[TransactionState]| TransactionFilter {
        is_by_state: true,
        states: states.iter().copied().collect(),
        ..all.clone()
    };
    assert_eq!(ids(&all), ["x", "y"]);
    assert_eq!(ids(&by_state(&[TransactionState::Ongoing])), ["x"]);
    assert!(ids(&by_state(&[])).is_empty(), "only unknown states were asked for");
    let of_producer = TransactionFilter { producer_ids: [1001].into(), ..all.clone() };
    assert_eq!(ids(&of_producer), ["y"]);
    for (duration_ms, listed) in [(999, vec!["x", "y"]), (1_000, vec!["y"])] {
        // An id without a transaction began at -1, and has been open ever since, as in Kafka.
        assert_eq!(ids(&TransactionFilter { duration_ms, ..all.clone() }), listed);
    }
    let described = bench.runtime.shard().describe(&text("x")).unwrap();
    assert_eq!(described.state, TransactionState::Ongoing);
    assert_eq!(described.partitions, [partition(2)].into());
    assert_eq!((described.producer, described.timeout_ms), (x, 60_000));
    let missing = bench.runtime.shard().describe(&text("z"));
    assert_eq!(missing, Err(TransactionError::TransactionalIdNotFound));
}

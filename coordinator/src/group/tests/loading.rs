//! A shard that is loaded from its log: offsets, groups, transactions, tombstones.

use super::super::*;
use super::harness::*;

use crate::runtime::Shard as _;
use bytes::Bytes;
use protocol::batch::{BatchBuilder, ControlType};
use protocol::records::group::{OffsetCommitKey, OffsetCommitValue};

fn commit_record(group: &str, partition: i32, offset: i64) -> (Bytes, Bytes) {
    let key = OffsetCommitKey { group: text(group), topic: text("orders"), partition };
    let value = OffsetCommitValue { offset, ..OffsetCommitValue::default() };
    (key.to_bytes(), value.to_bytes())
}

/// A batch of one commit at `at`, held by the transaction of `producer`.
fn held(at: i64, producer: i64, offset: i64) -> Bytes {
    let (key, value) = commit_record("g", 0, offset);
    let mut builder = BatchBuilder::new(at).producer(producer, 0, 0).transactional();
    builder.append(0, Some(&key), Some(&value));
    builder.build()
}

fn plain(at: i64, offset: i64) -> Bytes {
    let (key, value) = commit_record("g", 0, offset);
    let mut builder = BatchBuilder::new(at);
    builder.append(0, Some(&key), Some(&value));
    builder.build()
}

fn marker(at: i64, producer: i64, kind: ControlType) -> Bytes {
    let mut builder = BatchBuilder::new(at).producer(producer, 0, -1).transactional();
    builder.append_control(0, kind, &[0, 0, 0, 0, 0, 0]);
    builder.build()
}

fn loaded(batches: &[Bytes]) -> Bench {
    let mut bench = Bench::new();
    for batch in batches {
        bench.replay(batch);
    }
    bench
}

#[test]
fn an_offset_of_an_open_transaction_is_unstable_and_not_seen() {
    let bench = loaded(&[plain(0, 5), held(1, 9, 6)]);
    assert_eq!(bench.fetch("orders", 0), Err(GroupError::UnstableOffset));
    let topics = [(text("orders"), vec![0])];
    let loose = bench.shard().fetch_offsets(&text("g"), None, &topics, false).unwrap();
    assert_eq!(loose[0].partitions[0].offset.clone().unwrap().unwrap().offset, 5);
}

#[test]
fn markers_commit_or_abort_what_a_transaction_holds() {
    use ControlType::{Abort, Commit};
    for (batches, offset) in [
        (vec![plain(0, 5), held(1, 9, 6), marker(2, 9, Commit)], Some(6)),
        (vec![plain(0, 5), held(1, 9, 6), marker(2, 9, Abort)], Some(5)),
        (vec![held(0, 9, 6), marker(1, 9, Abort)], None),
        // A later plain commit stands against a marker that comes after it.
        (vec![held(0, 9, 6), plain(1, 7), marker(2, 9, Commit)], Some(7)),
        // Two transactions: each marker ends its own.
        (vec![held(0, 9, 6), held(1, 8, 7), marker(2, 8, Commit), marker(3, 9, Commit)], Some(7)),
        (vec![held(0, 9, 6), held(1, 8, 7), marker(2, 8, Abort), marker(3, 9, Commit)], Some(6)),
        // A marker without anything held.
        (vec![plain(0, 5), marker(1, 9, Commit)], Some(5)),
    ] {
        assert_eq!(loaded(&batches).fetch("orders", 0), Ok(offset));
    }
}

#[test]
fn a_tombstone_takes_what_transactions_hold() {
    let mut builder = BatchBuilder::new(1);
    builder.append(0, Some(&commit_record("g", 0, 0).0), None);
    let bench = loaded(&[held(0, 9, 6), builder.build(), marker(2, 9, ControlType::Commit)]);
    assert_eq!(bench.fetch("orders", 0), Ok(None));
}

#[test]
fn offsets_under_an_open_transaction_do_not_expire_and_keep_their_group() {
    let mut bench = loaded(&[plain(0, 5), held(1, 9, 6)]);
    bench.run(|shard, now, out| shard.loaded(now, out));
    bench.pass(8 * 24 * 60 * 60 * 1000);
    assert_eq!(bench.fetch("orders", 0), Err(GroupError::UnstableOffset));
    bench.replay(&marker(2, 9, ControlType::Commit));
    bench.pass(600_000);
    assert_eq!(bench.fetch("orders", 0), Ok(None));
}

#[test]
fn a_loaded_group_goes_on_where_it_was() {
    let mut bench = Bench::new();
    let (first, second) = bench.stable_pair();
    bench.commit(&commit_request(&first, 1, &[("orders", 0, 5)]));
    let mut bench = bench.reloaded();
    assert!(bench.said("Loaded classic group g with 2 members."));
    assert_eq!((bench.heartbeat(&first, 1), bench.heartbeat(&second, 1)), (Ok(()), Ok(())));
    let sync = bench.sync(&second, 1, &[]);
    assert_eq!(&bench.synced(sync).assignment[..], b"two");
    bench.pass(10_000);
    assert_eq!(bench.group().state, GroupState::Empty, "sessions run from the load on");
}

#[test]
fn a_loaded_group_that_is_too_large_rebalances() {
    let mut bench = Bench::new();
    bench.stable_pair();
    bench.run(|shard, _, _| shard.settings.max_size = 1);
    assert_eq!(bench.reloaded().group().state, GroupState::PreparingRebalance);
}

#[test]
fn a_record_that_cannot_be_read_ends_the_load() {
    let mut builder = BatchBuilder::new(7);
    builder.append(0, Some(b"\0\x01\0\x01g"), Some(b"\0\0"));
    let batch = builder.build();
    let mut bench = Bench::new();
    let error = bench.try_replay(&batch).unwrap_err();
    assert!(error.to_string().starts_with("the record at offset 7 cannot be read"), "{error}");
}

#[test]
fn a_record_of_a_later_kafka_is_passed_over() {
    let mut builder = BatchBuilder::new(0);
    builder.append(0, Some(b"\0\x63"), Some(b"\0\0"));
    let bench = loaded(&[builder.build()]);
    assert_eq!(bench.log_events, [LogEvent::UnknownRecordType { record_type: 99 }]);
}

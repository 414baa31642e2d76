//! Idempotence and transactions as a log sees them: duplicates, gaps, epochs, markers, restarts.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod support;

use bytes::Bytes;
use protocol::batch::{BatchBuilder, ControlType, NO_SEQUENCE};
use storage::{
    AppendError, AppendOrigin, Appended, Log, LogConfig, OpenOptions, TransactionTerms,
    VerificationGuard,
};
use support::{in_memory, sequenced};

const NOW: i64 = 10_000;

fn open_with(dir: &std::path::Path, verify_transactions: bool, clean_shutdown: bool) -> Log {
    let options = OpenOptions { now_ms: NOW, clean_shutdown, ..OpenOptions::default() };
    let config = LogConfig { verify_transactions, ..LogConfig::default() };
    Log::open(&dir.join("t-0"), config, options).unwrap()
}

fn append(log: &mut Log, records: &Bytes) -> Result<Appended, AppendError> {
    log.append_as_leader(records, 0, NOW, AppendOrigin::Client)
}

fn verified_by(guard: VerificationGuard) -> TransactionTerms {
    TransactionTerms { guard, ..TransactionTerms::default() }
}

fn transactional(producer_id: i64, epoch: i16, sequence: i32, values: &[&str]) -> Bytes {
    let mut builder = BatchBuilder::new(0).producer(producer_id, epoch, sequence).transactional();
    for value in values {
        builder.append(1000, None, Some(value.as_bytes()));
    }
    builder.build()
}

fn end(
    log: &mut Log,
    pid: i64,
    epoch: i16,
    kind: ControlType,
    coordinator: u8,
) -> Result<Appended, AppendError> {
    let mut builder = BatchBuilder::new(0).producer(pid, epoch, NO_SEQUENCE).transactional();
    builder.append_control(1000, kind, &[0, 0, 0, 0, 0, coordinator]);
    log.append_as_leader(&builder.build(), 0, NOW, AppendOrigin::Coordinator)
}

/// What becomes of an append: base offset, `dup` and base offset, or the refusal.
fn outcome(result: Result<Appended, AppendError>) -> String {
    match result {
        Ok(appended) if appended.duplicate => format!("dup {}", appended.base_offset),
        Ok(appended) => appended.base_offset.to_string(),
        Err(AppendError::OutOfOrderSequence { .. }) => "out of order".to_owned(),
        Err(AppendError::InvalidProducerEpoch { .. }) => "old epoch".to_owned(),
        Err(AppendError::InvalidTransactionState { .. }) => "no transaction".to_owned(),
        Err(AppendError::CoordinatorFenced { .. }) => "fenced".to_owned(),
        Err(error) => panic!("{error}"),
    }
}

#[test]
fn sequences_are_judged_as_kafka_judges_them() {
    let dir = in_memory();
    let mut log = open_with(dir.path(), true, false);
    // (epoch, first sequence, records) -> outcome. Kafka 4.1 takes any first sequence of a producer
    // that it does not know; a new epoch begins at 0.
    for (step, (epoch, sequence, count, expected)) in [
        (0, 7, 1, "0"),
        (0, 8, 2, "1"),
        (0, 8, 2, "dup 1"),
        (0, 8, 1, "out of order"),
        (0, 11, 1, "out of order"),
        (0, 10, 1, "3"),
        (0, 11, 1, "4"),
        (0, 12, 1, "5"),
        (0, 13, 1, "6"),
        (0, 8, 2, "dup 1"),
        (0, 14, 1, "7"),
        (0, 8, 2, "out of order"),
        (0, 10, 1, "dup 3"),
        (1, 15, 1, "out of order"),
        (1, 0, 1, "8"),
        (0, 15, 1, "old epoch"),
        (1, 0, 1, "dup 8"),
        (1, 1, 1, "9"),
    ]
    .into_iter()
    .enumerate()
    {
        let values = vec!["v"; count];
        let result = append(&mut log, &sequenced(1, epoch, sequence, &values));
        assert_eq!(outcome(result), expected, "step {step}");
    }
}

#[test]
fn sequences_wrap_from_the_largest_to_zero() {
    let dir = in_memory();
    let mut log = open_with(dir.path(), true, false);
    assert_eq!(outcome(append(&mut log, &sequenced(1, 0, i32::MAX - 1, &["a", "b", "c"]))), "0");
    assert_eq!(outcome(append(&mut log, &sequenced(1, 0, 1, &["d"]))), "3");
    assert_eq!(
        outcome(append(&mut log, &sequenced(1, 0, i32::MAX - 1, &["a", "b", "c"]))),
        "dup 0"
    );
    assert_eq!(outcome(append(&mut log, &sequenced(2, 0, i32::MAX, &["a"]))), "4");
    assert_eq!(outcome(append(&mut log, &sequenced(2, 0, 0, &["b"]))), "5");
}

#[test]
fn the_window_outlives_a_restart_and_what_expired_does_not() {
    let dir = in_memory();
    let mut log = open_with(dir.path(), true, false);
    for sequence in 0..3 {
        append(&mut log, &sequenced(1, 0, sequence, &["v"])).unwrap();
    }
    log.close(NOW).unwrap();
    // A snapshot keeps the last batch of each producer.
    let mut log = open_with(dir.path(), true, true);
    assert_eq!(outcome(append(&mut log, &sequenced(1, 0, 2, &["v"]))), "dup 2");
    assert_eq!(outcome(append(&mut log, &sequenced(1, 0, 4, &["v"]))), "out of order");
    drop(log);
    // A replay keeps five.
    std::fs::remove_file(dir.path().join("t-0/00000000000000000003.snapshot")).unwrap();
    let mut log = open_with(dir.path(), true, false);
    assert_eq!(outcome(append(&mut log, &sequenced(1, 0, 0, &["v"]))), "dup 0");
    log.expire_producers(48 * 3_600_000, NOW + 24 * 3_600_000);
    assert_eq!(log.producers().len(), 1);
    log.expire_producers(24 * 3_600_000, NOW + 24 * 3_600_000);
    assert!(log.producers().is_empty());
    assert_eq!(outcome(append(&mut log, &sequenced(1, 0, 9, &["v"]))), "3");
}

#[test]
fn a_transaction_holds_the_stable_offset_until_its_marker_is_committed() {
    let dir = in_memory();
    let mut log = open_with(dir.path(), false, false);
    append(&mut log, &sequenced(9, 0, 0, &["plain"])).unwrap();
    append(&mut log, &transactional(1, 0, 0, &["a", "b"])).unwrap();
    append(&mut log, &transactional(2, 0, 0, &["c"])).unwrap();
    assert_eq!(log.last_stable_offset(4), 1);
    assert_eq!(log.producers().iter().filter(|p| p.transaction_start_offset >= 0).count(), 2);
    end(&mut log, 1, 0, ControlType::Abort, 7).unwrap();
    assert_eq!((log.last_stable_offset(4), log.last_stable_offset(5)), (1, 3));
    end(&mut log, 2, 0, ControlType::Commit, 7).unwrap();
    log.high_watermark_moved(6);
    assert_eq!(log.last_stable_offset(6), 6);
    let aborted = log.aborted_transactions(0, 6).unwrap();
    assert_eq!(aborted.len(), 1);
    assert_eq!((aborted[0].producer_id, aborted[0].first_offset), (1, 1));
    assert_eq!((aborted[0].last_offset, aborted[0].last_stable_offset), (4, 3));
    assert!(log.aborted_transactions(5, 6).unwrap().is_empty());
    assert_eq!(outcome(end(&mut log, 1, 0, ControlType::Commit, 6)), "fenced");
    assert_eq!(outcome(end(&mut log, 1, -1, ControlType::Commit, 7)), "old epoch");
    drop(log);
    let log = open_with(dir.path(), false, false);
    assert_eq!(log.aborted_transactions(0, 6).unwrap(), aborted);
    assert_eq!(log.last_stable_offset(6), 6);
}

#[test]
fn a_plain_record_inside_a_transaction_is_refused() {
    let dir = in_memory();
    let mut log = open_with(dir.path(), false, false);
    append(&mut log, &transactional(1, 0, 0, &["a"])).unwrap();
    assert_eq!(outcome(append(&mut log, &sequenced(1, 0, 1, &["b"]))), "no transaction");
    assert_eq!(log.log_end_offset(), 1);
}

#[test]
fn the_first_records_of_a_transaction_need_the_coordinators_word() {
    let dir = in_memory();
    let mut log = open_with(dir.path(), true, false);
    let records = transactional(1, 0, 0, &["a"]);
    assert_eq!(outcome(append(&mut log, &records)), "no transaction");
    let guard = log.begin_verification(1, 0, 0, true, NOW).unwrap();
    assert_ne!(guard, VerificationGuard::NONE);
    let client = AppendOrigin::Client;
    let verified = log.append_in_transaction(&records, 0, NOW, client, verified_by(guard));
    assert_eq!(outcome(verified), "0");
    // The transaction is known now, and the guard has served.
    assert_eq!(outcome(append(&mut log, &transactional(1, 0, 1, &["b"]))), "1");
    assert_eq!(log.begin_verification(1, 2, 0, true, NOW).unwrap(), VerificationGuard::NONE);
    end(&mut log, 1, 0, ControlType::Commit, 1).unwrap();
    let late = transactional(1, 0, 2, &["c"]);
    let late = log.append_in_transaction(&late, 0, NOW, client, verified_by(guard));
    assert_eq!(outcome(late), "no transaction");
}

#[test]
fn a_transaction_in_an_epoch_of_its_own_is_ended_by_a_later_one_only() {
    let dir = in_memory();
    let mut log = open_with(dir.path(), false, false);
    let end_at = |log: &mut Log, epoch: i16, version: i8| {
        let mut builder = BatchBuilder::new(0).producer(1, epoch, NO_SEQUENCE).transactional();
        builder.append_control(1000, ControlType::Commit, &[0, 0, 0, 0, 0, 1]);
        let terms = TransactionTerms { version, ..TransactionTerms::default() };
        let origin = AppendOrigin::Coordinator;
        outcome(log.append_in_transaction(&builder.build(), 0, NOW, origin, terms))
    };
    append(&mut log, &transactional(1, 3, 0, &["a"])).unwrap();
    // A marker of the transaction before, late.
    assert_eq!(end_at(&mut log, 3, 2), "old epoch");
    assert_eq!(end_at(&mut log, 2, 0), "old epoch");
    assert_eq!(end_at(&mut log, 4, 2), "1");
    // Once more, by a coordinator that has not heard of the first.
    assert_eq!(end_at(&mut log, 4, 2), "2");
    append(&mut log, &transactional(1, 5, 0, &["b"])).unwrap();
    assert_eq!(end_at(&mut log, 5, 1), "4", "an older coordinator ends it in its own epoch");
    append(&mut log, &transactional(1, i16::MAX, 0, &["c"])).unwrap();
    assert_eq!(end_at(&mut log, i16::MAX, 2), "6", "there is no later one");
}

#[test]
fn an_epoch_that_is_over_is_told_before_a_wrong_state() {
    let dir = in_memory();
    let mut log = open_with(dir.path(), true, false);
    end(&mut log, 1, 5, ControlType::Abort, 1).unwrap();
    assert_eq!(outcome(append(&mut log, &transactional(1, 4, 0, &["a"]))), "old epoch");
    assert_eq!(outcome(append(&mut log, &transactional(1, 5, 0, &["a"]))), "no transaction");
}

#[test]
fn what_a_new_leader_appended_ends_a_verification() {
    let (leader_dir, dir) = (in_memory(), in_memory());
    let mut leader = open_with(leader_dir.path(), false, false);
    append(&mut leader, &transactional(1, 0, 0, &["a"])).unwrap();
    end(&mut leader, 1, 0, ControlType::Abort, 1).unwrap();
    let fetched = leader.reader().read(0, 1 << 20, 2, true).unwrap().slices[0].clone();
    let mut log = open_with(dir.path(), true, false);
    let guard = log.begin_verification(1, 0, 0, false, NOW).unwrap();
    log.append_as_follower(&fetched, 0, NOW).unwrap();
    let late = transactional(1, 0, 1, &["b"]);
    let late = log.append_in_transaction(&late, 0, NOW, AppendOrigin::Client, verified_by(guard));
    assert_eq!(outcome(late), "no transaction");
}

#[test]
fn followers_take_what_their_leader_took_and_no_later_epoch() {
    let (leader_dir, follower_dir) = (in_memory(), in_memory());
    let mut leader = open_with(leader_dir.path(), false, false);
    append(&mut leader, &transactional(1, 0, 0, &["a"])).unwrap();
    end(&mut leader, 1, 0, ControlType::Abort, 1).unwrap();
    leader.append_as_leader(&sequenced(2, 0, 0, &["b"]), 5, NOW, AppendOrigin::Client).unwrap();
    let fetched = leader.reader().read(0, 1 << 20, 3, true).unwrap().slices[0].clone();
    let mut follower = open_with(follower_dir.path(), false, false);
    let appended = follower.append_as_follower(&fetched, 4, NOW).unwrap();
    assert_eq!((appended.base_offset, appended.last_offset), (0, 1));
    let rest = leader.reader().read(2, 1 << 20, 3, true).unwrap().slices[0].clone();
    follower.append_as_follower(&rest, 5, NOW).unwrap();
    assert_eq!(support::contents(&follower), support::contents(&leader));
    assert_eq!(follower.leader_epochs(), leader.leader_epochs());
    assert_eq!(follower.aborted_transactions(0, 3).unwrap().len(), 1);
    assert!(matches!(
        follower.append_as_follower(&fetched, 5, NOW),
        Err(AppendError::UnexpectedOffset { offered: 0, log_end_offset: 3 })
    ));
}

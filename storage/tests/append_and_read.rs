//! The everyday life of a log: append, read, flush, roll, cut, reopen.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod support;

use protocol::batch::BatchView;
use storage::{AppendOrigin, Log, LogConfig, OpenOptions, ReadError};
use support::{batch, contents, open, small_segments};

#[test]
fn what_is_appended_is_read_back_with_offsets_and_epoch_assigned() {
    let dir = tempfile::tempdir().unwrap();
    let mut log = open(dir.path(), LogConfig::default(), false);
    for number in 0..3 {
        let records = batch(&["a", "b"]);
        let appended = log.append_as_leader(&records, 7, 1000, AppendOrigin::Client).unwrap();
        assert_eq!((appended.base_offset, appended.last_offset), (number * 2, number * 2 + 1));
        assert!(!appended.duplicate);
    }
    let read = log.reader().read(3, 1 << 20, i64::MAX, true).unwrap();
    assert_eq!(read.base_offset, 2);
    let batch = BatchView::parse(&read.slices[0]).unwrap();
    batch.verify_crc().unwrap();
    assert_eq!((batch.base_offset(), batch.partition_leader_epoch()), (2, 7));
    assert_eq!(log.end_offset_for_epoch(7), Some((7, 6)));
}

#[test]
fn reads_stop_at_the_upper_offset_and_at_the_limit_but_for_the_first_batch() {
    let dir = tempfile::tempdir().unwrap();
    let mut log = open(dir.path(), LogConfig::default(), false);
    let records = batch(&["value"]);
    for _ in 0..10 {
        log.append_as_leader(&records, 0, 0, AppendOrigin::Client).unwrap();
    }
    let reader = log.reader();
    let size = records.len();
    for (from, max, upper, min_one, expected) in [
        (0, usize::MAX >> 1, 10, false, 10 * size),
        (0, usize::MAX >> 1, 4, false, 4 * size),
        (2, usize::MAX >> 1, 4, false, 2 * size),
        (4, usize::MAX >> 1, 4, true, 0),
        (0, 10, 10, true, size),
        (0, 10, 10, false, 10),
        (0, 0, 10, false, 0),
        (10, 100, 20, true, 0),
    ] {
        let read = reader.read(from, max, upper, min_one).unwrap();
        assert_eq!(read.size_bytes, expected, "{from} {max} {upper} {min_one}");
    }
    let outside = reader.read(11, 1, 20, true);
    assert!(matches!(outside, Err(ReadError::OffsetOutOfRange { requested: 11, .. })));
}

#[test]
fn a_plan_says_whether_its_first_batch_is_whole() {
    let dir = tempfile::tempdir().unwrap();
    let mut log = open(dir.path(), LogConfig::default(), true);
    let one = batch(&["a value of some length"]);
    log.append_as_leader(&one, 1, 1000, AppendOrigin::Client).unwrap();
    let plan = |max_bytes, min_one| log.reader().plan(0, max_bytes, i64::MAX, min_one).unwrap();
    assert!(plan(one.len(), false).unwrap().holds_a_batch());
    assert!(!plan(one.len() - 1, false).unwrap().holds_a_batch());
    assert!(plan(1, true).unwrap().holds_a_batch());
}

#[test]
fn a_read_says_below_which_offset_all_its_records_lie() {
    let dir = tempfile::tempdir().unwrap();
    let config = LogConfig { index_interval_bytes: 100, ..LogConfig::default() };
    let mut log = open(dir.path(), config, false);
    for _ in 0..40 {
        log.append_as_leader(&batch(&["value"]), 0, 0, AppendOrigin::Client).unwrap();
    }
    for max_bytes in [1, 200, 1000, 100_000] {
        for from in [0, 7, 20, 39] {
            let read = log.reader().read(from, max_bytes, 40, true).unwrap();
            let last = protocol::batch::batches(&read.slices[0]).last().unwrap().unwrap();
            assert!(read.upper_offset > last.last_offset(), "{from} {max_bytes}");
            let slack = read.upper_offset - last.last_offset();
            assert!(slack <= 5, "{from} {max_bytes} {slack}");
        }
    }
}

#[test]
fn a_log_reopens_as_it_was_after_a_clean_and_after_an_unclean_stop() {
    for clean in [true, false] {
        let dir = tempfile::tempdir().unwrap();
        let mut log = open(dir.path(), small_segments(), false);
        for number in 0..200 {
            let value = format!("value {number}");
            let records = batch(&[&value, "x"]);
            log.append_as_leader(
                &records,
                number / 50,
                5 + i64::from(number),
                AppendOrigin::Client,
            )
            .unwrap();
        }
        assert!(log.segment_count() > 3);
        let (before, epochs) = (contents(&log), log.leader_epochs().to_vec());
        if clean {
            log.close(1000).unwrap();
        } else {
            drop(log);
        }
        let log = open(dir.path(), small_segments(), clean);
        assert_eq!(log.log_end_offset(), 400);
        assert_eq!(contents(&log), before);
        assert_eq!(log.leader_epochs(), epochs);
    }
}

#[test]
fn truncation_drops_whole_batches_and_the_log_goes_on_from_there() {
    let dir = tempfile::tempdir().unwrap();
    let mut log = open(dir.path(), small_segments(), false);
    for number in 0..100 {
        let records = batch(&["one", "two"]);
        log.append_as_leader(&records, number, 0, AppendOrigin::Client).unwrap();
    }
    assert!(log.truncate_to(51, 0).unwrap());
    assert_eq!(log.log_end_offset(), 51);
    assert!(!log.truncate_to(60, 0).unwrap());
    let appended = log.append_as_leader(&batch(&["new"]), 200, 0, AppendOrigin::Client).unwrap();
    assert_eq!(appended.base_offset, 51);
    assert_eq!(log.latest_epoch(), Some(200));
}

#[test]
fn a_slice_keeps_its_bytes_while_the_log_is_cut_and_written_anew() {
    let dir = tempfile::tempdir().unwrap();
    let mut log = open(dir.path(), LogConfig::default(), false);
    for _ in 0..20 {
        log.append_as_leader(&batch(&["before"]), 0, 0, AppendOrigin::Client).unwrap();
    }
    let held = log.reader().read(0, 1 << 20, 20, true).unwrap();
    let copy = held.slices[0].to_vec();
    log.truncate_to(5, 0).unwrap();
    for _ in 0..20 {
        log.append_as_leader(&batch(&["after the cut"]), 1, 0, AppendOrigin::Client).unwrap();
    }
    assert_eq!(held.slices[0], copy);
    drop(held);
    log.truncate_to(5, 0).unwrap();
    assert_eq!(log.reader().read(0, 1 << 20, 20, true).unwrap().slices[0], copy[..copy.len() / 4]);
}

#[test]
fn an_empty_directory_is_a_log_that_begins_where_it_is_told() {
    let dir = tempfile::tempdir().unwrap();
    let options = OpenOptions { log_start_offset: 42, ..OpenOptions::default() };
    let log = Log::open(&dir.path().join("t-0"), LogConfig::default(), options).unwrap();
    assert_eq!((log.log_start_offset(), log.log_end_offset()), (42, 42));
    let mut names: Vec<_> = std::fs::read_dir(dir.path().join("t-0"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    assert_eq!(
        names,
        [
            "00000000000000000042.index",
            "00000000000000000042.log",
            "00000000000000000042.timeindex",
            "leader-epoch-checkpoint",
        ]
    );
}

//! When segments begin, and when they go.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod support;

use bytes::Bytes;
use protocol::batch::BatchBuilder;
use storage::{AppendOrigin, CleanupPolicy, Log, LogConfig, OpenOptions};
use support::{contents, in_memory};

const HOUR_MS: i64 = 3_600_000;

fn open(dir: &std::path::Path, config: LogConfig, jitter_draw: u64) -> Log {
    let options = OpenOptions { jitter_draw, ..OpenOptions::default() };
    let config = LogConfig { timestamp_after_max_ms: i64::MAX, ..config };
    Log::open(&dir.join("t-0"), config, options).unwrap()
}

fn at(timestamp: i64, bytes: usize) -> Bytes {
    let mut builder = BatchBuilder::new(0);
    builder.append(timestamp, None, Some(&vec![b'v'; bytes]));
    builder.build()
}

fn append(log: &mut Log, timestamp: i64, bytes: usize, now_ms: i64) {
    let records = at(timestamp, bytes);
    log.append_as_leader(&records, 0, now_ms, AppendOrigin::Client).unwrap();
}

#[test]
fn a_segment_ends_when_the_next_batch_would_not_fit() {
    let dir = in_memory();
    let size = at(0, 100).len() as u32;
    let config = LogConfig { segment_bytes: 3 * size, ..LogConfig::default() };
    let mut log = open(dir.path(), config, 0);
    for _ in 0..7 {
        append(&mut log, 0, 100, 0);
    }
    assert_eq!(log.segment_offsets(), [0, 3, 6]);
}

#[test]
fn a_segment_ends_when_its_records_span_segment_ms_or_it_waited_that_long_for_some() {
    let dir = in_memory();
    let config = LogConfig { segment_ms: HOUR_MS, ..LogConfig::default() };
    let mut log = open(dir.path(), config.clone(), 0);
    for (timestamp, now_ms) in
        [(0, 0), (HOUR_MS, 9 * HOUR_MS), (HOUR_MS + 1, 0), (5 * HOUR_MS, 0), (5 * HOUR_MS, 0)]
    {
        append(&mut log, timestamp, 10, now_ms);
    }
    assert_eq!(log.segment_offsets(), [0, 2, 3]);
    // Without timestamps it is the wall clock that counts.
    let dir = in_memory();
    let mut log = open(dir.path(), config, 0);
    for now_ms in [0, HOUR_MS, HOUR_MS + 1, HOUR_MS + 2] {
        append(&mut log, -1, 10, now_ms);
    }
    assert_eq!(log.segment_offsets(), [0, 2]);
}

#[test]
fn jitter_ends_segments_earlier_and_not_all_at_once() {
    let config =
        LogConfig { segment_ms: HOUR_MS, segment_jitter_ms: HOUR_MS, ..LogConfig::default() };
    let mut rolled = Vec::new();
    for draw in 0..30 {
        let dir = in_memory();
        let mut log = open(dir.path(), config.clone(), draw);
        let first = (1..=61).find(|minute| {
            append(&mut log, 0, 1, 0);
            append(&mut log, minute * 60_000, 1, 0);
            let has_rolled = log.segment_count() > 1;
            if !has_rolled {
                log.truncate_to(0, 0).unwrap();
            }
            has_rolled
        });
        rolled.push(first.unwrap());
    }
    rolled.sort_unstable();
    rolled.dedup();
    assert!(rolled.len() > 10, "{rolled:?}");
}

#[test]
fn a_segment_ends_when_an_index_is_full() {
    let dir = in_memory();
    let config =
        LogConfig { segment_index_bytes: 36, index_interval_bytes: 0, ..LogConfig::default() };
    let mut log = open(dir.path(), config, 0);
    for timestamp in 0..12 {
        append(&mut log, timestamp, 10, 0);
    }
    // Three time entries fit, of which one is kept free for the end: as Kafka rolls.
    assert_eq!(log.segment_offsets(), [0, 3, 6, 9]);
}

#[test]
fn offsets_too_far_apart_for_an_index_part_segments() {
    let dir = in_memory();
    let mut log = open(dir.path(), LogConfig::default(), 0);
    for base in [0, 1 << 30, (1 << 31) - 1, 1 << 31, 1 << 33] {
        let mut builder = BatchBuilder::new(base);
        builder.append(0, None, None);
        log.append_as_follower(&builder.build(), 0, 0).unwrap();
    }
    assert_eq!(log.segment_offsets(), [0, 1 << 31, 1 << 33]);
    let offsets: Vec<i64> = contents(&log).iter().map(|row| row.0).collect();
    assert_eq!(offsets, [0, 1 << 30, (1 << 31) - 1, 1 << 31, 1 << 33]);
}

fn four_segments(config: LogConfig) -> (tempfile::TempDir, Log) {
    let dir = in_memory();
    let mut log = open(dir.path(), config, 0);
    for segment in 0..4 {
        append(&mut log, segment * HOUR_MS, 100, 0);
        append(&mut log, segment * HOUR_MS + 5, 100, 0);
        if segment < 3 {
            log.roll(0).unwrap();
        }
    }
    assert_eq!(log.segment_offsets(), [0, 2, 4, 6]);
    (dir, log)
}

#[test]
fn segments_go_by_age_once_they_are_committed() {
    let config = LogConfig { retention_ms: HOUR_MS, ..LogConfig::default() };
    let (_dir, mut log) = four_segments(config);
    let now_ms = 2 * HOUR_MS + 6;
    assert_eq!(log.delete_old_segments(now_ms).unwrap(), 0);
    log.high_watermark_moved(3);
    assert_eq!(log.delete_old_segments(now_ms).unwrap(), 1);
    log.high_watermark_moved(8);
    assert_eq!(log.delete_old_segments(now_ms).unwrap(), 1);
    assert_eq!((log.segment_offsets(), log.log_start_offset()), (vec![4, 6], 4));
    // All of it: what is written next goes to a new segment at the same offset.
    assert_eq!(log.delete_old_segments(100 * HOUR_MS).unwrap(), 2);
    assert_eq!((log.segment_offsets(), log.log_start_offset()), (vec![8], 8));
    append(&mut log, 0, 10, 0);
    assert_eq!(log.log_end_offset(), 9);
}

#[test]
fn segments_go_by_size_down_to_no_less_than_what_is_retained() {
    let (_dir, mut log) = four_segments(LogConfig::default());
    let segment = log.size_bytes() / 4;
    log.high_watermark_moved(8);
    let retained = i64::try_from(2 * segment + 1).unwrap();
    log.set_config(LogConfig {
        retention_bytes: retained,
        retention_ms: -1,
        ..LogConfig::default()
    });
    assert_eq!(log.delete_old_segments(0).unwrap(), 1);
    log.set_config(LogConfig { retention_bytes: 0, retention_ms: -1, ..LogConfig::default() });
    assert_eq!(log.delete_old_segments(0).unwrap(), 3);
    assert_eq!(log.size_bytes(), 0);
}

#[test]
fn a_compacted_topic_is_left_whole_but_for_what_lies_below_its_start() {
    let (_dir, mut log) = four_segments(LogConfig::default());
    log.set_config(LogConfig {
        cleanup: CleanupPolicy { delete: false, compact: true },
        retention_ms: 1,
        retention_bytes: 0,
        ..LogConfig::default()
    });
    log.high_watermark_moved(8);
    assert_eq!(log.delete_old_segments(100 * HOUR_MS).unwrap(), 0);
    log.delete_records_before(5).unwrap();
    assert_eq!(log.delete_old_segments(100 * HOUR_MS).unwrap(), 2);
    assert_eq!((log.segment_offsets(), log.log_start_offset()), (vec![4, 6], 5));
}

#[test]
fn deleted_records_are_gone_at_once_and_their_epochs_with_them() {
    let (_dir, mut log) = four_segments(LogConfig::default());
    log.high_watermark_moved(6);
    assert!(log.delete_records_before(7).is_err());
    log.delete_records_before(3).unwrap();
    let offsets: Vec<i64> = contents(&log).iter().map(|row| row.0).collect();
    assert_eq!(offsets, [3, 4, 5, 6, 7]);
    assert!(log.reader().read(2, 100, 8, true).is_err());
    assert_eq!(log.leader_epochs()[0].start_offset, 3);
    assert_eq!(log.offset_for_timestamp(0).unwrap().unwrap().offset, 3);
}

#[test]
fn deleted_records_that_are_there_again_after_a_kill_have_their_epochs_again() {
    let dir = in_memory();
    let mut log = open(dir.path(), LogConfig::default(), 0);
    for epoch in [1, 2, 5] {
        log.append_as_leader(&at(0, 10), epoch, 0, AppendOrigin::Client).unwrap();
        log.append_as_leader(&at(0, 10), epoch, 0, AppendOrigin::Client).unwrap();
    }
    log.high_watermark_moved(6);
    log.delete_records_before(4).unwrap();
    assert_eq!(log.end_offset_for_epoch(1), Some((1, 4)));
    drop(log);
    let mut log = open(dir.path(), LogConfig::default(), 0);
    let epochs: Vec<_> = log.leader_epochs().iter().map(|e| (e.epoch, e.start_offset)).collect();
    assert_eq!((log.log_start_offset(), epochs), (0, vec![(1, 0), (2, 2), (5, 4)]));
    assert_eq!(log.end_offset_for_epoch(1), Some((1, 2)));
    // A start within the first batch that is left is not one before it.
    log.high_watermark_moved(6);
    log.delete_records_before(1).unwrap();
    assert_eq!(log.leader_epochs()[0].start_offset, 1);
}

#[test]
fn files_of_deleted_segments_keep_their_delay() {
    let (dir, mut log) =
        four_segments(LogConfig { file_delete_delay_ms: 60, ..LogConfig::default() });
    log.high_watermark_moved(8);
    log.delete_records_before(2).unwrap();
    assert_eq!(log.delete_old_segments(1000).unwrap(), 1);
    let deleted = || {
        let names = std::fs::read_dir(dir.path().join("t-0")).unwrap();
        names.filter(|e| e.as_ref().unwrap().path().to_string_lossy().ends_with(".deleted")).count()
    };
    assert_eq!(deleted(), 3);
    log.remove_doomed(1059).unwrap();
    assert_eq!(deleted(), 3);
    log.remove_doomed(1060).unwrap();
    assert_eq!(deleted(), 0);
}

#[test]
fn complete_segments_are_flushed_without_being_asked() {
    let (_dir, mut log) = four_segments(LogConfig::default());
    assert!(!log.flush_is_due(i64::MAX - 1));
    let ticket = log.begin_due_flush(0).unwrap().unwrap();
    log.end_flush(ticket.run()).unwrap();
    assert_eq!((log.recovery_point(), log.log_end_offset()), (6, 8));
    assert!(log.begin_due_flush(0).unwrap().is_none());
}

#[test]
fn a_flush_is_asked_for_by_messages_and_by_time_and_moves_the_recovery_point() {
    let dir = in_memory();
    let config = LogConfig { flush_messages: 3, flush_ms: 100, ..LogConfig::default() };
    let mut log = open(dir.path(), config, 0);
    let must_flush: Vec<bool> = (0..3)
        .map(|_| log.append_as_leader(&at(0, 1), 0, 0, AppendOrigin::Client).unwrap().must_flush)
        .collect();
    assert_eq!(must_flush, [false, false, true]);
    let ticket = log.begin_flush(7).unwrap().unwrap();
    append(&mut log, 0, 1, 7);
    log.end_flush(ticket.run()).unwrap();
    assert_eq!(log.recovery_point(), 3);
    assert!(!log.flush_is_due(106) && log.flush_is_due(107));
    log.flush(200).unwrap();
    assert_eq!(log.recovery_point(), 4);
    assert!(!log.flush_is_due(10_000) && log.begin_flush(0).unwrap().is_none());
}

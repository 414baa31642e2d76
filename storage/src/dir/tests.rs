//! The directory's own files: names, marker, lock, checkpoints, deletion.

use bytes::Bytes;
use protocol::batch::BatchBuilder;

use super::*;
use crate::AppendOrigin;

fn options() -> LogDirOptions {
    LogDirOptions {
        producer_expiration_ms: 86_400_000,
        disk: Disk::default(),
        open_files: Arc::new(OpenFiles::new(100)),
    }
}

fn open(path: &Path) -> LogDir {
    LogDir::open(path, options()).unwrap()
}

#[test]
fn directory_names_are_read_as_kafka_reads_them() {
    for (name, expected) in [
        ("orders-0", Some(("orders", 0, DirKind::Live))),
        ("a-b-12", Some(("a-b", 12, DirKind::Live))),
        ("my.topic-3", Some(("my.topic", 3, DirKind::Live))),
        ("orders-0.7ca2c8f4-delete", Some(("orders", 0, DirKind::Deleted))),
        ("my.topic-3.77-stray", Some(("my.topic", 3, DirKind::Stray))),
        ("my.topic-3.77-future", Some(("my.topic", 3, DirKind::Future))),
        ("lost+found", None),
        ("-1", None),
        ("orders-x", None),
    ] {
        let expected = expected.map(|(topic, number, kind)| (topic.to_owned(), number, kind));
        assert_eq!(entry::parse(name), expected, "{name}");
    }
}

#[test]
fn a_name_put_aside_reads_back_and_fits_a_file_system() {
    let long = format!("{}-7", "t".repeat(249));
    let name = entry::aside_name(&long, DirKind::Deleted, Uuid::from_u128(5));
    assert_eq!(name.len(), 255);
    assert!(name.ends_with("-7.00000000000000000000000000000005-delete"));
    assert_eq!(entry::parse(&name).map(|(_, n, kind)| (n, kind)), Some((7, DirKind::Deleted)));
}

#[test]
fn a_clean_shutdown_is_known_once_with_its_epoch() {
    let dir = tempfile::tempdir().unwrap();
    let log_dir = open(dir.path());
    assert!(!log_dir.had_clean_shutdown());
    log_dir.mark_clean_shutdown(17).unwrap();
    let marker = std::fs::read_to_string(dir.path().join(".kafka_cleanshutdown")).unwrap();
    assert_eq!(marker, r#"{"version":0,"brokerEpoch":17}"#);
    drop(log_dir);
    let log_dir = open(dir.path());
    assert_eq!((log_dir.had_clean_shutdown(), log_dir.previous_broker_epoch()), (true, Some(17)));
    drop(log_dir);
    assert!(!open(dir.path()).had_clean_shutdown());
    std::fs::write(dir.path().join(".kafka_cleanshutdown"), "").unwrap();
    let log_dir = open(dir.path());
    assert_eq!((log_dir.had_clean_shutdown(), log_dir.previous_broker_epoch()), (true, None));
}

#[test]
fn a_second_owner_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let first = open(dir.path());
    assert!(matches!(LogDir::open(dir.path(), options()), Err(StorageError::Locked { .. })));
    drop(first);
    open(dir.path());
}

#[test]
fn checkpoints_are_given_to_the_logs_they_name_and_garbled_ones_to_none() {
    let dir = tempfile::tempdir().unwrap();
    let at = |offset| OffsetEntry { topic: "t".into(), partition: 1, offset };
    let log_dir = open(dir.path());
    log_dir.write_recovery_points(&[at(5)]).unwrap();
    log_dir.write_log_starts(&[at(6)]).unwrap();
    log_dir.write_high_watermarks(&[at(7)]).unwrap();
    drop(log_dir);
    let log_dir = open(dir.path());
    assert_eq!((log_dir.recovery_point("t", 1), log_dir.log_start("t", 1)), (5, 6));
    assert_eq!((log_dir.high_watermark("t", 1), log_dir.high_watermark("t", 0)), (7, 0));
    drop(log_dir);
    std::fs::write(dir.path().join(RECOVERY_POINTS), "0\n1\nt 1").unwrap();
    assert_eq!(open(dir.path()).recovery_point("t", 1), 0);
}

#[test]
fn a_log_is_found_with_its_topic_id_and_gone_once_retired() {
    let dir = tempfile::tempdir().unwrap();
    let log_dir = open(dir.path());
    let id = Uuid::from_u128(0x1234_5678);
    let log = log_dir.open_log("t", 2, Some(id), LogConfig::default(), 0, 0).unwrap();
    std::fs::create_dir(dir.path().join("lost+found")).unwrap();
    let found = log_dir.partitions().unwrap();
    assert_eq!(found.len(), 1);
    assert_eq!((found[0].topic_id, found[0].kind), (Some(id), DirKind::Live));
    let retired = log_dir.retire(log, Uuid::from_u128(9)).unwrap();
    assert_eq!(log_dir.partitions().unwrap()[0].kind, DirKind::Deleted);
    retired.remove().unwrap();
    assert!(log_dir.partitions().unwrap().is_empty());
}

#[test]
fn the_log_of_another_topic_of_that_name_is_not_opened() {
    let dir = tempfile::tempdir().unwrap();
    let log_dir = open(dir.path());
    let (old, new) = (Uuid::from_u128(1), Uuid::from_u128(2));
    drop(log_dir.open_log("t", 0, Some(old), LogConfig::default(), 0, 0).unwrap());
    let refused = log_dir.open_log("t", 0, Some(new), LogConfig::default(), 0, 0);
    assert!(matches!(refused, Err(StorageError::OtherTopic { found, expected, .. })
            if found == old && expected == new));
    drop(log_dir.open_log("t", 0, Some(old), LogConfig::default(), 0, 0).unwrap());
}

#[test]
fn checkpoints_keep_what_the_last_run_said_of_logs_that_could_not_be_opened_yet() {
    let dir = tempfile::tempdir().unwrap();
    let entry = |partition, offset| OffsetEntry { topic: "t".to_owned(), partition, offset };
    let log_dir = open(dir.path());
    for partition in 0..3 {
        drop(log_dir.open_log("t", partition, None, LogConfig::default(), 0, 0).unwrap());
    }
    let all = [entry(0, 10), entry(1, 11), entry(2, 12)];
    log_dir.write_log_starts(&all).unwrap();
    log_dir.write_high_watermarks(&all).unwrap();
    drop(log_dir);
    // Of the three one is opened, one waits, one has gone.
    let log_dir = open(dir.path());
    drop(log_dir.open_log("t", 0, None, LogConfig::default(), 0, 0).unwrap());
    std::fs::remove_dir_all(dir.path().join("t-2")).unwrap();
    log_dir.write_log_starts(&[]).unwrap();
    log_dir.write_high_watermarks(&[entry(0, 9)]).unwrap();
    drop(log_dir);
    let log_dir = open(dir.path());
    let starts = [0, 1, 2].map(|partition| log_dir.log_start("t", partition));
    let marks = [0, 1, 2].map(|partition| log_dir.high_watermark("t", partition));
    assert_eq!((starts, marks), ([0, 11, 0], [9, 11, 0]));
}

#[test]
fn a_stop_is_not_clean_for_a_log_that_was_never_opened_since_an_unclean_one() {
    let dir = tempfile::tempdir().unwrap();
    let log_dir = open(dir.path());
    for partition in 0..2 {
        drop(log_dir.open_log("t", partition, None, LogConfig::default(), 0, 0).unwrap());
    }
    drop(log_dir);
    for (opened, is_clean) in [(1, false), (2, true), (0, true)] {
        let log_dir = open(dir.path());
        for partition in 0..opened {
            drop(log_dir.open_log("t", partition, None, LogConfig::default(), 0, 0).unwrap());
        }
        log_dir.mark_clean_shutdown(7).unwrap();
        drop(log_dir);
        let marker = dir.path().join(".kafka_cleanshutdown");
        assert_eq!(marker.exists(), is_clean, "{opened} of 2");
    }
}

#[test]
fn a_cut_lowers_the_high_watermark_that_the_next_start_reads() {
    let dir = tempfile::tempdir().unwrap();
    let at = |offset| OffsetEntry { topic: "t".to_owned(), partition: 0, offset };
    let log_dir = open(dir.path());
    let read = || read_or_reset(&Disk::default(), dir.path(), HIGH_WATERMARKS).unwrap();
    let written = || read().get(&("t".to_owned(), 0)).copied();
    let mut log = log_dir.open_log("t", 0, None, LogConfig::default(), 0, 0).unwrap();
    for _ in 0..4 {
        log.append_as_leader(&two_records(), 1, 0, AppendOrigin::Client).unwrap();
    }
    log_dir.write_high_watermarks(&[at(8)]).unwrap();
    log.truncate_to(4, 0).unwrap();
    assert_eq!(written(), Some(4), "before anything takes the place of what went");
    log_dir.write_high_watermarks(&[at(8)]).unwrap();
    assert_eq!(written(), Some(4), "gathered before the cut");
    log_dir.write_high_watermarks(&[at(6)]).unwrap();
    assert_eq!(written(), Some(6), "gathered after it");
    log.truncate_fully_and_start_at(2, 2, 0).unwrap();
    assert_eq!(written(), Some(2));
}

fn two_records() -> Bytes {
    let mut batch = BatchBuilder::new(0);
    for value in ["a", "b"] {
        batch.append(0, None, Some(value.as_bytes()));
    }
    batch.build()
}

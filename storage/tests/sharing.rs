//! Readers on other threads while the log is written, rolled, cut and let go of; and the bound on
//! what is open at once.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod support;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use protocol::batch::batches;
use storage::{AppendOrigin, Log, LogConfig, OpenFiles, OpenOptions, ReadError};
use support::{batch, in_memory};

fn config() -> LogConfig {
    LogConfig { segment_bytes: 4000, index_interval_bytes: 200, ..LogConfig::default() }
}

#[test]
fn readers_see_whole_batches_below_the_offset_they_name_whatever_the_writer_does() {
    let dir = in_memory();
    let mut log = Log::open(&dir.path().join("t-0"), config(), OpenOptions::default()).unwrap();
    let done = Arc::new(AtomicBool::new(false));
    let threads: Vec<_> = (0..2)
        .map(|thread| {
            let (reader, done) = (log.reader(), Arc::clone(&done));
            std::thread::spawn(move || {
                let (mut read_batches, mut from) = (0_u64, 0);
                while !done.load(Ordering::Relaxed) {
                    let upper = reader.log_end_offset();
                    let read = match reader.read(from, 1500 + thread, upper, true) {
                        Ok(read) => read,
                        Err(ReadError::OffsetOutOfRange { log_start_offset, .. }) => {
                            from = log_start_offset;
                            continue;
                        }
                        Err(error) => panic!("{error}"),
                    };
                    let Some(bytes) = read.slices.first() else {
                        from = reader.log_start_offset();
                        continue;
                    };
                    for batch in batches(bytes) {
                        let batch = batch.unwrap();
                        batch.verify_crc().unwrap();
                        assert!(batch.last_offset() < upper, "{} {upper}", batch.last_offset());
                        from = batch.next_offset();
                        read_batches += 1;
                    }
                }
                read_batches
            })
        })
        .collect();
    for round in 0..3000 {
        let value = "v".repeat(round % 90);
        let records = batch(&[&value, "second"]);
        log.append_as_leader(&records, round as i32 / 100, 0, AppendOrigin::Client).unwrap();
        match round % 97 {
            50 => drop(log.truncate_to(log.log_end_offset() - 10, 0).unwrap()),
            70 => {
                log.high_watermark_moved(log.log_end_offset());
                log.delete_records_before(log.log_end_offset() - 100).unwrap();
                log.delete_old_segments(0).unwrap();
                log.remove_doomed(i64::MAX).unwrap();
            }
            _ => {}
        }
    }
    done.store(true, Ordering::Relaxed);
    let read: u64 = threads.into_iter().map(|thread| thread.join().unwrap()).sum();
    assert!(read > 500, "{read}");
}

#[test]
fn what_is_open_stays_bounded_however_many_segments_are_used() {
    let dir = in_memory();
    let open_files = Arc::new(OpenFiles::new(24));
    let mut logs: Vec<Log> = (0..20)
        .map(|number| {
            let options =
                OpenOptions { open_files: Arc::clone(&open_files), ..OpenOptions::default() };
            Log::open(&dir.path().join(format!("t-{number}")), config(), options).unwrap()
        })
        .collect();
    let mut most = 0;
    for round in 0..60_i64 {
        for log in &mut logs {
            log.append_as_leader(&batch(&[&"v".repeat(400)]), 0, 0, AppendOrigin::Client).unwrap();
            let read = log.reader().read(round / 2, 1000, i64::MAX, true).unwrap();
            assert_eq!(read.base_offset, round / 2);
            most = most.max(open_files.open_count());
        }
    }
    assert!(most <= 24 + 4, "{most}");
    drop(logs);
    assert_eq!(open_files.open_count(), 0);
}

#[test]
fn slices_outlive_their_log_its_files_and_its_directory() {
    let dir = in_memory();
    let path = dir.path().join("t-0");
    let mut log = Log::open(&path, config(), OpenOptions::default()).unwrap();
    log.append_as_leader(&batch(&["kept"]), 0, 0, AppendOrigin::Client).unwrap();
    let reader = log.reader();
    let held = reader.read(0, 1000, 1, true).unwrap();
    let copy = held.slices[0].to_vec();
    drop(log);
    std::fs::remove_dir_all(&path).unwrap();
    assert_eq!(held.slices[0], copy);
    assert!(reader.read(0, 1000, 1, true).map_or(true, |read| read.slices.is_empty()));
}

#[test]
fn cached_bytes_are_resident() {
    let dir = tempfile::tempdir().unwrap();
    let mut log =
        Log::open(&dir.path().join("t-0"), LogConfig::default(), OpenOptions::default()).unwrap();
    for _ in 0..50 {
        let records = batch(&[&"v".repeat(10_000)]);
        log.append_as_leader(&records, 0, 0, AppendOrigin::Client).unwrap();
    }
    let plan = log.reader().plan(0, 1 << 20, 50, true).unwrap().unwrap();
    assert!(plan.is_resident().unwrap());
    assert_eq!(plan.fetch().unwrap().size_bytes, plan.size_bytes());
}

//! Whoever reads a log is told of bytes that are no batch where one must be; nobody reads on behind
//! them as if nothing had been there.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod support;

use std::fs::OpenOptions as FileOptions;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use protocol::batch::batches;
use storage::{AppendOrigin, Log, LogRead, ReadError};
use support::{batch, in_memory, open, small_segments};

/// Batches of one record each, until there are four segments; closed.
fn written(dir: &Path) -> Vec<i64> {
    let mut log = open(dir, small_segments(), false);
    while log.segment_count() < 4 {
        let value = format!("value {}", log.log_end_offset());
        log.append_as_leader(&batch(&[&value]), 0, 0, AppendOrigin::Client).unwrap();
    }
    let bases = log.segment_offsets();
    log.close(1000).unwrap();
    bases
}

fn log_file(dir: &Path, base: i64) -> PathBuf {
    dir.join(format!("{base:020}.log"))
}

/// Where each batch of a segment begins.
fn positions(file: &Path) -> Vec<u64> {
    let content = std::fs::read(file).unwrap();
    let mut at = 0;
    let begin = |batch: protocol::batch::BatchView<'_>| {
        at += batch.len() as u64;
        at - batch.len() as u64
    };
    batches(&content).map(Result::unwrap).map(begin).collect()
}

fn overwrite(file: &Path, at: u64, bytes: &[u8]) {
    FileOptions::new().write(true).open(file).unwrap().write_all_at(bytes, at).unwrap();
}

fn read(log: &Log, from: i64) -> Result<LogRead, ReadError> {
    log.reader().read(from, 1 << 20, i64::MAX, true)
}

/// `error` names the file and the position.
fn names(error: &ReadError, file: &Path, position: u64) -> bool {
    let shown = error.to_string();
    shown.contains(&file.display().to_string()) && shown.contains(&format!("byte {position}:"))
}

/// What is done to the bytes of a batch: field and content.
const DAMAGES: [(&str, u64, &[u8]); 12] = [
    ("no length", 8, &[0; 4]),
    ("a length below a header's", 8, &[0, 0, 0, 48]),
    ("a negative length", 8, &[0xff; 4]),
    ("a length beyond the segment", 8, &[0, 1, 0, 0]),
    ("the greatest length", 8, &[0x7f, 0xff, 0xff, 0xff]),
    ("a format before 0.11", 16, &[1]),
    ("a format that is not known", 16, &[3]),
    ("an offset below its segment", 0, &[0xff; 8]),
    ("an offset far above", 0, &[0, 0, 1, 0]),
    ("an offset in the next segment", 0, &[0, 0, 0, 0, 0, 0, 2, 0]),
    ("offsets that go back", 23, &[0xff; 4]),
    ("zeros", 0, &[0; 61]),
];

#[test]
fn a_read_that_comes_upon_damage_says_where_it_is_and_gives_nothing_behind_it() {
    for (kind, field, bytes) in DAMAGES {
        for segment in [0, 1] {
            // The first batch, and one behind an index entry.
            for number in [0, 9] {
                let dir = in_memory();
                let bases = written(dir.path());
                let file = log_file(dir.path(), bases[segment]);
                let position = positions(&file)[number];
                overwrite(&file, position + field, bytes);
                let log = open(dir.path(), small_segments(), true);
                let damaged = bases[segment] + number as i64;
                let case = format!("{kind}, segment {segment}, batch {number}");

                let error = read(&log, damaged).expect_err(&case);
                assert!(names(&error, &file, position), "{case}: {error}");
                if number > 0 {
                    assert_eq!(read(&log, damaged - 1).unwrap().base_offset, damaged - 1, "{case}");
                }
                let next = bases[segment + 1];
                assert_eq!(read(&log, next).unwrap().base_offset, next, "{case}");
            }
        }
    }
}

#[test]
fn twelve_zeros_before_a_segments_records_are_no_reason_to_begin_with_the_next() {
    let dir = in_memory();
    let bases = written(dir.path());
    let file = log_file(dir.path(), bases[0]);
    let content = std::fs::read(&file).unwrap();
    std::fs::write(&file, [&[0; 12], content.as_slice()].concat()).unwrap();
    let mut log = open(dir.path(), small_segments(), true);
    let error = read(&log, 0).unwrap_err();
    assert!(names(&error, &file, 0), "{error}");

    // What is behind it is there again when nobody reads from before it.
    log.high_watermark_moved(log.log_end_offset());
    log.delete_records_before(bases[1]).unwrap();
    assert_eq!(read(&log, bases[1]).unwrap().base_offset, bases[1]);
    assert!(matches!(read(&log, 0), Err(ReadError::OffsetOutOfRange { .. })));
}

#[test]
fn a_segment_that_ends_within_a_batch_is_not_read_across() {
    for cut_by in [1, 40, 70] {
        let dir = in_memory();
        let bases = written(dir.path());
        let file = log_file(dir.path(), bases[1]);
        let all = positions(&file);
        let length = std::fs::metadata(&file).unwrap().len();
        let kept = length - cut_by;
        FileOptions::new().write(true).open(&file).unwrap().set_len(kept).unwrap();
        let log = open(dir.path(), small_segments(), true);
        let broken = all.iter().rposition(|position| *position < kept).unwrap();
        let error = read(&log, bases[1] + broken as i64).unwrap_err();
        assert!(names(&error, &file, all[broken]), "{cut_by}: {error}");
        assert_eq!(read(&log, bases[2]).unwrap().base_offset, bases[2]);
    }
}

#[test]
fn a_file_that_became_shorter_under_a_log_is_noticed_before_its_bytes_are_promised() {
    let dir = in_memory();
    let bases = written(dir.path());
    let log = open(dir.path(), small_segments(), true);
    let file = log_file(dir.path(), bases[0]);
    let all = positions(&file);
    assert_eq!(read(&log, 0).unwrap().base_offset, 0);
    // Cut between two batches, so that every header that is left is sound.
    FileOptions::new().write(true).open(&file).unwrap().set_len(all[5]).unwrap();
    for from in [0, 4, 5, 6] {
        let error = read(&log, from).unwrap_err();
        assert!(names(&error, &file, all[5]), "{from}: {error}");
    }
}

#[test]
fn a_reader_of_what_lies_before_damage_gets_it_up_to_the_damage() {
    let dir = in_memory();
    let bases = written(dir.path());
    let file = log_file(dir.path(), bases[1]);
    let position = positions(&file)[9];
    overwrite(&file, position + 8, &[0; 4]);
    let log = open(dir.path(), small_segments(), true);
    // The bound has to be looked for behind the damage.
    let upper = bases[1] + 10;
    let before = log.reader().read(bases[1] + 7, 1 << 20, upper, true).unwrap();
    let offsets: Vec<_> =
        batches(&before.slices.concat()).map(|batch| batch.unwrap().base_offset()).collect();
    assert_eq!(offsets, [bases[1] + 7, bases[1] + 8]);
}

#[test]
fn a_search_by_time_that_comes_upon_damage_finds_no_later_record_instead() {
    for (kind, field, bytes) in DAMAGES {
        let dir = in_memory();
        let bases = written(dir.path());
        let file = log_file(dir.path(), bases[0]);
        overwrite(&file, field, bytes);
        let log = open(dir.path(), small_segments(), true);
        let error = log.offset_for_timestamp(1000).expect_err(kind);
        assert!(names(&error.into(), &file, 0), "{kind}");
    }
}

#[test]
fn a_search_by_time_does_not_pass_over_a_record_that_cannot_be_read() {
    let dir = in_memory();
    let bases = written(dir.path());
    let file = log_file(dir.path(), bases[0]);
    // The length of the first record.
    overwrite(&file, 61, &[0xff]);
    let log = open(dir.path(), small_segments(), true);
    let error = log.offset_for_timestamp(1000).unwrap_err();
    assert!(names(&error.into(), &file, 0));
}

#[test]
fn offsets_that_compaction_took_away_are_passed_over() {
    let dir = in_memory();
    let bases = written(dir.path());
    let file = log_file(dir.path(), bases[1]);
    // The batches in the middle of a segment, and those at its end.
    let content = std::fs::read(&file).unwrap();
    let all = positions(&file);
    let kept = [&content[..all[3] as usize], &content[all[6] as usize..all[9] as usize]].concat();
    std::fs::write(&file, kept).unwrap();
    for index in ["index", "timeindex"] {
        std::fs::remove_file(file.with_extension(index)).unwrap();
    }
    let log = open(dir.path(), small_segments(), true);
    assert_eq!(read(&log, bases[1] + 4).unwrap().base_offset, bases[1] + 6);
    assert_eq!(read(&log, bases[1] + 9).unwrap().base_offset, bases[2]);
}

#[test]
fn an_index_that_does_not_fit_is_not_built_anew_from_a_damaged_log() {
    let dir = in_memory();
    let bases = written(dir.path());
    let file = log_file(dir.path(), bases[0]);
    let all = positions(&file);
    let index = std::fs::read(file.with_extension("index")).unwrap();
    let first = u32::from_be_bytes(index[4..8].try_into().unwrap());
    let number = all.iter().position(|position| *position == u64::from(first)).unwrap();
    // The batch that the first entry names is damaged; the last entry's is not.
    overwrite(&file, u64::from(first) + 8, &[0; 4]);
    let mut log = open(dir.path(), small_segments(), true);
    assert_eq!(log.reader().unfit_index_bytes(), 0);
    assert!(read(&log, number as i64).is_err());
    let segment_bytes = std::fs::metadata(&file).unwrap().len();
    assert_eq!(log.reader().unfit_index_bytes(), segment_bytes);
    log.delete_old_segments(1000).unwrap();
    assert_eq!(std::fs::read(file.with_extension("index")).unwrap(), index);
    let last = bases[1] - 1;
    assert_eq!(read(&log, last).unwrap().base_offset, last);
    log.append_as_leader(&batch(&["more"]), 0, 0, AppendOrigin::Client).unwrap();
}

#[test]
fn a_log_is_not_cut_where_the_place_cannot_be_found() {
    let dir = in_memory();
    let bases = written(dir.path());
    let file = log_file(dir.path(), bases[1]);
    overwrite(&file, positions(&file)[2] + 8, &[0; 4]);
    let mut log = open(dir.path(), small_segments(), true);
    let end = log.log_end_offset();
    assert!(log.truncate_to(bases[1] + 2, 0).is_err());
    assert_eq!((log.log_end_offset(), log.segment_offsets()), (end, bases.clone()));
    log.append_as_leader(&batch(&["more"]), 0, 0, AppendOrigin::Client).unwrap();
    // A place behind or before the damage is found.
    assert!(log.truncate_to(bases[2] + 1, 0).unwrap());
    assert!(log.truncate_to(bases[1] + 1, 0).unwrap());
    let appended = log.append_as_leader(&batch(&["new"]), 1, 0, AppendOrigin::Client).unwrap();
    assert_eq!(appended.base_offset, bases[1] + 1);
}

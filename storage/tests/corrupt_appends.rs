//! A follower takes nothing that its leader's disk or the way damaged, and what it had stays as it
//! was; recovery takes what lies before damage and nothing behind it.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod support;

use bytes::Bytes;
use protocol::batch::batches;
use storage::{AppendError, AppendOrigin, Log, OpenOptions};
use support::{batch, contents, in_memory, open, small_segments};

/// Field of a batch, and what is written there.
type Damage = (&'static str, usize, &'static [u8]);

/// What makes an answer be refused as a whole. Kafka's follower asks for it again, but for offsets
/// that are not in order: then it gives the partition up.
const REFUSED: [Damage; 11] = [
    ("no length", 8, &[0; 4]),
    ("a length below a header's", 8, &[0, 0, 0, 48]),
    ("a negative length", 8, &[0xff; 4]),
    ("a format before 0.11", 16, &[1]),
    ("a format that is not known", 16, &[3]),
    ("another CRC", 17, &[0; 4]),
    ("other attributes", 21, &[0xff]),
    ("another count", 57, &[0xff]),
    ("another byte of a record", 70, &[0xff]),
    ("an offset that came before", 0, &[0; 8]),
    ("a negative offset", 0, &[0xff; 8]),
];

/// What makes a batch look like one that the answer's limit cut short.
const CUT_SHORT: [Damage; 2] = [
    ("a length beyond the answer", 8, &[0, 1, 0, 0]),
    ("the greatest", 8, &[0x7f, 0xff, 0xff, 0xff]),
];

fn leader() -> (tempfile::TempDir, Log) {
    let dir = in_memory();
    let mut log = open(dir.path(), small_segments(), false);
    for number in 0..4 {
        let records = batch(&[&format!("value {number}"), "x"]);
        log.append_as_leader(&records, 3, 0, AppendOrigin::Client).unwrap();
    }
    (dir, log)
}

fn bytes_of(log: &Log) -> Bytes {
    log.reader().read(0, 1 << 20, i64::MAX, true).unwrap().slices[0].clone()
}

fn damaged(records: &[u8], number: usize, (_, field, bytes): Damage) -> Bytes {
    let size = records.len() / 4;
    let mut records = records.to_vec();
    let at = number * size + field;
    records[at..at + bytes.len()].copy_from_slice(bytes);
    Bytes::from(records)
}

/// A follower that has the first batch already.
fn follower(records: &Bytes) -> (tempfile::TempDir, Log) {
    let dir = in_memory();
    let mut log = open(dir.path(), small_segments(), false);
    log.append_as_follower(&records.slice(..records.len() / 4), 3, 0).unwrap();
    (dir, log)
}

#[test]
fn a_follower_takes_nothing_of_an_answer_in_which_a_batch_is_damaged() {
    let (_leader_dir, leader) = leader();
    let sound = bytes_of(&leader);
    let size = sound.len() / 4;
    for damage in REFUSED {
        for number in 1..4 {
            let case = format!("{}, batch {number}", damage.0);
            let (_dir, mut log) = follower(&sound);
            let before = contents(&log);
            let sent = damaged(&sound, number, damage).slice(size..);
            let refused = log.append_as_follower(&sent, 3, 0).expect_err(&case);
            let is_told =
                matches!(refused, AppendError::Corrupt(_) | AppendError::UnexpectedOffset { .. });
            assert!(is_told, "{case}: {refused}");
            assert_eq!((log.log_end_offset(), contents(&log)), (2, before), "{case}");
            assert!(!log.is_failed(), "{case}");
            // Whole next time, it is taken.
            log.append_as_follower(&sound.slice(size..), 3, 0).unwrap();
            assert_eq!(contents(&log), contents(&leader), "{case}");
        }
    }
}

#[test]
fn a_follower_takes_what_lies_before_a_batch_that_seems_cut_short() {
    let (_leader_dir, leader) = leader();
    let sound = bytes_of(&leader);
    let size = sound.len() / 4;
    for damage in CUT_SHORT {
        for number in 1..4 {
            let (_dir, mut log) = follower(&sound);
            let sent = damaged(&sound, number, damage).slice(size..);
            log.append_as_follower(&sent, 3, 0).unwrap();
            assert_eq!(log.log_end_offset(), 2 * number as i64, "{}, {number}", damage.0);
            let rows = contents(&leader);
            assert_eq!(contents(&log), rows[..2 * number], "{}, {number}", damage.0);
        }
    }
}

#[test]
fn recovery_keeps_what_lies_before_damage_and_nothing_behind_it() {
    let (_leader_dir, leader) = leader();
    let (sound, rows) = (bytes_of(&leader), contents(&leader));
    for damage in REFUSED.into_iter().chain(CUT_SHORT) {
        for number in 1..4 {
            let case = format!("{}, batch {number}", damage.0);
            let dir = in_memory();
            let mut log = open(dir.path(), small_segments(), false);
            log.append_as_follower(&sound, 3, 0).unwrap();
            drop(log);
            let file = dir.path().join(format!("{:020}.log", 0));
            std::fs::write(&file, damaged(&sound, number, damage)).unwrap();
            let options = OpenOptions { now_ms: 1000, ..OpenOptions::default() };
            let log = Log::open(dir.path(), small_segments(), options).unwrap();
            assert_eq!(log.log_end_offset(), 2 * number as i64, "{case}");
            assert_eq!(contents(&log), rows[..2 * number], "{case}");
            let kept = std::fs::read(&file).unwrap();
            assert_eq!(batches(&kept).map(Result::unwrap).count(), number, "{case}");
        }
    }
}

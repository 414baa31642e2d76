//! Up to where a flush may say that the disk has everything.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod support;

use storage::{AppendOrigin, Log};
use support::{batch, open, small_segments};

fn append(log: &mut Log, count: usize) {
    for _ in 0..count {
        log.append_as_leader(&batch(&["a record"]), 0, 1000, AppendOrigin::Client).unwrap();
    }
}

#[test]
fn what_was_cut_and_written_anew_while_a_flush_ran_is_not_flushed() {
    let dir = tempfile::tempdir().unwrap();
    let mut log = open(&dir.path().join("t-0"), small_segments(), false);
    append(&mut log, 20);
    let ticket = log.begin_flush(1000).unwrap().unwrap();
    log.truncate_to(5, 1000).unwrap();
    append(&mut log, 3);
    log.roll(1000).unwrap();
    append(&mut log, 30);
    log.end_flush(ticket.run()).unwrap();
    // The records from 5 on are others than those that were synced.
    assert!(log.recovery_point() <= 5, "{}", log.recovery_point());
    log.flush(1000).unwrap();
    assert_eq!(log.recovery_point(), 38);
}

#[test]
fn appends_while_a_flush_ran_are_left_for_the_next() {
    let dir = tempfile::tempdir().unwrap();
    let mut log = open(&dir.path().join("t-0"), small_segments(), false);
    append(&mut log, 20);
    let ticket = log.begin_flush(1000).unwrap().unwrap();
    append(&mut log, 10);
    log.end_flush(ticket.run()).unwrap();
    assert_eq!(log.recovery_point(), 20);
}

//! The partition on a log in memory: what is committed when, and who is answered.

use super::*;

#[derive(Debug, Default)]
struct CountingLog {
    start: i64,
    end: i64,
    epochs: Vec<(i32, i64)>,
    committed: i64,
    broken: bool,
}

impl Log for CountingLog {
    type Appended = i64;
    type Error = &'static str;

    fn append_as_leader(
        &mut self,
        records: &Bytes,
        _leader_epoch: i32,
        _now_ms: i64,
        _origin: Origin,
    ) -> Result<i64, &'static str> {
        if self.broken {
            return Err("disk");
        }
        let base = self.end;
        self.end += records.len() as i64;
        Ok(base)
    }

    fn log_start_offset(&self) -> i64 {
        self.start
    }

    fn log_end_offset(&self) -> i64 {
        self.end
    }

    fn begin_leader_epoch(&mut self, leader_epoch: i32) -> Result<(), &'static str> {
        if self.broken {
            return Err("disk");
        }
        self.epochs.push((leader_epoch, self.end));
        Ok(())
    }

    fn high_watermark_moved(&mut self, high_watermark: i64) {
        self.committed = high_watermark;
    }

    fn delete_records_before(&mut self, offset: i64) -> Result<(), &'static str> {
        self.start = offset;
        Ok(())
    }
}

const THREE: Bytes = Bytes::from_static(b"abc");
const ALL_ONE: Acks = Acks::All { min_in_sync: 1 };

fn leading(replicas: &[i32], in_sync: &[i32]) -> Partition<CountingLog> {
    let mut partition = Partition::new(CountingLog::default(), 0);
    assert_eq!(partition.lead(1, 5, replicas, in_sync), Ok(vec![]));
    partition
}

#[test]
fn an_append_to_the_only_in_sync_replica_is_committed_at_once() {
    let mut partition = leading(&[1], &[1]);
    let (outcome, answered) = partition.append(&THREE, ALL_ONE, 0, Origin::Client, 7).unwrap();
    assert_eq!((outcome.appended, outcome.committed, answered.len()), (0, true, 0));
    assert_eq!((partition.high_watermark(), partition.log().committed), (3, 3));
}

#[test]
fn with_another_replica_in_sync_acks_all_waits_and_acks_one_does_not() {
    let mut partition = leading(&[1, 2], &[1, 2]);
    let (all, _) = partition.append(&THREE, ALL_ONE, 0, Origin::Client, 7).unwrap();
    let (one, _) = partition.append(&THREE, Acks::Leader, 0, Origin::Client, 8).unwrap();
    assert_eq!((all.committed, one.committed, partition.high_watermark()), (false, true, 0));
    // The controller takes the other replica out of the in-sync set: everything is committed.
    assert_eq!(partition.lead(1, 5, &[1, 2], &[1]), Ok(vec![(7, Answer::Committed)]));
    assert_eq!(partition.high_watermark(), 6);
}

#[test]
fn whoever_waits_is_told_when_the_leadership_ends() {
    let mut partition = leading(&[1, 2], &[1, 2]);
    partition.append(&THREE, ALL_ONE, 0, Origin::Client, 7).unwrap();
    assert_eq!(partition.follow(2, 6), vec![(7, Answer::NoLongerLeader)]);
    assert_eq!(
        partition.append(&THREE, ALL_ONE, 0, Origin::Client, 8).unwrap_err(),
        NotAppended::NotLeader
    );
}

#[test]
fn too_small_an_in_sync_set_refuses_acks_all_before_the_append() {
    let mut partition = leading(&[1, 2], &[1]);
    let acks = Acks::All { min_in_sync: 2 };
    let refused = partition.append(&THREE, acks, 0, Origin::Client, 7).unwrap_err();
    assert_eq!(refused, NotAppended::TooFewInSync { in_sync: 1, min_in_sync: 2 });
    assert_eq!(partition.log().log_end_offset(), 0);
    assert!(partition.append(&THREE, Acks::Leader, 0, Origin::Client, 8).is_ok());
}

#[test]
fn a_log_that_fails_answers_the_append_and_moves_nothing() {
    let mut partition = leading(&[1], &[1]);
    partition.log_mut().broken = true;
    let failed = partition.append(&THREE, Acks::Leader, 0, Origin::Client, 7).unwrap_err();
    assert_eq!((failed, partition.high_watermark()), (NotAppended::Log("disk"), 0));
}

#[test]
fn records_are_deleted_only_below_the_high_watermark() {
    let mut partition = leading(&[1, 2], &[1, 2]);
    partition.append(&THREE, Acks::Leader, 0, Origin::Client, 7).unwrap();
    assert_eq!(partition.delete_records_before(1), Ok(None));
    partition.lead(1, 5, &[1, 2], &[1]).unwrap();
    assert_eq!(partition.delete_records_before(2), Ok(Some(2)));
    assert_eq!(partition.delete_records_before(1), Ok(Some(2)), "never moves back");
    assert_eq!(partition.delete_records_before(-1), Ok(Some(3)));
    assert_eq!(partition.delete_records_before(-2), Ok(None));
}

#[test]
fn a_new_epoch_begins_at_the_log_end_and_the_same_epoch_begins_once() {
    let mut partition = leading(&[1], &[1]);
    partition.append(&THREE, ALL_ONE, 0, Origin::Client, 7).unwrap();
    partition.lead(1, 5, &[1], &[1]).unwrap();
    partition.lead(1, 6, &[1], &[1]).unwrap();
    assert_eq!(partition.log().epochs, vec![(5, 0), (6, 3)]);
}

#[test]
fn the_remembered_high_watermark_is_brought_within_the_log() {
    let log = CountingLog { start: 4, end: 9, ..CountingLog::default() };
    assert_eq!(Partition::new(log, 100).high_watermark(), 9);
    let log = CountingLog { start: 4, end: 9, ..CountingLog::default() };
    assert_eq!(Partition::new(log, 0).high_watermark(), 4);
}

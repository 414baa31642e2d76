//! States that are forgotten.

use protocol::records::share::ShareRecord;

use super::super::*;
use super::harness::{Bench, topic, write};

#[test]
fn a_deleted_state_is_gone_with_its_epochs() {
    let mut bench = Bench::new(10);
    bench.initialize(0, 5, 0).unwrap();
    bench.read(0, 7).unwrap();
    assert_eq!(bench.delete(0), Ok(()));
    let last = bench.records().pop();
    assert!(matches!(last, Some(ShareRecord::Snapshot { value: None, .. })), "{last:?}");
    assert_eq!(bench.state(0), None);
    assert_eq!(bench.read(0, 7), Err(ShareError::ReadUninitialized));
    assert_eq!(bench.initialize(0, 0, 0), Ok(()), "older than it was");
    assert!(bench.read(0, 1).is_ok());
}

#[test]
fn to_delete_what_is_not_there_is_fine_and_written_nowhere() {
    let mut bench = Bench::new(10);
    assert_eq!(bench.delete(0), Ok(()));
    assert!(bench.log.is_empty());
    assert_eq!(bench.log_events, [LogEvent::NothingToDelete { key: super::harness::key(0) }]);
}

#[test]
fn a_deleted_topic_takes_its_states_along() {
    let mut bench = Bench::new(10);
    for partition in 0..3 {
        bench.initialize(partition, 0, 0).unwrap();
    }
    bench.run(|shard, _, out| shard.topics_deleted(&[topic(2)].into(), out));
    assert_eq!(bench.log.len(), 3);
    bench.run(|shard, _, out| shard.topics_deleted(&[topic(1), topic(2)].into(), out));
    assert_eq!(bench.log.len(), 6);
    for partition in 0..3 {
        assert_eq!(bench.state(partition), None);
        let written = bench.write(&write(partition, 0, 0, 0, Vec::new()));
        assert_eq!(written, Err(ShareError::WriteUninitialized));
    }
}

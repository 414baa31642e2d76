//! What a load makes of a log.

use bytes::Bytes;

use super::super::*;
use super::harness::{Bench, batch, write};
use crate::runtime::WriteRecord;

#[test]
fn a_reload_is_what_was_there() {
    for updates_per_snapshot in [0, 1, 3, 500] {
        let mut bench = Bench::new(updates_per_snapshot);
        bench.initialize(0, 2, 0).unwrap();
        bench.initialize(1, 0, -1).unwrap();
        bench.read(0, 4).unwrap();
        for offset in 0..6 {
            let batches = vec![batch((offset, offset + 3), 1 + (offset % 3) as i16, 0)];
            bench.write(&write(0, 4, 2, offset / 2, batches)).unwrap();
        }
        bench.delete(1).unwrap();
        let before = [0, 1].map(|partition| bench.state(partition));
        bench.reload();
        assert_eq!([0, 1].map(|partition| bench.state(partition)), before);
        assert_eq!(bench.read(0, 3), Err(ShareError::FencedLeaderEpoch));
        assert_eq!(bench.write(&write(0, 4, 1, 0, Vec::new())), Err(ShareError::FencedStateEpoch));
    }
}

#[test]
fn a_pruned_log_fences_as_the_whole_log_did() {
    let mut bench = Bench::new(0);
    bench.initialize(0, 2, 0).unwrap();
    bench.read(0, 4).unwrap();
    bench.initialize(0, 3, 0).unwrap();
    bench.read(0, 4).unwrap();
    bench.pass(300_000);
    bench.prune();
    assert_eq!(bench.log_start, 3);
    bench.reload();
    assert_eq!(bench.read(0, 3), Err(ShareError::FencedLeaderEpoch));
    assert_eq!(bench.initialize(0, 2, 0), Err(ShareError::FencedStateEpoch));
}

#[test]
fn a_record_of_a_later_kind_is_passed_over_and_a_broken_one_is_not() {
    let mut bench = Bench::new(10);
    bench.initialize(0, 0, 0).unwrap();
    let later = WriteRecord { key: Bytes::from_static(&[0, 9, 1]), value: None };
    bench.log.push(later);
    bench.reload();
    assert_eq!(bench.log_events, [LogEvent::UnknownRecordType { record_type: 9 }]);
    assert!(bench.state(0).is_some());
    let cut = bench.log[0].value.clone().map(|value| value.slice(..5));
    let read = <ShareShard as crate::runtime::Shard>::read(Some(&bench.log[0].key), cut.as_deref());
    assert!(read.is_err());
}

//! Who may read what: epochs, offsets, diverging logs, other replicas.

use super::*;

#[test]
fn a_fetch_is_served_only_under_the_epoch_that_holds() {
    let partition = leading(MemoryLog::default(), &[1], 1);
    for (asked, expected) in [
        (-1, Ok(())),
        (5, Ok(())),
        (4, Err(FetchRefused::FencedEpoch { asked: 4, current: 5 })),
        (6, Err(FetchRefused::UnknownEpoch { asked: 6, current: 5 })),
    ] {
        assert_eq!(partition.check_leadership(asked, true), expected, "{asked}");
    }
    let mut follower = partition;
    follower.follow(&registration(2, 6, &[2]));
    assert_eq!(follower.check_leadership(6, true), Err(FetchRefused::NotLeader));
    assert_eq!(follower.check_leadership(6, false), Ok(()));
}

#[test]
fn offsets_and_epochs_of_a_follower_are_compared_with_the_log() {
    // 0..10 under epoch 2, 10..15 under epoch 4; the log starts at 3.
    let mut log = MemoryLog::with(0, &[(2, 10), (4, 5)]);
    log.delete_records_before(3).unwrap();
    let partition = leading(log, &[1], 1);
    let parts = |epoch, end_offset| Ok(Some(Diverging { epoch, end_offset }));
    let outside =
        |offset, upper| Err(FetchRefused::OutOfRange { offset, log_start_offset: 3, upper });
    for (offset, epoch, expected) in [
        (15, 4, Ok(None)),
        (15, -1, Ok(None)),
        (12, 4, Ok(None)),
        (10, 2, Ok(None)),
        (11, 2, parts(2, 10)),
        (12, 3, parts(2, 10)),
        (16, 4, parts(4, 15)),
        (16, -1, outside(16, 15)),
        (2, 2, outside(2, i64::MAX)),
        (2, -1, outside(2, 15)),
        (15, 9, Err(FetchRefused::EpochNotKnown { epoch: 9 })),
    ] {
        let asked = FollowerFetch { last_fetched_epoch: epoch, ..fetch(2, offset) };
        let grant = partition.check_follower_fetch(&asked).map(|grant| grant.diverging);
        assert_eq!(grant, expected, "offset {offset}, epoch {epoch}");
    }
}

#[test]
fn a_fetch_that_must_truncate_first_counts_for_nothing() {
    let cluster = Cluster::new();
    let mut partition = leading(MemoryLog::with(0, &[(2, 3)]), &[1, 2], 1);
    let ahead = FollowerFetch { last_fetched_epoch: 2, ..fetch(2, 9) };
    let (grant, effects) = partition.follower_fetched(&ahead, &cluster.at(1)).unwrap();
    assert_eq!(grant.diverging, Some(Diverging { epoch: 2, end_offset: 3 }));
    assert!(effects.is_empty());
    assert_eq!(partition.high_watermark(), 0);
}

#[test]
fn a_fetch_of_a_broker_that_has_restarted_since_is_refused() {
    let cluster = Cluster::new().with(2, |broker| broker.epoch = 200);
    let mut partition = leading(MemoryLog::default(), &[1, 2], 1);
    let refused = partition.follower_fetched(&fetch(2, 0), &cluster.at(1)).unwrap_err();
    assert_eq!(refused, FetchRefused::StaleBroker { replica_id: 2, asked: 102, current: 200 });
    let unnamed = FollowerFetch { broker_epoch: -1, ..fetch(2, 0) };
    assert!(partition.follower_fetched(&unnamed, &cluster.at(1)).is_ok());
}

#[test]
fn a_stranger_is_told_to_ask_again() {
    let partition = leading(MemoryLog::default(), &[1], 1);
    for (epoch, named_epoch) in [(5, true), (-1, false)] {
        let asked = FollowerFetch { current_leader_epoch: epoch, ..fetch(4, 0) };
        let refused = partition.check_follower_fetch(&asked).unwrap_err();
        assert_eq!(refused, FetchRefused::UnknownReplica { replica_id: 4, named_epoch });
    }
}

#[test]
fn readers_see_as_far_as_their_isolation_lets_them() {
    let mut partition = leading(MemoryLog::default(), &[1, 2], 1);
    produce(&mut partition, Acks::Leader, 0).unwrap();
    let bounds = partition.bounds();
    let upper =
        [FetchIsolation::LogEnd, FetchIsolation::HighWatermark, FetchIsolation::TxnCommitted];
    assert_eq!(upper.map(|isolation| bounds.upper(isolation)), [3, 0, 0]);
}

#[test]
fn a_consumer_is_sent_to_the_furthest_replica_of_its_rack() {
    let cluster = Cluster::new();
    let mut partition = leading(MemoryLog::with(0, &[(4, 9)]), &[1, 2, 3], 1);
    partition.follower_fetched(&fetch(2, 9), &cluster.at(1)).unwrap();
    partition.follower_fetched(&fetch(3, 7), &cluster.at(1)).unwrap();
    let racks = |of: [Option<&'static str>; 3]| move |id: i32| of[id as usize - 1];
    for (rack, offset, of, expected) in [
        ("b", 5, [Some("a"), Some("b"), Some("b")], Some(2)),
        ("b", 5, [Some("a"), Some("a"), Some("b")], Some(3)),
        ("b", 8, [Some("a"), Some("a"), Some("b")], None),
        ("b", 5, [Some("a"), None, None], None),
        ("a", 5, [Some("a"), Some("a"), Some("b")], None),
        ("", 5, [Some("a"), Some("b"), Some("b")], None),
    ] {
        let preferred = partition.preferred_read_replica(rack, offset, racks(of));
        assert_eq!(preferred, expected, "{rack} {offset} {of:?}");
    }
    let alone = Registration { partition_epoch: 51, ..registration(1, 5, &[1]) };
    partition.lead(&alone, &cluster.at(2)).unwrap();
    let of = racks([Some("a"), Some("b"), Some("b")]);
    assert_eq!(partition.preferred_read_replica("b", 5, of), None, "out of sync, it may lag");
}

/// A log from offset 10 to 40 whose epochs 2 and 5 end at 20 and 40.
fn consumer(fetch_offset: i64, last_fetched_epoch: i32) -> Result<FetchGrant, FetchRefused> {
    let bounds = ReadBounds {
        log_start_offset: 10,
        high_watermark: 30,
        last_stable_offset: 25,
        log_end_offset: 40,
    };
    let end_offset = |epoch| match epoch {
        ..2 => None,
        2..5 => Some((2, 20)),
        _ => Some((5, 40)),
    };
    consumer_fetch(ConsumerFetch { fetch_offset, last_fetched_epoch }, bounds, 5, end_offset)
}

#[test]
fn a_consumer_reads_within_the_log_whichever_epoch_it_read_last() {
    for (fetch_offset, epoch) in [(10, -1), (40, -1), (15, 2), (20, 2), (35, 5), (40, 5)] {
        let grant = consumer(fetch_offset, epoch).unwrap();
        assert_eq!(grant.diverging, None, "{fetch_offset} of epoch {epoch}");
        assert_eq!(grant.bounds.upper(FetchIsolation::TxnCommitted), 25);
    }
    for fetch_offset in [9, 41] {
        let refused = consumer(fetch_offset, -1).unwrap_err();
        let (log_start_offset, upper) = (10, 40);
        let expected = FetchRefused::OutOfRange { offset: fetch_offset, log_start_offset, upper };
        assert_eq!(refused, expected);
    }
}

#[test]
fn a_consumer_whose_log_parted_from_ours_is_told_where() {
    for (fetch_offset, epoch, parted) in [(30, 2, (2, 20)), (21, 4, (2, 20)), (45, 5, (5, 40))] {
        let diverging = consumer(fetch_offset, epoch).unwrap().diverging;
        let (epoch, end_offset) = parted;
        assert_eq!(diverging, Some(Diverging { epoch, end_offset }), "{fetch_offset}");
    }
    assert_eq!(consumer(15, 1), Err(FetchRefused::EpochNotKnown { epoch: 1 }));
    // Below the log's start the records are gone, whatever the epochs say.
    let gone = consumer(5, 3).unwrap_err();
    assert!(matches!(gone, FetchRefused::OutOfRange { offset: 5, .. }), "{gone}");
}

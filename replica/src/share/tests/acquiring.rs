//! What members are given, in tables: `(first, last, delivery count)`.

use super::RecordState::{Archived, Available};
use super::*;

const LOG: [(i64, i64); 4] = [(0, 9), (10, 19), (20, 29), (30, 39)];

#[test]
fn whole_batches_are_given_and_the_next_goes_on_behind_them() {
    let mut partition = fresh();
    assert_eq!(acquire(&mut partition, "a", 5, &LOG), [(0, 9, 1)]);
    assert_eq!(acquire(&mut partition, "b", 11, &LOG), [(10, 29, 1)]);
    assert_eq!(acquire(&mut partition, "a", 100, &LOG), [(30, 39, 1)]);
    assert_eq!(partition.next_fetch_offset(), 40);
    assert_eq!(partition.in_flight(), 40);
}

#[test]
fn no_more_than_was_asked_for_where_that_is_strict() {
    let mut partition = fresh();
    let strict = |member, most| wanted(member, AcquireMode::RecordLimit, most);
    let mut ask = |wanted: Wanted| acquire_as(&mut partition, &wanted, &LOG, &LIMITS, 0);
    assert_eq!(ask(strict("a", 4)), [(0, 3, 1)]);
    assert_eq!(ask(strict("b", 4)), [(4, 7, 1)]);
    assert_eq!(ask(strict("a", 15)), [(8, 9, 1), (10, 22, 1)]);
    assert_eq!(partition.next_fetch_offset(), 23);
}

#[test]
fn many_records_are_cut_at_batches_of_the_log() {
    let mut partition = fresh();
    let small = Wanted { batch_size: 15, ..wanted("a", AcquireMode::BatchOptimized, 100) };
    let acquired = acquire_as(&mut partition, &small, &LOG, &LIMITS, 0);
    assert_eq!(acquired, [(0, 19, 1), (20, 39, 1)]);
}

#[test]
fn what_is_in_flight_is_bounded_and_what_is_free_within_may_go_out() {
    let limits = Limits { in_flight: 20, ..LIMITS };
    let mut partition = fresh();
    let want = wanted("a", AcquireMode::BatchOptimized, 100);
    assert_eq!(acquire_as(&mut partition, &want, &LOG, &limits, 0), [(0, 19, 1)]);
    assert!(!partition.can_acquire(&limits));
    acknowledge(&mut partition, "a", &[said(5, 6, &[2])]).expect("acquired");
    assert!(partition.can_acquire(&limits));
    assert_eq!(acquire_as(&mut partition, &want, &LOG, &limits, 0), [(5, 6, 2)]);
    assert!(!partition.can_acquire(&limits));
    acknowledge(&mut partition, "a", &[said(0, 4, &[1])]).expect("acquired");
    assert_eq!(partition.start_offset(), 5);
    assert_eq!(acquire_as(&mut partition, &want, &LOG, &limits, 0), [(20, 29, 1)]);
}

#[test]
fn a_record_that_fails_often_comes_with_few_others_and_at_last_alone() {
    // (delivery count limit, groups of records at each delivery), of a batch of eight.
    let mut partition = fresh();
    let log = [(0, 7)];
    let want = wanted("a", AcquireMode::BatchOptimized, 100);
    let deliver = |partition: &mut SharePartition| {
        let acquired = acquire_as(partition, &want, &log, &LIMITS, 0);
        for (first, last, _) in &acquired {
            acknowledge(partition, "a", &[said(*first, *last, &[2])]).expect("acquired");
        }
        acquired
    };
    for count in 1..=3 {
        assert_eq!(deliver(&mut partition), [(0, 7, count)]);
    }
    // The limit is five: from three deliveries on they are isolated, halves first.
    assert_eq!(deliver(&mut partition), [(0, 3, 4)]);
    // The first that has one delivery left comes alone, and is given up after it.
    for offset in 0..4 {
        assert_eq!(deliver(&mut partition), [(offset, offset, 5)]);
        assert_eq!(partition.start_offset(), offset + 1);
    }
    assert_eq!(deliver(&mut partition), [(4, 7, 4)]);
}

#[test]
fn with_a_limit_of_two_records_are_not_isolated_alone() {
    let limits = Limits { delivery_count: 2, ..LIMITS };
    let mut partition = loaded(0, &[(0, 7, Available, 1)]);
    let want = wanted("a", AcquireMode::BatchOptimized, 100);
    assert_eq!(acquire_as(&mut partition, &want, &[(0, 7)], &limits, 0), [(0, 7, 2)]);
}

#[test]
fn what_the_log_has_lost_is_archived_not_waited_for() {
    let mut partition = loaded(0, &[(0, 9, Available, 1), (10, 19, Available, 1)]);
    // Compaction left nothing below 14.
    assert_eq!(acquire(&mut partition, "a", 100, &[(14, 19)]), [(14, 19, 2)]);
    acknowledge(&mut partition, "a", &[said(14, 19, &[1])]).expect("acquired");
    assert_eq!((partition.start_offset(), partition.batch_count()), (20, 0));
}

#[test]
fn a_log_that_starts_later_takes_what_is_available_with_it_not_what_is_acquired() {
    let mut partition = fresh();
    assert_eq!(acquire(&mut partition, "a", 10, &LOG), [(0, 9, 1)]);
    assert_eq!(acquire(&mut partition, "b", 10, &LOG), [(10, 19, 1)]);
    acknowledge(&mut partition, "b", &[said(10, 19, &[2])]).expect("acquired");
    assert!(partition.log_start_moved(15));
    assert_eq!(partition.start_offset(), 15);
    assert_eq!(acquire(&mut partition, "b", 5, &LOG), [(15, 19, 2)]);
    // Too late: answered, and of no effect.
    assert_eq!(acknowledge(&mut partition, "a", &[said(0, 9, &[1])]), Ok(vec![]));
    assert!(!partition.log_start_moved(15));
    // Its lock ends, and the start does not go back.
    assert_eq!(partition.expire(&LIMITS, 30_000), 15);
    assert_eq!(partition.start_offset(), 15);
}

#[test]
fn records_of_aborted_transactions_are_given_to_nobody() {
    let kind = BatchKind::Transactional { producer_id: 7 };
    let of = |base_offset, last_offset, kind| FetchedBatch { base_offset, last_offset, kind };
    let batches = [
        of(0, 4, BatchKind::Plain),
        of(5, 9, kind),
        of(10, 12, BatchKind::Transactional { producer_id: 8 }),
        of(13, 13, BatchKind::AbortMarker { producer_id: 7 }),
        of(14, 15, kind),
    ];
    let aborted = [AbortedTransaction { producer_id: 7, first_offset: 5 }];
    let mut partition = fresh();
    let fetched = Fetched { fetch_offset: 0, batches: &batches, aborted: &aborted };
    let want = wanted("a", AcquireMode::BatchOptimized, 100);
    let acquired = partition.acquire(&want, fetched, &LIMITS, 0);
    let ranges: Vec<_> = acquired.iter().map(|a| (a.first_offset, a.last_offset)).collect();
    assert_eq!(ranges, [(0, 4), (10, 15)]);
    acknowledge(&mut partition, "a", &[said(0, 4, &[1])]).expect("acquired");
    assert_eq!(partition.start_offset(), 10);
}

#[test]
fn nothing_but_aborted_records_leaves_nothing_in_flight() {
    let kind = BatchKind::Transactional { producer_id: 7 };
    let batches = [FetchedBatch { base_offset: 0, last_offset: 9, kind }];
    let aborted = [AbortedTransaction { producer_id: 7, first_offset: 0 }];
    let mut partition = fresh();
    let fetched = Fetched { fetch_offset: 0, batches: &batches, aborted: &aborted };
    let want = wanted("a", AcquireMode::BatchOptimized, 100);
    assert_eq!(partition.acquire(&want, fetched, &LIMITS, 0), []);
    assert_eq!((partition.start_offset(), partition.in_flight()), (10, 0));
}

#[test]
fn a_lock_ends_and_the_record_is_available_again_until_it_was_delivered_often_enough() {
    let mut partition = loaded(0, &[(0, 9, Available, 3)]);
    let limits = Limits { delivery_count: 4, ..LIMITS };
    let want = wanted("a", AcquireMode::RecordLimit, 2);
    assert_eq!(acquire_as(&mut partition, &want, &[(0, 9)], &limits, 0), [(0, 0, 4)]);
    assert_eq!(partition.next_timeout(), Some(30_000));
    assert_eq!(partition.expire(&limits, 29_999), 0);
    assert_eq!(partition.expire(&limits, 30_000), 1);
    let write = partition.next_write().expect("the timeout is persisted");
    assert_eq!(write.batches, [batch(0, 0, Archived, 4)]);
    partition.written(true, 30_000);
    assert_eq!((partition.start_offset(), partition.next_fetch_offset()), (1, 1));
}

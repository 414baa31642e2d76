//! What a share partition makes of its persisted state.

use super::RecordState::{Acknowledged, Archived, Available};
use super::*;

#[test]
fn what_is_done_with_is_passed_at_once() {
    let partition = loaded(0, &[(0, 4, Acknowledged, 1), (5, 9, Available, 2)]);
    assert_eq!((partition.start_offset(), partition.end_offset()), (5, 9));
    let partition = loaded(0, &[(0, 4, Acknowledged, 1), (5, 9, Archived, 5)]);
    assert_eq!((partition.start_offset(), partition.end_offset()), (10, 10));
    assert_eq!(partition.batch_count(), 0);
}

#[test]
fn what_lies_open_between_state_batches_is_read_again() {
    let mut partition = loaded(10, &[(21, 30, Acknowledged, 1), (41, 50, Available, 2)]);
    assert_eq!(partition.next_fetch_offset(), 10);
    let log = [(10, 20), (21, 30), (31, 40), (41, 50), (51, 60)];
    assert_eq!(acquire(&mut partition, "m", 11, &log), [(10, 20, 1)]);
    assert_eq!(partition.next_fetch_offset(), 31);
    let acquired = acquire(&mut partition, "m", 100, &log[2..]);
    assert_eq!(acquired, [(31, 40, 1), (41, 50, 3), (51, 60, 1)]);
    assert_eq!(partition.next_fetch_offset(), 61);
}

#[test]
fn an_open_beginning_that_the_log_has_no_more_does_not_hold_the_start() {
    let mut partition = loaded(10, &[(21, 30, Acknowledged, 1)]);
    assert_eq!(partition.start_offset(), 10);
    let log = [(40, 45)];
    assert_eq!(acquire(&mut partition, "m", 100, &log), [(40, 45, 1)]);
    acknowledge(&mut partition, "m", &[said(40, 45, &[1])]).expect("acquired");
    assert_eq!((partition.start_offset(), partition.batch_count()), (46, 0));
}

#[test]
fn state_that_makes_no_sense_is_refused() {
    let load = |start_offset, batches: &[(i64, i64)]| {
        let batches = batches.iter().map(|(first, last)| batch(*first, *last, Available, 1));
        let batches = batches.collect();
        SharePartition::load(PersistedState { state_epoch: 0, start_offset, batches }).unwrap_err()
    };
    let below = InvalidState::BelowStart { first_offset: 4, start_offset: 5 };
    assert_eq!(load(5, &[(4, 9)]), below);
    let reversed = InvalidState::Reversed { first_offset: 9, last_offset: 8 };
    assert_eq!(load(5, &[(9, 8)]), reversed);
    assert_eq!(load(5, &[(5, 9), (9, 9)]), InvalidState::Overlapping { first_offset: 9 });
}

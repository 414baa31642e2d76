//! Snapshots keep what Kafka's keep, and the window wraps as Kafka's does.

use std::sync::Arc;

use super::entry::{BatchMetadata, ProducerEntry};
use super::snapshot;
use super::unstable::Unstable;
use super::{CompletedTransaction, ProducerState, VerificationGuard};

#[test]
fn a_snapshot_reads_back_and_any_flipped_byte_is_noticed() {
    let mut entry = ProducerEntry::empty(7);
    let batch = BatchMetadata { last_sequence: 9, last_offset: 40, offset_delta: 3, timestamp: 5 };
    entry.add_batch(2, batch);
    entry.transaction_first_offset = Some(37);
    let bytes = snapshot::encode(std::iter::once(&entry));
    assert_eq!(bytes.len(), 10 + 46);
    assert_eq!(snapshot::decode(&bytes), Ok(vec![entry]));
    for position in 0..bytes.len() {
        let mut damaged = bytes.clone();
        damaged[position] ^= 1;
        assert!(snapshot::decode(&damaged).is_err(), "byte {position} went unnoticed");
        assert!(snapshot::decode(&bytes[..position]).is_err());
    }
}

#[test]
fn sequences_of_a_batch_wrap_from_the_largest_to_zero() {
    let batch = BatchMetadata { last_sequence: 1, last_offset: 10, offset_delta: 3, timestamp: 0 };
    assert_eq!(batch.first_sequence(), i32::MAX - 1);
    assert_eq!(batch.first_offset(), 7);
}

#[test]
fn five_batches_are_remembered_and_a_new_epoch_forgets_them() {
    let mut entry = ProducerEntry::empty(1);
    for number in 0..7 {
        let last_offset = i64::from(number);
        let batch =
            BatchMetadata { last_sequence: number, last_offset, offset_delta: 0, timestamp: 0 };
        entry.add_batch(0, batch);
    }
    assert!(entry.duplicate_of(0, 1, 1).is_none());
    assert!((2..7).all(|number| entry.duplicate_of(0, number, number).is_some()));
    assert!(entry.duplicate_of(1, 6, 6).is_none());
    entry.enter_epoch(1);
    assert_eq!(entry.last_sequence(), -1);
}

#[test]
fn the_last_stable_offset_waits_for_markers_and_for_their_replication() {
    let unstable = Unstable::default();
    assert_eq!(unstable.last_stable_offset(50), 50);
    unstable.begin(1, 10);
    unstable.begin(2, 20);
    assert_eq!(unstable.last_stable_offset(50), 10);
    let done =
        CompletedTransaction { producer_id: 1, first_offset: 10, last_offset: 30, aborted: true };
    assert_eq!(unstable.stable_after(&done), 20);
    unstable.complete(&done);
    assert_eq!(unstable.last_stable_offset(30), 10);
    assert_eq!(unstable.last_stable_offset(31), 20);
    unstable.decided_below(31);
    assert_eq!(unstable.last_stable_offset(30), 20);
}

#[test]
fn a_guard_counts_once_and_only_for_its_transaction() {
    let mut state = ProducerState::new(Arc::new(Unstable::default()), 1000);
    let first = state.begin_verification(9, 0, 1, true, 0).unwrap();
    assert_eq!(state.begin_verification(9, 4, 1, true, 0).unwrap(), first);
    assert!(state.is_verified(9, first) && !state.is_verified(9, VerificationGuard::NONE));
    state.expire(1000);
    let second = state.begin_verification(9, 0, 2, true, 1000).unwrap();
    assert!(!state.is_verified(9, first) && state.is_verified(9, second));
}

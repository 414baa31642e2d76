//! What becomes of acknowledgements, in tables.

use super::AcknowledgeError::*;
use super::RecordState::{Acknowledged, Archived, Available};
use super::*;

const LOG: [(i64, i64); 3] = [(0, 9), (10, 19), (20, 29)];

/// `a` has 0 to 9, `b` 10 to 19.
fn shared() -> SharePartition {
    let mut partition = fresh();
    assert_eq!(acquire(&mut partition, "a", 10, &LOG), [(0, 9, 1)]);
    assert_eq!(acquire(&mut partition, "b", 10, &LOG), [(10, 19, 1)]);
    partition
}

#[test]
fn each_type_has_its_state_and_only_what_is_done_with_moves_the_start() {
    for (first, last, types, persisted, start) in [
        (0, 9, vec![1], vec![batch(0, 9, Acknowledged, 1)], 10),
        (0, 9, vec![3], vec![batch(0, 9, Archived, 1)], 10),
        (0, 9, vec![0], vec![batch(0, 9, Archived, 1)], 10),
        (0, 9, vec![2], vec![batch(0, 9, Available, 1)], 0),
        (0, 4, vec![1], vec![batch(0, 4, Acknowledged, 1)], 5),
        (5, 9, vec![1], vec![batch(5, 9, Acknowledged, 1)], 0),
        (
            0,
            3,
            vec![1, 1, 2, 0],
            vec![batch(0, 1, Acknowledged, 1), batch(2, 2, Available, 1), batch(3, 3, Archived, 1)],
            2,
        ),
        (0, 9, vec![4], vec![], 0),
    ] {
        let mut partition = shared();
        let written = acknowledge(&mut partition, "a", &[said(first, last, &types)]);
        assert_eq!(written, Ok(persisted), "{types:?}");
        assert_eq!(partition.start_offset(), start, "{types:?}");
    }
}

#[test]
fn what_is_refused_changes_nothing() {
    for (member, batches, refused) in [
        ("b", vec![said(0, 9, &[1])], NotOwnerOfBatch),
        ("c", vec![said(12, 13, &[1])], NotOwnerOfBatch),
        ("a", vec![said(0, 19, &[1])], NotOwnerOfBatch),
        ("b", vec![said(10, 29, &[1])], LastOffsetPast),
        ("b", vec![said(25, 29, &[1])], FirstOffsetPast),
        ("a", vec![said(0, 3, &[1]), said(2, 5, &[1])], OffsetNotAcquired),
        ("a", vec![said(0, 9, &[1]), said(0, 9, &[1])], BatchNotAcquired),
    ] {
        let mut partition = shared();
        assert_eq!(acknowledge(&mut partition, member, &batches), Err(refused), "{batches:?}");
        assert_eq!(partition.next_write(), None, "{batches:?}");
        // Those who have the records can still say what became of them.
        acknowledge(&mut partition, "a", &[said(0, 9, &[1])]).expect("a has them");
        acknowledge(&mut partition, "b", &[said(10, 19, &[1])]).expect("b has them");
        assert_eq!((partition.start_offset(), partition.batch_count()), (20, 0));
    }
    let mut nothing = loaded(5, &[]);
    assert_eq!(acknowledge(&mut nothing, "a", &[said(5, 9, &[1])]), Err(NotInFlight));
    assert_eq!(acknowledge(&mut nothing, "a", &[said(0, 4, &[1])]), Ok(vec![]));
}

#[test]
fn locks_are_renewed_only_where_the_group_lets_them() {
    let mut partition = shared();
    let renew = [said(0, 9, &[4])];
    assert_eq!(partition.acknowledge("a", &renew, &LIMITS, 20_000), Ok(None));
    assert_eq!(partition.expire(&LIMITS, 30_000), 10, "b's are over, a's are not");
    assert_eq!(partition.expire(&LIMITS, 49_999), 0);
    let strict = Limits { renew: false, ..LIMITS };
    assert_eq!(partition.acknowledge("a", &renew, &strict, 49_999), Err(RenewDisabled));
    assert_eq!(partition.expire(&LIMITS, 50_000), 10);
}

#[test]
fn nothing_counts_until_the_persister_has_it() {
    let mut partition = shared();
    let token = partition.acknowledge("a", &[said(0, 9, &[2])], &LIMITS, 0).expect("a has them");
    assert_eq!(partition.next_fetch_offset(), 20, "released, but not yet");
    partition.next_write().expect("a write");
    // What comes meanwhile waits for its turn, and goes out as one.
    let others = [said(10, 14, &[1])];
    let second = partition.acknowledge("b", &others, &LIMITS, 0).expect("b has them");
    let third = partition.acknowledge("b", &[said(15, 19, &[1])], &LIMITS, 0).expect("b has them");
    assert_eq!(partition.next_write(), None);
    let written = partition.written(true, 0);
    assert_eq!((written.answered, written.acquirable), (vec![token.expect("one")], true));
    assert_eq!(partition.next_fetch_offset(), 0);
    let write = partition.next_write().expect("the rest");
    assert_eq!(write.batches, [batch(10, 19, Acknowledged, 1)]);
    assert_eq!((write.start_offset, write.delivery_complete_count), (0, 10));
    assert_eq!(partition.written(true, 0).answered, [second, third].map(|t| t.expect("one")));
}

#[test]
fn what_the_persister_refuses_is_as_it_was_unless_its_lock_is_over() {
    for (now_ms, again) in [(29_999, 20), (30_000, 0)] {
        let mut partition = shared();
        partition.acknowledge("a", &[said(0, 9, &[1])], &LIMITS, 0).expect("a has them");
        partition.next_write().expect("a write");
        assert_eq!(partition.expire(&LIMITS, now_ms), if now_ms == 30_000 { 10 } else { 0 });
        partition.written(false, now_ms);
        partition.invariants().expect("sound");
        assert_eq!(partition.start_offset(), 0);
        let available = partition.next_fetch_offset();
        assert_eq!(available, again, "at {now_ms}");
        let again = acknowledge(&mut partition, "a", &[said(0, 9, &[1])]);
        assert_eq!(again.is_ok(), available == 20);
    }
}

#[test]
fn a_member_that_leaves_gives_back_what_it_has() {
    let mut partition = shared();
    acknowledge(&mut partition, "a", &[said(0, 4, &[1])]).expect("a has them");
    let token = partition.release("a", &LIMITS).expect("something to give back");
    assert_eq!(partition.next_write().expect("a write").batches, [batch(5, 9, Available, 1)]);
    assert_eq!(partition.written(true, 0).answered, [token]);
    assert_eq!(acquire(&mut partition, "b", 5, &LOG), [(5, 9, 2)]);
    assert_eq!(partition.release("a", &LIMITS), None);
}

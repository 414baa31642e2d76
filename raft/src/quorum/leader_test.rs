//! What moves the high watermark, and what keeps a leader in office.

use super::*;
use uuid::Uuid;

fn key(id: i32) -> ReplicaKey {
    ReplicaKey { id, directory_id: Uuid::nil() }
}

fn at(ms: i64) -> QuorumNow {
    QuorumNow { monotonic_ms: ms, wall_ms: 1_000_000 + ms, seed: 0 }
}

fn leader(voters: i32) -> Leader {
    let voters = (1..=voters).map(|id| (id, "localhost".to_owned(), 9093));
    let voters = VoterSet::from_configuration("CONTROLLER", voters);
    Leader::new(4, 10, key(1), &voters, 2_000, 0)
}

#[test]
fn a_lone_leader_commits_what_it_synced_from_its_own_epoch_on() {
    let mut leader = leader(1);
    assert!(!leader.synced(10), "nothing of its own epoch");
    assert_eq!(leader.high_watermark(), None);
    assert!(leader.synced(11));
    assert_eq!(leader.high_watermark(), Some(11));
    assert!(!leader.synced(11));
    assert!(!leader.synced(5), "the high watermark never falls");
    assert_eq!(leader.high_watermark(), Some(11));
    assert_eq!(leader.check_quorum_deadline_ms(), i64::MAX);
}

#[test]
fn the_high_watermark_is_what_a_majority_has() {
    for (voters, own, others, wanted) in [
        (3, 20, &[][..], None),
        (3, 20, &[(2, 10)], None),
        (3, 20, &[(2, 11)], Some(11)),
        (3, 20, &[(2, 15), (3, 18)], Some(18)),
        (3, 12, &[(2, 15), (3, 18)], Some(15)),
        (4, 20, &[(2, 15)], None),
        (4, 20, &[(2, 15), (3, 12)], Some(12)),
        (5, 20, &[(2, 15), (3, 12)], Some(12)),
        (3, 20, &[(9, 15)], None),
    ] {
        let mut leader = leader(voters);
        leader.synced(own);
        for (id, offset) in others {
            leader.fetched(key(*id), *offset, &at(1));
        }
        assert_eq!(leader.high_watermark(), wanted, "{voters} voters, {own}, {others:?}");
    }
}

#[test]
fn a_majority_that_fetches_keeps_the_leader_in_office() {
    let mut leader = leader(5);
    assert_eq!(leader.check_quorum_deadline_ms(), 3_000);
    leader.fetched(key(2), 10, &at(1_000));
    leader.fetched(key(2), 10, &at(1_500));
    leader.fetched(key(9), 10, &at(1_500));
    assert_eq!(leader.check_quorum_deadline_ms(), 3_000, "one is not enough");
    leader.heard_of(key(3), &at(2_000));
    assert_eq!(leader.check_quorum_deadline_ms(), 5_000);
}

#[test]
fn who_has_most_comes_first_and_observers_are_forgotten() {
    let mut leader = leader(4);
    leader.fetched(key(3), 15, &at(1));
    leader.fetched(key(4), 12, &at(1));
    leader.fetched(key(9), 12, &at(1));
    leader.fetched(ReplicaKey { id: -1, ..key(0) }, 12, &at(1));
    assert_eq!(leader.successors(), [key(3), key(4), key(2)]);
    assert_eq!(leader.observers().len(), 1);
    leader.fetched(key(3), 15, &at(300_002));
    assert_eq!(leader.observers().len(), 0);
}

#[test]
fn who_fetches_at_the_end_is_caught_up() {
    let mut leader = leader(3);
    leader.synced(20);
    leader.fetched(key(2), 15, &at(5));
    let seen = |leader: &Leader| {
        let voter = leader.voters(0)[1];
        (voter.last_fetch_ms, voter.last_caught_up_ms)
    };
    assert_eq!(seen(&leader), (1_000_005, -1));
    leader.synced(30);
    leader.fetched(key(2), 20, &at(9));
    assert_eq!(seen(&leader), (1_000_009, 1_000_005), "it has what was there when it last asked");
    leader.fetched(key(2), 30, &at(12));
    assert_eq!(seen(&leader), (1_000_012, 1_000_012));
}

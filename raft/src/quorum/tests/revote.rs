//! Votes for logs: one that is on the disk, and one that became shorter (docs/decisions/0112).

use super::super::role::Role;
use super::super::unattached::Unattached;
use super::world::World;
use super::*;

fn asked_for_votes(world: &World, id: i32) -> bool {
    world.sent.iter().any(|(from, _, sent)| *from == id && matches!(sent, PeerRequest::Vote(_)))
}

#[test]
fn nobody_claims_a_log_that_is_not_synced() {
    let mut world = World::of(&[1, 2, 3]);
    world.run(300);
    assert_eq!(world.leader(), Some(1));
    let before = world.end(1);
    // The disk of 2 is slow: what it gets is in memory only.
    world.stalled.insert(2);
    world.propose(1, 3);
    world.run(20);
    assert_eq!((world.end(2), world.nodes[&1].high_watermark()), (before + 3, Some(before + 3)));
    // 3 hears of nothing, so that 2 alone could stand.
    for link in [(2, 3), (3, 2)] {
        world.cut.insert(link);
    }
    world.cut_off(1);
    world.crash(1);
    world.sent.clear();
    world.step(2, Event::PeerGone { id: 1 });
    world.run(5_000);
    assert!(!asked_for_votes(&world, 2));
    world.stalled.remove(&2);
    let end_offset = world.disks[&2].borrow_mut().sync();
    let generation = world.nodes[&2].generation;
    world.step(2, Event::LogSynced { end_offset, generation });
    world.run(5_000);
    assert!(asked_for_votes(&world, 2), "what it has is on the disk now");
}

#[test]
fn a_vote_is_given_again_only_to_a_log_that_is_not_behind() {
    let candidate = ReplicaKey { id: 2, directory_id: directory(2) };
    let other = ReplicaKey { id: 3, directory_id: directory(3) };
    let voted = Some(candidate);
    let unattached = Unattached { epoch: 5, leader_id: None, voted, election_deadline_ms: 0 };
    let role = Role::Unattached(unattached);
    for (asking, up_to_date, granted) in
        [(candidate, true, true), (candidate, false, false), (other, true, false)]
    {
        assert_eq!(role.grants(asking, up_to_date, false), granted, "{asking:?} {up_to_date}");
    }
}

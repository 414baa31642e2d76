//! What hangs on a single comparison or guard: the first node id, a snapshot that the log does not
//! need yet, who has to wake up by itself.

use protocol::records::control::ControlRecord;

use super::super::kraft::KRaftHistory;
use super::world::World;
use super::*;

#[test]
fn the_last_change_of_the_voters_is_where_its_record_stands() {
    let voters = settings(&[1, 2, 3]).static_voters;
    let mut history = KRaftHistory::new(voters.clone());
    assert_eq!(history.last_change(), None);
    for offset in [7, 9] {
        history.replay(offset, &ControlRecord::Voters(voters.to_record()));
        assert_eq!(history.last_change(), Some(offset));
    }
}

#[test]
fn a_leader_that_resigned_wakes_up_by_itself() {
    let mut world = World::of(&[1, 2, 3]);
    world.run(300);
    world.propose(1, 3);
    world.run(1_000);
    let leader = world.leader().unwrap();
    world.cut_off(leader);
    let mut resigned = None;
    for _ in 0..1_000 {
        world.run(10);
        if let Role::Resigned(role) = &world.nodes[&leader].role {
            resigned = Some((role.election_deadline_ms, world.nodes[&leader].next_deadline_ms()));
            break;
        }
    }
    let (election_deadline_ms, next_deadline_ms) = resigned.unwrap();
    assert!(next_deadline_ms <= election_deadline_ms);
}

#[test]
fn an_observer_never_plans_an_election() {
    let mut world = World::of(&[1, 2, 3]);
    world.run(300);
    world.start_with(settings_of(4, &[1, 2, 3]));
    world.run(300);
    let node = world.nodes.get_mut(&4).unwrap();
    node.become_unattached(9, None);
    let Role::Unattached(role) = &node.role else { panic!("it follows nobody in epoch 9") };
    assert_eq!((role.epoch, role.election_deadline_ms), (9, i64::MAX));
}

#[test]
fn who_has_installed_a_snapshot_fetches_on_at_once() {
    let mut world = World::of(&[1, 2, 3]);
    world.run(300);
    world.crash(3);
    world.propose(1, 20);
    world.run(100);
    world.snapshot(1);
    world.propose(1, 2);
    world.start(3);
    for _ in 0..1_000 {
        if world.loaded.is_empty() {
            world.run(1);
        }
    }
    assert_eq!(world.loaded.len(), 1);
    // No clock moves: only messages that follow from one another.
    while world.deliver() {}
    assert_eq!(world.content(3), world.content(1));
}

//! Three voters: what one writes, all get.

use super::world::World;
use super::*;

fn agreed(world: &World, ids: &[i32]) {
    for id in ids {
        assert_eq!(world.content(*id), world.content(ids[0]), "node {id}");
        assert_eq!(world.committed[id], world.committed[&ids[0]], "node {id}");
        assert_eq!(world.nodes[id].high_watermark(), Some(world.end(*id)), "node {id}");
    }
}

#[test]
fn a_fresh_quorum_elects_one_at_once_and_replicates() {
    let mut world = World::of(&[1, 2, 3]);
    world.run(300);
    assert_eq!((world.leader(), &world.activations[..]), (Some(1), &[(1, 1)][..]));
    world.propose(1, 5);
    world.run(100);
    assert_eq!(world.end(1), 6);
    agreed(&world, &[1, 2, 3]);
    assert!(world.nodes.values().all(|node| node.leader_id() == Some(1)));
    assert_eq!(world.nodes[&3].leader_address(), Some(("localhost".to_owned(), 9001)));
}

#[test]
fn a_quiet_quorum_keeps_its_leader() {
    let mut world = World::of(&[1, 2, 3]);
    world.run(60_000);
    assert_eq!(world.activations, [(1, 1)]);
}

#[test]
fn a_killed_leader_is_replaced_at_once_where_that_is_noticed_and_what_was_committed_stays() {
    let mut world = World::of(&[1, 2, 3]);
    world.run(300);
    world.propose(1, 3);
    world.run(50);
    world.crash(1);
    for id in [2, 3] {
        world.step(id, Event::PeerGone { id: 1 });
    }
    world.run(150);
    assert_eq!(world.activations, [(1, 1), (2, 2)]);
    world.propose(2, 2);
    world.run(50);
    world.start(1);
    world.run(200);
    agreed(&world, &[1, 2, 3]);
    assert_eq!(world.content(1).len(), 7);
}

#[test]
fn two_that_stand_at_the_same_moment_try_again_at_once() {
    let mut world = World::of(&[1, 2, 3]);
    world.run(300);
    world.crash(1);
    for id in [2, 3] {
        world.step(id, Event::PeerGone { id: 1 });
    }
    world.now_ms += 100;
    for id in [2, 3] {
        world.step(id, Event::TimePassed);
    }
    world.run(15);
    assert_eq!(world.leader(), None, "each has its own vote");
    assert!([2, 3].iter().all(|id| world.nodes[id].epoch() == 2));
    world.run(400);
    assert!(world.leader().is_some_and(|leader| world.nodes[&leader].epoch() > 2));
}

#[test]
fn a_killed_leader_that_nobody_notices_is_replaced_when_its_time_is_over() {
    let mut world = World::of(&[1, 2, 3]);
    world.run(300);
    world.cut_off(1);
    world.run(7_000);
    assert_eq!(world.activations.len(), 2);
    assert!(!world.nodes[&1].is_leader(), "it heard of no majority");
    assert_eq!(world.nodes[&1].epoch(), 2, "it told itself apart but bothered nobody");
    world.cut.clear();
    world.run(3_000);
    assert_eq!(world.activations.len(), 2, "it comes back as a follower");
    agreed(&world, &[1, 2, 3]);
}

#[test]
fn a_wrong_guess_about_the_leader_changes_nothing() {
    let mut world = World::of(&[1, 2, 3]);
    world.run(300);
    world.step(3, Event::PeerGone { id: 1 });
    world.run(3_000);
    assert_eq!(world.activations, [(1, 1)]);
    assert_eq!(world.nodes[&3].leader_id(), Some(1));
    assert!(world.nodes.values().all(|node| node.epoch() == 1));
}

#[test]
fn what_no_majority_had_is_cut_off() {
    let mut world = World::of(&[1, 2, 3]);
    world.run(300);
    world.cut_off(1);
    world.propose(1, 4);
    world.run(6_000);
    let leader = world.leader().unwrap();
    assert_ne!(leader, 1);
    world.propose(leader, 2);
    world.run(100);
    assert_eq!(world.content(1).len(), 5, "it still has its own");
    world.cut.clear();
    world.run(3_000);
    agreed(&world, &[1, 2, 3]);
    assert_eq!(world.content(1).len(), 4);
}

#[test]
fn a_follower_that_lost_much_gets_a_snapshot() {
    let mut world = World::of(&[1, 2, 3]);
    world.run(300);
    world.crash(3);
    world.propose(1, 20);
    world.run(100);
    let snapshot = world.snapshot(1);
    world.propose(1, 2);
    world.start(3);
    world.run(300);
    assert_eq!(world.loaded, [(3, snapshot)]);
    assert_eq!(world.nodes[&3].log().log_start_offset(), snapshot.end_offset);
    assert_eq!(world.content(3), world.content(1));
    assert_eq!(world.nodes[&3].high_watermark(), Some(world.end(1)));
}

#[test]
fn a_leader_that_stops_hands_over_to_the_one_that_has_most() {
    let mut world = World::of(&[1, 2, 3]);
    world.run(300);
    world.cut.insert((2, 1));
    world.propose(1, 3);
    world.run(10);
    assert!(!world.nodes[&1].may_stop());
    world.cut.clear();
    world.step(1, Event::ShutdownRequested);
    world.run(40);
    assert_eq!(world.activations, [(1, 1), (3, 2)]);
    assert!(world.nodes[&1].may_stop());
}

#[test]
fn a_whole_quorum_that_was_killed_comes_back_with_everything() {
    let mut world = World::of(&[1, 2, 3]);
    world.run(300);
    world.propose(1, 3);
    world.run(50);
    let before = world.content(1);
    for id in [1, 2, 3] {
        world.crash(id);
    }
    for id in [1, 2, 3] {
        world.start(id);
    }
    world.run(400);
    assert_eq!(world.activations.len(), 2);
    agreed(&world, &[1, 2, 3]);
    assert_eq!(world.content(1)[..4], before[..]);
}

#[test]
fn an_observer_follows_by_bootstrap_servers_and_is_seen() {
    let mut world = World::of(&[1, 2, 3]);
    world.run(300);
    let mut settings = settings_of(7, &[]);
    settings.bootstrap_servers =
        vec![("localhost".to_owned(), 9003), ("localhost".to_owned(), 9002)];
    world.start_with(settings);
    world.propose(1, 3);
    world.run(1_000);
    assert_eq!(world.content(7), world.content(1));
    assert_eq!(world.committed[&7], world.committed[&1]);
    let (voters, observers) = world.nodes[&1].progress(world.now_ms);
    assert_eq!((voters.len(), observers[0].key.id, observers[0].end_offset), (3, 7, 4));
    world.crash(1);
    [2, 3].iter().for_each(|id| world.step(*id, Event::PeerGone { id: 1 }));
    world.run(1_000);
    assert_eq!(world.content(7), world.content(2), "it finds the next leader");
}

#[test]
fn a_disk_that_does_not_answer_commits_nothing() {
    let mut world = World::of(&[1, 2, 3]);
    world.run(300);
    world.stalled = [2, 3].into();
    world.propose(1, 3);
    world.run(1_000);
    assert_eq!(world.nodes[&1].high_watermark(), Some(1));
    assert_eq!(world.end(2), 4, "it has them, but not for sure");
}

#[test]
fn who_stood_stands_anew_after_a_crash_unless_it_had_heard_of_a_leader() {
    let mut world = World::of(&[1, 2, 3]);
    let own = ReplicaKey { id: 1, directory_id: directory(1) };
    for (leader_id, wanted) in [(Some(2), Some(2)), (None, None)] {
        world.crash(1);
        let state = ElectionState { epoch: 7, leader_id, voted: Some(own), voters: vec![] };
        world.disks[&1].borrow_mut().vote = Some(state.to_json(0));
        world.cut_off(1);
        world.start(1);
        let node = &world.nodes[&1];
        assert_eq!((node.leader_id(), node.epoch()), (wanted, 7));
        assert!(!matches!(node.role, Role::Candidate(_)), "its epoch is over");
        assert_eq!(
            node.role.voted().map(|voted| voted.id),
            Some(1),
            "nobody else gets its vote of epoch 7"
        );
    }
}

#[test]
fn a_dead_leader_is_replaced_soon_after_the_last_voter_has_missed_it() {
    let mut slowest = 0;
    for (ahead, behind) in [(2, 3), (3, 2), (2, 2)] {
        for later_ms in (5..600).step_by(7) {
            let mut world = World::of(&[1, 2, 3]);
            world.run(300);
            if ahead != behind {
                world.cut.insert((behind, 1));
            }
            world.propose(1, 3);
            world.run(20);
            world.crash(1);
            world.cut.clear();
            world.step(2, Event::PeerGone { id: 1 });
            world.run(later_ms);
            world.step(3, Event::PeerGone { id: 1 });
            let missed_ms = world.now_ms;
            while world.leader().is_none() {
                world.run(1);
            }
            slowest = slowest.max(world.now_ms - missed_ms);
        }
    }
    assert!(slowest <= 100, "{slowest} ms");
}

//! Rebalances: how long they wait, and whom they wait for.

use super::super::*;
use super::harness::*;

#[test]
fn the_first_rebalance_waits_longer_while_members_come() {
    let mut bench = Bench::new();
    let (_, first) = bench.admit(&["range"]);
    bench.pass(2_000);
    let (_, second) = bench.admit(&["range"]);
    bench.pass(1_500);
    assert!(bench.is_parked(first), "extended by the second member");
    bench.pass(2_500);
    assert_eq!((bench.joined(first).generation, bench.joined(second).generation), (1, 1));
}

#[test]
fn the_first_rebalance_waits_no_longer_than_the_rebalance_timeout() {
    let mut bench = Bench::new();
    let request = |member: &str| join_request(member, &["range"]).with_rebalance_timeout_ms(7_000);
    let mut joins = Vec::new();
    for _ in 0..4 {
        let first = bench.join_as(9, &request(""));
        let member = bench.joined(first).member_id;
        joins.push(bench.join_as(9, &request(&member)));
        bench.pass(1_900);
    }
    assert!(joins.iter().any(|join| !bench.is_parked(*join)), "7000 ms have passed");
}

#[test]
fn without_a_delay_the_first_member_starts_at_once() {
    let settings = GroupSettings { initial_rebalance_delay_ms: 0, ..GroupSettings::default() };
    let mut bench = Bench::with(settings);
    let (_, join) = bench.admit(&["range"]);
    bench.pass(0);
    assert_eq!(bench.joined(join).generation, 1);
}

#[test]
fn a_new_member_makes_the_others_rejoin() {
    let mut bench = Bench::new();
    let (first, second) = bench.stable_pair();
    let (third, third_join) = bench.admit(&["range"]);
    assert_eq!(bench.group().state, GroupState::PreparingRebalance);
    assert_eq!(bench.heartbeat(&first, 1), Err(GroupError::RebalanceInProgress));
    assert!(bench.said(&format!(
        "Preparing to rebalance group g in state PreparingRebalance with old generation 1 \
         (reason: Adding new member {third} with group instance id null; client reason: not \
         provided)."
    )));
    bench.join(&first, &["range"]);
    assert!(bench.is_parked(third_join));
    bench.join(&second, &["range"]);
    assert_eq!(bench.joined(third_join).generation, 2);
}

#[test]
fn a_pending_member_holds_the_join_phase_open() {
    let mut bench = Bench::new();
    let (first, second) = bench.stable_pair();
    let pending = bench.join("", &["range"]);
    let pending = bench.joined(pending).member_id;
    let first_join = bench.join(&first, &["range"]);
    bench.join(&second, &["range"]);
    assert!(bench.is_parked(first_join));
    bench.join(&pending, &["range"]);
    assert_eq!(bench.joined(first_join).generation, 2);
}

#[test]
fn the_rebalance_timeout_drops_who_has_not_rejoined() {
    let mut bench = Bench::new();
    let (first, second) = bench.stable_pair();
    let rejoined = bench.join(&first, &["range"]);
    for _ in 0..8 {
        bench.pass(7_000);
        let _ = bench.heartbeat(&second, 1);
    }
    assert!(bench.is_parked(rejoined));
    bench.pass(4_000);
    assert_eq!(bench.joined(rejoined).members.len(), 1);
    assert!(bench.said(&format!("Group g removed dynamic members who haven't joined: [{second}]")));
    assert_eq!(bench.heartbeat(&second, 1), Err(GroupError::UnknownMember));
}

#[test]
fn a_leader_that_does_not_rejoin_is_replaced() {
    let mut bench = Bench::new();
    let (first, second) = bench.stable_pair();
    bench.admit(&["range"]);
    let rejoined = bench.join(&second, &["range"]);
    for _ in 0..9 {
        let _ = bench.heartbeat(&first, 1);
        bench.pass(7_000);
    }
    assert_ne!(bench.joined(rejoined).leader, first);
    assert!(bench.group().members.iter().all(|member| member.member_id != first));
}

#[test]
fn a_member_that_is_not_heard_of_is_removed_and_the_rest_rebalances() {
    let mut bench = Bench::new();
    let (first, second) = bench.stable_pair();
    bench.pass(9_000);
    assert_eq!(bench.heartbeat(&first, 1), Ok(()));
    bench.pass(1_000);
    assert!(
        bench.said(&format!("Member {second} in group g has failed, removing it from the group."))
    );
    assert_eq!(bench.heartbeat(&first, 1), Err(GroupError::RebalanceInProgress));
    let rejoined = bench.join(&first, &["range"]);
    assert_eq!(bench.joined(rejoined).generation, 2);
}

#[test]
fn a_parked_join_of_an_old_member_outlives_its_session() {
    let mut bench = Bench::new();
    let (first, second) = bench.stable_pair();
    let parked = bench.join(&first, &["range"]);
    for _ in 0..5 {
        bench.pass(9_000);
        let _ = bench.heartbeat(&second, 1);
    }
    assert!(bench.is_parked(parked));
    bench.join(&second, &["range"]);
    assert_eq!(bench.joined(parked).generation, 2);
}

#[test]
fn a_new_members_parked_join_is_given_up_after_five_minutes() {
    let settings =
        GroupSettings { initial_rebalance_delay_ms: 1_000_000, ..GroupSettings::default() };
    let mut bench = Bench::with(settings);
    let (_, parked) = bench.admit(&["range"]);
    bench.pass(299_999);
    assert!(bench.is_parked(parked));
    bench.pass(1);
    assert_eq!(bench.joined(parked).error, Some(GroupError::UnknownMember));
    assert_eq!(bench.group().state, GroupState::Empty);
}

#[test]
fn nobody_rejoining_waits_for_the_static_members_sessions() {
    let mut bench = Bench::new();
    let request = join_request("", &["range"])
        .with_group_instance_id(Some(text("i")))
        .with_session_timeout_ms(100_000);
    let joined = bench.join_as(9, &request);
    bench.pass(3_000);
    let member = bench.joined(joined).member_id;
    bench.sync(&member, 1, &[]);
    let (dynamic, _) = bench.admit(&["range"]);
    bench.leave(&[(&dynamic, None)]);
    bench.pass(60_000);
    assert!(bench.said("Group g could not complete rebalance because no members rejoined."));
    bench.pass(60_000);
    assert_eq!(bench.group().state, GroupState::Empty);
}

#[test]
fn members_that_do_not_sync_are_dropped() {
    let mut bench = Bench::new();
    let (first, _) = bench.admit(&["range"]);
    let (second, _) = bench.admit(&["range"]);
    bench.pass(6_000);
    bench.sync(&first, 1, &[(&first, "one"), (&second, "two")]);
    assert_eq!(bench.group().state, GroupState::Stable);
    for _ in 0..8 {
        let _ = bench.heartbeat(&first, 1);
        let _ = bench.heartbeat(&second, 1);
        bench.pass(8_000);
    }
    assert!(bench.said(&format!(
        "Group g removed members who haven't sent their sync requests: [{second}]"
    )));
    assert_eq!(bench.heartbeat(&second, 1), Err(GroupError::UnknownMember));
}

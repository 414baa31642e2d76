//! Static members: taken over at once, fenced, removed by their instance id.

use super::super::*;
use super::harness::*;
use crate::runtime::WriteFailure;

use protocol::messages::{JoinGroupRequest, OffsetCommitRequest};
use protocol::wire::StrBytes;

fn request(instance: &str, member: &str) -> JoinGroupRequest {
    join_request(member, &["range"]).with_group_instance_id(Some(text(instance)))
}

/// Two static members in a stable group, `a` its leader.
fn stable() -> (Bench, StrBytes, StrBytes) {
    let mut bench = Bench::new();
    let first = bench.join_as(9, &request("a", ""));
    let second = bench.join_as(9, &request("b", ""));
    bench.pass(6_000);
    let (first, second) = (bench.joined(first).member_id, bench.joined(second).member_id);
    bench.sync(&second, 1, &[]);
    bench.sync(&first, 1, &[(&first, "one"), (&second, "two")]);
    assert!(first.starts_with("a-") && second.starts_with("b-"));
    (bench, first, second)
}

#[test]
fn a_static_member_is_taken_over_at_once_and_without_a_rebalance() {
    let (mut bench, first, second) = stable();
    let reply = bench.join_as(9, &request("b", ""));
    let answer = bench.joined(reply);
    assert_eq!((answer.error, answer.generation, answer.skip_assignment), (None, 1, false));
    assert_eq!(answer.leader, first);
    assert_ne!(answer.member_id, second);
    assert_eq!(bench.group().state, GroupState::Stable);
    let sync = bench.sync(&answer.member_id, 1, &[]);
    assert_eq!(&bench.synced(sync).assignment[..], b"two");
    assert_eq!(bench.heartbeat(&second, 1), Err(GroupError::UnknownMember));
    assert_eq!(bench.durable_state(), bench.reloaded().durable_state());
}

#[test]
fn a_leader_that_is_taken_over_skips_the_assignment_from_version_9_on() {
    let (mut bench, ..) = stable();
    let reply = bench.join_as(9, &request("a", ""));
    let answer = bench.joined(reply);
    assert!(answer.skip_assignment);
    assert_eq!((answer.leader.clone(), answer.members.len()), (answer.member_id, 2));
}

#[test]
fn an_older_leader_that_is_taken_over_believes_its_former_self_leads() {
    let (mut bench, first, _) = stable();
    let reply = bench.join_as(8, &request("a", ""));
    let answer = bench.joined(reply);
    assert_eq!((answer.leader, answer.members.len(), answer.skip_assignment), (first, 0, false));
}

#[test]
fn whoever_holds_the_instance_id_no_longer_is_fenced() {
    let (mut bench, _, second) = stable();
    let reply = bench.join_as(9, &request("b", ""));
    let by = bench.joined(reply).member_id;
    let reply = bench.join_as(9, &request("b", &second));
    assert_eq!(bench.joined(reply).error, Some(GroupError::FencedInstance { by: by.clone() }));
    let commit = OffsetCommitRequest {
        group_instance_id: Some(text("b")),
        ..commit_request(&second, 1, &[("orders", 0, 5)])
    };
    let reply = bench.commit(&commit);
    assert_eq!(bench.committed(reply), Err(GroupError::FencedInstance { by: by.clone() }));
    assert!(bench.said(&format!(
        "Request memberId={second} for static member with groupInstanceId=b is fenced by existing \
         memberId={by} during operation offset-commit"
    )));
}

#[test]
fn a_takeover_answers_what_the_former_self_had_parked() {
    let mut bench = Bench::new();
    let first = bench.join_as(9, &request("a", ""));
    let second = bench.join_as(9, &request("a", ""));
    assert!(matches!(bench.joined(first).error, Some(GroupError::FencedInstance { .. })));
    bench.pass(6_000);
    assert_eq!((bench.joined(second).generation, bench.joined(second).members.len()), (1, 1));
}

#[test]
fn a_takeover_while_the_leader_assigns_starts_over() {
    let mut bench = Bench::new();
    bench.join_as(9, &request("a", ""));
    bench.join_as(9, &request("b", ""));
    bench.pass(6_000);
    assert_eq!(bench.group().state, GroupState::CompletingRebalance);
    let reply = bench.join_as(9, &request("b", ""));
    assert!(bench.is_parked(reply));
    assert_eq!(bench.group().state, GroupState::PreparingRebalance);
}

#[test]
fn a_takeover_that_changes_the_protocol_rebalances() {
    let mut bench = Bench::new();
    let both = |member: &str| {
        join_request(member, &["range", "sticky"]).with_group_instance_id(Some(text("a")))
    };
    let first = bench.join_as(9, &both(""));
    bench.pass(3_000);
    let member = bench.joined(first).member_id;
    bench.sync(&member, 1, &[]);
    let reply = bench.join_as(
        9,
        &join_request("", &["sticky", "range"]).with_group_instance_id(Some(text("a"))),
    );
    assert_eq!(bench.joined(reply).protocol_name, Some(text("sticky")));
    assert_eq!(bench.joined(reply).generation, 2);
}

#[test]
fn a_takeover_that_cannot_be_written_leaves_the_former_self_in_place() {
    let (mut bench, _, second) = stable();
    bench.writes_at_once = false;
    let reply = bench.join_as(9, &request("b", ""));
    assert!(bench.is_parked(reply));
    bench.finish_write(Err(WriteFailure::NotEnoughReplicas));
    let error = GroupError::WriteFailed(WriteFailure::NotEnoughReplicas);
    assert_eq!(bench.joined(reply).error, Some(error));
    assert_eq!(bench.heartbeat(&second, 1), Ok(()));
    assert_eq!(bench.durable_state(), bench.reloaded().durable_state());
}

#[test]
fn a_static_member_stays_through_a_rebalance_it_misses() {
    let (mut bench, first, second) = stable();
    bench.admit(&["range"]);
    bench.join_as(9, &request("a", &first));
    for _ in 0..10 {
        bench.pass(6_500);
        let _ = bench.heartbeat(&second, 1);
    }
    assert!(bench.group().members.iter().any(|member| member.member_id == second));
}

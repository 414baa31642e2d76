//! SyncGroup: who waits for the assignment, and who gets which.

use super::super::*;
use super::harness::*;
use crate::runtime::WriteFailure;

use protocol::messages::{GroupId, SyncGroupRequest};

fn completing() -> (Bench, protocol::wire::StrBytes, protocol::wire::StrBytes) {
    let mut bench = Bench::new();
    let (first, _) = bench.admit(&["range"]);
    let (second, _) = bench.admit(&["range"]);
    bench.pass(6_000);
    (bench, first, second)
}

#[test]
fn syncs_wait_for_the_leaders_assignment_and_for_its_write() {
    let (mut bench, first, second) = completing();
    let follower = bench.sync(&second, 1, &[]);
    assert!(bench.is_parked(follower));
    bench.writes_at_once = false;
    let leader = bench.sync(&first, 1, &[(&first, "one"), (&second, "two")]);
    assert!(bench.is_parked(leader), "not before it is written");
    assert_eq!(bench.group().state, GroupState::CompletingRebalance);
    bench.settle();
    assert_eq!(&bench.synced(leader).assignment[..], b"one");
    assert_eq!(&bench.synced(follower).assignment[..], b"two");
    assert_eq!(bench.synced(follower).protocol_name, Some(text("range")));
    assert_eq!(bench.group().state, GroupState::Stable);
}

#[test]
fn a_late_sync_takes_the_assignment_that_stands() {
    let (mut bench, first, second) = completing();
    bench.sync(&first, 1, &[(&first, "one"), (&second, "two")]);
    let late = bench.sync(&second, 1, &[]);
    assert_eq!(&bench.synced(late).assignment[..], b"two");
}

#[test]
fn a_member_the_leader_forgot_has_nothing() {
    let (mut bench, first, second) = completing();
    bench.sync(&first, 1, &[(&first, "one"), ("stranger", "x")]);
    let late = bench.sync(&second, 1, &[]);
    assert_eq!((bench.synced(late).error, bench.synced(late).assignment.len()), (None, 0));
}

#[test]
fn an_assignment_that_cannot_be_written_sends_everybody_back() {
    let (mut bench, first, second) = completing();
    let follower = bench.sync(&second, 1, &[]);
    bench.writes_at_once = false;
    let leader = bench.sync(&first, 1, &[(&first, "one")]);
    bench.finish_write(Err(WriteFailure::TimedOut));
    let error = Some(GroupError::WriteFailed(WriteFailure::TimedOut));
    assert_eq!((bench.synced(leader).error, bench.synced(follower).error), (error.clone(), error));
    assert_eq!(bench.group().state, GroupState::PreparingRebalance);
}

#[test]
fn an_assignment_of_a_generation_that_is_over_changes_nothing() {
    let (mut bench, first, second) = completing();
    bench.writes_at_once = false;
    let leader = bench.sync(&first, 1, &[(&first, "one"), (&second, "two")]);
    bench.join_as(9, &join_request("", &["range", "sticky"]));
    let rejoined = bench.join(&second, &["range", "sticky"]);
    assert_eq!(bench.synced(leader).error, Some(GroupError::RebalanceInProgress));
    bench.settle();
    assert_eq!(bench.group().state, GroupState::PreparingRebalance);
    assert!(bench.is_parked(rejoined));
}

#[test]
fn bad_syncs_are_refused_with_their_cause() {
    let (mut bench, first, _) = completing();
    let request = |member: &str, generation| {
        SyncGroupRequest::default()
            .with_group_id(GroupId(text("g")))
            .with_member_id(text(member))
            .with_generation_id(generation)
    };
    for (request, error) in [
        (request(&first, 1).with_group_id(GroupId(text(""))), GroupError::InvalidGroupId),
        (request(&first, 1).with_group_id(GroupId(text("other"))), GroupError::UnknownMember),
        (request("nobody", 1), GroupError::UnknownMember),
        (request(&first, 2), GroupError::IllegalGeneration { asked: 2, current: 1 }),
        (
            request(&first, 1).with_protocol_type(Some(text("connect"))),
            GroupError::InconsistentProtocol,
        ),
        (
            request(&first, 1).with_protocol_name(Some(text("sticky"))),
            GroupError::InconsistentProtocol,
        ),
    ] {
        let reply = bench.sync_with(&request);
        assert_eq!(bench.synced(reply).error, Some(error));
    }
}

#[test]
fn heartbeats_are_answered_by_state() {
    let (mut bench, first, second) = completing();
    assert_eq!(bench.heartbeat(&first, 1), Ok(()), "completing counts as alive");
    let asked = GroupError::IllegalGeneration { asked: 0, current: 1 };
    assert_eq!(bench.heartbeat(&first, 0), Err(asked));
    assert_eq!(bench.heartbeat("nobody", 1), Err(GroupError::UnknownMember));
    bench.sync(&first, 1, &[]);
    assert_eq!(bench.heartbeat(&second, 1), Ok(()));
    bench.leave(&[(&second, None)]);
    assert_eq!(bench.heartbeat(&first, 1), Err(GroupError::RebalanceInProgress));
}

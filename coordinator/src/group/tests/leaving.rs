//! Members that leave, alone or in a batch, and what the rest does then.

use super::super::*;
use super::harness::*;

#[test]
fn a_member_that_leaves_makes_the_rest_rebalance() {
    let mut bench = Bench::new();
    let (first, second) = bench.stable_pair();
    let answer = bench.leave(&[(&second, None)]);
    assert_eq!((answer.error, answer.members[0].error.clone()), (None, None));
    assert!(bench.said(&format!(
        "[Group g] Member {second} has left group through explicit `LeaveGroup` request; client \
         reason: not provided"
    )));
    assert!(bench.said(&format!(
        "Preparing to rebalance group g in state PreparingRebalance with old generation 1 \
         (reason: explicit `LeaveGroup` request for ({second}) members.)."
    )));
    assert_eq!(bench.heartbeat(&first, 1), Err(GroupError::RebalanceInProgress));
}

#[test]
fn the_last_to_leave_is_answered_when_the_empty_group_is_written() {
    let mut bench = Bench::new();
    let (first, second) = bench.stable_pair();
    bench.leave(&[(&second, None)]);
    bench.writes_at_once = false;
    let reply = bench.leave_parked(&[(&first, None)]);
    assert!(bench.is_parked(reply));
    bench.settle();
    assert!(!bench.is_parked(reply));
    assert!(bench.said("Group g with generation 2 is now empty."));
    assert_eq!(bench.durable_state(), bench.reloaded().durable_state());
}

#[test]
fn each_member_of_a_batch_has_its_own_answer() {
    let mut bench = Bench::new();
    let (first, _) = bench.stable_pair();
    let pending = bench.join("", &["range"]);
    let pending = bench.joined(pending).member_id;
    let answer = bench.leave(&[
        (&first, None),
        ("nobody", None),
        ("", Some("nobody")),
        (&pending, None),
        (&first, None),
    ]);
    let errors: Vec<bool> = answer.members.iter().map(|member| member.error.is_none()).collect();
    assert_eq!(errors, [true, false, false, true, false]);
}

#[test]
fn a_static_member_is_removed_by_its_instance_id() {
    let mut bench = Bench::new();
    let request = join_request("", &["range"]).with_group_instance_id(Some(text("i")));
    let joined = bench.join_as(9, &request);
    bench.pass(3_000);
    let member = bench.joined(joined).member_id;
    let answer = bench.leave(&[("", Some("i"))]);
    assert_eq!(answer.members[0].error, None);
    assert_eq!(bench.heartbeat(&member, 1), Err(GroupError::UnknownMember));
    assert_eq!(bench.group().state, GroupState::Empty);
}

#[test]
fn a_parked_join_of_a_member_that_leaves_is_told_to_begin_anew() {
    let mut bench = Bench::new();
    let (member, parked) = bench.admit(&["range"]);
    bench.leave(&[(&member, None)]);
    assert_eq!(bench.joined(parked).error, Some(GroupError::UnknownMember));
}

#[test]
fn leaving_an_unknown_group_is_refused_member_by_member() {
    let mut bench = Bench::new();
    let answer = bench.leave(&[("x", None), ("", Some("i"))]);
    assert_eq!(answer.error, None);
    assert!(answer.members.iter().all(|m| m.error == Some(GroupError::UnknownMember)));
    let reply = bench.reply();
    bench.run(|shard, now, out| shard.leave(&text(""), &[], reply, now, out));
    let Answer::Leave(answer) = &bench.answers[&reply.id()] else { panic!() };
    assert_eq!(answer.error, Some(GroupError::InvalidGroupId));
}

#[test]
fn groups_are_listed_by_state_and_kind() {
    let mut bench = Bench::new();
    bench.stable_pair();
    for (states, kinds, count) in [
        (&[][..], &[][..], 1),
        (&["Stable"], &[], 1),
        (&[" sTABLE "], &["Classic"], 1),
        (&["Empty", "Dead"], &[], 0),
        (&["nonsense"], &[], 0),
        (&[], &["consumer"], 0),
        (&[], &["nonsense"], 0),
    ] {
        let own = |names: &[&str]| names.iter().map(|name| text(name)).collect::<Vec<_>>();
        let listed = bench.shard().list(&own(states), &own(kinds));
        assert_eq!(listed.len(), count, "{states:?} {kinds:?}");
    }
    let listed = &bench.shard().list(&[], &[])[0];
    assert_eq!((listed.state, &listed.protocol_type[..]), ("Stable", "consumer"));
}

#[test]
fn a_description_shows_metadata_only_of_a_stable_group() {
    let mut bench = Bench::new();
    let (first, _) = bench.stable_pair();
    let group = bench.group();
    assert_eq!((&group.protocol[..], &group.protocol_type[..]), ("range", "consumer"));
    assert_eq!(group.members[0].metadata, subscription("orders"));
    assert_eq!(&group.members[0].assignment[..], b"one");
    assert_eq!(&group.members[0].client_host[..], "/127.0.0.1");
    bench.join(&first, &["range"]);
    let group = bench.group();
    assert_eq!((&group.protocol[..], group.members[0].metadata.len()), ("", 0));
    let unknown = bench.shard().describe(&text("other")).unwrap_err();
    assert_eq!(unknown.to_string(), "Group other not found.");
}

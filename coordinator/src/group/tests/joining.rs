//! Members that join: ids, sessions, protocols, and what is refused.

use super::super::*;
use super::harness::*;
use crate::runtime::{ReplyId, WriteFailure};

#[test]
fn a_dynamic_member_gets_an_id_first_and_joins_with_it() {
    let mut bench = Bench::new();
    let first = bench.join("", &["range"]);
    let answer = bench.joined(first);
    assert_eq!(answer.error, Some(GroupError::MemberIdRequired));
    assert_eq!(answer.member_id, "client-00000000-0000-0000-0000-000000000001"[..]);
    assert_eq!((answer.generation, answer.members.len()), (-1, 0));
    let second = bench.join(&answer.member_id, &["range"]);
    assert!(bench.is_parked(second));
    bench.pass(3_000);
    let joined = bench.joined(second);
    assert_eq!((joined.error, joined.generation), (None, 1));
    assert_eq!(joined.leader, joined.member_id);
    assert_eq!(joined.members.len(), 1);
    assert!(bench.said("Stabilized group g generation 1 with 1 members."));
}

#[test]
fn an_old_client_is_let_in_without_knowing_its_id() {
    let mut bench = Bench::new();
    let reply = bench.join_as(3, &join_request("", &["range"]));
    assert!(bench.is_parked(reply));
    bench.pass(3_000);
    assert_eq!(bench.joined(reply).generation, 1);
}

#[test]
fn version_0_takes_the_session_timeout_for_its_rebalance_timeout() {
    let mut bench = Bench::new();
    let request = join_request("", &["range"]).with_rebalance_timeout_ms(-1);
    bench.join_as(0, &request);
    bench.pass(3_000);
    let group = bench.shard().classic(&text("g")).unwrap();
    assert_eq!(group.rebalance_timeout_ms(), 10_000);
}

#[test]
fn bad_joins_are_refused_with_their_cause() {
    let settings = GroupSettings::default();
    let request = || join_request("", &["range"]);
    let refusals = [
        (request().with_group_id(Default::default()), GroupError::InvalidGroupId),
        (
            request().with_session_timeout_ms(5_999),
            GroupError::InvalidSessionTimeout { asked_ms: 5_999, min_ms: 6_000, max_ms: 1_800_000 },
        ),
        (
            request().with_session_timeout_ms(1_800_001),
            GroupError::InvalidSessionTimeout {
                asked_ms: 1_800_001,
                min_ms: 6_000,
                max_ms: 1_800_000,
            },
        ),
        (request().with_member_id(text("nobody")), GroupError::UnknownMember),
        (request().with_protocols(Vec::new()), GroupError::InconsistentProtocol),
        (request().with_protocol_type(text("")), GroupError::InconsistentProtocol),
    ];
    for (request, error) in refusals {
        let mut bench = Bench::with(settings.clone());
        let reply = bench.join_as(9, &request);
        assert_eq!(bench.joined(reply).error, Some(error));
    }
}

#[test]
fn a_member_must_share_the_groups_type_and_one_protocol() {
    let mut bench = Bench::new();
    bench.admit(&["range", "sticky"]);
    for request in [
        join_request("", &["roundrobin"]),
        join_request("", &["range"]).with_protocol_type(text("connect")),
    ] {
        let reply = bench.join_as(9, &request);
        assert_eq!(bench.joined(reply).error, Some(GroupError::InconsistentProtocol));
    }
    let reply = bench.join("", &["sticky", "roundrobin"]);
    assert_eq!(bench.joined(reply).error, Some(GroupError::MemberIdRequired));
}

#[test]
fn the_protocol_with_most_votes_among_common_ones_is_chosen() {
    for (votes, chosen) in [
        (&[&["range", "sticky"][..], &["sticky", "range"], &["sticky", "range"]][..], "sticky"),
        (&[&["range", "sticky"], &["sticky"], &["range", "sticky"]], "sticky"),
        (&[&["range"], &["range", "sticky"]], "range"),
    ] {
        let mut bench = Bench::new();
        let joins: Vec<ReplyId> = votes.iter().map(|protocols| bench.admit(protocols).1).collect();
        bench.pass(60_000);
        for join in joins {
            assert_eq!(bench.joined(join).protocol_name, Some(text(chosen)), "{votes:?}");
        }
    }
}

#[test]
fn a_protocol_named_twice_counts_once() {
    let mut bench = Bench::new();
    let (_, join) = bench.admit(&["range", "range"]);
    bench.pass(3_000);
    assert_eq!(bench.joined(join).protocol_name, Some(text("range")));
}

#[test]
fn only_the_leader_is_told_who_joined() {
    let mut bench = Bench::new();
    let (first, first_join) = bench.admit(&["range"]);
    let (second, second_join) = bench.admit(&["range"]);
    bench.pass(6_000);
    let ids = bench.joined(first_join).members.into_iter().map(|member| member.member_id);
    assert_eq!(ids.collect::<Vec<_>>(), [first.clone(), second]);
    assert_eq!(bench.joined(second_join).members, []);
    assert_eq!(bench.joined(second_join).leader, first);
}

#[test]
fn a_full_group_refuses_new_members_and_keeps_its_own() {
    let mut bench = Bench::with(GroupSettings { max_size: 2, ..GroupSettings::default() });
    let (_, second) = bench.stable_pair();
    let reply = bench.join("", &["range"]);
    assert_eq!(bench.joined(reply).error, Some(GroupError::MaxSizeReached { max: 2 }));
    let reply = bench.join(&second, &["range"]);
    assert_eq!(bench.joined(reply).error, None);
}

#[test]
fn during_a_rebalance_those_who_wait_count_for_the_size() {
    let mut bench = Bench::with(GroupSettings { max_size: 1, ..GroupSettings::default() });
    let (_, first_join) = bench.admit(&["range"]);
    let refused = bench.join("", &["range"]);
    assert_eq!(bench.joined(refused).error, Some(GroupError::MaxSizeReached { max: 1 }));
    bench.pass(3_000);
    assert_eq!(bench.joined(first_join).generation, 1);
}

#[test]
fn a_pending_member_that_does_not_come_back_is_forgotten() {
    let mut bench = Bench::new();
    let first = bench.join("", &["range"]);
    let member = bench.joined(first).member_id;
    bench.pass(10_000);
    assert!(bench.said(&format!(
        "Pending member {member} in group g has been removed after session timeout expiration."
    )));
    let late = bench.join(&member, &["range"]);
    assert_eq!(bench.joined(late).error, Some(GroupError::UnknownMember));
}

#[test]
fn a_pending_member_with_an_instance_id_cannot_be() {
    let mut bench = Bench::new();
    let first = bench.join("", &["range"]);
    let member = bench.joined(first).member_id;
    let request = join_request(&member, &["range"]).with_group_instance_id(Some(text("i")));
    let reply = bench.join_as(9, &request);
    assert!(matches!(bench.joined(reply).error, Some(GroupError::Unexpected(_))));
}

#[test]
fn a_new_group_is_written_with_its_first_request_as_stock_does() {
    let mut bench = Bench::new();
    bench.join("", &["range"]);
    let [record] = &bench.log[..] else { panic!("{:?}", bench.log) };
    assert_eq!(&record.key[..], b"\0\x02\0\x01g");
    let mut value = b"\0\x03\0\0\0\0\0\0\xff\xff\xff\xff".to_vec();
    value.extend(1_000_000_i64.to_be_bytes());
    value.extend([0; 4]);
    assert_eq!(record.value.as_deref(), Some(&value[..]));
}

#[test]
fn a_new_group_that_could_not_be_written_is_gone_and_its_joins_are_refused() {
    let mut bench = Bench::new();
    bench.writes_at_once = false;
    let reply = bench.join_as(3, &join_request("", &["range"]));
    bench.finish_write(Err(WriteFailure::NotEnoughReplicas));
    let error = GroupError::WriteFailed(WriteFailure::NotEnoughReplicas);
    assert_eq!(bench.joined(reply).error, Some(error));
    assert!(bench.shard().describe(&text("g")).is_err());
    bench.pass(600_000);
}

#[test]
fn a_retried_join_displaces_the_parked_one() {
    let mut bench = Bench::new();
    let (member, lost) = bench.admit(&["range"]);
    let again = bench.join(&member, &["range"]);
    assert_eq!(bench.joined(lost).error, Some(GroupError::RebalanceInProgress));
    bench.pass(3_000);
    assert_eq!(bench.joined(again).generation, 1);
}

//! Members and groups that go, groups of other kinds, offsets, and what a reload makes of it all.

use protocol::messages::{GroupId, TxnOffsetCommitRequest};
use protocol::records::group::GroupRecord;

use super::super::super::tests::harness::{Bench, commit_request, text};
use super::super::super::*;
use super::bench::*;
use crate::runtime::WriteFailure;

fn commit(bench: &mut Bench, member: &str, epoch: i32, partition: i32) -> Option<GroupError> {
    let request = commit_request(member, epoch, &[("words", partition, 7)]);
    let reply = bench.reply();
    bench.run(|shard, now, out| shard.commit_offsets(9, &request, reply, now, out));
    match &bench.answers[&reply.id()] {
        Answer::Commit(answer) => answer.clone().err(),
        other => panic!("{other:?}"),
    }
}

fn listed(bench: &Bench, states: &[&str]) -> Vec<(&'static str, &'static str)> {
    let states: Vec<_> = states.iter().map(|state| text(state)).collect();
    let listed = bench.shard().list(&states, &[text("Streams")]);
    listed.iter().map(|group| (group.kind.name(), group.state)).collect()
}

#[test]
fn a_member_that_leaves_goes_by_tombstones_and_the_group_s_next_epoch() {
    let mut bench = bench();
    bench.beat_streams(&joins("a"));
    let from = bench.log.len();
    let left = bench.try_beat_streams(&stays("a", -1)).unwrap();
    assert_eq!((left.member_epoch, left.heartbeat_interval_ms), (-1, 0));
    assert_eq!(bench.types_from(from), [-22, -21, -19, 17]);
    assert_eq!(listed(&bench, &[]), [("streams", "Empty")]);
}

#[test]
fn a_member_that_nothing_is_heard_of_is_fenced() {
    let mut bench = bench();
    bench.beat_streams(&joins("a"));
    bench.pass(45_000);
    assert!(bench.said(
        "[GroupId g] Streams member a fenced from the group because the member session expired."
    ));
    assert_eq!(bench.described_streams().state, "Empty");
}

#[test]
fn a_member_that_does_not_let_go_in_its_time_is_fenced() {
    let mut bench = bench();
    bench.beat_streams(&joins("a"));
    bench.beat_streams(&joins("b"));
    bench.beat_streams(&has("a", 2, &[0, 1, 2, 3]));
    for _ in 0..5 {
        bench.pass(11_900);
        bench.beat_streams(&stays("a", 2));
        bench.beat_streams(&stays("b", 3));
    }
    bench.pass(600);
    assert!(bench.said(
        "[GroupId g] Streams member a fenced from the group because it failed to transition from \
         epoch 2 within 60000ms."
    ));
    assert_eq!(bench.beat_streams(&stays("b", 3)), (4, Some(vec![0, 1, 2, 3])));
}

#[test]
fn a_reload_gives_the_same_group_and_members_go_on() {
    let mut bench = bench();
    bench.beat_streams(&joins("a"));
    bench.beat_streams(&joins("b"));
    bench.beat_streams(&has("a", 2, &[0, 1, 2, 3]));
    let mut reloaded = bench.reloaded();
    assert_eq!(bench.durable_state(), reloaded.durable_state());
    assert!(reloaded.said("Loaded streams group g with 2 members."));
    let kept: Vec<i32> = reloaded.described_streams().members[0]
        .assignment
        .active
        .values()
        .flatten()
        .copied()
        .collect();
    assert_eq!(reloaded.beat_streams(&has("a", 2, &kept)).0, 3);
    reloaded.pass(45_000);
    assert_eq!(listed(&reloaded, &["empty"]), [("streams", "Empty")]);
}

#[test]
fn a_write_that_fails_leaves_the_group_as_it_was() {
    let mut bench = bench();
    bench.beat_streams(&joins("a"));
    bench.writes_at_once = false;
    let before = bench.durable_state();
    let reply = bench.streams_beat_parked(&joins("b"));
    bench.finish_write(Err(WriteFailure::NotEnoughReplicas));
    let failure = GroupError::WriteFailed(WriteFailure::NotEnoughReplicas);
    assert_eq!(bench.streams_beaten(reply), Err(failure));
    assert_eq!(bench.durable_state(), before);
    bench.writes_at_once = true;
    assert_eq!(bench.beat_streams(&joins("b")), (3, Some(vec![])));
}

#[test]
fn an_empty_classic_group_gives_way_and_takes_over_again() {
    let mut bench = bench();
    assert_eq!(commit(&mut bench, "", -1, 0), None);
    assert_eq!(bench.beat_streams(&joins("a")).0, 2);
    assert_eq!(bench.fetch("words", 0), Ok(Some(7)), "offsets stay");
    assert!(bench.said("[GroupId g] Converted the empty classic group to a streams group."));
    let refused = bench.join("", &["range"]);
    assert_eq!(bench.joined(refused).error, Some(GroupError::InconsistentProtocol));
    bench.beat_streams(&stays("a", -1));
    let from = bench.log.len();
    let joined = bench.join("", &["range"]);
    assert_eq!(bench.joined(joined).error, Some(GroupError::MemberIdRequired));
    assert_eq!(bench.types_from(from), [-20, -17, -23, 2]);
    assert!(bench.said("[GroupId g] Converted the empty streams group to a classic group."));
    assert_eq!(bench.reloaded().durable_state(), bench.durable_state());
}

#[test]
fn who_has_a_task_may_commit_its_offsets_with_an_older_epoch() {
    let mut bench = bench();
    bench.beat_streams(&joins("a"));
    bench.beat_streams(&joins("b"));
    let (_, kept) = bench.beat_streams(&has("a", 2, &[0, 1, 2, 3]));
    let kept = kept.unwrap();
    let lost = (0..4).find(|task| !kept.contains(task)).unwrap();
    assert_eq!(commit(&mut bench, "a", 2, lost), None, "it is still giving it up");
    assert_eq!(bench.beat_streams(&has("a", 2, &kept)).0, 3);
    let stale = Some(GroupError::StaleMemberEpoch { received: 2, current: 3 });
    assert_eq!(commit(&mut bench, "a", 2, lost), stale);
    assert_eq!(commit(&mut bench, "a", 2, kept[0]), None);
    let newer = Some(GroupError::StaleMemberEpoch { received: 4, current: 3 });
    assert_eq!(commit(&mut bench, "a", 4, kept[0]), newer);
    assert!(matches!(commit(&mut bench, "", -1, 0), Some(GroupError::NotAMember { .. })));
}

#[test]
fn a_transaction_of_a_stale_member_is_of_an_illegal_generation() {
    let mut bench = bench();
    bench.beat_streams(&joins("a"));
    let mut commit = |member: &str, epoch| {
        let request = TxnOffsetCommitRequest::default()
            .with_group_id(GroupId(text("g")))
            .with_member_id(text(member))
            .with_generation_id(epoch);
        let reply = bench.reply();
        bench.run(|shard, now, out| {
            shard.commit_offsets_in_transaction(&request, reply, now, out);
        });
        match &bench.answers[&reply.id()] {
            Answer::Commit(answer) => answer.clone().err(),
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(commit("a", 2), None);
    assert_eq!(commit("", -1), None, "who does not say who it is");
    let illegal = Some(GroupError::IllegalGeneration { asked: 9, current: 2 });
    assert_eq!(commit("a", 9), illegal);
}

#[test]
fn an_empty_group_goes_with_its_offsets_and_a_living_one_does_not() {
    let mut bench = bench();
    bench.beat_streams(&joins("a"));
    assert_eq!(commit(&mut bench, "a", 2, 0), None);
    let ids = [text("g")];
    let delete = |bench: &mut Bench| {
        let reply = bench.reply();
        bench.run(|shard, _, out| shard.delete_groups(&ids, reply, out));
        match &bench.answers[&reply.id()] {
            Answer::DeleteGroups(answer) => answer[0].1.clone(),
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(delete(&mut bench), Some(GroupError::NonEmptyGroup));
    bench.beat_streams(&stays("a", -1));
    let from = bench.log.len();
    assert_eq!(delete(&mut bench), None);
    assert_eq!(bench.types_from(from), [-1, -20, -17, -23]);
    assert!(bench.shard().describe_streams_group(&text("g")).is_err());
    assert_eq!(bench.reloaded().durable_state(), bench.durable_state());
}

#[test]
fn states_are_filtered_by_the_names_that_kafka_s_filter_has() {
    let mut bench = bench();
    bench.beat_streams(&joins_with("a", &[part("0", &["absent"])]));
    assert_eq!(listed(&bench, &["NOT_READY"]), [("streams", "NotReady")]);
    assert_eq!(listed(&bench, &["NotReady"]), []);
}

#[test]
fn records_are_those_that_the_log_can_be_read_from() {
    let mut bench = bench();
    bench.beat_streams(&joins("a"));
    for record in &bench.log {
        let read = GroupRecord::read(Some(&record.key), record.value.as_deref()).unwrap();
        assert_eq!(read.to_bytes(), Some((record.key.clone(), record.value.clone())));
    }
}

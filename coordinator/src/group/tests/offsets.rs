//! Offsets that are committed, fetched and deleted, with and without members.

use super::super::*;
use super::harness::*;
use crate::runtime::{ReplyId, WriteFailure};

use protocol::messages::offset_delete_request::{
    OffsetDeleteRequestPartition, OffsetDeleteRequestTopic,
};
use protocol::messages::{GroupId, OffsetCommitRequest, OffsetDeleteRequest, TopicName};
use uuid::Uuid;

const WEEK_MS: u64 = 7 * 24 * 60 * 60 * 1000;

fn delete(bench: &mut Bench, topic: &str) -> Result<Vec<DeletedTopic>, GroupError> {
    let partition = OffsetDeleteRequestPartition::default().with_partition_index(0);
    let topic = OffsetDeleteRequestTopic::default()
        .with_name(TopicName(text(topic)))
        .with_partitions(vec![partition]);
    let request =
        OffsetDeleteRequest::default().with_group_id(GroupId(text("g"))).with_topics(vec![topic]);
    let reply = bench.reply();
    bench.run(|shard, _, out| shard.delete_offsets(&request, reply, out));
    match &bench.answers[&reply.id()] {
        Answer::DeleteOffsets(answer) => answer.clone(),
        other => panic!("{other:?}"),
    }
}

fn delete_group(bench: &mut Bench) -> Option<GroupError> {
    let reply = bench.reply();
    bench.run(|shard, _, out| shard.delete_groups(&[text("g")], reply, out));
    match &bench.answers[&reply.id()] {
        Answer::DeleteGroups(results) => results[0].1.clone(),
        other => panic!("{other:?}"),
    }
}

fn simple_commit(bench: &mut Bench, offset: i64) -> ReplyId {
    bench.commit(&commit_request("", -1, &[("orders", 0, offset)]))
}

#[test]
fn a_commit_is_answered_and_seen_when_it_is_written() {
    let mut bench = Bench::new();
    bench.writes_at_once = false;
    let reply = simple_commit(&mut bench, 5);
    assert!(bench.is_parked(reply));
    assert_eq!(bench.fetch("orders", 0), Ok(None));
    bench.settle();
    assert_eq!(bench.committed(reply).unwrap()[0].partitions, [(0, None)]);
    assert_eq!(bench.fetch("orders", 0), Ok(Some(5)));
    assert!(bench.said("[GroupId g] Creating a simple consumer group via manual offset commit."));
    assert_eq!(bench.durable_state(), bench.reloaded().durable_state());
}

#[test]
fn a_commit_that_cannot_be_written_leaves_no_trace() {
    let mut bench = Bench::new();
    simple_commit(&mut bench, 5);
    bench.writes_at_once = false;
    let lost = simple_commit(&mut bench, 6);
    let after = simple_commit(&mut bench, 7);
    bench.finish_write(Err(WriteFailure::NotEnoughReplicas));
    assert_eq!(
        bench.committed(lost),
        Err(GroupError::WriteFailed(WriteFailure::NotEnoughReplicas)),
    );
    assert_eq!(bench.committed(after), bench.committed(lost), "decided upon what was lost");
    assert_eq!(bench.fetch("orders", 0), Ok(Some(5)));
    let kept = simple_commit(&mut bench, 7);
    bench.settle();
    assert!(bench.committed(kept).is_ok());
    assert_eq!(bench.fetch("orders", 0), Ok(Some(7)));
    assert_eq!(bench.durable_state(), bench.reloaded().durable_state());
}

#[test]
fn a_first_commit_that_cannot_be_written_leaves_no_group() {
    let mut bench = Bench::new();
    bench.writes_at_once = false;
    simple_commit(&mut bench, 5);
    bench.finish_write(Err(WriteFailure::TooLarge));
    assert_eq!(bench.shard().list(&[], &[]), []);
}

#[test]
fn commits_are_accepted_from_members_of_this_generation_only() {
    let mut bench = Bench::new();
    let (first, _) = bench.stable_pair();
    let offsets = &[("orders", 0, 5)][..];
    for (member, generation, error) in [
        (&first[..], 1, None),
        (&first, 0, Some(GroupError::IllegalGeneration { asked: 0, current: 1 })),
        (&first, -1, Some(GroupError::IllegalGeneration { asked: -1, current: 1 })),
        ("nobody", 1, Some(GroupError::UnknownMember)),
        ("", -1, Some(GroupError::UnknownMember)),
    ] {
        let reply = bench.commit(&commit_request(member, generation, offsets));
        assert_eq!(bench.committed(reply).err(), error, "{member} {generation}");
    }
}

#[test]
fn a_commit_between_generations_must_rebalance_first() {
    let mut bench = Bench::new();
    let (first, _) = bench.admit(&["range"]);
    bench.pass(3_000);
    let reply = bench.commit(&commit_request(&first, 1, &[("orders", 0, 5)]));
    assert_eq!(bench.committed(reply), Err(GroupError::RebalanceInProgress));
}

#[test]
fn a_commit_keeps_the_session() {
    let mut bench = Bench::new();
    let (first, second) = bench.stable_pair();
    for _ in 0..5 {
        bench.pass(8_000);
        bench.commit(&commit_request(&first, 1, &[("orders", 0, 5)]));
        bench.heartbeat(&second, 1).unwrap();
    }
}

#[test]
fn a_generation_of_a_group_that_is_not_there_is_refused_by_version() {
    for (version, error) in [
        (8, GroupError::IllegalGeneration { asked: 3, current: -1 }),
        (9, GroupError::GroupNotFound(text("g"))),
    ] {
        let mut bench = Bench::new();
        let request = commit_request("m", 3, &[("orders", 0, 5)]);
        let reply = bench.reply();
        bench.run(|shard, now, out| shard.commit_offsets(version, &request, reply, now, out));
        assert_eq!(bench.committed(reply.id()), Err(error));
    }
}

#[test]
fn metadata_may_have_4096_characters() {
    let mut bench = Bench::new();
    for (length, refused) in [(4_096, false), (4_097, true)] {
        let mut request = commit_request("", -1, &[("orders", 0, 5)]);
        request.topics[0].partitions[0].committed_metadata = Some(text(&"ä".repeat(length)));
        let reply = bench.commit(&request);
        let error = bench.committed(reply).unwrap()[0].partitions[0].1.clone();
        assert_eq!(error, refused.then_some(GroupError::OffsetMetadataTooLarge { length }));
    }
}

#[test]
fn what_was_committed_comes_back_whole() {
    let mut bench = Bench::new();
    simple_commit(&mut bench, 5);
    for bench in [&bench, &bench.reloaded()] {
        let topics = bench.shard().fetch_all_offsets(&text("g"), None, true).unwrap();
        let offset = topics[0].partitions[0].offset.clone().unwrap().unwrap();
        assert_eq!((offset.offset, offset.leader_epoch, &offset.metadata[..]), (5, 3, "log_event"));
        assert_eq!((offset.commit_timestamp_ms, offset.record_offset), (1_000_000, 0));
    }
    let none = bench.shard().fetch_all_offsets(&text("other"), None, true);
    assert_eq!(none, Ok(Vec::new()));
}

#[test]
fn offsets_are_deleted_unless_a_member_subscribes() {
    let mut bench = Bench::new();
    assert_eq!(delete(&mut bench, "orders"), Err(GroupError::GroupNotFound(text("g"))));
    let (first, _) = bench.stable_pair();
    bench.commit(&commit_request(&first, 1, &[("orders", 0, 5), ("other", 0, 6)]));
    let answer = delete(&mut bench, "orders").unwrap();
    assert_eq!(answer[0].partitions, [(0, Some(GroupError::SubscribedToTopic))]);
    let answer = delete(&mut bench, "other").unwrap();
    assert_eq!(answer[0].partitions, [(0, None)]);
    assert_eq!((bench.fetch("orders", 0), bench.fetch("other", 0)), (Ok(Some(5)), Ok(None)));
    assert_eq!(bench.durable_state(), bench.reloaded().durable_state());
}

#[test]
fn a_group_is_deleted_with_its_offsets_when_nobody_is_in_it() {
    let mut bench = Bench::new();
    assert_eq!(delete_group(&mut bench), Some(GroupError::GroupNotFound(text("g"))));
    let (first, second) = bench.stable_pair();
    bench.commit(&commit_request(&first, 1, &[("orders", 0, 5)]));
    assert_eq!(delete_group(&mut bench), Some(GroupError::NonEmptyGroup));
    bench.leave(&[(&first, None), (&second, None)]);
    assert_eq!(delete_group(&mut bench), None);
    assert_eq!(bench.shard().list(&[], &[]), []);
    assert!(bench.said("The following groups were deleted: g. A total of 1 offsets were removed."));
    assert_eq!(bench.reloaded().durable_state(), Vec::<String>::new());
}

#[test]
fn a_deletion_that_cannot_be_written_leaves_the_group() {
    let mut bench = Bench::new();
    simple_commit(&mut bench, 5);
    bench.writes_at_once = false;
    let reply = bench.reply();
    bench.run(|shard, _, out| shard.delete_groups(&[text("g")], reply, out));
    bench.finish_write(Err(WriteFailure::Storage));
    assert_eq!(
        bench.answers[&reply.id()],
        Answer::DeleteGroups(vec![(
            text("g"),
            Some(GroupError::WriteFailed(WriteFailure::Storage)),
        )]),
    );
    assert_eq!(bench.fetch("orders", 0), Ok(Some(5)));
    assert_eq!(bench.shard().list(&[], &[]).len(), 1);
}

#[test]
fn a_simple_groups_offsets_expire_a_week_after_their_commit() {
    let mut bench = Bench::new();
    simple_commit(&mut bench, 5);
    bench.pass(WEEK_MS - 1_200_000);
    assert_eq!(bench.fetch("orders", 0), Ok(Some(5)));
    bench.pass(1_800_000);
    assert_eq!(bench.fetch("orders", 0), Ok(None));
    assert_eq!(bench.shard().list(&[], &[]), [], "the empty group went too");
    assert_eq!(bench.reloaded().durable_state(), Vec::<String>::new());
}

#[test]
fn a_consumer_groups_offsets_expire_a_week_after_it_became_empty() {
    let mut bench = Bench::new();
    let (first, second) = bench.stable_pair();
    bench.commit(&commit_request(&first, 1, &[("orders", 0, 5), ("other", 0, 6)]));
    for _ in 0..(WEEK_MS / 9_000 + 100) {
        bench.pass(9_000);
        bench.heartbeat(&first, 1).unwrap();
        bench.heartbeat(&second, 1).unwrap();
    }
    let kept = (bench.fetch("orders", 0), bench.fetch("other", 0));
    assert_eq!(kept, (Ok(Some(5)), Ok(None)), "a subscribed topic's offsets stay");
    bench.leave(&[(&first, None), (&second, None)]);
    bench.pass(WEEK_MS - 600_000);
    assert_eq!(bench.fetch("orders", 0), Ok(Some(5)));
    bench.pass(1_200_000);
    assert_eq!(bench.fetch("orders", 0), Ok(None));
}

#[test]
fn a_commits_own_retention_counts() {
    let mut bench = Bench::new();
    let request = OffsetCommitRequest {
        retention_time_ms: 1_000,
        ..commit_request("", -1, &[("orders", 0, 5)])
    };
    bench.commit(&request);
    assert_eq!(&bench.log[0].value.as_ref().unwrap()[..2], [0, 1], "version 1 carries it");
    bench.pass(600_000);
    assert_eq!(bench.fetch("orders", 0), Ok(None));
}

#[test]
fn a_deleted_topic_takes_its_offsets_along() {
    let mut bench = Bench::new();
    bench.commit(&commit_request("", -1, &[("orders", 0, 5), ("orders", 1, 6), ("other", 0, 7)]));
    let gone = [("orders", 0), ("orders", 1), ("unknown", 0)].map(|(topic, partition)| {
        DeletedPartition { topic: text(topic), topic_id: Uuid::from_u128(1), partition }
    });
    bench.run(|shard, _, out| shard.partitions_deleted(&gone, out));
    let offsets = (bench.fetch("orders", 0), bench.fetch("orders", 1), bench.fetch("other", 0));
    assert_eq!(offsets, (Ok(None), Ok(None), Ok(Some(7))));
}

#[test]
fn a_deleted_topic_leaves_the_offsets_of_the_next_one_with_its_name() {
    let mut bench = Bench::new();
    let mut request = commit_request("", -1, &[("orders", 0, 5)]);
    request.topics[0].topic_id = Uuid::from_u128(2);
    bench.commit(&request);
    let gone = |id| {
        let topic_id = Uuid::from_u128(id);
        [DeletedPartition { topic: text("orders"), topic_id, partition: 0 }]
    };
    bench.run(|shard, _, out| shard.partitions_deleted(&gone(1), out));
    assert_eq!(bench.fetch("orders", 0), Ok(Some(5)));
    bench.run(|shard, _, out| shard.partitions_deleted(&gone(2), out));
    assert_eq!(bench.fetch("orders", 0), Ok(None));
}

#[test]
fn a_group_whose_join_came_to_nothing_is_cleaned_up() {
    let mut bench = Bench::new();
    bench.join("", &["range"]);
    bench.pass(600_000);
    assert_eq!(bench.shard().list(&[], &[]), []);
    assert_eq!(bench.reloaded().durable_state(), Vec::<String>::new());
}

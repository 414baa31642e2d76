//! Consumer groups of KIP-848: joining, sharing out, letting go, leaving, coming back.

use protocol::messages::consumer_group_heartbeat_request::TopicPartitions;
use protocol::records::group::{
    ConsumerGroupPartitionMetadataValue, ConsumerGroupRecord, GroupRecord,
};

use super::super::*;
use super::consumer_bench::*;
use super::harness::*;
use crate::runtime::WriteFailure;

const NOTHING: Option<Vec<i32>> = None;

fn all() -> Option<Vec<i32>> {
    Some(vec![0, 1, 2, 3])
}

/// The types of the records from `from` on, a tombstone's negative.
fn written(bench: &Bench, from: usize) -> Vec<i32> {
    let types = bench.log[from..].iter().map(|record| {
        let of = i32::from(record.key[1]);
        if record.value.is_some() { of } else { -of }
    });
    types.collect()
}

#[test]
fn the_first_member_gets_everything_and_the_records_are_in_kafkas_order() {
    let mut bench = bench();
    assert_eq!(bench.beat_with(&joins("a", &["orders"])), (2, all()));
    assert_eq!(written(&bench, 0), [5, 3, 7, 6, 8]);
    let group = bench.described();
    assert_eq!((group.state, group.epoch, group.assignment_epoch), ("Stable", 2, 2));
    assert_eq!((group.assignor, group.members[0].epoch), ("uniform", 2));
    let from = bench.log.len();
    assert_eq!(bench.beat_with(&stays("a", 2)), (2, NOTHING));
    assert_eq!(written(&bench, from), [0; 0], "nothing new is nothing to write");
}

#[test]
fn a_partition_goes_to_the_second_member_only_when_the_first_has_let_go_of_it() {
    let mut bench = bench();
    bench.beat_with(&joins("a", &["orders"]));
    assert_eq!(bench.beat_with(&joins("b", &["orders"])), (3, Some(vec![])));
    assert_eq!(bench.described().state, "Reconciling");
    // Told to give up, it stays at its epoch until it has.
    let (epoch, kept) = bench.beat_with(&has("a", 2, &[0, 1, 2, 3]));
    let kept = kept.unwrap();
    assert_eq!((epoch, kept.len()), (2, 2));
    assert_eq!(bench.beat_with(&stays("b", 3)), (3, NOTHING));
    assert_eq!(bench.beat_with(&has("a", 2, &[0, 1, 2, 3])), (2, NOTHING));
    assert_eq!(bench.beat_with(&has("a", 2, &kept)), (3, NOTHING));
    let (epoch, got) = bench.beat_with(&stays("b", 3));
    let mut both = [kept, got.unwrap()].concat();
    both.sort_unstable();
    assert_eq!((epoch, both), (3, vec![0, 1, 2, 3]));
    assert_eq!(bench.described().state, "Stable");
}

#[test]
fn a_member_that_does_not_let_go_in_its_time_is_fenced() {
    let mut bench = bench();
    bench.beat_with(&joins("a", &["orders"]));
    bench.beat_with(&joins("b", &["orders"]));
    bench.beat_with(&has("a", 2, &[0, 1, 2, 3]));
    for _ in 0..5 {
        bench.pass(11_900);
        bench.beat_with(&stays("a", 2));
        bench.beat_with(&stays("b", 3));
    }
    bench.pass(600);
    assert!(bench.said(
        "[GroupId g] Member a fenced from the group because it failed to transition from epoch 2 \
         within 60000ms."
    ));
    let gone = bench.try_beat(&stays("a", 2)).unwrap_err();
    assert_eq!(gone.to_string(), "Member a is not a member of group g.");
    assert_eq!(bench.beat_with(&stays("b", 3)), (4, all()));
}

#[test]
fn a_member_that_is_not_heard_of_is_fenced_after_its_session() {
    let mut bench = bench();
    bench.beat_with(&joins("a", &["orders"]));
    bench.pass(44_999);
    assert_eq!(bench.described().members.len(), 1);
    let from = bench.log.len();
    bench.pass(1);
    assert_eq!(bench.described().state, "Empty");
    assert_eq!(written(&bench, from), [-8, -7, -5, 3]);
    assert_eq!(bench.described().epoch, 3);
}

#[test]
fn a_group_sets_its_own_session_and_interval_within_the_brokers_bounds() {
    let mut bench = bench();
    bench.cluster = std::sync::Arc::new(Cluster {
        version: 1,
        topics: [("orders".to_owned(), 4)].into(),
        configs: [
            (GroupConfig::ConsumerSessionTimeoutMs, 1),
            (GroupConfig::ConsumerHeartbeatIntervalMs, 99_000),
        ]
        .into(),
    });
    assert_eq!(bench.try_beat(&joins("b", &["orders"])).unwrap().heartbeat_interval_ms, 15_000);
    bench.pass(44_999);
    assert_eq!(bench.described().members.len(), 1);
    bench.pass(1);
    assert_eq!(bench.described().members.len(), 0);
    bench.cluster = std::sync::Arc::new(Cluster {
        version: 2,
        topics: [("orders".to_owned(), 4)].into(),
        configs: [
            (GroupConfig::ConsumerSessionTimeoutMs, 50_000),
            (GroupConfig::ConsumerHeartbeatIntervalMs, 7_000),
        ]
        .into(),
    });
    let answer = bench.try_beat(&joins("a", &["orders"])).unwrap();
    assert_eq!(answer.heartbeat_interval_ms, 7_000);
    bench.pass(49_999);
    assert_eq!(bench.described().members.len(), 1);
    bench.pass(1);
    assert_eq!(bench.described().members.len(), 0);
}

#[test]
fn epochs_that_do_not_fit_are_fenced_and_a_lost_answer_is_said_again() {
    let mut bench = bench();
    bench.beat_with(&joins("a", &["orders"]));
    let said = |answer: HeartbeatAnswer| answer.unwrap_err().to_string();
    let ahead = said(bench.try_beat(&stays("a", 3)));
    assert!(ahead.contains("a greater member epoch (3) than the one known"), "{ahead}");
    // It joined with epoch 0 and lost the answer: epoch 0 is let in again, in any state.
    assert_eq!(bench.beat_with(&joins("a", &["orders"])), (2, all()));
    bench.beat_with(&joins("b", &["orders"]));
    bench.beat_with(&has("a", 2, &[0, 1, 2, 3]));
    assert_eq!(bench.described_member("a").epoch, 2, "asked to let go");
    let (epoch, kept) = bench.beat_with(&joins("a", &["orders"]));
    assert_eq!((epoch, kept.clone().map(|kept| kept.len())), (3, Some(2)), "it has nothing left");
    // The answer with epoch 3 is lost: with the epoch before and what it has it is let in.
    assert_eq!(bench.beat_with(&has("a", 2, &kept.unwrap())), (3, NOTHING));
    let behind = said(bench.try_beat(&has("a", 2, &[0, 1, 2, 3])));
    assert!(behind.contains("a smaller member epoch (2) than the one known"), "{behind}");
    assert!(said(bench.try_beat(&stays("a", 1))).contains("a smaller member epoch (1)"));
}

#[test]
fn requests_that_cannot_be_are_refused_in_kafkas_words() {
    let assignors = [Assignor::Uniform, Assignor::Range];
    let ok = || joins("a", &["orders"]);
    for (request, why) in [
        (ok().with_member_id(text(" ")), "MemberId can't be empty."),
        (ok().with_group_id(protocol::messages::GroupId(text(""))), "GroupId can't be empty."),
        (ok().with_instance_id(Some(text(""))), "InstanceId can't be empty."),
        (ok().with_rack_id(Some(text(""))), "RackId can't be empty."),
        (
            ok().with_rebalance_timeout_ms(-1),
            "RebalanceTimeoutMs must be provided in first request.",
        ),
        (
            ok().with_topic_partitions(Some(vec![TopicPartitions::default()])),
            "TopicPartitions must be empty when (re-)joining.",
        ),
        (
            ok().with_subscribed_topic_names(None),
            "Either SubscribedTopicNames or SubscribedTopicRegex must be non-null when \
             (re-)joining.",
        ),
        (stays("a", -2), "InstanceId can't be null."),
        (stays("a", -3), "MemberEpoch is invalid."),
        (
            ok().with_server_assignor(Some(text("sticky"))),
            "ServerAssignor sticky is not supported. Supported assignors: uniform, range.",
        ),
    ] {
        let refused = refuse_heartbeat(&request, 1, &assignors).unwrap_err();
        assert_eq!(refused.to_string(), why);
    }
    assert_eq!(refuse_heartbeat(&ok().with_member_id(text("")), 0, &assignors), Ok(()));
    assert!(refuse_heartbeat(&stays("", 1), 0, &assignors).is_err());
}

#[test]
fn strangers_and_groups_that_are_not_there_are_refused() {
    let mut bench = bench();
    let said = |answer: HeartbeatAnswer| answer.unwrap_err().to_string();
    assert_eq!(said(bench.try_beat(&stays("a", 1))), "Consumer group g not found.");
    assert_eq!(said(bench.try_beat(&stays("a", -1))), "Group g not found.");
    bench.beat_with(&joins("a", &["orders"]));
    assert_eq!(said(bench.try_beat(&stays("b", 1))), "Member b is not a member of group g.");
    assert_eq!(said(bench.try_beat(&stays("b", -1))), "Member b is not a member of group g.");
    bench.run(|shard, _, _| shard.settings.consumer_max_size = 1);
    let full = said(bench.try_beat(&joins("b", &["orders"])));
    assert_eq!(full, "The consumer group has reached its maximum capacity of 1 members.");
    assert_eq!(bench.beat_with(&stays("a", 2)), (2, NOTHING));
}

#[test]
fn a_member_that_leaves_lets_the_others_have_what_it_had() {
    let mut bench = bench();
    bench.beat_with(&joins("a", &["orders"]));
    bench.beat_with(&joins("b", &["orders"]));
    let answer = bench.try_beat(&stays("a", -1)).unwrap();
    assert_eq!((answer.member_epoch, answer.heartbeat_interval_ms), (-1, 0));
    assert_eq!(bench.beat_with(&stays("b", 3)), (4, all()));
}

#[test]
fn a_static_member_that_leaves_for_now_comes_back_to_its_partitions() {
    let mut bench = bench();
    let instance = |request: protocol::messages::ConsumerGroupHeartbeatRequest| {
        request.with_instance_id(Some(text("i")))
    };
    bench.beat_with(&instance(joins("a", &["orders"])));
    let taken = bench.try_beat(&instance(joins("b", &["orders"]))).unwrap_err();
    assert_eq!(
        taken.to_string(),
        "Static member b with instance id i cannot join the group because the instance id is owned \
         by a member."
    );
    let from = bench.log.len();
    assert_eq!(bench.beat_with(&instance(stays("a", -2))), (-2, NOTHING));
    assert_eq!(written(&bench, from), [8]);
    assert_eq!(bench.described().members[0].assignment[0].partitions, [0, 1, 2, 3]);
    let from = bench.log.len();
    assert_eq!(bench.beat_with(&instance(joins("b", &["orders"]))), (2, all()));
    assert_eq!(written(&bench, from), [-8, -7, -5, 5, 7, 8, 8], "no rebalance");
    let fenced = bench.try_beat(&instance(stays("a", 2))).unwrap_err();
    assert_eq!(fenced.to_string(), "Static member a with instance id i was fenced by member b.");
    let unknown = bench.try_beat(&stays("b", 2).with_instance_id(Some(text("j")))).unwrap_err();
    assert_eq!(unknown.to_string(), "Instance id j is unknown.");
    // It leaves for now and does not come back within its session.
    bench.beat_with(&instance(stays("b", -2)));
    bench.pass(45_000);
    assert_eq!(bench.described().state, "Empty");
}

#[test]
fn a_static_member_whose_joins_answer_was_lost_joins_again() {
    let mut bench = bench();
    let join = joins("a", &["orders"]).with_instance_id(Some(text("i")));
    assert_eq!(bench.beat_with(&join), (2, all()));
    let from = bench.log.len();
    assert_eq!(bench.beat_with(&join), (2, all()), "the same answer again");
    assert!(!written(&bench, from).contains(&-8), "nobody is replaced");
    let other = joins("b", &["orders"]).with_instance_id(Some(text("i")));
    let refused = bench.try_beat(&other).unwrap_err();
    assert!(matches!(refused, GroupError::UnreleasedInstance { .. }), "{refused}");
    assert_eq!(bench.beat_with(&stays("a", 2).with_instance_id(Some(text("i")))), (2, NOTHING));
}

#[test]
fn new_partitions_and_other_subscriptions_are_shared_out() {
    let mut bench = bench();
    bench.beat_with(&joins("a", &["orders"]));
    bench.change_topics(2, &[("orders", 5)]);
    assert_eq!(bench.beat_with(&stays("a", 2)), (3, Some(vec![0, 1, 2, 3, 4])));
    bench.change_topics(3, &[("orders", 5), ("bills", 1)]);
    assert_eq!(bench.beat_with(&stays("a", 3)), (3, NOTHING), "a topic that it does not read");
    let both = joins("a", &["orders", "bills"]).with_member_epoch(3);
    let both = both.with_topic_partitions(has("a", 3, &[0, 1, 2, 3, 4]).topic_partitions);
    assert_eq!(bench.beat_with(&both).0, 4);
    let mut only = stays("a", 4);
    only.subscribed_topic_names = Some(vec![protocol::messages::TopicName(text("bills"))]);
    let (epoch, left) = bench.beat_with(&only);
    assert_eq!((epoch, left), (4, Some(vec![0])), "what it does not read is to be given up");
    assert_eq!(bench.beat_with(&has("a", 4, &[])), (5, NOTHING));
}

#[test]
fn a_new_target_waits_for_its_time() {
    let mut bench = bench();
    bench.run(|shard, _, _| shard.settings.consumer_assignment_interval_ms = 1_000);
    bench.beat_with(&joins("a", &["orders"]));
    assert_eq!(bench.beat_with(&joins("b", &["orders"])), (2, Some(vec![])));
    assert_eq!(bench.described().state, "Assigning");
    bench.pass(1_000);
    assert_eq!(bench.beat_with(&stays("b", 2)), (3, NOTHING));
    // A group that sets another time for itself is held to the broker's bounds.
    bench.cluster = std::sync::Arc::new(Cluster {
        version: 2,
        topics: [("orders".to_owned(), 4)].into(),
        configs: [(GroupConfig::ConsumerAssignmentIntervalMs, 99_000)].into(),
    });
    bench.beat_with(&joins("c", &["orders"]));
    bench.pass(14_999);
    bench.beat_with(&stays("c", 3));
    assert_eq!(bench.described().state, "Assigning");
    bench.pass(1);
    bench.beat_with(&stays("c", 3));
    assert_eq!(bench.described().assignment_epoch, 4);
}

#[test]
fn most_members_decide_on_the_assignor() {
    let mut bench = bench();
    let wants = |member: &str, assignor: &str| {
        joins(member, &["orders"]).with_server_assignor(Some(text(assignor)))
    };
    bench.beat_with(&wants("a", "range"));
    assert_eq!(bench.described().assignor, "range");
    bench.beat_with(&wants("b", "uniform"));
    bench.beat_with(&wants("c", "uniform"));
    assert_eq!(bench.described().assignor, "uniform");
}

#[test]
fn topics_by_a_regular_expression_come_with_the_next_heartbeat() {
    let mut bench = bench();
    bench.change_topics(1, &[("orders", 4), ("orders-2", 1), ("secret", 9)]);
    let regex = |member: &str, regex: &str| {
        joins(member, &[]).with_subscribed_topic_regex(Some(text(regex)))
    };
    assert_eq!(bench.beat_with(&regex("a", "orders.*|secret")), (1, Some(vec![])));
    assert_eq!(written(&bench, 0), [5, 8, 16, 3]);
    assert_eq!(bench.beat_with(&stays("a", 1)), (2, Some(vec![0, 1, 2, 3, 0])));
    assert_eq!(bench.described().members[0].regex, Some(text("orders.*|secret")));
    // A topic that comes is found after ten seconds, which no group's expressions are asked before.
    bench.change_topics(2, &[("orders", 4), ("orders-2", 1), ("orders-3", 1)]);
    assert_eq!(bench.beat_with(&stays("a", 2)), (2, NOTHING));
    bench.pass(10_001);
    assert_eq!(bench.beat_with(&stays("a", 2)), (2, NOTHING));
    assert_eq!(bench.beat_with(&stays("a", 2)).0, 3);
    // The last one who subscribes to it takes it along.
    let from = bench.log.len();
    bench.try_beat(&stays("a", -1)).unwrap();
    assert_eq!(written(&bench, from), [-8, -7, -5, -16, 3]);
    let bad = bench.try_beat(&regex("b", "orders[")).unwrap_err();
    assert!(
        bad.to_string().starts_with("SubscribedTopicRegex `orders[` is not a valid regular"),
        "{bad}"
    );
}

#[test]
fn an_empty_classic_group_becomes_a_consumer_group_and_back() {
    let mut bench = bench();
    let (member, _) = bench.admit(&["range"]);
    bench.leave(&[(&member, None)]);
    bench.pass(6_000);
    let from = bench.log.len();
    assert_eq!(bench.beat_with(&joins("a", &["orders"])), (2, all()));
    assert_eq!(written(&bench, from), [-2, 5, 3, 7, 6, 8]);
    assert!(bench.said("[GroupId g] Converted the empty classic group to a consumer group."));
    bench.try_beat(&stays("a", -1)).unwrap();
    let from = bench.log.len();
    let reply = bench.join("", &["range"]);
    assert_eq!(bench.joined(reply).error, Some(GroupError::MemberIdRequired));
    assert_eq!(written(&bench, from), [-6, -4, -3, 2]);
    assert_eq!(bench.shard().list(&[], &[])[0].kind, GroupKind::Classic);
}

#[test]
fn members_commit_with_their_epoch_and_with_an_older_one_what_has_been_theirs_since() {
    let mut bench = bench();
    bench.beat_with(&joins("a", &["orders"]));
    let commit = |bench: &mut Bench, member: &str, epoch: i32, partition: i32| {
        let mut request = commit_request(member, epoch, &[("orders", partition, 9)]);
        request.topics[0].topic_id = topic_id("orders");
        let reply = bench.commit(&request);
        bench.committed(reply).map(|_| ())
    };
    assert_eq!(commit(&mut bench, "a", 2, 0), Ok(()));
    bench.change_topics(2, &[("orders", 5)]);
    assert_eq!(bench.beat_with(&stays("a", 2)).0, 3);
    assert_eq!(commit(&mut bench, "a", 2, 3), Ok(()), "its own since epoch 2");
    let stale = |received| Err(GroupError::StaleMemberEpoch { received, current: 3 });
    assert_eq!(commit(&mut bench, "a", 2, 4), stale(2), "its own since epoch 3");
    assert_eq!(commit(&mut bench, "a", 4, 0), stale(4));
    assert!(matches!(commit(&mut bench, "b", 3, 0), Err(GroupError::NotAMember { .. })));
    assert!(matches!(commit(&mut bench, "", -1, 0), Err(GroupError::NotAMember { .. })));
    let fetch = |member: Option<(&str, i32)>| {
        let member = member.map(|(member, epoch)| (text(member), epoch));
        let member = member.as_ref().map(|(member, epoch)| (member, *epoch));
        bench.shard().fetch_all_offsets(&text("g"), member, false).map(|topics| topics.len())
    };
    assert_eq!(fetch(None), Ok(1));
    assert_eq!(fetch(Some(("a", 3))), Ok(1));
    assert_eq!(fetch(Some(("a", 2))).unwrap_err(), stale(2).unwrap_err());
    assert!(matches!(fetch(Some(("b", 3))), Err(GroupError::NotAMember { .. })));
    bench.try_beat(&stays("a", -1)).unwrap();
    assert_eq!(commit(&mut bench, "", -1, 0), Ok(()), "an administrator, of an empty group");
}

#[test]
fn a_member_is_told_nothing_that_does_not_stand_in_the_log() {
    let mut bench = bench();
    bench.writes_at_once = false;
    let first = bench.beat_parked(&joins("a", &["orders"]));
    // The same again, before the first is written: there is nothing to write, and it waits too.
    let again = bench.beat_parked(&joins("a", &["orders"]));
    assert!(bench.is_parked(first) && bench.is_parked(again));
    bench.finish_write(Err(WriteFailure::NotEnoughReplicas));
    for reply in [first, again] {
        let failed = Err(GroupError::WriteFailed(WriteFailure::NotEnoughReplicas));
        assert_eq!(bench.beaten(reply), failed);
    }
    assert!(bench.shard().describe_consumer_group(&text("g")).is_err(), "it never was");
    let third = bench.beat_parked(&joins("a", &["orders"]));
    bench.settle();
    assert_eq!(told(&bench.beaten(third).unwrap()), (2, all()));
}

#[test]
fn a_member_whose_fencing_was_not_written_is_fenced_later() {
    let mut bench = bench();
    bench.beat_with(&joins("a", &["orders"]));
    bench.writes_at_once = false;
    bench.pass(45_000);
    bench.finish_write(Err(WriteFailure::NotEnoughReplicas));
    assert_eq!(bench.described().members.len(), 1);
    bench.writes_at_once = true;
    bench.pass(45_000);
    assert_eq!(bench.described().members.len(), 0);
}

#[test]
fn a_reload_gives_the_same_group_and_its_members_go_on() {
    let mut bench = bench();
    bench.beat_with(&joins("a", &["orders"]));
    bench.beat_with(&joins("b", &["orders"]));
    bench.beat_with(&has("a", 2, &[0, 1, 2, 3]));
    let mut again = bench.reloaded();
    assert_eq!(again.durable_state(), bench.durable_state());
    assert!(again.said("Loaded consumer group g with 2 members."));
    let kept = bench.described_member("a").target_assignment[0].partitions.clone();
    assert_eq!(again.beat_with(&has("a", 2, &kept)), (3, NOTHING));
    again.pass(45_000);
    assert_eq!(again.described().state, "Empty", "sessions run from the load on");
}

#[test]
fn a_group_without_members_is_deleted_with_kafkas_tombstones() {
    let mut bench = bench();
    bench.beat_with(&joins("a", &["orders"]));
    let delete = |bench: &mut Bench| {
        let reply = bench.reply();
        let id = reply.id();
        bench.run(|shard, _, out| shard.delete_groups(&[text("g")], reply, out));
        match &bench.answers[&id] {
            Answer::DeleteGroups(groups) => groups[0].1.clone(),
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(delete(&mut bench), Some(GroupError::NonEmptyGroup));
    bench.try_beat(&stays("a", -1)).unwrap();
    let from = bench.log.len();
    assert_eq!(delete(&mut bench), None);
    assert_eq!(written(&bench, from), [-6, -4, -3]);
    assert!(bench.shard().list(&[], &[]).is_empty());
    assert!(bench.reloaded().shard().list(&[], &[]).is_empty());
}

#[test]
fn what_kafka_4_0_wrote_of_topics_goes_with_the_first_heartbeat() {
    let mut bench = bench();
    let old = ConsumerGroupRecord::PartitionMetadata {
        group: text("g"),
        value: Some(ConsumerGroupPartitionMetadataValue {
            content: bytes::Bytes::from_static(&[1, 0]),
        }),
    };
    bench.run(|shard, _, out| out.write(shard, vec![GroupRecord::Consumer(old)], None));
    let from = bench.log.len();
    bench.beat_with(&joins("a", &["orders"]));
    assert_eq!(written(&bench, from), [5, 3, -4, 7, 6, 8]);
}

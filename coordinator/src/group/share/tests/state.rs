//! The state of partitions: asked for, made, asked for again, gone with topics and groups.

use std::collections::BTreeSet;

use super::super::super::tests::consumer_bench::topic_id;
use super::super::super::tests::harness::{Bench, text};
use super::super::super::*;
use super::bench::{bench, id, joins, orders, stays};

fn not_initialized(bench: &mut Bench, partitions: &Assignment) {
    let reply = bench.reply();
    let why = "the coordinator is not available".to_owned();
    bench.run(|shard, _, out| {
        shard.share_state_not_initialized(&id(), partitions, why, reply, out);
    });
}

fn asked_for(answer: ShareHeartbeatAnswer) -> Option<Vec<i32>> {
    let asked = answer.unwrap().initialize?;
    Some(asked.start_offsets.into_values().flat_map(|of| of.into_keys()).collect())
}

#[test]
fn state_is_asked_for_once_and_again_when_nothing_was_heard_of_it() {
    let mut bench = bench();
    let asked = bench.try_share(&joins("a", &["orders"])).unwrap().initialize.unwrap();
    assert_eq!((asked.group, asked.state_epoch), (id(), 2));
    assert_eq!(asked.start_offsets[&topic_id("orders")], (0..4).map(|p| (p, -1)).collect());
    assert_eq!(asked_for(bench.try_share(&stays("a", 2))), None);
    bench.pass(29_999);
    assert_eq!(asked_for(bench.try_share(&stays("a", 2))), None);
    bench.pass(1);
    assert_eq!(asked_for(bench.try_share(&stays("a", 2))), Some(vec![0, 1, 2, 3]));
}

#[test]
fn state_that_could_not_be_made_is_asked_for_with_the_next_heartbeat() {
    let mut bench = bench();
    bench.try_share(&joins("a", &["orders"])).unwrap();
    not_initialized(&mut bench, &orders(&[0, 1, 2, 3]));
    assert!(bench.said(
        "Received error while calling initialize state for g on persister: the coordinator is not \
         available."
    ));
    assert_eq!(asked_for(bench.try_share(&stays("a", 2))), Some(vec![0, 1, 2, 3]));
}

#[test]
fn partitions_that_were_added_get_their_state_and_are_shared_out_then() {
    let mut bench = bench();
    bench.share(&joins("a", &["orders"]));
    bench.share(&stays("a", 2));
    bench.change_topics(2, &[("orders", 6)]);
    let from = bench.log.len();
    assert_eq!(bench.share(&stays("a", 3)), (4, None));
    assert_eq!(
        bench.share_records(from)[3..],
        [
            "state: initializing [orders [4, 5]] initialized [orders [0, 1, 2, 3]] deleting []",
            "state: initializing [] initialized [orders [0, 1, 2, 3, 4, 5]] deleting []"
        ]
    );
    assert_eq!(bench.share(&stays("a", 4)), (5, Some(vec![0, 1, 2, 3, 4, 5])));
}

#[test]
fn a_topic_that_is_deleted_takes_its_state_along() {
    let mut bench = bench();
    bench.share(&joins("a", &["orders"]));
    bench.share(&stays("a", 2));
    bench.change_topics(2, &[]);
    let gone = BTreeSet::from([topic_id("orders")]);
    let from = bench.log.len();
    bench.run(|shard, _, out| shard.share_topics_deleted(&gone, out));
    assert_eq!(bench.share_records(from), ["state: initializing [] initialized [] deleting []"]);
    assert!(bench.shard().initialized_share_partitions(&id()).is_empty());
    bench.run(|shard, _, out| shard.share_topics_deleted(&gone, out));
    assert_eq!(bench.log.len(), from + 1);
}

fn delete_state(bench: &mut Bench, groups: &[&str]) -> ShareStateToDelete {
    let reply = bench.reply();
    let groups: Vec<_> = groups.iter().map(|group| text(group)).collect();
    bench.run(|shard, _, out| shard.delete_share_state(&groups, reply, out));
    match &bench.answers[&reply.id()] {
        Answer::DeleteShareState(answer) => answer.clone(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_group_is_deleted_after_its_state() {
    let mut bench = bench();
    bench.share(&joins("a", &["orders"]));
    assert_eq!(
        delete_state(&mut bench, &["g", "none"]),
        Ok(vec![(id(), Err(GroupError::NonEmptyGroup))])
    );
    bench.share(&stays("a", -1));
    let from = bench.log.len();
    let state = StateToDelete { group: id(), partitions: orders(&[0, 1, 2, 3]) };
    assert_eq!(delete_state(&mut bench, &["g", "none"]), Ok(vec![(id(), Ok(state.clone()))]));
    assert_eq!(
        bench.share_records(from),
        ["state: initializing [] initialized [] deleting [orders]"]
    );
    // It failed elsewhere: the next attempt takes the same along.
    assert_eq!(delete_state(&mut bench, &["g"]), Ok(vec![(id(), Ok(state))]));
    let from = bench.log.len();
    let reply = bench.reply();
    bench.run(|shard, _, out| shard.delete_groups(&[id()], reply, out));
    assert_eq!(bench.share_records(from), ["target None", "no state", "group None"]);
    assert!(bench.shard().list(&[], &[]).is_empty());
    assert!(bench.reloaded().shard().list(&[], &[]).is_empty());
}

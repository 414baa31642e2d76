//! Offsets of share groups are altered and deleted.

use std::collections::BTreeSet;

use super::super::super::tests::consumer_bench::topic_id;
use super::super::super::tests::harness::{Bench, text};
use super::super::super::*;
use super::bench::{bench, id, joins, orders, stays};

fn alter(bench: &mut Bench, topics: &[(&str, &[(i32, i64)])]) -> AlterShareOffsetsAnswer {
    let image = std::sync::Arc::clone(&bench.cluster);
    let topics: Vec<_> = topics.iter().map(|(name, of)| (text(name), of.to_vec())).collect();
    let reply = bench.reply();
    bench.run(|shard, now, out| {
        shard.alter_share_offsets(&id(), &topics, &image, reply, now, out);
    });
    match &bench.answers[&reply.id()] {
        Answer::AlterShareOffsets(answer) => answer.clone(),
        other => panic!("{other:?}"),
    }
}

fn delete(bench: &mut Bench, topics: &[&str]) -> DeleteShareOffsetsAnswer {
    let image = std::sync::Arc::clone(&bench.cluster);
    let topics: Vec<_> = topics.iter().map(|name| text(name)).collect();
    let reply = bench.reply();
    bench.run(|shard, _, out| shard.delete_share_offsets(&id(), &topics, &image, reply, out));
    match &bench.answers[&reply.id()] {
        Answer::DeleteShareOffsets(answer) => answer.clone(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn altering_makes_a_group_and_names_what_is_not_there() {
    let mut bench = bench();
    let altered = alter(&mut bench, &[("orders", &[(1, 7), (9, 8)]), ("none", &[(0, 1)])]);
    let altered = altered.unwrap();
    let orders_id = topic_id("orders");
    assert_eq!(
        altered.topics,
        [
            AlteredTopic {
                name: text("orders"),
                id: Some(orders_id),
                partitions: vec![(1, true), (9, false)]
            },
            AlteredTopic { name: text("none"), id: None, partitions: vec![(0, false)] }
        ]
    );
    assert_eq!(altered.initialize.state_epoch, 1);
    assert_eq!(altered.initialize.start_offsets, [(orders_id, [(1, 7)].into())].into());
    assert_eq!(
        bench.share_records(0),
        ["state: initializing [orders [1]] initialized [] deleting []"]
    );
    bench.state_initialized(&orders(&[1]));
    assert_eq!(bench.shard().initialized_share_partitions(&id()), orders(&[1]));
    assert_eq!(bench.described_share().state, "Empty");
}

#[test]
fn a_group_with_members_keeps_its_offsets() {
    let mut bench = bench();
    bench.share(&joins("a", &["orders"]));
    assert_eq!(alter(&mut bench, &[("orders", &[(1, 7)])]), Err(GroupError::NonEmptyGroup));
    assert_eq!(delete(&mut bench, &["orders"]), Err(GroupError::NonEmptyGroup));
}

#[test]
fn offsets_are_deleted_in_two_steps_and_what_there_is_none_of_is_named() {
    let mut bench = bench();
    assert_eq!(delete(&mut bench, &["orders"]), Err(GroupError::GroupNotFound(id())));
    bench.share(&joins("a", &["orders"]));
    bench.share(&stays("a", -1));
    bench.change_topics(2, &[("orders", 4), ("others", 1)]);
    let from = bench.log.len();
    let deleting = delete(&mut bench, &["orders", "others", "none"]).unwrap();
    assert_eq!(
        deleting.refused,
        [(text("others"), NoShareOffsets::NotRead), (text("none"), NoShareOffsets::UnknownTopic)]
    );
    let state = StateToDelete { group: id(), partitions: orders(&[0, 1, 2, 3]) };
    assert_eq!(deleting.state, Some(state.clone()));
    // Tried again before it is done, it is the same.
    assert_eq!(delete(&mut bench, &["orders"]).unwrap().state, Some(state));
    let reply = bench.reply();
    let topics = BTreeSet::from([topic_id("orders")]);
    bench.run(|shard, _, out| shard.share_offsets_deleted(&id(), &topics, reply, out));
    assert_eq!(
        bench.share_records(from),
        [
            "state: initializing [] initialized [] deleting [orders]",
            "state: initializing [] initialized [] deleting [orders]",
            "state: initializing [] initialized [] deleting []"
        ]
    );
    let nothing = delete(&mut bench, &["orders"]).unwrap();
    assert_eq!(nothing.refused, [(text("orders"), NoShareOffsets::NotRead)]);
}

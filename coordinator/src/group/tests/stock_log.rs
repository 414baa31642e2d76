//! A partition of `__consumer_offsets` that a stock 4.1 broker wrote, and what its own tools said
//! of it: classic groups with a static member and without members, offsets of an administrator, a
//! deleted group, a consumer group (KIP-848) with a member, and offsets in transactions that were
//! committed, rolled back and left open.

use std::collections::BTreeMap;

use protocol::batch::batches;

use super::super::*;
use super::harness::*;
use crate::runtime::Shard as _;

fn loaded() -> Bench {
    let mut bench = Bench::new();
    for batch in batches(include_bytes!("stock_consumer_offsets.bin")) {
        bench.replay(batch.unwrap().bytes());
    }
    bench.run(|shard, now, out| shard.loaded(now, out));
    bench
}

#[test]
fn the_groups_are_those_that_stock_lists() {
    let bench = loaded();
    let mut listed: Vec<_> = bench
        .shard()
        .list(&[], &[])
        .into_iter()
        .map(|group| (group.group.to_string(), group.kind, group.state))
        .collect();
    listed.sort_by(|left, right| left.0.cmp(&right.0));
    let expected = [
        ("classic-left", GroupKind::Classic, "Empty"),
        ("classic-live", GroupKind::Classic, "Stable"),
        ("group-tx-abort", GroupKind::Classic, "Empty"),
        ("group-tx-commit", GroupKind::Classic, "Empty"),
        ("group-tx-open", GroupKind::Classic, "Empty"),
        ("modern", GroupKind::Consumer, "Stable"),
        ("simple", GroupKind::Classic, "Empty"),
    ];
    assert_eq!(listed, expected.map(|(group, kind, state)| (group.to_owned(), kind, state)));
}

#[test]
fn the_offsets_are_those_that_stock_shows() {
    let bench = loaded();
    for (group, expected) in [
        ("classic-left", &[(0, 3)][..]),
        ("classic-live", &[(0, 5), (1, 5)]),
        ("group-tx-abort", &[]),
        ("group-tx-commit", &[(0, 4)]),
        ("group-tx-open", &[]),
        ("modern", &[(0, 5), (1, 5)]),
        ("simple", &[(1, 2)]),
        ("deleted", &[]),
    ] {
        let topics = bench.shard().fetch_all_offsets(&text(group), None, true).unwrap();
        let offsets: BTreeMap<i32, i64> = topics
            .iter()
            .flat_map(|topic| &topic.partitions)
            .map(|partition| {
                let offset = partition.offset.clone().unwrap().unwrap();
                (partition.partition, offset.offset)
            })
            .collect();
        assert_eq!(offsets, expected.iter().copied().collect(), "{group}");
    }
    let left = bench.shard().fetch_all_offsets(&text("classic-left"), None, true).unwrap();
    let left = left[0].partitions[0].offset.clone().unwrap().unwrap();
    assert_eq!((&left.metadata[..], left.leader_epoch), ("a note", 0));
    let open = [(text("orders"), vec![0])];
    let open = bench.shard().fetch_offsets(&text("group-tx-open"), None, &open, true).unwrap();
    assert_eq!(open[0].partitions[0].offset, Err(GroupError::UnstableOffset));
}

#[test]
fn the_static_member_goes_on_with_its_assignment() {
    let bench = loaded();
    let group = bench.shard().describe(&text("classic-live")).unwrap();
    assert_eq!((&group.protocol_type[..], &group.protocol[..]), ("consumer", "range"));
    let [member] = &group.members[..] else { panic!("{group:?}") };
    assert_eq!(member.group_instance_id, Some(text("instance-1")));
    assert_eq!(&member.client_id[..], "client-classic-live");
    assert_eq!(&member.client_host[..], "/127.0.0.1");
    assert!(!member.assignment.is_empty());
    assert!(
        bench.shard().classic(&text("classic-live")).unwrap().is_subscribed_to(&text("orders"))
    );
}

#[test]
fn when_nobody_comes_back_the_members_go_and_the_groups_stay() {
    let mut bench = loaded();
    bench.pass(50_000);
    let states: Vec<_> =
        bench.shard().list(&[], &[]).into_iter().map(|group| group.state).collect();
    assert_eq!(states, ["Empty"; 7]);
}

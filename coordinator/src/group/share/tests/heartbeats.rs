//! Members join, stay, go and are fenced.

use super::super::super::tests::consumer_bench::Cluster;
use super::super::super::tests::harness::{commit_request, text};
use super::super::super::*;
use super::bench::{bench, bench_with, id, joins, stays};

#[test]
fn partitions_are_shared_out_when_their_state_stands() {
    let mut bench = bench();
    assert_eq!(bench.share(&joins("a", &["orders"])), (2, Some(vec![])));
    // The state stands by now, and the next heartbeat brings what it is about.
    assert_eq!(bench.share(&stays("a", 2)), (3, Some(vec![0, 1, 2, 3])));
    assert_eq!(bench.share(&stays("a", 3)), (3, None));
    assert_eq!(
        bench.share_records(0),
        [
            "member a",
            "group Some(2)",
            "target of a",
            "target Some(2)",
            "current of a",
            "state: initializing [orders [0, 1, 2, 3]] initialized [] deleting []",
            "state: initializing [] initialized [orders [0, 1, 2, 3]] deleting []",
            "group Some(3)",
            "target of a",
            "target Some(3)",
            "current of a",
        ]
    );
}

#[test]
fn a_second_member_has_its_share_at_once_and_the_first_one_hears_of_it_next() {
    let mut bench = bench();
    bench.share(&joins("a", &["orders"]));
    bench.share(&stays("a", 2));
    let (epoch, of_b) = bench.share(&joins("b", &["orders"]));
    assert_eq!((epoch, of_b.as_ref().map(Vec::len)), (4, Some(2)));
    let (epoch, of_a) = bench.share(&stays("a", 3));
    assert_eq!(epoch, 4);
    let mut both = [of_a.unwrap(), of_b.unwrap()].concat();
    both.sort_unstable();
    assert_eq!(both, [0, 1, 2, 3]);
}

#[test]
fn who_comes_alone_is_told_all_again_when_it_says_all_again() {
    let mut bench = bench();
    bench.share(&joins("a", &["orders"]));
    bench.share(&stays("a", 2));
    let whole = joins("a", &["orders"]).with_member_epoch(3);
    assert_eq!(bench.share(&whole), (3, Some(vec![0, 1, 2, 3])));
    // Its answer to the change before was lost: the epoch before is its own still.
    assert_eq!(bench.share(&stays("a", 2)), (3, None));
}

#[test]
fn epochs_that_nobody_has_given_out_are_fenced() {
    let mut bench = bench();
    bench.share(&joins("a", &["orders"]));
    bench.share(&stays("a", 2));
    bench.share(&joins("b", &["orders"]));
    bench.share(&stays("a", 3));
    for (epoch, why) in [
        (
            9,
            "The share group member has a greater member epoch (9) than the one known by the group \
             coordinator (4). The member must abandon all its partitions and rejoin.",
        ),
        (
            2,
            "The share group member has a smaller member epoch (2) than the one known by the group \
             coordinator (4), and it does not match the previous member epoch (3). The member must \
             abandon all its partitions and rejoin.",
        ),
    ] {
        let refusal = bench.try_share(&stays("a", epoch)).unwrap_err();
        assert_eq!(refusal, GroupError::FencedMemberEpoch(why.to_owned()));
    }
}

#[test]
fn groups_and_members_that_are_not_there_are_refused_and_a_full_group_too() {
    let mut bench = bench_with(ShareGroupSettings { max_size: 1, ..Default::default() });
    assert_eq!(bench.try_share(&stays("a", 1)), Err(GroupError::NoSuchShareGroup(id())));
    assert_eq!(bench.try_share(&stays("a", -1)), Err(GroupError::GroupNotFound(id())));
    bench.share(&joins("a", &["orders"]));
    let not_a_member = GroupError::NotAMember { member: text("b"), group: id() };
    assert_eq!(bench.try_share(&stays("b", -1)), Err(not_a_member));
    let full = Err(GroupError::ShareGroupFull { max: 1 });
    assert_eq!(bench.try_share(&joins("b", &["orders"])), full);
    assert_eq!(bench.try_share(&stays("b", 1)), full);
}

#[test]
fn a_group_of_another_kind_is_no_share_group_and_a_share_group_no_other() {
    let mut bench = bench();
    bench.commit(&commit_request("", -1, &[("orders", 0, 1)]));
    assert_eq!(bench.try_share(&joins("a", &["orders"])), Err(GroupError::NotAShareGroup(id())));
    let mut bench = super::bench::bench();
    bench.share(&joins("a", &["orders"]));
    let reply = bench.commit(&commit_request("", -1, &[("orders", 0, 1)]));
    assert_eq!(bench.committed(reply), Err(GroupError::NotAConsumerGroup(id())));
    let refused = bench.shard().describe(&id());
    assert_eq!(refused, Err(GroupError::NotAClassicGroup(id())));
}

#[test]
fn who_leaves_or_is_not_heard_of_makes_room_for_the_others() {
    let mut bench = bench();
    bench.share(&joins("a", &["orders"]));
    bench.share(&stays("a", 2));
    bench.share(&joins("b", &["orders"]));
    let from = bench.log.len();
    let answer = bench.try_share(&stays("b", -1)).unwrap();
    assert_eq!((answer.member_epoch, answer.heartbeat_interval_ms), (-1, 0));
    assert_eq!(
        bench.share_records(from),
        ["no current of b", "no target of b", "no member b", "group Some(5)"]
    );
    // It had not heard yet that it was to have less.
    assert_eq!(bench.share(&stays("a", 3)), (5, None));
    bench.pass(44_999);
    assert_eq!(bench.described_share().state, "Stable");
    bench.pass(1);
    assert_eq!(bench.described_share().state, "Empty");
    assert!(
        bench
            .said("[GroupId g] Member a fenced from the group because the member session expired.")
    );
}

#[test]
fn sessions_begin_anew_with_a_load_and_an_empty_group_stays() {
    let mut bench = bench();
    bench.share(&joins("a", &["orders"]));
    bench.share(&stays("a", 2));
    let mut reloaded = bench.reloaded();
    assert_eq!(reloaded.durable_state(), bench.durable_state());
    assert!(reloaded.said("Loaded share group g with 1 members."));
    reloaded.pass(45_000);
    assert_eq!(reloaded.described_share().state, "Empty");
    reloaded.pass(30 * 24 * 60 * 60 * 1000);
    assert_eq!(reloaded.shard().list(&[], &[text("share")]).len(), 1);
}

#[test]
fn a_group_s_own_timeouts_count_within_the_bounds() {
    let mut bench = bench();
    let configs =
        [(GroupConfig::ShareSessionTimeoutMs, 1), (GroupConfig::ShareHeartbeatIntervalMs, 7_000)];
    bench.cluster = std::sync::Arc::new(Cluster {
        version: 1,
        topics: [("orders".to_owned(), 4)].into(),
        configs: configs.into(),
    });
    let answer = bench.try_share(&joins("a", &["orders"])).unwrap();
    assert_eq!(answer.heartbeat_interval_ms, 7_000);
    bench.pass(44_999);
    assert_eq!(bench.described_share().members.len(), 1);
    bench.pass(1);
    assert!(bench.described_share().members.is_empty());
}

#[test]
fn assignments_are_computed_once_in_an_interval() {
    let mut bench = bench_with(ShareGroupSettings::default());
    bench.share(&joins("a", &["orders"]));
    // The state is known, and the epoch is the next; the target follows a second later.
    assert_eq!(bench.share(&stays("a", 2)), (2, None));
    assert_eq!(bench.described_share().epoch, 3);
    bench.pass(1_000);
    assert_eq!(bench.share(&stays("a", 2)), (3, Some(vec![0, 1, 2, 3])));
}

#[test]
fn a_write_that_fails_leaves_the_group_as_it_was() {
    let mut bench = bench();
    bench.share(&joins("a", &["orders"]));
    bench.share(&stays("a", 2));
    let before = bench.durable_state();
    bench.writes_at_once = false;
    let left = bench.share_parked(&stays("a", -1));
    assert!(bench.is_parked(left));
    bench.finish_write(Err(crate::runtime::WriteFailure::NotEnoughReplicas));
    assert!(bench.share_answer(left).is_err());
    assert_eq!(bench.durable_state(), before);
    // Its session is there again.
    bench.writes_at_once = true;
    bench.pass(45_000);
    assert_eq!(bench.described_share().state, "Empty");
}

#[test]
fn requests_that_no_group_can_answer_are_refused() {
    let refused = |request| match refuse_share_heartbeat(&request) {
        Err(GroupError::InvalidRequest(why)) => why,
        other => panic!("{other:?}"),
    };
    for (request, why) in [
        (joins(" ", &["orders"]), "MemberId can't be empty."),
        (joins("a", &["orders"]).with_group_id(Default::default()), "GroupId can't be empty."),
        (joins("a", &["orders"]).with_rack_id(Some(text(""))), "RackId can't be empty."),
        (joins("a", &[]), "SubscribedTopicNames must be set in first request."),
        (stays("a", 0), "SubscribedTopicNames must be set in first request."),
        (stays("a", -2), "MemberEpoch is invalid."),
    ] {
        assert_eq!(refused(request), why);
    }
    assert_eq!(refuse_share_heartbeat(&stays("a", -1)), Ok(()));
    let longest = "x".repeat(36);
    assert!(is_share_member_id(&longest) && !is_share_member_id(&format!("{longest}x")));
    assert!(!is_share_member_id(""));
}

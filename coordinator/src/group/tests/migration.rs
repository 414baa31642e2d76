//! Groups with members between the two protocols: up, down, and members of both in one group.

use super::super::*;
use super::consumer_bench::*;
use super::harness::*;
use crate::runtime::{ReplyId, WriteFailure};

/// The types of the records from `from` on, a tombstone's negative.
fn written(bench: &Bench, from: usize) -> Vec<i32> {
    let types = bench.log[from..].iter().map(|record| {
        let of = i32::from(record.key[1]);
        if record.value.is_some() { of } else { -of }
    });
    types.collect()
}

/// Two members in a stable classic group of generation 1, with two partitions each.
fn pair(bench: &mut Bench) -> (String, String) {
    let mut admit = || {
        let asked = bench.join_as(9, &joins_again("", None, &[]));
        let member = bench.joined(asked).member_id;
        bench.join_as(9, &joins_again(&member, None, &[]));
        member.to_string()
    };
    let (first, second) = (admit(), admit());
    bench.pass(6_000);
    bench.sync_given(&second, None, 1, &[]);
    bench.sync_given(&first, None, 1, &[(&first, &[0, 1]), (&second, &[2, 3])]);
    assert_eq!(bench.group().state, GroupState::Stable);
    (first, second)
}

/// A static classic member `i` in a stable group of its own, with all partitions.
fn alone(bench: &mut Bench) -> String {
    let joined = bench.join_as(9, &joins_again("", Some("i"), &[]));
    bench.pass(6_000);
    let member = bench.joined(joined).member_id.to_string();
    bench.sync_given(&member, Some("i"), 1, &[(&member, &[0, 1, 2, 3])]);
    member
}

/// Joins, syncs, and has what it is given.
fn follow(bench: &mut Bench, member: &str, owned: &[i32]) -> (i32, Vec<i32>) {
    let joined = bench.join_as(9, &joins_again(member, None, owned));
    let joined = bench.joined(joined);
    assert_eq!(joined.error, None);
    assert_eq!((joined.leader.as_str(), joined.members.len()), ("", 0), "nobody leads");
    let synced = bench.sync_given(member, None, joined.generation, &[]);
    (joined.generation, given_in(bench, synced))
}

fn given_in(bench: &Bench, synced: ReplyId) -> Vec<i32> {
    let synced = bench.synced(synced);
    assert_eq!(synced.error, None);
    partitions_in(synced.assignment)
}

fn is_classic(bench: &Bench, member: &str) -> bool {
    let group = bench.described();
    let found = group.members.iter().find(|of| of.member_id.as_str() == member);
    found.expect("a member").uses_classic_protocol
}

fn refused_sync(bench: &mut Bench, member: &str, generation: i32) -> GroupError {
    let synced = bench.sync_given(member, None, generation, &[]);
    bench.synced(synced).error.expect("refused")
}

#[test]
fn a_consumer_that_joins_a_classic_group_makes_a_consumer_group_of_it() {
    let mut bench = bench();
    let (first, second) = pair(&mut bench);
    let from = bench.log.len();
    let (epoch, got) = bench.beat_with(&joins("c", &["orders"]));
    assert_eq!((epoch, got), (2, Some(vec![])), "all partitions are somebody's still");
    let whole = [-2, 5, 5, 3, 7, 7, 6, 8, 8, 5, 3];
    assert_eq!(written(&bench, from)[..whole.len()], whole);
    assert_eq!(written(&bench, from)[whole.len()..], [7, 7, 6, 8], "one of two gives one up");
    assert!(bench.said("[GroupId g] Converted the classic group to a consumer group."));
    assert!(is_classic(&bench, &first) && is_classic(&bench, &second) && !is_classic(&bench, "c"));
    // Told to join again, each gives up all that it has, and one gets less.
    let mut owned = Vec::new();
    for member in [&first, &second] {
        assert_eq!(bench.heartbeat(member, 1), Err(GroupError::RebalanceInProgress));
        let (generation, given) = follow(&mut bench, member, &[]);
        assert_eq!(generation, 2);
        assert_eq!(bench.heartbeat(member, 2), Ok(()));
        owned.extend(given);
    }
    owned.extend(bench.beat_with(&stays("c", 2)).1.expect("what was given up"));
    owned.sort_unstable();
    assert_eq!(owned, [0, 1, 2, 3]);
    assert_eq!(bench.described().state, "Stable");
    assert_eq!(bench.reloaded().durable_state(), bench.durable_state());
}

#[test]
fn who_waits_in_the_classic_group_is_sent_to_join_again() {
    let mut bench = bench();
    let (first, second) = pair(&mut bench);
    let parked = bench.join_as(9, &joins_again(&first, None, &[]));
    assert!(bench.is_parked(parked));
    bench.beat_with(&joins("c", &["orders"]));
    assert_eq!(bench.joined(parked).error, Some(GroupError::RebalanceInProgress));
    assert_eq!(follow(&mut bench, &first, &[]).0, 2);
    // The join phase that was open has no end any more.
    bench.pass(9_000);
    bench.heartbeat(&second, 1).unwrap_err();
    bench.heartbeat(&first, 2).unwrap();
    bench.pass(9_000);
    assert_eq!(bench.described().members.len(), 3);

    let mut bench = super::consumer_bench::bench();
    let (first, second) = pair(&mut bench);
    bench.join_as(9, &joins_again(&first, None, &[]));
    bench.join_as(9, &joins_again(&second, None, &[]));
    let leader = bench.group();
    let follower = if leader.members[0].member_id.as_str() == first { &second } else { &first };
    let parked = bench.sync_given(follower, None, 2, &[]);
    assert!(bench.is_parked(parked));
    bench.beat_with(&joins("c", &["orders"]));
    assert_eq!(bench.synced(parked).error, Some(GroupError::RebalanceInProgress));
}

#[test]
fn a_group_in_its_first_join_phase_is_taken_too() {
    let mut bench = bench();
    let asked = bench.join_as(9, &joins_again("", None, &[]));
    let member = bench.joined(asked).member_id;
    let parked = bench.join_as(9, &joins_again(&member, None, &[]));
    let (epoch, got) = bench.beat_with(&joins("c", &["orders"]));
    assert_eq!((epoch, got.map(|got| got.len())), (1, Some(2)));
    assert_eq!(bench.joined(parked).error, Some(GroupError::RebalanceInProgress));
    let (generation, given) = follow(&mut bench, &member, &[]);
    assert_eq!((generation, given.len()), (1, 2));
}

/// What the last assignment gives to nobody, as it was forgotten or was one of several steps.
#[test]
fn what_a_cooperative_member_says_that_it_has_is_its_when_the_group_is_upgraded() {
    let mut bench = bench();
    let (first, second) = pair(&mut bench);
    // Both have joined again with what they have; the next assignment never comes.
    bench.join_as(9, &joins_again(&first, None, &[0, 1]));
    bench.join_as(9, &joins_again(&second, None, &[2, 3]));
    bench.leave(&[("nobody", None)]);
    let third = bench.join_as(9, &joins_again("", None, &[]));
    let third = bench.joined(third).member_id;
    bench.join_as(9, &joins_again(&third, None, &[]));
    let (_, got) = bench.beat_with(&joins("c", &["orders"]));
    assert_eq!(got, Some(vec![]), "what two have is not given to another");
    let given = follow(&mut bench, &first, &[0, 1]).1;
    assert!(given.iter().all(|partition| [0, 1].contains(partition)), "{given:?}");
}

#[test]
fn what_hinders_an_upgrade_is_said_and_changes_nothing() {
    let refused = |bench: &mut Bench| {
        let (from, parked) = (bench.log.len(), bench.durable_state());
        let why = bench.try_beat(&joins("c", &["orders"])).unwrap_err().to_string();
        assert_eq!((written(bench, from), bench.durable_state()), (vec![], parked));
        assert!(bench.said(&why), "{why}");
        why.replace("Cannot upgrade classic group g to consumer group because ", "")
    };
    for policy in [MigrationPolicy::Disabled, MigrationPolicy::Downgrade] {
        let mut bench = bench();
        pair(&mut bench);
        bench.run(|shard, _, _| shard.settings.migration_policy = policy);
        assert_eq!(refused(&mut bench), "online upgrade is disabled.");
    }
    let mut bench = bench();
    pair(&mut bench);
    bench.run(|shard, _, _| shard.settings.consumer_max_size = 1);
    assert_eq!(refused(&mut bench), "the group size exceeds the consumer group maximum size.");
    let mut bench = super::consumer_bench::bench();
    let mut connect = join_request("", &["sessioned"]).with_protocol_type(text("connect"));
    let asked = bench.join_as(9, &connect);
    connect.member_id = bench.joined(asked).member_id;
    bench.join_as(9, &connect);
    assert_eq!(refused(&mut bench), "the group does not use the consumer embedded protocol.");
    let mut bench = super::consumer_bench::bench();
    bench.stable_pair();
    assert_eq!(refused(&mut bench), "the embedded consumer protocol is malformed.");
    let mut bench = super::consumer_bench::bench();
    let (first, _) = pair(&mut bench);
    let custom = [&given(&[0])[..given(&[0]).len() - 4], b"\0\0\0\x01x"].concat();
    bench.run(|shard, _, _| {
        let group = shard.classic_mut(&text("g")).unwrap();
        group.members.get_mut(&text(&first)).unwrap().assignment = custom.into();
    });
    assert!(refused(&mut bench).starts_with("an unsupported custom assignor is in use."));
}

#[test]
fn a_group_that_its_last_consumer_leaves_is_classic_again_and_rebalances() {
    let mut bench = bench();
    let (first, second) = pair(&mut bench);
    bench.beat_with(&joins("c", &["orders"]));
    follow(&mut bench, &first, &[]);
    follow(&mut bench, &second, &[]);
    bench.beat_with(&stays("c", 2));
    let from = bench.log.len();
    bench.try_beat(&stays("c", -1)).unwrap();
    assert_eq!(written(&bench, from), [-8, -8, -8, -7, -7, -7, -6, -5, -5, -5, -4, -3, 2]);
    assert!(bench.said("[GroupId g] Converted the consumer group to a classic group."));
    let mut loaded = bench.reloaded();
    assert_eq!(loaded.group().state, GroupState::PreparingRebalance, "it has not rebalanced yet");
    assert_eq!(loaded.heartbeat(&first, 2), Err(GroupError::RebalanceInProgress));
    let group = bench.group();
    assert_eq!(group.state, GroupState::PreparingRebalance);
    assert_eq!(group.members.len(), 2);
    let (mut assigned, mut kept) = (Vec::new(), Vec::new());
    for member in &group.members {
        assigned.extend(partitions_in(member.assignment.clone()));
        kept.push(member.member_id.to_string());
    }
    assert_eq!(assigned.len(), 3, "what the one that left had is nobody's yet");
    assert_eq!(bench.heartbeat(&first, 2), Err(GroupError::RebalanceInProgress));
    bench.join_as(9, &joins_again(&first, None, &[]));
    let joined = bench.join_as(9, &joins_again(&second, None, &[]));
    assert_eq!(bench.joined(joined).generation, 3);
    let leader = kept[0].clone();
    let waits = bench.sync_given(&kept[1], None, 3, &[]);
    bench.sync_given(&leader, None, 3, &[(&kept[1], &[0, 1, 2, 3])]);
    assert_eq!(given_in(&bench, waits), [0, 1, 2, 3]);
    assert_eq!(bench.group().state, GroupState::Stable);
    assert_eq!(bench.reloaded().durable_state(), bench.durable_state());
}

#[test]
fn a_group_whose_last_consumer_is_fenced_is_classic_again() {
    let mut bench = bench();
    let (first, _) = pair(&mut bench);
    bench.beat_with(&joins("c", &["orders"]));
    follow(&mut bench, &first, &[]);
    for _ in 0..10 {
        bench.pass(4_500);
        let _ = bench.heartbeat(&first, 2);
    }
    assert!(
        bench
            .said("[GroupId g] Member c fenced from the group because the member session expired.")
    );
    // The other classic member has not been heard of either: its own session was the shorter one.
    assert_eq!(bench.group().members.len(), 1);
    assert_eq!(
        bench.heartbeat(&first, 1),
        Err(GroupError::IllegalGeneration { asked: 1, current: bench.generation() })
    );
}

#[test]
fn without_downgrades_the_group_stays_one_of_consumers() {
    for policy in [MigrationPolicy::Upgrade, MigrationPolicy::Disabled] {
        let mut bench = bench();
        let (first, second) = pair(&mut bench);
        bench.beat_with(&joins("c", &["orders"]));
        bench.run(|shard, _, _| shard.settings.migration_policy = policy);
        bench.try_beat(&stays("c", -1)).unwrap();
        assert_eq!(bench.described().members.len(), 2);
        assert!(bench.said(
            "Cannot downgrade consumer group g to classic group because the online downgrade is \
             disabled."
        ));
        let joined = bench.join_as(9, &joins_again(&first, None, &[]));
        let error = bench.joined(joined).error;
        if policy == MigrationPolicy::Disabled {
            assert_eq!(error, Some(GroupError::InconsistentProtocol));
        } else {
            assert_eq!(error, None);
            follow(&mut bench, &second, &[]);
            assert_eq!(bench.described().epoch, 3);
        }
    }
}

#[test]
fn a_static_member_goes_from_protocol_to_protocol_and_keeps_its_partitions() {
    let mut bench = bench();
    let old = alone(&mut bench);
    let instance = |request: protocol::messages::ConsumerGroupHeartbeatRequest| {
        request.with_instance_id(Some(text("i")))
    };
    let from = bench.log.len();
    let (epoch, got) = bench.beat_with(&instance(joins("c", &["orders"])));
    assert_eq!((epoch, got), (1, Some(vec![0, 1, 2, 3])), "the same subscription: no new epoch");
    assert_eq!(written(&bench, from), [-2, 5, 3, 7, 6, 8, -8, -7, -5, 5, 7, 8, 5, 8]);
    assert!(!is_classic(&bench, "c"));
    assert!(matches!(bench.heartbeat(&old, 1), Err(GroupError::NotAMember { .. })));
    // And back: nobody but it is there, and it has what it had, without a rebalance.
    let from = bench.log.len();
    let joined = bench.join_as(9, &joins_again("", Some("i"), &[0, 1, 2, 3]));
    let joined = bench.joined(joined);
    assert_eq!((joined.error, joined.generation), (None, 1));
    assert_eq!(written(&bench, from), [-8, -7, -5, 5, 7, 8, 5, 8, -8, -7, -6, -5, -4, -3, 2]);
    assert_eq!(bench.group().state, GroupState::Stable);
    let synced = bench.sync_given(&joined.member_id, Some("i"), 1, &[]);
    assert_eq!(given_in(&bench, synced), [0, 1, 2, 3]);
    let (loaded, group) = (bench.reloaded().group(), bench.group());
    assert_eq!(loaded.members[0].assignment, group.members[0].assignment);
}

#[test]
fn a_static_member_of_another_subscription_brings_a_rebalance_with_the_downgrade() {
    let mut bench = bench();
    let request = joins("c", &["orders", "more"]).with_instance_id(Some(text("i")));
    let (epoch, _) = bench.beat_with(&request);
    let joined = bench.join_as(9, &joins_again("", Some("i"), &[]));
    let joined = bench.joined(joined);
    assert_eq!((joined.error, joined.generation), (None, 0), "it is not reconciled");
    let group = bench.group();
    assert_eq!((group.state, bench.generation()), (GroupState::PreparingRebalance, epoch));
    let rejoined = bench.join_as(9, &joins_again(&joined.member_id, Some("i"), &[]));
    assert_eq!(bench.joined(rejoined).generation, epoch + 1);
}

#[test]
fn an_administrator_removes_members_of_both_protocols() {
    let mut bench = bench();
    let (first, second) = pair(&mut bench);
    bench.beat_with(&joins("c", &["orders"]).with_instance_id(Some(text("i"))));
    bench.beat_with(&joins("d", &["orders"]));
    let left = bench.leave(&[
        ("nobody", None),
        ("", Some("j")),
        ("other", Some("i")),
        ("", Some("i")),
        (&first, None),
        (&first, None),
    ]);
    let codes: Vec<Option<&str>> = left
        .members
        .iter()
        .map(|member| match &member.error {
            None => None,
            Some(GroupError::NotAMember { .. } | GroupError::UnknownInstance(_)) => Some("unknown"),
            Some(GroupError::StaticMemberFenced { .. }) => Some("fenced"),
            Some(other) => panic!("{other}"),
        })
        .collect();
    assert_eq!(codes, [Some("unknown"), Some("unknown"), Some("fenced"), None, None, None]);
    let group = bench.described();
    let ids: Vec<&str> = group.members.iter().map(|member| member.member_id.as_str()).collect();
    assert_eq!(ids.len(), 2);
    assert!(ids.contains(&"d") && ids.contains(&second.as_str()));
    let from = bench.log.len();
    bench.leave(&[("nobody", None)]);
    assert_eq!(written(&bench, from), [0; 0]);
    bench.leave(&[("d", None)]);
    assert_eq!(bench.group().state, GroupState::PreparingRebalance);
}

#[test]
fn a_classic_member_that_does_not_join_again_in_its_time_is_fenced() {
    let mut bench = bench();
    let (first, second) = pair(&mut bench);
    bench.beat_with(&joins("c", &["orders"]));
    follow(&mut bench, &second, &[]);
    for _ in 0..7 {
        assert_eq!(bench.heartbeat(&first, 1), Err(GroupError::RebalanceInProgress));
        let _ = bench.heartbeat(&second, 2);
        bench.try_beat(&stays("c", 2)).unwrap();
        bench.pass(9_000);
    }
    assert!(bench.said(&format!(
        "[GroupId g] Member {first} fenced from the group because the classic member failed to \
         join within the rebalance timeout."
    )));
    assert!(matches!(bench.heartbeat(&first, 1), Err(GroupError::NotAMember { .. })));
}

#[test]
fn a_classic_member_that_does_not_sync_in_its_time_is_fenced() {
    let mut bench = bench();
    let (first, _) = pair(&mut bench);
    bench.beat_with(&joins("c", &["orders"]));
    let joined = bench.join_as(9, &joins_again(&first, None, &[]));
    assert_eq!(bench.joined(joined).generation, 2);
    for _ in 0..7 {
        let _ = bench.heartbeat(&first, 2);
        let _ = bench.try_beat(&stays("c", 2));
        bench.pass(9_000);
    }
    assert!(bench.said(&format!(
        "[GroupId g] Member {first} fenced from the group because the member failed to sync \
         within timeout."
    )));
}

#[test]
fn requests_of_classic_members_that_do_not_fit_are_refused() {
    let mut bench = bench();
    let (first, second) = pair(&mut bench);
    bench.beat_with(&joins("c", &["orders"]));
    follow(&mut bench, &first, &[]);
    let stale = GroupError::IllegalGeneration { asked: 1, current: 2 };
    assert_eq!(bench.heartbeat(&first, 1), Err(stale.clone()));
    assert_eq!(refused_sync(&mut bench, &first, 1), stale);
    assert_eq!(bench.heartbeat("c", 2), Err(GroupError::UnknownMember), "it is no classic member");
    assert_eq!(refused_sync(&mut bench, "c", 2), GroupError::UnknownMember);
    assert_eq!(refused_sync(&mut bench, &second, 1), GroupError::RebalanceInProgress);
    let sync = protocol::messages::SyncGroupRequest::default()
        .with_group_id(protocol::messages::GroupId(text("g")))
        .with_member_id(text(&first))
        .with_generation_id(2);
    for other in [
        sync.clone().with_protocol_type(Some(text("connect"))),
        sync.clone().with_protocol_name(Some(text("sticky"))),
    ] {
        let synced = bench.sync_with(&other);
        assert_eq!(bench.synced(synced).error, Some(GroupError::InconsistentProtocol));
    }
    let mut join = |request: &protocol::messages::JoinGroupRequest| {
        let joined = bench.join_as(9, request);
        bench.joined(joined).error
    };
    let inconsistent = Some(GroupError::InconsistentProtocol);
    assert_eq!(join(&join_request("", &["sticky"])), inconsistent, "not what the others support");
    assert_eq!(join(&joins_again("", None, &[]).with_protocol_type(text("connect"))), inconsistent);
    assert_eq!(join(&joins_again("", None, &[])), Some(GroupError::MemberIdRequired));
    let unknown = join(&joins_again("nobody", Some("i"), &[]));
    assert_eq!(unknown, Some(GroupError::UnknownInstance(text("i"))));
    assert_eq!(join(&joins_again("x", None, &[])), None, "an id that was given out before");
    bench.run(|shard, _, _| shard.settings.consumer_max_size = 1);
    let joined = bench.join_as(9, &joins_again("y", None, &[]));
    assert_eq!(bench.joined(joined).error, Some(GroupError::ConsumerGroupFull { max: 1 }));
}

#[test]
fn classic_members_of_a_consumer_group_commit_with_their_generation() {
    let mut bench = bench();
    let (first, _) = pair(&mut bench);
    bench.beat_with(&joins("c", &["orders"]));
    let mut commit = |member: &str, epoch: i32, offset: i64| {
        let reply = bench.commit(&commit_request(member, epoch, &[("orders", 0, offset)]));
        bench.committed(reply).map(|_| ())
    };
    assert_eq!(commit(&first, 1, 5), Ok(()), "it has not heard of the new epoch");
    let ahead = GroupError::IllegalGeneration { asked: 2, current: 1 };
    assert_eq!(commit(&first, 2, 6), Err(ahead));
    let behind = GroupError::IllegalGeneration { asked: 0, current: 1 };
    assert_eq!(commit(&first, 0, 6), Err(behind));
    assert_eq!(bench.fetch("orders", 0), Ok(Some(5)));
}

#[test]
fn an_upgrade_that_is_not_written_leaves_the_classic_group_as_it_was() {
    let mut bench = bench();
    let (first, second) = pair(&mut bench);
    let parked = bench.join_as(9, &joins_again(&first, None, &[]));
    bench.writes_at_once = false;
    let beat = bench.beat_parked(&joins("c", &["orders"]));
    assert_eq!(bench.joined(parked).error, Some(GroupError::RebalanceInProgress));
    let joined = bench.join_as(9, &joins_again(&first, None, &[]));
    assert!(bench.is_parked(joined), "what it is told must stand in the log");
    bench.finish_write(Err(WriteFailure::NotEnoughReplicas));
    assert!(bench.beaten(beat).is_err());
    assert!(matches!(bench.joined(joined).error, Some(GroupError::WriteFailed(_))));
    bench.writes_at_once = true;
    assert_eq!(bench.group().state, GroupState::PreparingRebalance);
    bench.join_as(9, &joins_again(&first, None, &[]));
    let joined = bench.join_as(9, &joins_again(&second, None, &[]));
    assert_eq!(bench.joined(joined).generation, 2);
    // Who is not heard of is gone, in the group that is back as in any.
    bench.pass(10_000);
    assert_eq!(bench.group().members.len(), 0);
}

#[test]
fn a_downgrade_that_is_not_written_leaves_the_consumer_group_as_it_was() {
    let mut bench = bench();
    let (first, second) = pair(&mut bench);
    bench.beat_with(&joins("c", &["orders"]));
    follow(&mut bench, &first, &[]);
    follow(&mut bench, &second, &[]);
    bench.beat_with(&stays("c", 2));
    let before = bench.durable_state();
    bench.writes_at_once = false;
    let left = bench.beat_parked(&stays("c", -1));
    assert_eq!(bench.heartbeat(&first, 2), Err(GroupError::RebalanceInProgress));
    let parked = bench.join_as(9, &joins_again(&first, None, &[]));
    bench.finish_write(Err(WriteFailure::NotEnoughReplicas));
    assert!(bench.beaten(left).is_err());
    assert!(matches!(bench.joined(parked).error, Some(GroupError::WriteFailed(_))));
    bench.writes_at_once = true;
    assert_eq!(bench.durable_state(), before);
    assert_eq!(bench.heartbeat(&first, 2), Ok(()));
    // The one that wanted to go is gone when its session is over, and then they are classic.
    for _ in 0..10 {
        let _ = bench.heartbeat(&first, 2);
        let _ = bench.heartbeat(&second, 2);
        bench.pass(4_600);
    }
    assert_eq!(bench.group().state, GroupState::PreparingRebalance);
}

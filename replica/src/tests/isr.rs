//! Who is in sync: shrinking, growing, proposals and their answers.

use protocol::ErrorCode;

use super::*;

/// Leader 1 with three records, 2 in sync, 3 not.
fn with_three_records() -> Partition<MemoryLog> {
    let mut partition = leading(MemoryLog::default(), &[1, 2], 1);
    produce(&mut partition, Acks::All, 7).unwrap();
    partition
}

fn members(partition: &Partition<MemoryLog>) -> Vec<i32> {
    let Role::Leader(leader) = partition.role() else { panic!("a leader") };
    leader.in_sync().to_vec()
}

#[test]
fn a_follower_that_does_not_fetch_is_proposed_to_go_after_the_lag_time() {
    let cluster = Cluster::new();
    let mut partition = with_three_records();
    assert!(partition.tick(&cluster.at(LAG_MS)).is_empty());
    let effects = partition.tick(&cluster.at(LAG_MS + 1));
    assert_eq!(proposed(&effects), Some(vec![1]));
    let proposal = effects.propose.unwrap();
    assert_eq!(proposal.change, IsrChange::Shrink(vec![2]));
    assert_eq!((proposal.leader_epoch, proposal.partition_epoch), (5, 50));
    assert_eq!(proposal.isr, [Member { id: 1, broker_epoch: 101 }]);
    // Until the controller has said so, it still counts.
    assert_eq!((partition.high_watermark(), members(&partition)), (0, vec![1, 2]));
    assert!(partition.tick(&cluster.at(3 * LAG_MS)).is_empty(), "one proposal at a time");
    let effects = partition.isr_answered(&proposal, &changed(51, &[1]), &cluster.at(LAG_MS + 2));
    assert_eq!(effects.answered, [(7, Answer::Committed)]);
    assert_eq!(effects.isr, Some(IsrOutcome::Shrunk));
    assert_eq!((partition.partition_epoch(), members(&partition)), (51, vec![1]));
}

#[test]
fn lag_is_measured_by_what_the_leader_had_when_the_follower_last_fetched() {
    let cluster = Cluster::new();
    let mut partition = leading(MemoryLog::default(), &[1, 2], 1);
    let mut now = 0;
    // Always one append behind, yet always with all of what was there at the fetch before.
    for fetched in 0..10 {
        produce(&mut partition, Acks::Leader, 0).unwrap();
        now += LAG_MS - 1;
        partition.follower_fetched(&fetch(2, 3 * fetched), &cluster.at(now)).unwrap();
        assert_eq!(partition.tick(&cluster.at(now)).propose, None, "fetch {fetched}");
    }
    // Fetching without ever getting there is lagging.
    for _ in 0..3 {
        now += LAG_MS - 1;
        partition.follower_fetched(&fetch(2, 28), &cluster.at(now)).unwrap();
    }
    assert_eq!(proposed(&partition.tick(&cluster.at(now))), Some(vec![1]));
}

#[test]
fn a_follower_with_all_records_does_not_lag_however_long_nothing_happens() {
    let cluster = Cluster::new();
    let mut partition = with_three_records();
    partition.follower_fetched(&fetch(2, 3), &cluster.at(1)).unwrap();
    assert!(partition.tick(&cluster.at(100 * LAG_MS)).is_empty());
}

#[test]
fn a_follower_is_proposed_once_it_has_what_is_committed_and_what_the_epoch_began_with() {
    let cluster = Cluster::new();
    for (epoch_start, high_watermark, offset, joins) in [
        (0, 3, 3, true),
        (0, 3, 2, false),
        (0, 0, 0, true),
        // Above the high watermark, below the records of former epochs.
        (4, 0, 3, false),
        (4, 0, 4, true),
    ] {
        let log = MemoryLog::with(0, &[(4, epoch_start as usize)]);
        let mut partition = leading(log, &[1, 2], 1);
        produce(&mut partition, Acks::Leader, 0).unwrap();
        partition.follower_fetched(&fetch(2, high_watermark), &cluster.at(1)).unwrap();
        let (_, effects) = partition.follower_fetched(&fetch(3, offset), &cluster.at(2)).unwrap();
        let expected = joins.then(|| vec![1, 2, 3]);
        assert_eq!(proposed(&effects), expected, "epoch {epoch_start}, {high_watermark}, {offset}");
    }
}

#[test]
fn a_follower_whose_records_the_leader_cannot_compare_is_not_counted() {
    // The leader has deleted 0..3, which it wrote under epoch 5, as what follows.
    for (name, range, epoch, counts) in [
        ("of an earlier leader, ending where the log starts", (0, 3), 4, false),
        ("without any epoch", (0, 3), -1, false),
        ("of this leader", (0, 3), 5, true),
        ("begun anew", (3, 3), -1, true),
    ] {
        let mut partition = leading(MemoryLog::default(), &[1], 1);
        produce(&mut partition, Acks::Leader, 7).unwrap();
        let at = Cluster::new();
        partition.delete_records(3, 9, &at.at(0)).unwrap();
        let (log_start_offset, end) = range;
        let asked = FollowerFetch { log_start_offset, last_fetched_epoch: epoch, ..fetch(2, end) };
        let (grant, effects) = partition.follower_fetched(&asked, &at.at(1)).unwrap();
        assert_eq!(grant.diverging, None, "{name}");
        assert_eq!(effects.propose.is_some(), counts, "{name}");
    }
}

#[test]
fn a_proposed_member_counts_before_the_controller_has_answered() {
    let cluster = Cluster::new();
    let mut partition = with_three_records();
    let (_, effects) = partition.follower_fetched(&fetch(3, 0), &cluster.at(1)).unwrap();
    let proposal = effects.propose.unwrap();
    let epochs: Vec<_> = proposal.isr.iter().map(|m| (m.id, m.broker_epoch)).collect();
    assert_eq!(epochs, [(1, 101), (2, -1), (3, 103)], "2 has not fetched from this leader");
    partition.follower_fetched(&fetch(2, 3), &cluster.at(2)).unwrap();
    assert_eq!(partition.high_watermark(), 0);
    // Long after 3 would have stopped to count as caught up.
    partition.tick(&cluster.at(10 * LAG_MS));
    assert_eq!(partition.high_watermark(), 0);
    let refused = IsrAnswer::Refused(ErrorCode::IneligibleReplica);
    let effects = partition.isr_answered(&proposal, &refused, &cluster.at(10 * LAG_MS));
    assert_eq!(effects.answered, [(7, Answer::Committed)], "rolled back, it counts no more");
    assert_eq!(effects.isr, Some(IsrOutcome::Failed));
}

#[test]
fn only_brokers_that_the_controller_would_take_are_proposed() {
    type Change = fn(&mut BrokerView);
    let cases: [(&str, Change, bool); 5] = [
        ("alive", |_| {}, true),
        ("fenced", |broker| broker.fenced = true, false),
        ("shutting down", |broker| broker.shutting_down = true, false),
        ("of an older registration here", |broker| broker.epoch = 7, false),
        ("of the same registration", |broker| broker.epoch = 103, true),
    ];
    for (name, change, joins) in cases {
        let cluster = Cluster::new().with(3, change);
        let mut partition = with_three_records();
        let (_, effects) = partition.follower_fetched(&fetch(3, 3), &cluster.at(1)).unwrap();
        assert_eq!(effects.propose.is_some(), joins, "{name}");
        // One that may not join holds nothing back either.
        partition.follower_fetched(&fetch(2, 3), &cluster.at(2)).unwrap();
        assert_eq!(partition.high_watermark(), 3, "{name}");
    }
}

#[test]
fn a_follower_about_to_join_holds_the_mark_back_for_the_lag_time_at_most() {
    let cluster = Cluster::new();
    let log = MemoryLog::with(0, &[(4, 3)]);
    let mut partition = leading(log, &[1, 2], 1);
    // 3 had everything once, then the leader went on.
    partition.follower_fetched(&fetch(3, 0), &cluster.at(1)).unwrap();
    partition.follower_fetched(&fetch(2, 3), &cluster.at(1)).unwrap();
    assert_eq!(partition.high_watermark(), 3, "3 never was there");
    let (_, effects) = partition.follower_fetched(&fetch(3, 3), &cluster.at(2)).unwrap();
    let proposal = effects.propose.unwrap();
    let refused = IsrAnswer::Refused(ErrorCode::OperationNotAttempted);
    assert!(partition.isr_answered(&proposal, &refused, &cluster.at(3)).answered.is_empty());
    produce(&mut partition, Acks::All, 7).unwrap();
    partition.follower_fetched(&fetch(2, 6), &cluster.at(4)).unwrap();
    assert_eq!(partition.high_watermark(), 3);
    let effects = partition.tick(&cluster.at(LAG_MS + 3));
    assert_eq!((partition.high_watermark(), effects.answered.len()), (6, 1));
}

#[test]
fn every_answer_of_the_controller_has_its_consequence() {
    // The answer, whether the proposal is out still, whether it is to be sent again, the set.
    let refused = IsrAnswer::Refused;
    let of_another_epoch = IsrAnswer::Changed {
        leader_epoch: 4,
        partition_epoch: 51,
        isr: vec![1, 2, 3],
        recovery: Recovery::Recovered,
    };
    for (answer, out, again, isr) in [
        (changed(51, &[1, 2, 3]), false, false, vec![1, 2, 3]),
        (changed(50, &[1, 2]), false, false, vec![1, 2]),
        (changed(49, &[1, 2, 3]), true, false, vec![1, 2]),
        (of_another_epoch, true, false, vec![1, 2]),
        (refused(ErrorCode::IneligibleReplica), false, false, vec![1, 2]),
        (refused(ErrorCode::OperationNotAttempted), false, false, vec![1, 2]),
        (refused(ErrorCode::FencedLeaderEpoch), true, false, vec![1, 2]),
        (refused(ErrorCode::InvalidUpdateVersion), true, false, vec![1, 2]),
        (refused(ErrorCode::InvalidRequest), true, false, vec![1, 2]),
        (refused(ErrorCode::UnknownTopicOrPartition), true, false, vec![1, 2]),
        (refused(ErrorCode::UnknownTopicId), true, false, vec![1, 2]),
        (refused(ErrorCode::NewLeaderElected), true, false, vec![1, 2]),
        (refused(ErrorCode::NotController), true, true, vec![1, 2]),
        (refused(ErrorCode::UnknownServerError), true, true, vec![1, 2]),
    ] {
        let cluster = Cluster::new();
        let mut partition = with_three_records();
        let (_, effects) = partition.follower_fetched(&fetch(3, 3), &cluster.at(1)).unwrap();
        let proposal = effects.propose.unwrap();
        let effects = partition.isr_answered(&proposal, &answer, &cluster.at(2));
        let Role::Leader(leader) = partition.role() else { panic!("a leader") };
        assert_eq!(leader.pending().is_some(), out, "{answer:?}");
        assert_eq!(effects.propose.is_some(), again, "{answer:?}");
        assert_eq!(leader.in_sync(), isr, "{answer:?}");
    }
}

#[test]
fn an_answer_to_a_proposal_of_a_former_state_is_ignored() {
    let cluster = Cluster::new();
    let mut partition = with_three_records();
    let (_, effects) = partition.follower_fetched(&fetch(3, 3), &cluster.at(1)).unwrap();
    let proposal = effects.propose.unwrap();
    let newer = Registration { partition_epoch: 52, ..registration(1, 5, &[1, 2]) };
    partition.lead(&newer, &cluster.at(2)).unwrap();
    assert!(partition.isr_answered(&proposal, &changed(51, &[1, 2, 3]), &cluster.at(3)).is_empty());
    assert_eq!(members(&partition), [1, 2]);
    partition.follow(&registration(2, 6, &[2]));
    assert!(partition.isr_answered(&proposal, &changed(51, &[1, 2, 3]), &cluster.at(3)).is_empty());
}

#[test]
fn the_same_state_again_keeps_the_proposal_that_is_out() {
    let cluster = Cluster::new();
    let mut partition = with_three_records();
    partition.follower_fetched(&fetch(3, 0), &cluster.at(1)).unwrap();
    partition.lead(&registration(1, 5, &[1, 2]), &cluster.at(2)).unwrap();
    partition.follower_fetched(&fetch(2, 3), &cluster.at(10 * LAG_MS)).unwrap();
    assert_eq!(partition.high_watermark(), 0, "the controller may have taken 3 in");
}

#[test]
fn a_new_epoch_gives_members_their_lag_time_anew() {
    let cluster = Cluster::new();
    let mut partition = with_three_records();
    partition.lead(&registration(1, 6, &[1, 2]), &cluster.at(LAG_MS)).unwrap();
    assert!(partition.tick(&cluster.at(2 * LAG_MS)).is_empty());
    assert_eq!(proposed(&partition.tick(&cluster.at(2 * LAG_MS + 1))), Some(vec![1]));
}

#[test]
fn a_reassignment_brings_followers_and_takes_them_away() {
    let cluster = Cluster::new();
    let mut partition = leading(MemoryLog::default(), &[1, 2], 2);
    produce(&mut partition, Acks::All, 7).unwrap();
    let grown = Registration {
        partition_epoch: 51,
        replicas: vec![1, 2, 3, 4],
        adding: vec![4],
        removing: vec![2],
        ..registration(1, 5, &[1, 2])
    };
    assert_eq!(grown.replication_factor(), 3);
    assert!(partition.lead(&grown, &cluster.at(1)).unwrap().is_empty());
    let (_, effects) = partition.follower_fetched(&fetch(4, 3), &cluster.at(2)).unwrap();
    let proposal = effects.propose.unwrap();
    partition.isr_answered(&proposal, &changed(52, &[1, 2, 4]), &cluster.at(3));
    let done = Registration {
        partition_epoch: 53,
        replicas: vec![1, 3, 4],
        ..registration(1, 5, &[1, 4])
    };
    let effects = partition.lead(&done, &cluster.at(4)).unwrap();
    assert_eq!(effects.answered, [(7, Answer::Committed)], "2, which never fetched, is gone");
    let refused = partition.follower_fetched(&fetch(2, 3), &cluster.at(5)).unwrap_err();
    assert_eq!(refused, FetchRefused::UnknownReplica { replica_id: 2, named_epoch: true });
}

//! What is committed when, and who is answered.

use super::*;

#[test]
fn an_append_to_the_only_in_sync_replica_is_committed_at_once() {
    let mut partition = leading(MemoryLog::default(), &[1], 1);
    assert_eq!(produce(&mut partition, Acks::All, 7), Ok(true));
    assert_eq!((partition.high_watermark(), partition.log().committed), (3, 3));
}

#[test]
fn acks_all_waits_for_every_member_of_the_set_and_acks_one_does_not() {
    let cluster = Cluster::new();
    let mut partition = leading(MemoryLog::default(), &[1, 2, 3], 2);
    assert_eq!(produce(&mut partition, Acks::All, 7), Ok(false));
    assert_eq!(produce(&mut partition, Acks::Leader, 8), Ok(true));
    for (id, offset, high_watermark, answered) in
        [(2, 3, 0, 0), (3, 2, 2, 0), (3, 3, 3, 1), (2, 6, 3, 0), (3, 6, 6, 0)]
    {
        let (_, effects) = partition.follower_fetched(&fetch(id, offset), &cluster.at(1)).unwrap();
        assert_eq!(partition.high_watermark(), high_watermark, "{id} at {offset}");
        assert_eq!(effects.answered.len(), answered);
        assert!(effects.answered.iter().all(|told| *told == (7, Answer::Committed)));
    }
}

#[test]
fn a_request_that_is_forgotten_leaves_the_others_waiting() {
    let mut partition = leading(MemoryLog::default(), &[1, 2], 1);
    produce(&mut partition, Acks::All, 7).unwrap();
    produce(&mut partition, Acks::All, 8).unwrap();
    partition.forget(7);
    let effects = partition.follow(&registration(2, 6, &[2]));
    assert_eq!(effects.answered, [(8, Answer::NoLongerLeader)]);
}

#[test]
fn whoever_waits_is_told_when_the_leadership_ends() {
    let mut partition = leading(MemoryLog::default(), &[1, 2], 1);
    produce(&mut partition, Acks::All, 7).unwrap();
    let effects = partition.follow(&registration(2, 6, &[2]));
    assert_eq!(effects.answered, [(7, Answer::NoLongerLeader)]);
    assert_eq!(produce(&mut partition, Acks::All, 8), Err(NotAppended::NotLeader));
}

#[test]
fn whoever_waits_goes_on_waiting_when_the_same_leader_is_elected_again() {
    let cluster = Cluster::new();
    let mut partition = leading(MemoryLog::default(), &[1, 2], 1);
    produce(&mut partition, Acks::All, 7).unwrap();
    assert!(partition.lead(&registration(1, 6, &[1, 2]), &cluster.at(1)).unwrap().is_empty());
    let asked = FollowerFetch { current_leader_epoch: 6, ..fetch(2, 3) };
    let (_, effects) = partition.follower_fetched(&asked, &cluster.at(2)).unwrap();
    assert_eq!(effects.answered, [(7, Answer::Committed)]);
}

#[test]
fn what_followers_had_before_somebody_else_led_counts_no_more() {
    let cluster = Cluster::new();
    for (epoch, high_watermark) in [(6, 3), (7, 0)] {
        let mut partition = leading(MemoryLog::default(), &[1, 2, 3], 1);
        produce(&mut partition, Acks::All, 7).unwrap();
        partition.follower_fetched(&fetch(2, 3), &cluster.at(1)).unwrap();
        // The third follower leaves the set; what the second has decides.
        partition.lead(&registration(1, epoch, &[1, 2]), &cluster.at(2)).unwrap();
        assert_eq!(partition.high_watermark(), high_watermark, "epoch {epoch} after 5");
        let asked = FollowerFetch { current_leader_epoch: epoch, ..fetch(2, 3) };
        partition.follower_fetched(&asked, &cluster.at(3)).unwrap();
        assert_eq!(partition.high_watermark(), 3);
    }
}

#[test]
fn too_small_an_in_sync_set_refuses_acks_all_before_the_append() {
    let mut partition = leading(MemoryLog::default(), &[1], 2);
    let refused = NotAppended::TooFewInSync { in_sync: 1, min_in_sync: 2 };
    assert_eq!(produce(&mut partition, Acks::All, 7), Err(refused));
    assert_eq!(partition.log().end(), 0);
    assert_eq!(produce(&mut partition, Acks::Leader, 8), Ok(true));
    assert_eq!(partition.high_watermark(), 0, "nothing is committed by too few");
}

#[test]
fn min_insync_replicas_asks_for_no_more_than_there_are() {
    let alone = Registration { replicas: vec![1], ..registration(1, 5, &[1]) };
    let mut partition = Partition::new(MemoryLog::default(), 0, settings(2));
    assert!(partition.lead(&alone, &Cluster::new().at(0)).unwrap().is_empty());
    assert_eq!(produce(&mut partition, Acks::All, 7), Ok(true));
}

#[test]
fn an_in_sync_set_that_shrank_meanwhile_is_told_after_the_append() {
    let cluster = Cluster::new();
    let mut partition = leading(MemoryLog::default(), &[1, 2], 2);
    produce(&mut partition, Acks::All, 7).unwrap();
    // The set falls below what the topic asks for: nothing more is committed.
    let alone = Registration { partition_epoch: 51, ..registration(1, 5, &[1]) };
    assert!(partition.lead(&alone, &cluster.at(1)).unwrap().is_empty());
    assert_eq!(partition.high_watermark(), 0);
    // The topic is content with less: what is in the log is committed.
    partition.configure(settings(1));
    let effects = partition.tick(&cluster.at(2));
    assert_eq!(effects.answered, [(7, Answer::Committed)]);
}

#[test]
fn a_repeated_batch_waits_for_its_own_end_only() {
    let cluster = Cluster::new();
    let mut partition = leading(MemoryLog::default(), &[1, 2], 1);
    produce(&mut partition, Acks::All, 1).unwrap();
    produce(&mut partition, Acks::All, 2).unwrap();
    partition.log_mut().repeated = Some(3);
    assert_eq!(produce(&mut partition, Acks::All, 3), Ok(false));
    let (_, effects) = partition.follower_fetched(&fetch(2, 3), &cluster.at(1)).unwrap();
    assert_eq!(effects.answered, [(1, Answer::Committed), (3, Answer::Committed)]);
    partition.log_mut().repeated = Some(3);
    assert_eq!(produce(&mut partition, Acks::All, 4), Ok(true));
}

#[test]
fn a_log_that_fails_answers_the_append_and_moves_nothing() {
    let mut partition = leading(MemoryLog::default(), &[1], 1);
    partition.log_mut().broken = true;
    assert_eq!(produce(&mut partition, Acks::Leader, 7), Err(NotAppended::Log("disk")));
    assert_eq!(partition.high_watermark(), 0);
}

#[test]
fn a_new_epoch_begins_at_the_log_end_and_the_same_epoch_begins_once() {
    let cluster = Cluster::new();
    let mut partition = leading(MemoryLog::default(), &[1], 1);
    produce(&mut partition, Acks::All, 7).unwrap();
    partition.lead(&registration(1, 5, &[1]), &cluster.at(0)).unwrap();
    partition.lead(&registration(1, 6, &[1]), &cluster.at(0)).unwrap();
    assert_eq!(partition.log().epochs, [(5, 0), (6, 3)]);
}

#[test]
fn the_remembered_high_watermark_is_brought_within_the_log() {
    for (remembered, expected) in [(100, 9), (0, 4), (6, 6)] {
        let log = MemoryLog::with(4, &[(1, 5)]);
        assert_eq!(Partition::new(log, remembered, settings(1)).high_watermark(), expected);
    }
}

#[test]
fn a_state_older_than_the_known_one_is_left_alone() {
    let cluster = Cluster::new();
    let mut partition = leading(MemoryLog::default(), &[1, 2], 1);
    let older = Registration { partition_epoch: 49, ..registration(1, 5, &[1]) };
    partition.lead(&older, &cluster.at(0)).unwrap();
    let Role::Leader(leader) = partition.role() else { panic!("a leader") };
    assert_eq!(leader.in_sync(), [1, 2]);
    assert!(
        partition
            .follow(&Registration { partition_epoch: 49, ..registration(2, 4, &[2]) })
            .is_empty()
    );
    assert!(partition.leads());
}

#[test]
fn records_are_deleted_only_below_the_high_watermark() {
    let cluster = Cluster::new();
    let at = cluster.at(0);
    let mut partition = leading(MemoryLog::default(), &[1], 1);
    produce(&mut partition, Acks::All, 7).unwrap();
    for (offset, expected) in [(2, Some(2)), (1, Some(1)), (-1, Some(3)), (4, None), (-2, None)] {
        let deleted = partition.delete_records(offset, 9, &at);
        let requested = deleted.map(|(deletion, _)| deletion.requested).ok();
        assert_eq!(requested, expected, "{offset}");
    }
    assert_eq!(partition.log().start, 3);
    partition.follow(&registration(2, 6, &[2]));
    assert_eq!(partition.delete_records(3, 9, &at), Err(NotDeleted::NotLeader));
}

#[test]
fn a_deletion_waits_for_the_replicas_that_are_alive() {
    let cluster = Cluster::new().with(3, |broker| broker.fenced = true);
    let mut partition = leading(MemoryLog::default(), &[1], 1);
    produce(&mut partition, Acks::All, 7).unwrap();
    let (deletion, _) = partition.delete_records(2, 9, &cluster.at(0)).unwrap();
    assert_eq!(deletion, Deletion { requested: 2, low_watermark: -1, done: false });
    for (start, expected) in [(1, vec![]), (2, vec![(9, Some(2))])] {
        let asked = FollowerFetch { log_start_offset: start, ..fetch(2, 3) };
        let (_, effects) = partition.follower_fetched(&asked, &cluster.at(1)).unwrap();
        assert_eq!(effects.deleted, expected);
    }
    let (_, _) = partition.delete_records(3, 10, &cluster.at(0)).unwrap();
    assert_eq!(partition.follow(&registration(2, 6, &[2])).deleted, [(10, None)]);
}

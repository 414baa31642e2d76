//! A follower's log becomes the leader's: appending, truncating, starting anew.

use protocol::batch::BatchBuilder;

use super::*;

/// Broker 1 follows broker 2 under epoch 7.
fn following(log: MemoryLog, high_watermark: i64) -> Partition<MemoryLog> {
    let mut partition = Partition::new(log, high_watermark, settings(1));
    assert!(partition.follow(&registration(2, 7, &[2])).is_empty());
    partition
}

fn fetched(records: &[u8], high_watermark: i64) -> Fetched {
    Fetched { records: Bytes::copy_from_slice(records), high_watermark, log_start_offset: 0 }
}

fn position(partition: &Partition<MemoryLog>) -> FetchPosition {
    partition.fetch_position().expect("somebody to ask")
}

#[test]
fn what_the_leader_sends_is_appended_and_what_it_has_committed_is_known() {
    let cluster = Cluster::new();
    let at = cluster.at(0);
    let mut partition = following(MemoryLog::default(), 0);
    for (records, high_watermark, end, known, epoch) in [
        (&[6, 6, 7][..], 2, 3, 2, 7),
        (&[][..], 3, 3, 3, 7),
        (&[7][..], 9, 4, 4, 7),
        // A new leader may know less.
        (&[][..], 1, 4, 1, 7),
        // Of a leader after this one: not for us yet (KAFKA-18723).
        (&[7, 8][..], 1, 5, 1, 7),
    ] {
        let asked = position(&partition);
        partition.append_from_leader(&asked, &fetched(records, high_watermark), &at).unwrap();
        let next = position(&partition);
        assert_eq!((next.fetch_offset, next.last_fetched_epoch), (end, epoch));
        assert_eq!(partition.high_watermark(), known);
    }
}

#[test]
fn an_answer_to_another_question_is_dropped() {
    let cluster = Cluster::new();
    let at = cluster.at(0);
    let mut partition = following(MemoryLog::default(), 0);
    let asked = position(&partition);
    let answer = fetched(&[7, 7], 1);
    assert_eq!(partition.append_from_leader(&asked, &answer, &at), Ok(Replicated::Appended));
    assert_eq!(partition.append_from_leader(&asked, &answer, &at), Ok(Replicated::Outdated));
    let asked = position(&partition);
    partition.follow(&registration(3, 8, &[3]));
    assert_eq!(partition.append_from_leader(&asked, &answer, &at), Ok(Replicated::Outdated));
    let parts = Diverging { epoch: 1, end_offset: 0 };
    assert_eq!(partition.diverged(&asked, parts, 0, &at), Ok(Replicated::Outdated));
    assert_eq!(partition.out_of_range(&asked, 0, 0, &at), Ok(Replicated::Outdated));
    assert_eq!(partition.log().end(), 2);
}

#[test]
fn a_log_that_parts_from_the_leaders_is_cut_where_both_agree() {
    // 0..5 under epoch 1, 5..8 under epoch 3, 8..10 under epoch 6.
    let runs = [(1, 5), (3, 3), (6, 2)];
    for (name, epoch, end_offset, cut) in [
        ("the same epoch, shorter there", 6, 9, 9),
        ("the same epoch, shorter here", 3, 99, 8),
        ("an older epoch of ours", 3, 7, 7),
        ("an epoch that is not ours", 4, 7, 8),
        ("an epoch between ours that is not ours", 2, 4, 5),
        ("an epoch older than all of ours", 0, 3, 0),
        ("no epoch", -1, 6, 6),
    ] {
        let cluster = Cluster::new();
        let mut partition = following(MemoryLog::with(0, &runs), 9);
        let asked = position(&partition);
        let parts = Diverging { epoch, end_offset };
        let done = partition.diverged(&asked, parts, -1, &cluster.at(0));
        assert_eq!(done, Ok(Replicated::Truncated(cut)), "{name}");
        assert_eq!(partition.log().end(), cut, "{name}");
        assert_eq!(partition.high_watermark(), cut.min(9), "{name}");
    }
}

#[test]
fn a_log_that_begins_behind_what_the_leader_has_begins_anew_where_the_leaders_does() {
    // 5..10 under epoch 3.
    for (name, end_offset, leader_start, done, range) in [
        ("the leader ends before it", 4, 2, Replicated::StartedAt(2), (2, 2)),
        ("cut at our start", 5, 2, Replicated::Truncated(5), (5, 5)),
        ("the leader does not say", 4, -1, Replicated::Truncated(4), (4, 4)),
        ("a record is left", 6, 2, Replicated::Truncated(6), (5, 6)),
    ] {
        let cluster = Cluster::new();
        let mut partition = following(MemoryLog::with(5, &[(3, 5)]), 9);
        let asked = position(&partition);
        let parts = Diverging { epoch: 3, end_offset };
        let told = partition.diverged(&asked, parts, leader_start, &cluster.at(0));
        assert_eq!(told, Ok(done), "{name}");
        let log = partition.log();
        assert_eq!((log.start, log.end()), range, "{name}");
    }
}

#[test]
fn an_epoch_without_records_is_forgotten_with_the_cut() {
    let cluster = Cluster::new();
    let mut partition = Partition::new(MemoryLog::with(0, &[(1, 5)]), 5, settings(1));
    partition.lead(&registration(1, 3, &[1]), &cluster.at(0)).unwrap();
    partition.follow(&registration(2, 7, &[2]));
    let asked = position(&partition);
    assert_eq!((asked.fetch_offset, asked.last_fetched_epoch), (5, 3));
    partition.diverged(&asked, Diverging { epoch: 1, end_offset: 5 }, 0, &cluster.at(0)).unwrap();
    let asked = position(&partition);
    assert_eq!((asked.fetch_offset, asked.last_fetched_epoch), (5, 1));
}

#[test]
fn out_of_the_leaders_range_the_log_is_cut_or_begun_anew() {
    for (name, leader, done, range, high_watermark) in [
        ("the leader has less", (0, 6), Replicated::Truncated(6), (2, 6), 6),
        ("the leader has nothing of ours", (0, 1), Replicated::StartedAt(0), (0, 0), 0),
        ("the leader has deleted all we have", (20, 30), Replicated::StartedAt(20), (20, 20), 20),
        ("the leader has gone on meanwhile", (0, 12), Replicated::Nothing, (2, 10), 8),
    ] {
        let cluster = Cluster::new();
        let mut partition = following(MemoryLog::with(2, &[(1, 8)]), 8);
        let asked = position(&partition);
        let (start, end) = leader;
        assert_eq!(partition.out_of_range(&asked, start, end, &cluster.at(0)), Ok(done), "{name}");
        let log = partition.log();
        assert_eq!((log.start, log.end()), range, "{name}");
        assert_eq!(partition.high_watermark(), high_watermark, "{name}");
    }
}

#[test]
fn the_leaders_log_start_is_followed_up_to_what_is_committed() {
    let cluster = Cluster::new();
    let mut partition = following(MemoryLog::with(0, &[(7, 8)]), 0);
    for (leader_start, high_watermark, start) in [(3, 5, 3), (7, 6, 3), (2, 6, 3), (6, 6, 6)] {
        let asked = position(&partition);
        let answer = Fetched { log_start_offset: leader_start, ..fetched(&[], high_watermark) };
        partition.append_from_leader(&asked, &answer, &cluster.at(0)).unwrap();
        assert_eq!(partition.log().start, start, "{leader_start} {high_watermark}");
    }
}

#[test]
fn what_ends_where_the_leaders_log_starts_is_kept_only_if_it_was_this_leaders() {
    // The follower's last records are of epoch 1, the leader's of epoch 2, which deleted them.
    for (name, epoch, ours, leader_start, done, range) in [
        ("of an earlier leader", 1, 0, 25, Replicated::StartedAt(25), (25, 25)),
        ("of this leader", 7, 0, 25, Replicated::Nothing, (25, 25)),
        ("the leader has the last of them", 1, 0, 24, Replicated::Nothing, (24, 25)),
        ("nothing of ours is below", 1, 25, 25, Replicated::Nothing, (25, 25)),
    ] {
        let cluster = Cluster::new();
        let mut partition = following(MemoryLog::with(ours, &[(epoch, (25 - ours) as usize)]), 25);
        let asked = position(&partition);
        let answer = Fetched { log_start_offset: leader_start, ..fetched(&[], 25) };
        let was = partition.append_from_leader(&asked, &answer, &cluster.at(0));
        assert_eq!(was, Ok(done), "{name}");
        let log = partition.log();
        assert_eq!((log.start, log.end()), range, "{name}");
        // Whose epoch is forgotten has nothing left that a crash could show.
        assert_eq!(log.epochs.is_empty(), name == "of an earlier leader", "{name}");
    }
}

#[test]
fn an_empty_log_begins_with_the_batch_that_holds_the_leaders_start() {
    let cluster = Cluster::new();
    let mut partition = following(MemoryLog::default(), 0);
    let asked = position(&partition);
    partition.out_of_range(&asked, 12, 20, &cluster.at(0)).unwrap();
    let mut batch = BatchBuilder::new(10).leader_epoch(7);
    (0..4).for_each(|_| batch.append(0, None, Some(b"v")));
    let asked = position(&partition);
    let answer = Fetched { records: batch.build(), high_watermark: 14, log_start_offset: 12 };
    let done = partition.append_from_leader(&asked, &answer, &cluster.at(0));
    assert_eq!(done, Ok(Replicated::Appended));
    let log = partition.log();
    assert_eq!((log.start, log.end(), partition.high_watermark()), (12, 14, 14));
}

#[test]
fn a_log_that_was_cut_inside_of_the_leaders_batch_goes_on_with_the_whole_batch() {
    let cluster = Cluster::new();
    let mut partition = following(MemoryLog::with(0, &[(7, 12)]), 10);
    let mut batch = BatchBuilder::new(10).leader_epoch(7);
    (0..4).for_each(|_| batch.append(0, None, Some(b"v")));
    let asked = position(&partition);
    let answer = Fetched { records: batch.build(), high_watermark: 14, log_start_offset: 0 };
    let done = partition.append_from_leader(&asked, &answer, &cluster.at(0));
    assert_eq!(done, Ok(Replicated::Appended));
    let log = partition.log();
    assert_eq!((log.start, log.end(), partition.high_watermark()), (0, 14, 14));
}

#[test]
fn without_any_epoch_what_is_not_committed_is_fetched_again() {
    let cluster = Cluster::new();
    let mut log = MemoryLog::with(0, &[(7, 8)]);
    log.epochs.clear();
    let mut partition = following(log, 5);
    let asked = position(&partition);
    assert_eq!((asked.fetch_offset, asked.last_fetched_epoch), (5, -1));
    partition.append_from_leader(&asked, &fetched(&[7], 5), &cluster.at(0)).unwrap();
    assert_eq!(partition.log().end(), 6);
}

#[test]
fn nobody_is_asked_without_a_leader_or_by_one_who_is_fenced() {
    let mut partition = following(MemoryLog::default(), 0);
    let asked = position(&partition);
    partition.leader_fenced_us(&FetchPosition { leader_epoch: 6, ..asked });
    assert!(partition.fetch_position().is_some(), "the answer was of an older epoch");
    partition.leader_fenced_us(&asked);
    assert_eq!(partition.fetch_position(), None);
    let same = Registration { partition_epoch: 71, ..registration(2, 7, &[2, 1]) };
    partition.follow(&same);
    assert_eq!(partition.fetch_position(), None, "nothing new");
    partition.follow(&registration(2, 8, &[2]));
    assert!(partition.fetch_position().is_some());
    partition.follow(&registration(-1, 9, &[2]));
    assert_eq!(partition.fetch_position(), None);
}

#[test]
fn a_log_that_fails_says_so() {
    let cluster = Cluster::new();
    let mut partition = following(MemoryLog::with(0, &[(7, 3)]), 0);
    partition.log_mut().broken = true;
    let asked = position(&partition);
    let answer = fetched(&[7], 1);
    assert_eq!(partition.append_from_leader(&asked, &answer, &cluster.at(0)), Err("disk"));
    let parts = Diverging { epoch: 7, end_offset: 1 };
    assert_eq!(partition.diverged(&asked, parts, -1, &cluster.at(0)), Err("disk"));
}

//! What the answers about a share group's offsets come to.

use protocol::messages::alter_share_group_offsets_response as altered;
use protocol::messages::delete_share_group_offsets_response as deleted;
use protocol::messages::describe_share_group_offsets_response as told;

use super::*;

fn partition(partition: i32) -> TopicPartition {
    TopicPartition { topic: "orders".to_owned(), partition }
}

fn key() -> Vec<GroupKey> {
    vec![GroupKey("g".to_owned())]
}

#[test]
fn a_partition_where_the_group_has_not_begun_has_no_start_and_a_failed_one_is_left_out() {
    let partition_of = |partition_index, start_offset, leader_epoch, lag, error_code| {
        told::DescribeShareGroupOffsetsResponsePartition {
            partition_index,
            start_offset,
            leader_epoch,
            lag,
            error_code,
            error_message: None,
        }
    };
    let partitions = vec![
        partition_of(0, 12, 3, 7, 0),
        partition_of(1, 5, -1, -1, 0),
        partition_of(2, -1, 0, 0, 0),
        partition_of(3, 9, 0, 0, 3),
    ];
    let topic = described::DescribeShareGroupOffsetsResponseTopic {
        topic_name: topic_name("orders"),
        partitions,
        ..Default::default()
    };
    let group = told::DescribeShareGroupOffsetsResponseGroup {
        group_id: key().first().map(group_id).unwrap(),
        topics: vec![topic],
        ..Default::default()
    };
    let answer = DescribeShareGroupOffsetsResponse { groups: vec![group], ..Default::default() };
    let outcomes = DescribeShareGroupOffsets.read(1, &key(), answer);
    let [(_, Outcome::Done(Ok(starts)))] = outcomes.as_slice() else { panic!("{outcomes:?}") };
    let start = |start, leader_epoch, lag| Some(ShareOffset { start, leader_epoch, lag });
    let expected = [
        (partition(0), start(12, Some(3), Some(7))),
        (partition(1), start(5, None, None)),
        (partition(2), None),
    ];
    assert_eq!(starts, &expected);
}

#[test]
fn new_starts_are_asked_for_topic_by_topic() {
    let payments = TopicPartition { topic: "payments".to_owned(), partition: 4 };
    let starts = [(partition(1), 8), (payments, 9), (partition(0), 7)];
    let request = AlterShareGroupOffsets(&starts).request(&key(), 0);
    let asked = request.topics.iter().map(|topic| {
        let partitions = topic.partitions.iter();
        let partitions = partitions.map(|one| (one.partition_index, one.start_offset));
        (topic.topic_name.to_string(), partitions.collect::<Vec<_>>())
    });
    let asked: Vec<_> = asked.collect();
    let expected =
        [("orders".to_owned(), vec![(1, 8), (0, 7)]), ("payments".to_owned(), vec![(4, 9)])];
    assert_eq!((request.group_id.to_string().as_str(), asked.as_slice()), ("g", &expected[..]));
}

#[test]
fn what_fails_the_group_fails_each_partition_in_kafkas_words() {
    let starts = [(partition(1), 8), (partition(0), 7)];
    let alter = AlterShareGroupOffsets(&starts);
    let answer = AlterShareGroupOffsetsResponse::default().with_error_code(68);
    let mut outcomes = alter.read(1, &key(), answer);
    let Some((_, Outcome::Done(Ok(outcomes)))) = outcomes.pop() else { panic!("{outcomes:?}") };
    let AdminError::Answer { code: 68, message } = all_altered(outcomes).unwrap_err() else {
        panic!("another error");
    };
    let words = "Failed altering group offsets for the following partitions: [orders-0, orders-1]";
    assert_eq!(message, words);
}

#[test]
fn a_refused_partition_fails_the_change_and_no_refusal_does_not() {
    let answer = |code| {
        let one = altered::AlterShareGroupOffsetsResponsePartition::default()
            .with_partition_index(1)
            .with_error_code(code);
        let topic = altered::AlterShareGroupOffsetsResponseTopic::default()
            .with_topic_name(topic_name("orders"))
            .with_partitions(vec![one]);
        AlterShareGroupOffsetsResponse::default().with_responses(vec![topic])
    };
    for (code, fails) in [(0, false), (3, true)] {
        let mut outcomes = AlterShareGroupOffsets(&[]).read(1, &key(), answer(code));
        let Some((_, Outcome::Done(Ok(outcomes)))) = outcomes.pop() else {
            panic!("{outcomes:?}");
        };
        assert_eq!(all_altered(outcomes).is_err(), fails, "{code}");
    }
}

#[test]
fn a_coordinator_that_loads_or_moves_is_asked_again() {
    for (code, moves) in [(14, false), (27, false), (15, true), (16, true)] {
        let answer = AlterShareGroupOffsetsResponse::default().with_error_code(code);
        let altered = AlterShareGroupOffsets(&[]).read(1, &key(), answer);
        let answer = DeleteShareGroupOffsetsResponse::default().with_error_code(code);
        let deleted = DeleteShareGroupOffsets(&[]).read(1, &key(), answer);
        match moves {
            true => assert!(
                matches!(altered.as_slice(), [(_, Outcome::Moved)])
                    && matches!(deleted.as_slice(), [(_, Outcome::Moved)]),
                "{code}"
            ),
            false => assert!(
                matches!(altered.as_slice(), [(_, Outcome::Again)])
                    && matches!(deleted.as_slice(), [(_, Outcome::Again)]),
                "{code}"
            ),
        }
    }
}

#[test]
fn each_topic_that_is_forgotten_has_its_own_outcome() {
    let topic = |name: &str, code| {
        deleted::DeleteShareGroupOffsetsResponseTopic::default()
            .with_topic_name(topic_name(name))
            .with_error_code(code)
    };
    let answer = DeleteShareGroupOffsetsResponse::default()
        .with_responses(vec![topic("orders", 0), topic("nothing", 3)]);
    let mut outcomes = DeleteShareGroupOffsets(&[]).read(1, &key(), answer);
    let Some((_, Outcome::Done(Ok(topics)))) = outcomes.pop() else { panic!("{outcomes:?}") };
    assert_eq!(topics["orders"], Ok(()));
    assert_eq!(topics["nothing"].as_ref().unwrap_err().code(), Some(3));

    let refused = DeleteShareGroupOffsetsResponse::default().with_error_code(68);
    let outcomes = DeleteShareGroupOffsets(&[]).read(1, &key(), refused);
    let [(_, Outcome::Done(Err(error)))] = outcomes.as_slice() else { panic!("{outcomes:?}") };
    assert_eq!(error.code(), Some(68));
}

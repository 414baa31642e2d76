//! The decisions of this folder, by tables.

use std::sync::Arc;

use protocol::ErrorCode;
use protocol::batch::{BatchView, Compression};
use uuid::Uuid;

use super::accumulator::{Accumulator, Appended, Bounds, Departing, Drained};
use super::batch::{ProducerBatch, Sequence};
use super::partitioner::{Sticky, draw};
use super::sequences::{Sequences, TopicPartition};
use super::verdict::{Answered, Standing, Verdict, error_of, judge};
use super::{
    Acks, ProducerError, ProducerRecord, ProducerSettings, ProducerSettingsError, murmur2,
    partition_for_key,
};
use crate::metadata::{Partition, Topic};

fn topic(name: &str, partitions: i32) -> Topic {
    let partition = |index| Partition {
        index,
        leader_id: Some(index % 2),
        leader_epoch: Some(0),
        replicas: Vec::new(),
        isr: Vec::new(),
        offline_replicas: Vec::new(),
    };
    let partitions = (0..partitions).map(partition).collect();
    Topic { name: name.to_owned(), id: Uuid::nil(), is_internal: false, partitions }
}

const BOUNDS: Bounds = Bounds {
    batch_size: 200,
    linger: 10,
    buffer_memory: 600,
    max_request_size: 10_000,
    delivery_timeout: 1000,
    retry_backoff: 100,
    retry_backoff_max: 1000,
    codec: Compression::None,
    ignores_keys: false,
    keeps_order: false,
};

fn record<'a>(value: &'a [u8], partition: i32) -> ProducerRecord<'a> {
    let (topic, partition) = ("t", Some(partition));
    ProducerRecord { topic, partition, value: Some(value), ..ProducerRecord::default() }
}

fn append(
    own: &mut Accumulator<u32>,
    now: u64,
    value: &[u8],
    at: i32,
    token: u32,
) -> Appended<u32> {
    own.append(&record(value, at), &topic("t", 4), at, (now, 1000), token, false)
}

/// Even partitions are led by node 0, odd ones by node 1.
fn drain(own: &mut Accumulator<u32>, now: u64, ids: Option<&mut Sequences>) -> Drained<u32> {
    own.drain(now, |_, index| Some(index % 2), |_| false, ids)
}

fn tokens(drained: &Drained<u32>) -> Vec<(i32, Vec<Vec<u32>>)> {
    let mut all: Vec<(i32, Vec<Vec<u32>>)> = drained
        .requests
        .iter()
        .map(|(node, batches)| {
            (*node, batches.iter().map(|departing| departing.batch.tokens.clone()).collect())
        })
        .collect();
    all.sort();
    all
}

#[test]
fn keys_hash_as_in_kafka() {
    // From Kafka's UtilsTest.
    for (key, hash) in [
        ("21", -973_932_308),
        ("foobar", -790_332_482),
        ("a-little-bit-long-string", -985_981_536),
        ("a-little-bit-longer-string", -1_486_304_829),
        ("lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58_897_971),
        ("abc", 479_470_107),
    ] {
        assert_eq!(murmur2(key.as_bytes()), hash, "{key}");
    }
    let positive = usize::try_from(-973_932_308_i32 & i32::MAX).unwrap();
    assert_eq!(partition_for_key(b"21", 7), i32::try_from(positive % 7).unwrap());
}

#[test]
fn a_partition_is_kept_for_a_batch_and_left_in_any_case_after_two() {
    let mut sticky = Sticky::default();
    sticky.switch_to(3);
    sticky.appended(150, 100, false);
    assert_eq!(sticky.current(), Some(3), "its batch is not done");
    sticky.appended(0, 100, true);
    assert_eq!(sticky.current(), None);
    sticky.switch_to(1);
    sticky.appended(200, 100, false);
    assert_eq!(sticky.current(), None);
}

#[test]
fn shorter_queues_are_drawn_more_often() {
    let drawn = |queues: &[(i32, usize)]| -> Vec<Option<i32>> {
        (0..6).map(|chance| draw(queues, chance)).collect()
    };
    let equal = drawn(&[(0, 5), (1, 5), (2, 5)]);
    assert_eq!(equal, [0, 1, 2, 0, 1, 2].map(Some));
    // Kafka's example: queues of 0, 3 and 1 have weights of 4, 1 and 3.
    let counts = (0..8).map(|chance| draw(&[(0, 0), (1, 3), (2, 1)], chance).unwrap());
    assert_eq!(counts.collect::<Vec<_>>(), [0, 0, 0, 0, 1, 2, 2, 2]);
    assert_eq!(draw(&[], 7), None);
}

#[test]
fn batches_leave_when_they_are_full_or_have_lingered() {
    let mut own = Accumulator::new(Bounds { buffer_memory: 2000, ..BOUNDS });
    assert_eq!(append(&mut own, 0, &[0; 50], 0, 1), Appended::Taken { wakes_sender: true });
    assert_eq!(append(&mut own, 1, &[0; 50], 0, 2), Appended::Taken { wakes_sender: false });
    let early = drain(&mut own, 4, None);
    assert_eq!((tokens(&early), early.next_in), (vec![], 6));
    assert_eq!(tokens(&drain(&mut own, 10, None)), [(0, vec![vec![1, 2]])]);
    // A second batch makes the first one full; what lies beside it on the node goes along.
    for token in 3..7 {
        append(&mut own, 20, &[0; 50], 1, token);
    }
    append(&mut own, 20, &[0; 5], 3, 9);
    assert_eq!(tokens(&drain(&mut own, 20, None)), [(1, vec![vec![3, 4], vec![9]])]);
    assert_eq!(tokens(&drain(&mut own, 30, None)), [(1, vec![vec![5, 6]])]);
}

#[test]
fn memory_bounds_what_waits_and_is_given_back() {
    let mut own = Accumulator::new(BOUNDS);
    for at in 0..3 {
        append(&mut own, 0, &[0; 50], at, 0);
    }
    let refused = append(&mut own, 0, &[0; 50], 3, 7);
    assert_eq!(refused, Appended::NoRoom { token: 7, bytes: 200 });
    assert_eq!(append(&mut own, 0, &[0; 50], 2, 8), Appended::Taken { wakes_sender: false });
    own.waiting = 1;
    let drained = drain(&mut own, 0, None);
    assert_eq!(tokens(&drained).len(), 2, "whoever waits for memory makes all urgent");
    for (_, batches) in drained.requests {
        for departing in batches {
            own.done(departing.batch.allocated);
        }
    }
    assert_eq!((own.available(), own.incomplete), (600, 0));
}

#[test]
fn a_request_holds_no_more_than_its_limit_and_busy_nodes_get_none() {
    let mut own = Accumulator::new(Bounds { max_request_size: 250, ..BOUNDS });
    for at in [0, 2] {
        append(&mut own, 0, &[0; 100], at, 1);
    }
    let busy = own.drain(20, |_, _| Some(0), |_| true, None);
    assert!(busy.requests.is_empty());
    let first = drain(&mut own, 20, None);
    assert_eq!(tokens(&first), [(0, vec![vec![1]])]);
    assert_eq!(tokens(&drain(&mut own, 20, None)), [(0, vec![vec![1]])]);
    append(&mut own, 20, b"x", 0, 2);
    assert!(own.drain(40, |_, _| None, |_| false, None).has_unknown_leader);
}

#[test]
fn what_is_too_late_is_taken_out() {
    let mut own = Accumulator::new(BOUNDS);
    append(&mut own, 0, b"a", 0, 1);
    append(&mut own, 500, b"b", 1, 2);
    assert!(own.expire(999).is_empty());
    let expired: Vec<u32> = own.expire(1000).iter().map(|late| late.batch.tokens[0]).collect();
    assert_eq!(expired, [1]);
}

fn only(mut drained: Drained<u32>) -> Departing<u32> {
    assert_eq!(drained.requests.len(), 1);
    let (_, mut batches) = drained.requests.remove(0);
    assert_eq!(batches.len(), 1);
    batches.remove(0)
}

#[test]
fn batches_that_come_back_go_again_in_the_order_of_their_sequences() {
    let mut own = Accumulator::new(BOUNDS);
    let mut ids = Sequences::default();
    append(&mut own, 0, b"a", 0, 1);
    assert!(drain(&mut own, 20, Some(&mut ids)).requests.is_empty(), "without a producer id");
    ids.identified(7, 0);
    let first = only(drain(&mut own, 20, Some(&mut ids)));
    append(&mut own, 20, b"b", 0, 2);
    let second = only(drain(&mut own, 40, Some(&mut ids)));
    append(&mut own, 40, b"c", 0, 3);
    let at = |base| Some(Sequence { producer_id: 7, epoch: 0, base });
    assert_eq!((first.batch.sequence, second.batch.sequence), (at(0), at(1)));
    for back in [second, first] {
        ids.returned(&back.partition, back.batch.sequence.unwrap());
        own.reenqueue(50, back);
    }
    let resting = drain(&mut own, 140, Some(&mut ids));
    assert_eq!((tokens(&resting), resting.next_in), (vec![], 10));
    let again = only(drain(&mut own, 150, Some(&mut ids)));
    assert_eq!((again.batch.tokens.as_slice(), again.batch.sequence), (&[1][..], at(0)));
    assert!(drain(&mut own, 150, Some(&mut ids)).requests.is_empty(), "the older is on the wire");
    ids.returned(&again.partition, at(0).unwrap());
    ids.acknowledged(&again.partition, at(0).unwrap(), 1, 0);
    let next = only(drain(&mut own, 150, Some(&mut ids)));
    assert_eq!((next.batch.tokens.as_slice(), next.batch.sequence), (&[2][..], at(1)));
    let last = only(drain(&mut own, 150, Some(&mut ids)));
    assert_eq!((last.batch.tokens.as_slice(), last.batch.sequence), (&[3][..], at(2)));
}

#[test]
fn after_a_gap_everything_waits_for_the_wire_and_a_new_epoch_begins_at_zero() {
    let partition: TopicPartition = (Arc::from("t"), 0);
    let mut ids = Sequences::default();
    ids.identified(7, 0);
    let first = ids.assign(&partition, None, 5);
    let second = ids.assign(&partition, None, 5);
    assert_eq!((first.base, second.base), (0, 5));
    ids.returned(&partition, first);
    ids.lost(&partition, first);
    assert!(!ids.may_send(&partition, None), "the second is on the wire");
    ids.returned(&partition, second);
    assert!(ids.may_send(&partition, Some(second)));
    let again = ids.assign(&partition, Some(second), 5);
    assert_eq!(again, Sequence { producer_id: 7, epoch: 1, base: 0 });
    // Another partition goes on under its old epoch's end as soon as its wire is empty.
    let other: TopicPartition = (Arc::from("t"), 1);
    assert_eq!(ids.assign(&other, None, 1), Sequence { producer_id: 7, epoch: 1, base: 0 });
    // What comes back late under the old epoch changes nothing.
    ids.acknowledged(&partition, second, 5, 10);
    assert!(ids.is_next(&partition, again));
}

#[test]
fn sequences_go_on_from_zero_and_the_last_epoch_asks_for_another_id() {
    let partition: TopicPartition = (Arc::from("t"), 0);
    let mut ids = Sequences::default();
    ids.identified(7, i16::MAX);
    let large = ids.assign(&partition, None, i32::MAX);
    let next = ids.assign(&partition, None, 2);
    let wrapped = ids.assign(&partition, None, 1);
    assert_eq!((large.base, next.base, wrapped.base), (0, i32::MAX, 1));
    ids.lost(&partition, wrapped);
    for sequence in [large, next, wrapped] {
        ids.returned(&partition, sequence);
    }
    ids.assign(&partition, None, 1);
    assert!(ids.needs_producer_id());
}

const STANDING: Standing = Standing {
    records: 2,
    attempts: 0,
    retries: 3,
    is_late: false,
    is_next: None,
    is_transactional: false,
};

#[test]
fn answers_are_judged_as_kafkas_sender_does() {
    use ErrorCode::{
        DuplicateSequenceNumber, MessageTooLarge, NotLeaderOrFollower, OutOfOrderSequenceNumber,
        RequestTimedOut, TopicAuthorizationFailed, UnknownProducerId,
    };
    let next = Standing { is_next: Some(true), ..STANDING };
    let early = Standing { is_next: Some(false), ..STANDING };
    let alone = Standing { records: 1, ..STANDING };
    let tired = Standing { attempts: 3, ..STANDING };
    let late = Standing { is_late: true, ..STANDING };
    let of_transaction = Standing { is_transactional: true, ..next };
    let table = [
        (None, STANDING, Verdict::Done),
        (Some(MessageTooLarge), STANDING, Verdict::Split),
        (Some(MessageTooLarge), alone, Verdict::Fail),
        (Some(NotLeaderOrFollower), STANDING, Verdict::Retry),
        (Some(RequestTimedOut), STANDING, Verdict::Retry),
        (Some(NotLeaderOrFollower), tired, Verdict::Fail),
        (Some(NotLeaderOrFollower), late, Verdict::Fail),
        (Some(TopicAuthorizationFailed), STANDING, Verdict::Fail),
        (Some(OutOfOrderSequenceNumber), early, Verdict::Retry),
        (Some(OutOfOrderSequenceNumber), next, Verdict::RetryAfresh),
        (Some(OutOfOrderSequenceNumber), of_transaction, Verdict::Fail),
        (Some(OutOfOrderSequenceNumber), STANDING, Verdict::Fail),
        (Some(UnknownProducerId), next, Verdict::RetryAfresh),
        (Some(DuplicateSequenceNumber), next, Verdict::Done),
    ];
    for (error, standing, expected) in table {
        let code = error.map_or(0, |error| error.code());
        assert_eq!(judge(code, &standing), expected, "{code} {standing:?}");
    }
}

#[test]
fn each_record_of_a_failed_batch_has_its_own_words() {
    let invalid = ErrorCode::InvalidRecord.code();
    let mut answered = Answered::failed(ErrorCode::InvalidRecord, Some("all".to_owned()));
    assert_eq!(error_of(&answered, "t", 0).to_string(), "all");
    answered.record_errors = vec![(1, Some("one".to_owned())), (2, None)];
    let words = |at| error_of(&answered, "t", at).to_string();
    assert_eq!((words(1), words(2)), ("one".to_owned(), "all".to_owned()));
    assert_eq!(error_of(&answered, "t", 0), ProducerError::InBadCompany);
    let own = error_of(&answered, "t", 1);
    assert_eq!(own, ProducerError::Answer { code: invalid, message: "one".to_owned() });
    let refused = Answered::failed(ErrorCode::TopicAuthorizationFailed, None);
    let words = "Not authorized to access topics: [t]";
    assert_eq!(error_of(&refused, "t", 0).to_string(), words);
}

#[test]
fn a_batch_reads_back_whatever_its_codec_and_is_addressed_anew_without_change() {
    for codec in [
        Compression::None,
        Compression::Gzip,
        Compression::Snappy,
        Compression::Lz4,
        Compression::Zstd,
    ] {
        let mut batch = ProducerBatch::new(0, 4000, false);
        let headers: [(&[u8], Option<&[u8]>); 2] = [(b"h", Some(b"1")), (b"i", None)];
        for at in 0..20_u8 {
            let (key, value) = (Some(&b"key"[..]), Some(&[at; 50][..]));
            let record = ProducerRecord { key, value, headers: &headers, ..Default::default() };
            let taken = batch.append(&record, 1000 + i64::from(at), at, None);
            assert!(taken.is_ok() && taken.unwrap() <= record.size_bound());
        }
        let first = Sequence { producer_id: 9, epoch: 1, base: 3 };
        batch.seal(codec, first).unwrap();
        let second = Sequence { producer_id: 9, epoch: 2, base: 0 };
        batch.seal(codec, second).unwrap();
        let bytes = batch.bytes();
        let view = BatchView::parse(&bytes).unwrap();
        view.verify_crc().unwrap();
        let sent = (view.producer_id(), view.producer_epoch(), view.base_sequence());
        assert_eq!(sent, (9, 2, 0));
        assert_eq!((view.base_timestamp(), view.max_timestamp()), (1000, 1019));
        assert_eq!(view.compression(), Ok(codec));
        let payload = compression::decompress(codec, view.payload()).unwrap();
        let header = view.header_copy();
        let records = protocol::batch::Records::new(&header, &payload).unwrap();
        let values: Vec<u8> = records
            .map(|record| {
                let record = record.unwrap();
                assert_eq!((record.key, record.headers.len()), (Some(&b"key"[..]), 2));
                record.value.unwrap()[0]
            })
            .collect();
        assert_eq!(values, (0..20).collect::<Vec<u8>>(), "{codec:?}");
        let parts = batch.split(400).unwrap();
        let cut: Vec<Vec<u8>> = parts.iter().map(|part| part.tokens.clone()).collect();
        assert!(parts.len() >= 4 && parts.iter().all(|part| part.wire_len() <= 400), "{cut:?}");
        assert_eq!(cut.concat(), (0..20).collect::<Vec<u8>>());
    }
}

#[test]
fn settings_are_read_and_refused_in_kafkas_words() {
    let read = |pairs: &[(&'static str, &'static str)]| {
        let all = [("bootstrap.servers", "a:1")].into_iter().chain(pairs.iter().copied());
        ProducerSettings::from_properties(all)
    };
    let settings = read(&[("acks", "1"), ("linger.ms", "7"), ("client.id", "me")]).unwrap();
    assert_eq!((settings.acks, settings.enable_idempotence), (Acks::Leader, false));
    assert_eq!(settings.linger.as_millis(), 7);
    assert_eq!(settings.cluster.log_prefix, "[Producer clientId=me] ");
    assert!(read(&[]).unwrap().enable_idempotence);
    assert!(!read(&[("retries", "0")]).unwrap().enable_idempotence);
    let table: [(&[(&'static str, &'static str)], &str); 8] = [
        (
            &[("bootstrap.servers", "a:1,")],
            "Configuration 'bootstrap.servers' values must not be empty.",
        ),
        (
            &[("acks", "2")],
            "Invalid value 2 for configuration acks: String must be one of: all, -1, 0, 1",
        ),
        (
            &[("enable.idempotence", "true"), ("acks", "1")],
            "Must set acks to all in order to use the idempotent producer. Otherwise we cannot \
             guarantee idempotence.",
        ),
        (
            &[("max.in.flight.requests.per.connection", "6")],
            "To use the idempotent producer, max.in.flight.requests.per.connection must be set to \
             at most 5. Current value is 6.",
        ),
        (
            &[("max.in.flight.requests.per.connection", "0")],
            "Invalid value 0 for configuration max.in.flight.requests.per.connection: Value must \
             be at least 1",
        ),
        (
            &[("transactional.id", "x"), ("acks", "0")],
            "Cannot set a transactional.id without also enabling idempotence.",
        ),
        (
            &[("delivery.timeout.ms", "1000")],
            "delivery.timeout.ms should be equal to or larger than linger.ms + request.timeout.ms",
        ),
        (
            &[("batch.size", "x")],
            "Invalid value x for configuration batch.size: Not a number of type INT",
        ),
    ];
    for (pairs, words) in table {
        assert_eq!(read(pairs).unwrap_err().to_string(), words);
    }
    let nothing = ProducerSettings::from_properties([]);
    assert_eq!(nothing, Err(ProducerSettingsError::NoServers));
}

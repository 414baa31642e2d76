//! What is taken, mended and refused; each row was tried on a stock broker.

use bytes::{BufMut, BytesMut};
use kafka_protocol::messages::{
    DescribeTopicPartitionsRequest, FetchRequest, ListGroupsRequest, MetadataRequest,
};

use super::*;
use crate::wire::Decodable;

const MINUS_ONE: [u8; 5] = [0xff, 0xff, 0xff, 0xff, 0x0f];

fn checked(key: ApiKey, version: i16, body: &[u8]) -> Result<Bytes, Refusal> {
    check_body(Api::of(key), version, Bytes::copy_from_slice(body), DECODED_BUDGET)
}

fn decoded<M: Decodable>(key: ApiKey, version: i16, body: &[u8]) -> M {
    M::decode(&mut checked(key, version, body).unwrap(), version).unwrap()
}

fn joined(parts: &[&[u8]]) -> Vec<u8> {
    parts.concat()
}

/// Each row was tried on a stock 4.1.0 broker: `None` was answered, the others closed the
/// connection.
#[test]
fn tagged_fields_numbers_and_tails_are_taken_as_stock_kafka_takes_them() {
    use Malformed::*;
    let long_number = [0x81, 0x80, 0x80, 0x80, 0x80, 0, 0];
    let cases: [(&str, Vec<u8>, Option<Malformed>); 14] = [
        ("plain", vec![1, 0], None),
        ("bytes behind the message", b"\x01\x00more".to_vec(), None),
        ("unknown tag", vec![1, 1, 5, 1, b'a'], None),
        ("unknown tags out of order", vec![1, 2, 7, 1, b'a', 5, 1, b'b'], None),
        ("unknown tag twice", vec![1, 2, 5, 1, b'a', 5, 1, b'b'], None),
        ("negative count of tags", joined(&[&[1], &MINUS_ONE]), None),
        ("number with idle bytes", vec![0x81, 0x80, 0, 0], None),
        ("number with more than 32 bits", vec![0x81, 0x80, 0x80, 0x80, 0x70, 0], None),
        ("number of six bytes", long_number.to_vec(), Some(NumberTooLong)),
        ("tag beyond the end", vec![1, 1, 5, 9, 1], Some(Truncated { wanted: 9, left: 1 })),
        ("negative tag", joined(&[&[1, 1, 5], &MINUS_ONE]), Some(NegativeSize(-1))),
        ("tags announced, none there", vec![1, 5], Some(Truncated { wanted: 1, left: 0 })),
        ("null array", vec![0, 0], Some(UnexpectedNull)),
        ("count", vec![0x7f, 0], Some(TooManyElements { announced: 126, left: 1 })),
    ];
    for (what, body, expected) in cases {
        let outcome = checked(ApiKey::ListGroups, 4, &body);
        match expected {
            Some(malformed) => assert_eq!(outcome, Err(malformed.into()), "{what}"),
            None => {
                let request: ListGroupsRequest = decoded(ApiKey::ListGroups, 4, &body);
                assert!(request.states_filter.is_empty(), "{what}");
            }
        }
    }
}

#[test]
fn any_negative_length_is_null_where_null_is_allowed() {
    let classic = [0xff, 0xff, 0xff, 0xfb, 0, 0, 0];
    let request: MetadataRequest = decoded(ApiKey::Metadata, 8, &classic);
    assert_eq!(request.topics, None);
    let flexible = joined(&[&MINUS_ONE, &[1, 0, 0]]);
    let request: MetadataRequest = decoded(ApiKey::Metadata, 12, &flexible);
    assert_eq!((request.topics, request.allow_auto_topic_creation), (None, true));

    // One less than the least number is the greatest.
    let wrapped = [0x80, 0x80, 0x80, 0x80, 8, 0, 0, 0];
    let announced = i32::MAX as usize;
    let refused = Malformed::TooManyElements { announced, left: 3 };
    assert_eq!(checked(ApiKey::Metadata, 12, &wrapped), Err(refused.into()));
    let refused = Err(Malformed::UnexpectedNull.into());
    assert_eq!(checked(ApiKey::Metadata, 0, &[0xff; 4]), refused);
    assert_eq!(checked(ApiKey::Metadata, 8, &[0, 0, 0, 1, 0xff, 0xff, 0, 0, 0]), refused);
}

#[test]
fn a_nullable_struct_is_there_unless_its_mark_is_negative() {
    for mark in [0u8, 1, 2, 0x7f, 0x80, 0xfb, 0xff] {
        let absent = mark >= 0x80;
        let mut body = vec![2, 3, b'n', b'o', 0, 0, 0, 0, 9, mark];
        if !absent {
            body.extend_from_slice(&[3, b'n', b'o', 0, 0, 0, 5, 0]);
        }
        body.push(0);
        let key = ApiKey::DescribeTopicPartitions;
        let request: DescribeTopicPartitionsRequest = decoded(key, 0, &body);
        let cursor = request.cursor.map(|cursor| cursor.partition_index);
        assert_eq!(cursor, (!absent).then_some(5), "{mark}");
    }
}

#[test]
fn strings_that_are_no_utf8_are_mended() {
    let named = |name: &[u8]| {
        let mut body = BytesMut::new();
        body.put_u8(2);
        body.put_bytes(0, 16);
        crate::put::varint(&mut body, name.len() as u32 + 1);
        body.put_slice(name);
        body.put_slice(&[0, 1, 0, 0]);
        body
    };
    let request: MetadataRequest = decoded(ApiKey::Metadata, 12, &named(b"a\xff\xc3"));
    let topics = request.topics.unwrap();
    assert_eq!(topics[0].name.as_ref().unwrap().as_str(), "a\u{fffd}\u{fffd}");
    assert!(request.allow_auto_topic_creation);

    let longest = vec![b'a'; 32767];
    assert!(checked(ApiKey::Metadata, 12, &named(&longest)).is_ok());
    let outcome = checked(ApiKey::Metadata, 12, &named(&[longest, vec![b'a']].concat()));
    assert_eq!(outcome, Err(Malformed::StringTooLong(32768).into()));
    let outcome = checked(ApiKey::Metadata, 12, &named(&[0xff; 32767]));
    assert_eq!(outcome, Err(Malformed::StringTooLong(3 * 32767).into()));
}

#[test]
fn the_size_of_a_known_tag_is_not_looked_at() {
    let mut plain = BytesMut::new();
    plain.put_i32(-1);
    plain.put_bytes(0, 4 + 4 + 4 + 1 + 4 + 4);
    plain.put_slice(&[1, 1, 1]);
    let cases: [(&[u8], Option<&str>); 4] = [
        (&[0], None),
        (&[1, 0, 3, 3, b'c', b'l'], Some("cl")),
        (&[1, 0, 99, 3, b'c', b'l'], Some("cl")),
        (&[2, 0, 3, 3, b'x', b'x', 0, 3, 3, b'c', b'l'], Some("cl")),
    ];
    for (tags, expected) in cases {
        let request: FetchRequest = decoded(ApiKey::Fetch, 12, &joined(&[&plain, tags]));
        assert_eq!(request.cluster_id.as_deref(), expected);
    }
    let outcome = checked(ApiKey::Fetch, 12, &joined(&[&plain, &[1, 1, 1, 0]]));
    assert_eq!(outcome, Err(Malformed::TagNotInVersion { tag: 1, version: 12 }.into()));
}

#[test]
fn an_untouched_body_is_not_copied() {
    let body = Bytes::from_static(&[1, 0]);
    let out = check_body(Api::of(ApiKey::ListGroups), 4, body.clone(), 0).unwrap();
    assert_eq!(out.as_ptr(), body.as_ptr());
}

#[test]
fn every_api_has_its_shape() {
    for api in crate::api::all() {
        let shape = shape_of(api.key);
        assert_eq!(shape.min_version, api.min_version, "{}", api.name);
        assert!(shape.max_version >= api.max_version, "{}", api.name);
        let flexible = Some(shape.first_flexible).filter(|first| *first < i16::MAX);
        assert_eq!(flexible, api.first_flexible, "{}", api.name);
    }
}

#[test]
fn versions_outside_the_table_are_refused() {
    let outcome = checked(ApiKey::OffsetFetch, 11, &[0; 40]);
    assert_eq!(outcome, Err(Refusal::UnsupportedVersion { key: 9, version: 11 }));
}

fn frame(key: ApiKey, version: i16, body: &[u8]) -> Vec<u8> {
    let mut frame = BytesMut::new();
    frame.put_i16(key as i16);
    frame.put_i16(version);
    frame.put_i32(1);
    frame.put_i16(-1);
    if Api::of(key).request_header_version(version) >= 2 {
        frame.put_u8(0);
    }
    frame.put_slice(body);
    frame.into()
}

#[test]
fn every_beginning_of_a_good_frame_waits_for_more() {
    let whole = frame(ApiKey::Metadata, 8, &[0, 0, 0, 1, 0, 2, b'n', b'o', 1, 0, 0]);
    for length in 0..whole.len() {
        let verdict = check_prefix(whole.len(), &whole[..length], DECODED_BUDGET);
        assert_eq!(verdict, Ok(Verdict::NeedMore), "{length}");
    }
    let next_frame = [&whole[..], b"next"].concat();
    for bytes in [&whole, &next_frame] {
        assert_eq!(check_prefix(whole.len(), bytes, DECODED_BUDGET), Ok(Verdict::Fits));
    }
}

#[test]
fn a_great_frame_of_tiny_elements_is_refused_at_its_first_pages() {
    // One list of 50 million empty names.
    let body = [&announced_count(50_000_000)[..], &[0; 65536]].concat();
    let outcome = check_prefix(104_857_600, &frame(ApiKey::Metadata, 8, &body), DECODED_BUDGET);
    assert!(matches!(outcome, Err(Refusal::OverBudget { .. })), "{outcome:?}");

    // Lists in lists, no count of which is great.
    let partitions = [&[0; 2][..], &announced_count(4), &[0; 4 * 16]].concat();
    let body = [&[0; 17][..], &announced_count(150_000), &partitions.repeat(150_000)].concat();
    let whole = frame(ApiKey::Fetch, 4, &body);
    let frame_length = 104_857_600;
    let mut arrived = 65536;
    let refused = loop {
        match check_prefix(frame_length, &whole[..arrived], DECODED_BUDGET) {
            Ok(Verdict::NeedMore) => arrived *= 2,
            outcome => break outcome,
        }
    };
    assert!(matches!(refused, Err(Refusal::OverBudget { .. })), "{refused:?}");
    assert!(arrived <= 8 << 20, "{arrived}");
}

fn announced_count(count: i32) -> [u8; 4] {
    count.to_be_bytes()
}

#[test]
fn lengths_are_held_against_the_announced_frame_not_against_what_arrived() {
    let body = [&announced_count(1)[..], &[0x7f, 0xff]].concat();
    let frame = frame(ApiKey::Metadata, 0, &body);
    assert_eq!(check_prefix(100_000, &frame, DECODED_BUDGET), Ok(Verdict::NeedMore));
    let outcome = check_prefix(frame.len() + 9, &frame, DECODED_BUDGET);
    let refused = Malformed::Truncated { wanted: 0x7fff, left: 9 };
    assert_eq!(outcome, Err(refused.into()));
}

#[test]
fn a_frame_that_nobody_can_answer_is_refused_by_its_header() {
    let cases: [(&[u8], Result<Verdict, Refusal>); 4] = [
        (&[0, 4, 0, 0], Err(Refusal::UnknownKey(4))),
        (
            &[0, 16, 0, 99, 0, 0, 0, 0, 0xff, 0xff, 0],
            Err(Refusal::UnsupportedVersion { key: 16, version: 99 }),
        ),
        (&[0, 18, 0, 99, 0, 0, 0, 0, 0xff, 0xff, 0, 1, 2, 3], Ok(Verdict::Fits)),
        (&[0, 18], Ok(Verdict::NeedMore)),
    ];
    for (bytes, expected) in cases {
        assert_eq!(check_prefix(1000, bytes, DECODED_BUDGET), expected, "{bytes:?}");
    }
}

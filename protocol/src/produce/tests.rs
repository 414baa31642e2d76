//! View and encoder against the general codec, at all versions; bodies that lie.

use bytes::{Bytes, BytesMut};
use kafka_protocol::messages::produce_request::{PartitionProduceData, TopicProduceData};
use kafka_protocol::messages::produce_response::{
    BatchIndexAndErrorMessage, LeaderIdAndEpoch, NodeEndpoint as CrateEndpoint,
    PartitionProduceResponse, TopicProduceResponse,
};
use kafka_protocol::messages::{
    ProduceRequest as CrateRequest, ProduceResponse as CrateResponse, TopicName, TransactionalId,
};
use uuid::Uuid;

use super::*;
use crate::api::ApiKey;
use crate::frame;
use crate::leader_hint::{CurrentLeader, NodeEndpoint};
use crate::shape::Malformed;
use crate::wire::{Decodable, Encodable, StrBytes};

fn text(text: &'static str) -> StrBytes {
    StrBytes::from_static_str(text)
}

fn unknown_tags(version: i16) -> std::collections::BTreeMap<i32, Bytes> {
    let tags = [(9, Bytes::from_static(b"later")), (300, Bytes::new())];
    tags.into_iter().filter(|_| version >= 9).collect()
}

fn topic(version: i16, number: u8, partitions: usize) -> TopicProduceData {
    let topic = if version >= 13 {
        TopicProduceData::default().with_topic_id(Uuid::from_bytes([number; 16]))
    } else {
        TopicProduceData::default().with_name(TopicName(StrBytes::from(format!("topic-{number}"))))
    };
    let partitions = (0..partitions).map(|index| {
        let records = match index % 3 {
            0 => Some(Bytes::from(vec![number; 200 * index + 1])),
            1 => None,
            _ => Some(Bytes::new()),
        };
        PartitionProduceData::default()
            .with_index(index as i32)
            .with_records(records)
            .with_unknown_tagged_fields(unknown_tags(version))
    });
    topic
        .with_partition_data(partitions.collect())
        .with_unknown_tagged_fields(unknown_tags(version))
}

fn request(version: i16) -> CrateRequest {
    CrateRequest::default()
        .with_transactional_id(Some(TransactionalId(text("tx"))).filter(|_| version % 2 == 0))
        .with_acks(-1)
        .with_timeout_ms(30_000)
        .with_topic_data(vec![topic(version, 1, 3), topic(version, 2, 0), topic(version, 3, 5)])
        .with_unknown_tagged_fields(unknown_tags(version))
}

fn encoded(request: &CrateRequest, version: i16) -> Bytes {
    let mut body = BytesMut::new();
    request.encode(&mut body, version).unwrap();
    body.freeze()
}

#[test]
fn the_view_tells_what_the_general_decoder_tells() {
    for version in 3..=13 {
        let body = encoded(&request(version), version);
        let expected = CrateRequest::decode(&mut body.clone(), version).unwrap();
        let view = ProduceRequest::parse(body, version).unwrap();
        assert_eq!(view.transactional_id, expected.transactional_id.map(|id| id.0));
        assert_eq!((view.acks, view.timeout_ms), (expected.acks, expected.timeout_ms));
        assert_eq!((view.topic_count(), view.partition_count()), (3, 8));
        assert_eq!(view.topics().len(), 3);
        for (topic, expected) in view.topics().zip(&expected.topic_data) {
            assert_eq!(topic.name, expected.name.as_str());
            assert_eq!(topic.topic_id, expected.topic_id);
            assert_eq!(topic.partitions.len(), expected.partition_data.len());
            let partitions = topic.partitions.map(|partition| (partition.index, partition.records));
            let wanted = expected.partition_data.iter().map(|one| (one.index, one.records.clone()));
            assert!(partitions.eq(wanted), "{version}");
        }
    }
}

#[test]
fn records_are_slices_of_the_frame() {
    let body = encoded(&request(9), 9);
    let view = ProduceRequest::parse(body.clone(), 9).unwrap();
    let records = view.topics().next().unwrap().partitions.next().unwrap().records.unwrap();
    assert!(body.as_ptr_range().contains(&records.as_ptr()));
}

#[test]
fn every_cut_of_a_request_is_refused_and_bytes_behind_it_are_not() {
    for version in 3..=13 {
        let body = encoded(&request(version), version);
        for length in 0..body.len() {
            assert!(ProduceRequest::parse(body.slice(..length), version).is_err(), "{length}");
        }
        let mut longer = BytesMut::from(&body[..]);
        longer.extend_from_slice(b"more");
        assert!(ProduceRequest::parse(longer.freeze(), version).is_ok());
    }
}

#[test]
fn lengths_and_counts_that_lie_are_told_apart() {
    let cases: [(i16, &[u8], Malformed); 6] = [
        (
            3,
            &[255, 255, 0, 1, 0, 0, 0, 9, 127, 255, 255, 255],
            Malformed::TooManyElements { announced: i32::MAX as usize, left: 0 },
        ),
        (3, &[255, 255, 0, 1, 0, 0, 0, 9, 255, 255, 255, 255], Malformed::UnexpectedNull),
        (3, &[0, 9, 1], Malformed::Truncated { wanted: 9, left: 1 }),
        (9, &[0x80, 0x80, 0x80, 0x80, 0x80, 1], Malformed::NumberTooLong),
        (9, &[0x82, 0x80, 2], Malformed::StringTooLong(32769)),
        (
            9,
            &[0, 0, 1, 0, 0, 0, 9, 1, 1, 5, 0xff, 0xff, 0xff, 0xff, 15],
            Malformed::NegativeSize(-1),
        ),
    ];
    for (version, body, expected) in cases {
        let outcome = ProduceRequest::parse(Bytes::from_static(body), version);
        assert_eq!(outcome.err(), Some(expected), "{body:?}");
    }
}

#[test]
fn names_that_are_no_utf8_are_read_with_replacements() {
    let body = [0, 1, 0xff, 0, 1, 0, 0, 0, 9, 0, 0, 0, 1, 0, 2, b'a', 0xfe, 0, 0, 0, 0];
    let view = ProduceRequest::parse(Bytes::copy_from_slice(&body), 3).unwrap();
    assert_eq!(view.transactional_id.as_deref(), Some("\u{fffd}"));
    assert_eq!(view.topics().next().unwrap().name, "a\u{fffd}");
}

/// Our answer and the general codec's struct of the same meaning.
fn answers(version: i16) -> (Vec<(Uuid, Vec<PartitionResponse>)>, CrateResponse) {
    let mut appended = PartitionResponse::appended(4, 1 << 40, 1_700_000_000_000, 17);
    let mut refused = PartitionResponse::failed(5, 87);
    refused.record_errors = vec![
        RecordError { batch_index: 3, message: Some("too old".into()) },
        RecordError { batch_index: 4, message: None },
    ];
    refused.error_message = Some("x".repeat(200).into());
    refused.current_leader = CurrentLeader { leader_id: 2, leader_epoch: 77 };
    appended.index = version.into();
    let id = Uuid::from_bytes([7; 16]);
    let ours = vec![(id, vec![appended, refused]), (Uuid::nil(), vec![])];
    let theirs = ours.iter().map(|(id, partitions)| {
        let topic = TopicProduceResponse::default()
            .with_partition_responses(partitions.iter().map(|one| theirs(one, version)).collect());
        if version >= 13 { topic.with_topic_id(*id) } else { topic.with_name(TopicName(text("t"))) }
    });
    let theirs = CrateResponse::default().with_responses(theirs.collect()).with_throttle_time_ms(5);
    (ours, theirs)
}

fn theirs(ours: &PartitionResponse, version: i16) -> PartitionProduceResponse {
    let mut theirs = PartitionProduceResponse::default()
        .with_index(ours.index)
        .with_error_code(ours.error_code)
        .with_base_offset(ours.base_offset)
        .with_log_append_time_ms(ours.log_append_time_ms)
        .with_log_start_offset(ours.log_start_offset);
    if version >= 8 {
        let errors = ours.record_errors.iter().map(|error| {
            BatchIndexAndErrorMessage::default()
                .with_batch_index(error.batch_index)
                .with_batch_index_error_message(
                    error.message.as_ref().map(|message| message.to_string().into()),
                )
        });
        let message = ours.error_message.as_ref().map(|message| message.to_string().into());
        theirs = theirs.with_record_errors(errors.collect()).with_error_message(message);
    }
    if version >= 10 {
        theirs = theirs.with_current_leader(
            LeaderIdAndEpoch::default()
                .with_leader_id(ours.current_leader.leader_id.into())
                .with_leader_epoch(ours.current_leader.leader_epoch),
        );
    }
    theirs
}

fn endpoints() -> Vec<NodeEndpoint> {
    let endpoint = |node_id, rack: Option<&str>| NodeEndpoint {
        node_id,
        host: format!("host-{node_id}"),
        port: 9092,
        rack: rack.map(str::to_owned),
    };
    vec![endpoint(2, None), endpoint(300, Some("r"))]
}

#[test]
fn answers_equal_the_general_codecs_bytes() {
    for version in 3..=13 {
        for endpoints in [vec![], endpoints()] {
            let (ours, mut theirs) = answers(version);
            if version >= 10 {
                theirs.node_endpoints = endpoints
                    .iter()
                    .map(|one| {
                        CrateEndpoint::default()
                            .with_node_id(one.node_id.into())
                            .with_host(one.host.clone().into())
                            .with_port(one.port)
                            .with_rack(one.rack.clone().map(StrBytes::from))
                    })
                    .collect();
            }
            let mut expected = BytesMut::from(&b"before"[..]);
            frame::encode_response(&mut expected, ApiKey::Produce, version, 9, &theirs).unwrap();
            let mut out = BytesMut::from(&b"before"[..]);
            let topics = ours.iter().map(|(topic_id, partitions)| TopicResponse {
                name: "t",
                topic_id: *topic_id,
                partitions,
            });
            encode_response(&mut out, version, 9, topics, 5, &endpoints).unwrap();
            assert_eq!(out, expected, "{version}");
        }
    }
}

#[test]
fn an_answer_that_cannot_be_told_leaves_the_buffer_as_it_was() {
    let name = "n".repeat(40_000);
    let topic = TopicResponse { name: &name, topic_id: Uuid::nil(), partitions: &[] };
    let mut out = BytesMut::from(&b"before"[..]);
    assert!(encode_response(&mut out, 9, 1, [topic].into_iter(), 0, &[]).is_err());
    assert_eq!(out, b"before"[..]);
}

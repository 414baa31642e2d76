//! The encoder against the general codec, at all versions and with every field off its default.

use bytes::{Bytes, BytesMut};
use kafka_protocol::messages::fetch_response::{
    AbortedTransaction as CrateAborted, EpochEndOffset as CrateEpoch, FetchableTopicResponse,
    LeaderIdAndEpoch, NodeEndpoint as CrateEndpoint, PartitionData, SnapshotId as CrateSnapshot,
};
use kafka_protocol::messages::{FetchResponse as CrateResponse, TopicName};
use uuid::Uuid;

use super::*;
use crate::api::ApiKey;
use crate::frame::{self, EncodeError};
use crate::leader_hint::{CurrentLeader, NodeEndpoint};
use crate::wire::StrBytes;

fn slices(sizes: &[usize]) -> Vec<Bytes> {
    sizes.iter().map(|size| Bytes::from(vec![*size as u8; *size])).collect()
}

/// Each field at its default and off it, alone and together.
fn partitions() -> Vec<PartitionResponse> {
    let plain = PartitionResponse {
        high_watermark: 900,
        last_stable_offset: 800,
        log_start_offset: 5,
        records: slices(&[100]),
        ..PartitionResponse::failed(0, 0)
    };
    let diverging_epoch = Some(EpochEndOffset { epoch: 3, end_offset: 1 << 33 });
    let current_leader = CurrentLeader { leader_id: 4, leader_epoch: 300 };
    let snapshot_id = Some(SnapshotId { end_offset: 77, epoch: 2 });
    let aborted = |producer_id| AbortedTransaction { producer_id, first_offset: producer_id + 1 };
    vec![
        plain.clone(),
        PartitionResponse::failed(1, 1),
        PartitionResponse { index: 2, diverging_epoch, ..plain.clone() },
        PartitionResponse { index: 3, current_leader, ..PartitionResponse::failed(3, 6) },
        PartitionResponse { index: 4, snapshot_id, ..PartitionResponse::failed(4, 0) },
        PartitionResponse {
            index: 5,
            diverging_epoch,
            current_leader,
            snapshot_id,
            aborted_transactions: Some(vec![aborted(1000), aborted(1 << 40)]),
            preferred_read_replica: 7,
            records: slices(&[1, 0, 70_000, 3]),
            ..plain.clone()
        },
        PartitionResponse { index: 6, aborted_transactions: Some(vec![]), ..plain },
    ]
}

fn theirs(ours: &PartitionResponse, version: i16) -> PartitionData {
    let aborted = ours.aborted_transactions.as_ref().map(|aborted| {
        let theirs = aborted.iter().map(|one| {
            CrateAborted::default()
                .with_producer_id(one.producer_id.into())
                .with_first_offset(one.first_offset)
        });
        theirs.collect()
    });
    let mut theirs = PartitionData::default()
        .with_partition_index(ours.index)
        .with_error_code(ours.error_code)
        .with_high_watermark(ours.high_watermark)
        .with_last_stable_offset(ours.last_stable_offset)
        .with_log_start_offset(ours.log_start_offset)
        .with_aborted_transactions(aborted)
        .with_records(Some(Bytes::from(ours.records.concat())));
    if version >= 11 {
        theirs = theirs.with_preferred_read_replica(ours.preferred_read_replica.into());
    }
    if version >= 12 {
        if let Some(diverging) = ours.diverging_epoch {
            theirs.diverging_epoch = CrateEpoch::default()
                .with_epoch(diverging.epoch)
                .with_end_offset(diverging.end_offset);
        }
        if let Some(snapshot) = ours.snapshot_id {
            theirs.snapshot_id = CrateSnapshot::default()
                .with_epoch(snapshot.epoch)
                .with_end_offset(snapshot.end_offset);
        }
        theirs.current_leader = LeaderIdAndEpoch::default()
            .with_leader_id(ours.current_leader.leader_id.into())
            .with_leader_epoch(ours.current_leader.leader_epoch);
    }
    theirs
}

fn their_response(ours: &FetchResponse, id: Uuid, version: i16) -> CrateResponse {
    let topic = |name: &'static str, partitions: Vec<PartitionData>| {
        let topic = FetchableTopicResponse::default().with_partitions(partitions);
        if version >= 13 {
            topic.with_topic_id(id)
        } else {
            topic.with_topic(TopicName(StrBytes::from_static_str(name)))
        }
    };
    let all = partitions().iter().map(|one| theirs(one, version)).collect();
    let mut theirs = CrateResponse::default()
        .with_throttle_time_ms(ours.throttle_time_ms)
        .with_responses(vec![topic("first", all), topic("second", vec![])]);
    if version >= 7 {
        theirs = theirs.with_error_code(ours.error_code).with_session_id(ours.session_id);
    }
    if version >= 16 {
        theirs.node_endpoints = ours
            .endpoints
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
    theirs
}

fn joined(segments: &[Segment]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for segment in segments {
        match segment {
            Segment::Meta(meta) => bytes.extend_from_slice(meta),
            Segment::Records(records) => bytes.extend(records.concat()),
        }
    }
    bytes
}

fn topics(id: Uuid) -> Vec<TopicResponse<'static, Vec<PartitionResponse>>> {
    vec![
        TopicResponse { name: "first", topic_id: id, partitions: partitions() },
        TopicResponse { name: "second", topic_id: id, partitions: vec![] },
    ]
}

#[test]
fn joined_segments_equal_the_general_codecs_bytes() {
    let id = Uuid::from_bytes([9; 16]);
    let endpoint = NodeEndpoint { node_id: 4, host: "h".into(), port: 1, rack: Some("r".into()) };
    for version in 4..=18 {
        for endpoints in [vec![], vec![endpoint.clone()]] {
            let response =
                FetchResponse { throttle_time_ms: 3, error_code: 70, session_id: 99, endpoints };
            let mut expected = BytesMut::new();
            let theirs = their_response(&response, id, version);
            frame::encode_response(&mut expected, ApiKey::Fetch, version, 12, &theirs).unwrap();
            let mut scratch = BytesMut::from(&b"leftover"[..]);
            let segments =
                response.encode(&mut scratch, version, 12, topics(id).into_iter()).unwrap();
            assert!(joined(&segments) == expected, "version {version}");
        }
    }
}

#[test]
fn records_are_not_copied() {
    let given = slices(&[10, 20]);
    let partition = PartitionResponse { records: given.clone(), ..PartitionResponse::failed(0, 0) };
    let topic = TopicResponse { name: "t", topic_id: Uuid::nil(), partitions: [partition] };
    let segments =
        FetchResponse::default().encode(&mut BytesMut::new(), 12, 1, [topic].into_iter()).unwrap();
    let [Segment::Meta(_), Segment::Records(records), Segment::Meta(_)] = &segments[..] else {
        panic!("{segments:?}");
    };
    let places = |slices: &[Bytes]| slices.iter().map(|one| one.as_ptr()).collect::<Vec<_>>();
    assert_eq!(places(records), places(&given));
}

#[test]
fn the_scratch_buffer_comes_back_when_the_answer_is_gone() {
    let mut scratch = BytesMut::with_capacity(4096);
    let before = scratch.as_ptr();
    for _ in 0..1000 {
        let response = FetchResponse::default();
        let segments = response.encode(&mut scratch, 12, 1, topics(Uuid::nil()).into_iter());
        drop(segments.unwrap());
    }
    scratch.reserve(4096);
    assert_eq!(scratch.as_ptr(), before);
}

#[test]
fn an_answer_whose_length_cannot_be_told_is_an_error() {
    let slice = Bytes::from(vec![0; 1 << 20]);
    let records = vec![slice; 2048];
    let partition = PartitionResponse { records, ..PartitionResponse::failed(0, 0) };
    let two = vec![partition.clone(), partition];
    let topic = TopicResponse { name: "t", topic_id: Uuid::nil(), partitions: two };
    let outcome = FetchResponse::default().encode(&mut BytesMut::new(), 12, 1, [topic].into_iter());
    assert!(matches!(outcome, Err(EncodeError::Unencodable { version: 12, .. })), "{outcome:?}");
}

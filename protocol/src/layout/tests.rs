//! Declared messages against the crate's reading of the same bytes, and every cut of them.

use bytes::{Bytes, BytesMut};
use kafka_protocol::messages as crates;
use uuid::Uuid;

use super::messages;
use crate::layout::{Layout, Reader, Size, Writer};
use crate::messages::share_fetch_request::{AcknowledgementBatch, FetchPartition, FetchTopic};
use crate::messages::{GroupId, ShareFetchRequest, ShareFetchResponse};
use crate::shape::Malformed;
use crate::wire::{Decodable, Encodable, StrBytes};

fn request() -> ShareFetchRequest {
    let batch =
        AcknowledgementBatch { first_offset: 3, last_offset: 5, acknowledge_types: vec![1, 2, 3] };
    let partition = FetchPartition { acknowledgement_batches: vec![batch], ..Default::default() };
    ShareFetchRequest {
        group_id: Some(GroupId(StrBytes::from_static_str("g"))),
        max_wait_ms: 500,
        share_acquire_mode: 1,
        topics: vec![FetchTopic { topic_id: Uuid::from_u128(7), partitions: vec![partition] }],
        ..Default::default()
    }
}

fn encoded<M: Encodable>(message: &M, version: i16) -> Bytes {
    let mut bytes = BytesMut::new();
    message.encode(&mut bytes, version).unwrap();
    assert_eq!(bytes.len(), message.compute_size(version).unwrap());
    bytes.freeze()
}

#[test]
fn version_1_is_what_the_crate_reads_and_writes() {
    let bytes = encoded(&request(), 1);
    let theirs = crates::ShareFetchRequest::decode(&mut bytes.clone(), 1).unwrap();
    assert_eq!(encoded(&theirs, 1), bytes);
    assert_eq!(theirs.topics[0].partitions[0].acknowledgement_batches[0].last_offset, 5);
    let answer = ShareFetchResponse { acquisition_lock_timeout_ms: 30_000, ..Default::default() };
    let bytes = encoded(&answer, 1);
    let theirs = crates::ShareFetchResponse::decode(&mut bytes.clone(), 1).unwrap();
    assert_eq!((encoded(&theirs, 1), theirs.acquisition_lock_timeout_ms), (bytes, 30_000));
}

#[test]
fn what_a_version_lacks_reads_as_its_default() {
    let read =
        |version| ShareFetchRequest::decode(&mut encoded(&request(), version), version).unwrap();
    assert_eq!(read(2), request());
    assert_eq!(read(1), ShareFetchRequest { share_acquire_mode: 0, ..request() });
}

#[test]
fn every_cut_is_refused() {
    let bytes = encoded(&request(), 2);
    for cut in 0..bytes.len() {
        assert!(ShareFetchRequest::decode(&mut bytes.slice(..cut), 2).is_err(), "cut at {cut}");
    }
}

messages! {
    pub struct Tagged {
        plain: i32 [0+] = -1,
        old: i8 [0-1],
        text: Option<StrBytes> [1+] tagged 0,
        inner: Option<Inner> [0+],
        numbers: Vec<i64> [2+] tagged 3,
    }

    pub struct Inner {
        flag: bool [0+],
    }
}

fn written(value: &Tagged, version: i16, flexible: bool) -> Bytes {
    let mut bytes = BytesMut::new();
    value.write(&mut Writer::new(&mut bytes, version, flexible)).unwrap();
    let mut size = Size::default();
    value.write(&mut Writer::new(&mut size, version, flexible)).unwrap();
    assert_eq!(size.0, bytes.len());
    bytes.freeze()
}

fn read(bytes: &Bytes, version: i16, flexible: bool) -> Result<Tagged, Malformed> {
    Tagged::read(&mut Reader::new(&mut bytes.clone(), version, flexible))
}

#[test]
fn tagged_fields_are_written_where_they_are_not_the_default() {
    let value = Tagged {
        text: Some(StrBytes::from_static_str("x")),
        inner: Some(Inner { flag: true }),
        numbers: vec![1],
        ..Default::default()
    };
    let bytes = written(&value, 2, true);
    let expected = [
        &[0xff, 0xff, 0xff, 0xff, 1, 1, 0, 2][..],
        &[0, 2, 2, b'x'],
        &[3, 9, 2, 0, 0, 0, 0, 0, 0, 0, 1],
    ]
    .concat();
    assert_eq!(bytes, expected);
    assert_eq!(read(&bytes, 2, true), Ok(value));
    let plain = Tagged::default();
    assert_eq!(&written(&plain, 2, true)[..], [0xff, 0xff, 0xff, 0xff, 0xff, 0]);
    assert_eq!(&written(&plain, 0, false)[..], [0xff, 0xff, 0xff, 0xff, 0, 0xff]);
    assert_eq!(read(&written(&plain, 0, false), 0, false), Ok(plain));
}

#[test]
fn tags_that_nobody_declared_are_passed_over() {
    let bytes = Bytes::from_static(&[0, 0, 0, 9, 0xff, 2, 3, 1, 1, 9, 2, 7, 7]);
    let value = Tagged { plain: 9, ..Default::default() };
    assert_eq!(read(&bytes, 2, true), Ok(value));
}

#[test]
fn an_array_that_cannot_be_there_is_refused_before_it_is_made() {
    let bytes = Bytes::from_static(&[0, 0, 0, 9, 0xff, 1, 3, 5, 0xff, 0xff, 0xff, 0xff, 7]);
    assert!(matches!(read(&bytes, 2, true), Err(Malformed::TooManyElements { .. })));
}

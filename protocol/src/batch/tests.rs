//! What is written is read back; what is damaged is named, never panics.

use super::*;

fn sample() -> bytes::Bytes {
    let mut builder = BatchBuilder::new(7).leader_epoch(3).producer(11, 2, 40);
    builder.append(1000, Some(b"k"), Some(b"v"));
    builder.append_with_headers(998, None, Some(b""), &[("h", Some(b"x")), ("n", None)]);
    builder.append(1500, Some(b"gone"), None);
    builder.build()
}

#[test]
fn a_built_batch_reads_back_field_by_field() {
    let bytes = sample();
    let batch = BatchView::parse(&bytes).unwrap();
    batch.verify_crc().unwrap();
    assert_eq!((batch.base_offset(), batch.last_offset(), batch.next_offset()), (7, 9, 10));
    assert_eq!((batch.partition_leader_epoch(), batch.records_count()), (3, 3));
    assert_eq!((batch.base_timestamp(), batch.max_timestamp()), (1000, 1500));
    assert_eq!((batch.producer_id(), batch.producer_epoch()), (11, 2));
    assert_eq!((batch.base_sequence(), batch.last_sequence()), (40, 42));
    let records: Vec<_> = batch.records().unwrap().map(Result::unwrap).collect();
    assert_eq!(records.iter().map(|r| r.offset).collect::<Vec<_>>(), [7, 8, 9]);
    assert_eq!(records.iter().map(|r| r.timestamp).collect::<Vec<_>>(), [1000, 998, 1500]);
    assert_eq!((records[0].key, records[0].value), (Some(&b"k"[..]), Some(&b"v"[..])));
    assert_eq!((records[1].key, records[1].value), (None, Some(&b""[..])));
    assert_eq!(records[2].value, None);
    let headers: Vec<_> = records[1].headers.collect();
    assert_eq!(headers[0], Header { key: b"h", value: Some(b"x") });
    assert_eq!(headers[1], Header { key: b"n", value: None });
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// What Kafka 4.1's `MemoryRecords.withRecords(1, NONE, 4, …)` and `withEndTransactionMarker` gave.
#[test]
fn the_bytes_equal_those_of_kafkas_builder() {
    let mut builder = BatchBuilder::new(1).leader_epoch(4);
    builder.append(1000, Some(b"k1"), Some(b"v1"));
    builder.append_with_headers(1001, None, Some(b"v2"), &[("a", Some(b"b"))]);
    let kafka = concat!(
        "000000000000000100000049000000040204c86d0b00000000000100000000000003e8",
        "00000000000003e9ffffffffffffffffffffffffffff0000000214000000046b310476",
        "310018000202010476320202610262",
    );
    assert_eq!(hex(&builder.build()), kafka);

    let mut marker =
        BatchBuilder::new(9).leader_epoch(2).producer(77, 3, NO_SEQUENCE).transactional();
    marker.append_control(5000, ControlType::Commit, &[0, 0, 0, 0, 0, 6]);
    let kafka = concat!(
        "000000000000000900000042000000020278b613ee0030000000000000000000001388",
        "0000000000001388000000000000004d0003ffffffff00000001200000000800000001",
        "0c00000000000600",
    );
    assert_eq!(hex(&marker.build()), kafka);
}

#[test]
fn every_flipped_byte_after_the_epoch_breaks_the_crc_or_the_frame() {
    let bytes = sample();
    for position in 8..bytes.len() {
        if (12..16).contains(&position) {
            continue;
        }
        let mut damaged = bytes.to_vec();
        damaged[position] ^= 0x41;
        let checked = BatchView::parse(&damaged).and_then(|batch| batch.verify_crc());
        assert!(checked.is_err(), "byte {position} went unnoticed");
    }
}

#[test]
fn every_cut_ends_the_walk_without_an_error() {
    let one = sample();
    let mut two = one.to_vec();
    two.extend_from_slice(&one);
    for cut in 0..two.len() {
        let complete = batches(&two[..cut]).filter(|batch| batch.is_ok()).count();
        assert_eq!(complete, cut / one.len());
    }
}

#[test]
fn damaged_records_are_refused_and_named() {
    let bytes = sample();
    for position in HEADER_LEN..bytes.len() {
        for value in [0x00, 0x7f, 0x80, 0xff] {
            let mut damaged = bytes.to_vec();
            damaged[position] = value;
            let batch = BatchView::parse(&damaged).unwrap();
            for record in batch.records().unwrap() {
                let Ok(record) = record else { break };
                record.headers.for_each(drop);
            }
        }
    }
    let mut trailing = BatchBuilder::new(0);
    trailing.append(0, None, Some(b"a"));
    let bytes = trailing.build();
    let mut header = BatchView::parse(&bytes).unwrap().header_copy();
    header.set_base_offset(5);
    let payload = [&bytes[HEADER_LEN..], &[0]].concat();
    let faults: Vec<_> = Records::new(&header, &payload).unwrap().collect();
    assert_eq!(faults[0].unwrap().offset, 5);
    let reason = RecordFault::TrailingBytes(1);
    assert_eq!(faults[1], Err(BatchError::InvalidRecord { index: 1, reason }));
}

#[test]
fn varints_have_kafkas_limits() {
    for value in [0, 1, -1, 63, 64, -64, -65, i32::MAX, i32::MIN] {
        let mut out = Vec::new();
        varint::write_i32(value, &mut out);
        assert_eq!(varint::read_i32(&out), Ok((value, out.len())));
        assert_eq!(varint::len_i32(value), out.len());
    }
    for value in [0, -1, i64::MAX, i64::MIN, 1 << 40] {
        let mut out = Vec::new();
        varint::write_i64(value, &mut out);
        assert_eq!(varint::read_i64(&out), Ok((value, out.len())));
        assert_eq!(varint::len_i64(value), out.len());
    }
    assert_eq!(varint::read_i32(&[0xff; 6]), Err(RecordFault::VarintTooLong));
    assert_eq!(varint::read_i64(&[0xff; 11]), Err(RecordFault::VarintTooLong));
    assert_eq!(varint::read_i32(&[0x80]), Err(RecordFault::Truncated));
}

#[test]
fn a_log_append_time_patch_rewrites_type_maximum_and_crc_only() {
    let bytes = sample();
    let batch = BatchView::parse(&bytes).unwrap();
    let mut header = batch.header_copy();
    header.set_last_offset(99);
    header.set_max_timestamp(TimestampType::LogAppendTime, 5000, batch.payload());
    let patched = [&header.as_bytes()[..], batch.payload()].concat();
    let batch = BatchView::parse(&patched).unwrap();
    batch.verify_crc().unwrap();
    assert_eq!((batch.base_offset(), batch.last_offset()), (97, 99));
    assert!(batch.records().unwrap().all(|record| record.unwrap().timestamp == 5000));
}

#[test]
fn control_records_carry_version_and_type_in_their_key() {
    let mut builder = BatchBuilder::new(0).producer(1, 0, NO_SEQUENCE).transactional();
    builder.append_control(5, ControlType::Commit, &[0, 0, 0, 0, 0, 9]);
    let bytes = builder.build();
    let batch = BatchView::parse(&bytes).unwrap();
    assert!(batch.is_control() && batch.is_transactional());
    let record = batch.records().unwrap().next().unwrap().unwrap();
    assert_eq!(ControlType::from_key(record.key.unwrap()), Some(ControlType::Commit));
}

//! What is refused, and as what: each row is an odd batch and the cause it is refused with.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod support;

use std::io::Read;

use bytes::Bytes;
use protocol::batch::{
    BatchBuilder, BatchHeader, BatchView, Compression, ControlType, HEADER_LEN, NO_SEQUENCE,
    TimestampType,
};
use storage::{
    AppendError, AppendOrigin, BatchFault, CleanupPolicy, CompressionPolicy, Log, LogConfig,
    OpenOptions,
};
use support::{batch, records_of, sequenced};

const HOUR_MS: i64 = 3_600_000;
const NOW: i64 = 100 * HOUR_MS;

fn log_with(config: LogConfig) -> (tempfile::TempDir, Log) {
    let dir = support::in_memory();
    let options = OpenOptions { now_ms: NOW, ..OpenOptions::default() };
    let log = Log::open(&dir.path().join("topic-0"), config, options).unwrap();
    (dir, log)
}

fn append(log: &mut Log, records: &Bytes) -> Result<storage::Appended, AppendError> {
    log.append_as_leader(records, 3, NOW, AppendOrigin::Client)
}

/// The batch with its header changed and its CRC made right again.
fn with_header(records: &Bytes, change: impl FnOnce(&mut [u8; HEADER_LEN])) -> Bytes {
    with_payload(records, &records[HEADER_LEN..], change)
}

/// The batch with another payload, its length and CRC made right.
fn with_payload(
    records: &Bytes,
    payload: &[u8],
    change: impl FnOnce(&mut [u8; HEADER_LEN]),
) -> Bytes {
    let mut header: [u8; HEADER_LEN] = records[..HEADER_LEN].try_into().unwrap();
    let length = (payload.len() + HEADER_LEN - 12) as i32;
    header[8..12].copy_from_slice(&length.to_be_bytes());
    change(&mut header);
    let mut header = BatchHeader::from_bytes(header);
    header.seal(payload);
    [&header.as_bytes()[..], payload].concat().into()
}

fn compressed(records: &Bytes, codec: Compression, payload: &[u8]) -> Bytes {
    with_payload(records, payload, |header| header[22] |= codec.id())
}

fn cause(error: &AppendError) -> String {
    match error {
        AppendError::InvalidBatch(BatchFault::Records(_)) => "records".to_owned(),
        AppendError::InvalidBatch(fault) => {
            let text = format!("{fault:?}");
            text.split(['(', ' ']).next().unwrap_or_default().to_owned()
        }
        error => {
            let text = format!("{error:?}");
            text.split(['(', ' ']).next().unwrap_or_default().to_owned()
        }
    }
}

#[test]
fn each_odd_batch_is_refused_with_its_cause_and_leaves_the_log_as_it_was() {
    let good = batch(&["one", "two"]);
    let idempotent = sequenced(5, 0, 0, &["x"]);
    let mut control = BatchBuilder::new(0).producer(5, 0, NO_SEQUENCE).transactional();
    control.append_control(0, ControlType::Commit, &[0, 0, 0, 0, 0, 0]);
    let mut flipped = good.to_vec();
    flipped[70] ^= 1;
    let payload = &good[HEADER_LEN..];
    let mut trailing = payload.to_vec();
    trailing.push(0);
    let rows: Vec<(&str, Bytes, &str)> = vec![
        ("no bytes", Bytes::new(), "NoBatch"),
        ("a few bytes", good.slice(..5), "NoBatch"),
        ("cut short", good.slice(..good.len() - 1), "Corrupt"),
        ("two batches", [&good[..], &good[..]].concat().into(), "SeveralBatches"),
        ("a wrong checksum", flipped.into(), "Corrupt"),
        ("a length below a header's", with_header(&good, |h| h[11] = 10), "Corrupt"),
        ("a negative length", with_header(&good, |h| h[8] = 0x80), "Corrupt"),
        ("magic 1", with_header(&good, |h| h[16] = 1), "Corrupt"),
        ("a base offset", with_header(&good, |h| h[7] = 1), "BaseOffset"),
        ("one record too few", with_header(&good, |h| h[60] = 1), "CountMismatch"),
        ("no records", with_header(&good, |h| h[60] = 0), "Count"),
        ("a negative count", with_header(&good, |h| h[57] = 0xff), "Count"),
        ("a negative span", with_header(&good, |h| h[23] = 0xff), "Count"),
        ("a larger span", with_header(&good, |h| (h[26], h[60]) = (2, 3)), "records"),
        ("a smaller span", with_header(&good, |h| (h[26], h[60]) = (0, 1)), "records"),
        ("a byte behind the records", with_payload(&good, &trailing, |_| ()), "records"),
        ("a control batch", control.build(), "ControlBatch"),
        ("a negative sequence", with_header(&idempotent, |h| h[53] = 0x80), "Sequence"),
        ("codec 6", with_header(&good, |h| h[22] = 6), "UnknownCompression"),
        ("gzip that is none", compressed(&good, Compression::Gzip, b"rubbish"), "Undecodable"),
        ("lz4 that is none", compressed(&good, Compression::Lz4, b"rubbish"), "Undecodable"),
        ("zstd that is none", compressed(&good, Compression::Zstd, b"rubbish"), "Undecodable"),
        ("snappy that is none", compressed(&good, Compression::Snappy, &[9; 9]), "Undecodable"),
    ];
    let (_dir, mut log) = log_with(LogConfig::default());
    for (what, records, expected) in rows {
        let error = append(&mut log, &records).unwrap_err();
        assert_eq!(cause(&error), expected, "{what}: {error}");
        assert_eq!((log.log_end_offset(), log.size_bytes()), (0, 0), "{what}");
    }
    append(&mut log, &good).unwrap();
}

#[test]
fn every_damaged_record_byte_is_refused_or_is_another_well_formed_record() {
    let mut builder = BatchBuilder::new(0);
    let header = [("name", Some(&b"header"[..])), ("none", None)];
    builder.append_with_headers(NOW, Some(b"key"), Some(b"value"), &header);
    builder.append(NOW + 1, None, None);
    let good = builder.build();
    let (_dir, mut log) = log_with(LogConfig::default());
    let mut refused = 0;
    for position in HEADER_LEN..good.len() {
        for value in 0..=255 {
            let mut payload = good[HEADER_LEN..].to_vec();
            payload[position - HEADER_LEN] = value;
            let damaged = with_payload(&good, &payload, |_| ());
            let plain = append(&mut log, &damaged);
            let zipped = compressed(&damaged, Compression::Gzip, &gzip(&payload));
            let zipped = append(&mut log, &zipped);
            assert_eq!(plain.is_ok(), zipped.is_ok(), "{position} {value} {plain:?} {zipped:?}");
            refused += usize::from(plain.is_err());
        }
    }
    assert!(refused > 3000, "{refused}");
    let read = log.reader().read(0, 1 << 30, i64::MAX, true).unwrap();
    for batch in protocol::batch::batches(&read.slices[0]) {
        assert_eq!(records_of(&batch.unwrap()).len(), 2);
    }
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut encoder = flate2::read::GzEncoder::new(bytes, flate2::Compression::fast());
    encoder.read_to_end(&mut out).unwrap();
    out
}

#[test]
fn sizes_are_held_against_the_topic_and_the_segment() {
    let records = batch(&[&"x".repeat(500)]);
    let size = records.len() as u32;
    let (_dir, mut log) = log_with(LogConfig { max_message_bytes: size, ..LogConfig::default() });
    append(&mut log, &records).unwrap();
    log.set_config(LogConfig { max_message_bytes: size - 1, ..LogConfig::default() });
    assert!(matches!(append(&mut log, &records), Err(AppendError::TooLarge { .. })));
    log.set_config(LogConfig { segment_bytes: size - 1, ..LogConfig::default() });
    assert!(matches!(append(&mut log, &records), Err(AppendError::LargerThanSegment { .. })));
    assert_eq!(log.log_end_offset(), 1);
}

#[test]
fn records_out_of_time_or_without_a_key_are_named_one_by_one() {
    let compact = CleanupPolicy { delete: false, compact: true };
    let (_dir, mut log) = log_with(LogConfig { cleanup: compact, ..LogConfig::default() });
    let mut builder = BatchBuilder::new(0);
    for (timestamp, key) in [
        (NOW, Some(&b"k"[..])),
        (NOW, None),
        (NOW + HOUR_MS, Some(b"k")),
        (-1, Some(b"k")),
        (NOW, None),
    ] {
        builder.append(timestamp, key, Some(b"v"));
    }
    let error = append(&mut log, &builder.build()).unwrap_err();
    let AppendError::InvalidRecords(errors) = error else { panic!("{error}") };
    assert_eq!(errors.iter().map(|e| e.batch_index).collect::<Vec<_>>(), [1, 4]);
    assert_eq!(
        errors[0].message,
        "Compacted topic cannot accept message without key in topic partition topic-0"
    );
    log.set_config(LogConfig { timestamp_before_max_ms: 10, ..LogConfig::default() });
    let mut builder = BatchBuilder::new(0);
    for timestamp in [NOW, NOW - 10, NOW - 11, NOW + HOUR_MS, NOW + HOUR_MS + 1] {
        builder.append(timestamp, None, None);
    }
    let error = append(&mut log, &builder.build()).unwrap_err();
    let AppendError::InvalidTimestamps(errors) = error else { panic!("{error}") };
    assert_eq!(errors.iter().map(|e| e.batch_index).collect::<Vec<_>>(), [2, 4]);
    let stamped = with_header(&batch(&["a"]), |header| header[22] |= 0x08);
    log.set_config(LogConfig {
        timestamp_type: TimestampType::LogAppendTime,
        ..LogConfig::default()
    });
    assert!(matches!(append(&mut log, &stamped), Err(AppendError::InvalidTimestamps(_))));
}

#[test]
fn a_topic_may_stamp_records_itself() {
    let config = LogConfig { timestamp_type: TimestampType::LogAppendTime, ..LogConfig::default() };
    let (_dir, mut log) = log_with(config);
    let appended = append(&mut log, &batch(&["a", "b"])).unwrap();
    assert_eq!(appended.log_append_time, NOW);
    let read = log.reader().read(0, 1 << 20, 2, true).unwrap();
    let batch = BatchView::parse(&read.slices[0]).unwrap();
    batch.verify_crc().unwrap();
    assert_eq!(batch.timestamp_type(), TimestampType::LogAppendTime);
    assert!(records_of(&batch).iter().all(|row| row.1 == NOW));
}

#[test]
fn a_topic_may_want_another_codec_than_its_producer() {
    let values: Vec<String> = (0..40).map(|number| format!("value {number}").repeat(9)).collect();
    let values: Vec<&str> = values.iter().map(String::as_str).collect();
    let plain = batch(&values);
    for codec in [
        Compression::None,
        Compression::Gzip,
        Compression::Snappy,
        Compression::Lz4,
        Compression::Zstd,
    ] {
        for sent in [plain.clone(), compressed(&plain, Compression::Gzip, &gzip(&plain[61..]))] {
            let level = if codec == Compression::Zstd { 3 } else { -1 };
            let compression = CompressionPolicy::Fixed { codec, level };
            let (_dir, mut log) = log_with(LogConfig { compression, ..LogConfig::default() });
            append(&mut log, &sent).unwrap();
            let read = log.reader().read(0, 1 << 20, 40, true).unwrap();
            let stored = BatchView::parse(&read.slices[0]).unwrap();
            stored.verify_crc().unwrap();
            assert_eq!(stored.compression().unwrap(), codec);
            let original = BatchView::parse(&plain).unwrap();
            assert_eq!(records_of(&stored), records_of(&original), "{codec:?}");
        }
    }
}

#[test]
fn offset_deltas_that_do_not_count_up_are_put_right() {
    let good = batch(&["a", "b"]);
    let mut payload = good[HEADER_LEN..].to_vec();
    // The second record's offset delta: behind its length, attributes and timestamp delta.
    let second = usize::from(payload[0] >> 1) + 1;
    assert_eq!(payload[second + 3], 2);
    payload[second + 3] = 0;
    let plain = with_payload(&good, &payload, |_| ());
    let zipped = compressed(&good, Compression::Gzip, &gzip(&payload));
    let (_dir, mut log) = log_with(LogConfig::default());
    append(&mut log, &plain).unwrap();
    append(&mut log, &zipped).unwrap();
    let offsets: Vec<i64> = support::contents(&log).iter().map(|row| row.0).collect();
    assert_eq!(offsets, [0, 1, 2, 3]);
}

fn resident_bytes() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() * 1024
}

/// A record whose value announces `zeros` bytes, compressed as one stream of zeros.
fn bomb(codec: Compression, zeros: u64) -> Bytes {
    let mut record = Vec::new();
    let value = i32::try_from(zeros).unwrap();
    let mut body = vec![0, 0, 0, 1];
    protocol::batch::varint::write_i32(value, &mut body);
    protocol::batch::varint::write_i32(body.len() as i32 + value + 1, &mut record);
    record.extend_from_slice(&body);
    let content = record.chain(std::io::repeat(0).take(zeros + 1));
    let mut payload = Vec::new();
    match codec {
        Compression::Zstd => {
            let mut encoder = zstd::stream::read::Encoder::new(content, 1).unwrap();
            encoder.read_to_end(&mut payload).unwrap();
        }
        _ => {
            let level = flate2::Compression::best();
            let mut encoder = flate2::read::GzEncoder::new(content, level);
            encoder.read_to_end(&mut payload).unwrap();
        }
    }
    compressed(&batch(&["a"]), codec, &payload)
}

trait Chain {
    fn chain<R: Read>(self, next: R) -> std::io::Chain<std::io::Cursor<Vec<u8>>, R>;
}

impl Chain for Vec<u8> {
    fn chain<R: Read>(self, next: R) -> std::io::Chain<std::io::Cursor<Vec<u8>>, R> {
        Read::chain(std::io::Cursor::new(self), next)
    }
}

#[test]
fn a_batch_that_decompresses_to_too_much_is_refused_in_little_memory() {
    let (_dir, mut log) =
        log_with(LogConfig { max_message_bytes: 1 << 30, ..LogConfig::default() });
    let small = bomb(Compression::Gzip, 50_000_000);
    let large = bomb(Compression::Zstd, 1_200_000_000);
    let before = resident_bytes();
    append(&mut log, &small).unwrap();
    let error = append(&mut log, &large).unwrap_err();
    assert_eq!(cause(&error), "DecompressedTooLarge", "{error}");
    let grown = resident_bytes() - before;
    assert!(grown < 32 << 20, "{grown} bytes more than before");
}

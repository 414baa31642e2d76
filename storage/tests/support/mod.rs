//! What the tests of a log have in common: batches as a producer would send them, and a log's
//! contents for comparison.
#![allow(dead_code, unreachable_pub, clippy::unwrap_used, reason = "tests share it in parts")]

use std::path::Path;

use bytes::Bytes;
use protocol::batch::{BatchBuilder, BatchView, batches};
use storage::{Log, LogConfig, OpenOptions};

/// One batch of records without keys at timestamp 1000.
pub fn batch(values: &[&str]) -> Bytes {
    let mut builder = BatchBuilder::new(0);
    for value in values {
        builder.append(1000, None, Some(value.as_bytes()));
    }
    builder.build()
}

/// One batch of an idempotent producer.
pub fn sequenced(producer_id: i64, epoch: i16, sequence: i32, values: &[&str]) -> Bytes {
    let mut builder = BatchBuilder::new(0).producer(producer_id, epoch, sequence);
    for value in values {
        builder.append(1000, None, Some(value.as_bytes()));
    }
    builder.build()
}

pub fn open(dir: &Path, config: LogConfig, clean_shutdown: bool) -> Log {
    let options = OpenOptions { clean_shutdown, now_ms: 1000, ..OpenOptions::default() };
    Log::open(dir, config, options).unwrap()
}

/// Segments of 2 KiB with an index entry every 200 bytes.
pub fn small_segments() -> LogConfig {
    LogConfig { segment_bytes: 2048, index_interval_bytes: 200, ..LogConfig::default() }
}

/// Offset, timestamp, key and value of every record.
pub type Row = (i64, i64, Option<Vec<u8>>, Option<Vec<u8>>);

pub fn contents(log: &Log) -> Vec<Row> {
    let reader = log.reader();
    let mut offset = log.log_start_offset();
    let mut rows = Vec::new();
    while offset < log.log_end_offset() {
        let read = reader.read(offset, 1 << 20, i64::MAX, true).unwrap();
        let Some(bytes) = read.slices.first() else {
            break;
        };
        for batch in batches(bytes) {
            let batch = batch.unwrap();
            batch.verify_crc().unwrap();
            rows.extend(records_of(&batch).into_iter().filter(|row| row.0 >= offset));
            offset = batch.next_offset();
        }
    }
    rows
}

pub fn records_of(batch: &BatchView<'_>) -> Vec<Row> {
    let codec = batch.compression().unwrap();
    let payload = compression::decompress(codec, batch.payload()).unwrap();
    protocol::batch::Records::new(&batch.header_copy(), &payload)
        .unwrap()
        .map(|record| {
            let record = record.unwrap();
            let owned = |bytes: Option<&[u8]>| bytes.map(<[u8]>::to_vec);
            (record.offset, record.timestamp, owned(record.key), owned(record.value))
        })
        .collect()
}

/// Thousands of recoveries are about bytes, not about a disk.
pub fn in_memory() -> tempfile::TempDir {
    let shared_memory = Path::new("/dev/shm");
    if shared_memory.is_dir() {
        tempfile::tempdir_in(shared_memory).unwrap()
    } else {
        tempfile::tempdir().unwrap()
    }
}

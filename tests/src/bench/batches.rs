//! Record batches (magic 2) as clients build them, made once before the clock starts.
//!
//! Written from the format's description and not with the protocol crate's builder: a broker that
//! mistook the format in the same way as its own builder would otherwise pass unnoticed.
//!
//! ```text
//! baseOffset i64 | batchLength i32 | leaderEpoch i32 | magic i8 | crc u32 ┐ under the CRC
//! attributes i16 | lastOffsetDelta i32 | baseTimestamp i64 | maxTimestamp i64 | producerId i64
//! producerEpoch i16 | baseSequence i32 | count i32 | records: length varint, body
//! ```

use std::io::Write;
use std::time::{SystemTime, UNIX_EPOCH};

use super::BenchError;

/// Bytes before the records of a batch.
pub const BATCH_HEADER_BYTES: usize = 61;
const CRC_START: usize = 21;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Codec {
    None,
    Lz4,
}

/// What a client stamps its records with: retention takes older ones.
pub fn now_ms() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as i64)
}

/// What one batch holds. Every value has the same length, keys and headers are absent.
#[derive(Clone, Copy, Debug)]
pub struct BatchShape {
    pub records: u32,
    pub value_bytes: usize,
    pub codec: Codec,
}

impl BatchShape {
    /// Value bytes, before compression: what the figures call payload.
    pub fn payload_bytes(&self) -> u64 {
        u64::from(self.records) * self.value_bytes as u64
    }

    pub fn build(&self, timestamp_ms: i64, seed: u64) -> Result<Vec<u8>, BenchError> {
        let mut words = Words(seed | 1);
        let mut records = Vec::with_capacity(self.records as usize * (self.value_bytes + 12));
        let mut value = Vec::with_capacity(self.value_bytes);
        for index in 0..self.records {
            match self.codec {
                Codec::None => words.fill_random(&mut value, self.value_bytes),
                Codec::Lz4 => words.fill_log_line(&mut value, self.value_bytes),
            }
            write_record(&mut records, index, None, &value);
        }
        let (attributes, body) = match self.codec {
            Codec::None => (0_i16, records),
            Codec::Lz4 => (3_i16, lz4(&records)?),
        };
        Ok(assemble(attributes, self.records, timestamp_ms, &body))
    }
}

/// An uncompressed batch of records with a key each.
pub fn keyed(keys: &[u64], value_bytes: usize, timestamp_ms: i64, seed: u64) -> Vec<u8> {
    let mut words = Words(seed | 1);
    let mut records = Vec::with_capacity(keys.len() * (value_bytes + 32));
    let mut value = Vec::with_capacity(value_bytes);
    for (index, key) in (0..).zip(keys) {
        words.fill_random(&mut value, value_bytes);
        write_record(&mut records, index, Some(format!("key-{key:012}").as_bytes()), &value);
    }
    assemble(0, keys.len() as u32, timestamp_ms, &records)
}

/// Makes a batch one of a transaction of this producer.
pub fn make_transactional(batch: &mut [u8], producer_id: i64, epoch: i16, sequence: i32) {
    const ATTRIBUTES: usize = 21;
    const PRODUCER: usize = 43;
    const IS_TRANSACTIONAL: u8 = 0x10;
    batch[ATTRIBUTES + 1] |= IS_TRANSACTIONAL;
    batch[PRODUCER..PRODUCER + 8].copy_from_slice(&producer_id.to_be_bytes());
    batch[PRODUCER + 8..PRODUCER + 10].copy_from_slice(&epoch.to_be_bytes());
    batch[PRODUCER + 10..PRODUCER + 14].copy_from_slice(&sequence.to_be_bytes());
    seal(batch);
}

fn assemble(attributes: i16, records: u32, timestamp_ms: i64, body: &[u8]) -> Vec<u8> {
    let mut batch = Vec::with_capacity(BATCH_HEADER_BYTES + body.len());
    batch.extend_from_slice(&0_i64.to_be_bytes());
    let length = (BATCH_HEADER_BYTES - 12 + body.len()) as i32;
    batch.extend_from_slice(&length.to_be_bytes());
    batch.extend_from_slice(&(-1_i32).to_be_bytes());
    batch.push(2);
    batch.extend_from_slice(&[0; 4]);
    batch.extend_from_slice(&attributes.to_be_bytes());
    batch.extend_from_slice(&(records as i32 - 1).to_be_bytes());
    batch.extend_from_slice(&timestamp_ms.to_be_bytes());
    batch.extend_from_slice(&timestamp_ms.to_be_bytes());
    batch.extend_from_slice(&(-1_i64).to_be_bytes());
    batch.extend_from_slice(&(-1_i16).to_be_bytes());
    batch.extend_from_slice(&(-1_i32).to_be_bytes());
    batch.extend_from_slice(&(records as i32).to_be_bytes());
    batch.extend_from_slice(body);
    seal(&mut batch);
    batch
}

fn seal(batch: &mut [u8]) {
    let crc = crc32c::crc32c(&batch[CRC_START..]);
    batch[CRC_START - 4..CRC_START].copy_from_slice(&crc.to_be_bytes());
}

fn write_record(out: &mut Vec<u8>, offset_delta: u32, key: Option<&[u8]>, value: &[u8]) {
    let mut head = Vec::with_capacity(32);
    head.push(0);
    varint(&mut head, 0);
    varint(&mut head, i64::from(offset_delta));
    varint(&mut head, key.map_or(-1, |key| key.len() as i64));
    head.extend_from_slice(key.unwrap_or_default());
    varint(&mut head, value.len() as i64);
    varint(out, (head.len() + value.len() + 1) as i64);
    out.extend_from_slice(&head);
    out.extend_from_slice(value);
    varint(out, 0);
}

fn varint(out: &mut Vec<u8>, value: i64) {
    let mut zigzag = ((value << 1) ^ (value >> 63)) as u64;
    while zigzag >= 0x80 {
        out.push(zigzag as u8 | 0x80);
        zigzag >>= 7;
    }
    out.push(zigzag as u8);
}

/// Independent blocks of at most 64 KiB, as Kafka's own encoder writes them.
fn lz4(records: &[u8]) -> Result<Vec<u8>, BenchError> {
    let frame = lz4_flex::frame::FrameInfo::new()
        .block_size(lz4_flex::frame::BlockSize::Max64KB)
        .block_mode(lz4_flex::frame::BlockMode::Independent);
    let mut encoder = lz4_flex::frame::FrameEncoder::with_frame_info(frame, Vec::new());
    encoder.write_all(records)?;
    encoder.finish().map_err(|error| BenchError::Setup(format!("lz4: {error}")))
}

/// A small generator with a seed (xorshift): runs are repeatable without a dependency.
struct Words(u64);

impl Words {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn fill_random(&mut self, value: &mut Vec<u8>, bytes: usize) {
        value.clear();
        while value.len() < bytes {
            value.extend_from_slice(&self.next().to_be_bytes());
        }
        value.truncate(bytes);
    }

    /// Lines as applications log them; lz4 makes about a quarter of them.
    fn fill_log_line(&mut self, value: &mut Vec<u8>, bytes: usize) {
        const LEVELS: [&str; 4] = ["INFO", "WARN", "DEBUG", "ERROR"];
        const SERVICES: [&str; 4] = ["checkout", "inventory", "payments", "shipping"];
        value.clear();
        while value.len() < bytes {
            let draw = self.next();
            let line = format!(
                "{{\"level\":\"{}\",\"service\":\"{}\",\"trace\":\"{:016x}\",\"duration_ms\":{},\
                 \"message\":\"request was answered\",\"region\":\"eu-central-1\"}}\n",
                LEVELS[(draw & 3) as usize],
                SERVICES[(draw >> 2 & 3) as usize],
                self.next(),
                draw >> 54,
            );
            value.extend_from_slice(line.as_bytes());
        }
        value.truncate(bytes);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_uncompressed_batch_has_the_documented_layout() {
        let shape = BatchShape { records: 2, value_bytes: 100, codec: Codec::None };
        let batch = shape.build(7, 1).unwrap();
        assert_eq!(batch.len(), BATCH_HEADER_BYTES + 2 * (2 + 1 + 1 + 1 + 1 + 2 + 100 + 1));
        assert_eq!(i32::from_be_bytes(batch[8..12].try_into().unwrap()) as usize, batch.len() - 12);
        assert_eq!(batch[16], 2);
        let crc = u32::from_be_bytes(batch[17..21].try_into().unwrap());
        assert_eq!(crc, crc32c::crc32c(&batch[21..]));
        assert_eq!(i32::from_be_bytes(batch[57..61].try_into().unwrap()), 2);
    }

    #[test]
    fn a_producer_is_stamped_under_the_checksum() {
        let mut batch = keyed(&[7, 8], 10, 7, 1);
        make_transactional(&mut batch, 5, 6, 7);
        assert_eq!(batch[21..23], [0, 0x10]);
        assert_eq!(batch[43..57], [0, 0, 0, 0, 0, 0, 0, 5, 0, 6, 0, 0, 0, 7]);
        let crc = u32::from_be_bytes(batch[17..21].try_into().unwrap());
        assert_eq!(crc, crc32c::crc32c(&batch[21..]));
        assert!(batch.windows(16).any(|part| part == b"key-000000000008"));
    }

    #[test]
    fn a_log_line_batch_compresses_to_between_a_sixth_and_a_half() {
        let shape = BatchShape { records: 120, value_bytes: 1000, codec: Codec::Lz4 };
        let batch = shape.build(7, 1).unwrap();
        let ratio = batch.len() as f64 / shape.payload_bytes() as f64;
        assert!((0.16..0.5).contains(&ratio), "{ratio}");
        let records = lz4_flex::frame::FrameDecoder::new(&batch[BATCH_HEADER_BYTES..]);
        let read = std::io::copy(&mut { records }, &mut std::io::sink()).unwrap();
        assert!(read > shape.payload_bytes());
    }
}

//! Record batches as a client would send them, written independently of the broker's own code, so
//! that they can be wrong in every way.
//!
//! ```text
//! offset i64 | length i32 | leader epoch i32 | magic i8 | crc u32 | attributes i16
//! last delta i32 | first ts i64 | max ts i64 | producer id i64 | epoch i16 | sequence i32
//! count i32 | records
//! ```

use bytes::{Buf, BufMut, Bytes, BytesMut};

/// Everything in a batch that a test may choose.
#[derive(Debug, Clone)]
pub struct Batch {
    pub base_offset: i64,
    pub leader_epoch: i32,
    pub magic: i8,
    pub attributes: i16,
    pub last_offset_delta: i32,
    pub first_timestamp: i64,
    pub max_timestamp: i64,
    pub producer_id: i64,
    pub producer_epoch: i16,
    pub base_sequence: i32,
    pub count: i32,
    /// The records' bytes as they stand after the header, compressed or not.
    pub payload: Vec<u8>,
}

impl Batch {
    /// A right batch of these values, stamped `now_ms`.
    #[must_use]
    pub fn of(values: &[&[u8]], now_ms: i64) -> Self {
        let mut payload = Vec::new();
        for (delta, value) in values.iter().enumerate() {
            let delta = i64::try_from(delta).expect("few records");
            payload.extend(record(delta, 0, None, Some(value)));
        }
        let count = i32::try_from(values.len()).expect("few records");
        Self {
            base_offset: 0,
            leader_epoch: -1,
            magic: 2,
            attributes: 0,
            last_offset_delta: count - 1,
            first_timestamp: now_ms,
            max_timestamp: now_ms,
            producer_id: -1,
            producer_epoch: -1,
            base_sequence: -1,
            count,
            payload,
        }
    }

    /// From an idempotent producer.
    #[must_use]
    pub fn idempotent(mut self, producer_id: i64, producer_epoch: i16, base_sequence: i32) -> Self {
        self.producer_id = producer_id;
        self.producer_epoch = producer_epoch;
        self.base_sequence = base_sequence;
        self
    }

    /// The bytes, with a right length and a right checksum.
    #[must_use]
    pub fn bytes(&self) -> Bytes {
        let mut rest = BytesMut::new();
        rest.put_i16(self.attributes);
        rest.put_i32(self.last_offset_delta);
        rest.put_i64(self.first_timestamp);
        rest.put_i64(self.max_timestamp);
        rest.put_i64(self.producer_id);
        rest.put_i16(self.producer_epoch);
        rest.put_i32(self.base_sequence);
        rest.put_i32(self.count);
        rest.put_slice(&self.payload);
        let mut batch = BytesMut::new();
        batch.put_i64(self.base_offset);
        batch.put_i32(i32::try_from(rest.len() + 9).expect("a batch below 2 GiB"));
        batch.put_i32(self.leader_epoch);
        batch.put_i8(self.magic);
        batch.put_u32(crc32c::crc32c(&rest));
        batch.put(rest);
        batch.freeze()
    }
}

/// One record's bytes, its length first.
#[must_use]
pub fn record(
    offset_delta: i64,
    ts_delta: i64,
    key: Option<&[u8]>,
    value: Option<&[u8]>,
) -> Vec<u8> {
    let mut body = vec![0];
    varint(&mut body, ts_delta);
    varint(&mut body, offset_delta);
    for part in [key, value] {
        match part {
            Some(bytes) => {
                varint(&mut body, i64::try_from(bytes.len()).expect("small"));
                body.extend_from_slice(bytes);
            }
            None => varint(&mut body, -1),
        }
    }
    varint(&mut body, 0);
    let mut record = Vec::new();
    varint(&mut record, i64::try_from(body.len()).expect("small"));
    record.extend(body);
    record
}

/// A zigzag varint, as records use them.
pub fn varint(into: &mut Vec<u8>, value: i64) {
    let mut rest = ((value << 1) ^ (value >> 63)).cast_unsigned();
    while rest >= 0x80 {
        into.push((rest & 0x7f) as u8 | 0x80);
        rest >>= 7;
    }
    into.push(rest as u8);
}

/// Offset and value of every record in fetched, uncompressed batches.
#[must_use]
pub fn values(mut fetched: Bytes) -> Vec<(i64, Bytes)> {
    let mut all = Vec::new();
    while fetched.len() >= 61 {
        let length = usize::try_from((&fetched[8..12]).get_i32()).expect("a length") + 12;
        if fetched.len() < length {
            break; // a fetch may end in the middle of a batch
        }
        let mut batch = fetched.split_to(length);
        let crc = (&batch[17..21]).get_u32();
        assert_eq!(crc, crc32c::crc32c(&batch[21..]), "the checksum of a fetched batch");
        let base_offset = (&batch[0..8]).get_i64();
        let is_control = (&batch[21..23]).get_i16() & 0x20 != 0;
        let count = (&batch[57..61]).get_i32();
        batch.advance(61);
        for _ in 0..count {
            let (offset_delta, value) = read_record(&mut batch);
            if !is_control {
                all.push((base_offset + offset_delta, value));
            }
        }
    }
    all
}

fn read_record(batch: &mut Bytes) -> (i64, Bytes) {
    let _length = read_varint(batch);
    batch.advance(1);
    let _timestamp = read_varint(batch);
    let offset_delta = read_varint(batch);
    let _key = read_bytes(batch);
    let value = read_bytes(batch);
    for _ in 0..read_varint(batch) {
        let _ = (read_bytes(batch), read_bytes(batch));
    }
    (offset_delta, value)
}

fn read_bytes(batch: &mut Bytes) -> Bytes {
    let length = read_varint(batch);
    usize::try_from(length).map_or_else(|_| Bytes::new(), |length| batch.split_to(length))
}

fn read_varint(batch: &mut Bytes) -> i64 {
    let (mut value, mut shift) = (0_u64, 0);
    loop {
        let byte = batch.get_u8();
        value |= u64::from(byte & 0x7f) << shift;
        shift += 7;
        if byte & 0x80 == 0 {
            return (value >> 1).cast_signed() ^ -((value & 1).cast_signed());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Batch, values};

    #[test]
    fn a_batch_reads_back_as_its_values() {
        let mut batch = Batch::of(&[b"a", b"", b"c"], 1);
        batch.base_offset = 7;
        let read = values(batch.bytes());
        assert_eq!(read, [(7, "a".into()), (8, "".into()), (9, "c".into())]);
    }
}

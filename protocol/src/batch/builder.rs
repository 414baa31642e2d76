//! Writes uncompressed batches: those of Kafka's own topics, of the metadata log, and control
//! batches (KIP-98 markers, KRaft's LeaderChange and snapshot records). Answers to
//! `MemoryRecordsBuilder`, whose bytes it equals for the same input.

use bytes::Bytes;

use super::{
    BatchHeader, HEADER_LEN, LOG_OVERHEAD, NO_PARTITION_LEADER_EPOCH, NO_PRODUCER_EPOCH,
    NO_PRODUCER_ID, NO_SEQUENCE, NO_TIMESTAMP, varint,
};

/// Kinds of control records: the second field of a control record's key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ControlType {
    Abort,
    Commit,
    LeaderChange,
    SnapshotHeader,
    SnapshotFooter,
    KRaftVersion,
    KRaftVoters,
}

impl ControlType {
    #[must_use]
    pub fn from_id(id: i16) -> Option<Self> {
        Some(match id {
            0 => Self::Abort,
            1 => Self::Commit,
            2 => Self::LeaderChange,
            3 => Self::SnapshotHeader,
            4 => Self::SnapshotFooter,
            5 => Self::KRaftVersion,
            6 => Self::KRaftVoters,
            _ => return None,
        })
    }

    #[must_use]
    pub fn id(self) -> i16 {
        self as i16
    }

    /// A control record's key is its version and type.
    #[must_use]
    pub fn from_key(key: &[u8]) -> Option<Self> {
        let raw: [u8; 2] = key.get(2..4)?.try_into().ok()?;
        Self::from_id(i16::from_be_bytes(raw))
    }

    /// The key that a control record of this type has.
    #[must_use]
    pub fn key(self) -> [u8; 4] {
        let [high, low] = self.id().to_be_bytes();
        [0, 0, high, low]
    }
}

/// One batch being written. Offsets count up from the base offset by one per record.
#[derive(Debug, Clone)]
pub struct BatchBuilder {
    base_offset: i64,
    leader_epoch: i32,
    attributes: i16,
    producer_id: i64,
    producer_epoch: i16,
    base_sequence: i32,
    base_timestamp: i64,
    max_timestamp: i64,
    count: i32,
    bytes: Vec<u8>,
}

impl BatchBuilder {
    /// A batch whose first record will have `base_offset`; leader epoch -1 until set.
    #[must_use]
    pub fn new(base_offset: i64) -> Self {
        Self {
            base_offset,
            leader_epoch: NO_PARTITION_LEADER_EPOCH,
            attributes: 0,
            producer_id: NO_PRODUCER_ID,
            producer_epoch: NO_PRODUCER_EPOCH,
            base_sequence: NO_SEQUENCE,
            base_timestamp: NO_TIMESTAMP,
            max_timestamp: NO_TIMESTAMP,
            count: 0,
            bytes: vec![0; HEADER_LEN],
        }
    }

    #[must_use]
    pub fn leader_epoch(mut self, epoch: i32) -> Self {
        self.leader_epoch = epoch;
        self
    }

    #[must_use]
    pub fn producer(mut self, id: i64, epoch: i16, base_sequence: i32) -> Self {
        self.producer_id = id;
        self.producer_epoch = epoch;
        self.base_sequence = base_sequence;
        self
    }

    #[must_use]
    pub fn transactional(mut self) -> Self {
        self.attributes |= 0x10;
        self
    }

    /// Marks the batch as one of control records. [`Self::append_control`] does so by itself.
    #[must_use]
    pub fn control(mut self) -> Self {
        self.attributes |= 0x20;
        self
    }

    pub fn append(&mut self, timestamp: i64, key: Option<&[u8]>, value: Option<&[u8]>) {
        self.append_with_headers(timestamp, key, value, &[]);
    }

    pub fn append_with_headers(
        &mut self,
        timestamp: i64,
        key: Option<&[u8]>,
        value: Option<&[u8]>,
        headers: &[(&str, Option<&[u8]>)],
    ) {
        if self.count == 0 {
            self.base_timestamp = timestamp;
        }
        self.max_timestamp = self.max_timestamp.max(timestamp);
        let timestamp_delta = timestamp.wrapping_sub(self.base_timestamp);
        let body = 1
            + varint::len_i64(timestamp_delta)
            + varint::len_i32(self.count)
            + field_len(key)
            + field_len(value)
            + varint::len_i32(headers.len() as i32)
            + headers
                .iter()
                .map(|(key, value)| field_len(Some(key.as_bytes())) + field_len(*value))
                .sum::<usize>();
        let out = &mut self.bytes;
        varint::write_i32(body as i32, out);
        out.push(0);
        varint::write_i64(timestamp_delta, out);
        varint::write_i32(self.count, out);
        write_field(key, out);
        write_field(value, out);
        varint::write_i32(headers.len() as i32, out);
        for (key, value) in headers {
            write_field(Some(key.as_bytes()), out);
            write_field(*value, out);
        }
        self.count += 1;
    }

    /// A control record of this type; its value is the message's bytes, version first.
    pub fn append_control(&mut self, timestamp: i64, kind: ControlType, value: &[u8]) {
        self.attributes |= 0x20;
        self.append(timestamp, Some(&kind.key()), Some(value));
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    #[must_use]
    pub fn records_count(&self) -> i32 {
        self.count
    }

    /// The offset that the next record would have.
    #[must_use]
    pub fn next_offset(&self) -> i64 {
        self.base_offset + i64::from(self.count)
    }

    /// Bytes of the batch so far, header included.
    #[must_use]
    pub fn size_bytes(&self) -> usize {
        self.bytes.len()
    }

    /// An upper bound of what a record without headers adds.
    #[must_use]
    pub fn record_size_bound(key: Option<&[u8]>, value: Option<&[u8]>) -> usize {
        27 + key.map_or(0, <[u8]>::len) + value.map_or(0, <[u8]>::len)
    }

    /// The finished batch, CRC included.
    #[must_use]
    pub fn build(mut self) -> Bytes {
        let mut header = [0; HEADER_LEN];
        let length = (self.bytes.len() - LOG_OVERHEAD) as i32;
        header[0..8].copy_from_slice(&self.base_offset.to_be_bytes());
        header[8..12].copy_from_slice(&length.to_be_bytes());
        header[12..16].copy_from_slice(&self.leader_epoch.to_be_bytes());
        header[16] = 2;
        header[21..23].copy_from_slice(&self.attributes.to_be_bytes());
        header[23..27].copy_from_slice(&(self.count - 1).max(0).to_be_bytes());
        header[27..35].copy_from_slice(&self.base_timestamp.to_be_bytes());
        header[35..43].copy_from_slice(&self.max_timestamp.to_be_bytes());
        header[43..51].copy_from_slice(&self.producer_id.to_be_bytes());
        header[51..53].copy_from_slice(&self.producer_epoch.to_be_bytes());
        header[53..57].copy_from_slice(&self.base_sequence.to_be_bytes());
        header[57..61].copy_from_slice(&self.count.to_be_bytes());
        let mut header = BatchHeader::from_bytes(header);
        header.seal(&self.bytes[HEADER_LEN..]);
        self.bytes[..HEADER_LEN].copy_from_slice(header.as_bytes());
        Bytes::from(self.bytes)
    }
}

fn field_len(field: Option<&[u8]>) -> usize {
    field.map_or(1, |bytes| varint::len_i32(bytes.len() as i32) + bytes.len())
}

fn write_field(field: Option<&[u8]>, out: &mut Vec<u8>) {
    match field {
        None => varint::write_i32(-1, out),
        Some(bytes) => {
            varint::write_i32(bytes.len() as i32, out);
            out.extend_from_slice(bytes);
        }
    }
}

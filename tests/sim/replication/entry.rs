//! A record, and how a batch of them goes over the wire: the header that Kafka's has, behind it the
//! first of its values, which ascend by one, how many offsets before it hold nothing, and what a
//! marker says.

use bytes::{BufMut, Bytes, BytesMut};
use protocol::batch::{BatchHeader, BatchView, HEADER_LEN, LOG_OVERHEAD};
use storage::Marker;

use super::log_transactions::Transactional;

pub(super) const BATCH_BYTES: usize = HEADER_LEN + 24;

/// One record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) epoch: i32,
    pub(crate) value: u64,
    /// 0 for none: then `sequence` means nothing.
    pub(crate) producer: u32,
    pub(crate) sequence: u32,
    /// In its batch, from 0.
    pub(crate) place: u32,
    /// How many records its batch has.
    pub(crate) of: u32,
    /// Of a producer's transaction; `producer` is 0 then.
    pub(crate) transactional: Option<Transactional>,
}

impl Entry {
    /// What stands at an offset whose batch was cut off from before a later one.
    pub(super) const NOTHING: Self = Self {
        epoch: -1,
        value: 0,
        producer: 0,
        sequence: 0,
        place: 0,
        of: 1,
        transactional: None,
    };

    /// Records that ascend from this value, of nobody's producer.
    pub(crate) fn plain(value: u64, of: u32) -> Self {
        Self { value, of, ..Self::NOTHING }
    }

    pub(super) fn is_record(&self) -> bool {
        self.value != 0
    }

    /// The batch that begins with this record, behind `gap` offsets that hold nothing.
    pub(crate) fn encoded(&self, offset: i64, gap: i64) -> Bytes {
        let mut bytes = BytesMut::with_capacity(BATCH_BYTES);
        let transactional = self.transactional.unwrap_or_else(|| Transactional {
            producer_id: i64::from(self.producer),
            producer_epoch: 0,
            sequence: self.sequence as i32,
            marker: None,
        });
        let marker = transactional.marker;
        let attributes =
            i16::from(self.transactional.is_some()) << 4 | i16::from(marker.is_some()) << 5;
        bytes.put_i64(offset);
        bytes.put_i32((BATCH_BYTES - LOG_OVERHEAD) as i32);
        bytes.put_i32(self.epoch);
        bytes.put_i8(2);
        bytes.put_u32(0);
        bytes.put_i16(attributes);
        bytes.put_i32(self.of as i32 - 1);
        bytes.put_i64(0);
        bytes.put_i64(0);
        bytes.put_i64(transactional.producer_id);
        bytes.put_i16(transactional.producer_epoch);
        bytes.put_i32(transactional.sequence);
        bytes.put_i32(self.of as i32);
        bytes.put_u64(self.value);
        bytes.put_i64(gap);
        bytes.put_i32(marker.map_or(-1, |marker| marker.coordinator_epoch));
        bytes.put_i32(marker.map_or(0, |marker| 1 + i32::from(marker.aborted)));
        bytes.freeze()
    }

    /// Offset of the first record, the record itself, and the gap before it.
    pub(super) fn decoded(bytes: &[u8]) -> (i64, Self, i64) {
        let batch = BatchView::parse(bytes).expect("a batch");
        let long = |at: usize| u64::from_be_bytes(bytes[at..at + 8].try_into().expect("eight"));
        let last = long(HEADER_LEN + 16);
        let marker = batch.is_control().then_some(Marker {
            aborted: last as u32 == 2,
            coordinator_epoch: (last >> 32) as i32,
        });
        let transactional = batch.is_transactional().then_some(Transactional {
            producer_id: batch.producer_id(),
            producer_epoch: batch.producer_epoch(),
            sequence: batch.base_sequence(),
            marker,
        });
        let is_plain = transactional.is_none();
        let entry = Self {
            epoch: batch.partition_leader_epoch(),
            value: long(HEADER_LEN),
            producer: if is_plain { batch.producer_id() as u32 } else { 0 },
            sequence: if is_plain { batch.base_sequence() as u32 } else { 0 },
            place: 0,
            of: batch.records_count() as u32,
            transactional,
        };
        (batch.base_offset(), entry, long(HEADER_LEN + 8) as i64)
    }

    /// The header of the batch that this one begins at an offset.
    pub(super) fn header(&self, offset: i64) -> BatchHeader {
        let bytes = self.encoded(offset, 0);
        BatchView::parse(&bytes).expect("a batch").header_copy()
    }

    /// The records of the batch that this one begins.
    pub(super) fn batch(self) -> impl Iterator<Item = Self> {
        (0..self.of).map(move |place| Self {
            value: self.value + u64::from(place),
            sequence: if self.producer == 0 { self.sequence } else { self.sequence + place },
            place,
            ..self
        })
    }
}

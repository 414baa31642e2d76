//! What a leader gave of one partition, as the records that the application sees.
//!
//! Pure. An answer holds whole batches and says which of their offsets are the consumer's: those
//! are handed out, what else the batches hold is passed over, and offsets without a record are
//! gaps, of which the consumer tells the leader by itself. Answers to `ShareCompletedFetch` and
//! `ShareInFlightBatch`.
//!
//! Unlike Kafka: batches of the formats before 0.11 are refused (docs/decisions/0385).

use std::collections::VecDeque;

use bytes::Bytes;
use protocol::batch::{BatchHeader, BatchView, Compression, Record, Records, TimestampType};

use super::acknowledgements::Acknowledgements;
use super::error::ShareConsumerError;
use crate::consumer::TopicPartition;

/// Offsets that are the consumer's, from the first to the last, and how often they were given to
/// somebody.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Acquired {
    pub(super) first: i64,
    pub(super) last: i64,
    pub(super) delivery_count: i16,
}

/// The records of one partition that one poll brought.
#[derive(Debug)]
pub struct Delivered {
    pub partition: TopicPartition,
    batches: Vec<DeliveredBatch>,
}

#[derive(Debug)]
struct DeliveredBatch {
    header: BatchHeader,
    /// Not compressed.
    payload: Bytes,
    acquired: Vec<Acquired>,
}

/// A record and what is known of it.
#[derive(Debug, Clone, Copy)]
pub struct DeliveredRecord<'a> {
    pub record: Record<'a>,
    pub timestamp_type: TimestampType,
    /// How often it was given to somebody, this time included.
    pub delivery_count: i16,
}

impl Delivered {
    /// The records by their offsets.
    pub fn records(&self) -> impl Iterator<Item = DeliveredRecord<'_>> {
        self.batches.iter().flat_map(DeliveredBatch::records)
    }
}

impl DeliveredBatch {
    fn records(&self) -> impl Iterator<Item = DeliveredRecord<'_>> {
        // They were read once before they were handed out: nothing of it fails.
        let records = Records::new(&self.header, &self.payload).into_iter().flatten();
        let timestamp_type = self.header.timestamp_type();
        let mut acquired = self.acquired.iter();
        let mut next = acquired.next();
        records.map_while(Result::ok).filter_map(move |record| {
            while next.is_some_and(|range| range.last < record.offset) {
                next = acquired.next();
            }
            let range = next.filter(|range| range.first <= record.offset)?;
            let delivery_count = range.delivery_count;
            Some(DeliveredRecord { record, timestamp_type, delivery_count })
        })
    }
}

/// What one take brought beside the records.
#[derive(Debug)]
pub(super) struct Taken {
    pub(super) delivered: Delivered,
    /// The offsets of the records that were handed out.
    pub(super) offsets: Vec<i64>,
    /// Gaps, and what cannot be read.
    pub(super) acknowledged: Acknowledgements,
    pub(super) error: Option<ShareConsumerError>,
}

/// What a leader gave of one partition, and how far it was handed out.
#[derive(Debug)]
pub(super) struct Arrived {
    pub(super) partition: TopicPartition,
    bytes: Bytes,
    acquired: VecDeque<Acquired>,
    is_checking_crcs: bool,
}

impl Arrived {
    pub(super) fn new(
        partition: TopicPartition,
        bytes: Bytes,
        mut acquired: Vec<Acquired>,
        is_checking_crcs: bool,
    ) -> Self {
        acquired.retain(|range| range.first <= range.last);
        Self { partition, bytes, acquired: acquired.into(), is_checking_crcs }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.acquired.is_empty()
    }

    /// Hands out so many records, and the rest of a batch that was begun.
    pub(super) fn take(&mut self, most: usize) -> Taken {
        let delivered = Delivered { partition: self.partition.clone(), batches: Vec::new() };
        let (offsets, acknowledged) = (Vec::new(), Acknowledgements::default());
        let mut taken = Taken { delivered, offsets, acknowledged, error: None };
        while taken.offsets.len() < most && !self.acquired.is_empty() {
            match self.take_batch(&mut taken) {
                Ok(true) => {}
                Ok(false) => break,
                Err(error) => {
                    taken.error = Some(error);
                    break;
                }
            }
        }
        taken
    }

    /// Whether there was one more batch.
    fn take_batch(&mut self, taken: &mut Taken) -> Result<bool, ShareConsumerError> {
        let bytes = self.bytes.clone();
        let rest = bytes.len();
        let Ok(batch) = BatchView::parse(&bytes) else {
            // All that is left, and what a fetch cut short, are gaps.
            for range in self.acquired.drain(..) {
                taken.acknowledged.add_gap(range.first, range.last);
            }
            return Ok(false);
        };
        self.bytes = bytes.slice(batch.len().min(rest)..);
        if batch.is_control() {
            return Ok(true);
        }
        match self.opened(&batch, bytes.slice(..batch.len())) {
            Ok((payload, offsets)) => {
                let acquired = self.pass(&offsets, &batch, taken);
                let header = batch.header_copy();
                taken.delivered.batches.push(DeliveredBatch { header, payload, acquired });
                Ok(true)
            }
            Err(cause) => {
                self.reject(&batch, taken);
                let (partition, offset) = (self.partition.clone(), batch.base_offset());
                Err(ShareConsumerError::Batch { partition, offset, cause })
            }
        }
    }

    /// The payload as it was before it was compressed, and the offsets that it holds.
    fn opened(&self, batch: &BatchView<'_>, whole: Bytes) -> Result<(Bytes, Vec<i64>), String> {
        if self.is_checking_crcs {
            batch.verify_crc().map_err(|error| error.to_string())?;
        }
        let payload = match batch.compression().map_err(|error| error.to_string())? {
            Compression::None => whole.slice(whole.len() - batch.payload().len()..),
            codec => {
                let payload = compression::decompress(codec, batch.payload());
                Bytes::from(payload.map_err(|error| error.to_string())?)
            }
        };
        let records = Records::new(&batch.header_copy(), &payload);
        let records = records.map_err(|error| error.to_string())?;
        let offsets = records.map(|record| record.map(|record| record.offset));
        let offsets =
            offsets.collect::<Result<Vec<i64>, _>>().map_err(|error| error.to_string())?;
        Ok((payload, offsets))
    }

    /// Moves behind the records of a batch: which of its offsets are the consumer's. Those before
    /// a record that hold none are gaps; behind the last record the next batch decides.
    fn pass(&mut self, offsets: &[i64], batch: &BatchView<'_>, taken: &mut Taken) -> Vec<Acquired> {
        let mut acquired: Vec<Acquired> = Vec::new();
        for &offset in offsets {
            self.skip_to(offset, taken);
            let Some(range) = self.acquired.front_mut() else { break };
            if range.first != offset {
                continue;
            }
            let one = Acquired { first: offset, last: offset, ..*range };
            match acquired.last_mut() {
                Some(last)
                    if last.last + 1 == offset && last.delivery_count == one.delivery_count =>
                {
                    last.last = offset;
                }
                _ => acquired.push(one),
            }
            taken.offsets.push(offset);
            range.first = offset.saturating_add(1);
            if range.first > range.last || offset == i64::MAX {
                self.acquired.pop_front();
            }
        }
        // Compaction takes a batch's last records and leaves its end.
        self.skip_to(batch.next_offset(), taken);
        acquired
    }

    /// What is the consumer's below this offset holds no record.
    fn skip_to(&mut self, offset: i64, taken: &mut Taken) {
        while let Some(range) = self.acquired.front_mut().filter(|range| range.first < offset) {
            let last = range.last.min(offset - 1);
            taken.acknowledged.add_gap(range.first, last);
            match last == range.last {
                true => drop(self.acquired.pop_front()),
                false => range.first = offset,
            }
        }
    }

    fn reject(&mut self, batch: &BatchView<'_>, taken: &mut Taken) {
        self.skip_to(batch.base_offset(), taken);
        let end = batch.next_offset();
        while let Some(range) = self.acquired.front_mut().filter(|range| range.first < end) {
            let last = range.last.min(end - 1);
            taken.acknowledged.reject(range.first, last);
            match last == range.last {
                true => drop(self.acquired.pop_front()),
                false => range.first = end,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use protocol::batch::{BatchBuilder, ControlType};

    use super::super::acknowledgements::AcknowledgementBatch;
    use super::*;

    fn batch(offsets: std::ops::Range<i64>) -> Bytes {
        let mut builder = BatchBuilder::new(offsets.start);
        for at in offsets {
            builder.append(7, None, Some(at.to_string().as_bytes()));
        }
        builder.build()
    }

    fn marker(offset: i64) -> Bytes {
        let mut builder = BatchBuilder::new(offset).producer(9, 0, -1).transactional();
        builder.append_control(7, ControlType::Commit, &[0; 6]);
        builder.build()
    }

    fn arrived(parts: &[Bytes], acquired: &[(i64, i64, i16)]) -> Arrived {
        let of = |&(first, last, delivery_count): &(i64, i64, i16)| Acquired {
            first,
            last,
            delivery_count,
        };
        let acquired = acquired.iter().map(of).collect();
        Arrived::new(TopicPartition::new("t", 0), Bytes::from(parts.concat()), acquired, true)
    }

    fn read(taken: &Taken) -> Vec<(i64, i16)> {
        let records = taken.delivered.records();
        records.map(|one| (one.record.offset, one.delivery_count)).collect()
    }

    fn said(taken: &Taken) -> Vec<(i64, i64, i8)> {
        let batches = taken.acknowledged.batches().into_iter();
        let short = |batch: AcknowledgementBatch| (batch.first, batch.last, batch.types[0]);
        batches.map(short).collect()
    }

    #[test]
    fn what_is_the_consumers_is_handed_out_whole_batches_at_a_time() {
        let parts = [batch(0..3), batch(3..6), batch(6..8)];
        let mut arrived = arrived(&parts, &[(1, 1, 2), (2, 6, 1)]);
        let taken = arrived.take(3);
        assert_eq!(read(&taken), [(1, 2), (2, 1), (3, 1), (4, 1), (5, 1)]);
        assert_eq!((taken.offsets.as_slice(), said(&taken)), (&[1, 2, 3, 4, 5][..], vec![]));
        let taken = arrived.take(3);
        assert_eq!(read(&taken), [(6, 1)]);
        assert!(arrived.is_empty() && taken.error.is_none());
    }

    #[test]
    fn offsets_without_a_record_are_gaps() {
        let parts = [batch(1..2), marker(2), batch(4..5)];
        let mut one = arrived(&parts, &[(0, 5, 1)]);
        let taken = one.take(10);
        assert_eq!(read(&taken), [(1, 1), (4, 1)]);
        assert_eq!(said(&taken), [(0, 0, 0), (2, 3, 0), (5, 5, 0)]);
        let taken = arrived(&[], &[(3, 4, 1)]).take(10);
        assert_eq!((read(&taken), said(&taken)), (vec![], vec![(3, 4, 0)]));
    }

    #[test]
    fn a_batch_that_cannot_be_read_is_rejected_and_what_follows_is_not() {
        let mut damaged = batch(2..4).to_vec();
        let last = damaged.len() - 2;
        damaged[last] ^= 1;
        let parts = [batch(0..2), damaged.into(), batch(4..5)];
        let mut arrived = arrived(&parts, &[(1, 2, 1), (3, 9, 2)]);
        let taken = arrived.take(10);
        assert_eq!(read(&taken), [(1, 1)]);
        assert_eq!(said(&taken), [(2, 2, 3), (3, 3, 3)]);
        let words = taken.error.unwrap().to_string();
        let start = "Record batch for partition t-0 at offset 2 is invalid, cause: stored crc";
        assert!(words.starts_with(start), "{words}");
        assert_eq!(read(&arrived.take(10)), [(4, 2)]);
    }
}

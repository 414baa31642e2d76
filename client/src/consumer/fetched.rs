//! Fetched bytes as the records that an application sees.
//!
//! Pure. Records are slices of what arrived, or of one decompressed batch; markers of transactions
//! and records below the position asked for are not among them. Answers to `CompletedFetch`.
//!
//! Unlike Kafka: batches of the formats before 0.11 are refused (docs/decisions/0385).

use std::sync::Arc;

use bytes::Bytes;
use protocol::batch::{
    BatchError, BatchView, Compression, ControlType, Record, Records, TimestampType, batches,
};

use super::aborted::AbortedTransactions;

/// Which partition of which topic.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TopicPartition {
    pub topic: Arc<str>,
    pub partition: i32,
}

impl TopicPartition {
    pub fn new(topic: impl Into<Arc<str>>, partition: i32) -> Self {
        Self { topic: topic.into(), partition }
    }
}

impl std::fmt::Display for TopicPartition {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}-{}", self.topic, self.partition)
    }
}

/// Why fetched bytes cannot be read further.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FetchedError {
    #[error(
        "Received exception when fetching the next record from {partition}. If needed, please seek \
         past the record to continue consumption."
    )]
    Batch { partition: TopicPartition, offset: i64, cause: BatchError },
    #[error(
        "Received exception when fetching the next record from {partition}. If needed, please seek \
         past the record to continue consumption."
    )]
    Decompression { partition: TopicPartition, offset: i64, cause: String },
}

/// What one fetch brought of one partition.
#[derive(Debug)]
pub struct Fetched {
    pub partition: TopicPartition,
    bytes: Bytes,
    /// Where the next batch begins.
    at: usize,
    /// The first offset that the application has not seen.
    position: i64,
    /// None for a reader of uncommitted records.
    aborted: Option<AbortedTransactions>,
    is_checking_crcs: bool,
    decompressed: Vec<u8>,
}

/// One batch, whose records the application sees.
#[derive(Debug)]
pub struct FetchedBatch<'a> {
    pub timestamp_type: TimestampType,
    pub leader_epoch: i32,
    from: i64,
    records: Records<'a>,
}

impl<'a> Iterator for FetchedBatch<'a> {
    type Item = Result<Record<'a>, BatchError>;

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        loop {
            match self.records.next()? {
                Ok(record) if record.offset < self.from => {}
                other => return Some(other),
            }
        }
    }
}

impl Fetched {
    pub(super) fn new(
        partition: TopicPartition,
        bytes: Bytes,
        position: i64,
        aborted: Option<AbortedTransactions>,
        is_checking_crcs: bool,
    ) -> Self {
        let decompressed = Vec::new();
        Self { partition, bytes, at: 0, position, aborted, is_checking_crcs, decompressed }
    }

    /// The offset behind the last complete batch; `position` where there is none.
    pub(super) fn end(bytes: &[u8], position: i64) -> (i64, i32) {
        let complete = batches(bytes).map_while(Result::ok);
        let last =
            complete.last().map(|batch| (batch.next_offset(), batch.partition_leader_epoch()));
        last.unwrap_or((position, -1))
    }

    /// The first offset that was not handed out.
    pub fn position(&self) -> i64 {
        self.position
    }

    /// The next batch that has records for the application, or nothing at the end.
    pub fn next_batch(&mut self) -> Result<Option<FetchedBatch<'_>>, FetchedError> {
        let Some((start, end)) = self.next_visible()? else { return Ok(None) };
        let failed = |cause| FetchedError::Batch {
            partition: self.partition.clone(),
            offset: self.position,
            cause,
        };
        let bytes = self.bytes.get(start..end).unwrap_or_default();
        let batch = BatchView::parse(bytes).map_err(failed)?;
        let (timestamp_type, leader_epoch) =
            (batch.timestamp_type(), batch.partition_leader_epoch());
        let compression = batch.compression().map_err(failed)?;
        let from = self.position;
        let records = match compression {
            Compression::None => batch.records().map_err(failed)?,
            codec => {
                let payload = compression::decompress(codec, batch.payload());
                self.decompressed = payload.map_err(|error| FetchedError::Decompression {
                    partition: self.partition.clone(),
                    offset: from,
                    cause: error.to_string(),
                })?;
                Records::new(&batch.header_copy(), &self.decompressed).map_err(failed)?
            }
        };
        self.position = batch.next_offset();
        Ok(Some(FetchedBatch { timestamp_type, leader_epoch, from, records }))
    }

    /// Steps over batches that hold nothing for the application: where the next one lies.
    fn next_visible(&mut self) -> Result<Option<(usize, usize)>, FetchedError> {
        loop {
            let rest = self.bytes.get(self.at..).unwrap_or_default();
            let failed = |cause| FetchedError::Batch {
                partition: self.partition.clone(),
                offset: self.position,
                cause,
            };
            let Some(batch) = batches(rest).next().transpose().map_err(failed)? else {
                return Ok(None);
            };
            let start = self.at;
            self.at += batch.len();
            if self.is_checking_crcs {
                batch.verify_crc().map_err(failed)?;
            }
            if batch.is_control() {
                if let Some(aborted) = &mut self.aborted
                    && is_abort_marker(&batch)
                {
                    aborted.ended(batch.producer_id());
                }
                self.position = self.position.max(batch.next_offset());
                continue;
            }
            let is_aborted = batch.is_transactional()
                && self.aborted.as_mut().is_some_and(|aborted| {
                    aborted.is_aborted(batch.producer_id(), batch.last_offset())
                });
            if is_aborted || batch.next_offset() <= self.position {
                self.position = self.position.max(batch.next_offset());
                continue;
            }
            return Ok(Some((start, self.at)));
        }
    }
}

fn is_abort_marker(batch: &BatchView<'_>) -> bool {
    let Ok(mut records) = batch.records() else { return false };
    let Some(Ok(record)) = records.next() else { return false };
    record.key.and_then(ControlType::from_key) == Some(ControlType::Abort)
}

#[cfg(test)]
mod tests {
    use bytes::{BufMut, BytesMut};
    use protocol::batch::BatchBuilder;

    use super::super::aborted::AbortedTransaction;
    use super::*;

    /// A batch of so many records from this offset on, of a producer's transaction or of none.
    fn batch(offset: i64, count: i64, producer: Option<i64>) -> Bytes {
        let mut builder = BatchBuilder::new(offset);
        if let Some(id) = producer {
            builder = builder.producer(id, 0, 0).transactional();
        }
        for at in offset..offset + count {
            builder.append(7, None, Some(at.to_string().as_bytes()));
        }
        builder.build()
    }

    fn marker(offset: i64, producer: i64, kind: ControlType) -> Bytes {
        let mut builder = BatchBuilder::new(offset).producer(producer, 0, -1).transactional();
        builder.append_control(7, kind, &[0; 6]);
        builder.build()
    }

    fn read(fetched: &mut Fetched) -> Vec<i64> {
        let mut offsets = Vec::new();
        while let Some(batch) = fetched.next_batch().unwrap() {
            offsets.extend(batch.map(|record| record.unwrap().offset));
        }
        offsets
    }

    fn fetched(parts: &[Bytes], position: i64, aborted: Option<Vec<(i64, i64)>>) -> Fetched {
        let mut bytes = BytesMut::new();
        parts.iter().for_each(|part| bytes.put_slice(part));
        let aborted = aborted.map(|aborted| {
            let named =
                |(producer_id, first_offset)| AbortedTransaction { producer_id, first_offset };
            AbortedTransactions::new(aborted.into_iter().map(named).collect())
        });
        Fetched::new(TopicPartition::new("t", 0), bytes.freeze(), position, aborted, true)
    }

    #[test]
    fn records_below_the_position_and_control_records_are_not_seen() {
        let parts = [batch(0, 3, None), marker(3, 9, ControlType::Commit), batch(4, 2, None)];
        let bytes = parts.concat();
        assert_eq!(Fetched::end(&bytes, 1), (6, -1));
        assert_eq!(Fetched::end(&bytes[..bytes.len() - 1], 1), (4, -1), "the last is cut short");
        assert_eq!(read(&mut fetched(&parts, 1, None)), [1, 2, 4, 5]);
        assert_eq!(read(&mut fetched(&parts, 4, None)), [4, 5]);
    }

    #[test]
    fn a_reader_of_committed_records_passes_over_what_was_aborted() {
        let parts = [
            batch(0, 2, Some(1)),
            batch(2, 2, Some(2)),
            marker(4, 1, ControlType::Abort),
            marker(5, 2, ControlType::Commit),
            batch(6, 1, Some(1)),
        ];
        assert_eq!(read(&mut fetched(&parts, 0, None)), [0, 1, 2, 3, 6]);
        assert_eq!(read(&mut fetched(&parts, 0, Some(vec![(1, 0)]))), [2, 3, 6]);
    }

    #[test]
    fn damage_is_an_error_once_it_is_reached_and_only_where_checks_are_asked_for() {
        let mut bytes = [batch(0, 1, None), batch(1, 1, None)].concat();
        let last = bytes.len() - 2;
        bytes[last] ^= 1;
        let of = |is_checking| {
            let bytes = Bytes::copy_from_slice(&bytes);
            Fetched::new(TopicPartition::new("t", 0), bytes, 0, None, is_checking)
        };
        let mut checked = of(true);
        assert!(checked.next_batch().unwrap().is_some());
        let refused = checked.next_batch().unwrap_err();
        let words = "Received exception when fetching the next record from t-0. If needed, please \
                     seek past the record to continue consumption.";
        assert_eq!(refused.to_string(), words);
        assert_eq!(read(&mut of(false)), [0, 1]);
    }

    #[test]
    fn compressed_batches_of_every_codec_are_read() {
        let plain = batch(10, 5, None);
        let view = BatchView::parse(&plain).unwrap();
        for codec in [Compression::Gzip, Compression::Snappy, Compression::Lz4, Compression::Zstd] {
            let payload = compression::compress(codec, view.payload()).unwrap();
            let mut raw = *view.header_copy().as_bytes();
            raw[22] |= codec.id();
            let length = i32::try_from(protocol::batch::HEADER_LEN - 12 + payload.len()).unwrap();
            raw[8..12].copy_from_slice(&length.to_be_bytes());
            let mut header = protocol::batch::BatchHeader::from_bytes(raw);
            header.seal(&payload);
            let bytes = Bytes::from([&header.as_bytes()[..], &payload].concat());
            assert_eq!(read(&mut fetched(&[bytes], 11, None)), [11, 12, 13, 14], "{codec:?}");
        }
    }
}

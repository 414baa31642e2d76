//! Produce requests built before the clock starts; a run patches the correlation id and nothing
//! else.
//!
//! The batches of a topic's partitions are spread over a few different frames, so that the broker
//! reads memory that is not already in its nearest cache.

use bytes::Bytes;
use protocol::messages::{ProduceRequest, produce_request};

use super::BenchError;
use super::batches::{BatchShape, now_ms};
use super::wire::{CORRELATION_AT, PRODUCE_VERSION, encode, topic_name};

/// Which answer is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asked {
    Produce,
    OffsetCommit,
}

#[derive(Clone, Debug)]
pub struct Frame {
    pub asked: Asked,
    pub bytes: Vec<u8>,
    pub payload_bytes: u64,
    pub records: u64,
}

impl Frame {
    pub fn stamp(&mut self, correlation_id: i32) {
        self.bytes[CORRELATION_AT..CORRELATION_AT + 4]
            .copy_from_slice(&correlation_id.to_be_bytes());
    }
}

/// The requests of one producer.
#[derive(Clone, Debug)]
pub struct RequestShape {
    pub topic: String,
    pub partitions: i32,
    /// How many partitions one request carries a batch for: all of them, or one in rotation.
    pub partitions_per_request: i32,
    pub batch: BatchShape,
    pub acks: i16,
}

impl RequestShape {
    /// `distinct` requests with different contents; with fewer partitions a request than the topic
    /// has, as many as it takes to visit each.
    pub fn build(&self, distinct: i32) -> Result<Vec<Frame>, BenchError> {
        let per_request = self.partitions_per_request.clamp(1, self.partitions);
        let now_ms = now_ms();
        let requests = distinct.max(self.partitions / per_request);
        (0..requests).map(|index| self.frame(index, per_request, now_ms)).collect()
    }

    fn frame(&self, index: i32, per_request: i32, now_ms: i64) -> Result<Frame, BenchError> {
        let mut partitions = Vec::with_capacity(per_request as usize);
        for slot in 0..per_request {
            let partition = (index * per_request + slot) % self.partitions;
            let seed = (index as u64) << 32 | (slot as u64) << 1 | 1;
            let batch = self.batch.build(now_ms, seed.wrapping_mul(0x9e37_79b9_7f4a_7c15))?;
            partitions.push(
                produce_request::PartitionProduceData::default()
                    .with_index(partition)
                    .with_records(Some(Bytes::from(batch))),
            );
        }
        let topic = produce_request::TopicProduceData::default()
            .with_name(topic_name(&self.topic))
            .with_partition_data(partitions);
        let request = ProduceRequest::default()
            .with_acks(self.acks)
            .with_timeout_ms(30_000)
            .with_topic_data(vec![topic]);
        Ok(Frame {
            asked: Asked::Produce,
            bytes: encode(0, PRODUCE_VERSION, &request)?,
            payload_bytes: self.batch.payload_bytes() * per_request as u64,
            records: u64::from(self.batch.records) * per_request as u64,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::batches::Codec;
    use super::*;

    #[test]
    fn requests_of_one_partition_visit_every_partition() {
        let shape = RequestShape {
            topic: "t".to_owned(),
            partitions: 8,
            partitions_per_request: 1,
            batch: BatchShape { records: 1, value_bytes: 100, codec: Codec::None },
            acks: 1,
        };
        let frames = shape.build(1).unwrap();
        assert_eq!(frames.len(), 8);
        assert!(frames.iter().all(|frame| frame.payload_bytes == 100 && frame.records == 1));
        assert!(frames.windows(2).all(|pair| pair[0].bytes != pair[1].bytes));
    }

    #[test]
    fn a_stamp_changes_the_correlation_id_alone() {
        let shape = RequestShape {
            topic: "t".to_owned(),
            partitions: 1,
            partitions_per_request: 1,
            batch: BatchShape { records: 1, value_bytes: 10, codec: Codec::None },
            acks: -1,
        };
        let mut frames = shape.build(1).unwrap();
        let before = frames[0].bytes.clone();
        frames[0].stamp(0x0102_0304);
        assert_eq!(frames[0].bytes[8..12], [1, 2, 3, 4]);
        assert_eq!(frames[0].bytes[..8], before[..8]);
        assert_eq!(frames[0].bytes[12..], before[12..]);
    }
}

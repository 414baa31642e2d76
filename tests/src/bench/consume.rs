//! A consumer that reads a topic to its end: one Fetch in flight, at most 1 MiB a partition.
//!
//! Answers are read into one buffer that is used again, and walked by batch headers: every offset
//! from 0 to the end must be covered once, in order. Records are not taken apart; the batches were
//! built here and brokers store them as they came.
//!
//! ```text
//! Fetch 12 answer: id, tags | throttle i32, error i16, session i32 | [topic, [partition i32,
//! error i16, high watermark i64, stable i64, start i64, [aborted], replica i32, records, tags],
//! tags]
//! ```

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use protocol::messages::{FetchRequest, fetch_request};

use super::BenchError;
use super::latency::Latencies;
use super::produce::{Moved, Peer};
use super::wire::{Connection, FETCH_VERSION, encode, refuse_unless_zero, topic_name};

pub const PARTITION_FETCH_BYTES: i32 = 1024 * 1024;
/// Above what eight partitions give, so that the limit of the whole answer never acts.
const FETCH_BYTES: i32 = 50 * 1024 * 1024;

#[derive(Clone, Debug)]
pub struct ConsumeRun {
    pub address: SocketAddr,
    pub peer: Peer,
    pub topic: String,
    pub partitions: i32,
    pub value_bytes: u64,
    /// Of the floor alone, which has no offsets: how much to fetch.
    pub payload_bytes: u64,
    pub limit: Duration,
}

impl ConsumeRun {
    pub fn run(&self) -> Result<Moved, BenchError> {
        match self.peer {
            Peer::Kafka => self.fetch_topic(),
            Peer::Floor => self.fetch_floor(),
        }
    }

    fn fetch_topic(&self) -> Result<Moved, BenchError> {
        let mut connection = Connection::open(self.address)?;
        let ends = connection.end_offsets(&self.topic, self.partitions)?;
        let mut positions = vec![0_i64; ends.len()];
        let mut body = Vec::with_capacity(FETCH_BYTES as usize / 4);
        let mut latencies = Latencies::default();
        let mut moved = Moved::default();
        let began = Instant::now();
        while positions != ends {
            let request = self.request(&positions, &ends);
            let sent_at = Instant::now();
            connection.send(&encode(moved.requests as i32, FETCH_VERSION, &request)?)?;
            connection.receive(&mut body)?;
            latencies.record(sent_at.elapsed());
            moved.requests += 1;
            moved.records += walk(&body, &mut positions)?;
            if began.elapsed() > self.limit {
                return Err(BenchError::TooSlow("consuming a topic"));
            }
        }
        moved.seconds = began.elapsed().as_secs_f64();
        moved.payload_bytes = moved.records * self.value_bytes;
        moved.latency = latencies.percentiles();
        Ok(moved)
    }

    /// The same questions in number and size of answers, to a peer that reads nothing of them.
    fn fetch_floor(&self) -> Result<Moved, BenchError> {
        let mut connection = Connection::open(self.address)?;
        let positions = vec![0_i64; self.partitions as usize];
        let request = self.request(&positions, &vec![1; positions.len()]);
        let mut body = Vec::with_capacity(FETCH_BYTES as usize / 4);
        let mut latencies = Latencies::default();
        let mut moved = Moved::default();
        let began = Instant::now();
        while moved.payload_bytes < self.payload_bytes {
            let sent_at = Instant::now();
            connection.send(&encode(moved.requests as i32, FETCH_VERSION, &request)?)?;
            connection.receive(&mut body)?;
            latencies.record(sent_at.elapsed());
            moved.requests += 1;
            moved.payload_bytes += body.len() as u64;
        }
        moved.seconds = began.elapsed().as_secs_f64();
        moved.latency = latencies.percentiles();
        Ok(moved)
    }

    /// Asks for the partitions that have more; without a session, as each names what it wants.
    fn request(&self, positions: &[i64], ends: &[i64]) -> FetchRequest {
        let unread = (0..).zip(positions.iter().zip(ends)).filter(|(_, (at, end))| at < end);
        let partitions = unread
            .map(|(index, (at, _))| {
                fetch_request::FetchPartition::default()
                    .with_partition(index)
                    .with_fetch_offset(*at)
                    .with_partition_max_bytes(PARTITION_FETCH_BYTES)
            })
            .collect();
        let topic = fetch_request::FetchTopic::default()
            .with_topic(topic_name(&self.topic))
            .with_partitions(partitions);
        FetchRequest::default()
            .with_max_wait_ms(500)
            .with_min_bytes(1)
            .with_max_bytes(FETCH_BYTES)
            .with_session_epoch(-1)
            .with_topics(vec![topic])
    }
}

/// Moves the positions over the batches of an answer; gives how many records they hold.
fn walk(body: &[u8], positions: &mut [i64]) -> Result<u64, BenchError> {
    let mut reader = Reader(body);
    reader.skip(4)?;
    reader.tags()?;
    reader.skip(4)?;
    refuse_unless_zero("Fetch", reader.i16()?)?;
    reader.skip(4)?;
    let mut records = 0;
    for _ in 0..reader.count()? {
        let name = reader.count()?;
        reader.skip(name)?;
        for _ in 0..reader.count()? {
            let partition = reader.i32()?;
            refuse_unless_zero("Fetch", reader.i16()?)?;
            reader.skip(24)?;
            for _ in 0..reader.count()? {
                reader.skip(16)?;
                reader.tags()?;
            }
            reader.skip(4)?;
            let length = reader.count()?;
            let batches = reader.take(length)?;
            reader.tags()?;
            let position = positions.get_mut(partition as usize);
            let position = position.ok_or_else(|| garbled("an unknown partition"))?;
            records += advance(batches, position)?;
        }
        reader.tags()?;
    }
    Ok(records)
}

/// The last batch may be cut off: it comes whole with the next answer.
fn advance(mut batches: &[u8], position: &mut i64) -> Result<u64, BenchError> {
    let mut records = 0;
    while batches.len() >= 61 {
        let mut header = Reader(batches);
        let base_offset = header.i64()?;
        let length = 12 + header.i32()? as usize;
        if batches.len() < length {
            break;
        }
        header.skip(11)?;
        let last_offset_delta = i64::from(header.i32()?);
        if base_offset != *position {
            return Err(garbled(&format!("offset {base_offset} where {position} was due")));
        }
        *position = base_offset + last_offset_delta + 1;
        records += last_offset_delta as u64 + 1;
        batches = &batches[length..];
    }
    Ok(records)
}

fn garbled(why: &str) -> BenchError {
    BenchError::Garbled { api: "Fetch", why: why.to_owned() }
}

struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn take(&mut self, bytes: usize) -> Result<&'a [u8], BenchError> {
        let (taken, rest) = self.0.split_at_checked(bytes).ok_or_else(|| garbled("it is short"))?;
        self.0 = rest;
        Ok(taken)
    }

    fn skip(&mut self, bytes: usize) -> Result<(), BenchError> {
        self.take(bytes).map(|_| ())
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], BenchError> {
        let (taken, rest) = self.0.split_first_chunk().ok_or_else(|| garbled("it is short"))?;
        self.0 = rest;
        Ok(*taken)
    }

    fn i16(&mut self) -> Result<i16, BenchError> {
        self.array().map(i16::from_be_bytes)
    }

    fn i32(&mut self) -> Result<i32, BenchError> {
        self.array().map(i32::from_be_bytes)
    }

    fn i64(&mut self) -> Result<i64, BenchError> {
        self.array().map(i64::from_be_bytes)
    }

    fn varint(&mut self) -> Result<usize, BenchError> {
        let mut value = 0;
        for shift in [0, 7, 14, 21, 28] {
            let [byte] = self.array()?;
            value |= usize::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Ok(value);
            }
        }
        Err(garbled("a varint does not end"))
    }

    /// A compact length: one more than it counts, null as nothing.
    fn count(&mut self) -> Result<usize, BenchError> {
        Ok(self.varint()?.saturating_sub(1))
    }

    fn tags(&mut self) -> Result<(), BenchError> {
        for _ in 0..self.varint()? {
            self.varint()?;
            let length = self.varint()?;
            self.skip(length)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::batches::{BatchShape, Codec};
    use super::*;
    use bytes::{Bytes, BytesMut};
    use protocol::messages::{FetchResponse, ResponseHeader, fetch_response};
    use protocol::wire::{Encodable, HeaderVersion};

    fn answer(records: Vec<u8>) -> Vec<u8> {
        let partition = fetch_response::PartitionData::default()
            .with_partition_index(1)
            .with_aborted_transactions(Some(vec![<_>::default()]))
            .with_records(Some(Bytes::from(records)));
        let topic = fetch_response::FetchableTopicResponse::default()
            .with_topic(topic_name("t"))
            .with_partitions(vec![partition]);
        let answer = FetchResponse::default().with_responses(vec![topic]);
        let mut body = BytesMut::new();
        let version = FetchResponse::header_version(FETCH_VERSION);
        ResponseHeader::default().encode(&mut body, version).unwrap();
        answer.encode(&mut body, FETCH_VERSION).unwrap();
        body.to_vec()
    }

    #[test]
    fn whole_batches_move_the_position_and_a_cut_one_does_not() {
        let shape = BatchShape { records: 3, value_bytes: 10, codec: Codec::None };
        let first = shape.build(0, 1).unwrap();
        let mut second = first.clone();
        second[..8].copy_from_slice(&3_i64.to_be_bytes());
        let mut records = [first.clone(), second].concat();
        records.truncate(first.len() * 2 - 1);
        let mut positions = vec![0, 0];
        assert_eq!(walk(&answer(records), &mut positions).unwrap(), 3);
        assert_eq!(positions, [0, 3]);
    }

    #[test]
    fn a_gap_between_batches_is_an_error() {
        let shape = BatchShape { records: 3, value_bytes: 10, codec: Codec::None };
        let mut positions = vec![0, 1];
        assert!(walk(&answer(shape.build(0, 1).unwrap()), &mut positions).is_err());
    }
}

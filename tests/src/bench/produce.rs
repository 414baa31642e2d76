//! Producers that send as fast as the answers allow: a fixed number of requests in flight.
//!
//! One blocking thread a connection: it fills its window, waits for an answer, takes every further
//! answer that arrived with it, and fills again. That is what costs the machine least, so that the
//! broker has the rest. Every answer is read whole and must carry the id that is due and no error.

use std::collections::VecDeque;
use std::io::Read;
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use bytes::Bytes;
use protocol::messages::{OffsetCommitRequest, ProduceRequest};

use super::BenchError;
use super::frames::{Asked, Frame};
use super::latency::{Latencies, Percentiles};
use super::wire::{Connection, OFFSET_COMMIT_VERSION, PRODUCE_VERSION, decode, refuse_unless_zero};

/// Frames above this are sent by themselves instead of being gathered into one write.
const GATHERED_BYTES: usize = 64 * 1024;

/// Who answers: the floor gives fixed answers that carry nothing but the correlation id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Peer {
    Kafka,
    Floor,
}

#[derive(Clone, Debug)]
pub struct ProduceRun {
    pub address: SocketAddr,
    pub peer: Peer,
    pub frames: Vec<Frame>,
    pub connections: u64,
    pub in_flight: u64,
    pub requests: u64,
    pub limit: Duration,
}

/// What a run moved, on the client's side.
#[derive(Clone, Debug, Default, serde::Serialize)]
pub struct Moved {
    pub payload_bytes: u64,
    pub records: u64,
    pub requests: u64,
    pub seconds: f64,
    pub latency: Percentiles,
}

#[derive(Default)]
struct Part {
    payload_bytes: u64,
    records: u64,
    latencies: Latencies,
}

impl ProduceRun {
    /// Sends all requests; connections are open before the clock starts.
    pub fn run(&self) -> Result<Moved, BenchError> {
        let open = |_| Connection::open(self.address);
        let connections = (0..self.connections).map(open).collect::<Result<Vec<_>, _>>()?;
        let began = Instant::now();
        let parts = std::thread::scope(|scope| {
            let drive = |(index, connection)| scope.spawn(move || self.drive(index, connection));
            let drivers = (0..).zip(connections).map(drive).collect::<Vec<_>>();
            let join = |driver: std::thread::ScopedJoinHandle<'_, Result<Part, BenchError>>| {
                driver.join().unwrap_or_else(|_| Err(BenchError::Setup("a producer died".into())))
            };
            drivers.into_iter().map(join).collect::<Result<Vec<_>, _>>()
        })?;
        let mut moved = Moved { seconds: began.elapsed().as_secs_f64(), ..Moved::default() };
        let mut latencies = Latencies::with_capacity(self.requests as usize);
        for part in parts {
            moved.payload_bytes += part.payload_bytes;
            moved.records += part.records;
            latencies.merge(part.latencies);
        }
        moved.requests = self.requests;
        moved.latency = latencies.percentiles();
        Ok(moved)
    }

    /// One connection's share, starting at another frame than its neighbours.
    fn drive(&self, index: u64, mut connection: Connection) -> Result<Part, BenchError> {
        let mut frames = self.frames.clone();
        let spare = u64::from(index < self.requests % self.connections);
        let requests = self.requests / self.connections + spare;
        let deadline = Instant::now() + self.limit;
        let mut part =
            Part { latencies: Latencies::with_capacity(requests as usize), ..<_>::default() };
        let mut stream = connection.stream().try_clone()?;
        let mut answers = Answers::new(self.peer, self.frames[0].asked);
        let mut sent_at = VecDeque::with_capacity(self.in_flight as usize);
        let mut gathered = Vec::new();
        let (mut sent, mut answered) = (0, 0);
        while answered < requests {
            while sent < requests && sent - answered < self.in_flight {
                let slot = (sent + index) as usize % frames.len();
                let frame = &mut frames[slot];
                frame.stamp(sent as i32);
                part.payload_bytes += frame.payload_bytes;
                part.records += frame.records;
                sent_at.push_back(Instant::now());
                sent += 1;
                if frame.bytes.len() > GATHERED_BYTES {
                    connection.send(&frame.bytes)?;
                } else {
                    gathered.extend_from_slice(&frame.bytes);
                }
            }
            if !gathered.is_empty() {
                connection.send(&gathered)?;
                gathered.clear();
            }
            let arrived = answers.wait(&mut stream, answered as i32)?;
            let now = Instant::now();
            for began in sent_at.drain(..arrived) {
                part.latencies.record(now - began);
            }
            answered += arrived as u64;
            if now > deadline {
                return Err(BenchError::TooSlow("a producer's share"));
            }
        }
        Ok(part)
    }
}

/// The answers of one connection, checked as they come.
pub struct Answers {
    peer: Peer,
    asked: Asked,
    buffer: Vec<u8>,
    start: usize,
    end: usize,
}

impl Answers {
    pub fn new(peer: Peer, asked: Asked) -> Self {
        Self { peer, asked, buffer: vec![0; 256 * 1024], start: 0, end: 0 }
    }

    /// Blocks for one answer; takes all that came with it. `due` is the id of the first.
    pub fn wait(&mut self, stream: &mut TcpStream, due: i32) -> Result<usize, BenchError> {
        let mut taken = 0;
        loop {
            while let Some(body) = self.next_body()? {
                let due = due.wrapping_add(taken as i32);
                self.check(&self.buffer[body], due)?;
                taken += 1;
            }
            if taken > 0 {
                return Ok(taken);
            }
            self.buffer.copy_within(self.start..self.end, 0);
            self.end -= self.start;
            self.start = 0;
            let read = stream.read(&mut self.buffer[self.end..])?;
            if read == 0 {
                let status = "it closed the connection".to_owned();
                return Err(BenchError::Ended { what: "the broker".to_owned(), status });
            }
            self.end += read;
        }
    }

    fn check(&self, body: &[u8], due: i32) -> Result<(), BenchError> {
        let id = body.first_chunk::<4>().map(|id| i32::from_be_bytes(*id));
        if id != Some(due) {
            let why = format!("answer {id:?} where {due} was due");
            return Err(BenchError::Garbled { api: "Produce", why });
        }
        match (self.peer, self.asked) {
            (Peer::Floor, _) => Ok(()),
            (Peer::Kafka, Asked::Produce) => check_produced(Bytes::copy_from_slice(body)),
            (Peer::Kafka, Asked::OffsetCommit) => check_committed(Bytes::copy_from_slice(body)),
        }
    }

    fn next_body(&mut self) -> Result<Option<std::ops::Range<usize>>, BenchError> {
        let Some((length, _)) = self.buffer[self.start..self.end].split_first_chunk::<4>() else {
            return Ok(None);
        };
        let length = i32::from_be_bytes(*length);
        let body = self.start + 4..self.start + 4 + length.max(0) as usize;
        if length < 4 || body.len() + 4 > self.buffer.len() {
            let why = format!("length {length}");
            return Err(BenchError::Garbled { api: "Produce", why });
        }
        if body.end > self.end {
            return Ok(None);
        }
        self.start = body.end;
        Ok(Some(body))
    }
}

fn check_produced(body: Bytes) -> Result<(), BenchError> {
    let answer = decode::<ProduceRequest>("Produce", PRODUCE_VERSION, body)?;
    let mut partitions = answer.responses.iter().flat_map(|topic| &topic.partition_responses);
    partitions.try_for_each(|partition| refuse_unless_zero("Produce", partition.error_code))
}

fn check_committed(body: Bytes) -> Result<(), BenchError> {
    let answer = decode::<OffsetCommitRequest>("OffsetCommit", OFFSET_COMMIT_VERSION, body)?;
    let mut partitions = answer.topics.iter().flat_map(|topic| &topic.partitions);
    partitions.try_for_each(|partition| refuse_unless_zero("OffsetCommit", partition.error_code))
}

//! The cases, and one measurement: a subject under one case.
//!
//! Every case runs on a new topic, after a warm-up of the same kind (a quarter of the payload, at
//! least half a gigabyte), with dirty pages written back before the clock starts.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use super::BenchError;
use super::batches::{BatchShape, Codec};
use super::consume::ConsumeRun;
use super::floor::fill;
use super::frames::{Frame, RequestShape};
use super::groups;
use super::process::{cpu_seconds, resident_bytes};
use super::produce::{Moved, Peer, ProduceRun};
use super::rate::RateRun;
use super::start::write_one;
use super::wire::Connection;

pub const PARTITIONS: i32 = 8;
const TOPIC: &str = "bench";
/// No part of a run may take longer.
const LIMIT: Duration = Duration::from_secs(300);

/// How much each case moves.
#[derive(Clone, Copy, Debug)]
pub struct Volume {
    pub payload_bytes: u64,
    pub small_requests: u64,
    pub rate_seconds: u32,
}

impl Volume {
    pub const FULL: Self =
        Self { payload_bytes: 3_000_000_000, small_requests: 200_000, rate_seconds: 30 };
    pub const QUICK: Self =
        Self { payload_bytes: 500_000_000, small_requests: 40_000, rate_seconds: 8 };

    fn warm_up(self) -> Self {
        Self {
            payload_bytes: (self.payload_bytes / 4).max(500_000_000),
            small_requests: (self.small_requests / 4).max(30_000),
            rate_seconds: self.rate_seconds / 4,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Load {
    /// Requests with a batch for each partition, as fast as five in flight allow.
    Bulk { value_bytes: usize, records_per_batch: u32, codec: Codec, acks: i16 },
    /// One record of 100 bytes a request.
    Small { connections: u64, in_flight: u64 },
    /// Reads a topic of 1000-byte records to its end.
    Consume,
    /// An offset for each partition a request, of sixteen groups in turn, five in flight.
    Commit,
    /// Requests of 20 records of 1000 bytes, a thousand a second.
    Rate { acks: i16 },
}

#[derive(Clone, Copy, Debug)]
pub struct Case {
    pub key: &'static str,
    pub title: &'static str,
    pub load: Load,
    /// What the floor does must be all that a broker has to do; not so where it decompresses.
    pub has_floor: bool,
}

const fn bulk(value_bytes: usize, records_per_batch: u32, codec: Codec, acks: i16) -> Load {
    Load::Bulk { value_bytes, records_per_batch, codec, acks }
}

const fn case(key: &'static str, title: &'static str, load: Load) -> Case {
    Case { key, title, load, has_floor: true }
}

/// About a megabyte a request over eight partitions; 100-byte records in batches as a linger of
/// 5 ms makes them at 100 MB/s.
pub const CASES: [Case; 11] = [
    case("acks1", "produce 1000 B, acks=1", bulk(1000, 124, Codec::None, 1)),
    case("acksall", "produce 1000 B, acks=all", bulk(1000, 124, Codec::None, -1)),
    case("b100", "produce 100 B, acks=all, linger 5", bulk(100, 600, Codec::None, -1)),
    Case { has_floor: false, ..case("lz4", "produce 1000 B lz4", bulk(1000, 124, Codec::Lz4, 1)) },
    case("small5", "100 B a request, 5 in flight", Load::Small { connections: 1, in_flight: 5 }),
    case("small64", "100 B a request, 64 in flight", Load::Small { connections: 1, in_flight: 64 }),
    case(
        "pingpong",
        "100 B a request, 16 connections",
        Load::Small { connections: 16, in_flight: 1 },
    ),
    case("consume", "consume 1000 B", Load::Consume),
    Case { has_floor: false, ..case("commit", "OffsetCommit, 8 partitions", Load::Commit) },
    case("rate1", "20 MB/s of 1000 B, acks=1", Load::Rate { acks: 1 }),
    case("rateall", "20 MB/s of 1000 B, acks=all", Load::Rate { acks: -1 }),
];

/// A process under load.
#[derive(Clone, Debug)]
pub struct Subject {
    pub name: &'static str,
    pub peer: Peer,
    pub address: SocketAddr,
    pub pid: u32,
    /// On the file system of its data; used and emptied before a run.
    pub scratch: PathBuf,
}

impl Subject {
    /// On a virtual machine the first touch of a page costs four times what the next does, because
    /// its host has to find memory too; and hosts take back what lies free for seconds. So as many
    /// pages as the run will need are used and freed right before it, for every subject alike.
    fn touch_memory(&self, bytes: u64) -> Result<(), BenchError> {
        fill(&self.scratch, bytes)?;
        Ok(std::fs::remove_dir_all(&self.scratch)?)
    }
}

#[derive(Clone, Debug, serde::Serialize)]
pub struct Measurement {
    pub case: &'static str,
    pub subject: &'static str,
    pub cpu_seconds: f64,
    pub resident_bytes: u64,
    pub moved: Moved,
}

impl Load {
    /// Whether a request is what costs, and not its bytes.
    pub fn is_by_request(self) -> bool {
        matches!(self, Self::Small { .. } | Self::Commit)
    }
}

impl Measurement {
    pub fn cpu_seconds_per_gb(&self) -> f64 {
        self.cpu_seconds * 1e9 / self.moved.payload_bytes as f64
    }

    pub fn cpu_micros_per_request(&self) -> f64 {
        self.cpu_seconds * 1e6 / self.moved.requests as f64
    }

    pub fn megabytes_per_second(&self) -> f64 {
        self.moved.payload_bytes as f64 / 1e6 / self.moved.seconds
    }
}

impl Case {
    pub fn measure(&self, subject: &Subject, volume: Volume) -> Result<Measurement, BenchError> {
        if subject.peer == Peer::Floor {
            return self.measure_on_topic(subject, volume);
        }
        let mut connection = Connection::open(subject.address)?;
        connection.create_topic(TOPIC, PARTITIONS)?;
        wait_until_written(&mut connection)?;
        if self.load == Load::Commit {
            groups::wait_for_coordinator(&mut connection)?;
        }
        let measured = self.measure_on_topic(subject, volume);
        connection.delete_topic(TOPIC)?;
        measured
    }

    fn measure_on_topic(
        &self,
        subject: &Subject,
        volume: Volume,
    ) -> Result<Measurement, BenchError> {
        if self.load == Load::Consume && subject.peer == Peer::Kafka {
            let filled = bulk(1000, 124, Codec::None, 1);
            run(filled, subject, volume)?;
        }
        run(self.load, subject, volume.warm_up())?;
        rustix::fs::sync();
        if matches!(self.load, Load::Bulk { .. }) {
            subject.touch_memory(volume.payload_bytes + volume.payload_bytes / 4)?;
        }
        let before = cpu_seconds(subject.pid)?;
        let moved = run(self.load, subject, volume)?;
        Ok(Measurement {
            case: self.key,
            subject: subject.name,
            cpu_seconds: cpu_seconds(subject.pid)? - before,
            resident_bytes: resident_bytes(subject.pid)?,
            moved,
        })
    }
}

/// Metadata may name leaders that do not take writes yet: one record into each partition proves it.
fn wait_until_written(connection: &mut Connection) -> Result<(), BenchError> {
    let all = (0..PARTITIONS).collect::<Vec<_>>();
    let deadline = Instant::now() + Duration::from_secs(30);
    while write_one(connection, TOPIC, &all)? < all.len() {
        if Instant::now() > deadline {
            return Err(BenchError::TooSlow("electing leaders of a new topic"));
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    Ok(())
}

fn run(load: Load, subject: &Subject, volume: Volume) -> Result<Moved, BenchError> {
    let Subject { peer, address, .. } = *subject;
    match load {
        Load::Consume => ConsumeRun {
            address,
            peer,
            topic: TOPIC.to_owned(),
            partitions: PARTITIONS,
            value_bytes: 1000,
            payload_bytes: volume.payload_bytes,
            limit: LIMIT,
        }
        .run(),
        Load::Rate { acks } => RateRun {
            address,
            peer,
            frames: frames(1, 20, 1000, Codec::None, acks)?,
            requests_per_second: 1000,
            seconds: volume.rate_seconds,
        }
        .run(),
        Load::Bulk { value_bytes, records_per_batch, codec, acks } => {
            let frames = frames(PARTITIONS, records_per_batch, value_bytes, codec, acks)?;
            let requests = volume.payload_bytes.div_ceil(frames[0].payload_bytes);
            produce(subject, frames, 1, 5, requests)
        }
        Load::Commit => {
            let frames = groups::frames(TOPIC, PARTITIONS, 16, 0)?;
            produce(subject, frames, 1, 5, volume.small_requests)
        }
        Load::Small { connections, in_flight } => {
            let frames = frames(1, 1, 100, Codec::None, 1)?;
            produce(subject, frames, connections, in_flight, volume.small_requests)
        }
    }
}

fn produce(
    subject: &Subject,
    frames: Vec<Frame>,
    connections: u64,
    in_flight: u64,
    requests: u64,
) -> Result<Moved, BenchError> {
    let Subject { peer, address, .. } = *subject;
    ProduceRun { address, peer, frames, connections, in_flight, requests, limit: LIMIT }.run()
}

fn frames(
    partitions_per_request: i32,
    records: u32,
    value_bytes: usize,
    codec: Codec,
    acks: i16,
) -> Result<Vec<Frame>, BenchError> {
    RequestShape {
        topic: TOPIC.to_owned(),
        partitions: PARTITIONS,
        partitions_per_request,
        batch: BatchShape { records, value_bytes, codec },
        acks,
    }
    .build(4)
}

//! The cases of a cluster: a producer or consumer for each broker, on a topic that it leads.
//!
//! Each topic has three partitions with three replicas; a run ends when every follower has all, so
//! that acks=1 pays for its replication too.

use std::time::{Duration, Instant};

use super::super::BenchError;
use super::super::batches::{BatchShape, Codec};
use super::super::consume::ConsumeRun;
use super::super::frames::{Frame, RequestShape};
use super::super::produce::{Moved, Peer, ProduceRun};
use super::super::wire::Connection;
use super::nodes::Nodes;
use super::report::Figure;

const PARTITIONS: i32 = 3;
const LIMIT: Duration = Duration::from_secs(300);

/// One case.
#[derive(Clone, Copy, Debug)]
pub struct Case {
    pub key: &'static str,
    pub title: &'static str,
    pub unit: &'static str,
    load: Load,
}

#[derive(Clone, Copy, Debug)]
enum Load {
    Bulk { value_bytes: usize, records_per_batch: u32, acks: i16 },
    Small { connections: u64, in_flight: u64 },
    Consume,
}

const fn bulk(value_bytes: usize, records_per_batch: u32, acks: i16) -> Load {
    Load::Bulk { value_bytes, records_per_batch, acks }
}

pub const CASES: [Case; 6] = [
    Case { key: "acks1", title: "produce 1000 B, acks=1", unit: "s/GB", load: bulk(1000, 330, 1) },
    Case {
        key: "acksall",
        title: "produce 1000 B, acks=all",
        unit: "s/GB",
        load: bulk(1000, 330, -1),
    },
    Case { key: "b100", title: "produce 100 B, acks=all", unit: "s/GB", load: bulk(100, 1600, -1) },
    Case {
        key: "small5",
        title: "one 100 B record a request, acks=all, 5 in flight",
        unit: "µs/request",
        load: Load::Small { connections: 1, in_flight: 5 },
    },
    Case {
        key: "pingpong",
        title: "one 100 B record a request, acks=all, 5 connections",
        unit: "µs/request",
        load: Load::Small { connections: 5, in_flight: 1 },
    },
    Case { key: "consume", title: "consume 1000 B", unit: "s/GB", load: Load::Consume },
];

impl Case {
    /// One run: cost over all nodes, and how fast it went.
    pub fn measure(&self, nodes: &Nodes, is_quick: bool) -> Result<Vec<Figure>, BenchError> {
        let ids: Vec<i32> = nodes.view().brokers.iter().map(|(id, _)| *id).collect();
        let topics: Vec<String> = ids.iter().map(|id| format!("bench-{id}")).collect();
        for (at, topic) in topics.iter().enumerate() {
            let mut replicas = ids.clone();
            replicas.rotate_left(at);
            nodes.create_topic(topic, PARTITIONS, &replicas, &[])?;
        }
        for topic in &topics {
            nodes.wait_led(Some(topic), PARTITIONS as usize, ids.len())?;
        }
        let measured = self.measure_on(nodes, &topics, is_quick);
        for topic in &topics {
            nodes.connect()?.delete_topic(topic)?;
        }
        // Unlinking costs time that is not the next case's.
        std::thread::sleep(Duration::from_secs(if is_quick { 2 } else { 5 }));
        measured
    }

    fn measure_on(
        &self,
        nodes: &Nodes,
        topics: &[String],
        is_quick: bool,
    ) -> Result<Vec<Figure>, BenchError> {
        let (bytes, requests) =
            if is_quick { (3e8 as u64, 15_000) } else { (1_500_000_000, 90_000) };
        if matches!(self.load, Load::Consume) {
            run(bulk(1000, 330, 1), nodes, topics, bytes, requests)?;
            caught_up(nodes, topics)?;
        } else {
            run(self.load, nodes, topics, bytes / 3, requests / 3)?;
        }
        rustix::fs::sync();
        let before = nodes.cpu_seconds()?;
        let moved = run(self.load, nodes, topics, bytes, requests)?;
        caught_up(nodes, topics)?;
        let cpu = nodes.cpu_seconds()? - before;
        let seconds = moved.iter().map(|one| one.seconds).fold(0.0, f64::max);
        let bytes: u64 = moved.iter().map(|one| one.payload_bytes).sum();
        let requests: u64 = moved.iter().map(|one| one.requests).sum();
        let (title, unit) = (self.title, self.unit);
        if unit == "s/GB" {
            let rate =
                Figure::new(&format!("{title}: rate"), "MB/s", 0, bytes as f64 / 1e6 / seconds);
            return Ok(vec![Figure::new(title, unit, 2, cpu * 1e9 / bytes as f64), rate]);
        }
        let p99 = moved.iter().map(|one| one.latency.p99_us).max().unwrap_or_default();
        Ok(vec![
            Figure::new(title, unit, 1, cpu * 1e6 / requests as f64),
            Figure::new(&format!("{title}: p99"), "ms", 2, f64::from(p99) / 1000.0),
        ])
    }
}

/// All brokers at the same time, each its own share.
fn run(
    load: Load,
    nodes: &Nodes,
    topics: &[String],
    bytes: u64,
    requests: u64,
) -> Result<Vec<Moved>, BenchError> {
    let brokers: Vec<_> = nodes.brokers().collect();
    let share = brokers.len() as u64;
    std::thread::scope(|scope| {
        let started: Vec<_> = brokers
            .iter()
            .zip(topics)
            .map(|(node, topic)| {
                let address = node.address();
                scope.spawn(move || one(load, address, topic, bytes / share, requests / share))
            })
            .collect();
        let join = |thread: std::thread::ScopedJoinHandle<'_, Result<Moved, BenchError>>| {
            thread.join().unwrap_or_else(|_| Err(BenchError::Setup("a load died".into())))
        };
        started.into_iter().map(join).collect()
    })
}

fn one(
    load: Load,
    address: std::net::SocketAddr,
    topic: &str,
    bytes: u64,
    requests: u64,
) -> Result<Moved, BenchError> {
    let peer = Peer::Kafka;
    let frames = |records, value_bytes, per_request, acks| -> Result<Vec<Frame>, BenchError> {
        RequestShape {
            topic: topic.to_owned(),
            partitions: PARTITIONS,
            partitions_per_request: per_request,
            batch: BatchShape { records, value_bytes, codec: Codec::None },
            acks,
        }
        .build(4)
    };
    let (frames, connections, in_flight, requests) = match load {
        Load::Consume => {
            return ConsumeRun {
                address,
                peer,
                topic: topic.to_owned(),
                partitions: PARTITIONS,
                value_bytes: 1000,
                payload_bytes: bytes,
                limit: LIMIT,
            }
            .run();
        }
        Load::Bulk { value_bytes, records_per_batch, acks } => {
            let frames = frames(records_per_batch, value_bytes, PARTITIONS, acks)?;
            let requests = bytes.div_ceil(frames[0].payload_bytes);
            (frames, 1, 5, requests)
        }
        Load::Small { connections, in_flight } => {
            (frames(1, 100, 1, -1)?, connections, in_flight, requests)
        }
    };
    ProduceRun { address, peer, frames, connections, in_flight, requests, limit: LIMIT }.run()
}

/// Waits until what consumers may see has stopped growing: every follower has fetched all.
fn caught_up(nodes: &Nodes, topics: &[String]) -> Result<(), BenchError> {
    let began = Instant::now();
    for (node, topic) in nodes.brokers().zip(topics) {
        let mut connection = Connection::open(node.address())?;
        let (mut last, mut since) = (Vec::new(), Instant::now());
        while since.elapsed() < Duration::from_millis(50) {
            let ends = connection.end_offsets(topic, PARTITIONS)?;
            if ends != last {
                (last, since) = (ends, Instant::now());
            }
            if began.elapsed() > LIMIT {
                return Err(BenchError::TooSlow("replicating a topic"));
            }
            std::thread::sleep(Duration::from_millis(5));
        }
    }
    Ok(())
}

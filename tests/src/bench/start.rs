//! From exec to the first acknowledged Produce.
//!
//! The clock starts right before the process does; from then on a client knocks every 200
//! microseconds, asks for a topic (which creates it) and writes one record. Answers that say "not
//! yet" are asked again after half a millisecond.

use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use bytes::Bytes;
use protocol::messages::{ProduceRequest, produce_request};

use super::BenchError;
use super::batches::{BatchShape, Codec, now_ms};
use super::process::Server;
use super::wire::{Connection, PRODUCE_VERSION, led_partitions, topic_name};

const KNOCK_INTERVAL: Duration = Duration::from_micros(200);
const RETRY_INTERVAL: Duration = Duration::from_micros(500);

/// Times since exec.
#[derive(Clone, Copy, Debug, Default, serde::Serialize)]
pub struct StartTimes {
    pub connected_ms: f64,
    pub metadata_ms: f64,
    pub acknowledged_ms: f64,
}

/// Starts a broker and gives it back running.
pub fn start(
    name: &str,
    command: &mut Command,
    log: &Path,
    address: SocketAddr,
    limit: Duration,
) -> Result<(Server, StartTimes), BenchError> {
    // Somebody else's broker on the port would answer for the one that could not bind.
    drop(
        TcpListener::bind(address).map_err(|error| {
            BenchError::Setup(format!("the port of {address} is taken: {error}"))
        })?,
    );
    let began = Instant::now();
    let mut server = Server::start(name, command, log)?;
    let mut times = StartTimes::default();
    let mut connection = knock(&mut server, address, began, limit)?;
    times.connected_ms = millis(began);
    loop {
        match first_write(&mut connection, &mut times, began) {
            Ok(true) => return Ok((server, times)),
            Ok(false) => std::thread::sleep(RETRY_INTERVAL),
            // A listener may open before the broker serves, and close what it does not serve.
            Err(BenchError::Io(_)) => connection = knock(&mut server, address, began, limit)?,
            Err(error) => return Err(error),
        }
        server.check()?;
        if began.elapsed() > limit {
            return Err(BenchError::TooSlow("the start of a broker"));
        }
    }
}

fn knock(
    server: &mut Server,
    address: SocketAddr,
    began: Instant,
    limit: Duration,
) -> Result<Connection, BenchError> {
    loop {
        if let Ok(connection) = Connection::open(address) {
            return Ok(connection);
        }
        server.check()?;
        if began.elapsed() > limit {
            return Err(BenchError::TooSlow("the start of a broker"));
        }
        std::thread::sleep(KNOCK_INTERVAL);
    }
}

/// True when a record was acknowledged, false when the broker asks for patience.
fn first_write(
    connection: &mut Connection,
    times: &mut StartTimes,
    began: Instant,
) -> Result<bool, BenchError> {
    const TOPIC: &str = "first";
    let answer = connection.metadata(Some(TOPIC))?;
    if times.metadata_ms == 0.0 {
        times.metadata_ms = millis(began);
    }
    if led_partitions(&answer) == 0 {
        return Ok(false);
    }
    let acknowledged = write_one(connection, TOPIC, &[0])?;
    times.acknowledged_ms = millis(began);
    Ok(acknowledged == 1)
}

/// One record to each of the partitions in one request; gives how many were acknowledged.
pub fn write_one(
    connection: &mut Connection,
    topic: &str,
    partitions: &[i32],
) -> Result<usize, BenchError> {
    let batch = BatchShape { records: 1, value_bytes: 100, codec: Codec::None };
    let batch = Bytes::from(batch.build(now_ms(), 1)?);
    let data = partitions.iter().map(|index| {
        produce_request::PartitionProduceData::default()
            .with_index(*index)
            .with_records(Some(batch.clone()))
    });
    let topic = produce_request::TopicProduceData::default()
        .with_name(topic_name(topic))
        .with_partition_data(data.collect());
    let request = ProduceRequest::default()
        .with_acks(-1)
        .with_timeout_ms(30_000)
        .with_topic_data(vec![topic]);
    let answer = connection.call("Produce", PRODUCE_VERSION, &request)?;
    let partitions = answer.responses.iter().flat_map(|topic| &topic.partition_responses);
    Ok(partitions.filter(|partition| partition.error_code == 0).count())
}

fn millis(began: Instant) -> f64 {
    began.elapsed().as_secs_f64() * 1000.0
}

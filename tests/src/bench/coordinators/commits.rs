//! OffsetCommit: what a request costs and how long it takes.
//!
//! Sixteen groups without members, one partition a request, as consumers that commit at their own
//! pace send it: from sixteen connections, one request in flight on each; and pipelined by one
//! connection.

use std::time::Duration;

use super::super::BenchError;
use super::super::brokers::Node;
use super::super::groups;
use super::super::process::{Server, cpu_seconds};
use super::super::produce::{Moved, Peer, ProduceRun};
use super::super::several::report::Figure;
use super::super::wire::Connection;
use super::{Place, START_LIMIT, topics};

const TOPIC: &str = "committed";
const GROUPS: usize = 16;

pub fn measure(place: &Place) -> Result<Vec<Figure>, BenchError> {
    let requests = place.amount(200_000, 20_000);
    let node = place.node(&[])?;
    let (server, _) = node.start(START_LIMIT)?;
    topics::create(node.address(), TOPIC, 1, &[])?;
    groups::wait_for_coordinator(&mut Connection::open(node.address())?)?;
    let mut figures = Vec::new();
    for (title, connections, in_flight) in
        [("OffsetCommit, 16 connections", 16, 1), ("OffsetCommit, 1 connection, 5 in flight", 1, 5)]
    {
        run(&node, connections, in_flight, requests / 2)?;
        figures.extend(measure_one(&node, &server, title, connections, in_flight, requests)?);
    }
    Ok(figures)
}

fn measure_one(
    node: &Node,
    server: &Server,
    title: &str,
    connections: u64,
    in_flight: u64,
    requests: u64,
) -> Result<[Figure; 3], BenchError> {
    let before = cpu_seconds(server.pid())?;
    let moved = run(node, connections, in_flight, requests)?;
    let cpu = cpu_seconds(server.pid())? - before;
    let millis = |micros: u32| f64::from(micros) / 1000.0;
    Ok([
        Figure::new(title, "µs/request", 1, cpu * 1e6 / requests as f64),
        Figure::new(&format!("{title}: p50"), "ms", 3, millis(moved.latency.p50_us)),
        Figure::new(&format!("{title}: p99"), "ms", 3, millis(moved.latency.p99_us)),
    ])
}

fn run(node: &Node, connections: u64, in_flight: u64, requests: u64) -> Result<Moved, BenchError> {
    ProduceRun {
        address: node.address(),
        peer: Peer::Kafka,
        frames: groups::frames(TOPIC, 1, GROUPS, 0)?,
        connections,
        in_flight,
        requests,
        limit: Duration::from_secs(300),
    }
    .run()
}

//! A coordinator that starts with a great many commits behind it.
//!
//! 100,000 groups commit ten partitions ten times: ten million records of `__consumer_offsets` in
//! fifty partitions, of which a million still count. None of its segments is full, so that nothing
//! is compacted away. The node is stopped in order and started again; the load begins with exec and
//! ends when the coordinators of all fifty partitions answer OffsetFetch as it was committed last.

use std::time::{Duration, Instant};

use super::super::BenchError;
use super::super::brokers::Node;
use super::super::groups::{self, LOOKED_FOR, NOT_THERE_YET};
use super::super::process::{Server, cpu_seconds, resident_bytes};
use super::super::produce::{Peer, ProduceRun};
use super::super::several::report::Figure;
use super::super::wire::Connection;
use super::{Place, START_LIMIT, topics};

const TOPIC: &str = "committed";
const PARTITIONS: i32 = 10;
const ROUNDS: i64 = 10;
const LIMIT: Duration = Duration::from_secs(600);

pub fn measure(place: &Place) -> Result<Vec<Figure>, BenchError> {
    let groups = place.amount(100_000, 10_000);
    let node = place.node(&[])?;
    let (mut server, _) = node.start(START_LIMIT)?;
    topics::create(node.address(), TOPIC, PARTITIONS, &[])?;
    groups::wait_for_coordinator(&mut Connection::open(node.address())?)?;
    for round in 0..ROUNDS {
        commit(&node, groups, round)?;
    }
    server.stop_within(LIMIT)?;
    let log_bytes = offsets_log_bytes(&node)?;
    let began = Instant::now();
    let mut server = node.launch()?;
    let mut connection = connect(&node, &mut server, began)?;
    let last = groups - LOOKED_FOR..groups;
    wait_right(&mut connection, last.start, began)?;
    let first = began.elapsed().as_secs_f64();
    for group in last {
        wait_right(&mut connection, group, began)?;
    }
    let all = began.elapsed().as_secs_f64();
    let cpu = cpu_seconds(server.pid())?;
    let memory = resident_bytes(server.pid())?;
    let commits = groups as i64 * i64::from(PARTITIONS) * ROUNDS;
    let title =
        format!("{groups} groups, {commits} commits behind: exec to the first right offset");
    Ok(vec![
        Figure::new(&title, "s", 2, first),
        Figure::new("… to right offsets of groups in all 50 partitions", "s", 2, all),
        Figure::new("… CPU until then", "s", 2, cpu),
        Figure::mebibytes("… memory then", memory),
        Figure::mebibytes("… length of `__consumer_offsets`", log_bytes),
    ])
}

fn commit(node: &Node, groups: usize, round: i64) -> Result<(), BenchError> {
    let run = ProduceRun {
        address: node.address(),
        peer: Peer::Kafka,
        frames: groups::frames(TOPIC, PARTITIONS, groups, round)?,
        connections: 1,
        in_flight: 64,
        requests: groups as u64,
        limit: LIMIT,
    };
    run.run().map(drop)
}

fn connect(node: &Node, server: &mut Server, began: Instant) -> Result<Connection, BenchError> {
    loop {
        if let Ok(connection) = Connection::open(node.address()) {
            return Ok(connection);
        }
        server.check()?;
        pause(began)?;
    }
}

/// Asks until the answer is what the group committed last. Any other offset is a failure.
fn wait_right(connection: &mut Connection, group: usize, began: Instant) -> Result<(), BenchError> {
    loop {
        let answer = groups::committed(connection, group)?;
        match answer.error_code {
            0 => {
                let partitions = answer.topics.iter().flat_map(|topic| &topic.partitions);
                let is_right = |(at, offset): (usize, i64)| offset == ROUNDS - 1 + at as i64;
                let mut offsets: Vec<_> = partitions
                    .map(|one| (one.partition_index as usize, one.committed_offset))
                    .collect();
                offsets.sort_unstable();
                if offsets.len() == PARTITIONS as usize && offsets.into_iter().all(is_right) {
                    return Ok(());
                }
                return Err(BenchError::Setup(format!("group {group} has wrong offsets")));
            }
            code if NOT_THERE_YET.contains(&code) => pause(began)?,
            code => return Err(BenchError::Refused { api: "OffsetFetch", code }),
        }
    }
}

fn pause(began: Instant) -> Result<(), BenchError> {
    if began.elapsed() > LIMIT {
        return Err(BenchError::TooSlow("loading of groups"));
    }
    std::thread::sleep(Duration::from_millis(1));
    Ok(())
}

fn offsets_log_bytes(node: &Node) -> Result<u64, BenchError> {
    let mut total = 0;
    for entry in std::fs::read_dir(node.dir.join("logs"))? {
        let entry = entry?;
        if !entry.file_name().to_string_lossy().starts_with("__consumer_offsets-") {
            continue;
        }
        for file in std::fs::read_dir(entry.path())? {
            let file = file?;
            if file.path().extension().is_some_and(|ending| ending == "log") {
                total += file.metadata()?.len();
            }
        }
    }
    Ok(total)
}

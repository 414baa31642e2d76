//! The log cleaner on a topic full of keys that were written again and again.
//!
//! One partition of segments of 100 MB: 500-byte values under keys drawn from half a million, so
//! that each key was written six times. The topic is filled under `delete` and becomes `compact`
//! when the clock starts; it stops when `cleaner-offset-checkpoint` names the partition, that is,
//! when every segment but the active one was cleaned. `log.cleaner.backoff.ms` is 100, so that a
//! cleaner that has nothing to do looks again soon. The clock waits for the recovery point to be
//! behind those segments: Gregor cleans no segment that was not flushed, and flushes later than
//! Kafka.

use std::path::Path;
use std::time::{Duration, Instant};

use super::super::BenchError;
use super::super::batches::{keyed, now_ms};
use super::super::process::{cpu_seconds, resident_bytes};
use super::super::several::report::Figure;
use super::super::wire::Connection;
use super::{Place, START_LIMIT, topics};

const TOPIC: &str = "keyed";
const VALUE_BYTES: usize = 500;
const KEYS: u64 = 500_000;
const BATCH_RECORDS: usize = 200;
const SEGMENT_BYTES: &str = "100000000";
const LIMIT: Duration = Duration::from_secs(300);

pub fn measure(place: &Place) -> Result<Vec<Figure>, BenchError> {
    let records = place.amount(3_000_000, 300_000);
    let settings = ["log.cleaner.backoff.ms=100", "log.flush.offset.checkpoint.interval.ms=500"];
    let node = place.node(&settings)?;
    let (server, _) = node.start(START_LIMIT)?;
    topics::create(node.address(), TOPIC, 1, &[("segment.bytes", SEGMENT_BYTES)])?;
    let mut connection = Connection::open(node.address())?;
    fill(&mut connection, records)?;
    rustix::fs::sync();
    let logs = node.dir.join("logs");
    let Segments { bytes: filled, active_base } = segments(&logs)?;
    let written = Instant::now();
    while checkpointed(&logs, "recovery-point-offset-checkpoint") < active_base {
        if written.elapsed() > LIMIT {
            return Err(BenchError::TooSlow("flushing what is to be cleaned"));
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    let before = cpu_seconds(server.pid())?;
    let mut memory = resident_bytes(server.pid())?;
    let began = Instant::now();
    topics::set(&mut connection, topics::TOPIC, TOPIC, "cleanup.policy", "compact")?;
    while checkpointed(&logs, "cleaner-offset-checkpoint") == 0 {
        memory = memory.max(resident_bytes(server.pid())?);
        if began.elapsed() > LIMIT {
            return Err(BenchError::TooSlow("the log cleaner"));
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    let seconds = began.elapsed().as_secs_f64();
    let cpu = cpu_seconds(server.pid())? - before;
    // Replaced segments keep their length under another name.
    let kept = segments(&logs)?.bytes;
    Ok(vec![
        Figure::new(
            "log cleaner: rate over what it reads",
            "MB/s",
            0,
            filled as f64 / 1e6 / seconds,
        ),
        Figure::new("… CPU", "s/GB", 2, cpu * 1e9 / filled as f64),
        Figure::mebibytes("… memory, the most while it cleans", memory),
        Figure::mebibytes("… of segments that were there before", filled),
        Figure::mebibytes("… kept of them", kept),
    ])
}

fn fill(connection: &mut Connection, records: u64) -> Result<(), BenchError> {
    let now_ms = now_ms();
    let mut draw = 0x9e37_79b9_7f4a_7c15_u64;
    let mut keys = Vec::with_capacity(BATCH_RECORDS);
    for index in 0..records / BATCH_RECORDS as u64 {
        keys.clear();
        for _ in 0..BATCH_RECORDS {
            draw ^= draw << 13;
            draw ^= draw >> 7;
            draw ^= draw << 17;
            keys.push(draw % KEYS);
        }
        let batch = keyed(&keys, VALUE_BYTES, now_ms, index.wrapping_mul(0x9e37_79b9));
        topics::produce(connection, TOPIC, 0, batch)?;
    }
    Ok(())
}

struct Segments {
    /// Of all but the active one, the last by its name.
    bytes: u64,
    active_base: u64,
}

fn segments(logs: &Path) -> Result<Segments, BenchError> {
    let mut segments = Vec::new();
    for file in std::fs::read_dir(logs.join(format!("{TOPIC}-0")))? {
        let path = file?.path();
        let base = path.file_stem().and_then(|stem| stem.to_str()?.parse().ok());
        if let Some(base) = base.filter(|_| path.extension().is_some_and(|ending| ending == "log"))
        {
            segments.push((base, std::fs::metadata(&path)?.len()));
        }
    }
    segments.sort_unstable();
    let (active_base, _) = segments.pop().unwrap_or_default();
    let bytes = segments.into_iter().map(|(_, bytes)| bytes).sum();
    Ok(Segments { bytes, active_base })
}

/// The topic's offset in a checkpoint; zero while there is none.
fn checkpointed(logs: &Path, file: &str) -> u64 {
    let text = std::fs::read_to_string(logs.join(file)).unwrap_or_default();
    let of_topic = |line: &str| line.strip_prefix(&format!("{TOPIC} 0 "))?.parse().ok();
    text.lines().find_map(of_topic).unwrap_or(0)
}

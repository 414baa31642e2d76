//! A default Java producer and a group consumer of kafka-clients that run through everything.
//!
//! They print what happened to each record and when (tests/java/cluster); here that becomes facts:
//! failures, the longest pause around each restart, what came twice or not at all.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::oracle::{EQUALLED, Finished, Running, ToolServer, steady_class_path};

/// How long a client may run.
const PATIENCE: Duration = Duration::from_secs(1200);

/// One record, sent or received, with the wall clock's milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moved {
    pub partition: i32,
    pub offset: i64,
    pub number: u64,
    pub at_ms: i64,
}

/// What a client did.
#[derive(Debug, Clone, Default)]
pub struct Steady {
    pub moved: Vec<Moved>,
    /// Lines that tell of failed sends and exceptions.
    pub failures: Vec<String>,
    pub finished: Option<Finished>,
}

/// Starts the producer: a record every `pause_micros`, to each partition in turn.
#[must_use]
pub fn producer(bootstrap: &[String], topic: &str, partitions: i32, pause_micros: u32) -> Running {
    producer_of(EQUALLED, bootstrap, topic, partitions, pause_micros)
}

/// The same on the clients of a release.
#[must_use]
pub fn producer_of(
    version: &str,
    bootstrap: &[String],
    topic: &str,
    partitions: i32,
    pause_micros: u32,
) -> Running {
    let args =
        [bootstrap.join(","), topic.to_owned(), partitions.to_string(), pause_micros.to_string()];
    let server = ToolServer::shared();
    server.spawn_main_within(&steady_class_path(version), "SteadyProducer", &args, "", PATIENCE)
}

/// Starts the consumer.
#[must_use]
pub fn consumer(bootstrap: &[String], topic: &str, group: &str) -> Running {
    start_consumer(EQUALLED, vec![bootstrap.join(","), topic.to_owned(), group.to_owned()])
}

/// One on the clients of a release that commits what it has read before it reads on.
#[must_use]
pub fn committing_consumer_of(
    version: &str,
    bootstrap: &[String],
    topic: &str,
    group: &str,
) -> Running {
    let words = [&bootstrap.join(","), topic, group, "commit"];
    start_consumer(version, words.map(str::to_owned).to_vec())
}

fn start_consumer(version: &str, args: Vec<String>) -> Running {
    let server = ToolServer::shared();
    server.spawn_main_within(&steady_class_path(version), "SteadyConsumer", &args, "", PATIENCE)
}

/// What a client that runs has done so far.
#[must_use]
pub fn so_far(running: &Running) -> Steady {
    parse(&running.stdout_so_far())
}

/// How many records a client that runs has moved so far.
#[must_use]
pub fn moved_so_far(running: &Running) -> usize {
    so_far(running).moved.len()
}

/// What a client that ended printed.
#[must_use]
pub fn finished(finished: Finished) -> Steady {
    let mut steady = parse(&finished.stdout);
    steady.finished = Some(finished);
    steady
}

pub(super) fn parse(printed: &str) -> Steady {
    let mut steady = Steady::default();
    for line in printed.lines() {
        let moved = line.strip_prefix("ack,").or_else(|| line.strip_prefix("got,"));
        if let Some(moved) = moved.and_then(record) {
            steady.moved.push(moved);
        } else if line.starts_with("failed,") || line.starts_with("exception") {
            steady.failures.push(line.to_owned());
        }
    }
    steady
}

fn record(fields: &str) -> Option<Moved> {
    let mut fields = fields.split(',');
    Some(Moved {
        partition: fields.next()?.parse().ok()?,
        offset: fields.next()?.parse().ok()?,
        number: fields.next()?.parse().ok()?,
        at_ms: fields.next()?.parse().ok()?,
    })
}

impl Steady {
    /// The longest time without a record in any partition, of those that ended after `since_ms` and
    /// began before `until_ms`.
    #[must_use]
    pub fn longest_gap_ms(&self, since_ms: i64, until_ms: i64) -> i64 {
        let mut by_partition: BTreeMap<i32, Vec<i64>> = BTreeMap::new();
        for moved in &self.moved {
            by_partition.entry(moved.partition).or_default().push(moved.at_ms);
        }
        let gaps = by_partition.values().flat_map(|times| {
            let pairs = times.windows(2);
            let pairs = pairs.filter(|pair| pair[1] > since_ms && pair[0] < until_ms);
            pairs.map(|pair| pair[1] - pair[0])
        });
        gaps.max().unwrap_or_default()
    }

    /// How often each number was moved, if not once.
    #[must_use]
    pub fn not_once(&self, numbers: u64) -> Vec<(u64, usize)> {
        let mut times = vec![0_usize; usize::try_from(numbers).expect("few")];
        for moved in &self.moved {
            if let Some(count) = times.get_mut(usize::try_from(moved.number).expect("few")) {
                *count += 1;
            }
        }
        (0..).zip(times).filter(|(_, times)| *times != 1).take(20).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn gaps_and_repetitions_are_found() {
        let steady = parse("ack,0,0,0,1000\nack,1,0,1,1001\nack,0,1,2,1900\nack,0,2,2,1910\n");
        assert_eq!(steady.longest_gap_ms(0, 5000), 900);
        assert_eq!(steady.longest_gap_ms(1900, 5000), 10);
        assert_eq!(steady.not_once(4), [(2, 2), (3, 0)]);
        assert_eq!(parse("failed,3,1: java.Timeout\n").failures.len(), 1);
    }
}

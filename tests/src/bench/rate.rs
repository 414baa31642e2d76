//! A producer that keeps a fixed rate, for latencies that mean something.
//!
//! A request's latency counts from when it was due, not from when it was sent: a broker that stalls
//! is charged for every request that had to wait behind the stall. One thread sends on schedule,
//! another takes the answers.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use super::BenchError;
use super::frames::{Asked, Frame};
use super::latency::Latencies;
use super::produce::{Answers, Moved, Peer};
use super::wire::Connection;

#[derive(Clone, Debug)]
pub struct RateRun {
    pub address: SocketAddr,
    pub peer: Peer,
    pub frames: Vec<Frame>,
    pub requests_per_second: u32,
    pub seconds: u32,
}

impl RateRun {
    pub fn run(&self) -> Result<Moved, BenchError> {
        let connection = Connection::open(self.address)?;
        let requests = u64::from(self.requests_per_second) * u64::from(self.seconds);
        let interval = Duration::from_secs(1) / self.requests_per_second.max(1);
        let began = Instant::now();
        let due = |index: u64| began + interval.saturating_mul(index as u32);
        let mut answered_on = connection.stream().try_clone()?;
        let (payload_bytes, records, latencies) = std::thread::scope(|scope| {
            let sender = scope.spawn(|| self.send(connection, requests, due));
            let mut latencies = Latencies::with_capacity(requests as usize);
            let mut answers = Answers::new(self.peer, Asked::Produce);
            let mut answered = 0;
            while answered < requests {
                let arrived = answers.wait(&mut answered_on, answered as i32)? as u64;
                let now = Instant::now();
                for index in answered..answered + arrived {
                    latencies.record(now.saturating_duration_since(due(index)));
                }
                answered += arrived;
            }
            let died = || BenchError::Setup("the sender died".into());
            let (payload_bytes, records) = sender.join().map_err(|_| died())??;
            Ok::<_, BenchError>((payload_bytes, records, latencies))
        })?;
        let seconds = began.elapsed().as_secs_f64();
        let latency = latencies.percentiles();
        Ok(Moved { payload_bytes, records, requests, seconds, latency })
    }

    fn send(
        &self,
        mut connection: Connection,
        requests: u64,
        due: impl Fn(u64) -> Instant,
    ) -> Result<(u64, u64), BenchError> {
        let mut frames = self.frames.clone();
        let (mut payload_bytes, mut records) = (0, 0);
        for index in 0..requests {
            let slot = index as usize % frames.len();
            let frame = &mut frames[slot];
            frame.stamp(index as i32);
            std::thread::sleep(due(index).saturating_duration_since(Instant::now()));
            connection.send(&frame.bytes)?;
            payload_bytes += frame.payload_bytes;
            records += frame.records;
        }
        Ok((payload_bytes, records))
    }
}

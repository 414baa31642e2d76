//! 2,000 members of one group: until it is stable, and a minute of its heartbeats.
//!
//! Each member has a connection of its own and does what a Java consumer does with the answers; all
//! of them are tasks of one thread. The topic has a partition for each. The group is stable when
//! all are in one generation (or at one epoch) and each owns one partition: with assignments made
//! once a second all may be at one epoch while the first to come own everything.

mod classic;
mod consumer;
mod wire;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::super::BenchError;
use super::super::groups;
use super::super::latency::{Latencies, Percentiles};
use super::super::process::{Server, cpu_seconds, resident_bytes};
use super::super::several::report::Figure;
use super::super::wire::Connection;
use super::{Place, START_LIMIT, topics};
use wire::Line;

const TOPIC: &str = "shared";
const GROUP: &str = "many";
const LIMIT: Duration = Duration::from_secs(300);

/// What all members know of each other, so that somebody sees when the group is stable.
struct Board {
    /// Generation or epoch of each, and the partitions it owns.
    places: Vec<(i32, Vec<i32>)>,
    latencies: Latencies,
    heartbeats: u64,
    failure: Option<BenchError>,
}

type Shared = Arc<Mutex<Board>>;

/// One member's view of the board.
#[derive(Clone)]
struct Seat {
    board: Shared,
    index: usize,
}

fn locked(board: &Shared) -> std::sync::MutexGuard<'_, Board> {
    board.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Seat {
    fn take(&self, epoch: i32, partitions: &[i32]) {
        locked(&self.board).places[self.index] = (epoch, partitions.to_vec());
    }

    fn heartbeat_took(&self, took: Duration) {
        let mut board = locked(&self.board);
        board.latencies.record(took);
        board.heartbeats += 1;
    }
}

impl Board {
    fn is_stable(&self) -> bool {
        let epoch = self.places[0].0;
        let mut owned = vec![false; self.places.len()];
        for (own, partitions) in &self.places {
            let [partition] = partitions[..] else { return false };
            let slot = owned.get_mut(partition as usize);
            let is_taken = slot.is_none_or(|taken| std::mem::replace(taken, true));
            if *own != epoch || epoch <= 0 || is_taken {
                return false;
            }
        }
        true
    }
}

pub fn measure_classic(place: &Place) -> Result<Vec<Figure>, BenchError> {
    measure(place, "classic", |line, seat, _| {
        tokio::spawn(run(seat.clone(), classic::live(line, seat)))
    })
}

pub fn measure_consumer(place: &Place) -> Result<Vec<Figure>, BenchError> {
    measure(place, "consumer", |line, seat, topic| {
        tokio::spawn(run(seat.clone(), consumer::live(line, seat, topic)))
    })
}

/// A member's life, which ends only by failure.
async fn run(seat: Seat, life: impl Future<Output = Result<(), BenchError>>) {
    if let Err(error) = life.await {
        locked(&seat.board).failure.get_or_insert(error);
    }
}

type Begin = fn(Line, Seat, uuid::Uuid) -> tokio::task::JoinHandle<()>;

fn measure(place: &Place, protocol: &str, begin: Begin) -> Result<Vec<Figure>, BenchError> {
    let members: usize = place.amount(2000, 200);
    // Kafka's three seconds would be most of the time that is measured.
    let node = place.node(&["group.initial.rebalance.delay.ms=200"])?;
    let (server, _) = node.start(START_LIMIT)?;
    let topic = topics::create(node.address(), TOPIC, members as i32, &[])?;
    groups::wait_for_coordinator(&mut Connection::open(node.address())?)?;
    let board = Board {
        places: vec![(0, Vec::new()); members],
        latencies: Latencies::default(),
        heartbeats: 0,
        failure: None,
    };
    let board = Arc::new(Mutex::new(board));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let found = runtime.block_on(async {
        let mut lines = Vec::new();
        // One by one: more than socket.listen.backlog.size at once are reset by the kernel.
        for _ in 0..members {
            lines.push(Line::open(node.address()).await?);
        }
        let cpu = cpu_seconds(server.pid())?;
        let began = Instant::now();
        let seat = |index| Seat { board: board.clone(), index };
        let lives: Vec<_> =
            (0..).zip(lines).map(|(index, line)| begin(line, seat(index), topic)).collect();
        let found = watch(&board, &server, cpu, began, place.amount(60, 10)).await;
        lives.iter().for_each(tokio::task::JoinHandle::abort);
        found
    })?;
    let memory = resident_bytes(server.pid())?;
    let title = format!("{members} members, {protocol} protocol: until stable");
    let latency = found.latency;
    Ok(vec![
        Figure::new(&title, "s", 2, found.seconds),
        Figure::new(&format!("… CPU until stable, {protocol}"), "s", 2, found.cpu),
        Figure::new(&format!("… CPU of a heartbeat, {protocol}"), "µs", 1, found.heartbeat_us),
        Figure::new(
            &format!("… p99 of a heartbeat, {protocol}"),
            "ms",
            2,
            f64::from(latency.p99_us) / 1000.0,
        ),
        Figure::mebibytes(&format!("… memory, {protocol}"), memory),
    ])
}

struct Found {
    seconds: f64,
    cpu: f64,
    heartbeat_us: f64,
    latency: Percentiles,
}

/// Waits until the group is stable, then as many seconds more, in which it must stay so.
async fn watch(
    board: &Shared,
    server: &Server,
    cpu_before: f64,
    began: Instant,
    seconds: u64,
) -> Result<Found, BenchError> {
    let fail = |board: &Shared| locked(board).failure.take().map_or(Ok(()), Err);
    while !locked(board).is_stable() {
        fail(board)?;
        if began.elapsed() > LIMIT {
            return Err(BenchError::TooSlow("a group of many members"));
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let stable = began.elapsed().as_secs_f64();
    let cpu = cpu_seconds(server.pid())? - cpu_before;
    // Heartbeats of the time before are not the minute's.
    let places = {
        let mut board = locked(board);
        board.heartbeats = 0;
        board.latencies = Latencies::default();
        board.places.clone()
    };
    let before = cpu_seconds(server.pid())?;
    tokio::time::sleep(Duration::from_secs(seconds)).await;
    let beaten = cpu_seconds(server.pid())? - before;
    fail(board)?;
    let mut board = locked(board);
    if board.places != places {
        return Err(BenchError::Setup("the group did not stay stable".to_owned()));
    }
    Ok(Found {
        seconds: stable,
        cpu,
        heartbeat_us: beaten * 1e6 / board.heartbeats as f64,
        latency: std::mem::take(&mut board.latencies).percentiles(),
    })
}

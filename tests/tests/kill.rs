//! kill -9 under load, twenty times in a row: what was acknowledged is there, once, in order.
//!
//! Three producers write numbered records while the node dies and comes back: acks=1 and acks=all
//! without idempotence (a record whose answer was lost is not sent again: its fate is open), and an
//! idempotent one with five requests in flight that sends again until it is acknowledged.

use std::cell::OnceCell;
use std::collections::VecDeque;
use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use protocol::messages::ProduceRequest;
use tests::golden::server_kind;
use tests::records::Batch;
use tests::server::Server;
use tests::topic::{create, init_producer_id, now_ms, produce, produce_request, read_all};
use tests::wire::Client;

/// What was acknowledged: offset and number.
type Acknowledged = Vec<(i64, u64)>;

fn batch_of(number: u64) -> Batch {
    Batch::of(&[number.to_string().as_bytes()], now_ms())
}

fn connect(address: &str, given_up: impl Fn() -> bool) -> Option<Client> {
    while !given_up() {
        if let Ok(client) = Client::connect(address) {
            client.set_patience(Duration::from_secs(3));
            return Some(client);
        }
        std::thread::sleep(Duration::from_millis(2));
    }
    None
}

/// Sends number after number, each once, whether or not it is answered.
fn send_once_each(address: &str, topic: &str, acks: i16, stop: &AtomicBool) -> Acknowledged {
    let mut acknowledged = Vec::new();
    let mut number = 0;
    while let Some(mut client) = connect(address, || stop.load(Ordering::Relaxed)) {
        while !stop.load(Ordering::Relaxed) {
            number += 1;
            let records = batch_of(number).bytes();
            let Ok(answer) = produce(&mut client, topic, 0, acks, records) else {
                break;
            };
            if answer.error == 0 {
                acknowledged.push((answer.base_offset, number));
            }
        }
    }
    acknowledged
}

/// An idempotent producer with five requests in flight.
#[derive(Default)]
struct Idempotent {
    id_and_epoch: Option<(i64, i16)>,
    /// Sent and not acknowledged, in the order of their sequences.
    unanswered: VecDeque<u64>,
    next: u64,
    acknowledged: Acknowledged,
}

impl Idempotent {
    /// Sends number after number, and again until each is acknowledged.
    fn run(mut self, address: &str, topic: &str, stop: &AtomicBool) -> Acknowledged {
        let stopped = OnceCell::new();
        let given_up = || {
            let since = stop.load(Ordering::Relaxed).then(|| *stopped.get_or_init(Instant::now));
            since.is_some_and(|since: Instant| since.elapsed() > Duration::from_secs(20))
        };
        while !stop.load(Ordering::Relaxed) || !self.unanswered.is_empty() {
            let Some(mut client) = connect(address, given_up) else {
                panic!("never acknowledged: {:?}", self.unanswered);
            };
            // Its end is the node's death, or an answer that says: not now.
            let _ = self.go_on(&mut client, topic, stop);
        }
        self.acknowledged
    }

    fn go_on(&mut self, client: &mut Client, topic: &str, stop: &AtomicBool) -> io::Result<()> {
        let (id, epoch) = match self.id_and_epoch {
            Some(known) => known,
            None => init_producer_id(client)?,
        };
        self.id_and_epoch = Some((id, epoch));
        // What was not acknowledged goes first, with the sequence it had.
        let mut again = self.unanswered.clone();
        let mut in_flight = VecDeque::new();
        loop {
            while in_flight.len() < 5 {
                let number = match again.pop_front() {
                    Some(number) => number,
                    None if stop.load(Ordering::Relaxed) => break,
                    None => self.another(),
                };
                let sequence = i32::try_from(number).expect("fewer than 2^31");
                let records = batch_of(number).idempotent(id, epoch, sequence).bytes();
                client.send(9, &produce_request(topic, 0, -1, records))?;
                in_flight.push_back(number);
            }
            let Some(number) = in_flight.pop_front() else {
                return Ok(());
            };
            let answer = client.receive::<ProduceRequest>(9)?;
            let answer = &answer.responses[0].partition_responses[0];
            match answer.error_code {
                // 46: a duplicate so old that its offset is no longer known
                0 | 46 => {
                    self.acknowledged.push((answer.base_offset, number));
                    assert_eq!(self.unanswered.pop_front(), Some(number), "answered in order");
                }
                // Not the leader yet, or behind one that failed.
                3 | 5 | 6 | 45 => return Err(io::ErrorKind::Other.into()),
                other => panic!("number {number} was refused with {other}"),
            }
        }
    }

    fn another(&mut self) -> u64 {
        self.unanswered.push_back(self.next);
        self.next += 1;
        self.next - 1
    }
}

fn numbers(address: &str, topic: &str) -> Vec<(i64, u64)> {
    let mut client = Client::connect(address).expect("the node is back");
    let read = read_all(&mut client, topic, 0).into_iter();
    read.map(|(offset, value)| {
        let number = std::str::from_utf8(&value).ok().and_then(|text| text.parse().ok());
        (offset, number.expect("a number, whole"))
    })
    .collect()
}

/// Ends the producers, also when the test has failed.
struct StopWhenDone<'a>(&'a AtomicBool);

impl Drop for StopWhenDone<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

#[test]
fn twenty_kills_under_load_lose_repeat_and_reorder_nothing() {
    let mut server = Server::start(server_kind(), &["log.segment.bytes=1048576".to_owned()]);
    let address = server.address();
    let mut client = Client::connect(&address).expect("the node accepts");
    for topic in ["one", "all", "idempotent"] {
        create(&mut client, topic, 1);
    }
    let stop = AtomicBool::new(false);
    let mut slowest = Duration::ZERO;
    let (one, all, idempotent) = std::thread::scope(|scope| {
        let one = scope.spawn(|| send_once_each(&address, "one", 1, &stop));
        let all = scope.spawn(|| send_once_each(&address, "all", -1, &stop));
        let idempotent = scope.spawn(|| Idempotent::default().run(&address, "idempotent", &stop));
        let done = StopWhenDone(&stop);
        for round in 0..20 {
            std::thread::sleep(Duration::from_millis(150 + 37 * (round % 7)));
            server.kill();
            let started = Instant::now();
            server.start_again();
            slowest = slowest.max(started.elapsed());
        }
        std::thread::sleep(Duration::from_millis(300));
        drop(done);
        let joined = [one, all, idempotent].map(|thread| thread.join().expect("a producer"));
        joined.into()
    });
    for (topic, acknowledged) in [("one", &one), ("all", &all), ("idempotent", &idempotent)] {
        let there = numbers(&address, topic);
        assert!(acknowledged.len() > 100, "{topic}: only {} records", acknowledged.len());
        let in_order = there.windows(2).all(|pair| pair[0].1 < pair[1].1);
        assert!(in_order, "{topic}: repeated or out of order");
        let lost = acknowledged.iter().filter(|(offset, number)| {
            let known = *offset >= 0;
            let at = there.binary_search_by_key(number, |(_, number)| *number);
            at.map_or(true, |at| known && there[at].0 != *offset)
        });
        let lost: Vec<_> = lost.collect();
        assert!(lost.is_empty(), "{topic}: lost or moved: {lost:?}");
        println!("{topic}: {} acknowledged, {} there", acknowledged.len(), there.len());
    }
    assert_eq!(idempotent.len(), numbers(&address, "idempotent").len(), "each exactly once");
    println!("the slowest of twenty starts took {slowest:?}");
}

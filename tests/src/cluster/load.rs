//! Producers of unique values: a thread for each partition, until they are told to stop.
//!
//! Values of a partition are `PARTITION:NUMBER`, numbers from 0 up in the order of sending. With
//! idempotence a number is sent again, with the sequence it had, until it is acknowledged; without,
//! each is sent once, and one whose answer was lost may be there or not.

use std::collections::VecDeque;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use protocol::messages::ProduceRequest;

use super::view::{View, until};
use crate::records::Batch;
use crate::topic::{init_producer_id, now_ms, produce_request};
use crate::wire::Client;

/// A number that was acknowledged.
#[derive(Debug, Clone, Copy)]
pub struct Ack {
    /// -1 for a duplicate so old that its offset was no longer known, and with acks=0.
    pub offset: i64,
    pub number: u64,
    pub at: Instant,
}

/// What was done to one partition.
#[derive(Debug, Clone, Default)]
pub struct PartitionSent {
    pub acknowledged: Vec<Ack>,
    /// Numbers below this were sent.
    pub sent: u64,
    /// Errors that were answered, retriable or not, with how often.
    pub errors: Vec<(i16, u64)>,
}

/// What a load did, by partition.
#[derive(Debug, Clone, Default)]
pub struct Sent {
    pub partitions: Vec<PartitionSent>,
}

/// How to load a topic.
#[derive(Debug, Clone)]
pub struct Load {
    pub topic: String,
    pub partitions: i32,
    pub acks: i16,
    pub is_idempotent: bool,
    /// Between two sends of a partition.
    pub pause: Duration,
    /// How many numbers of a partition may be on their way (idempotent).
    pub in_flight: usize,
    /// How many numbers a partition gets.
    pub limit: u64,
    /// How long an answer is waited for before another leader is looked for.
    pub patience: Duration,
}

/// A load under way; it stops when dropped.
#[derive(Debug)]
pub struct Running {
    stop: Arc<AtomicBool>,
    /// Of each partition, how much was acknowledged.
    counts: Vec<Arc<AtomicU64>>,
    threads: Vec<JoinHandle<PartitionSent>>,
}

/// The value of a number.
#[must_use]
pub fn value(partition: i32, number: u64) -> String {
    format!("{partition}:{number}")
}

impl Load {
    /// Idempotent, acks=all.
    #[must_use]
    pub fn all(topic: &str, partitions: i32) -> Self {
        Self {
            topic: topic.to_owned(),
            partitions,
            acks: -1,
            is_idempotent: true,
            pause: Duration::from_millis(2),
            in_flight: 5,
            limit: u64::MAX,
            patience: Duration::from_secs(3),
        }
    }

    /// Each number once, with these acks.
    #[must_use]
    pub fn once(topic: &str, partitions: i32, acks: i16) -> Self {
        Self { acks, is_idempotent: false, ..Self::all(topic, partitions) }
    }

    /// Starts it against the brokers of a view.
    #[must_use]
    pub fn start(&self, view: &View) -> Running {
        let stop = Arc::new(AtomicBool::new(false));
        let counts: Vec<Arc<AtomicU64>> = (0..self.partitions).map(|_| Arc::default()).collect();
        let threads = (0..).zip(&counts).map(|(partition, count)| {
            let producer = Producer {
                count: Arc::clone(count),
                load: self.clone(),
                partition,
                view: view.clone(),
                stop: Arc::clone(&stop),
                sent: PartitionSent::default(),
                identity: None,
                unanswered: VecDeque::new(),
            };
            std::thread::spawn(move || producer.run())
        });
        Running { threads: threads.collect(), counts, stop }
    }
}

impl Running {
    /// Waits until each partition has had this many acknowledgements more.
    ///
    /// # Panics
    /// When that takes a minute.
    pub fn wait_for(&self, more: u64) {
        let so_far = |count: &Arc<AtomicU64>| count.load(Ordering::Relaxed);
        let due: Vec<u64> = self.counts.iter().map(|count| so_far(count) + more).collect();
        until("a load goes on", Duration::from_secs(60), || {
            let are_there = self.counts.iter().zip(&due).all(|(count, due)| so_far(count) >= *due);
            are_there.then_some(())
        });
    }

    /// Stops sending, waits until what was sent is answered (idempotent), and says what was done.
    ///
    /// # Panics
    /// When a number was refused for good, or not acknowledged within a minute.
    #[must_use]
    pub fn finish(self) -> Sent {
        self.stop.store(true, Ordering::Relaxed);
        self.complete()
    }

    /// Waits until the load's limit is sent and answered.
    ///
    /// # Panics
    /// As `finish` does.
    #[must_use]
    pub fn complete(mut self) -> Sent {
        let threads = std::mem::take(&mut self.threads);
        let partitions = threads.into_iter().map(|thread| thread.join().expect("a producer"));
        Sent { partitions: partitions.collect() }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
    }
}

impl Sent {
    /// How many numbers were acknowledged.
    #[must_use]
    pub fn acknowledged(&self) -> usize {
        self.partitions.iter().map(|one| one.acknowledged.len()).sum()
    }

    /// The longest time without an acknowledgement in any partition, of those that ended after
    /// `since`.
    #[must_use]
    pub fn longest_gap(&self, since: Instant) -> Duration {
        self.longest_gap_between(since, since + Duration::from_secs(3600))
    }

    /// The same of those that ended after `since` and began before `until`.
    #[must_use]
    pub fn longest_gap_between(&self, since: Instant, until: Instant) -> Duration {
        let gaps = self.partitions.iter().flat_map(|one| {
            let pairs = one.acknowledged.windows(2);
            let pairs = pairs.filter(move |pair| pair[1].at > since && pair[0].at < until);
            pairs.map(|pair| pair[1].at - pair[0].at)
        });
        gaps.max().unwrap_or_default()
    }

    /// The errors that were answered over all partitions.
    #[must_use]
    pub fn errors(&self) -> Vec<(i16, u64)> {
        let mut all = Vec::new();
        for (code, times) in self.partitions.iter().flat_map(|one| &one.errors) {
            count(&mut all, *code, *times);
        }
        all
    }
}

struct Producer {
    count: Arc<AtomicU64>,
    load: Load,
    partition: i32,
    view: View,
    stop: Arc<AtomicBool>,
    sent: PartitionSent,
    identity: Option<(i64, i16)>,
    /// Sent and not acknowledged, in the order of their sequences.
    unanswered: VecDeque<u64>,
}

impl Producer {
    fn run(mut self) -> PartitionSent {
        let mut stopped_at = None;
        while !self.is_stopped() || !self.unanswered.is_empty() {
            if self.is_stopped() {
                let since: &mut Instant = stopped_at.get_or_insert_with(Instant::now);
                let left = self.unanswered.len();
                assert!(
                    since.elapsed() < Duration::from_secs(60),
                    "{left} never acknowledged; errors {:?}",
                    self.sent.errors
                );
            }
            // Its end is the leader's, or an answer that says: not here, not now.
            if let Some(mut client) = self.connect() {
                let _ = self.go_on(&mut client);
            }
            self.view.brokers.rotate_left(1);
            std::thread::sleep(Duration::from_millis(2));
        }
        self.sent
    }

    fn is_stopped(&self) -> bool {
        self.stop.load(Ordering::Relaxed) || self.sent.sent >= self.load.limit
    }

    fn connect(&self) -> Option<Client> {
        let (_, address) = self.view.leader(&self.load.topic, self.partition)?;
        let client = Client::connect(&address).ok()?;
        client.set_patience(self.load.patience);
        Some(client)
    }

    fn go_on(&mut self, client: &mut Client) -> io::Result<()> {
        if self.load.is_idempotent && self.identity.is_none() {
            self.identity = Some(init_producer_id(client)?);
        }
        if self.load.is_idempotent { self.until_acknowledged(client) } else { self.once(client) }
    }

    /// What was not acknowledged goes first.
    fn until_acknowledged(&mut self, client: &mut Client) -> io::Result<()> {
        let mut again = self.unanswered.clone();
        let mut in_flight = VecDeque::new();
        loop {
            while in_flight.len() < self.load.in_flight {
                let number = match again.pop_front() {
                    Some(number) => number,
                    None if self.is_stopped() => break,
                    None => {
                        self.unanswered.push_back(self.sent.sent);
                        self.sent.sent += 1;
                        self.sent.sent - 1
                    }
                };
                self.send(client, number)?;
                in_flight.push_back(number);
                std::thread::sleep(self.load.pause);
            }
            let Some(number) = in_flight.pop_front() else { return Ok(()) };
            self.answer(client, number)?;
            assert_eq!(self.unanswered.pop_front(), Some(number), "answered in order");
        }
    }

    fn once(&mut self, client: &mut Client) -> io::Result<()> {
        while !self.is_stopped() {
            let number = self.sent.sent;
            self.sent.sent += 1;
            self.send(client, number)?;
            if self.load.acks == 0 {
                self.acknowledged(number, -1);
            } else {
                self.answer(client, number)?;
            }
            std::thread::sleep(self.load.pause);
        }
        Ok(())
    }

    fn send(&self, client: &mut Client, number: u64) -> io::Result<()> {
        let mut batch = Batch::of(&[value(self.partition, number).as_bytes()], now_ms());
        if let Some((id, epoch)) = self.identity {
            let sequence = i32::try_from(number).expect("fewer than 2^31");
            batch = batch.idempotent(id, epoch, sequence);
        }
        let Load { topic, acks, .. } = &self.load;
        client.send(9, &produce_request(topic, self.partition, *acks, batch.bytes()))
    }

    fn answer(&mut self, client: &mut Client, number: u64) -> io::Result<()> {
        let answer = client.receive::<ProduceRequest>(9)?;
        let answer = &answer.responses[0].partition_responses[0];
        match answer.error_code {
            0 => self.acknowledged(number, answer.base_offset),
            // A duplicate so old that its offset is no longer known.
            46 => self.acknowledged(number, -1),
            code => {
                count(&mut self.sent.errors, code, 1);
                let is_retriable =
                    matches!(code, 3 | 5 | 6 | 7 | 9 | 13..=16 | 19 | 20 | 41 | 45 | 56 | 74..=77);
                assert!(is_retriable, "number {number} was refused with {code}");
                return Err(io::Error::other(format!("error {code}")));
            }
        }
        Ok(())
    }

    fn acknowledged(&mut self, number: u64, offset: i64) {
        self.sent.acknowledged.push(Ack { offset, number, at: Instant::now() });
        self.count.fetch_add(1, Ordering::Relaxed);
    }
}

fn count(all: &mut Vec<(i16, u64)>, code: i16, times: u64) {
    match all.iter_mut().find(|(known, _)| *known == code) {
        Some((_, counted)) => *counted += times,
        None => all.push((code, times)),
    }
}

//! Producers: each writes to one partition, one batch at a time, with values that nobody else
//! writes. With acks=all it repeats a batch, with the same sequence, until that is acknowledged;
//! with less it goes on, not knowing.

use super::message::{Body, CLIENTS, Produce, Produced};
use super::world::{Event, World};

/// How long a producer waits for an answer.
const PATIENCE_US: i64 = 2_500_000;

#[derive(Debug)]
pub(crate) struct Producer {
    pub(crate) index: usize,
    pub(crate) partition: usize,
    pub(crate) acks: i16,
    /// The id it writes with; a new one when the partition forgot the old one.
    producer: u32,
    sequence: u32,
    count: u64,
    /// The batch that is out, and since when.
    pub(crate) out: Option<(Produce, i64)>,
    /// Waits for its turn, having been told to try again.
    retry: bool,
    requests: u64,
    /// No more records are begun.
    pub(crate) done: bool,
    /// Value and offset of the first record of what was acknowledged.
    pub(crate) acknowledged: Vec<(u64, i64)>,
}

impl Producer {
    pub(crate) fn new(index: usize, partition: usize, acks: i16) -> Self {
        Self {
            index,
            partition,
            acks,
            producer: if acks == -1 { 1 + index as u32 } else { 0 },
            sequence: 0,
            count: 0,
            out: None,
            retry: false,
            requests: 0,
            done: false,
            acknowledged: Vec::new(),
        }
    }

    /// What to send now, if anything; a new batch has so many records.
    pub(crate) fn turn(&mut self, now_us: i64, records: u32) -> Option<Produce> {
        let late = self.out.is_some_and(|(_, since)| now_us > since + PATIENCE_US);
        if self.acks != -1 && (late || self.retry) {
            self.out = None;
        }
        let produce = match self.out {
            Some((produce, _)) if late || self.retry => produce,
            Some(_) => return None,
            None if self.done => return None,
            None => {
                let value = ((self.index as u64 + 1) << 32) | (self.count + 1);
                self.count += u64::from(records);
                let sequence = self.sequence;
                self.sequence += records;
                Produce {
                    client: self.index,
                    request: 0,
                    partition: self.partition,
                    value,
                    records,
                    producer: self.producer,
                    sequence,
                    acks: self.acks,
                }
            }
        };
        self.requests += 1;
        let produce = Produce { request: self.requests, ..produce };
        self.retry = false;
        self.out = (self.acks != 0).then_some((produce, now_us));
        Some(produce)
    }

    pub(crate) fn answered(&mut self, request: u64, produced: Produced) {
        let Some((produce, _)) = self.out else { return };
        if produce.request != request {
            return;
        }
        match produced {
            Produced::At(offset) => {
                self.acknowledged.push((produce.value, offset));
                self.out = None;
            }
            Produced::Retry => self.retry = true,
            Produced::OutOfOrder => {
                self.producer += 1 << 8;
                self.sequence = 0;
                self.out = None;
            }
        }
    }
}

impl World {
    /// A producer's turn: what it sends goes to whom some broker takes for the leader.
    pub(super) fn client_turn(&mut self, client: usize) {
        let at = self.draws.below(self.brokers.len() as u64) as usize;
        let partition = self.producers[client].partition;
        let records = 1 + self.draws.below(3) as u32 * self.draws.below(2) as u32;
        // Whom some broker takes for the leader; that may be long over.
        let told = &self.brokers[at];
        let topic = told.image.topics().by_name("t").filter(|_| told.up);
        let leader = topic.and_then(|topic| topic.partition(partition as i32)).map(|p| p.leader);
        if let Some(leader) = leader.filter(|leader| *leader > 0)
            && let Some(produce) = self.producers[client].turn(self.now_us, records)
        {
            self.send(CLIENTS, leader, 0, Body::Produce(produce));
        }
        let pause_us = 40_000 + self.draws.below(200_000) as i64;
        self.after_us(pause_us, Event::Client(client));
    }
}

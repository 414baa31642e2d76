//! Records that wait to be sent, in batches by partition, within buffer.memory.
//!
//! Pure: times are milliseconds since the producer began. Kept true: what is allocated is given
//! back once, when its batch is delivered or failed; a partition's batches leave in order, and one
//! that comes back goes to where its sequence stood. Answers to `RecordAccumulator` and
//! `BufferPool`.

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::Arc;

use protocol::batch::Compression;

use super::batch::{ProducerBatch, Sequence};
use super::error::ProducerError;
use super::partitioner::{self, Sticky};
use super::record::ProducerRecord;
use super::sequences::{Sequences, TopicPartition};
use crate::metadata::Topic;

/// What bounds batches.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bounds {
    pub(super) batch_size: usize,
    pub(super) linger: u64,
    pub(super) buffer_memory: usize,
    pub(super) max_request_size: usize,
    pub(super) delivery_timeout: u64,
    pub(super) retry_backoff: u64,
    pub(super) retry_backoff_max: u64,
    pub(super) codec: Compression,
    pub(super) ignores_keys: bool,
    /// max.in.flight.requests.per.connection=1: one batch of a partition at a time.
    pub(super) keeps_order: bool,
}

#[derive(Debug)]
struct Queue<T> {
    batches: VecDeque<ProducerBatch<T>>,
    is_on_wire: bool,
}

#[derive(Debug)]
struct Queues<T> {
    name: Arc<str>,
    partitions: Vec<Queue<T>>,
    sticky: Sticky,
    /// How well the codec compressed lately; nothing without one.
    ratio: Option<f32>,
}

/// What became of a record.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Appended<T> {
    /// Whether the sender has something new to look at.
    Taken { wakes_sender: bool },
    /// No memory for another batch of so many bytes: wait, then try again.
    NoRoom { token: T, bytes: usize },
}

/// A batch that goes to a node.
#[derive(Debug)]
pub(super) struct Departing<T> {
    pub(super) partition: TopicPartition,
    pub(super) batch: ProducerBatch<T>,
}

/// What is due.
#[derive(Debug)]
pub(super) struct Drained<T> {
    /// Per node one request's batches.
    pub(super) requests: Vec<(i32, Vec<Departing<T>>)>,
    /// How long until something else is due.
    pub(super) next_in: u64,
    /// Something waits for a partition whose leader nobody knows.
    pub(super) has_unknown_leader: bool,
    /// Batches that could not be compressed.
    pub(super) failed: Vec<(Departing<T>, ProducerError)>,
}

#[derive(Debug)]
pub(super) struct Accumulator<T> {
    bounds: Bounds,
    topics: Vec<Queues<T>>,
    /// Where each topic stands among them.
    places: HashMap<Arc<str>, usize>,
    used: usize,
    /// Batches that are neither delivered nor failed, on the wire or not.
    pub(super) incomplete: usize,
    /// Callers that wait for memory, and for everything to be sent.
    pub(super) waiting: usize,
    pub(super) flushing: usize,
    pub(super) is_closed: bool,
}

impl<T> Accumulator<T> {
    pub(super) fn new(bounds: Bounds) -> Self {
        Self {
            bounds,
            topics: Vec::new(),
            places: HashMap::new(),
            used: 0,
            incomplete: 0,
            waiting: 0,
            flushing: 0,
            is_closed: false,
        }
    }

    pub(super) fn available(&self) -> usize {
        self.bounds.buffer_memory.saturating_sub(self.used)
    }

    fn queues(&mut self, topic: &Topic) -> &mut Queues<T> {
        let at = match self.places.get(topic.name.as_str()) {
            Some(at) => *at,
            None => {
                let name: Arc<str> = topic.name.as_str().into();
                self.places.insert(Arc::clone(&name), self.topics.len());
                let compresses = self.bounds.codec != Compression::None;
                self.topics.push(Queues {
                    name,
                    partitions: Vec::new(),
                    sticky: Sticky::default(),
                    ratio: compresses.then_some(1.0),
                });
                self.topics.len() - 1
            }
        };
        let queues = &mut self.topics[at];
        while queues.partitions.len() < topic.partitions.len() {
            queues.partitions.push(Queue { batches: VecDeque::new(), is_on_wire: false });
        }
        queues
    }

    /// The partition that a record goes to.
    pub(super) fn partition(
        &mut self,
        record: &ProducerRecord<'_>,
        topic: &Topic,
        chance: u32,
    ) -> i32 {
        if let Some(partition) = record.partition {
            return partition;
        }
        if let Some(key) = record.key.filter(|_| !self.bounds.ignores_keys) {
            return partitioner::partition_for_key(key, topic.partitions.len());
        }
        let batch_size = self.bounds.batch_size;
        let queues = self.queues(topic);
        if let Some(current) = queues.sticky.current() {
            let at = usize::try_from(current).unwrap_or_default();
            let last = queues.partitions.get(at).and_then(|queue| queue.batches.back());
            let is_done = last.is_none_or(|batch| batch.is_full(batch_size, queues.ratio));
            queues.sticky.appended(0, batch_size, is_done);
        }
        if let Some(current) = queues.sticky.current() {
            return current;
        }
        let waiting = |index: i32| {
            let at = usize::try_from(index).unwrap_or_default();
            queues.partitions.get(at).map_or(0, |queue| queue.batches.len())
        };
        let available = topic.partitions.iter().filter(|partition| partition.leader_id.is_some());
        let mut sizes: Vec<(i32, usize)> =
            available.map(|partition| (partition.index, waiting(partition.index))).collect();
        if sizes.is_empty() {
            sizes = topic.partitions.iter().map(|partition| (partition.index, 0)).collect();
        }
        let drawn = partitioner::draw(&sizes, chance).unwrap_or_default();
        queues.sticky.switch_to(drawn);
        drawn
    }

    /// Takes a record into the last batch of its partition, or into a new one.
    pub(super) fn append(
        &mut self,
        record: &ProducerRecord<'_>,
        topic: &Topic,
        partition: i32,
        times: (u64, i64),
        token: T,
        is_transactional: bool,
    ) -> Appended<T> {
        let (now, timestamp) = times;
        let bounds = self.bounds;
        let is_sticky = record.partition.is_none() && (record.key.is_none() || bounds.ignores_keys);
        let available = self.available();
        let queues = self.queues(topic);
        let ratio = queues.ratio;
        let at = usize::try_from(partition).unwrap_or_default();
        let Some(queue) = queues.partitions.get_mut(at) else {
            return Appended::NoRoom { token, bytes: 0 };
        };
        let mut token = token;
        if let Some(last) = queue.batches.back_mut().filter(|batch| batch.attempts == 0) {
            match last.append(record, timestamp, token, ratio) {
                Ok(taken) => {
                    let is_full = last.is_full(bounds.batch_size, ratio);
                    if is_sticky {
                        queues.sticky.appended(taken, bounds.batch_size, is_full);
                    }
                    return Appended::Taken { wakes_sender: is_full };
                }
                Err(back) => token = back,
            }
        }
        let bytes = bounds.batch_size.max(record.size_bound());
        if bytes > available {
            return Appended::NoRoom { token, bytes };
        }
        let mut batch = ProducerBatch::new(now, bytes, is_transactional);
        // The first record of a batch always fits.
        let taken = batch.append(record, timestamp, token, ratio).unwrap_or_default();
        if is_sticky {
            let is_full = batch.is_full(bounds.batch_size, ratio);
            queues.sticky.appended(taken, bounds.batch_size, is_full);
        }
        queue.batches.push_back(batch);
        self.used += bytes;
        self.incomplete += 1;
        Appended::Taken { wakes_sender: true }
    }

    /// Batches whose time is over, taken out. Those on the wire are their answers' business.
    pub(super) fn expire(&mut self, now: u64) -> Vec<Departing<T>> {
        let timeout = self.bounds.delivery_timeout;
        let mut expired = Vec::new();
        for queues in &mut self.topics {
            for (index, queue) in (0..).zip(&mut queues.partitions) {
                let is_late =
                    |batch: &ProducerBatch<T>| now.saturating_sub(batch.created) >= timeout;
                while let Some(batch) = queue.batches.pop_front_if(|batch| is_late(batch)) {
                    let partition = (Arc::clone(&queues.name), index);
                    expired.push(Departing { partition, batch });
                }
            }
        }
        expired
    }

    /// Takes out what goes now: for every node that may be asked and has something due, the first
    /// batch of each of its partitions, up to max.request.size.
    pub(super) fn drain(
        &mut self,
        now: u64,
        leader: impl Fn(&str, i32) -> Option<i32>,
        is_busy: impl Fn(i32) -> bool,
        mut sequences: Option<&mut Sequences>,
    ) -> Drained<T> {
        let bounds = self.bounds;
        let is_urgent = self.waiting > 0 || self.flushing > 0 || self.is_closed;
        let mut drained = Drained {
            requests: Vec::new(),
            next_in: bounds.delivery_timeout,
            has_unknown_leader: false,
            failed: Vec::new(),
        };
        let mut ready = HashSet::new();
        for queues in &self.topics {
            for (index, queue) in (0..).zip(&queues.partitions) {
                let Some(first) = queue.batches.front() else { continue };
                let Some(node) = leader(&queues.name, index) else {
                    drained.has_unknown_leader = true;
                    continue;
                };
                let late_in = (first.created + bounds.delivery_timeout).saturating_sub(now);
                drained.next_in = drained.next_in.min(late_in.max(1));
                let is_full =
                    queue.batches.len() > 1 || first.is_full(bounds.batch_size, queues.ratio);
                let rests = rests_for(first, now, &bounds);
                let wait = match first.attempts {
                    0 if is_full || is_urgent => 0,
                    0 => (first.created + bounds.linger).saturating_sub(now),
                    _ => rests,
                };
                match wait {
                    0 => {
                        ready.insert(node);
                    }
                    wait => drained.next_in = drained.next_in.min(wait),
                }
            }
        }
        ready.retain(|node| !is_busy(*node));
        let mut sizes: HashMap<i32, (usize, Vec<Departing<T>>)> = HashMap::new();
        for queues in &mut self.topics {
            for (index, queue) in (0..).zip(&mut queues.partitions) {
                let Some(first) = queue.batches.front() else { continue };
                let node = leader(&queues.name, index).filter(|node| ready.contains(node));
                let Some(node) = node else { continue };
                let (size, request) = sizes.entry(node).or_default();
                let is_too_much =
                    !request.is_empty() && *size + first.wire_len() > bounds.max_request_size;
                let is_held = bounds.keeps_order && queue.is_on_wire;
                if is_too_much || is_held || rests_for(first, now, &bounds) > 0 {
                    continue;
                }
                let partition = (Arc::clone(&queues.name), index);
                let may_send = sequences.as_ref();
                if may_send.is_some_and(|own| !own.may_send(&partition, first.sequence)) {
                    continue;
                }
                let Some(mut batch) = queue.batches.pop_front() else { continue };
                let records = i32::try_from(batch.len()).unwrap_or(i32::MAX);
                let sequence = match sequences.as_deref_mut() {
                    Some(own) => own.assign(&partition, batch.sequence, records),
                    None => Sequence::NONE,
                };
                match batch.seal(bounds.codec, sequence) {
                    Ok(ratio) => {
                        queues.ratio = estimated(queues.ratio, ratio);
                        *size += batch.wire_len();
                        queue.is_on_wire = true;
                        request.push(Departing { partition, batch });
                    }
                    Err(error) => drained.failed.push((Departing { partition, batch }, error)),
                }
            }
        }
        let requests = sizes.into_iter().filter(|(_, (_, batches))| !batches.is_empty());
        drained.requests = requests.map(|(node, (_, batches))| (node, batches)).collect();
        drained
    }

    /// A batch is back from the wire.
    pub(super) fn returned(&mut self, (topic, index): &TopicPartition) {
        if let Some(queue) = self.queue(topic, *index) {
            queue.is_on_wire = false;
        }
    }

    fn queue(&mut self, topic: &str, index: i32) -> Option<&mut Queue<T>> {
        let partitions = &mut self.topics.get_mut(*self.places.get(topic)?)?.partitions;
        partitions.get_mut(usize::try_from(index).ok()?)
    }

    /// Puts a batch back that shall be sent again.
    pub(super) fn reenqueue(&mut self, now: u64, mut departed: Departing<T>) {
        departed.batch.attempts += 1;
        departed.batch.tried = Some(now);
        self.put_back(departed);
    }

    /// Puts a batch back before everything that was sent after it.
    pub(super) fn put_back(&mut self, departed: Departing<T>) {
        let Departing { partition: (topic, index), batch } = departed;
        let own = batch.sequence;
        let Some(queue) = self.queue(&topic, index) else { return };
        let goes_behind = |other: &ProducerBatch<T>| match (own, other.sequence) {
            (Some(own), Some(other)) => other.epoch == own.epoch && other.base < own.base,
            _ => false,
        };
        let at = queue.batches.iter().take_while(|other| goes_behind(other)).count();
        queue.batches.insert(at, batch);
    }

    /// Cuts a batch that a broker found too large and puts the parts first.
    pub(super) fn split(&mut self, departed: Departing<T>) -> Result<(), ProducerError> {
        let batch_size = self.bounds.batch_size;
        let Departing { partition: (topic, index), batch } = departed;
        let allocated = batch.allocated;
        let parts = batch.split(batch_size);
        self.done(allocated);
        for part in parts?.into_iter().rev() {
            self.used += part.allocated;
            self.incomplete += 1;
            if let Some(queue) = self.queue(&topic, index) {
                queue.batches.push_front(part);
            }
        }
        Ok(())
    }

    /// A batch is delivered or failed: its memory is free.
    pub(super) fn done(&mut self, allocated: usize) {
        self.used = self.used.saturating_sub(allocated);
        self.incomplete = self.incomplete.saturating_sub(1);
    }

    /// Everything that waits, taken out: the producer cannot go on.
    pub(super) fn take_all(&mut self) -> Vec<Departing<T>> {
        let mut all = Vec::new();
        for queues in &mut self.topics {
            for (index, queue) in (0..).zip(&mut queues.partitions) {
                let name = &queues.name;
                let taken = queue.batches.drain(..);
                all.extend(
                    taken.map(|batch| Departing { partition: (Arc::clone(name), index), batch }),
                );
            }
        }
        all
    }
}

/// How long a batch that was sent before rests: retry.backoff.ms, doubled with each attempt.
fn rests_for<T>(batch: &ProducerBatch<T>, now: u64, bounds: &Bounds) -> u64 {
    let Some(tried) = batch.tried.filter(|_| batch.attempts > 0) else { return 0 };
    let factor = 1_u64.checked_shl(batch.attempts - 1).unwrap_or(u64::MAX);
    let most = bounds.retry_backoff_max.max(bounds.retry_backoff);
    let pause = bounds.retry_backoff.saturating_mul(factor).min(most);
    (tried + pause).saturating_sub(now)
}

/// The estimate of the next batch's ratio: down slowly, up at once.
fn estimated(estimate: Option<f32>, seen: Option<f32>) -> Option<f32> {
    match (estimate, seen) {
        (Some(estimate), Some(seen)) if seen > estimate => Some((estimate + 0.05).max(seen)),
        (Some(estimate), Some(seen)) => Some((estimate - 0.005).max(seen)),
        (estimate, _) => estimate,
    }
}

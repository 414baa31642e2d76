//! What the caller holds: `send` waits for metadata and memory, `flush` and `close` for delivery.
//!
//! Everything that two threads touch is behind one lock, which nobody holds while it waits.

use std::hash::{BuildHasher, RandomState};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use bytes::Bytes;
use protocol::ErrorCode;
use protocol::batch::BatchView;
use tokio::runtime::{Builder, Runtime};
use tokio::sync::Notify;
use tokio::task::JoinHandle;

use super::accumulator::{Accumulator, Appended, Bounds};
use super::error::ProducerError;
use super::record::ProducerRecord;
use super::sender::Sender;
use super::sequences::Sequences;
use super::settings::ProducerSettings;
use super::transactions::Transactions;
use super::verdict::{Answered, error_of};
use crate::Address;
use crate::clock::wall_ms;
use crate::metadata::{Cluster, ClusterView, OnClusterEvent};

/// What became of a batch.
pub struct Delivery<'a> {
    pub topic: &'a str,
    pub partition: i32,
    pub(super) outcome: Outcome,
    pub(super) bytes: Bytes,
}

pub(super) enum Outcome {
    /// The offset of the first record; minus one where the broker told none.
    Delivered(i64),
    Answered(Answered),
    Failed(ProducerError),
}

impl Delivery<'_> {
    /// Why the record at this place of the batch was not delivered; nothing if it was.
    pub fn error(&self, at: usize) -> Option<ProducerError> {
        match &self.outcome {
            Outcome::Delivered(_) => None,
            Outcome::Answered(answered) => Some(error_of(answered, self.topic, at)),
            Outcome::Failed(error) => Some(error.clone()),
        }
    }

    pub fn is_delivered(&self) -> bool {
        matches!(self.outcome, Outcome::Delivered(_))
    }

    /// The offset of the record at this place of the batch, where it is known.
    pub fn offset(&self, at: usize) -> Option<i64> {
        match self.outcome {
            Outcome::Delivered(base) if base >= 0 => Some(base + i64::try_from(at).ok()?),
            _ => None,
        }
    }

    /// The lengths of each record's key and value, read from the batch.
    pub fn lengths(&self) -> Vec<(Option<usize>, Option<usize>)> {
        let read = || {
            let view = BatchView::parse(&self.bytes).ok()?;
            let payload = compression::decompress(view.compression().ok()?, view.payload()).ok()?;
            let header = view.header_copy();
            let records = protocol::batch::Records::new(&header, &payload).ok()?;
            let lengths = records
                .map_while(Result::ok)
                .map(|record| (record.key.map(<[u8]>::len), record.value.map(<[u8]>::len)));
            Some(lengths.collect())
        };
        read().unwrap_or_default()
    }
}

/// Who hears of every batch: the tokens of its records, in order, and what became of them. Called
/// on the producer's thread.
pub type OnDelivery<T> = Box<dyn Fn(Vec<T>, &Delivery<'_>) + Send + Sync>;

/// What the caller's thread and the sender share.
pub(super) struct Shared<T> {
    state: Mutex<State<T>>,
    /// Memory is free, or a batch is done.
    pub(super) freed: Condvar,
    /// The sender has something new to look at.
    pub(super) work: Notify,
    began: Instant,
}

pub(super) struct State<T> {
    pub(super) accumulator: Accumulator<T>,
    /// None for a producer that is not idempotent.
    pub(super) sequences: Option<Sequences>,
    /// Why nothing can be sent any more.
    pub(super) fatal: Option<ProducerError>,
    /// Whether a record of the transaction under way was not delivered.
    pub(super) is_transaction_broken: bool,
}

impl<T> Shared<T> {
    pub(super) fn lock(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn now(&self) -> u64 {
        millis(self.began.elapsed())
    }
}

pub(super) fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

/// A producer. Every thread may send.
pub struct Producer<T: Send + 'static> {
    pub(super) settings: Arc<ProducerSettings>,
    pub(super) shared: Arc<Shared<T>>,
    pub(super) cluster: Cluster,
    pub(super) runtime: Runtime,
    pub(super) transactions: Option<Mutex<Transactions>>,
    sender: Mutex<Option<JoinHandle<()>>>,
    chance: AtomicU32,
}

impl<T: Send + 'static> Producer<T> {
    /// Connects at once, on a thread of its own.
    pub fn new(
        addresses: Vec<Address>,
        settings: ProducerSettings,
        on_event: OnClusterEvent,
        on_delivery: OnDelivery<T>,
    ) -> std::io::Result<Self> {
        let runtime = Builder::new_multi_thread()
            .worker_threads(1)
            .thread_name("kafka-producer-network-thread")
            .enable_all()
            .build()?;
        let settings = Arc::new(settings);
        let shared = Arc::new(Shared {
            state: Mutex::new(State {
                accumulator: Accumulator::new(bounds(&settings)),
                sequences: settings.enable_idempotence.then(Sequences::default),
                fatal: None,
                is_transaction_broken: false,
            }),
            freed: Condvar::new(),
            work: Notify::new(),
            began: Instant::now(),
        });
        let entered = runtime.enter();
        let cluster = Cluster::new(addresses, settings.cluster.clone(), on_event);
        let sender =
            Sender::new(Arc::clone(&shared), Arc::clone(&settings), cluster.clone(), on_delivery);
        let sender = tokio::spawn(sender.run());
        drop(entered);
        let chance = RandomState::new().hash_one(std::process::id());
        let is_transactional = settings.transactional_id.is_some();
        Ok(Self {
            settings,
            shared,
            cluster,
            runtime,
            transactions: is_transactional.then(Mutex::default),
            sender: Mutex::new(Some(sender)),
            chance: AtomicU32::new((chance as u32) | 1),
        })
    }

    /// Hands a record over; waits for metadata and memory, at most max.block.ms. The token of a
    /// record that is refused is dropped.
    pub fn send(&self, record: &ProducerRecord<'_>, token: T) -> Result<(), ProducerError> {
        let began = Instant::now();
        let limit = self.settings.max_block;
        let view = self.known(record, limit)?;
        let Some(topic) = view.topic(record.topic) else {
            return Err(ProducerError::NoTopic {
                topic: record.topic.to_owned(),
                limit_ms: millis(limit),
            });
        };
        let bytes = record.size_bound();
        if bytes > self.settings.max_request_size {
            let limit = self.settings.max_request_size;
            return Err(ProducerError::TooLargeForRequest { bytes, limit });
        }
        if bytes > self.settings.buffer_memory {
            return Err(ProducerError::TooLargeForMemory(bytes));
        }
        let timestamp = record.timestamp.unwrap_or_else(wall_ms);
        let mut token = token;
        let is_transactional = self.transactions.is_some();
        loop {
            let mut state = self.shared.lock();
            let partition = state.accumulator.partition(record, topic, self.chance());
            if is_transactional {
                drop(state);
                self.add_to_transaction(topic, partition)?;
                state = self.shared.lock();
            }
            if state.accumulator.is_closed {
                return Err(ProducerError::Closed);
            }
            if let Some(fatal) = &state.fatal {
                return Err(fatal.clone());
            }
            let times = (self.shared.now(), timestamp);
            let appended =
                state.accumulator.append(record, topic, partition, times, token, is_transactional);
            match appended {
                Appended::Taken { wakes_sender } => {
                    drop(state);
                    if wakes_sender {
                        self.shared.work.notify_one();
                    }
                    return Ok(());
                }
                Appended::NoRoom { token: back, bytes } => {
                    token = back;
                    self.wait_for_room(state, bytes, limit.saturating_sub(began.elapsed()))?;
                }
            }
        }
    }

    fn wait_for_room(
        &self,
        mut state: MutexGuard<'_, State<T>>,
        bytes: usize,
        remaining: Duration,
    ) -> Result<(), ProducerError> {
        state.accumulator.waiting += 1;
        self.shared.work.notify_one();
        let freed = self.shared.freed.wait_timeout_while(state, remaining, |state| {
            state.accumulator.available() < bytes && state.fatal.is_none()
        });
        let (mut state, waited) = freed.unwrap_or_else(PoisonError::into_inner);
        state.accumulator.waiting -= 1;
        match waited.timed_out() {
            false => Ok(()),
            true => Err(ProducerError::NoMemory {
                bytes,
                limit_ms: millis(self.settings.max_block),
                total: self.settings.buffer_memory,
                available: state.accumulator.available(),
                poolable: self.settings.batch_size,
            }),
        }
    }

    /// The cluster, when the record's topic and partition are known.
    fn known(
        &self,
        record: &ProducerRecord<'_>,
        limit: Duration,
    ) -> Result<Arc<ClusterView>, ProducerError> {
        let name = record.topic;
        let invalid = ErrorCode::InvalidTopicException.code();
        let unauthorized = ErrorCode::TopicAuthorizationFailed.code();
        let at = record.partition.map_or(0, |at| usize::try_from(at).unwrap_or(usize::MAX));
        let has =
            |view: &ClusterView| view.topic(name).is_some_and(|topic| at < topic.partitions.len());
        let view = self.cluster.view();
        if has(&view) {
            return Ok(view);
        }
        if view.topic_error(name) == Some(invalid) {
            return Err(ProducerError::InvalidTopic(name.to_owned()));
        }
        self.cluster.add_topic(name);
        if view.topic(name).is_some() {
            self.cluster.request_update();
        }
        let is_final = |code: i16| [invalid, unauthorized].contains(&code);
        let fits = |view: &ClusterView| has(view) || view.topic_error(name).is_some_and(is_final);
        let found = self.runtime.block_on(self.cluster.wait_until(limit, fits));
        let (topic, limit_ms) = (name.to_owned(), millis(limit));
        match found {
            Some(view) if view.topic_error(name) == Some(invalid) => {
                Err(ProducerError::InvalidTopics(topic))
            }
            Some(view) if view.topic_error(name) == Some(unauthorized) => {
                Err(ProducerError::TopicUnauthorized(topic))
            }
            Some(view) => Ok(view),
            None => Err(match self.cluster.view().topic(name) {
                None => ProducerError::NoTopic { topic, limit_ms },
                Some(known) => {
                    let partition = record.partition.unwrap_or_default();
                    let count = known.partitions.len();
                    ProducerError::NoPartition { topic, partition, count, limit_ms }
                }
            }),
        }
    }

    /// Waits until everything that was sent so far is delivered or failed.
    pub fn flush(&self) {
        let mut state = self.shared.lock();
        state.accumulator.flushing += 1;
        self.shared.work.notify_one();
        let done = self.shared.freed.wait_while(state, |state| state.accumulator.incomplete > 0);
        done.unwrap_or_else(PoisonError::into_inner).accumulator.flushing -= 1;
    }

    /// Takes no more records and waits for those under way.
    pub fn close(&self) {
        self.shared.lock().accumulator.is_closed = true;
        self.shared.work.notify_one();
        let sender = self.sender.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(sender) = sender {
            // A sender that panicked has said so.
            let _ = self.runtime.block_on(sender);
        }
    }

    /// A number that nobody expects (xorshift).
    fn chance(&self) -> u32 {
        let mut chance = self.chance.load(Ordering::Relaxed);
        chance ^= chance << 13;
        chance ^= chance >> 17;
        chance ^= chance << 5;
        self.chance.store(chance, Ordering::Relaxed);
        chance >> 1
    }
}

fn bounds(settings: &ProducerSettings) -> Bounds {
    Bounds {
        batch_size: settings.batch_size,
        linger: millis(settings.linger),
        buffer_memory: settings.buffer_memory,
        max_request_size: settings.max_request_size,
        delivery_timeout: millis(settings.delivery_timeout),
        retry_backoff: millis(settings.cluster.retry_backoff),
        retry_backoff_max: millis(settings.cluster.retry_backoff_max),
        codec: settings.compression,
        ignores_keys: settings.partitioner_ignore_keys,
        keeps_order: settings.max_in_flight == 1,
    }
}

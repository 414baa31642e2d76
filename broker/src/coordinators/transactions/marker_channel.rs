//! The markers of transactions on their way to the leaders of partitions.
//!
//! ```text
//! shard ── SendMarkers ──▶ by leader ──▶ one task per broker: all that waits, in one request
//!                 ▲           ├─ no such partition ──▶ it needs none: markers_written
//!                 │           └─ leader not known, or away ─┐       │ answer
//!                 └─────────── after a pause ───────────────┴───────┴─▶ markers_written
//! ```
//! Kept true: a marker is of one load of a shard, whose leader epoch it carries; when that load has
//! ended it is dropped, and the next coordinator sends its own. Nothing is given up otherwise.
//! Answers to `TransactionMarkerChannelManager`.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Duration;

use client::{Address, Peer, PeerSettings};
use coordinator::transaction::{Markers, ProducerIdAndEpoch, TopicPartition, TransactionShard};
use parking_lot::Mutex;
use protocol::messages::write_txn_markers_request::{WritableTxnMarker, WritableTxnMarkerTopic};
use protocol::messages::{ProducerId, TopicName, WriteTxnMarkersRequest};
use protocol::wire::StrBytes;
use raft::image::MetadataImage;
use tokio::sync::mpsc;

use super::marker_answer::{Judged, by_producer, judge};
use crate::coordinators::HostedShard;
use crate::metadata::dynamic_broker_config::DynamicBrokerConfig;
use crate::metadata::metadata_cache::{MetadataCache, node_address};

/// How long what could not be sent or written waits.
const PAUSE: Duration = Duration::from_millis(50);

const LOGGER: &str = "kafka.coordinator.transaction.TransactionMarkerChannelManager";

/// Markers of one transaction for partitions of one leader.
#[derive(Debug)]
struct Entry {
    shard: Arc<HostedShard<TransactionShard>>,
    markers: Markers,
}

/// Where a partition's marker goes.
enum Destination {
    Broker(i32),
    /// The partition has no leader now, or one that is away.
    Unknown,
    /// The partition is no more.
    Nowhere,
}

/// The ways to all brokers.
#[derive(Debug)]
pub(super) struct MarkerChannel {
    config: Arc<DynamicBrokerConfig>,
    metadata: Arc<MetadataCache>,
    /// By broker; nothing once the node stops.
    queues: Mutex<Option<HashMap<i32, mpsc::UnboundedSender<Entry>>>>,
    /// What waits for its next attempt, bounded as the queues are.
    waiting: Mutex<Vec<Entry>>,
}

impl MarkerChannel {
    pub(super) fn new(config: Arc<DynamicBrokerConfig>, metadata: Arc<MetadataCache>) -> Arc<Self> {
        let (queues, waiting) = (Mutex::new(Some(HashMap::new())), Mutex::default());
        Arc::new(Self { config, metadata, queues, waiting })
    }

    /// Sends markers to whoever leads their partitions.
    pub(super) fn send(
        self: &Arc<Self>,
        shard: &Arc<HostedShard<TransactionShard>>,
        markers: Markers,
    ) {
        let image = self.metadata.image();
        let mut by_broker: BTreeMap<i32, BTreeSet<TopicPartition>> = BTreeMap::new();
        let (mut unknown, mut gone) = (BTreeSet::new(), Vec::new());
        for partition in &markers.partitions {
            match self.destination(&image, partition) {
                Destination::Broker(id) => {
                    by_broker.entry(id).or_default().insert(partition.clone());
                }
                Destination::Unknown => {
                    unknown.insert(partition.clone());
                }
                Destination::Nowhere => gone.push(partition.clone()),
            }
        }
        let part = |partitions| Entry {
            shard: Arc::clone(shard),
            markers: Markers { partitions, ..markers.clone() },
        };
        for (id, partitions) in by_broker {
            self.enqueue(id, part(partitions));
        }
        if !unknown.is_empty() {
            self.wait(part(unknown));
        }
        if !gone.is_empty() {
            tracing::info!(
                target: LOGGER,
                "[Transaction Marker Channel Manager {}]: Couldn't find leader endpoint for \
                 partitions {gone:?} while trying to send transaction markers for {}, these \
                 partitions are likely deleted already and hence can be skipped",
                self.config.node_id(),
                markers.transactional_id,
            );
            tell_written(shard, &markers.transactional_id, markers.producer, &gone);
        }
    }

    /// The node stops: nothing is sent any more.
    pub(super) fn shut_down(&self) {
        self.queues.lock().take();
        self.waiting.lock().clear();
    }

    fn destination(&self, image: &MetadataImage, partition: &TopicPartition) -> Destination {
        let topic = image.topics().by_name(&partition.topic);
        let Some(state) = topic.and_then(|topic| topic.partition(partition.partition)) else {
            return Destination::Nowhere;
        };
        match self.address(image, state.leader) {
            Some(_) => Destination::Broker(state.leader),
            None => Destination::Unknown,
        }
    }

    fn address(&self, image: &MetadataImage, id: i32) -> Option<Address> {
        let listener = &self.config.current().inter_broker_listener_name;
        node_address(image, id, listener)
    }

    fn enqueue(self: &Arc<Self>, id: i32, entry: Entry) {
        let mut queues = self.queues.lock();
        let Some(queues) = queues.as_mut() else { return };
        let queue = queues.entry(id).or_insert_with(|| {
            // Bound: a shard gives a transactional id's markers once, and no more before all of
            // these are written.
            let (queue, entries) = mpsc::unbounded_channel();
            tokio::spawn(send_to(Arc::clone(self), id, entries));
            queue
        });
        // Its task ends with the queue.
        let _ = queue.send(entry);
    }

    /// Tries again in a moment; the first to wait wakes all.
    fn wait(self: &Arc<Self>, entry: Entry) {
        let is_first = {
            let mut waiting = self.waiting.lock();
            waiting.push(entry);
            waiting.len() == 1
        };
        if is_first {
            let channel = Arc::clone(self);
            tokio::spawn(async move {
                tokio::time::sleep(PAUSE).await;
                let waited = std::mem::take(&mut *channel.waiting.lock());
                for Entry { shard, markers } in waited {
                    // A load that has ended sends nothing.
                    if shard.act(|_, _, _| ()).is_ok() {
                        channel.send(&shard, markers);
                    }
                }
            });
        }
    }

    fn answered(self: &Arc<Self>, Entry { shard, markers }: Entry, judged: Judged) {
        let Judged { done, again, superseded } = judged;
        let node_id = self.config.node_id();
        if !done.is_empty() {
            tell_written(&shard, &markers.transactional_id, markers.producer, &done);
        }
        if let Some(code) = superseded {
            tracing::info!(
                target: LOGGER,
                "[Transaction Marker Request Completion Handler {node_id}]: Sending {}'s \
                 transaction marker has permanently failed with error {code:?}; cancel sending \
                 any more transaction markers {markers:?} to the brokers",
                markers.transactional_id,
            );
            return;
        }
        if let Some((partition, code)) = again.first() {
            tracing::info!(
                target: LOGGER,
                "[Transaction Marker Request Completion Handler {node_id}]: Sending {}'s \
                 transaction marker for partition {}-{} has failed with error {code:?}, retrying \
                 with current coordinator epoch {}",
                markers.transactional_id,
                partition.topic,
                partition.partition,
                shard.leader_epoch(),
            );
            let partitions = again.into_iter().map(|(partition, _)| partition).collect();
            self.wait(Entry { shard, markers: Markers { partitions, ..markers } });
        }
    }
}

fn tell_written(
    shard: &Arc<HostedShard<TransactionShard>>,
    transactional_id: &StrBytes,
    producer: ProducerIdAndEpoch,
    partitions: &[TopicPartition],
) {
    // A shard that is closed leaves the completion to the next coordinator.
    let _ = shard.act(|shard, now, out| {
        shard.markers_written(transactional_id, producer, partitions, now, out);
    });
}

/// Sends what waits for a broker, one request at a time while the next gathers.
async fn send_to(
    channel: Arc<MarkerChannel>,
    id: i32,
    mut entries: mpsc::UnboundedReceiver<Entry>,
) {
    let mut peer: Option<(Address, Peer)> = None;
    while let Some(first) = entries.recv().await {
        let mut batch = vec![first];
        while let Ok(entry) = entries.try_recv() {
            batch.push(entry);
        }
        let Some(address) = channel.address(&channel.metadata.image(), id) else {
            batch.into_iter().for_each(|entry| channel.wait(entry));
            continue;
        };
        let peer = match &mut peer {
            Some((at, peer)) if *at == address => peer,
            other => {
                let node_id = channel.config.node_id();
                let settings = PeerSettings::new(
                    format!("broker-{node_id}-txn-marker-sender"),
                    format!("[Transaction Marker Channel Manager {node_id}]: "),
                );
                let login = channel.config.current().sasl.inter_broker.clone();
                let settings = settings.of_node(id).logging_in(login);
                &mut other.insert((address.clone(), Peer::new(address, settings))).1
            }
        };
        let ms = u64::try_from(channel.config.current().request_timeout_ms).unwrap_or(0);
        let markers = batch.iter().map(marker).collect();
        let asked = peer.request(WriteTxnMarkersRequest { markers }, Duration::from_millis(ms));
        match asked.await {
            Ok(answer) => {
                let errors = by_producer(answer);
                for entry in batch {
                    let of_producer = errors.get(&entry.markers.producer.producer_id);
                    let judged = judge(&entry.markers.partitions, of_producer);
                    channel.answered(entry, judged);
                }
            }
            // The peer has said why. Whether the markers were written is not known.
            Err(_) => batch.into_iter().for_each(|entry| channel.wait(entry)),
        }
    }
}

fn marker(Entry { shard, markers }: &Entry) -> WritableTxnMarker {
    let mut topics: Vec<WritableTxnMarkerTopic> = Vec::new();
    for TopicPartition { topic, partition } in &markers.partitions {
        match topics.last_mut() {
            Some(last) if *last.name == *topic => last.partition_indexes.push(*partition),
            _ => topics.push(WritableTxnMarkerTopic {
                name: TopicName(topic.clone()),
                partition_indexes: vec![*partition],
            }),
        }
    }
    WritableTxnMarker {
        producer_id: ProducerId(markers.producer.producer_id),
        producer_epoch: markers.producer.producer_epoch,
        transaction_result: markers.is_commit,
        topics,
        coordinator_epoch: shard.leader_epoch(),
        transaction_version: i8::try_from(markers.transaction_version.level()).unwrap_or(0),
    }
}

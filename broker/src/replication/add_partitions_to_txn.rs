//! Asks transaction coordinators whether they know of a transaction before its first records or
//! offsets are taken here, or to add what is written to it (KIP-890).
//!
//! One request at a time goes to each coordinator's broker, with all that gathered meanwhile
//! ([`Verifications`] decides). Answers to Kafka's `AddPartitionsToTxnManager`.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;

use client::{Address, PeerError};
use parking_lot::Mutex;
use protocol::ErrorCode;
use protocol::messages::add_partitions_to_txn_request::{
    AddPartitionsToTxnTopic, AddPartitionsToTxnTransaction,
};
use protocol::messages::{
    AddPartitionsToTxnRequest, AddPartitionsToTxnResponse, ProducerId, TopicName, TransactionalId,
};
use protocol::wire::StrBytes;
use raft::image::MetadataImage;
use replica::{NotAsked, Question, TransactionSupport, Verifications};
use tokio::sync::oneshot;

use crate::metadata::broker_peers::BrokerPeers;
use crate::metadata::dynamic_broker_config::DynamicBrokerConfig;
use crate::metadata::metadata_cache::MetadataCache;

/// The transaction coordinator's topic.
pub(crate) const TOPIC: &str = "__transaction_state";
/// From this version on a request is a broker's.
const FIRST_OF_BROKERS: i16 = 4;

/// A topic and a partition.
pub(crate) type Place = (Arc<str>, i32);
/// The partitions that are not in the transaction, with what a client is told.
pub(crate) type Unverified = HashMap<Place, ErrorCode>;

/// Which transaction asks, and on whose behalf.
#[derive(Debug, Clone)]
pub(crate) struct Transaction {
    pub(crate) transactional_id: Arc<str>,
    pub(crate) producer_id: i64,
    pub(crate) producer_epoch: i16,
    pub(crate) support: TransactionSupport,
}

/// Who waits, and how errors are told there.
#[derive(Debug)]
struct Waiter {
    support: TransactionSupport,
    answer: oneshot::Sender<Unverified>,
}

type Node = (i32, Address);
type Asked = replica::Asked<Arc<str>, Waiter>;

/// The questions of this broker to transaction coordinators.
#[derive(Debug)]
pub(crate) struct AddPartitionsToTxn {
    config: Arc<DynamicBrokerConfig>,
    metadata: Arc<MetadataCache>,
    verifications: Mutex<Verifications<Node, Arc<str>, Waiter>>,
    peers: BrokerPeers,
}

impl AddPartitionsToTxn {
    pub(crate) fn new(config: Arc<DynamicBrokerConfig>, metadata: Arc<MetadataCache>) -> Self {
        let prefix = format!("[AddPartitionsToTxnSenderThread-{}]: ", config.node_id());
        let peers = BrokerPeers::new(Arc::clone(&config), prefix);
        Self { config, metadata, verifications: Mutex::default(), peers }
    }

    /// Whether a transaction of such a client is looked into at all.
    pub(crate) fn is_asked(&self, support: TransactionSupport) -> bool {
        support.adds_partitions() || self.config.current().transaction_partition_verification_enable
    }

    /// Between attempts to add partitions while the transaction before is being completed, and how
    /// long there are more.
    pub(crate) fn retries(&self) -> (Duration, Duration) {
        let config = self.config.current();
        let most = config.add_partitions_to_txn_retry_backoff_max_ms.min(config.request_timeout_ms);
        (ms(config.add_partitions_to_txn_retry_backoff_ms), ms(most))
    }

    /// Adds the partitions to the transaction, or asks whether they are in it.
    pub(crate) async fn add_or_verify(
        self: &Arc<Self>,
        transaction: &Transaction,
        places: &[Place],
    ) -> Unverified {
        let Some(node) = self.coordinator_of(&transaction.transactional_id) else {
            return all(places, ErrorCode::CoordinatorNotAvailable);
        };
        let (answer, answered) = oneshot::channel();
        let waiter = Waiter { support: transaction.support, answer };
        let question = question(transaction, places);
        let replaced = self.verifications.lock().ask(node.clone(), question, waiter);
        if let Some(((question, waiter), why)) = replaced {
            let code = match why {
                NotAsked::Fenced => ErrorCode::InvalidProducerEpoch,
                // The client that asked has given up, and is told what makes it ask again.
                NotAsked::Repeated => ErrorCode::NetworkException,
            };
            waiter.tell(all(&places_of(&question), code));
        }
        tokio::spawn(Arc::clone(self).send(node));
        // A sender that ended has left the question unanswered.
        answered.await.unwrap_or_else(|_| all(places, ErrorCode::NetworkException))
    }

    /// The broker that leads the transaction's partition of the coordinator's topic.
    fn coordinator_of(&self, transactional_id: &str) -> Option<Node> {
        let image = self.metadata.image();
        let topic = image.topics().by_name(TOPIC)?;
        let partitions = i32::try_from(topic.partitions().len()).ok()?;
        let partition = coordinator::partition_of(transactional_id, partitions);
        self.node(&image, topic.partition(partition)?.leader)
    }

    fn node(&self, image: &MetadataImage, id: i32) -> Option<Node> {
        Some((id, self.peers.address(image, id)?))
    }

    /// Sends what waits for this node, until nothing does.
    async fn send(self: Arc<Self>, node: Node) {
        let timeout = ms(self.config.current().request_timeout_ms);
        loop {
            let asked = self.verifications.lock().take(&node);
            if asked.is_empty() {
                return;
            }
            let transactions = asked.iter().map(|(question, _)| transaction(question)).collect();
            let request = AddPartitionsToTxnRequest::default().with_transactions(transactions);
            let versions = FIRST_OF_BROKERS..=i16::MAX;
            let peer = self.peers.at(node.0, &node.1);
            let answered = peer.request_with(versions, move |_| request, timeout).await;
            self.verifications.lock().done(&node);
            tell(&node, asked, answered);
        }
    }
}

impl Waiter {
    fn tell(self, unverified: Unverified) {
        // The client may be gone.
        let _ = self.answer.send(unverified);
    }
}

/// What each question comes to.
fn tell(
    (node, _): &Node,
    asked: Vec<Asked>,
    answered: Result<AddPartitionsToTxnResponse, PeerError>,
) {
    let code = match answered {
        Ok(response) if response.error_code == 0 => return tell_each(asked, response),
        Ok(response) => {
            let code = ErrorCode::try_from_code(response.error_code);
            tracing::error!(
                target: "org.apache.kafka.server.transaction.AddPartitionsToTxnManager",
                "AddPartitionsToTxnRequest for node {node} returned with error {code:?}.",
            );
            match code.unwrap_or(ErrorCode::UnknownServerError) {
                // Not the client's business; that nothing was verified is.
                ErrorCode::ClusterAuthorizationFailed => ErrorCode::InvalidTxnState,
                other => other,
            }
        }
        Err(PeerError::UnsupportedVersion { .. }) => {
            tracing::warn!(
                target: "org.apache.kafka.server.transaction.AddPartitionsToTxnManager",
                "AddPartitionsToTxnRequest failed for node {node} with invalid version exception. \
                 This suggests verification is not supported. Continuing handling the produce \
                 request.",
            );
            return asked.into_iter().for_each(|(_, waiter)| waiter.tell(Unverified::new()));
        }
        Err(error) => {
            tracing::warn!(
                target: "org.apache.kafka.server.transaction.AddPartitionsToTxnManager",
                "AddPartitionsToTxnRequest failed for node {node} with a network exception: \
                 {error}",
            );
            ErrorCode::NetworkException
        }
    };
    for (question, waiter) in asked {
        waiter.tell(all(&places_of(&question), code));
    }
}

fn tell_each(asked: Vec<Asked>, response: AddPartitionsToTxnResponse) {
    let mut waiters: HashMap<Arc<str>, Asked> =
        asked.into_iter().map(|asked| (Arc::clone(&asked.0.transactional_id), asked)).collect();
    for result in response.results_by_transaction {
        let Some((_, waiter)) = waiters.remove(&**result.transactional_id) else { continue };
        let mut unverified = Unverified::new();
        for topic in result.topic_results {
            let name: Arc<str> = Arc::from(topic.name.as_str());
            for partition in topic.results_by_partition {
                if let Some(code) = ErrorCode::try_from_code(partition.partition_error_code) {
                    let place = (Arc::clone(&name), partition.partition_index);
                    unverified.insert(place, waiter.support.told(code));
                }
            }
        }
        waiter.tell(unverified);
    }
    // What the answer leaves out nobody has confirmed.
    for (question, waiter) in waiters.into_values() {
        waiter.tell(all(&places_of(&question), ErrorCode::NetworkException));
    }
}

fn question(transaction: &Transaction, places: &[Place]) -> Question<Arc<str>> {
    let mut topics: BTreeMap<Arc<str>, Vec<i32>> = BTreeMap::new();
    for (topic, partition) in places {
        topics.entry(Arc::clone(topic)).or_default().push(*partition);
    }
    Question {
        transactional_id: Arc::clone(&transaction.transactional_id),
        producer_id: transaction.producer_id,
        producer_epoch: transaction.producer_epoch,
        verify_only: !transaction.support.adds_partitions(),
        topics,
    }
}

fn places_of(question: &Question<Arc<str>>) -> Vec<Place> {
    let of_topic = |(topic, partitions): (&Arc<str>, &Vec<i32>)| {
        let topic = Arc::clone(topic);
        partitions.clone().into_iter().map(move |partition| (Arc::clone(&topic), partition))
    };
    question.topics.iter().flat_map(of_topic).collect()
}

fn all(places: &[Place], code: ErrorCode) -> Unverified {
    places.iter().map(|place| (place.clone(), code)).collect()
}

fn transaction(question: &Question<Arc<str>>) -> AddPartitionsToTxnTransaction {
    let text = |text: &Arc<str>| StrBytes::from_string(text.to_string());
    let topics = question.topics.iter().map(|(topic, partitions)| {
        AddPartitionsToTxnTopic::default()
            .with_name(TopicName(text(topic)))
            .with_partitions(partitions.clone())
    });
    AddPartitionsToTxnTransaction::default()
        .with_transactional_id(TransactionalId(text(&question.transactional_id)))
        .with_producer_id(ProducerId(question.producer_id))
        .with_producer_epoch(question.producer_epoch)
        .with_verify_only(question.verify_only)
        .with_topics(topics.collect())
}

fn ms(ms: i32) -> Duration {
    Duration::from_millis(u64::try_from(ms).unwrap_or(0))
}

//! TxnOffsetCommit: a producer commits offsets with its transaction. What the sender may not read
//! and what is not there is refused here; the rest goes to the group's shard when the transaction
//! coordinator knows of the transaction. Kafka: `KafkaApis.handleTxnOffsetCommitRequest`.

use std::sync::Arc;

use coordinator::group::{CommitAnswer, CommittedTopic};
use coordinator::runtime::Producer;
use protocol::ErrorCode;
use protocol::messages::txn_offset_commit_request::TxnOffsetCommitRequestTopic;
use protocol::messages::txn_offset_commit_response::{
    TxnOffsetCommitResponsePartition, TxnOffsetCommitResponseTopic,
};
use protocol::messages::{TopicName, TxnOffsetCommitRequest, TxnOffsetCommitResponse};
use replica::TransactionSupport;
use storage::VerificationGuard;

use crate::coordinators::groups::{self, Groups};
use crate::metadata::metadata_cache::MetadataCache;
use crate::replication::add_partitions_to_txn::{AddPartitionsToTxn, Place, Transaction};
use crate::replication::replica_manager::ReplicaManager;
use crate::replication::transaction_verification::Verification;
use crate::requests::authorizer::{Operation, Resource};
use crate::requests::context::RequestContext;
use crate::requests::error_map;
use crate::requests::reply::CloseConnection;

/// Older clients do not expect to hear that the coordinator is loading (KAFKA-7296).
const FIRST_THAT_KNOWS_OF_LOADING: i16 = 2;
/// In the coordinator's log nothing is in sequence.
const NO_SEQUENCE: i32 = -1;

pub(crate) async fn handle(
    metadata: &MetadataCache,
    replicas: &ReplicaManager,
    groups: &Groups,
    asks: &Arc<AddPartitionsToTxn>,
    context: &RequestContext,
    mut request: TxnOffsetCommitRequest,
) -> Result<TxnOffsetCommitResponse, CloseConnection> {
    let mut response = Response::default();
    let id = Resource::TransactionalId(&request.transactional_id);
    let denied = if !context.authorize(Operation::Write, id) {
        Some(ErrorCode::TransactionalIdAuthorizationFailed)
    } else if !context.authorize(Operation::Read, Resource::Group(&request.group_id)) {
        Some(ErrorCode::GroupAuthorizationFailed)
    } else {
        None
    };
    if let Some(code) = denied {
        response.refuse(&request.topics, code);
        return Ok(response.finish(context.api_version));
    }
    request.topics = known(metadata, context, &mut response, request.topics);
    if !request.topics.is_empty() {
        match commit(metadata, replicas, groups, asks, context.api_version, &request).await {
            Ok(topics) => response.committed(topics),
            Err(code) => response.refuse(&request.topics, code),
        }
    }
    Ok(response.finish(context.api_version))
}

/// The topics and partitions that exist, and that the sender may read.
fn known(
    metadata: &MetadataCache,
    context: &RequestContext,
    response: &mut Response,
    topics: Vec<TxnOffsetCommitRequestTopic>,
) -> Vec<TxnOffsetCommitRequestTopic> {
    let image = metadata.image();
    let mut known = Vec::with_capacity(topics.len());
    for mut topic in topics {
        let name = topic.name.clone();
        if !context.authorize(Operation::Read, Resource::Topic(&name)) {
            response.refuse(&[topic], ErrorCode::TopicAuthorizationFailed);
            continue;
        }
        let found = image.topics().by_name(&name);
        topic.partitions.retain(|partition| {
            let index = partition.partition_index;
            let exists = found.is_some_and(|found| found.partition(index).is_some());
            if !exists {
                response.add(&name, index, ErrorCode::UnknownTopicOrPartition.code());
            }
            exists
        });
        if !topic.partitions.is_empty() {
            known.push(topic);
        }
    }
    known
}

async fn commit(
    metadata: &MetadataCache,
    replicas: &ReplicaManager,
    groups: &Groups,
    asks: &Arc<AddPartitionsToTxn>,
    api_version: i16,
    request: &TxnOffsetCommitRequest,
) -> Result<Vec<CommittedTopic>, ErrorCode> {
    if request.group_id.is_empty() {
        return Err(ErrorCode::InvalidGroupId);
    }
    let partition = groups.partition_of(&request.group_id, &metadata.image());
    let guard = verify(replicas, asks, api_version, request, partition).await?;
    let producer = Producer { id: request.producer_id.0, epoch: request.producer_epoch };
    let committed: CommitAnswer = async {
        let shard = groups.shard(partition)?;
        let parked = shard.ask_in_transaction(producer, guard, |shard, reply, now, out| {
            shard.commit_offsets_in_transaction(request, reply, now, out);
        })?;
        groups.within_commit_timeout(parked).await?
    }
    .await;
    committed.map_err(|error| error_map::groups::code(&error))
}

/// That the transaction coordinator knows of the group's partition in this transaction.
async fn verify(
    replicas: &ReplicaManager,
    asks: &Arc<AddPartitionsToTxn>,
    api_version: i16,
    request: &TxnOffsetCommitRequest,
    partition: i32,
) -> Result<VerificationGuard, ErrorCode> {
    let support = TransactionSupport::of_offset_commit(api_version);
    if !asks.is_asked(support) {
        return Ok(VerificationGuard::NONE);
    }
    let transaction = Transaction {
        transactional_id: Arc::from(request.transactional_id.as_str()),
        producer_id: request.producer_id.0,
        producer_epoch: request.producer_epoch,
        support,
    };
    let place: Place = (Arc::from(groups::TOPIC), partition);
    let places = [(place, NO_SEQUENCE)];
    let mut verification = Verification::begin(replicas, &transaction, &places);
    if verification.is_needed() {
        verification = verification.ask(asks, &transaction).await;
    }
    verification.of(&places[0].0).map_err(error_map::groups::unverified_code)
}

/// A response that grows partition by partition, one entry for each topic.
#[derive(Default)]
struct Response {
    topics: Vec<TxnOffsetCommitResponseTopic>,
}

impl Response {
    fn add(&mut self, topic: &TopicName, partition: i32, code: i16) {
        // What belongs to one topic comes together, so the last entry is it mostly.
        let at = self.topics.iter().rposition(|added| added.name == *topic);
        let at = at.unwrap_or_else(|| {
            self.topics.push(TxnOffsetCommitResponseTopic::default().with_name(topic.clone()));
            self.topics.len() - 1
        });
        let entry = TxnOffsetCommitResponsePartition::default()
            .with_partition_index(partition)
            .with_error_code(code);
        self.topics[at].partitions.push(entry);
    }

    fn committed(&mut self, topics: Vec<CommittedTopic>) {
        for topic in topics {
            let name = TopicName(topic.topic);
            for (partition, error) in topic.partitions {
                self.add(&name, partition, error_map::groups::code_or_none(error.as_ref()));
            }
        }
    }

    fn refuse(&mut self, topics: &[TxnOffsetCommitRequestTopic], code: ErrorCode) {
        for topic in topics {
            for partition in &topic.partitions {
                self.add(&topic.name, partition.partition_index, code.code());
            }
        }
    }

    fn finish(mut self, api_version: i16) -> TxnOffsetCommitResponse {
        if api_version < FIRST_THAT_KNOWS_OF_LOADING {
            let partitions = self.topics.iter_mut().flat_map(|topic| &mut topic.partitions);
            for partition in partitions {
                if partition.error_code == ErrorCode::CoordinatorLoadInProgress.code() {
                    partition.error_code = ErrorCode::CoordinatorNotAvailable.code();
                }
            }
        }
        TxnOffsetCommitResponse::default().with_topics(self.topics)
    }
}

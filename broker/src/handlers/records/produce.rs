//! Produce: records in, offsets out.
//!
//! The only API whose requests overlap on one connection: `begin` appends to every partition before
//! it returns, so the order of the requests is the order in the logs; what remains is to wait for
//! the in-sync replicas. The first batch of a transaction waits for its coordinator's word before
//! it is appended, and what comes behind it on the connection waits with it. Kafka:
//! `KafkaApis.handleProduceRequest`, `ReplicaManager.handleProduceAppend`.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use protocol::ErrorCode;
use protocol::leader_hint::{CurrentLeader, NodeEndpoint};
use protocol::produce::{
    PartitionResponse, ProduceRequest, ProducedPartition, ProducedTopic, TopicResponse,
    encode_response,
};
use replica::{Acks, Answer, Origin, TransactionSupport};
use storage::TransactionTerms;
use uuid::Uuid;

use super::offered::{Offered, look_at_all, note, places, transaction_of, unverified};
use super::produce_topics::{name_of, refused_topic};
use crate::clock::wall_ms;
use crate::metadata::metadata_cache::MetadataCache;
use crate::metadata::metadata_cache::is_internal;
use crate::partitions::{Committing, HostedPartition};
use crate::replication::add_partitions_to_txn::AddPartitionsToTxn;
use crate::replication::replica_manager::ReplicaManager;
use crate::replication::transaction_verification::Verification;
use crate::requests::authorizer::{Operation, Resource};
use crate::requests::context::RequestContext;
use crate::requests::error_map::{self, Refusal};
use crate::requests::reply::{Later, Reply};

/// First version whose answers name the leader.
const FIRST_WITH_LEADER: i16 = 10;
/// The client id of Kafka's own admin tools, which may write to internal topics.
const ADMIN_CLIENT: &str = "__admin_client";

/// One topic of the answer.
struct TopicAnswer {
    name: String,
    topic_id: Uuid,
    partitions: Vec<PartitionResponse>,
}

/// An append whose answer waits for something, by its place in the answer.
struct Awaited {
    topic: usize,
    partition: usize,
    wait: Wait,
}

/// What an append waits for.
struct Wait {
    hosted: Arc<HostedPartition>,
    /// Set when flush.messages says that the log is synced first: up to here.
    flush_up_to: Option<i64>,
    /// Set when the in-sync replicas do not have the records yet.
    committed: Option<Committing>,
}

/// What comes of a request as it arrives.
pub(crate) enum Begun {
    /// It is appended, or refused: its answer.
    Answered(Reply),
    /// It is appended; its answer waits for the replicas.
    Appended(Later),
    /// It begins a transaction somewhere, and is appended when the coordinator knows of that.
    Unverified(Later),
}

impl From<Result<Reply, Later>> for Begun {
    fn from(appended: Result<Reply, Later>) -> Self {
        match appended {
            Ok(reply) => Self::Answered(reply),
            Err(later) => Self::Appended(later),
        }
    }
}

/// Appends and answers, or tells what that waits for.
pub(crate) fn begin(
    metadata: &Arc<MetadataCache>,
    replicas: &Arc<ReplicaManager>,
    asks: &Arc<AddPartitionsToTxn>,
    context: RequestContext,
    body: Bytes,
) -> Begun {
    let request = match ProduceRequest::parse(body, context.api_version) {
        Ok(request) => request,
        Err(error) => {
            let fault = format!("Produce v{}: {error}", context.api_version);
            return Begun::Answered(Reply::fault(fault));
        }
    };
    let offered = look_at_all(&context, &request);
    if !offered.iter().any(|offered| offered.transactional) {
        return append(metadata, replicas, context, &request, offered, None).into();
    }
    if is_denied(&context, &request) {
        let denied = Some(ErrorCode::TransactionalIdAuthorizationFailed);
        return append(metadata, replicas, context, &request, offered, denied).into();
    }
    begin_in_transaction(metadata, replicas, asks, context, request, offered)
}

/// As [`begin`], where a batch is part of a transaction.
fn begin_in_transaction(
    metadata: &Arc<MetadataCache>,
    replicas: &Arc<ReplicaManager>,
    asks: &Arc<AddPartitionsToTxn>,
    context: RequestContext,
    request: ProduceRequest,
    mut offered: Vec<Offered>,
) -> Begun {
    let support = TransactionSupport::of_produce(context.api_version);
    let begun = match transaction_of(&request, &offered, support) {
        Ok(begun) => begun,
        Err(code) => {
            return append(metadata, replicas, context, &request, offered, Some(code)).into();
        }
    };
    let Some(transaction) = begun.filter(|_| asks.is_asked(support)) else {
        return append(metadata, replicas, context, &request, offered, None).into();
    };
    let (positions, places) = places(replicas, &context, &request, &offered);
    let verification = Verification::begin(replicas, &transaction, &places);
    if !verification.is_needed() {
        note(&mut offered, &positions, &places, &verification);
        return append(metadata, replicas, context, &request, offered, None).into();
    }
    let (metadata, replicas) = (Arc::clone(metadata), Arc::clone(replicas));
    let asks = Arc::clone(asks);
    Begun::Unverified(Box::pin(async move {
        let verified = verification.ask_again(&asks, &replicas, &transaction, &places).await;
        note(&mut offered, &positions, &places, &verified);
        match append(&metadata, &replicas, context, &request, offered, None) {
            Ok(reply) => reply,
            Err(later) => later.await,
        }
    }))
}

fn append(
    metadata: &Arc<MetadataCache>,
    replicas: &Arc<ReplicaManager>,
    context: RequestContext,
    request: &ProduceRequest,
    offered: Vec<Offered>,
    refused: Option<ErrorCode>,
) -> Result<Reply, Later> {
    let mut answers = Vec::with_capacity(request.topic_count());
    let mut awaited = Vec::new();
    let mut offered = offered.into_iter();
    for topic in request.topics() {
        let place = (answers.len(), refused);
        let (answer, waits) = append_topic(replicas, &context, request, topic, &mut offered, place);
        answers.push(answer);
        awaited.extend(waits);
    }
    if awaited.is_empty() {
        return Ok(reply(metadata, &context, request.acks, &mut answers));
    }
    let timeout = Duration::from_millis(u64::try_from(request.timeout_ms).unwrap_or(0));
    let (metadata, replicas) = (Arc::clone(metadata), Arc::clone(replicas));
    let acks = request.acks;
    Err(Box::pin(async move {
        settle(&replicas, &mut answers, awaited, timeout).await;
        reply(&metadata, &context, acks, &mut answers)
    }))
}

fn append_topic(
    replicas: &ReplicaManager,
    context: &RequestContext,
    request: &ProduceRequest,
    topic: ProducedTopic<'_>,
    offered: &mut impl Iterator<Item = Offered>,
    (position, refused_request): (usize, Option<ErrorCode>),
) -> (TopicAnswer, Vec<Awaited>) {
    let name = name_of(replicas, context, &topic);
    let refused_whole =
        refused_request.or_else(|| refused_topic(context, &name, topic.partitions.len()));
    let mut partitions = Vec::with_capacity(topic.partitions.len());
    let mut awaited = Vec::new();
    for (data, offered) in topic.partitions.zip(offered) {
        let index = data.index;
        let appended = match refused_whole {
            Some(code) => Err(Refusal::of(code)),
            None => append_partition(replicas, context, request, &name, data, offered),
        };
        match appended {
            Ok((response, wait)) => {
                let partition = partitions.len();
                awaited.extend(wait.map(|wait| Awaited { topic: position, partition, wait }));
                partitions.push(response);
            }
            Err(refusal) => partitions.push(refusal.into_response(index)),
        }
    }
    (TopicAnswer { name, topic_id: topic.topic_id, partitions }, awaited)
}

type Appended = (PartitionResponse, Option<Wait>);

fn append_partition(
    replicas: &ReplicaManager,
    context: &RequestContext,
    request: &ProduceRequest,
    topic: &str,
    data: ProducedPartition,
    offered: Offered,
) -> Result<Appended, Refusal> {
    let partition = replicas.partition(topic, data.index)?;
    // Bytes behind the batch that are no whole batch are left out, as Kafka does.
    let records = data.records.unwrap_or_default().slice(..offered.batch_bytes?);
    let guard = offered
        .verified
        .map_err(|code| unverified(code, TransactionSupport::of_produce(context.api_version)))?;
    if is_internal(topic) && context.client_id.as_str() != ADMIN_CLIENT {
        return Err(Refusal::of(ErrorCode::InvalidTopicException));
    }
    let acks = match request.acks {
        0 | 1 => Acks::Leader,
        -1 => Acks::All,
        _ => return Err(Refusal::of(ErrorCode::InvalidRequiredAcks)),
    };
    let now_ms = wall_ms();
    let transaction = TransactionTerms { guard, ..TransactionTerms::default() };
    match partition.append_in_transaction(&records, acks, now_ms, Origin::Client, transaction) {
        Ok(appending) => {
            let appended = &appending.appended;
            let response = PartitionResponse::appended(
                data.index,
                appended.base_offset,
                appended.log_append_time,
                appended.log_start_offset,
            );
            let flush_up_to = appended.must_flush.then_some(appended.last_offset + 1);
            let committed = appending.committed;
            let waits = flush_up_to.is_some() || committed.is_some();
            let wait = waits.then(|| Wait { hosted: partition, flush_up_to, committed });
            Ok((response, wait))
        }
        Err(refused) => {
            let refusal = refused_append(replicas, &partition, &refused);
            let metrics = replicas.context.metrics();
            metrics.append_refused(partition.topic_metrics(), records.len(), refusal.code);
            Err(refusal)
        }
    }
}

fn refused_append(
    replicas: &ReplicaManager,
    partition: &HostedPartition,
    refused: &crate::partitions::AppendRefused,
) -> Refusal {
    replicas.note_append_failure(refused);
    let refusal = error_map::refused_append(refused, partition.published().log_start_offset());
    tracing::info!(
        target: "kafka.server.ReplicaManager",
        "Error processing append operation on partition {}-{}: {}",
        partition.topic(),
        partition.partition(),
        refusal.reason(),
    );
    refusal
}

/// Transactional batches need the right to write under the request's transactional id; without it
/// the whole request is refused.
fn is_denied(context: &RequestContext, request: &ProduceRequest) -> bool {
    request
        .transactional_id
        .as_ref()
        .is_none_or(|id| !context.authorize(Operation::Write, Resource::TransactionalId(id)))
}

async fn settle(
    replicas: &ReplicaManager,
    answers: &mut [TopicAnswer],
    awaited: Vec<Awaited>,
    timeout: Duration,
) {
    let deadline = tokio::time::Instant::now() + timeout;
    for Awaited { topic, partition, mut wait } in awaited {
        let code = match tokio::time::timeout_at(deadline, wait_for(replicas, &mut wait)).await {
            Ok(Ok(())) => continue,
            Ok(Err(code)) => code,
            Err(_) => {
                if let Some(committed) = &wait.committed {
                    wait.hosted.forget(committed);
                }
                ErrorCode::RequestTimedOut
            }
        };
        if let Some(response) = answers.get_mut(topic).and_then(|t| t.partitions.get_mut(partition))
        {
            *response = PartitionResponse::failed(response.index, code.code());
        }
    }
}

async fn wait_for(replicas: &ReplicaManager, wait: &mut Wait) -> Result<(), ErrorCode> {
    if let Some(end_offset) = wait.flush_up_to
        && let Err(error) = wait.hosted.flush_up_to(end_offset, wall_ms()).await
    {
        replicas.note_storage_failure(&error);
        return Err(error_map::storage_error(&error));
    }
    let Some(committed) = &mut wait.committed else { return Ok(()) };
    match (&mut committed.answer).await {
        Ok(Answer::Committed) => Ok(()),
        Ok(Answer::TooFewInSync) => Err(ErrorCode::NotEnoughReplicasAfterAppend),
        Ok(Answer::NoLongerLeader) | Err(_) => Err(wait.hosted.why_not_leader()),
    }
}

fn reply(
    metadata: &MetadataCache,
    context: &RequestContext,
    acks: i16,
    answers: &mut [TopicAnswer],
) -> Reply {
    context.count_errors(|count| {
        let partitions = answers.iter().flat_map(|answer| &answer.partitions);
        partitions.for_each(|partition| count(partition.error_code));
    });
    if acks == 0 {
        return without_acks(context, answers);
    }
    let endpoints = name_leaders(metadata, context, answers);
    let throttle = context.throttle();
    let topics = answers.iter().map(|answer| TopicResponse {
        name: &answer.name,
        topic_id: answer.topic_id,
        partitions: &answer.partitions,
    });
    let mut out = BytesMut::with_capacity(256);
    let encoded = encode_response(
        &mut out,
        context.api_version,
        context.correlation_id,
        topics,
        throttle.as_ms(),
        &endpoints,
    );
    match encoded {
        Ok(()) => Reply::Frame(out.freeze()).throttled(throttle),
        Err(error) => Reply::fault(error.to_string()),
    }
}

/// With acks=0 the client reads no answer, and is not held back for its requests; the end of the
/// connection tells it that something failed.
fn without_acks(context: &RequestContext, answers: &[TopicAnswer]) -> Reply {
    let failed = answers
        .iter()
        .flat_map(|topic| topic.partitions.iter().map(move |partition| (&topic.name, partition)))
        .find(|(_, partition)| partition.error_code != 0);
    let Some((topic, partition)) = failed else { return Reply::Nothing };
    Reply::fault(format!(
        "error {} on {topic}-{} in a produce request with acks=0 (correlation id {}, client id {})",
        partition.error_code, partition.index, context.correlation_id, context.client_id,
    ))
}

/// Where somebody else leads, tells who and where (KIP-951).
fn name_leaders(
    metadata: &MetadataCache,
    context: &RequestContext,
    answers: &mut [TopicAnswer],
) -> Vec<NodeEndpoint> {
    let mut endpoints: Vec<NodeEndpoint> = Vec::new();
    if context.api_version < FIRST_WITH_LEADER {
        return endpoints;
    }
    for answer in answers {
        for partition in &mut answer.partitions {
            if partition.error_code != ErrorCode::NotLeaderOrFollower.code() {
                continue;
            }
            let (leader, endpoint) =
                metadata.current_leader(&answer.name, partition.index, &context.client.listener);
            partition.current_leader = leader;
            endpoints.extend(endpoint.filter(|e| endpoints.iter().all(|k| k.node_id != e.node_id)));
        }
    }
    endpoints
}

impl Refusal {
    fn into_response(self, index: i32) -> PartitionResponse {
        PartitionResponse {
            record_errors: self.record_errors,
            error_message: self.message.map(Cow::Owned),
            log_start_offset: self.log_start_offset,
            current_leader: CurrentLeader::UNKNOWN,
            ..PartitionResponse::failed(index, self.code.code())
        }
    }
}

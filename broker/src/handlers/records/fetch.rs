//! Fetch: what a client asks is resolved against its session, read, waited for if there is too
//! little, and told as far as the session says it must be.
//!
//! Kafka: `KafkaApis.handleFetchRequest`, `FetchManager`. KIP-227 (sessions), 516 (topic ids from
//! 13 on), 951 (current leader from 16 on).

use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use protocol::ErrorCode;
use protocol::fetch::{FetchResponse, PartitionResponse, TopicResponse};
use protocol::leader_hint::NodeEndpoint;
use protocol::messages::FetchRequest;
use protocol::wire::{Decodable, StrBytes};
use replica::{Answered, FetchIsolation, NO_SESSION, Requested};
use uuid::Uuid;

use super::fetch_access::Access;
use crate::clock::{monotonic_ms, wall_ms};
use crate::metadata::dynamic_broker_config::DynamicBrokerConfig;
use crate::metadata::metadata_cache::MetadataCache;
use crate::partitions::PartitionKey;
use crate::replication::fetch_session::{FetchSessions, Opened, SharedSession};
use crate::replication::fetching::{self, FetchParams, FetchedPartition, Follower, Nearby};
use crate::replication::replica_manager::ReplicaManager;
use crate::requests::context::RequestContext;
use crate::requests::reply::Reply;
use crate::requests::throttle::ThrottleTime;

/// Replica id of a client.
const CONSUMER: i32 = -1;
/// First version that carries topic ids, not names.
const FIRST_WITH_IDS: i16 = 13;
/// First version whose client may read from a replica that does not lead.
const FIRST_WITH_RACK: i16 = 11;
/// Last version whose clients may not know that a log directory can be offline.
const LAST_WITHOUT_STORAGE_ERROR: i16 = 5;
/// First version whose answers name the leader.
const FIRST_WITH_LEADER: i16 = 16;
/// First version in which the follower says who it is in a tagged field.
const FIRST_WITH_REPLICA_STATE: i16 = 15;

/// Decodes the request and answers it with slices of the segments.
pub(crate) async fn begin(
    config: &DynamicBrokerConfig,
    metadata: &MetadataCache,
    replicas: &Arc<ReplicaManager>,
    fetch_sessions: &FetchSessions,
    context: &RequestContext,
    mut body: Bytes,
) -> Reply {
    let version = context.api_version;
    match FetchRequest::decode(&mut body, version) {
        Ok(request) => handle(config, metadata, replicas, fetch_sessions, context, request).await,
        Err(error) => Reply::fault(format!("Fetch v{version}: {error}")),
    }
}

async fn handle(
    config: &DynamicBrokerConfig,
    metadata: &MetadataCache,
    replicas: &Arc<ReplicaManager>,
    fetch_sessions: &FetchSessions,
    context: &RequestContext,
    request: FetchRequest,
) -> Reply {
    let uses_topic_ids = context.api_version >= FIRST_WITH_IDS;
    let replica_id = replica_id(&request, context.api_version);
    if replica_id >= 0 {
        context.client.follows();
    }
    // Followers are held back by partition alone.
    let throttle = || if replica_id >= 0 { ThrottleTime::NONE } else { context.throttle() };
    if !matches!(request.isolation_level, 0 | 1) {
        // Kafka stumbles over an isolation level that does not exist.
        return refused(context, throttle(), ErrorCode::UnknownServerError);
    }
    let now_ms = wall_ms();
    let asked = requested(&request);
    let changed: Vec<PartitionKey> = asked.iter().map(|(key, _)| key.clone()).collect();
    let opened = fetch_sessions.open(
        (request.session_id, request.session_epoch),
        uses_topic_ids,
        asked,
        &forgotten(&request),
        now_ms,
    );
    let opened = match opened {
        Ok(opened) => opened,
        Err(code) => return refused(context, throttle(), code),
    };
    let params = params(config, context, &request);
    let mut answers = match &opened {
        Opened::Sessionless(list) | Opened::Full(list) => {
            read_all(replicas, context, &params, list.clone()).await
        }
        Opened::Incremental(session) if replica_id >= 0 => {
            read_changed(replicas, context, &params, session, changed).await
        }
        Opened::Incremental(session) => {
            let wanted = session.lock().session().requested();
            read_all(replicas, context, &params, wanted).await
        }
    };
    if replica_id >= 0 {
        count_throttled(replicas, &answers);
    }
    let throttle = throttle();
    if throttle != ThrottleTime::NONE {
        return nothing_yet(context, &opened, throttle);
    }
    count(replicas, &answers, replica_id >= 0);
    let (endpoints, session_id) = {
        let endpoints = name_leaders(metadata, context, &mut answers);
        (endpoints, tell(fetch_sessions, &opened, uses_topic_ids, replica_id, &mut answers, now_ms))
    };
    encode(context, throttle, Answers { error_code: 0, session_id, answers, endpoints })
}

fn refused(context: &RequestContext, throttle: ThrottleTime, code: ErrorCode) -> Reply {
    encode(context, throttle, Answers { error_code: code.code(), ..Answers::none(NO_SESSION) })
}

/// The answer to a consumer that is held back: it has no partitions, and its session is where it
/// was. Kafka: `FetchContext.getThrottledResponse`.
fn nothing_yet(context: &RequestContext, opened: &Opened, throttle: ThrottleTime) -> Reply {
    let session_id = match opened {
        Opened::Sessionless(_) | Opened::Full(_) => NO_SESSION,
        Opened::Incremental(session) => session.id(),
    };
    encode(context, throttle, Answers::none(session_id))
}

/// Everything that is asked for, looked at together.
async fn read_all(
    replicas: &Arc<ReplicaManager>,
    context: &RequestContext,
    params: &FetchParams,
    wanted: Vec<(PartitionKey, Requested)>,
) -> Vec<(FetchedPartition, PartitionResponse)> {
    let named: Vec<_> = wanted
        .into_iter()
        .map(|(key, requested)| (name_of(replicas, context, &key), key, requested))
        .collect();
    let access = if params.follower.is_some() {
        Access::of_follower(context)
    } else {
        Access::of_consumer(context, named.iter().filter_map(|(name, ..)| name.as_ref()))
    };
    let resolve = |(name, key, requested)| {
        fetched_partition(replicas, context, &access, name, key, requested)
    };
    let all = named.into_iter().map(resolve).collect();
    fetching::read(replicas, params, &context.client.hurries, all).await
}

/// What changed in a follower's session since its last answer.
async fn read_changed(
    replicas: &Arc<ReplicaManager>,
    context: &RequestContext,
    params: &FetchParams,
    session: &SharedSession,
    changed: Vec<PartitionKey>,
) -> Vec<(FetchedPartition, PartitionResponse)> {
    let watch = Arc::clone(session.lock().watch());
    let lag_max_ms = replicas.context.lag_time_max_ms();
    let now_ms = monotonic_ms();
    let access = Access::of_follower(context);
    let resolve = |(key, requested): (PartitionKey, Requested)| {
        let name = name_of(replicas, context, &key);
        let fetched = fetched_partition(replicas, context, &access, name, key, requested);
        if let Ok(partition) = &fetched.partition {
            session.lock().watch_partition(&fetched.key, partition);
        }
        fetched
    };
    let first = session.lock().look_at(changed, now_ms, lag_max_ms);
    let first = first.into_iter().map(resolve).collect();
    let later = |key| {
        let asked = session.lock().session().request_of(key)?;
        Some(resolve(asked))
    };
    fetching::read_watched(replicas, params, &context.client.hurries, &watch, first, later).await
}

fn replica_id(request: &FetchRequest, version: i16) -> i32 {
    if version >= FIRST_WITH_REPLICA_STATE {
        request.replica_state.replica_id.0
    } else {
        request.replica_id.0
    }
}

fn requested(request: &FetchRequest) -> Vec<(PartitionKey, Requested)> {
    let mut list = Vec::new();
    for topic in &request.topics {
        for partition in &topic.partitions {
            let key = key(topic.topic_id, &topic.topic.0, partition.partition);
            let requested = Requested {
                current_leader_epoch: partition.current_leader_epoch,
                fetch_offset: partition.fetch_offset,
                last_fetched_epoch: partition.last_fetched_epoch,
                log_start_offset: partition.log_start_offset,
                max_bytes: partition.partition_max_bytes,
            };
            list.push((key, requested));
        }
    }
    list
}

fn forgotten(request: &FetchRequest) -> Vec<PartitionKey> {
    let topics = request.forgotten_topics_data.iter();
    topics.flat_map(|t| t.partitions.iter().map(|p| key(t.topic_id, &t.topic.0, *p))).collect()
}

fn key(topic_id: Uuid, topic: &StrBytes, partition: i32) -> PartitionKey {
    PartitionKey { topic_id, topic: topic.clone(), partition }
}

/// What each partition is sent is a figure of its topic.
fn count(
    replicas: &ReplicaManager,
    answers: &[(FetchedPartition, PartitionResponse)],
    to_follower: bool,
) {
    let metrics = replicas.context.metrics();
    for (fetched, response) in answers {
        let topic = fetched.partition.as_ref().ok().map(|partition| partition.topic_metrics());
        let bytes = response.records_length();
        metrics.fetched(topic, bytes, response.error_code, to_follower);
    }
}

/// What throttled replicas are sent counts.
fn count_throttled(
    replicas: &Arc<ReplicaManager>,
    answers: &[(FetchedPartition, PartitionResponse)],
) {
    let throttled = answers.iter().filter(|(fetched, _)| {
        fetched.partition.as_ref().is_ok_and(|partition| partition.is_throttled_as_leader())
    });
    let bytes = throttled.map(|(_, response)| response.records_length()).sum();
    replicas.quotas.leader.record(bytes);
}

fn params(
    config: &DynamicBrokerConfig,
    context: &RequestContext,
    request: &FetchRequest,
) -> FetchParams {
    let replica_id = replica_id(request, context.api_version);
    let follower = (replica_id >= 0)
        .then_some(Follower { replica_id, broker_epoch: request.replica_state.replica_epoch });
    let nearby = (replica_id == CONSUMER
        && !request.rack_id.is_empty()
        && config.selects_replicas_by_rack())
    .then(|| Nearby {
        rack: request.rack_id.clone(),
        listener: Arc::clone(&context.client.listener),
    });
    let max_bytes = request.max_bytes.min(config.fetch_max_bytes()).max(0);
    let isolation = match (replica_id, request.isolation_level) {
        (0.., _) => FetchIsolation::LogEnd,
        (_, 1) => FetchIsolation::TxnCommitted,
        _ => FetchIsolation::HighWatermark,
    };
    FetchParams {
        max_bytes: usize::try_from(max_bytes).unwrap_or(0),
        min_bytes: usize::try_from(request.min_bytes.min(max_bytes)).unwrap_or(0),
        max_wait_ms: u64::try_from(request.max_wait_ms).unwrap_or(0),
        isolation,
        leader_only: follower.is_some() || context.api_version < FIRST_WITH_RACK,
        follower,
        nearby,
    }
}

/// `None` for an id that nobody knows.
fn name_of(
    replicas: &ReplicaManager,
    context: &RequestContext,
    key: &PartitionKey,
) -> Option<Arc<str>> {
    match context.api_version >= FIRST_WITH_IDS {
        true => replicas.topic_name(key.topic_id),
        false => Some(Arc::from(key.topic.as_str())),
    }
}

/// Which partition a key means, if the sender may read it.
fn fetched_partition(
    replicas: &Arc<ReplicaManager>,
    context: &RequestContext,
    access: &Access,
    name: Option<Arc<str>>,
    key: PartitionKey,
    requested: Requested,
) -> FetchedPartition {
    let by_id = context.api_version >= FIRST_WITH_IDS;
    let partition = match &name {
        _ if access.is_to_nothing() => Err(ErrorCode::TopicAuthorizationFailed),
        None => Err(ErrorCode::UnknownTopicId),
        Some(name) if !access.is_to(name) => Err(ErrorCode::TopicAuthorizationFailed),
        Some(name) => match replicas.partition(name, key.partition) {
            Ok(found) if by_id && found.topic_id() != key.topic_id => {
                Err(ErrorCode::InconsistentTopicId)
            }
            found => found,
        },
    };
    FetchedPartition { key, requested, name, partition, last_wanted: None }
}

/// Where somebody else leads, tells who and where (KIP-951).
fn name_leaders(
    metadata: &MetadataCache,
    context: &RequestContext,
    answers: &mut [(FetchedPartition, PartitionResponse)],
) -> Vec<NodeEndpoint> {
    let mut endpoints: Vec<NodeEndpoint> = Vec::new();
    if context.api_version < FIRST_WITH_LEADER {
        return endpoints;
    }
    let elsewhere = [ErrorCode::NotLeaderOrFollower.code(), ErrorCode::FencedLeaderEpoch.code()];
    for (fetched, response) in answers {
        let Some(name) = &fetched.name else { continue };
        if elsewhere.contains(&response.error_code) {
            let (leader, endpoint) =
                metadata.current_leader(name, response.index, &context.client.listener);
            response.current_leader = leader;
            endpoints.extend(endpoint.filter(|e| endpoints.iter().all(|k| k.node_id != e.node_id)));
        }
    }
    endpoints
}

/// Drops what the client need not hear; returns the id of the session that goes on.
fn tell(
    fetch_sessions: &FetchSessions,
    opened: &Opened,
    uses_topic_ids: bool,
    replica_id: i32,
    answers: &mut Vec<(FetchedPartition, PartitionResponse)>,
    now_ms: i64,
) -> i32 {
    let created;
    let session = match opened {
        Opened::Sessionless(_) => return NO_SESSION,
        Opened::Full(list) => {
            created = fetch_sessions.create(
                list,
                uses_topic_ids,
                replica_id >= 0,
                now_ms,
                getrandom::u32().unwrap_or(0).cast_signed(),
            );
            match &created {
                Some(session) => session,
                None => return NO_SESSION,
            }
        }
        Opened::Incremental(session) => session,
    };
    let is_full = matches!(opened, Opened::Full(_));
    let is_follower = replica_id >= 0;
    let mut watching = session.lock();
    let mut answer = watching.session().answer(is_follower, is_full);
    answers.retain(|(fetched, response)| {
        let records_bytes = response.records_length();
        let answered = Answered {
            error_code: response.error_code,
            high_watermark: response.high_watermark,
            log_start_offset: response.log_start_offset,
            records_bytes,
            notable: response.preferred_read_replica >= 0 || response.diverging_epoch.is_some(),
            has_more: is_follower && records_bytes == 0 && has_more(fetched, response),
        };
        answer.carries(&fetched.key, answered)
    });
    let left = answer.leaves();
    watching.look_again(&left);
    watching.session().id()
}

/// Whether the answer had no room for what the partition has, or a throttle held it back.
fn has_more(fetched: &FetchedPartition, response: &PartitionResponse) -> bool {
    let Ok(partition) = &fetched.partition else { return false };
    let sound = response.error_code == 0 && response.diverging_epoch.is_none();
    sound && fetched.requested.fetch_offset < partition.published().log_end_offset()
}

/// What the answer says.
struct Answers {
    error_code: i16,
    session_id: i32,
    answers: Vec<(FetchedPartition, PartitionResponse)>,
    endpoints: Vec<NodeEndpoint>,
}

impl Answers {
    /// Of no partition.
    fn none(session_id: i32) -> Self {
        Self { error_code: 0, session_id, answers: Vec::new(), endpoints: Vec::new() }
    }
}

fn encode(context: &RequestContext, throttle: ThrottleTime, answers: Answers) -> Reply {
    let Answers { error_code, session_id, answers, endpoints } = answers;
    context.count_errors(|count| {
        count(error_code);
        answers.iter().for_each(|(_, response)| count(response.error_code));
    });
    let mut topics: Vec<(StrBytes, Uuid, Vec<PartitionResponse>)> = Vec::new();
    for (fetched, mut response) in answers {
        response.error_code = known_to(context.api_version, response.error_code);
        match topics.last_mut() {
            Some((name, id, partitions))
                if *name == fetched.key.topic && *id == fetched.key.topic_id =>
            {
                partitions.push(response);
            }
            _ => topics.push((fetched.key.topic, fetched.key.topic_id, vec![response])),
        }
    }
    let names: Vec<StrBytes> = topics.iter().map(|(name, ..)| name.clone()).collect();
    let responses: Vec<_> = topics
        .into_iter()
        .zip(&names)
        .map(|((_, topic_id, partitions), name)| TopicResponse { name, topic_id, partitions })
        .collect();
    let throttle_time_ms = throttle.as_ms();
    let response = FetchResponse { throttle_time_ms, error_code, session_id, endpoints };
    let encoded = response.encode(
        &mut BytesMut::new(),
        context.api_version,
        context.correlation_id,
        responses.into_iter(),
    );
    match encoded {
        Ok(segments) => Reply::Segments(segments).throttled(throttle),
        Err(error) => Reply::fault(error.to_string()),
    }
}

/// Old consumers take an error of the storage for one that no retry mends.
fn known_to(version: i16, error_code: i16) -> i16 {
    if version <= LAST_WITHOUT_STORAGE_ERROR && error_code == ErrorCode::KafkaStorageError.code() {
        ErrorCode::NotLeaderOrFollower.code()
    } else {
        error_code
    }
}

//! ShareFetch: a member acquires records, and says what became of those that it had.
//!
//! What it says is taken in first; then records are looked for; the answer has both.
//! Kafka: `KafkaApis.handleShareFetchRequest`, `processShareFetchResponse`. KIP-1206 (acquire
//! modes), 1222 (renewals: such a request fetches nothing).

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use protocol::ErrorCode;
use protocol::messages::share_fetch_response::{
    AcquiredRecords, NodeEndpoint, PartitionData, ShareFetchableTopicResponse,
};
use protocol::messages::{ShareFetchRequest, ShareFetchResponse};
use protocol::wire::Decodable;
use raft::image::MetadataImage;
use replica::share::{
    AcquireMode, SharePartitionId, ShareSessionError, ShareSessionKey, Wanted, rotate,
};

use super::acknowledgements::{Outcomes, Said, Taken, take};
use super::{member, no_session, topics};
use crate::metadata::dynamic_broker_config::DynamicBrokerConfig;
use crate::metadata::metadata_cache::MetadataCache;
use crate::requests::api_error::ApiError;
use crate::requests::context::RequestContext;
use crate::requests::error_counts::ErrorCounts as _;
use crate::requests::reply::Reply;
use crate::requests::throttle::ThrottleTime;
use crate::share::SharePartitions;
use crate::share::fetching::{self, Acquired, ShareFetch, ShareFetched};

/// The epoch of a session's first request.
const INITIAL_EPOCH: i32 = 0;
/// The epoch of its last.
const FINAL_EPOCH: i32 = -1;

/// What the request asks in our terms.
struct Asked {
    key: ShareSessionKey,
    epoch: i32,
    partitions: Vec<SharePartitionId>,
    forgotten: Vec<SharePartitionId>,
    /// Nothing where no partition is spoken of.
    said: Option<Said>,
}

/// Decodes the request and answers it with slices of the segments.
pub(crate) async fn begin(
    config: &DynamicBrokerConfig,
    metadata: &MetadataCache,
    share: &Arc<SharePartitions>,
    context: &RequestContext,
    mut body: Bytes,
) -> Reply {
    let version = context.api_version;
    match ShareFetchRequest::decode(&mut body, version) {
        Ok(request) => match handle(config, metadata, share, context, &request).await {
            Ok(response) => encode(context, response),
            Err(code) => refuse(context, code),
        },
        Err(error) => Reply::fault(format!("ShareFetch v{version}: {error}")),
    }
}

fn refuse(context: &RequestContext, code: ErrorCode) -> Reply {
    encode(context, ShareFetchResponse { error_code: code.code(), ..Default::default() })
}

async fn handle(
    config: &DynamicBrokerConfig,
    metadata: &MetadataCache,
    share: &Arc<SharePartitions>,
    context: &RequestContext,
    request: &ShareFetchRequest,
) -> Result<ShareFetchResponse, ErrorCode> {
    let image = metadata.image();
    let group_id = request.group_id.as_ref().map(|group| &group.0);
    let (group, member) = member(&image, context, group_id, request.member_id.as_ref())?;
    let bounds = [request.max_bytes, request.min_bytes, request.max_records, request.max_wait_ms];
    if request.is_renew_ack && bounds.iter().any(|bound| *bound != 0) {
        return Err(ErrorCode::InvalidRequest);
    }
    let key = ShareSessionKey { group: Arc::from(&**group), member: Arc::from(&**member) };
    let mut asked = asked(request, key);
    let fetched = open_session(share, context, request, &asked).await?;
    let taken = match asked.said.take() {
        Some(said) => take(share, &image, context, (group, member), said, request.is_renew_ack),
        None => Taken::nothing(),
    };
    let mut answers = match request.is_renew_ack {
        true => Vec::new(),
        false => fetch(config, share, context, &image, request, (&asked, fetched)).await?,
    };
    let outcomes = taken.outcomes().await;
    let is_next = tell(share, &asked, &mut answers);
    if asked.epoch == FINAL_EPOCH {
        share.end_session(&asked.key);
    }
    if !is_next {
        return Err(ErrorCode::InvalidShareSessionEpoch);
    }
    let lock_duration_ms = share.settings(group).lock_duration_ms();
    Ok(respond(metadata, context, answers, outcomes, lock_duration_ms))
}

fn asked(request: &ShareFetchRequest, key: ShareSessionKey) -> Asked {
    let (mut partitions, mut said, mut speaks) = (Vec::new(), Said::new(), false);
    for topic in &request.topics {
        for partition in &topic.partitions {
            let (topic_id, index) = (topic.topic_id, partition.partition_index);
            let id = SharePartitionId { topic_id, partition: index };
            partitions.push(id);
            speaks |= !partition.acknowledgement_batches.is_empty();
            said.insert(id, partition.acknowledgement_batches.clone());
        }
    }
    let forgotten = request.forgotten_topics_data.iter().flat_map(|topic| {
        let id =
            |partition: &i32| SharePartitionId { topic_id: topic.topic_id, partition: *partition };
        topic.partitions.iter().map(id)
    });
    Asked {
        key,
        epoch: request.share_session_epoch,
        partitions,
        forgotten: forgotten.collect(),
        said: speaks.then_some(said),
    }
}

/// The partitions that the session fetches. Who finds no room waits before hearing it.
async fn open_session(
    share: &SharePartitions,
    context: &RequestContext,
    request: &ShareFetchRequest,
    asked: &Asked,
) -> Result<Vec<SharePartitionId>, ErrorCode> {
    let opened = share.sessions().lock().fetch(
        &asked.key,
        asked.epoch,
        &asked.partitions,
        &asked.forgotten,
        asked.said.is_some(),
        context.client.connection_id,
    );
    if opened == Err(ShareSessionError::LimitReached) {
        let wait_ms = u64::try_from(request.max_wait_ms).unwrap_or(0);
        tokio::time::sleep(Duration::from_millis(wait_ms)).await;
    }
    opened.map_err(no_session)
}

async fn fetch(
    config: &DynamicBrokerConfig,
    share: &Arc<SharePartitions>,
    context: &RequestContext,
    image: &MetadataImage,
    request: &ShareFetchRequest,
    (asked, fetched): (&Asked, Vec<SharePartitionId>),
) -> Result<Vec<ShareFetched>, ErrorCode> {
    let (mut partitions, mut refused) = (Vec::new(), Vec::new());
    for id in fetched {
        match topics::readable(image, context, id) {
            Ok(topic) => partitions.push((id, topic)),
            Err(code) => refused.push(ShareFetched { id, outcome: Err(code.into()) }),
        }
    }
    if partitions.is_empty() {
        return Ok(refused);
    }
    rotate(&mut partitions, asked.epoch);
    let mode = match request.share_acquire_mode {
        0 => AcquireMode::BatchOptimized,
        1 => AcquireMode::RecordLimit,
        // Kafka stumbles over a mode that does not exist.
        _ => return Err(ErrorCode::UnknownServerError),
    };
    let max_bytes = request.max_bytes.min(config.fetch_max_bytes()).max(0);
    let group = request.group_id.as_ref().map(|group| group.0.clone()).unwrap_or_default();
    let asked = ShareFetch {
        group,
        wanted: Wanted {
            member: Arc::clone(&asked.key.member),
            mode,
            batch_size: request.batch_size.into(),
            max_records: request.max_records.into(),
        },
        min_bytes: usize::try_from(request.min_bytes.min(max_bytes)).unwrap_or(0),
        max_bytes: usize::try_from(max_bytes).unwrap_or(0),
        max_wait_ms: u64::try_from(request.max_wait_ms).unwrap_or(0),
        partitions,
    };
    let mut answers = fetching::fetch(share, asked).await;
    answers.append(&mut refused);
    Ok(answers)
}

/// Drops what the member need not hear. `false` if its session was taken over meanwhile.
fn tell(share: &SharePartitions, asked: &Asked, answers: &mut Vec<ShareFetched>) -> bool {
    if matches!(asked.epoch, INITIAL_EPOCH | FINAL_EPOCH) {
        return true;
    }
    let mut sessions = share.sessions().lock();
    if !sessions.is_next_after(&asked.key, asked.epoch) {
        return false;
    }
    answers.retain(|answer| {
        let (has_records, has_error) = match &answer.outcome {
            Ok(acquired) => (!acquired.records.is_empty(), false),
            Err(_) => (false, true),
        };
        sessions.tells(&asked.key, answer.id, has_records, has_error)
    });
    true
}

fn respond(
    metadata: &MetadataCache,
    context: &RequestContext,
    answers: Vec<ShareFetched>,
    outcomes: Outcomes,
    acquisition_lock_timeout_ms: i32,
) -> ShareFetchResponse {
    let mut response = ShareFetchResponse { acquisition_lock_timeout_ms, ..Default::default() };
    let mut outcomes: HashMap<SharePartitionId, Result<(), ApiError>> =
        outcomes.into_iter().collect();
    for ShareFetched { id, outcome } in answers {
        let mut partition = fetched(metadata, context, id, outcome, &mut response.node_endpoints);
        if let Some(outcome) = outcomes.remove(&id) {
            acknowledged(&mut partition, outcome);
        }
        add(&mut response, id, partition);
    }
    for (id, outcome) in outcomes {
        let partition_index = id.partition;
        let mut partition = PartitionData { partition_index, ..Default::default() };
        acknowledged(&mut partition, outcome);
        add(&mut response, id, partition);
    }
    response
}

fn fetched(
    metadata: &MetadataCache,
    context: &RequestContext,
    id: SharePartitionId,
    outcome: Result<Acquired, ApiError>,
    endpoints: &mut Vec<NodeEndpoint>,
) -> PartitionData {
    let partition_index = id.partition;
    match outcome {
        Ok(Acquired { records, acquired }) => {
            let told = acquired.into_iter().map(|acquired| AcquiredRecords {
                first_offset: acquired.first_offset,
                last_offset: acquired.last_offset,
                delivery_count: acquired.delivery_count,
            });
            let (records, acquired_records) = (Some(records), told.collect());
            PartitionData { partition_index, records, acquired_records, ..Default::default() }
        }
        Err(error) => PartitionData {
            partition_index,
            error_code: error.code(),
            error_message: error.text(),
            current_leader: topics::leader(metadata, context, id, error.code(), endpoints),
            ..Default::default()
        },
    }
}

fn acknowledged(partition: &mut PartitionData, outcome: Result<(), ApiError>) {
    if let Err(error) = outcome {
        partition.acknowledge_error_code = error.code();
        partition.acknowledge_error_message = error.text();
    }
}

fn add(response: &mut ShareFetchResponse, id: SharePartitionId, partition: PartitionData) {
    let topic_id = id.topic_id;
    match response.responses.iter_mut().find(|topic| topic.topic_id == topic_id) {
        Some(topic) => topic.partitions.push(partition),
        None => response
            .responses
            .push(ShareFetchableTopicResponse { topic_id, partitions: vec![partition] }),
    }
}

fn encode(context: &RequestContext, response: ShareFetchResponse) -> Reply {
    let throttle = context.throttle();
    let mut told = match throttle {
        ThrottleTime::NONE => response,
        // Who is held back hears of nothing; what was acquired comes again when its lock ends.
        _ => ShareFetchResponse { error_code: response.error_code, ..Default::default() },
    };
    told.throttle_time_ms = throttle.as_ms();
    context.count_errors(|count| told.each_error(count));
    let encoded = protocol::share_fetch::encode(&told, context.api_version, context.correlation_id);
    match encoded {
        Ok(segments) => Reply::Segments(segments).throttled(throttle),
        Err(error) => Reply::fault(error.to_string()),
    }
}

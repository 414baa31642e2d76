//! ListOffsets: where in a partition a time, the beginning or the end is.
//!
//! Kafka: `ReplicaManager.fetchOffset` and `UnifiedLog.fetchOffsetByTimestamp`. Special times: -1
//! latest, -2 earliest, -3 record of the greatest timestamp (from v7), -4 earliest local (v8), -5
//! latest tiered (v9), -6 earliest that is to be tiered (v11); without tiered storage -4 is the log
//! start, and -5 and -6 answer that there is none.

use std::collections::HashSet;

use protocol::ErrorCode;
use protocol::messages::list_offsets_request::ListOffsetsPartition;
use protocol::messages::list_offsets_response::{
    ListOffsetsPartitionResponse, ListOffsetsTopicResponse,
};
use protocol::messages::{ListOffsetsRequest, ListOffsetsResponse};
use replica::FetchIsolation;

use crate::partitions::{FoundOffset, OffsetSought};
use crate::replication::replica_manager::ReplicaManager;
use crate::requests::authorizer::{Operation, Resource};
use crate::requests::context::RequestContext;
use crate::requests::error_map;
use crate::requests::reply::CloseConnection;

/// Replica id of a tool that may ask a replica that does not lead.
const DEBUGGING_REPLICA: i32 = -2;
/// First version whose clients know OFFSET_NOT_AVAILABLE.
const FIRST_WITH_NOT_AVAILABLE: i16 = 5;
/// Replica id of a client.
const CONSUMER: i32 = -1;

pub(crate) async fn handle(
    replicas: &ReplicaManager,
    context: &RequestContext,
    request: ListOffsetsRequest,
) -> Result<ListOffsetsResponse, CloseConnection> {
    let duplicates = duplicates(&request);
    let isolation = match (request.replica_id.0, request.isolation_level) {
        (CONSUMER, 1) => FetchIsolation::TxnCommitted,
        (CONSUMER, _) => FetchIsolation::HighWatermark,
        _ => FetchIsolation::LogEnd,
    };
    let leader_only = request.replica_id.0 != DEBUGGING_REPLICA;
    let mut topics = Vec::with_capacity(request.topics.len());
    for topic in request.topics {
        let allowed = context.authorize(Operation::Describe, Resource::Topic(&topic.name));
        let mut partitions = Vec::with_capacity(topic.partitions.len());
        for asked in &topic.partitions {
            let found = if !allowed {
                Err(ErrorCode::TopicAuthorizationFailed)
            } else if duplicates.contains(&(topic.name.to_string(), asked.partition_index)) {
                Err(ErrorCode::InvalidRequest)
            } else {
                find(replicas, context, &topic.name, asked, isolation, leader_only).await
            };
            partitions.push(answer(context, asked.partition_index, found));
        }
        topics.push(ListOffsetsTopicResponse { name: topic.name, partitions });
    }
    Ok(ListOffsetsResponse { topics, ..Default::default() })
}

/// Partitions that are asked for more than once; they are refused.
fn duplicates(request: &ListOffsetsRequest) -> HashSet<(String, i32)> {
    let mut seen = HashSet::new();
    let mut twice = HashSet::new();
    for topic in &request.topics {
        for partition in &topic.partitions {
            if !seen.insert((topic.name.as_str(), partition.partition_index)) {
                twice.insert((topic.name.to_string(), partition.partition_index));
            }
        }
    }
    twice
}

async fn find(
    replicas: &ReplicaManager,
    context: &RequestContext,
    topic: &str,
    asked: &ListOffsetsPartition,
    isolation: FetchIsolation,
    leader_only: bool,
) -> Result<Option<FoundOffset>, ErrorCode> {
    let sought = sought(asked.timestamp, context.api_version)?;
    let partition = replicas.partition(topic, asked.partition_index)?;
    partition.check_leadership(asked.current_leader_epoch, leader_only)?;
    let found = partition.find_offset(sought, isolation).await.map_err(|error| {
        replicas.note_storage_failure(&error);
        error_map::storage_error(&error)
    })?;
    // What lies behind the offsets a client may read is not told.
    let last_fetchable = partition.upper_bound(isolation);
    let searched = matches!(sought, OffsetSought::Timestamp(_) | OffsetSought::MaxTimestamp);
    let visible = found.filter(|found| !searched || found.offset < last_fetchable);
    // A new leader does not know yet how much of its log is committed.
    let published = partition.published();
    let unsure = isolation != FetchIsolation::LogEnd
        && published.epoch_start_offset() > published.high_watermark();
    let depends = sought == OffsetSought::Latest || (searched && visible.is_none());
    match unsure && depends {
        true if context.api_version >= FIRST_WITH_NOT_AVAILABLE => {
            Err(ErrorCode::OffsetNotAvailable)
        }
        true => Err(ErrorCode::LeaderNotAvailable),
        false => Ok(visible),
    }
}

fn sought(timestamp: i64, version: i16) -> Result<OffsetSought, ErrorCode> {
    match timestamp {
        -1 => Ok(OffsetSought::Latest),
        -2 => Ok(OffsetSought::Earliest),
        -3 if version >= 7 => Ok(OffsetSought::MaxTimestamp),
        -4 if version >= 8 => Ok(OffsetSought::Earliest),
        -5 if version >= 9 => Ok(OffsetSought::Tiered),
        -6 if version >= 11 => Ok(OffsetSought::Tiered),
        timestamp if timestamp >= 0 => Ok(OffsetSought::Timestamp(timestamp)),
        _ => Err(ErrorCode::UnsupportedVersion),
    }
}

fn answer(
    context: &RequestContext,
    partition: i32,
    found: Result<Option<FoundOffset>, ErrorCode>,
) -> ListOffsetsPartitionResponse {
    let response =
        ListOffsetsPartitionResponse { partition_index: partition, ..Default::default() };
    match found {
        Ok(None) => response,
        Ok(Some(found)) => ListOffsetsPartitionResponse {
            timestamp: found.timestamp,
            offset: found.offset,
            leader_epoch: if context.api_version >= 4 { found.leader_epoch } else { -1 },
            ..response
        },
        Err(code) => ListOffsetsPartitionResponse { error_code: code.code(), ..response },
    }
}

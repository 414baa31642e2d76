//! DeleteRecords: moves the beginning of logs up to given offsets.
//!
//! Kafka: `KafkaApis.handleDeleteRecordsRequest`, `Partition.deleteRecordsOnLeader`. The answer's
//! low watermark is the least log start among the live replicas, which are waited for. Unlike
//! Kafka: the wait ends when the partition goes (docs/decisions/0341).

use std::sync::Arc;
use std::time::Duration;

use protocol::ErrorCode;
use protocol::messages::delete_records_request::DeleteRecordsPartition;
use protocol::messages::delete_records_response::{
    DeleteRecordsPartitionResult, DeleteRecordsTopicResult,
};
use protocol::messages::{DeleteRecordsRequest, DeleteRecordsResponse};
use replica::NotDeleted;
use storage::AppendError;

use tokio::time::Instant;

use crate::metadata::dynamic_broker_config::DynamicBrokerConfig;
use crate::metadata::metadata_cache::MetadataCache;
use crate::metadata::metadata_cache::is_internal;
use crate::partitions::DeleteRefused;
use crate::replication::replica_manager::ReplicaManager;
use crate::replication::topic_settings::TopicSettings;
use crate::requests::authorizer::{Operation, Resource};
use crate::requests::context::RequestContext;
use crate::requests::error_map;
use crate::requests::reply::CloseConnection;

const NO_LOW_WATERMARK: i64 = -1;
/// Offset of a request that means the high watermark.
const HIGH_WATERMARK: i64 = -1;

pub(crate) async fn handle(
    config: &DynamicBrokerConfig,
    metadata: &MetadataCache,
    replicas: &ReplicaManager,
    context: &RequestContext,
    request: DeleteRecordsRequest,
) -> Result<DeleteRecordsResponse, CloseConnection> {
    let timeout = Duration::from_millis(u64::try_from(request.timeout_ms).unwrap_or(0));
    let deadline = Instant::now() + timeout;
    let mut topics = Vec::with_capacity(request.topics.len());
    for topic in request.topics {
        let allowed = context.authorize(Operation::Delete, Resource::Topic(&topic.name));
        let mut partitions = Vec::with_capacity(topic.partitions.len());
        for asked in &topic.partitions {
            let deleted = if allowed {
                delete(config, metadata, replicas, &topic.name, asked, deadline).await
            } else {
                Err(ErrorCode::TopicAuthorizationFailed)
            };
            partitions.push(
                DeleteRecordsPartitionResult::default()
                    .with_partition_index(asked.partition_index)
                    .with_low_watermark(*deleted.as_ref().unwrap_or(&NO_LOW_WATERMARK))
                    .with_error_code(deleted.err().map_or(0, |code| code.code())),
            );
        }
        topics.push(
            DeleteRecordsTopicResult::default().with_name(topic.name).with_partitions(partitions),
        );
    }
    Ok(DeleteRecordsResponse::default().with_topics(topics))
}

/// Deletes, and returns where the log begins now.
async fn delete(
    config: &DynamicBrokerConfig,
    metadata: &MetadataCache,
    replicas: &ReplicaManager,
    topic: &str,
    asked: &DeleteRecordsPartition,
    deadline: Instant,
) -> Result<i64, ErrorCode> {
    let image = metadata.image();
    let known = image.topics().by_name(topic).and_then(|t| t.partition(asked.partition_index));
    known.ok_or(ErrorCode::UnknownTopicOrPartition)?;
    if is_internal(topic) {
        return Err(ErrorCode::InvalidTopicException);
    }
    let partition = replicas.partition(topic, asked.partition_index)?;
    partition.check_leadership(-1, true)?;
    if !TopicSettings::of(topic, &image, &config.current()).log.cleanup.delete {
        return Err(ErrorCode::PolicyViolation);
    }
    if asked.offset < HIGH_WATERMARK {
        return Err(ErrorCode::OffsetOutOfRange);
    }
    let offset = asked.offset;
    // Files may go with the records.
    let deleting = Arc::clone(&partition);
    let deleted = tokio::task::spawn_blocking(move || deleting.delete_records_before(offset)).await;
    let mut deleting = match deleted.map_err(|_| ErrorCode::UnknownServerError)? {
        Ok(deleting) => deleting,
        Err(refused) => return Err(code(replicas, &refused)),
    };
    let Some(followed) = &mut deleting.followed else { return Ok(deleting.low_watermark) };
    match tokio::time::timeout_at(deadline, followed).await {
        Ok(Ok(Some(low_watermark))) => Ok(low_watermark),
        Ok(_) => Err(partition.why_not_leader()),
        Err(_) => {
            partition.forget_deletion(&deleting);
            Err(ErrorCode::RequestTimedOut)
        }
    }
}

fn code(replicas: &ReplicaManager, refused: &DeleteRefused) -> ErrorCode {
    match refused {
        NotDeleted::NotLeader => ErrorCode::NotLeaderOrFollower,
        NotDeleted::OutOfRange { .. } => ErrorCode::OffsetOutOfRange,
        NotDeleted::Log(error) => {
            if let AppendError::Storage(error) = error {
                replicas.note_storage_failure(error);
            }
            error_map::append_error(error)
        }
    }
}

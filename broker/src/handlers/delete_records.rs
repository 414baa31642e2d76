//! DeleteRecords: moves the beginning of logs up to given offsets.
//!
//! Kafka: `KafkaApis.handleDeleteRecordsRequest`, `Partition.deleteRecordsOnLeader`. The answer's
//! low watermark is the least log start among the replicas; as long as a partition has one replica
//! that is this log's own.

use std::sync::Arc;

use protocol::ErrorCode;
use protocol::messages::delete_records_request::DeleteRecordsPartition;
use protocol::messages::delete_records_response::{
    DeleteRecordsPartitionResult, DeleteRecordsTopicResult,
};
use protocol::messages::{DeleteRecordsRequest, DeleteRecordsResponse};
use storage::AppendError;

use crate::authorizer::{Operation, Resource};
use crate::broker::Broker;
use crate::context::RequestContext;
use crate::dispatch::CloseConnection;
use crate::error_map;
use crate::partitions::DeleteRefused;
use crate::topic_settings::TopicSettings;

const NO_LOW_WATERMARK: i64 = -1;
/// Offset of a request that means the high watermark.
const HIGH_WATERMARK: i64 = -1;

pub(crate) async fn handle(
    broker: &Arc<Broker>,
    context: &RequestContext,
    request: DeleteRecordsRequest,
) -> Result<DeleteRecordsResponse, CloseConnection> {
    let mut topics = Vec::with_capacity(request.topics.len());
    for topic in request.topics {
        let allowed = context.authorize(Operation::Delete, Resource::Topic(&topic.name));
        let mut partitions = Vec::with_capacity(topic.partitions.len());
        for asked in &topic.partitions {
            let deleted = if allowed {
                delete(broker, &topic.name, asked).await
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
    broker: &Arc<Broker>,
    topic: &str,
    asked: &DeleteRecordsPartition,
) -> Result<i64, ErrorCode> {
    let image = broker.image();
    let known = image.topics().by_name(topic).and_then(|t| t.partition(asked.partition_index));
    known.ok_or(ErrorCode::UnknownTopicOrPartition)?;
    if broker.is_internal(topic) {
        return Err(ErrorCode::InvalidTopicException);
    }
    let partition = broker.partition(topic, asked.partition_index)?;
    partition.check_leadership(-1, true)?;
    if !TopicSettings::of(topic, &image, &broker.config()).log.cleanup.delete {
        return Err(ErrorCode::PolicyViolation);
    }
    if asked.offset < HIGH_WATERMARK {
        return Err(ErrorCode::OffsetOutOfRange);
    }
    let offset = asked.offset;
    // Files may go with the records.
    let deleted =
        tokio::task::spawn_blocking(move || partition.delete_records_before(offset)).await;
    match deleted.map_err(|_| ErrorCode::UnknownServerError)? {
        Ok(low_watermark) => low_watermark.ok_or(ErrorCode::OffsetOutOfRange),
        Err(refused) => Err(code(broker, &refused)),
    }
}

fn code(broker: &Broker, refused: &DeleteRefused) -> ErrorCode {
    match refused {
        DeleteRefused::NotLeader => ErrorCode::NotLeaderOrFollower,
        DeleteRefused::Log(error) => {
            if let AppendError::Storage(error) = error {
                broker.note_storage_failure(error);
            }
            error_map::append_error(error)
        }
    }
}

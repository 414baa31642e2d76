//! DescribeProducers: which idempotent and transactional producers a replica of a partition knows,
//! the leader's or a follower's (KIP-664).
//!
//! Kafka: `KafkaApis.handleDescribeProducersRequest`, `Partition.activeProducerState`.

use protocol::ErrorCode;
use protocol::messages::describe_producers_response::{
    PartitionResponse, ProducerState, TopicResponse,
};
use protocol::messages::{DescribeProducersRequest, DescribeProducersResponse, ProducerId};
use storage::ProducerSummary;

use crate::metadata::metadata_cache::MetadataCache;
use crate::replication::replica_manager::ReplicaManager;
use crate::requests::answer_budget;
use crate::requests::api_error::{ApiError, denied, worded};
use crate::requests::authorizer::{Operation, Resource};
use crate::requests::context::RequestContext;
use crate::requests::reply::CloseConnection;
use crate::requests::topic_names;

/// What one element of a request costs here, about.
const BYTES_EACH: usize = 128;

pub(crate) async fn handle(
    metadata: &MetadataCache,
    replicas: &ReplicaManager,
    context: &RequestContext,
    request: DescribeProducersRequest,
) -> Result<DescribeProducersResponse, CloseConnection> {
    let partitions: usize = request.topics.iter().map(|topic| topic.partition_indexes.len()).sum();
    answer_budget::check(request.topics.len() + partitions, BYTES_EACH)?;
    let topics = request.topics.into_iter().map(|topic| {
        let refusal = check(metadata, context, &topic.name).err();
        let partitions = topic.partition_indexes.iter().map(|index| {
            let answer = PartitionResponse::default().with_partition_index(*index);
            match &refusal {
                Some(error) => {
                    answer.with_error_code(error.code()).with_error_message(error.text())
                }
                None => match producers(replicas, &topic.name, *index) {
                    Err(code) => answer.with_error_code(code.code()),
                    Ok(producers) => answer.with_active_producers(producers),
                },
            }
        });
        let partitions = partitions.collect();
        TopicResponse::default().with_name(topic.name).with_partitions(partitions)
    });
    Ok(DescribeProducersResponse::default().with_topics(topics.collect()))
}

fn check(metadata: &MetadataCache, context: &RequestContext, topic: &str) -> Result<(), ApiError> {
    topic_names::check(topic)?;
    if !context.authorize(Operation::Read, Resource::Topic(topic)) {
        return Err(denied(Resource::Topic(topic)));
    }
    if metadata.image().topics().by_name(topic).is_none() {
        return Err(worded(ErrorCode::UnknownTopicOrPartition));
    }
    Ok(())
}

fn producers(
    replicas: &ReplicaManager,
    topic: &str,
    index: i32,
) -> Result<Vec<ProducerState>, ErrorCode> {
    let partition = replicas.partition(topic, index)?;
    let active = partition.with_replica(|replica| replica.log().log.producers());
    Ok(active.iter().map(state).collect())
}

fn state(producer: &ProducerSummary) -> ProducerState {
    ProducerState::default()
        .with_producer_id(ProducerId(producer.producer_id))
        .with_producer_epoch(i32::from(producer.producer_epoch))
        .with_last_sequence(producer.last_sequence)
        .with_last_timestamp(producer.last_timestamp)
        .with_coordinator_epoch(producer.coordinator_epoch)
        .with_current_txn_start_offset(producer.transaction_start_offset)
}

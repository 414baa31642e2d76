//! ReadShareGroupState: the leader of partitions takes their state over.
//!
//! Kafka: `KafkaApis.handleReadShareGroupStateRequest` and `ShareCoordinatorService.readState`.

use coordinator::share::{ReadState, ShareError, SharePartitionKey, StateRead};
use protocol::ErrorCode;
use protocol::messages::read_share_group_state_request::PartitionData;
use protocol::messages::read_share_group_state_response::{
    PartitionResult, ReadStateResult, StateBatch,
};
use protocol::messages::{ReadShareGroupStateRequest, ReadShareGroupStateResponse};
use protocol::wire::StrBytes;
use uuid::Uuid;

use super::{ByTopic, each, is_empty, may};
use crate::coordinators::share::{Pending, ShareStates};
use crate::requests::api_error::worded;
use crate::requests::context::RequestContext;
use crate::requests::error_map::share::refusal;
use crate::requests::reply::CloseConnection;

const OPERATION: &str = "read share group state";

pub(crate) async fn handle(
    share_states: &ShareStates,
    context: &RequestContext,
    request: ReadShareGroupStateRequest,
) -> Result<ReadShareGroupStateResponse, CloseConnection> {
    let group_id = request.group_id;
    let topics: ByTopic<PartitionData> =
        request.topics.into_iter().map(|topic| (topic.topic_id, topic.partitions)).collect();
    if !may(context) {
        let told = |_, asked: PartitionData| std::future::ready(denied(asked.partition));
        return Ok(response(each(topics, told).await));
    }
    if is_empty(&group_id, &topics) {
        return Ok(ReadShareGroupStateResponse::default());
    }
    let answered = each(topics, |topic_id, asked| {
        let partition = asked.partition;
        let pending = ask(share_states, &group_id, topic_id, asked);
        async move { result(partition, pending.await) }
    });
    Ok(response(answered.await))
}

fn ask(
    share_states: &ShareStates,
    group_id: &StrBytes,
    topic_id: Uuid,
    asked: PartitionData,
) -> Pending<StateRead> {
    let key =
        SharePartitionKey { group_id: group_id.clone(), topic_id, partition: asked.partition };
    share_states.read(&ReadState { key, leader_epoch: asked.leader_epoch })
}

fn result(partition: i32, answer: Result<StateRead, ShareError>) -> PartitionResult {
    let result = PartitionResult::default().with_partition(partition);
    match answer {
        Ok(state) => {
            let batches = state.batches.into_iter().map(|batch| {
                StateBatch::default()
                    .with_first_offset(batch.first_offset)
                    .with_last_offset(batch.last_offset)
                    .with_delivery_state(batch.delivery_state)
                    .with_delivery_count(batch.delivery_count)
            });
            result
                .with_state_epoch(state.state_epoch)
                .with_start_offset(state.start_offset)
                .with_state_batches(batches.collect())
        }
        Err(error) => {
            let (code, message) = refusal(error, OPERATION);
            result.with_error_code(code).with_error_message(message)
        }
    }
}

fn denied(partition: i32) -> PartitionResult {
    let denied = worded(ErrorCode::ClusterAuthorizationFailed);
    PartitionResult::default()
        .with_partition(partition)
        .with_error_code(denied.code.code())
        .with_error_message(denied.message.map(StrBytes::from_string))
}

fn response(results: ByTopic<PartitionResult>) -> ReadShareGroupStateResponse {
    let results = results.into_iter().map(|(topic_id, partitions)| {
        ReadStateResult::default().with_topic_id(topic_id).with_partitions(partitions)
    });
    ReadShareGroupStateResponse::default().with_results(results.collect())
}

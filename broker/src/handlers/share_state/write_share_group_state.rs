//! WriteShareGroupState: the leader of partitions says what has changed of their state.
//!
//! Kafka: `KafkaApis.handleWriteShareGroupStateRequest` and `ShareCoordinatorService.writeState`.

use coordinator::share::{ShareError, SharePartitionKey, StateBatch, WriteState};
use protocol::ErrorCode;
use protocol::messages::write_share_group_state_request::PartitionData;
use protocol::messages::write_share_group_state_response::{PartitionResult, WriteStateResult};
use protocol::messages::{WriteShareGroupStateRequest, WriteShareGroupStateResponse};
use protocol::wire::StrBytes;
use uuid::Uuid;

use super::{ByTopic, each, is_empty, may};
use crate::coordinators::share::{Pending, ShareStates};
use crate::requests::api_error::worded;
use crate::requests::context::RequestContext;
use crate::requests::error_map::share::refusal;
use crate::requests::reply::CloseConnection;

const OPERATION: &str = "write share group state";

pub(crate) async fn handle(
    share_states: &ShareStates,
    context: &RequestContext,
    request: WriteShareGroupStateRequest,
) -> Result<WriteShareGroupStateResponse, CloseConnection> {
    let group_id = request.group_id;
    let topics: ByTopic<PartitionData> =
        request.topics.into_iter().map(|topic| (topic.topic_id, topic.partitions)).collect();
    if !may(context) {
        let told = |_, asked: PartitionData| std::future::ready(denied(asked.partition));
        return Ok(response(each(topics, told).await));
    }
    if is_empty(&group_id, &topics) {
        return Ok(WriteShareGroupStateResponse::default());
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
) -> Pending<()> {
    let key =
        SharePartitionKey { group_id: group_id.clone(), topic_id, partition: asked.partition };
    let batches = asked.state_batches.iter().map(|batch| StateBatch {
        first_offset: batch.first_offset,
        last_offset: batch.last_offset,
        delivery_count: batch.delivery_count,
        delivery_state: batch.delivery_state,
    });
    share_states.write(&WriteState {
        key,
        state_epoch: asked.state_epoch,
        leader_epoch: asked.leader_epoch,
        start_offset: asked.start_offset,
        delivery_complete_count: asked.delivery_complete_count,
        batches: batches.collect(),
    })
}

fn result(partition: i32, answer: Result<(), ShareError>) -> PartitionResult {
    match answer {
        Ok(()) => PartitionResult { partition, ..PartitionResult::default() },
        Err(error) => {
            let (error_code, error_message) = refusal(error, OPERATION);
            PartitionResult { partition, error_code, error_message }
        }
    }
}

fn denied(partition: i32) -> PartitionResult {
    let denied = worded(ErrorCode::ClusterAuthorizationFailed);
    PartitionResult {
        partition,
        error_code: denied.code.code(),
        error_message: denied.message.map(StrBytes::from_string),
    }
}

fn response(results: ByTopic<PartitionResult>) -> WriteShareGroupStateResponse {
    let results =
        results.into_iter().map(|(topic_id, partitions)| WriteStateResult { topic_id, partitions });
    WriteShareGroupStateResponse { results: results.collect() }
}

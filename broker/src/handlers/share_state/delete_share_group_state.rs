//! DeleteShareGroupState: a group forgets partitions.
//!
//! Kafka: `KafkaApis.handleDeleteShareGroupStateRequest` and `ShareCoordinatorService.deleteState`.

use coordinator::share::{ShareError, SharePartitionKey};
use protocol::ErrorCode;
use protocol::messages::delete_share_group_state_request::PartitionData;
use protocol::messages::delete_share_group_state_response::{DeleteStateResult, PartitionResult};
use protocol::messages::{DeleteShareGroupStateRequest, DeleteShareGroupStateResponse};
use protocol::wire::StrBytes;
use uuid::Uuid;

use super::{ByTopic, each, is_empty, may};
use crate::coordinators::share::{Pending, ShareStates};
use crate::requests::api_error::worded;
use crate::requests::context::RequestContext;
use crate::requests::error_map::share::refusal;
use crate::requests::reply::CloseConnection;

const OPERATION: &str = "delete share group state";

pub(crate) async fn handle(
    share_states: &ShareStates,
    context: &RequestContext,
    request: DeleteShareGroupStateRequest,
) -> Result<DeleteShareGroupStateResponse, CloseConnection> {
    let group_id = request.group_id;
    let topics: ByTopic<PartitionData> =
        request.topics.into_iter().map(|topic| (topic.topic_id, topic.partitions)).collect();
    if !may(context) {
        let told = |_, asked: PartitionData| std::future::ready(denied(asked.partition));
        return Ok(response(each(topics, told).await));
    }
    if is_empty(&group_id, &topics) {
        return Ok(DeleteShareGroupStateResponse::default());
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
    share_states.delete(&key)
}

fn result(partition: i32, answer: Result<(), ShareError>) -> PartitionResult {
    let result = PartitionResult::default().with_partition(partition);
    match answer {
        Ok(()) => result,
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

fn response(results: ByTopic<PartitionResult>) -> DeleteShareGroupStateResponse {
    let results = results.into_iter().map(|(topic_id, partitions)| {
        DeleteStateResult::default().with_topic_id(topic_id).with_partitions(partitions)
    });
    DeleteShareGroupStateResponse::default().with_results(results.collect())
}

//! DeleteShareGroupState: a group forgets partitions.
//!
//! Kafka: `KafkaApis.handleDeleteShareGroupStateRequest` and `ShareCoordinatorService.deleteState`.

use protocol::messages::delete_share_group_state_request::PartitionData;
use protocol::messages::delete_share_group_state_response::{DeleteStateResult, PartitionResult};
use protocol::messages::{DeleteShareGroupStateRequest, DeleteShareGroupStateResponse};

use super::{Asking, ByTopic, Outcome};
use crate::coordinators::share::ShareStates;
use crate::requests::context::RequestContext;
use crate::requests::reply::CloseConnection;

const ASKING: Asking<PartitionData, (), PartitionResult> = Asking {
    operation: "delete share group state",
    partition: |asked| asked.partition,
    passes_over_empty: false,
    answer,
};

pub(crate) async fn handle(
    share_states: &ShareStates,
    context: &RequestContext,
    request: DeleteShareGroupStateRequest,
) -> Result<DeleteShareGroupStateResponse, CloseConnection> {
    let topics: ByTopic<PartitionData> =
        request.topics.into_iter().map(|topic| (topic.topic_id, topic.partitions)).collect();
    let answered =
        ASKING.ask(context, &request.group_id, topics, |key, _| share_states.delete(&key));
    Ok(response(answered.await))
}

fn answer(partition: i32, outcome: Outcome<()>) -> PartitionResult {
    let (code, message) = outcome.err().unwrap_or_default();
    PartitionResult::default()
        .with_partition(partition)
        .with_error_code(code)
        .with_error_message(message)
}

fn response(results: ByTopic<PartitionResult>) -> DeleteShareGroupStateResponse {
    let results = results.into_iter().map(|(topic_id, partitions)| {
        DeleteStateResult::default().with_topic_id(topic_id).with_partitions(partitions)
    });
    DeleteShareGroupStateResponse::default().with_results(results.collect())
}

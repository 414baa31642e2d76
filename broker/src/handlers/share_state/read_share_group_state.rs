//! ReadShareGroupState: the leader of partitions takes their state over.
//!
//! Kafka: `KafkaApis.handleReadShareGroupStateRequest` and `ShareCoordinatorService.readState`.

use coordinator::share::{ReadState, StateRead};
use protocol::messages::read_share_group_state_request::PartitionData;
use protocol::messages::read_share_group_state_response::{
    PartitionResult, ReadStateResult, StateBatch,
};
use protocol::messages::{ReadShareGroupStateRequest, ReadShareGroupStateResponse};

use super::{Asking, ByTopic, Outcome};
use crate::coordinators::share::ShareStates;
use crate::requests::context::RequestContext;
use crate::requests::reply::CloseConnection;

const ASKING: Asking<PartitionData, StateRead, PartitionResult> = Asking {
    operation: "read share group state",
    partition: |asked| asked.partition,
    passes_over_empty: false,
    answer,
};

pub(crate) async fn handle(
    share_states: &ShareStates,
    context: &RequestContext,
    request: ReadShareGroupStateRequest,
) -> Result<ReadShareGroupStateResponse, CloseConnection> {
    let topics: ByTopic<PartitionData> =
        request.topics.into_iter().map(|topic| (topic.topic_id, topic.partitions)).collect();
    let answered = ASKING.ask(context, &request.group_id, topics, |key, asked| {
        share_states.read(&ReadState { key, leader_epoch: asked.leader_epoch })
    });
    Ok(response(answered.await))
}

fn answer(partition: i32, outcome: Outcome<StateRead>) -> PartitionResult {
    let result = PartitionResult::default().with_partition(partition);
    match outcome {
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
        Err((code, message)) => result.with_error_code(code).with_error_message(message),
    }
}

fn response(results: ByTopic<PartitionResult>) -> ReadShareGroupStateResponse {
    let results = results.into_iter().map(|(topic_id, partitions)| {
        ReadStateResult::default().with_topic_id(topic_id).with_partitions(partitions)
    });
    ReadShareGroupStateResponse::default().with_results(results.collect())
}

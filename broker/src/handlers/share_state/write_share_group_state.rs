//! WriteShareGroupState: the leader of partitions says what has changed of their state.
//!
//! Kafka: `KafkaApis.handleWriteShareGroupStateRequest` and `ShareCoordinatorService.writeState`.

use coordinator::share::{StateBatch, WriteState};
use protocol::messages::write_share_group_state_request::PartitionData;
use protocol::messages::write_share_group_state_response::{PartitionResult, WriteStateResult};
use protocol::messages::{WriteShareGroupStateRequest, WriteShareGroupStateResponse};

use super::{Asking, ByTopic, Outcome};
use crate::coordinators::share::ShareStates;
use crate::requests::context::RequestContext;
use crate::requests::reply::CloseConnection;

const ASKING: Asking<PartitionData, (), PartitionResult> = Asking {
    operation: "write share group state",
    partition: |asked| asked.partition,
    passes_over_empty: false,
    answer,
};

pub(crate) async fn handle(
    share_states: &ShareStates,
    context: &RequestContext,
    request: WriteShareGroupStateRequest,
) -> Result<WriteShareGroupStateResponse, CloseConnection> {
    let topics: ByTopic<PartitionData> =
        request.topics.into_iter().map(|topic| (topic.topic_id, topic.partitions)).collect();
    let answered = ASKING.ask(context, &request.group_id, topics, |key, asked| {
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
    });
    Ok(response(answered.await))
}

fn answer(partition: i32, outcome: Outcome<()>) -> PartitionResult {
    let (error_code, error_message) = outcome.err().unwrap_or_default();
    PartitionResult { partition, error_code, error_message }
}

fn response(results: ByTopic<PartitionResult>) -> WriteShareGroupStateResponse {
    let results =
        results.into_iter().map(|(topic_id, partitions)| WriteStateResult { topic_id, partitions });
    WriteShareGroupStateResponse { results: results.collect() }
}

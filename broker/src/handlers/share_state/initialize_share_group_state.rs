//! InitializeShareGroupState: a group begins to read partitions, or begins anew.
//!
//! Kafka: `KafkaApis.handleInitializeShareGroupStateRequest` and
//! `ShareCoordinatorService.initializeState`.

use coordinator::share::InitializeState;
use protocol::messages::initialize_share_group_state_request::PartitionData;
use protocol::messages::initialize_share_group_state_response::{
    InitializeStateResult, PartitionResult,
};
use protocol::messages::{InitializeShareGroupStateRequest, InitializeShareGroupStateResponse};

use super::{Asking, ByTopic, Outcome};
use crate::coordinators::share::ShareStates;
use crate::requests::context::RequestContext;
use crate::requests::reply::CloseConnection;

const ASKING: Asking<PartitionData, (), PartitionResult> = Asking {
    operation: "initialize share group state",
    partition: |asked| asked.partition,
    passes_over_empty: true,
    answer,
};

pub(crate) async fn handle(
    share_states: &ShareStates,
    context: &RequestContext,
    request: InitializeShareGroupStateRequest,
) -> Result<InitializeShareGroupStateResponse, CloseConnection> {
    let topics: ByTopic<PartitionData> =
        request.topics.into_iter().map(|topic| (topic.topic_id, topic.partitions)).collect();
    let answered = ASKING.ask(context, &request.group_id, topics, |key, asked| {
        share_states.initialize(&InitializeState {
            key,
            state_epoch: asked.state_epoch,
            start_offset: asked.start_offset,
        })
    });
    Ok(response(answered.await))
}

fn answer(partition: i32, outcome: Outcome<()>) -> PartitionResult {
    let (code, message) = outcome.err().unwrap_or_default();
    PartitionResult::default()
        .with_partition(partition)
        .with_error_code(code)
        .with_error_message(message)
}

fn response(results: ByTopic<PartitionResult>) -> InitializeShareGroupStateResponse {
    let results = results.into_iter().map(|(topic_id, partitions)| {
        InitializeStateResult::default().with_topic_id(topic_id).with_partitions(partitions)
    });
    InitializeShareGroupStateResponse::default().with_results(results.collect())
}

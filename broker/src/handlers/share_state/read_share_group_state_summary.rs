//! ReadShareGroupStateSummary: how far a group has read partitions.
//!
//! Kafka: `KafkaApis.handleReadShareGroupStateSummaryRequest` and
//! `ShareCoordinatorService.readStateSummary`.

use coordinator::share::{ReadState, StateSummary};
use protocol::messages::read_share_group_state_summary_request::PartitionData;
use protocol::messages::read_share_group_state_summary_response::{
    PartitionResult, ReadStateSummaryResult,
};
use protocol::messages::{ReadShareGroupStateSummaryRequest, ReadShareGroupStateSummaryResponse};

use super::{Asking, ByTopic, Outcome};
use crate::coordinators::share::ShareStates;
use crate::requests::context::RequestContext;
use crate::requests::reply::CloseConnection;

const ASKING: Asking<PartitionData, StateSummary, PartitionResult> = Asking {
    operation: "read share group state summary",
    partition: |asked| asked.partition,
    passes_over_empty: false,
    answer,
};

pub(crate) async fn handle(
    share_states: &ShareStates,
    context: &RequestContext,
    request: ReadShareGroupStateSummaryRequest,
) -> Result<ReadShareGroupStateSummaryResponse, CloseConnection> {
    let topics: ByTopic<PartitionData> =
        request.topics.into_iter().map(|topic| (topic.topic_id, topic.partitions)).collect();
    let answered = ASKING.ask(context, &request.group_id, topics, |key, asked| {
        share_states.summarize(&ReadState { key, leader_epoch: asked.leader_epoch })
    });
    Ok(response(answered.await))
}

fn answer(partition: i32, outcome: Outcome<StateSummary>) -> PartitionResult {
    match outcome {
        Ok(summary) => PartitionResult {
            partition,
            state_epoch: summary.state_epoch,
            leader_epoch: summary.leader_epoch,
            start_offset: summary.start_offset,
            delivery_complete_count: summary.delivery_complete_count,
            ..PartitionResult::default()
        },
        Err((error_code, error_message)) => {
            PartitionResult { partition, error_code, error_message, ..PartitionResult::default() }
        }
    }
}

fn response(results: ByTopic<PartitionResult>) -> ReadShareGroupStateSummaryResponse {
    let results = results
        .into_iter()
        .map(|(topic_id, partitions)| ReadStateSummaryResult { topic_id, partitions });
    ReadShareGroupStateSummaryResponse { results: results.collect() }
}

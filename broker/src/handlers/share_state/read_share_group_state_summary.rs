//! ReadShareGroupStateSummary: how far a group has read partitions.
//!
//! Kafka: `KafkaApis.handleReadShareGroupStateSummaryRequest` and
//! `ShareCoordinatorService.readStateSummary`.

use coordinator::share::{ReadState, ShareError, SharePartitionKey, StateSummary};
use protocol::ErrorCode;
use protocol::messages::read_share_group_state_summary_request::PartitionData;
use protocol::messages::read_share_group_state_summary_response::{
    PartitionResult, ReadStateSummaryResult,
};
use protocol::messages::{ReadShareGroupStateSummaryRequest, ReadShareGroupStateSummaryResponse};
use protocol::wire::StrBytes;
use uuid::Uuid;

use super::{ByTopic, each, is_empty, may};
use crate::coordinators::share::{Pending, ShareStates};
use crate::requests::api_error::worded;
use crate::requests::context::RequestContext;
use crate::requests::error_map::share::refusal;
use crate::requests::reply::CloseConnection;

const OPERATION: &str = "read share group state summary";

pub(crate) async fn handle(
    share_states: &ShareStates,
    context: &RequestContext,
    request: ReadShareGroupStateSummaryRequest,
) -> Result<ReadShareGroupStateSummaryResponse, CloseConnection> {
    let group_id = request.group_id;
    let topics: ByTopic<PartitionData> =
        request.topics.into_iter().map(|topic| (topic.topic_id, topic.partitions)).collect();
    if !may(context) {
        let told = |_, asked: PartitionData| std::future::ready(denied(asked.partition));
        return Ok(response(each(topics, told).await));
    }
    if is_empty(&group_id, &topics) {
        return Ok(ReadShareGroupStateSummaryResponse::default());
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
) -> Pending<StateSummary> {
    let key =
        SharePartitionKey { group_id: group_id.clone(), topic_id, partition: asked.partition };
    share_states.summarize(&ReadState { key, leader_epoch: asked.leader_epoch })
}

fn result(partition: i32, answer: Result<StateSummary, ShareError>) -> PartitionResult {
    match answer {
        Ok(summary) => PartitionResult {
            partition,
            state_epoch: summary.state_epoch,
            leader_epoch: summary.leader_epoch,
            start_offset: summary.start_offset,
            delivery_complete_count: summary.delivery_complete_count,
            ..PartitionResult::default()
        },
        Err(error) => {
            let (error_code, error_message) = refusal(error, OPERATION);
            PartitionResult { partition, error_code, error_message, ..PartitionResult::default() }
        }
    }
}

fn denied(partition: i32) -> PartitionResult {
    let denied = worded(ErrorCode::ClusterAuthorizationFailed);
    PartitionResult {
        partition,
        error_code: denied.code.code(),
        error_message: denied.message.map(StrBytes::from_string),
        ..PartitionResult::default()
    }
}

fn response(results: ByTopic<PartitionResult>) -> ReadShareGroupStateSummaryResponse {
    let results = results
        .into_iter()
        .map(|(topic_id, partitions)| ReadStateSummaryResult { topic_id, partitions });
    ReadShareGroupStateSummaryResponse { results: results.collect() }
}

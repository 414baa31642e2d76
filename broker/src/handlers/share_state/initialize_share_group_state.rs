//! InitializeShareGroupState: a group begins to read partitions, or begins anew.
//!
//! Kafka: `KafkaApis.handleInitializeShareGroupStateRequest` and
//! `ShareCoordinatorService.initializeState`.

use coordinator::share::{InitializeState, ShareError, SharePartitionKey};
use protocol::ErrorCode;
use protocol::messages::initialize_share_group_state_request::PartitionData;
use protocol::messages::initialize_share_group_state_response::{
    InitializeStateResult, PartitionResult,
};
use protocol::messages::{InitializeShareGroupStateRequest, InitializeShareGroupStateResponse};
use protocol::wire::StrBytes;
use uuid::Uuid;

use super::{ByTopic, each, may};
use crate::coordinators::share::{Pending, ShareStates};
use crate::requests::api_error::worded;
use crate::requests::context::RequestContext;
use crate::requests::error_map::share::refusal;
use crate::requests::reply::CloseConnection;

const OPERATION: &str = "initialize share group state";

pub(crate) async fn handle(
    share_states: &ShareStates,
    context: &RequestContext,
    request: InitializeShareGroupStateRequest,
) -> Result<InitializeShareGroupStateResponse, CloseConnection> {
    let group_id = request.group_id;
    let mut topics: ByTopic<PartitionData> =
        request.topics.into_iter().map(|topic| (topic.topic_id, topic.partitions)).collect();
    if !may(context) {
        let told = |_, asked: PartitionData| std::future::ready(denied(asked.partition));
        return Ok(response(each(topics, told).await));
    }
    if group_id.is_empty() {
        return Ok(InitializeShareGroupStateResponse::default());
    }
    // Unlike the others it passes over a topic without partitions.
    topics.retain(|(_, partitions)| !partitions.is_empty());
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
    share_states.initialize(&InitializeState {
        key,
        state_epoch: asked.state_epoch,
        start_offset: asked.start_offset,
    })
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

fn response(results: ByTopic<PartitionResult>) -> InitializeShareGroupStateResponse {
    let results = results.into_iter().map(|(topic_id, partitions)| {
        InitializeStateResult::default().with_topic_id(topic_id).with_partitions(partitions)
    });
    InitializeShareGroupStateResponse::default().with_results(results.collect())
}

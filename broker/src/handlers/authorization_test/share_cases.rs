//! The rows of share groups.

use protocol::api::ApiKey;
use protocol::messages::*;
use uuid::Uuid;

use super::cases::{CLUSTER, Sample};
use super::{Case, case};
use crate::requests::api_error::text;

/// A partition of no topic: who may not ask is told so whatever it is.
const TOPIC_ID: Uuid = Uuid::from_u128(7);

pub(super) fn share_cases() -> Vec<Case> {
    let cases = [initialize_state(), read_state(), write_state(), delete_state(), summarize()];
    cases.map(|case| case.asks(&["ClusterAction cluster"]).gets(&[CLUSTER])).into()
}

/// The codes of all partitions of all topics.
macro_rules! codes {
    ($response:expr) => {{
        let partitions = $response.results.iter().flat_map(|topic| &topic.partitions);
        partitions.map(|partition| partition.error_code).collect()
    }};
}

fn initialize_state() -> Case {
    use initialize_share_group_state_request::{InitializeStateData, PartitionData};
    let request = |_, _: &Sample| {
        let topic = InitializeStateData::default()
            .with_topic_id(TOPIC_ID)
            .with_partitions(vec![PartitionData::default()]);
        InitializeShareGroupStateRequest::default()
            .with_group_id(text("g"))
            .with_topics(vec![topic])
    };
    case(
        ApiKey::InitializeShareGroupState,
        request,
        |_, response: InitializeShareGroupStateResponse| codes!(response),
    )
}

fn read_state() -> Case {
    use read_share_group_state_request::{PartitionData, ReadStateData};
    let request = |_, _: &Sample| {
        let topic = ReadStateData::default()
            .with_topic_id(TOPIC_ID)
            .with_partitions(vec![PartitionData::default()]);
        ReadShareGroupStateRequest::default().with_group_id(text("g")).with_topics(vec![topic])
    };
    case(ApiKey::ReadShareGroupState, request, |_, response: ReadShareGroupStateResponse| {
        codes!(response)
    })
}

fn write_state() -> Case {
    use write_share_group_state_request::{PartitionData, WriteStateData};
    let request = |_, _: &Sample| {
        let partitions = vec![PartitionData::default()];
        let topics = vec![WriteStateData { topic_id: TOPIC_ID, partitions }];
        WriteShareGroupStateRequest { group_id: text("g"), topics }
    };
    case(ApiKey::WriteShareGroupState, request, |_, response: WriteShareGroupStateResponse| {
        codes!(response)
    })
}

fn delete_state() -> Case {
    use delete_share_group_state_request::{DeleteStateData, PartitionData};
    let request = |_, _: &Sample| {
        let topic = DeleteStateData::default()
            .with_topic_id(TOPIC_ID)
            .with_partitions(vec![PartitionData::default()]);
        DeleteShareGroupStateRequest::default().with_group_id(text("g")).with_topics(vec![topic])
    };
    case(ApiKey::DeleteShareGroupState, request, |_, response: DeleteShareGroupStateResponse| {
        codes!(response)
    })
}

fn summarize() -> Case {
    use read_share_group_state_summary_request::{PartitionData, ReadStateSummaryData};
    let request = |_, _: &Sample| {
        let partitions = vec![PartitionData::default()];
        let topics = vec![ReadStateSummaryData { topic_id: TOPIC_ID, partitions }];
        ReadShareGroupStateSummaryRequest { group_id: text("g"), topics }
    };
    case(
        ApiKey::ReadShareGroupStateSummary,
        request,
        |_, response: ReadShareGroupStateSummaryResponse| codes!(response),
    )
}

//! The rows of members of share groups that fetch and acknowledge.

use protocol::api::ApiKey;
use protocol::messages::share_fetch_request::{FetchPartition, FetchTopic};
use protocol::messages::{
    GroupId, ShareAcknowledgeRequest, ShareAcknowledgeResponse, ShareFetchRequest,
    ShareFetchResponse,
};

use super::cases::{GROUP, Sample, TOPIC};
use super::{Case, case};
use crate::requests::api_error::text;

pub(super) fn share_fetch_cases() -> Vec<Case> {
    let read: &[&str] = &["Read group g"];
    vec![
        share_fetch().asks(read).gets(&[GROUP]),
        share_fetch().granted(read).asks(&["Read group g", "Read topic t"]).gets(&[0, TOPIC]),
        case(
            ApiKey::ShareAcknowledge,
            |_, _| ShareAcknowledgeRequest {
                group_id: Some(GroupId(text("g"))),
                member_id: Some(text("m")),
                share_session_epoch: 1,
                ..Default::default()
            },
            |_, response: ShareAcknowledgeResponse| vec![response.error_code],
        )
        .asks(read)
        .gets(&[GROUP]),
    ]
}

fn share_fetch() -> Case {
    let request = |_, sample: &Sample| {
        let partitions = vec![FetchPartition::default()];
        ShareFetchRequest {
            group_id: Some(GroupId(text("g"))),
            member_id: Some(text("m")),
            topics: vec![FetchTopic { topic_id: sample.topic_id, partitions }],
            ..Default::default()
        }
    };
    case(ApiKey::ShareFetch, request, |_, response: ShareFetchResponse| {
        let partitions = response.responses.iter().flat_map(|topic| &topic.partitions);
        let codes = partitions.map(|partition| partition.error_code);
        std::iter::once(response.error_code).chain(codes).collect()
    })
}

//! ShareAcknowledge: a member says what became of its records, without a fetch.
//! Kafka: `KafkaApis.handleShareAcknowledgeRequest`.

use std::sync::Arc;

use protocol::ErrorCode;
use protocol::messages::share_acknowledge_response::{
    PartitionData, ShareAcknowledgeTopicResponse,
};
use protocol::messages::{ShareAcknowledgeRequest, ShareAcknowledgeResponse};
use replica::share::{SharePartitionId, ShareSessionKey};

use super::acknowledgements::{Outcomes, Said, take};
use super::{member, no_session, topics};
use crate::metadata::metadata_cache::MetadataCache;
use crate::requests::context::RequestContext;
use crate::requests::reply::CloseConnection;
use crate::share::SharePartitions;

/// The epoch of a session's last request.
const FINAL_EPOCH: i32 = -1;

pub(crate) async fn handle(
    metadata: &MetadataCache,
    share: &Arc<SharePartitions>,
    context: &RequestContext,
    request: ShareAcknowledgeRequest,
) -> Result<ShareAcknowledgeResponse, CloseConnection> {
    let refused = |code: ErrorCode| ShareAcknowledgeResponse {
        error_code: code.code(),
        ..Default::default()
    };
    let image = metadata.image();
    let group_id = request.group_id.as_ref().map(|group| &group.0);
    let (group, member) = match member(&image, context, group_id, request.member_id.as_ref()) {
        Ok(who) => who,
        Err(code) => return Ok(refused(code)),
    };
    let key = ShareSessionKey { group: Arc::from(&**group), member: Arc::from(&**member) };
    let epoch = request.share_session_epoch;
    if let Err(error) = share.sessions().lock().acknowledge(&key, epoch) {
        return Ok(refused(no_session(error)));
    }
    let mut said = Said::new();
    for topic in &request.topics {
        for partition in &topic.partitions {
            let (topic_id, partition_index) = (topic.topic_id, partition.partition_index);
            let id = SharePartitionId { topic_id, partition: partition_index };
            said.insert(id, partition.acknowledgement_batches.clone());
        }
    }
    let taken = take(share, &image, context, (group, member), said, request.is_renew_ack);
    let outcomes = taken.outcomes().await;
    if epoch == FINAL_EPOCH {
        share.end_session(&key);
    }
    let lock_duration_ms = share.settings(group).lock_duration_ms();
    Ok(respond(metadata, context, outcomes, lock_duration_ms))
}

fn respond(
    metadata: &MetadataCache,
    context: &RequestContext,
    outcomes: Outcomes,
    acquisition_lock_timeout_ms: i32,
) -> ShareAcknowledgeResponse {
    let mut response =
        ShareAcknowledgeResponse { acquisition_lock_timeout_ms, ..Default::default() };
    for (id, outcome) in outcomes {
        let error = outcome.err();
        let error_code = error.as_ref().map_or(0, |error| error.code());
        let endpoints = &mut response.node_endpoints;
        let partition = PartitionData {
            partition_index: id.partition,
            error_code,
            error_message: error.and_then(|error| error.text()),
            current_leader: topics::leader(metadata, context, id, error_code, endpoints),
        };
        let topic_id = id.topic_id;
        match response.responses.iter_mut().find(|topic| topic.topic_id == topic_id) {
            Some(topic) => topic.partitions.push(partition),
            None => response
                .responses
                .push(ShareAcknowledgeTopicResponse { topic_id, partitions: vec![partition] }),
        }
    }
    response
}

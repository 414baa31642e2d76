//! What a request's topic ids mean, what its sender may read of them, and who leads what is not led
//! here.

use std::sync::Arc;

use protocol::ErrorCode;
use protocol::messages::BrokerId;
use protocol::messages::share_fetch_response::{LeaderIdAndEpoch, NodeEndpoint};
use protocol::wire::StrBytes;
use raft::image::MetadataImage;
use replica::share::SharePartitionId;

use crate::metadata::metadata_cache::MetadataCache;
use crate::requests::authorizer::{Operation, Resource};
use crate::requests::context::RequestContext;

/// The topic's name, if the cluster has the partition and the sender may read it.
pub(super) fn readable(
    image: &MetadataImage,
    context: &RequestContext,
    id: SharePartitionId,
) -> Result<Arc<str>, ErrorCode> {
    let topic = image.topics().by_id(id.topic_id).ok_or(ErrorCode::UnknownTopicId)?;
    if !context.authorize(Operation::Read, Resource::Topic(&topic.name)) {
        return Err(ErrorCode::TopicAuthorizationFailed);
    }
    match topic.partition(id.partition) {
        Some(_) => Ok(Arc::from(topic.name.as_str())),
        None => Err(ErrorCode::UnknownTopicOrPartition),
    }
}

/// Who leads a partition, where it is refused because this broker does not (KIP-951).
pub(super) fn leader(
    metadata: &MetadataCache,
    context: &RequestContext,
    id: SharePartitionId,
    error_code: i16,
    endpoints: &mut Vec<NodeEndpoint>,
) -> LeaderIdAndEpoch {
    let elsewhere = [ErrorCode::NotLeaderOrFollower.code(), ErrorCode::FencedLeaderEpoch.code()];
    let image = metadata.image();
    let topic = image.topics().by_id(id.topic_id).filter(|_| elsewhere.contains(&error_code));
    let Some(topic) = topic else { return LeaderIdAndEpoch::default() };
    let (leader, endpoint) =
        metadata.current_leader(&topic.name, id.partition, &context.client.listener);
    if let Some(endpoint) = endpoint
        && endpoints.iter().all(|known| known.node_id.0 != endpoint.node_id)
    {
        endpoints.push(NodeEndpoint {
            node_id: BrokerId(endpoint.node_id),
            host: StrBytes::from_string(endpoint.host),
            port: endpoint.port,
            rack: endpoint.rack.map(StrBytes::from_string),
        });
    }
    LeaderIdAndEpoch { leader_id: leader.leader_id, leader_epoch: leader.leader_epoch }
}

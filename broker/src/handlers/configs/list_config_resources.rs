//! ListConfigResources: what can have a configuration, by kind (KIP-1142).
//!
//! Version 0 was ListClientMetricsResources and knows that kind only.
//! Kafka: `KafkaApis.handleListConfigResources`.

use protocol::ErrorCode;
use protocol::messages::list_config_resources_response::ConfigResource;
use protocol::messages::{ListConfigResourcesRequest, ListConfigResourcesResponse};
use protocol::wire::StrBytes;
use raft::image::{MetadataImage, ResourceType};

use crate::metadata::metadata_cache::MetadataCache;
use crate::requests::api_error::text;
use crate::requests::authorizer::{Operation, Resource};
use crate::requests::context::RequestContext;
use crate::requests::reply::CloseConnection;

/// In the order in which Kafka answers.
const KINDS: [ResourceType; 5] = [
    ResourceType::Group,
    ResourceType::ClientMetrics,
    ResourceType::BrokerLogger,
    ResourceType::Broker,
    ResourceType::Topic,
];

pub(crate) async fn handle(
    metadata: &MetadataCache,
    context: &RequestContext,
    request: ListConfigResourcesRequest,
) -> Result<ListConfigResourcesResponse, CloseConnection> {
    if !context.authorize(Operation::DescribeConfigs, Resource::Cluster) {
        return Ok(ListConfigResourcesResponse::default()
            .with_error_code(ErrorCode::ClusterAuthorizationFailed.code()));
    }
    let Some(kinds) = kinds(context.api_version, &request.resource_types) else {
        return Ok(ListConfigResourcesResponse::default()
            .with_error_code(ErrorCode::UnsupportedVersion.code()));
    };
    let image = metadata.image();
    let of_kind = |kind: ResourceType| {
        let resource = move |name| {
            ConfigResource::default().with_resource_name(name).with_resource_type(kind.id())
        };
        names(&image, kind, &context.client.listener).into_iter().map(resource)
    };
    Ok(ListConfigResourcesResponse::default()
        .with_config_resources(kinds.into_iter().flat_map(of_kind).collect()))
}

/// The kinds that a request means; nothing if it names one that its version has not.
fn kinds(version: i16, asked: &[i8]) -> Option<Vec<ResourceType>> {
    let known = |kind: &ResourceType| version > 0 || *kind == ResourceType::ClientMetrics;
    let known: Vec<ResourceType> = KINDS.into_iter().filter(known).collect();
    if !asked.iter().all(|id| known.iter().any(|kind| kind.id() == *id)) {
        return None;
    }
    let meant = |kind: &ResourceType| asked.is_empty() || asked.contains(&kind.id());
    Some(known.into_iter().filter(meant).collect())
}

fn names(image: &MetadataImage, kind: ResourceType, listener: &str) -> Vec<StrBytes> {
    match kind {
        ResourceType::Topic => {
            image.topics().sorted().into_iter().map(|topic| topic.name.clone()).collect()
        }
        ResourceType::Broker | ResourceType::BrokerLogger => image
            .cluster()
            .brokers()
            .filter(|broker| broker.end_points.iter().any(|e| e.name.as_str() == listener))
            .map(|broker| text(broker.broker_id.to_string()))
            .collect(),
        // These exist by having something set.
        ResourceType::Group | ResourceType::ClientMetrics => image
            .configs()
            .resources()
            .filter(|(resource, _)| resource.resource_type == kind)
            .map(|(resource, _)| resource.name.clone())
            .collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_version_knows_its_kinds() {
        assert_eq!(kinds(0, &[]), Some(vec![ResourceType::ClientMetrics]));
        assert_eq!(kinds(0, &[2]), None);
        assert_eq!(kinds(1, &[]), Some(KINDS.to_vec()));
        assert_eq!(kinds(1, &[2, 32]), Some(vec![ResourceType::Group, ResourceType::Topic]));
        assert_eq!(kinds(1, &[2, 0]), None);
        assert_eq!(kinds(1, &[64]), None);
    }
}

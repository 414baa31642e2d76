//! ApiVersions: what this node speaks, and the features of its cluster.
//!
//! Kafka: `KafkaApis.handleApiVersionsRequest`, `ApiVersionsResponse`. Below version 4 a supported
//! feature whose minimum is 0 is left out (KAFKA-17492).

use std::sync::Arc;

use protocol::ErrorCode;
use protocol::api::{self, ApiKey, Listener};
use protocol::messages::api_versions_response::{
    ApiVersion, FinalizedFeatureKey, SupportedFeatureKey,
};
use protocol::messages::{ApiVersionsRequest, ApiVersionsResponse};
use protocol::wire::StrBytes;
use raft::feature::{FEATURES, KRAFT_VERSION};

use crate::client_metrics::ClientMetrics;
use crate::metadata::dynamic_broker_config::DynamicBrokerConfig;
use crate::metadata::metadata_cache::MetadataCache;
use crate::metadata::quorum::QuorumHandle;
use crate::requests::context::RequestContext;
use crate::requests::reply::CloseConnection;
use crate::requests::requester::Software;

/// First version whose requests carry the client's name and version.
const FIRST_WITH_SOFTWARE: i16 = 3;
/// First version that can tell of features whose minimum is 0.
const FIRST_WITH_ZERO_FEATURES: i16 = 4;

pub(crate) async fn handle(
    config: &DynamicBrokerConfig,
    quorum: &QuorumHandle,
    metadata: &MetadataCache,
    client_metrics: &Option<Arc<ClientMetrics>>,
    context: &RequestContext,
    request: ApiVersionsRequest,
) -> Result<ApiVersionsResponse, CloseConnection> {
    let named = is_valid_name(&request.client_software_name)
        && is_valid_name(&request.client_software_version);
    if context.api_version >= FIRST_WITH_SOFTWARE && !named {
        let code = ErrorCode::InvalidRequest.code();
        return Ok(ApiVersionsResponse::default().with_error_code(code));
    }
    if context.api_version >= FIRST_WITH_SOFTWARE {
        context.client.set_software(Software {
            name: request.client_software_name,
            version: request.client_software_version,
        });
    }
    let listener = config.listener_kind(&context.client.listener);
    let keys = api::listed_with(listener, client_metrics.is_some()).map(|api| {
        ApiVersion::default()
            .with_api_key(api.key as i16)
            .with_min_version(api.advertised_min_version(listener))
            .with_max_version(api.max_version)
    });
    let unstable = config.current().unstable_feature_versions_enable;
    let supported = FEATURES
        .iter()
        .filter(|f| f.min_supported > 0 || context.api_version >= FIRST_WITH_ZERO_FEATURES)
        .map(|feature| {
            SupportedFeatureKey::default()
                .with_name(StrBytes::from_static_str(feature.name))
                .with_min_version(feature.min_supported)
                .with_max_version(feature.supported_max(unstable))
        });
    let image = metadata.image();
    let kraft_version = quorum.kraft_version();
    let finalized = image
        .features()
        .finalized()
        .chain((kraft_version > 0).then_some((KRAFT_VERSION, kraft_version)))
        .map(|(name, level)| {
            FinalizedFeatureKey::default()
                .with_name(StrBytes::from_string(name.to_owned()))
                .with_max_version_level(level)
                .with_min_version_level(level)
        });
    Ok(ApiVersionsResponse::default()
        .with_api_keys(keys.collect())
        .with_supported_features(supported.collect())
        .with_finalized_features(finalized.collect())
        .with_finalized_features_epoch(image.provenance().last_contained_offset))
}

/// The answer to a version nobody here knows, in version 0: what ApiVersions itself speaks.
pub(crate) fn unsupported_version(listener: Listener) -> ApiVersionsResponse {
    let own = api::listed_on(listener).filter(|api| api.key == ApiKey::ApiVersions);
    let keys = own.map(|api| {
        ApiVersion::default()
            .with_api_key(api.key as i16)
            .with_min_version(api.min_version)
            .with_max_version(api.max_version)
    });
    ApiVersionsResponse::default()
        .with_error_code(ErrorCode::UnsupportedVersion.code())
        .with_api_keys(keys.collect())
}

/// Letters, digits, dots and dashes, with a letter or digit at both ends (KIP-511).
fn is_valid_name(name: &str) -> bool {
    let inner = |c: char| c.is_ascii_alphanumeric() || c == '.' || c == '-';
    name.starts_with(|c: char| c.is_ascii_alphanumeric())
        && name.ends_with(|c: char| c.is_ascii_alphanumeric())
        && name.chars().all(inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn client_names_are_letters_digits_dots_and_dashes() {
        for good in ["a", "apache-kafka-java", "4.1.0", "librdkafka"] {
            assert!(is_valid_name(good), "{good}");
        }
        for bad in ["", "-a", "a-", "a b", "ä", ".1", "a_b", "a\n"] {
            assert!(!is_valid_name(bad), "{bad}");
        }
    }
}

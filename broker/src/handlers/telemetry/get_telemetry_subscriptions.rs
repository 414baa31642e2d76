//! GetTelemetrySubscriptions: what a client is to push, and how often; and its instance id.
//!
//! Kafka: `KafkaApis.handleGetTelemetrySubscriptionsRequest`,
//! `ClientMetricsManager.createGetSubscriptionResponse`.

use std::sync::Arc;

use protocol::messages::{GetTelemetrySubscriptionsRequest, GetTelemetrySubscriptionsResponse};

use super::{code, no_receiver};
use crate::client_metrics::ClientMetrics;
use crate::requests::api_error::text;
use crate::requests::context::RequestContext;
use crate::requests::reply::CloseConnection;

/// The codecs that clients may use, the best first: zstd, lz4, gzip, snappy.
const COMPRESSION_TYPES: [i8; 4] = [4, 3, 1, 2];

pub(crate) async fn handle(
    client_metrics: &Option<Arc<ClientMetrics>>,
    context: &RequestContext,
    request: GetTelemetrySubscriptionsRequest,
) -> Result<GetTelemetrySubscriptionsResponse, CloseConnection> {
    let received = client_metrics.as_ref().ok_or_else(no_receiver)?;
    let response = GetTelemetrySubscriptionsResponse::default();
    Ok(match received.subscriptions(context, request.client_instance_id) {
        Ok(told) => response
            .with_client_instance_id(told.client_instance_id)
            .with_subscription_id(told.subscription.id)
            .with_accepted_compression_types(COMPRESSION_TYPES.to_vec())
            .with_push_interval_ms(told.subscription.terms.push_interval_ms)
            .with_telemetry_max_bytes(told.bytes_max)
            .with_delta_temporality(true)
            .with_requested_metrics(
                told.subscription.terms.metrics.into_iter().map(text).collect(),
            ),
        Err(refused) => response.with_error_code(code(refused).code()),
    })
}

//! PushTelemetry: the metrics of a client.
//!
//! Kafka: `KafkaApis.handlePushTelemetryRequest`,
//! `ClientMetricsManager.processPushTelemetryRequest`.

use std::sync::Arc;

use metrics::client::Push;
use protocol::ErrorCode;
use protocol::messages::{PushTelemetryRequest, PushTelemetryResponse};

use super::{code, no_receiver};
use crate::client_metrics::{ClientMetrics, PushError};
use crate::requests::context::RequestContext;
use crate::requests::reply::CloseConnection;

pub(crate) async fn handle(
    client_metrics: &Option<Arc<ClientMetrics>>,
    context: &RequestContext,
    request: PushTelemetryRequest,
) -> Result<PushTelemetryResponse, CloseConnection> {
    let received = client_metrics.as_ref().ok_or_else(no_receiver)?;
    let push = Push {
        subscription_id: request.subscription_id,
        terminating: request.terminating,
        compression_type: request.compression_type,
        bytes: request.metrics.len(),
    };
    let pushed = received.push(context, request.client_instance_id, push, request.metrics).await;
    let response = PushTelemetryResponse::default();
    Ok(match pushed {
        Ok(()) => response,
        Err(PushError::Refused(refused)) => response.with_error_code(code(refused).code()),
        Err(PushError::Content(_)) => response.with_error_code(ErrorCode::InvalidRecord.code()),
    })
}

//! ExpireDelegationToken: a token is to end sooner, or at once (KIP-48).
//!
//! Kafka: `KafkaApis.handleExpireTokenRequest`,
//! `ControllerApis.handleExpireDelegationTokenRequest`.

use std::sync::Arc;

use protocol::ErrorCode;
use protocol::messages::{ExpireDelegationTokenRequest, ExpireDelegationTokenResponse};

use crate::metadata::controller_client::{ControllerClient, Unanswered};
use crate::metadata::delegation_tokens::DelegationTokens;
use crate::metadata::dynamic_broker_config::DynamicBrokerConfig;
use crate::requests::api_error::ApiError;
use crate::requests::context::RequestContext;
use crate::requests::delegation_tokens::may_ask;
use crate::requests::reply::CloseConnection;

pub(crate) async fn handle(
    config: &DynamicBrokerConfig,
    controller: &ControllerClient,
    delegation_tokens: &Arc<DelegationTokens>,
    context: &RequestContext,
    request: ExpireDelegationTokenRequest,
) -> Result<ExpireDelegationTokenResponse, CloseConnection> {
    let refused =
        |code: ErrorCode| ExpireDelegationTokenResponse::default().with_error_code(code.code());
    if !may_ask(&config.current(), context) {
        let code = ErrorCode::DelegationTokenRequestNotAllowed;
        return Ok(refused(code).with_expiry_timestamp_ms(-1));
    }
    let requester = Arc::clone(&context.client.principal);
    let tokens = Arc::clone(delegation_tokens);
    let answered = controller.ask(context, request, move |request, controller, now| {
        let id = tokens.find(controller.image(), &request.hmac);
        controller.expire_delegation_token(request, &requester, id.as_deref(), now)
    });
    match answered.await {
        Err(Unanswered::Failed(error)) => Ok(refused(ApiError::from(error).code)),
        answered => Ok(answered?),
    }
}

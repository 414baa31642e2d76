//! CreateDelegationToken: something to log in with for a while, for whoever asks or, by his leave,
//! for somebody else (KIP-48, KIP-373).
//!
//! Kafka: `KafkaApis.handleCreateTokenRequest`,
//! `ControllerApis.handleCreateDelegationTokenRequest`.

use std::sync::Arc;

use protocol::ErrorCode;
use protocol::api::Listener;
use protocol::messages::{CreateDelegationTokenRequest, CreateDelegationTokenResponse};
use protocol::wire::StrBytes;
use raft::controller::{answer_of, token_owner};

use crate::metadata::controller_client::{ControllerClient, Unanswered};
use crate::metadata::delegation_tokens::DelegationTokens;
use crate::metadata::dynamic_broker_config::DynamicBrokerConfig;
use crate::net::authenticator::Authenticator;
use crate::requests::answer_budget;
use crate::requests::api_error::ApiError;
use crate::requests::authorizer::{Operation, Resource};
use crate::requests::context::RequestContext;
use crate::requests::delegation_tokens::{FIRST_VERSION_WITH_REQUESTER, may_ask};
use crate::requests::reply::CloseConnection;

/// What a renewer costs here, about.
const BYTES_EACH: usize = 256;
/// Stands for a time in an answer that has none.
const NEVER: i64 = -1;

pub(crate) async fn handle(
    config: &DynamicBrokerConfig,
    controller: &ControllerClient,
    delegation_tokens: &Arc<DelegationTokens>,
    context: &RequestContext,
    request: CreateDelegationTokenRequest,
) -> Result<CreateDelegationTokenResponse, CloseConnection> {
    answer_budget::check(request.renewers.len(), BYTES_EACH)?;
    let response = create(config, controller, delegation_tokens, context, request).await?;
    if context.api_version >= FIRST_VERSION_WITH_REQUESTER {
        return Ok(response);
    }
    Ok(response
        .with_token_requester_principal_type(StrBytes::default())
        .with_token_requester_principal_name(StrBytes::default()))
}

async fn create(
    config: &DynamicBrokerConfig,
    controller: &ControllerClient,
    delegation_tokens: &Arc<DelegationTokens>,
    context: &RequestContext,
    request: CreateDelegationTokenRequest,
) -> Result<CreateDelegationTokenResponse, CloseConnection> {
    let requester = Arc::clone(&context.client.principal);
    let is_named = request.owner_principal_name.as_ref().is_some_and(|name| !name.is_empty());
    if is_named && request.owner_principal_type.is_none() {
        return Ok(failed(ErrorCode::UnknownServerError));
    }
    let owner = token_owner(&request, &requester);
    if !may_ask(&config.current(), context) {
        return Ok(refused(&owner, &requester, ErrorCode::DelegationTokenRequestNotAllowed));
    }
    let is_own = owner == *requester;
    if !is_own && !context.authorize(Operation::CreateTokens, Resource::User(&owner)) {
        return Ok(refused(&owner, &requester, ErrorCode::DelegationTokenAuthorizationFailed));
    }
    let on_broker = config.listener_kind(&context.client.listener) == Listener::Broker;
    let is_no_user = request.renewers.iter().any(|each| each.principal_type.as_str() != "User");
    if on_broker && is_no_user {
        return Ok(refused(&owner, &requester, ErrorCode::InvalidPrincipalType));
    }
    let tokens = Arc::clone(delegation_tokens);
    let created = controller.ask(context, request, move |request, controller, now| {
        controller.create_delegation_token(request, &requester, |id| tokens.hmac(id), now)
    });
    match created.await {
        Err(Unanswered::Failed(error)) => Ok(failed(ApiError::from(error).code)),
        created => Ok(created?),
    }
}

fn refused(owner: &str, requester: &str, code: ErrorCode) -> CreateDelegationTokenResponse {
    answer_of(owner, requester)
        .with_error_code(code.code())
        .with_issue_timestamp_ms(NEVER)
        .with_expiry_timestamp_ms(NEVER)
        .with_max_timestamp_ms(NEVER)
}

/// Where nothing came of it Kafka does not say for whom.
fn failed(code: ErrorCode) -> CreateDelegationTokenResponse {
    let nobody = Authenticator::anonymous();
    refused(&nobody, &nobody, code)
}

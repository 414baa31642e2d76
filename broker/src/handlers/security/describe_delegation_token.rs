//! DescribeDelegationToken: the tokens that somebody owns, asked for, may renew or may see (KIP-48,
//! KIP-373).
//!
//! Kafka: `KafkaApis.handleDescribeTokensRequest`, `DelegationTokenManager.filterToken`.

use std::sync::Arc;

use protocol::ErrorCode;
use protocol::messages::describe_delegation_token_response::{
    DescribedDelegationToken, DescribedDelegationTokenRenewer,
};
use protocol::messages::{DescribeDelegationTokenRequest, DescribeDelegationTokenResponse};
use protocol::records::metadata::DelegationTokenRecord;
use protocol::wire::StrBytes;
use raft::controller::principal_parts;

use crate::metadata::delegation_tokens::DelegationTokens;
use crate::metadata::dynamic_broker_config::DynamicBrokerConfig;
use crate::metadata::metadata_cache::MetadataCache;
use crate::requests::answer_budget;
use crate::requests::authorizer::{Operation, Resource};
use crate::requests::context::RequestContext;
use crate::requests::delegation_tokens::{FIRST_VERSION_WITH_REQUESTER, may_ask};
use crate::requests::reply::CloseConnection;

/// What an owner costs here, about.
const BYTES_EACH: usize = 256;

pub(crate) async fn handle(
    config: &DynamicBrokerConfig,
    metadata: &MetadataCache,
    delegation_tokens: &Arc<DelegationTokens>,
    context: &RequestContext,
    request: DescribeDelegationTokenRequest,
) -> Result<DescribeDelegationTokenResponse, CloseConnection> {
    answer_budget::check(request.owners.as_ref().map_or(0, Vec::len), BYTES_EACH)?;
    let refused =
        |code: ErrorCode| DescribeDelegationTokenResponse::default().with_error_code(code.code());
    if !may_ask(&config.current(), context) {
        return Ok(refused(ErrorCode::DelegationTokenRequestNotAllowed));
    }
    if !delegation_tokens.are_enabled() {
        return Ok(refused(ErrorCode::DelegationTokenAuthDisabled));
    }
    let owners: Option<Vec<String>> = request.owners.map(|owners| {
        let principals = owners.iter().map(|owner| {
            format!("{}:{}", owner.principal_type.as_str(), owner.principal_name.as_str())
        });
        principals.collect()
    });
    let image = metadata.image();
    let is_told = |token: &&DelegationTokenRecord| {
        owners.as_ref().is_none_or(|owners| owners.iter().any(|owner| concerns(token, owner)))
            && may_see(context, token)
    };
    let tokens = image.delegation_tokens().iter().filter(is_told);
    let told = tokens.map(|token| {
        let hmac = delegation_tokens.hmac(&token.token_id);
        described(token, hmac, context.api_version)
    });
    Ok(DescribeDelegationTokenResponse::default().with_tokens(told.collect()))
}

/// Whether somebody owns a token, asked for it or may renew it.
fn concerns(token: &DelegationTokenRecord, principal: &str) -> bool {
    let is_it = |each: &StrBytes| each.as_str() == principal;
    is_it(&token.owner) || is_it(&token.requester) || token.renewers.iter().any(is_it)
}

fn may_see(context: &RequestContext, token: &DelegationTokenRecord) -> bool {
    concerns(token, &context.client.principal)
        || context.authorize(Operation::Describe, Resource::DelegationToken(&token.token_id))
        || context.authorize(Operation::DescribeTokens, Resource::User(&token.owner))
}

fn described(
    token: &DelegationTokenRecord,
    hmac: Vec<u8>,
    version: i16,
) -> DescribedDelegationToken {
    let text = |text: &str| StrBytes::from_string(text.to_owned());
    let (owner_type, owner_name) = principal_parts(&token.owner);
    let renewers = token.renewers.iter().map(|renewer| {
        let (kind, name) = principal_parts(renewer);
        DescribedDelegationTokenRenewer::default()
            .with_principal_type(text(kind))
            .with_principal_name(text(name))
    });
    let described = DescribedDelegationToken::default()
        .with_principal_type(text(owner_type))
        .with_principal_name(text(owner_name))
        .with_issue_timestamp(token.issue_timestamp)
        .with_expiry_timestamp(token.expiration_timestamp)
        .with_max_timestamp(token.max_timestamp)
        .with_token_id(token.token_id.clone())
        .with_hmac(hmac.into())
        .with_renewers(renewers.collect());
    if version < FIRST_VERSION_WITH_REQUESTER {
        return described;
    }
    let (requester_type, requester_name) = principal_parts(&token.requester);
    described
        .with_token_requester_principal_type(text(requester_type))
        .with_token_requester_principal_name(text(requester_name))
}

//! Create-, Renew- and ExpireDelegationToken: who may act for whom, and how long (KIP-48, KIP-373).
//! Answers to `DelegationTokenControlManager`.
//!
//! A token is known to its holder by an HMAC, which is no part of the metadata: how it is made of
//! the id, and which id one is of, is handed in.
//!
//! Kept true: no token outlives its max timestamp; only its owner and its renewers change it; what
//! has expired is taken away at the next check.

use protocol::ErrorCode;
use protocol::base64_uuid::Base64Uuid;
use protocol::messages::{
    CreateDelegationTokenRequest, CreateDelegationTokenResponse, ExpireDelegationTokenRequest,
    ExpireDelegationTokenResponse, RenewDelegationTokenRequest, RenewDelegationTokenResponse,
};
use protocol::records::metadata::{DelegationTokenRecord, RemoveDelegationTokenRecord};
use protocol::wire::StrBytes;

use super::{Controller, ControllerNow, ControllerResult};

/// Kafka's bound on what one check takes away.
const REMOVED_MAX: usize = 1_000;
/// The type of principals that may be named as renewers.
const USER: &str = "User";

/// What a node's configuration says of delegation tokens.
#[derive(Debug, Clone, Copy)]
pub struct DelegationTokenSettings {
    /// `delegation.token.secret.key` is set.
    pub enabled: bool,
    /// `delegation.token.max.lifetime.ms`
    pub max_lifetime_ms: i64,
    /// `delegation.token.expiry.time.ms`
    pub expiry_time_ms: i64,
    /// `delegation.token.expiry.check.interval.ms`
    pub expiry_check_interval_ms: i64,
}

impl Default for DelegationTokenSettings {
    fn default() -> Self {
        Self {
            enabled: false,
            max_lifetime_ms: 604_800_000,
            expiry_time_ms: 86_400_000,
            expiry_check_interval_ms: 3_600_000,
        }
    }
}

impl Controller {
    /// `requester` as `type:name`; `make_hmac` makes that of an id.
    pub fn create_delegation_token(
        &self,
        request: &CreateDelegationTokenRequest,
        requester: &str,
        make_hmac: impl FnOnce(&str) -> Vec<u8>,
        now: &ControllerNow,
    ) -> ControllerResult<CreateDelegationTokenResponse> {
        let owner = token_owner(request, requester);
        let response = answer_of(&owner, requester);
        let refused = |code: ErrorCode| {
            ControllerResult::unchanged(response.clone().with_error_code(code.code()))
        };
        if let Err(code) = self.check_delegation_tokens() {
            return refused(code);
        }
        let mut renewers = Vec::with_capacity(request.renewers.len());
        for renewer in &request.renewers {
            if renewer.principal_type.as_str() != USER {
                return refused(ErrorCode::InvalidPrincipalType);
            }
            renewers.push(text(format!("{USER}:{}", renewer.principal_name.as_str())));
        }
        let settings = &self.settings.delegation_tokens;
        let lifetime_ms = at_most(settings.max_lifetime_ms, request.max_lifetime_ms);
        let max_timestamp = now.wall_ms.saturating_add(lifetime_ms);
        let record = DelegationTokenRecord {
            owner: text(owner),
            requester: text(requester.to_owned()),
            renewers,
            issue_timestamp: now.wall_ms,
            max_timestamp,
            expiration_timestamp: now
                .wall_ms
                .saturating_add(settings.expiry_time_ms)
                .min(max_timestamp),
            token_id: text(Base64Uuid(now.draws().topic_id()).to_string()),
            ..Default::default()
        };
        let response = response
            .with_issue_timestamp_ms(record.issue_timestamp)
            .with_expiry_timestamp_ms(record.expiration_timestamp)
            .with_max_timestamp_ms(record.max_timestamp)
            .with_hmac(make_hmac(&record.token_id).into())
            .with_token_id(record.token_id.clone());
        ControllerResult::atomic(vec![record.into()], response)
    }

    /// `token_id` is that of the request's HMAC, where there is one.
    pub fn renew_delegation_token(
        &self,
        request: &RenewDelegationTokenRequest,
        requester: &str,
        token_id: Option<&str>,
        now: &ControllerNow,
    ) -> ControllerResult<RenewDelegationTokenResponse> {
        let response = RenewDelegationTokenResponse::default();
        let found = self.find_delegation_token(token_id).and_then(|token| {
            if has_expired(token, now) {
                return Err(ErrorCode::DelegationTokenExpired);
            }
            check_renewer(token, requester).map(|()| token)
        });
        let token = match found {
            Ok(token) => token,
            Err(code) => {
                return ControllerResult::unchanged(response.with_error_code(code.code()));
            }
        };
        let settings = &self.settings.delegation_tokens;
        let period_ms = at_most(settings.expiry_time_ms, request.renew_period_ms);
        let renewed = expiring(token, now.wall_ms.saturating_add(period_ms));
        let response = response.with_expiry_timestamp_ms(renewed.expiration_timestamp);
        ControllerResult::atomic(vec![renewed.into()], response)
    }

    /// `token_id` is that of the request's HMAC, where there is one.
    pub fn expire_delegation_token(
        &self,
        request: &ExpireDelegationTokenRequest,
        requester: &str,
        token_id: Option<&str>,
        now: &ControllerNow,
    ) -> ControllerResult<ExpireDelegationTokenResponse> {
        let response = ExpireDelegationTokenResponse::default();
        let refused = |code: ErrorCode| {
            let refusal = ExpireDelegationTokenResponse::default().with_error_code(code.code());
            ControllerResult::unchanged(refusal)
        };
        let found = self
            .find_delegation_token(token_id)
            .and_then(|token| check_renewer(token, requester).map(|()| token));
        let token = match found {
            Ok(token) => token,
            Err(code) => return refused(code),
        };
        // At once, whether it has expired by then or not.
        if request.expiry_time_period_ms < 0 {
            let response = response.with_expiry_timestamp_ms(now.wall_ms);
            return ControllerResult::atomic(vec![removal(token).into()], response);
        }
        if has_expired(token, now) {
            return refused(ErrorCode::DelegationTokenExpired);
        }
        let expired = expiring(token, now.wall_ms.saturating_add(request.expiry_time_period_ms));
        let response = response.with_expiry_timestamp_ms(expired.expiration_timestamp);
        ControllerResult::atomic(vec![expired.into()], response)
    }

    /// Takes away what has expired; whether there may be more.
    pub(super) fn remove_expired_tokens(&self, now: &ControllerNow) -> ControllerResult<bool> {
        let expired = self.image.delegation_tokens().iter().filter(|token| has_expired(token, now));
        let records: Vec<_> =
            expired.take(REMOVED_MAX).map(|token| removal(token).into()).collect();
        let more = records.len() == REMOVED_MAX;
        ControllerResult::of(records, more)
    }

    fn check_delegation_tokens(&self) -> Result<(), ErrorCode> {
        if !self.settings.delegation_tokens.enabled {
            return Err(ErrorCode::DelegationTokenAuthDisabled);
        }
        match self.image.metadata_version().has_delegation_tokens() {
            true => Ok(()),
            false => Err(ErrorCode::UnsupportedVersion),
        }
    }

    fn find_delegation_token(
        &self,
        token_id: Option<&str>,
    ) -> Result<&DelegationTokenRecord, ErrorCode> {
        self.check_delegation_tokens()?;
        token_id
            .and_then(|id| self.image.delegation_tokens().find(id))
            .ok_or(ErrorCode::DelegationTokenNotFound)
    }
}

/// Whom a token is for, as `type:name`: whoever asks for it, where nobody else is named.
pub fn token_owner(request: &CreateDelegationTokenRequest, requester: &str) -> String {
    let name = request.owner_principal_name.as_ref().filter(|name| !name.is_empty());
    match (name, &request.owner_principal_type) {
        (Some(name), Some(kind)) => format!("{}:{}", kind.as_str(), name.as_str()),
        (Some(name), None) => format!("{USER}:{}", name.as_str()),
        (None, _) => requester.to_owned(),
    }
}

/// An answer that names both principals.
pub fn answer_of(owner: &str, requester: &str) -> CreateDelegationTokenResponse {
    let (owner_type, owner_name) = principal_parts(owner);
    let (requester_type, requester_name) = principal_parts(requester);
    CreateDelegationTokenResponse::default()
        .with_principal_type(text(owner_type.to_owned()))
        .with_principal_name(text(owner_name.to_owned()))
        .with_token_requester_principal_type(text(requester_type.to_owned()))
        .with_token_requester_principal_name(text(requester_name.to_owned()))
}

/// Type and name of a principal. Kafka: `SecurityUtils.parseKafkaPrincipal`.
pub fn principal_parts(principal: &str) -> (&str, &str) {
    principal.split_once(':').unwrap_or((USER, principal))
}

/// The limit, or what was asked for where that is less.
fn at_most(limit_ms: i64, asked_ms: i64) -> i64 {
    if asked_ms > 0 { limit_ms.min(asked_ms) } else { limit_ms }
}

fn has_expired(token: &DelegationTokenRecord, now: &ControllerNow) -> bool {
    token.max_timestamp < now.wall_ms || token.expiration_timestamp < now.wall_ms
}

/// Who only asked for a token of somebody else has no more to say of it.
fn check_renewer(token: &DelegationTokenRecord, principal: &str) -> Result<(), ErrorCode> {
    let is_renewer = |renewer: &StrBytes| renewer.as_str() == principal;
    match is_renewer(&token.owner) || token.renewers.iter().any(is_renewer) {
        true => Ok(()),
        false => Err(ErrorCode::DelegationTokenOwnerMismatch),
    }
}

fn expiring(token: &DelegationTokenRecord, at_ms: i64) -> DelegationTokenRecord {
    DelegationTokenRecord { expiration_timestamp: at_ms.min(token.max_timestamp), ..token.clone() }
}

fn removal(token: &DelegationTokenRecord) -> RemoveDelegationTokenRecord {
    RemoveDelegationTokenRecord { token_id: token.token_id.clone(), ..Default::default() }
}

fn text(text: String) -> StrBytes {
    StrBytes::from_string(text)
}

//! Delegation tokens (KIP-48): created, renewed, expired and described.
//!
//! Answers to `createDelegationToken`, `renewDelegationToken`, `expireDelegationToken` and
//! `describeDelegationToken`. What a node refuses is not asked again. Unlike Kafka's exceptions, a
//! token is shown without its HMAC where it is only debugged.

use std::fmt;

use bytes::Bytes;
use protocol::messages::create_delegation_token_request::CreatableRenewers;
use protocol::messages::describe_delegation_token_request::DescribeDelegationTokenOwner;
use protocol::messages::describe_delegation_token_response::DescribedDelegationToken;
use protocol::messages::{
    CreateDelegationTokenRequest, DescribeDelegationTokenRequest, ExpireDelegationTokenRequest,
    RenewDelegationTokenRequest,
};
use protocol::wire::StrBytes;

use super::error::check;
use super::{Admin, AdminError, CallTarget};

/// Who somebody is; `User:alice` where it is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Principal {
    pub kind: String,
    pub name: String,
}

impl fmt::Display for Principal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.kind, self.name)
    }
}

/// A token and its secret. Times are milliseconds since 1970.
#[derive(Clone, PartialEq, Eq)]
pub struct DelegationToken {
    pub id: String,
    pub hmac: Vec<u8>,
    pub owner: Principal,
    pub requester: Principal,
    pub renewers: Vec<Principal>,
    pub issued_ms: i64,
    pub expires_ms: i64,
    pub max_ms: i64,
}

impl fmt::Debug for DelegationToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DelegationToken({} of {})", self.id, self.owner)
    }
}

fn text(text: &str) -> StrBytes {
    StrBytes::from_string(text.to_owned())
}

fn principal(kind: &StrBytes, name: &StrBytes) -> Principal {
    Principal { kind: kind.to_string(), name: name.to_string() }
}

impl Admin {
    /// Creates a token of an owner, or of who asks; -1 for as long as the cluster lets it live.
    pub async fn create_delegation_token(
        &mut self,
        owner: Option<&Principal>,
        renewers: &[Principal],
        max_lifetime_ms: i64,
    ) -> Result<DelegationToken, AdminError> {
        let mut call = self.call("createDelegationToken", CallTarget::AnyNode);
        let renewer = |principal: &Principal| {
            CreatableRenewers::default()
                .with_principal_type(text(&principal.kind))
                .with_principal_name(text(&principal.name))
        };
        let question = |_| {
            let question = CreateDelegationTokenRequest::default()
                .with_renewers(renewers.iter().map(renewer).collect())
                .with_max_lifetime_ms(max_lifetime_ms);
            match owner {
                Some(owner) => question
                    .with_owner_principal_type(Some(text(&owner.kind)))
                    .with_owner_principal_name(Some(text(&owner.name))),
                None => question,
            }
        };
        let answer = self.ask(&mut call, question).await?;
        check(answer.error_code, None)?;
        Ok(DelegationToken {
            id: answer.token_id.to_string(),
            hmac: answer.hmac.to_vec(),
            owner: principal(&answer.principal_type, &answer.principal_name),
            requester: principal(
                &answer.token_requester_principal_type,
                &answer.token_requester_principal_name,
            ),
            renewers: renewers.to_vec(),
            issued_ms: answer.issue_timestamp_ms,
            expires_ms: answer.expiry_timestamp_ms,
            max_ms: answer.max_timestamp_ms,
        })
    }

    /// Lets a token live for this many milliseconds more, -1 for as many as the cluster gives; when
    /// it expires then.
    pub async fn renew_delegation_token(
        &mut self,
        hmac: &[u8],
        period_ms: i64,
    ) -> Result<i64, AdminError> {
        let mut call = self.call("renewDelegationToken", CallTarget::AnyNode);
        let question = |_| {
            RenewDelegationTokenRequest::default()
                .with_hmac(Bytes::copy_from_slice(hmac))
                .with_renew_period_ms(period_ms)
        };
        let answer = self.ask(&mut call, question).await?;
        check(answer.error_code, None)?;
        Ok(answer.expiry_timestamp_ms)
    }

    /// Lets a token expire in this many milliseconds, at once where they are negative; when that
    /// is.
    pub async fn expire_delegation_token(
        &mut self,
        hmac: &[u8],
        period_ms: i64,
    ) -> Result<i64, AdminError> {
        let mut call = self.call("expireDelegationToken", CallTarget::AnyNode);
        let question = |_| {
            ExpireDelegationTokenRequest::default()
                .with_hmac(Bytes::copy_from_slice(hmac))
                .with_expiry_time_period_ms(period_ms)
        };
        let answer = self.ask(&mut call, question).await?;
        check(answer.error_code, None)?;
        Ok(answer.expiry_timestamp_ms)
    }

    /// The tokens of these owners, of none where none is named.
    pub async fn describe_delegation_tokens(
        &mut self,
        owners: &[Principal],
    ) -> Result<Vec<DelegationToken>, AdminError> {
        let mut call = self.call("describeDelegationToken", CallTarget::AnyNode);
        let owner = |principal: &Principal| {
            DescribeDelegationTokenOwner::default()
                .with_principal_type(text(&principal.kind))
                .with_principal_name(text(&principal.name))
        };
        let question = |_| {
            DescribeDelegationTokenRequest::default()
                .with_owners(Some(owners.iter().map(owner).collect()))
        };
        let answer = self.ask(&mut call, question).await?;
        check(answer.error_code, None)?;
        Ok(answer.tokens.iter().map(described).collect())
    }
}

fn described(token: &DescribedDelegationToken) -> DelegationToken {
    let renewers = token.renewers.iter();
    let renewers = renewers.map(|one| principal(&one.principal_type, &one.principal_name));
    let owner = principal(&token.principal_type, &token.principal_name);
    let requester =
        principal(&token.token_requester_principal_type, &token.token_requester_principal_name);
    DelegationToken {
        id: token.token_id.to_string(),
        hmac: token.hmac.to_vec(),
        owner,
        requester,
        renewers: renewers.collect(),
        issued_ms: token.issue_timestamp,
        expires_ms: token.expiry_timestamp,
        max_ms: token.max_timestamp,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_read_and_its_secret_is_not_debugged() {
        let token = described(
            &DescribedDelegationToken::default()
                .with_principal_type(text("User"))
                .with_principal_name(text("alice"))
                .with_token_id(text("id"))
                .with_hmac(Bytes::from_static(b"secret"))
                .with_issue_timestamp(1)
                .with_expiry_timestamp(2)
                .with_max_timestamp(3),
        );
        assert_eq!(
            (token.owner.to_string().as_str(), &*token.hmac),
            ("User:alice", &b"secret"[..])
        );
        assert_eq!((token.issued_ms, token.expires_ms, token.max_ms), (1, 2, 3));
        assert_eq!(format!("{token:?}"), "DelegationToken(id of User:alice)");
    }
}

//! Requests about delegation tokens, and what comes back as a line: without ids, HMACs and the
//! time of day.

use protocol::messages::create_delegation_token_request::CreatableRenewers;
use protocol::messages::describe_delegation_token_request::DescribeDelegationTokenOwner;
use protocol::messages::{
    CreateDelegationTokenRequest, CreateDelegationTokenResponse, DescribeDelegationTokenRequest,
    ExpireDelegationTokenRequest, RenewDelegationTokenRequest,
};
use protocol::wire::StrBytes;

use crate::wire::Client;

/// How far a time may be from what it is rounded to.
const STEP_MS: i64 = 2000;

/// One that was created: its id and its HMAC.
#[derive(Clone)]
pub struct Made {
    pub id: String,
    pub hmac: Vec<u8>,
}

fn text(text: &str) -> StrBytes {
    StrBytes::from_string(text.to_owned())
}

/// Milliseconds as people would say them; what is no time stays.
fn rounded(ms: i64) -> String {
    match ms {
        -1..=0 => ms.to_string(),
        ms => format!("{} s", (ms + STEP_MS / 2) / STEP_MS * STEP_MS / 1000),
    }
}

/// How long after another time this one is; what is no time stays.
fn after(time: i64, beginning: i64) -> String {
    if time <= 0 { time.to_string() } else { rounded(time - beginning) }
}

fn now_ms() -> i64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    i64::try_from(since.expect("it is after 1970").as_millis()).expect("it is before the end")
}

/// A request for a token that `renewers` may renew, of an owner where there is one.
#[must_use]
pub fn creation(
    owner: Option<&str>,
    renewers: &[(&str, &str)],
    max_lifetime_ms: i64,
) -> CreateDelegationTokenRequest {
    let renewers = renewers.iter().map(|(kind, name)| {
        CreatableRenewers::default().with_principal_type(text(kind)).with_principal_name(text(name))
    });
    let request = CreateDelegationTokenRequest::default()
        .with_renewers(renewers.collect())
        .with_max_lifetime_ms(max_lifetime_ms);
    match owner {
        Some(owner) => request
            .with_owner_principal_type(Some(text("User")))
            .with_owner_principal_name(Some(text(owner))),
        None => request,
    }
}

/// What became of it, and the token.
pub fn create(
    client: &mut Client,
    version: i16,
    request: &CreateDelegationTokenRequest,
) -> (String, Made) {
    let answer = client.call(version, request).expect("an answer");
    let CreateDelegationTokenResponse { token_id, hmac, .. } = &answer;
    let line = format!(
        "created v{version}: {} {}:{} by {}:{} until {} at most {}, id of {}, hmac of {}",
        answer.error_code,
        answer.principal_type.as_str(),
        answer.principal_name.as_str(),
        answer.token_requester_principal_type.as_str(),
        answer.token_requester_principal_name.as_str(),
        after(answer.expiry_timestamp_ms, answer.issue_timestamp_ms),
        after(answer.max_timestamp_ms, answer.issue_timestamp_ms),
        token_id.len(),
        hmac.len(),
    );
    (line, Made { id: token_id.to_string(), hmac: hmac.to_vec() })
}

/// What became of a renewal.
pub fn renew(client: &mut Client, version: i16, hmac: &[u8], period_ms: i64) -> String {
    let request = RenewDelegationTokenRequest::default()
        .with_hmac(hmac.to_vec().into())
        .with_renew_period_ms(period_ms);
    let answer = client.call(version, &request).expect("an answer");
    let until = after(answer.expiry_timestamp_ms, now_ms());
    format!("renewed v{version}: {} until {until}", answer.error_code)
}

/// What became of an end.
pub fn expire(client: &mut Client, version: i16, hmac: &[u8], period_ms: i64) -> String {
    let request = ExpireDelegationTokenRequest::default()
        .with_hmac(hmac.to_vec().into())
        .with_expiry_time_period_ms(period_ms);
    let answer = client.call(version, &request).expect("an answer");
    let until = after(answer.expiry_timestamp_ms, now_ms());
    format!("expired v{version}: {} until {until}", answer.error_code)
}

/// The tokens of some owners, or all that one may see: a line for each, by what `name` makes of
/// its id.
pub fn describe(
    client: &mut Client,
    version: i16,
    owners: Option<&[&str]>,
    made: &[(&str, &Made)],
) -> Vec<String> {
    let owner = |name: &&str| {
        DescribeDelegationTokenOwner::default()
            .with_principal_type(text("User"))
            .with_principal_name(text(name))
    };
    let request = DescribeDelegationTokenRequest::default()
        .with_owners(owners.map(|owners| owners.iter().map(owner).collect()));
    let answer = client.call(version, &request).expect("an answer");
    let mut lines: Vec<String> = answer
        .tokens
        .iter()
        .map(|token| {
            let own = made.iter().find(|(_, made)| made.id == token.token_id.as_str());
            let renewers: Vec<&str> =
                token.renewers.iter().map(|one| one.principal_name.as_str()).collect();
            format!(
                "  {}: {}:{} by {}:{} renewed by {renewers:?}, until {} at most {}, hmac {}",
                own.map_or("unknown", |(name, _)| name),
                token.principal_type.as_str(),
                token.principal_name.as_str(),
                token.token_requester_principal_type.as_str(),
                token.token_requester_principal_name.as_str(),
                after(token.expiry_timestamp, token.issue_timestamp),
                after(token.max_timestamp, token.issue_timestamp),
                own.is_some_and(|(_, made)| made.hmac[..] == token.hmac[..]),
            )
        })
        .collect();
    lines.sort();
    lines.insert(0, format!("described v{version} {owners:?}: {}", answer.error_code));
    lines
}

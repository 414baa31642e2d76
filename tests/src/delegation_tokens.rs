//! Requests about delegation tokens, and what comes back as a line: without ids, HMACs and the
//! time of day.
//!
//! A stock broker knows of what its controller has answered a little later: whoever changed
//! something goes on when it is shown.

use std::time::{Duration, Instant};

use protocol::messages::create_delegation_token_request::CreatableRenewers;
use protocol::messages::describe_delegation_token_request::DescribeDelegationTokenOwner;
use protocol::messages::{
    CreateDelegationTokenRequest, CreateDelegationTokenResponse, DescribeDelegationTokenRequest,
    ExpireDelegationTokenRequest, RenewDelegationTokenRequest,
};
use protocol::wire::StrBytes;

use crate::wire::Client;

/// How far a time may be from what it is rounded to.
const STEP_MS: i64 = 10_000;

/// One that was created: its id and its HMAC.
#[derive(Clone)]
pub struct Made {
    pub id: String,
    pub hmac: Vec<u8>,
}

fn text(text: &str) -> StrBytes {
    StrBytes::from_string(text.to_owned())
}

/// How long after another time this one is, as people would say it; what is no time stays.
fn after(time: i64, beginning: i64) -> String {
    match time {
        -1..=0 => time.to_string(),
        time => {
            let steps = (time - beginning + STEP_MS / 2).div_euclid(STEP_MS);
            format!("{} s", steps * STEP_MS / 1000)
        }
    }
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
    let made = Made { id: token_id.to_string(), hmac: hmac.to_vec() };
    if answer.error_code == 0 {
        let expires_at = answer.expiry_timestamp_ms;
        wait_until_shown(client, &made.hmac, |shown| shown == Some(expires_at));
    }
    (line, made)
}

/// Waits until the token of this HMAC is shown as expiring then, or not shown.
fn wait_until_shown(client: &mut Client, hmac: &[u8], is_due: impl Fn(Option<i64>) -> bool) {
    let deadline = Instant::now() + Duration::from_secs(20);
    loop {
        let all = DescribeDelegationTokenRequest::default().with_owners(None);
        let answer = client.call(3, &all).expect("an answer");
        let shown = answer.tokens.iter().find(|token| token.hmac[..] == *hmac);
        if is_due(shown.map(|token| token.expiry_timestamp)) {
            return;
        }
        assert!(Instant::now() < deadline, "the token is not shown as it is: {shown:?}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// What became of a renewal.
pub fn renew(client: &mut Client, version: i16, hmac: &[u8], period_ms: i64) -> String {
    let request = RenewDelegationTokenRequest::default()
        .with_hmac(hmac.to_vec().into())
        .with_renew_period_ms(period_ms);
    let answer = client.call(version, &request).expect("an answer");
    let until = after(answer.expiry_timestamp_ms, now_ms());
    if answer.error_code == 0 {
        wait_until_shown(client, hmac, |shown| shown == Some(answer.expiry_timestamp_ms));
    }
    format!("renewed v{version}: {} until {until}", answer.error_code)
}

/// What became of an end.
pub fn expire(client: &mut Client, version: i16, hmac: &[u8], period_ms: i64) -> String {
    let request = ExpireDelegationTokenRequest::default()
        .with_hmac(hmac.to_vec().into())
        .with_expiry_time_period_ms(period_ms);
    let answer = client.call(version, &request).expect("an answer");
    let until = after(answer.expiry_timestamp_ms, now_ms());
    if answer.error_code == 0 {
        let expected = (period_ms >= 0).then_some(answer.expiry_timestamp_ms);
        wait_until_shown(client, hmac, |shown| shown == expected);
    }
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

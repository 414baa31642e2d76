//! Asks an endpoint for a token, and again where another answer may come.
//!
//! Unlike Kafka: where no timeout is set an attempt ends after 30 s, and an answer of more than
//! 1 MiB is none. Answers to `HttpJwtRetriever.retrieve`.

use std::time::{Duration, Instant};

use security::sasl::oauthbearer::{AccessToken, EndpointLogin, NoTokenYet, token_of_response};

use super::http::{self, Limits, Place, Request};

const TARGET: &str =
    "org.apache.kafka.common.security.oauthbearer.internals.secured.HttpJwtRetriever";

/// A token that may be shown, or why there is none.
pub(super) async fn retrieve(login: &EndpointLogin) -> Result<AccessToken, String> {
    let begun = Instant::now();
    let mut first = None;
    for attempt in 1.. {
        let failed = match ask(login).await {
            Ok(token) => return Ok(token),
            Err(failed) => failed,
        };
        let elapsed_ms = u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX);
        let wait_ms = login.endpoint.retry.wait_ms(attempt, elapsed_ms);
        let wait_ms = wait_ms.filter(|_| !failed.is_final);
        let Some(wait_ms) = wait_ms else {
            return Err(first.unwrap_or(failed.why));
        };
        tracing::warn!(
            target: TARGET,
            "Attempt {attempt} to make call resulted in an error; sleeping {wait_ms} ms before \
             retrying: {}",
            failed.why
        );
        first.get_or_insert(failed.why);
        tokio::time::sleep(Duration::from_millis(wait_ms)).await;
    }
    Err(first.unwrap_or_default())
}

async fn ask(login: &EndpointLogin) -> Result<AccessToken, NoTokenYet> {
    let EndpointLogin { endpoint, client, claims, .. } = login;
    let never = |why: String| NoTokenYet { why, is_final: true };
    let place = Place::parse(&endpoint.url)
        .ok_or_else(|| never(format!("{} is no https: or http: URL", endpoint.url)))?;
    let transport = place.transport(&endpoint.ssl).map_err(|error| never(error.to_string()))?;
    let usual = Limits::default();
    let (connect, read) = (bound(endpoint.connect_timeout_ms), bound(endpoint.read_timeout_ms));
    // Each piece of an answer has its time; all of it has both, or what is usual.
    let whole = connect.zip(read).map_or(usual.whole, |(one, other)| usual.whole.max(one + other));
    let limits = Limits { connect, read, whole, ..usual };
    let request = client.request();
    let headers = request.headers();
    let question = Request { method: "POST", headers: &headers, body: request.body.as_bytes() };
    let answer = http::ask(&place, question, &transport, limits).await;
    let answer = answer.map_err(|error| NoTokenYet {
        why: format!("{}: {error}", endpoint.url),
        is_final: false,
    })?;
    let token = token_of_response(answer.status, &answer.body, client)?;
    AccessToken::parse(token.reveal(), claims).map_err(never)
}

fn bound(ms: Option<u64>) -> Option<Duration> {
    ms.map(Duration::from_millis)
}

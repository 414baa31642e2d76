//! Logs in over a connection whose other side has said what it speaks, and says when it is due
//! again.
//!
//! A session that the other side bounds is begun anew between requests, when 85 to 95 % of its time
//! are over, as Kafka's clients do (KIP-368). Answers to `SaslClientAuthenticator`.

use std::time::Duration;

use bytes::Bytes;
use protocol::ErrorCode;
use protocol::api::ApiKey;
use protocol::messages::{
    SaslAuthenticateRequest, SaslAuthenticateResponse, SaslHandshakeRequest, SaslHandshakeResponse,
};
use protocol::wire::{Decodable, Encodable, StrBytes};
use security::Secret;
use security::sasl::client::{ClientExchange, ClientLogin, ExchangeError};
use security::sasl::oauthbearer::{AccessToken, BearerLogin, TokenSource};

use super::clock::wall_ms;
use super::kerberos;
use super::link::{Connection, Unanswered};
use super::refreshing_login;

/// Logs in; for how long that holds, where it does not hold for ever.
pub(super) async fn log_in(
    connection: &mut Connection,
    login: &ClientLogin,
    host: &str,
    client_id: &str,
) -> Result<Option<Duration>, Unanswered> {
    shake_hands(connection, login, client_id).await?;
    let (mut exchange, mut token) = begin(login, host).await?;
    loop {
        let question = SaslAuthenticateRequest::default().with_auth_bytes(Bytes::from(token));
        let answer: SaslAuthenticateResponse =
            ask(connection, ApiKey::SaslAuthenticate, 0..=2, client_id, &question).await?;
        if answer.error_code != 0 {
            return Err(refused(answer.error_code, answer.error_message.as_deref()));
        }
        let next;
        (exchange, next) = evaluate(exchange, answer.auth_bytes).await?;
        match next {
            Some(next) => token = next,
            None => {
                let lifetime_ms = u64::try_from(answer.session_lifetime_ms).unwrap_or_default();
                return Ok((lifetime_ms > 0).then(|| Duration::from_millis(lifetime_ms)));
            }
        }
    }
}

/// Waits until there is what to log in with; or why there is nothing.
pub(super) async fn prepare(login: &ClientLogin) -> Result<(), String> {
    match login {
        ClientLogin::OAuthBearer(bearer) => match &bearer.source {
            TokenSource::Endpoint(asked) => refreshing_login::token(asked).await.map(drop),
            TokenSource::Unsecured(_) | TokenSource::File(..) => Ok(()),
        },
        ClientLogin::Plain(_) | ClientLogin::Scram(..) | ClientLogin::Gssapi(_) => Ok(()),
    }
}

/// The exchange, and the token that it begins with.
async fn begin(login: &ClientLogin, host: &str) -> Result<(ClientExchange, Vec<u8>), Unanswered> {
    Ok(match login {
        ClientLogin::Plain(credentials) => ClientExchange::plain(credentials),
        ClientLogin::Scram(mechanism, credentials) => {
            ClientExchange::scram(*mechanism, credentials, drawn()?)
        }
        ClientLogin::OAuthBearer(bearer) => {
            let token = token_of(bearer).await.map_err(Unanswered::Unauthenticated)?;
            ClientExchange::bearer(bearer, token.reveal())
        }
        ClientLogin::Gssapi(login) => {
            let (login, host) = (login.clone(), host.to_owned());
            let begin = move || ClientExchange::gssapi(kerberos::initiate(&login, &host)?);
            waiting(move || begin().map_err(ExchangeError::from)).await?
        }
    })
}

/// What is answered to a challenge, if anything.
async fn evaluate(
    mut exchange: ClientExchange,
    challenge: Bytes,
) -> Result<(ClientExchange, Option<Vec<u8>>), Unanswered> {
    let may_wait = matches!(exchange, ClientExchange::Gssapi(_));
    let evaluate = move || exchange.answer(&challenge).map(|next| (exchange, next));
    match may_wait {
        true => waiting(evaluate).await,
        false => evaluate().map_err(unauthenticated),
    }
}

/// Where files and a KDC may be waited for. Whoever gives up waiting is not held up.
async fn waiting<R: Send + 'static>(
    work: impl FnOnce() -> Result<R, ExchangeError> + Send + 'static,
) -> Result<R, Unanswered> {
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => done.map_err(unauthenticated),
        Err(error) => Err(Unanswered::Unauthenticated(error.to_string())),
    }
}

fn unauthenticated(error: ExchangeError) -> Unanswered {
    Unanswered::Unauthenticated(error.to_string())
}

/// The token that a client has at the moment.
async fn token_of(login: &BearerLogin) -> Result<Secret, String> {
    match &login.source {
        TokenSource::Unsecured(own) => Ok(Secret::new(own.token(wall_ms()))),
        TokenSource::File(path, claims) => {
            let read = std::fs::read_to_string(path);
            let text = read.map_err(|error| format!("the token's file {path}: {error}"))?;
            let token = AccessToken::parse(&text, claims);
            token.map(|token| token.text).map_err(|why| format!("the token's file {path}: {why}"))
        }
        TokenSource::Endpoint(asked) => refreshing_login::token(asked).await,
    }
}

/// When a session of this length is begun anew.
pub(super) fn due_after(lifetime: Duration) -> Duration {
    // Without draws all clients of a node that started come at once; nothing else is lost.
    let jitter = drawn().map_or(0, |draw: [u8; 1]| draw[0]);
    lifetime.mul_f64(0.85 + 0.10 * f64::from(jitter) / 256.0)
}

async fn shake_hands(
    connection: &mut Connection,
    login: &ClientLogin,
    client_id: &str,
) -> Result<(), Unanswered> {
    let mechanism = login.mechanism().name();
    let question =
        SaslHandshakeRequest::default().with_mechanism(StrBytes::from_static_str(mechanism));
    let answer: SaslHandshakeResponse =
        ask(connection, ApiKey::SaslHandshake, 1..=1, client_id, &question).await?;
    let enabled: Vec<&str> = answer.mechanisms.iter().map(|name| name.as_str()).collect();
    let enabled = enabled.join(", ");
    let why = match answer.error_code {
        0 => return Ok(()),
        code if code == ErrorCode::UnsupportedSaslMechanism.code() => format!(
            "Client SASL mechanism '{mechanism}' not enabled in the server, enabled mechanisms are \
             [{enabled}]"
        ),
        code if code == ErrorCode::IllegalSaslState.code() => format!(
            "Unexpected handshake request with client mechanism {mechanism}, enabled mechanisms \
             are [{enabled}]"
        ),
        code => format!("Unknown error code {code}, client mechanism is {mechanism}"),
    };
    Err(Unanswered::Unauthenticated(why))
}

async fn ask<Q: Encodable, A: Decodable>(
    connection: &mut Connection,
    key: ApiKey,
    own: std::ops::RangeInclusive<i16>,
    client_id: &str,
    question: &Q,
) -> Result<A, Unanswered> {
    let version = connection.newest_of(key, &own).ok_or_else(|| {
        Unanswered::Unauthenticated(format!("the other side does not know {key:?}"))
    })?;
    let mut body = connection.ask_at_once(key, version, client_id, question).await?;
    A::decode(&mut body, version).map_err(|error| Unanswered::Garbage(error.to_string()))
}

fn refused(code: i16, message: Option<&str>) -> Unanswered {
    let own = ErrorCode::try_from_code(code).map_or_else(
        || format!("Unexpected error code {code}"),
        |known| format!("{known:?} ({code})"),
    );
    let message = message.filter(|message| !message.is_empty());
    Unanswered::Unauthenticated(message.map_or(own, str::to_owned))
}

pub(super) fn drawn<const N: usize>() -> Result<[u8; N], Unanswered> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes)
        .map_err(|error| Unanswered::Unauthenticated(format!("no random bytes: {error}")))?;
    Ok(bytes)
}

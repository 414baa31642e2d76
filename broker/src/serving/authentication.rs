//! A client proves who it is, over a connection on which nothing else is served until it has; and
//! again, where its session is to last longer than one login.
//!
//! ```text
//! frame ─▶ ServerAuthenticator (crate security) ─▶ answer ─▶ socket
//!                    └─▶ session, or: delay ─▶ answer ─▶ the end
//! ```
//!
//! Who fails waits for its answer and its end (connection.failed.authentication.delay.ms) in its
//! own task. Frames are bounded by sasl.server.max.receive.size until the client is known. Kafka:
//! `SaslServerAuthenticator`, `KafkaChannel`, `Selector`.

use std::sync::{Arc, LazyLock};
use std::time::Duration;

use bytes::Bytes;
use config::broker::SaslListener;
use protocol::api::ApiKey;
use security::sasl::gssapi::{GssError, SecurityContext};
use security::sasl::kerberos::KerberosLogin;
use security::sasl::oauthbearer::Jwks;
use security::sasl::scram::{Decoy, NONCE_BYTES, ScramCredential, ScramMechanism, Stored};
use security::sasl::server::{Outcome, ServerAuthenticator, Session, Surroundings};
use tokio::sync::watch;

use super::dispatch::{self, Begun};
use super::ended::Ended;
use crate::broker::Broker;
use crate::clock::{monotonic, wall_ms};
use crate::net::frames::FrameError;
use crate::net::kerberos;
use crate::requests::reply::Reply;
use crate::requests::requester::Client;

/// A session is not begun again sooner than this after the last time.
const AGAIN_AFTER: Duration = Duration::from_secs(1);
/// Of a credential that is made here.
const SALT_BYTES: usize = 24;
const SASL_HANDSHAKE: [u8; 2] = (ApiKey::SaslHandshake as i16).to_be_bytes();

/// Made up for names that nobody has; the same as long as the process runs.
static DECOY: LazyLock<Decoy> = LazyLock::new(|| Decoy::new(drawn()));

/// Random bytes. Without any no login can be safe.
fn drawn<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).expect("the system has random bytes");
    bytes
}

/// What this node knows of users.
struct Known<'a>(&'a Broker);

impl Surroundings for Known<'_> {
    fn credential(&self, mechanism: ScramMechanism, user: &str) -> Option<ScramCredential> {
        let record = self.0.quorum.scram_credential(mechanism.id(), user)?;
        Some(ScramCredential {
            salt: record.salt.to_vec(),
            stored_key: record.stored_key.to_vec(),
            server_key: record.server_key.to_vec(),
            iterations: record.iterations,
        })
    }

    fn token(&self, mechanism: ScramMechanism, token_id: &str) -> Option<Stored> {
        let image = self.0.quorum.image();
        self.0.delegation_tokens.stored(&image, mechanism, token_id, drawn::<SALT_BYTES>)
    }

    fn keys(&self, jwks_endpoint_url: &str) -> Arc<Jwks> {
        self.0.jwks.keys(jwks_endpoint_url)
    }

    fn key_missed(&self, jwks_endpoint_url: &str, id: Option<&str>) {
        self.0.jwks.missed(jwks_endpoint_url, id);
    }

    fn security_context(
        &self,
        login: &KerberosLogin,
    ) -> Result<Box<dyn SecurityContext>, GssError> {
        client::kerberos::accept(login)
    }

    fn default_realm(&self) -> String {
        client::kerberos::default_realm()
    }

    fn decoy(&self) -> &Decoy {
        &DECOY
    }

    fn draw(&self) -> [u8; NONCE_BYTES] {
        drawn()
    }

    fn now(&self) -> Duration {
        monotonic()
    }

    fn wall_ms(&self) -> i64 {
        wall_ms()
    }
}

/// A client that has logged in.
#[derive(Debug)]
pub(super) struct LoggedIn {
    session: Session,
    /// When it began to log in again last.
    again_at: Option<Duration>,
}

/// What a frame of somebody who is known is.
pub(super) enum Judged {
    Request,
    /// It begins to log in again.
    Again(Session),
    Expired,
}

impl LoggedIn {
    pub(super) fn user(&self) -> &str {
        &self.session.user
    }

    pub(super) fn is_by_token(&self) -> bool {
        self.session.by_token
    }

    pub(super) fn judge(&mut self, frame: &[u8]) -> Judged {
        let Some(expires_at) = self.session.expires_at else { return Judged::Request };
        let now = monotonic();
        let may_begin = self.again_at.is_none_or(|at| now.saturating_sub(at) >= AGAIN_AFTER);
        if frame.starts_with(&SASL_HANDSHAKE) && may_begin {
            self.again_at = Some(now);
            return Judged::Again(self.session.clone());
        }
        if now > expires_at { Judged::Expired } else { Judged::Request }
    }
}

/// The connection, as far as a login has to do with it.
pub(super) trait Channel {
    /// No frame is larger from now on.
    fn limit(&mut self, frame_bytes_max: usize);
    /// The next frame, without its length.
    fn receive(
        &mut self,
        stopping: &mut watch::Receiver<bool>,
    ) -> impl Future<Output = Result<Bytes, Ended>> + Send;
    /// Resolves when everything is written.
    fn send(&mut self, reply: Reply) -> impl Future<Output = Result<(), Ended>> + Send;
}

/// Has the client log in; nothing else is served before.
pub(super) async fn log_in(
    channel: &mut impl Channel,
    broker: &Arc<Broker>,
    client: &Arc<Client>,
    listener: &SaslListener,
    stopping: &mut watch::Receiver<bool>,
) -> Result<LoggedIn, Ended> {
    let authenticator = ServerAuthenticator::new(listener.settings.clone());
    let mut login = Login { channel, broker, client, stopping };
    let session = login.converse(listener, authenticator, None).await?;
    Ok(LoggedIn { session, again_at: None })
}

/// Somebody who is known, and begins to log in again.
pub(super) struct Again {
    pub(super) before: Session,
    pub(super) handshake: Bytes,
}

/// Has the client log in again, as who it was.
pub(super) async fn log_in_again(
    channel: &mut impl Channel,
    broker: &Arc<Broker>,
    client: &Arc<Client>,
    listener: &SaslListener,
    again: Again,
    stopping: &mut watch::Receiver<bool>,
) -> Result<LoggedIn, Ended> {
    let again_at = Some(monotonic());
    let authenticator = ServerAuthenticator::again(listener.settings.clone(), again.before);
    let mut login = Login { channel, broker, client, stopping };
    let session = login.converse(listener, authenticator, Some(again.handshake)).await?;
    Ok(LoggedIn { session, again_at })
}

struct Login<'a, C> {
    channel: &'a mut C,
    broker: &'a Arc<Broker>,
    client: &'a Arc<Client>,
    stopping: &'a mut watch::Receiver<bool>,
}

impl<C: Channel> Login<'_, C> {
    async fn converse(
        &mut self,
        listener: &SaslListener,
        mut authenticator: ServerAuthenticator,
        mut first: Option<Bytes>,
    ) -> Result<Session, Ended> {
        self.channel.limit(listener.receive_bytes_max);
        loop {
            let frame = match first.take() {
                Some(first) => first,
                None => self.next_frame().await?,
            };
            let outcome;
            (authenticator, outcome) = self.evaluate(authenticator, frame.clone()).await?;
            match outcome {
                Outcome::ApiVersions => {
                    let error_code = self.tell_versions(frame).await?;
                    authenticator.versions_told(error_code);
                }
                Outcome::Answer(answer) => self.send(answer).await?,
                Outcome::Complete(session, answer) => {
                    self.send(answer).await?;
                    self.channel.limit(self.broker.config.frame_bytes_max());
                    return Ok(session);
                }
                Outcome::Failed { why, answer } => {
                    self.delay().await?;
                    self.send(answer).await?;
                    return Err(Ended::Unauthenticated(why));
                }
                Outcome::Closed { why } => return Err(Ended::Unauthenticated(why)),
            }
        }
    }

    /// Has the frame judged, on a thread that may wait where that may take waiting.
    async fn evaluate(
        &mut self,
        mut authenticator: ServerAuthenticator,
        frame: Bytes,
    ) -> Result<(ServerAuthenticator, Outcome), Ended> {
        if !authenticator.may_wait() {
            let outcome = authenticator.receive(frame, &Known(self.broker));
            return Ok((authenticator, outcome));
        }
        let broker = Arc::clone(self.broker);
        let evaluate = move || {
            let outcome = authenticator.receive(frame, &Known(&broker));
            (authenticator, outcome)
        };
        tokio::select! {
            done = kerberos::waited_for(evaluate) => done.map_err(Ended::Unauthenticated),
            _ = self.stopping.wait_for(|stop| *stop) => Err(Ended::Stopping),
        }
    }

    async fn next_frame(&mut self) -> Result<Bytes, Ended> {
        match self.channel.receive(self.stopping).await {
            Err(Ended::Frame(error @ (FrameError::TooLarge { .. } | FrameError::Negative(_)))) => {
                self.delay().await?;
                let why =
                    format!("Failing SASL authentication due to invalid receive size ({error})");
                Err(Ended::Unauthenticated(why))
            }
            received => received,
        }
    }

    /// Answers ApiVersions as its handler does; the error code of the answer.
    async fn tell_versions(&mut self, frame: Bytes) -> Result<i16, Ended> {
        let Begun::Other(reply) = dispatch::begin(self.broker, self.client, frame) else {
            return Err(Ended::Unauthenticated("ApiVersions cannot be answered".to_owned()));
        };
        let reply = reply.await;
        let error_code = error_code_of(&reply);
        self.channel.send(reply).await?;
        Ok(error_code)
    }

    async fn send(&mut self, answer: Option<Bytes>) -> Result<(), Ended> {
        match answer {
            Some(answer) => self.channel.send(Reply::Frame(answer)).await,
            None => Ok(()),
        }
    }

    /// Whoever guesses passwords is slow. Nothing is read meanwhile.
    async fn delay(&mut self) -> Result<(), Ended> {
        let delay_ms = self.broker.config.current().connection_failed_authentication_delay_ms;
        let delay = Duration::from_millis(u64::try_from(delay_ms).unwrap_or_default());
        tokio::select! {
            () = tokio::time::sleep(delay) => Ok(()),
            _ = self.stopping.wait_for(|stop| *stop) => Err(Ended::Stopping),
        }
    }
}

/// Behind length and correlation id; ApiVersions has header 0 at every version.
fn error_code_of(reply: &Reply) -> i16 {
    match reply {
        Reply::Frame(frame) => {
            let code = frame.get(8..).and_then(|body| body.first_chunk::<2>());
            code.map_or(-1, |code| i16::from_be_bytes(*code))
        }
        Reply::Throttled(reply, _) => error_code_of(reply),
        _ => -1,
    }
}

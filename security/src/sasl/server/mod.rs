//! One connection's authentication at a listener that asks for it.
//!
//! ```text
//! Initial ─▶ HandshakeOrVersions ─▶ Handshake ─▶ Authenticate ─▶ a session
//!    └──────────────┴───────────────────┘
//! a session, again: Handshake ─▶ Authenticate ─▶ a session of the same principal
//! ```
//!
//! Kept true: before a session only ApiVersions, SaslHandshake and SaslAuthenticate are read; a
//! re-authentication changes neither principal nor mechanism; after a failure nothing is read.
//! Errors, texts and which of them are answered at all are Kafka's (`SaslServerAuthenticator`;
//! KIP-43, KIP-152, KIP-368).

mod answers;
mod session;
mod settings;
#[cfg(test)]
mod tests;

pub use session::Session;
pub use settings::{Enabled, ServerSettings};

use std::sync::Arc;
use std::time::Duration;

use bytes::{BufMut as _, Bytes, BytesMut};
use protocol::ErrorCode;
use protocol::api::ApiKey;
use protocol::frame::RequestHeader;
use protocol::messages::{SaslAuthenticateRequest, SaslHandshakeRequest};
use protocol::shape::{self, DECODED_BUDGET};
use protocol::wire::Decodable;

use self::session::Identity;
use super::gssapi::{Accepted, GssError, GssapiServer, SecurityContext};
use super::kerberos::{KerberosLogin, KerberosName};
use super::mechanism::Mechanism;
use super::oauthbearer::{BearerOutcome, Jwks, OAuthBearerServer, Rejection, TokenValidator};
use super::scram::{Decoy, NONCE_BYTES, ScramCredential, ScramMechanism, ScramServer, Stored};

/// What an authentication may look at beside what the client says.
pub trait Surroundings {
    /// The credential of a user in the metadata.
    fn credential(&self, mechanism: ScramMechanism, user: &str) -> Option<ScramCredential>;
    /// What is known of a delegation token.
    fn token(&self, mechanism: ScramMechanism, token_id: &str) -> Option<Stored>;
    /// The keys at this place, as far as they are known.
    fn keys(&self, jwks_endpoint_url: &str) -> Arc<Jwks>;
    /// A token may be signed with a key, of this id if it has one, that is not among them.
    fn key_missed(&self, jwks_endpoint_url: &str, id: Option<&str>);
    /// The security context of a listener for somebody who comes.
    fn security_context(&self, login: &KerberosLogin)
    -> Result<Box<dyn SecurityContext>, GssError>;
    /// Of Kerberos; empty where nobody has named one.
    fn default_realm(&self) -> String;
    fn decoy(&self) -> &Decoy;
    fn draw(&self) -> [u8; NONCE_BYTES];
    /// The time that only goes forward.
    fn now(&self) -> Duration;
    /// The time of the wall's clock, by which credentials expire.
    fn wall_ms(&self) -> i64;
}

/// What a frame comes to.
#[derive(Debug, PartialEq, Eq)]
pub enum Outcome {
    /// ApiVersions: its handler answers, and [`ServerAuthenticator::versions_told`] is called.
    ApiVersions,
    /// A whole frame to send, if there is any; more is to come.
    Answer(Option<Bytes>),
    /// The same, and the client is known now.
    Complete(Session, Option<Bytes>),
    /// After connection.failed.authentication.delay.ms, send this if there is any, and close.
    Failed { why: String, answer: Option<Bytes> },
    /// Close at once.
    Closed { why: String },
}

impl Outcome {
    fn failed(why: impl Into<String>, answer: Option<Bytes>) -> Self {
        Self::Failed { why: why.into(), answer }
    }

    fn closed(why: impl Into<String>) -> Self {
        Self::Closed { why: why.into() }
    }
}

#[derive(Debug)]
enum State {
    Initial,
    HandshakeOrVersions,
    Handshake,
    Authenticate(Mechanism, Exchange),
    /// The client was told that its mechanism is enabled, but it began with another one.
    OtherMechanism(String),
    Over,
}

#[derive(Debug)]
enum Exchange {
    Plain,
    Scram(Box<ScramServer>),
    OAuthBearer(OAuthBearerServer),
    Gssapi(GssapiServer),
}

/// What a token came to.
enum Evaluated {
    Challenge(Vec<u8>),
    /// Who the client is, and the last token.
    Proven(Identity, Vec<u8>),
    /// A text that clients get to see.
    Refused(String),
    /// The same, with a reason that they do not.
    Rejected {
        told: String,
        why: String,
    },
    /// Whose reason clients do not get to see.
    Invalid(String),
    /// Who it is was proven, and told with an empty token, but he has no name here.
    Nameless(String),
    /// Ends the connection.
    Fault(String),
}

#[derive(Debug)]
pub struct ServerAuthenticator {
    settings: Arc<ServerSettings>,
    state: State,
    /// Whether tokens come in SaslAuthenticate requests.
    has_headers: bool,
    /// Who the client was before it authenticates again.
    before: Option<Session>,
}

impl ServerAuthenticator {
    pub fn new(settings: Arc<ServerSettings>) -> Self {
        Self { settings, state: State::Initial, has_headers: false, before: None }
    }

    /// Of somebody who is known, and says SaslHandshake again.
    pub fn again(settings: Arc<ServerSettings>, before: Session) -> Self {
        let state = State::HandshakeOrVersions;
        Self { settings, state, has_headers: false, before: Some(before) }
    }

    /// Whether the next frame may have files and servers waited for.
    pub fn may_wait(&self) -> bool {
        matches!(self.state, State::Authenticate(Mechanism::Gssapi, _))
    }

    /// Takes a frame, without its length.
    pub fn receive(&mut self, frame: Bytes, around: &impl Surroundings) -> Outcome {
        match std::mem::replace(&mut self.state, State::Over) {
            State::Authenticate(mechanism, exchange) if self.has_headers => {
                self.receive_request(mechanism, exchange, frame, around)
            }
            State::Authenticate(mechanism, mut exchange) => {
                let evaluated = self.evaluate(&mut exchange, &frame, around);
                self.conclude_bare(mechanism, exchange, evaluated, around)
            }
            State::OtherMechanism(why) => Outcome::failed(why, None),
            State::Over => Outcome::closed("the authentication is over"),
            state => self.receive_first(state, frame),
        }
    }

    /// Notes what the answer to ApiVersions was.
    pub fn versions_told(&mut self, error_code: i16) {
        if error_code == 0 {
            self.state = State::Handshake;
        }
    }

    fn receive_first(&mut self, state: State, mut frame: Bytes) -> Outcome {
        let is_initial = matches!(state, State::Initial);
        match self.read_first(&state, &mut frame) {
            Ok(outcome) => outcome,
            Err(why) if is_initial => Outcome::closed(format!(
                "Invalid request, potential reasons: kafka client configured with the wrong \
                 security protocol, it does not support KIP-43 or it is not a kafka client ({why})"
            )),
            Err(why) => Outcome::closed(why),
        }
    }

    fn read_first(&mut self, state: &State, frame: &mut Bytes) -> Result<Outcome, String> {
        let header = RequestHeader::parse(frame).map_err(|error| error.to_string())?;
        match header.api.key {
            ApiKey::ApiVersions if matches!(state, State::Handshake) => {
                Err("Unexpected ApiVersions request received during SASL authentication".to_owned())
            }
            ApiKey::ApiVersions => {
                self.state = State::HandshakeOrVersions;
                Ok(Outcome::ApiVersions)
            }
            ApiKey::SaslHandshake => {
                let request: SaslHandshakeRequest = read(&header, frame.clone())?;
                Ok(self.shake_hands(&header, request.mechanism.as_str()))
            }
            _ => {
                let name = header.api.name;
                Err(format!("Unexpected Kafka request of type {name} during SASL handshake."))
            }
        }
    }

    fn shake_hands(&mut self, header: &RequestHeader, name: &str) -> Outcome {
        let settings = Arc::clone(&self.settings);
        let names = || settings.enabled().map(|enabled| enabled.mechanism.name());
        self.has_headers |= header.api_version >= 1;
        let Some(mechanism) = settings.find(name) else {
            let why = format!("Unsupported SASL mechanism {name}");
            // In Kafka it is the request that fails then, not the login.
            if self.before.is_some() {
                return Outcome::closed(why);
            }
            let error = Some(ErrorCode::UnsupportedSaslMechanism);
            return Outcome::failed(why, answers::handshake(header, error, names()));
        };
        let answer = answers::handshake(header, None, names());
        self.state = match &self.before {
            Some(before) if before.mechanism != mechanism => State::OtherMechanism(format!(
                "SASL mechanism '{mechanism}' requested by client is not supported for \
                 re-authentication of mechanism '{}'",
                before.mechanism
            )),
            _ => State::Authenticate(mechanism, Exchange::of(mechanism)),
        };
        Outcome::Answer(answer)
    }

    /// A token in a request of its own.
    fn receive_request(
        &mut self,
        mechanism: Mechanism,
        mut exchange: Exchange,
        mut frame: Bytes,
        around: &impl Surroundings,
    ) -> Outcome {
        let header = match RequestHeader::parse(&mut frame) {
            Ok(header) => header,
            Err(error) => return Outcome::closed(error.to_string()),
        };
        if header.api.key != ApiKey::SaslAuthenticate {
            let body = match shape::check(&header, frame, DECODED_BUDGET) {
                Ok(body) => body,
                Err(refusal) => return Outcome::closed(refusal.to_string()),
            };
            let name = header.api.name;
            let why =
                format!("Unexpected Kafka request of type {name} during SASL authentication.");
            return Outcome::failed(why, answers::illegal_state(&header, body));
        }
        let request: SaslAuthenticateRequest = match read(&header, frame) {
            Ok(request) => request,
            Err(why) => return Outcome::closed(why),
        };
        match self.evaluate(&mut exchange, &request.auth_bytes, around) {
            Evaluated::Challenge(token) => {
                self.state = State::Authenticate(mechanism, exchange);
                Outcome::Answer(answers::authenticate(&header, token, Duration::ZERO))
            }
            Evaluated::Proven(who, token) => match self.session(mechanism, who, around) {
                Ok((session, lifetime)) => {
                    Outcome::Complete(session, answers::authenticate(&header, token, lifetime))
                }
                Err(text) => {
                    let answer = answers::authentication_failed(&header, &text);
                    Outcome::failed(text, answer)
                }
            },
            Evaluated::Refused(text) => {
                let answer = answers::authentication_failed(&header, &text);
                Outcome::failed(text, answer)
            }
            Evaluated::Rejected { told, why } => {
                let answer = answers::authentication_failed(&header, &told);
                Outcome::failed(format!("{told} ({why})"), answer)
            }
            Evaluated::Fault(why) => Outcome::closed(why),
            // As in Kafka, whose client hears that it has logged in, and then no more.
            Evaluated::Nameless(why) => {
                Outcome::failed(why, answers::authenticate(&header, Vec::new(), Duration::ZERO))
            }
            Evaluated::Invalid(why) => {
                let during =
                    if self.before.is_some() { "re-authentication" } else { "authentication" };
                let text = format!(
                    "Authentication failed during {during} due to invalid credentials with SASL \
                     mechanism {mechanism}"
                );
                let answer = answers::authentication_failed(&header, &text);
                Outcome::failed(format!("{text} ({why})"), answer)
            }
        }
    }

    /// A token of a client that said SaslHandshake in version 0.
    fn conclude_bare(
        &mut self,
        mechanism: Mechanism,
        exchange: Exchange,
        evaluated: Evaluated,
        around: &impl Surroundings,
    ) -> Outcome {
        match evaluated {
            Evaluated::Challenge(token) => {
                self.state = State::Authenticate(mechanism, exchange);
                Outcome::Answer(Some(framed(&token)))
            }
            Evaluated::Proven(who, token) => match self.session(mechanism, who, around) {
                // That a client's last token is answered with nothing is said by saying nothing.
                Ok((session, _)) if mechanism == Mechanism::Gssapi => {
                    Outcome::Complete(session, None)
                }
                Ok((session, _)) => Outcome::Complete(session, Some(framed(&token))),
                Err(text) => Outcome::failed(text, None),
            },
            Evaluated::Refused(text) | Evaluated::Nameless(text) => Outcome::failed(text, None),
            Evaluated::Rejected { told, why } => Outcome::failed(format!("{told} ({why})"), None),
            Evaluated::Invalid(why) | Evaluated::Fault(why) => Outcome::closed(why),
        }
    }

    fn evaluate(
        &self,
        exchange: &mut Exchange,
        token: &[u8],
        around: &impl Surroundings,
    ) -> Evaluated {
        match exchange {
            Exchange::Plain => match self.settings.plain_users().evaluate(token) {
                Ok(user) => Evaluated::Proven(Identity::of(user), Vec::new()),
                Err(text) => Evaluated::Refused(text),
            },
            Exchange::Scram(server) => {
                let mechanism = server.mechanism();
                let find = |name: &str, is_token| match is_token {
                    true => around.token(mechanism, name),
                    false => around.credential(mechanism, name).map(Stored::from),
                };
                match server.evaluate(token, find, around.decoy(), around.draw()) {
                    Ok(said) => match said.proven {
                        Some(proven) => {
                            let who = Identity {
                                user: proven.user,
                                by_token: proven.token_expires_at_ms.is_some(),
                                expires_at_ms: proven.token_expires_at_ms,
                            };
                            Evaluated::Proven(who, said.token)
                        }
                        None => Evaluated::Challenge(said.token),
                    },
                    Err(error) if error.is_told() => Evaluated::Refused(error.to_string()),
                    Err(error) => Evaluated::Invalid(error.to_string()),
                }
            }
            Exchange::OAuthBearer(server) => match self.settings.token_validator() {
                Some(validator) => evaluate_bearer(server, token, validator, around),
                None => Evaluated::Fault("nobody decides about tokens here".to_owned()),
            },
            Exchange::Gssapi(server) => self.evaluate_gssapi(server, token, around),
        }
    }

    fn evaluate_gssapi(
        &self,
        server: &mut GssapiServer,
        token: &[u8],
        around: &impl Surroundings,
    ) -> Evaluated {
        let Some(listener) = self.settings.kerberos() else {
            return Evaluated::Fault("this listener has no key of Kerberos".to_owned());
        };
        match server.evaluate(token, || around.security_context(&listener.login)) {
            Accepted::Challenge(token) => Evaluated::Challenge(token),
            Accepted::Proven(principal) => {
                let Some(name) = KerberosName::parse(&principal) else {
                    return Evaluated::Nameless(format!("Malformed Kerberos name: {principal}"));
                };
                match listener.rules.short_name(&name, &around.default_realm()) {
                    Ok(user) => Evaluated::Proven(Identity::of(user), Vec::new()),
                    Err(error) => Evaluated::Nameless(format!(
                        "Failed to set name for '{name}' based on Kerberos authentication rules. \
                         ({error})"
                    )),
                }
            }
            Accepted::Invalid(why) => Evaluated::Invalid(why),
            Accepted::Fault(why) => Evaluated::Fault(why),
        }
    }

    /// The session of somebody who is proven, and how long it lasts, 0 for ever.
    fn session(
        &self,
        mechanism: Mechanism,
        who: Identity,
        around: &impl Surroundings,
    ) -> Result<(Session, Duration), String> {
        if let Some(before) = self.before.as_ref().filter(|before| *before.user != *who.user) {
            return Err(format!(
                "Cannot change principals during re-authentication from User.{}: User.{}",
                before.user, who.user
            ));
        }
        let limit = self.settings.session_lifetime(mechanism);
        let lifetime = who.session_lifetime(limit, around.wall_ms());
        let expires_at = lifetime.map(|lifetime| around.now().saturating_add(lifetime));
        let Identity { user, by_token, .. } = who;
        let session = Session { user: Arc::from(user), mechanism, by_token, expires_at };
        Ok((session, lifetime.unwrap_or_default()))
    }
}

impl Exchange {
    fn of(mechanism: Mechanism) -> Self {
        match mechanism {
            Mechanism::Plain => Self::Plain,
            Mechanism::Scram(scram) => Self::Scram(Box::new(ScramServer::new(scram))),
            Mechanism::OAuthBearer => Self::OAuthBearer(OAuthBearerServer::default()),
            Mechanism::Gssapi => Self::Gssapi(GssapiServer::default()),
        }
    }
}

fn evaluate_bearer(
    server: &mut OAuthBearerServer,
    token: &[u8],
    validator: &TokenValidator,
    around: &impl Surroundings,
) -> Evaluated {
    match server.evaluate(token, validator, |url| around.keys(url), around.wall_ms()) {
        BearerOutcome::Proven(token) => {
            let expires_at_ms = Some(token.expires_at_ms);
            let who = Identity { user: token.principal, by_token: false, expires_at_ms };
            Evaluated::Proven(who, Vec::new())
        }
        BearerOutcome::Rejected { told, why } => {
            if let (Rejection::UnknownKey(id), TokenValidator::Signed(signed)) = (&why, validator) {
                around.key_missed(&signed.jwks_endpoint_url, id.as_deref());
            }
            Evaluated::Challenge(told)
        }
        BearerOutcome::Refused { told, why } => Evaluated::Rejected { told, why },
        BearerOutcome::Invalid(why) => Evaluated::Invalid(why),
        BearerOutcome::Fault(why) => Evaluated::Fault(why),
    }
}

/// A request whose counts were looked at before they are believed.
fn read<R: Decodable>(header: &RequestHeader, frame: Bytes) -> Result<R, String> {
    if !header.api.supports(header.api_version) {
        let (name, version) = (header.api.name, header.api_version);
        return Err(format!("Version {version} is not supported for apiKey {name}"));
    }
    let mut body =
        shape::check(header, frame, DECODED_BUDGET).map_err(|refusal| refusal.to_string())?;
    R::decode(&mut body, header.api_version).map_err(|error| error.to_string())
}

fn framed(token: &[u8]) -> Bytes {
    let mut frame = BytesMut::with_capacity(4 + token.len());
    // A token is as long as a request at most.
    frame.put_i32(i32::try_from(token.len()).unwrap_or_default());
    frame.put_slice(token);
    frame.freeze()
}

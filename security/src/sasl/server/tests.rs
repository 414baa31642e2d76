//! Conversations with a listener: what is answered, in which state, and how each of them ends.

use protocol::frame::{encode_request, strip_response_header};
use protocol::messages::metadata_request::MetadataRequestTopic;
use protocol::messages::{
    ApiVersionsRequest, ApiVersionsResponse, MetadataRequest, MetadataResponse,
    SaslAuthenticateResponse, SaslHandshakeResponse, TopicName,
};
use protocol::wire::{Encodable, StrBytes};

use super::*;
use crate::Secret;
use crate::sasl::PlainUsers;
use crate::sasl::client::ClientExchange;
use crate::sasl::gssapi::KerberosListener;
use crate::sasl::gssapi::tests::scripted;
use crate::sasl::jaas::{self, Credentials};
use crate::sasl::kerberos::{PrincipalToLocalRules, TicketSource};
use crate::sasl::scram::TokenHolder;

const USERS: &str = "org.apache.kafka.common.security.plain.PlainLoginModule required \
    user_alice=\"alice-secret\" user_bob=\"bob-secret\";";
const NOW: Duration = Duration::from_secs(100);
const WALL_MS: i64 = 1_800_000_000_000;

struct Around(Decoy);

impl Surroundings for Around {
    fn credential(&self, mechanism: ScramMechanism, user: &str) -> Option<ScramCredential> {
        let salted = mechanism.salted_password("alice-secret", b"salt", 4096);
        (user == "alice").then(|| mechanism.credential(b"salt", &salted, 4096))
    }
    fn token(&self, mechanism: ScramMechanism, token_id: &str) -> Option<Stored> {
        let credential = self.credential(mechanism, "alice")?;
        let holder = TokenHolder { owner: "alice".to_owned(), expires_at_ms: WALL_MS + 5000 };
        (token_id == "id").then_some(Stored { credential, holder: Some(holder) })
    }
    fn keys(&self, _: &str) -> Arc<Jwks> {
        Arc::default()
    }
    fn key_missed(&self, _: &str, _: Option<&str>) {}
    fn security_context(
        &self,
        login: &KerberosLogin,
    ) -> Result<Box<dyn SecurityContext>, GssError> {
        match login.principal.as_deref() {
            Some("kafka/h@EX") => Ok(Box::new(scripted(&[Some(b"hi")]))),
            _ => Err(GssError::new("no key")),
        }
    }
    fn default_realm(&self) -> String {
        "EX".to_owned()
    }
    fn decoy(&self) -> &Decoy {
        &self.0
    }
    fn draw(&self) -> [u8; NONCE_BYTES] {
        [9; NONCE_BYTES]
    }
    fn now(&self) -> Duration {
        NOW
    }
    fn wall_ms(&self) -> i64 {
        WALL_MS
    }
}

fn around() -> Around {
    Around(Decoy::new([0; 32]))
}

fn settings(lifetime_ms: u64) -> Arc<ServerSettings> {
    let lifetime = Duration::from_millis(lifetime_ms);
    let enabled = ["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"].map(|name| Enabled {
        mechanism: Mechanism::named(name).unwrap(),
        session_lifetime: lifetime,
    });
    let users = PlainUsers::of(&jaas::parse_property(USERS).unwrap());
    Arc::new(ServerSettings::new(enabled.to_vec(), users))
}

fn request<R: Encodable>(key: ApiKey, version: i16, request: &R) -> Bytes {
    let mut out = BytesMut::new();
    encode_request(&mut out, key, version, 7, "test", request).unwrap();
    out.freeze().slice(4..)
}

fn handshake(version: i16, mechanism: &str) -> Bytes {
    let asked =
        SaslHandshakeRequest::default().with_mechanism(StrBytes::from_string(mechanism.to_owned()));
    request(ApiKey::SaslHandshake, version, &asked)
}

fn token(version: i16, bytes: impl Into<Bytes>) -> Bytes {
    let asked = SaslAuthenticateRequest::default().with_auth_bytes(bytes.into());
    request(ApiKey::SaslAuthenticate, version, &asked)
}

fn read_answer<R: Decodable>(frame: Option<Bytes>, key: ApiKey, version: i16) -> R {
    let mut frame = frame.expect("an answer").slice(4..);
    assert_eq!(strip_response_header(&mut frame, key, version).unwrap(), 7);
    R::decode(&mut frame, version).unwrap()
}

fn authenticated(frame: Option<Bytes>) -> SaslAuthenticateResponse {
    read_answer(frame, ApiKey::SaslAuthenticate, 2)
}

/// An authenticator with which a mechanism was agreed.
fn agreed(mechanism: &str, lifetime_ms: u64) -> ServerAuthenticator {
    let mut server = ServerAuthenticator::new(settings(lifetime_ms));
    let Outcome::Answer(answer) = server.receive(handshake(1, mechanism), &around()) else {
        panic!("{mechanism} is enabled")
    };
    let answer: SaslHandshakeResponse = read_answer(answer, ApiKey::SaslHandshake, 1);
    assert_eq!(answer.error_code, 0);
    server
}

/// What became of a login of this user by this mechanism.
fn log_in(server: &mut ServerAuthenticator, mechanism: &str, user: &str, secret: &str) -> Outcome {
    log_in_with(server, mechanism, Credentials::new(user, Secret::new(secret)))
}

fn log_in_with(
    server: &mut ServerAuthenticator,
    mechanism: &str,
    credentials: Credentials,
) -> Outcome {
    let (mut client, mut said) = match Mechanism::named(mechanism).unwrap() {
        Mechanism::Scram(scram) => ClientExchange::scram(scram, &credentials, [1; NONCE_BYTES]),
        _ => ClientExchange::plain(&credentials),
    };
    loop {
        let outcome = server.receive(token(2, said), &around());
        let Outcome::Answer(answer) = outcome else { return outcome };
        said = client.answer(&authenticated(answer).auth_bytes).unwrap().expect("more to say");
    }
}

#[test]
fn every_mechanism_ends_in_a_session_that_lasts_as_long_as_it_may() {
    for mechanism in ["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] {
        let mechanism = Mechanism::named(mechanism).unwrap();
        for lifetime_ms in [0, 3000] {
            let mut server = agreed(mechanism.name(), lifetime_ms);
            let Outcome::Complete(session, answer) =
                log_in(&mut server, mechanism.name(), "alice", "alice-secret")
            else {
                panic!("{mechanism}")
            };
            let expires_at = (lifetime_ms > 0).then(|| NOW + Duration::from_millis(lifetime_ms));
            let user = Arc::from("alice");
            let expected = Session { user, mechanism, by_token: false, expires_at };
            assert_eq!(session, expected);
            let answer = authenticated(answer);
            assert_eq!((answer.error_code, answer.session_lifetime_ms), (0, lifetime_ms as i64));
        }
    }
}

#[test]
fn the_holder_of_a_token_has_a_session_that_ends_with_it() {
    for (limit_ms, lifetime_ms) in [(0, 5000), (3000, 3000), (9000, 5000)] {
        let mechanism = "SCRAM-SHA-256";
        let holder = Credentials::new("id", Secret::new("alice-secret")).of_token();
        let outcome = log_in_with(&mut agreed(mechanism, limit_ms), mechanism, holder);
        let Outcome::Complete(session, answer) = outcome else { panic!("{outcome:?}") };
        assert!(session.by_token);
        assert_eq!(&*session.user, "alice");
        assert_eq!(session.expires_at, Some(NOW + Duration::from_millis(lifetime_ms)));
        assert_eq!(authenticated(answer).session_lifetime_ms, lifetime_ms as i64);
    }
    let unknown = Credentials::new("other", Secret::new("alice-secret")).of_token();
    let outcome = log_in_with(&mut agreed("SCRAM-SHA-512", 0), "SCRAM-SHA-512", unknown);
    let Outcome::Failed { answer, .. } = outcome else { panic!("{outcome:?}") };
    let text = "Authentication failed during authentication due to invalid credentials with SASL \
        mechanism SCRAM-SHA-512";
    assert_eq!(authenticated(answer).error_message.as_deref(), Some(text));
}

#[test]
fn who_fails_hears_why_in_kafkas_words_and_nothing_more() {
    const PLAIN: &str = "Authentication failed: Invalid username or password";
    const SCRAM: &str = "Authentication failed during authentication due to invalid credentials \
        with SASL mechanism SCRAM-SHA-256";
    for (mechanism, user, expected) in [
        ("PLAIN", "alice", PLAIN),
        ("PLAIN", "mallory", PLAIN),
        ("SCRAM-SHA-256", "alice", SCRAM),
        ("SCRAM-SHA-256", "mallory", SCRAM),
    ] {
        let mut server = agreed(mechanism, 0);
        let Outcome::Failed { why, answer } = log_in(&mut server, mechanism, user, "wrong") else {
            panic!("{user} came in")
        };
        let answer = authenticated(answer);
        assert_eq!((answer.error_code, answer.error_message.as_deref()), (58, Some(expected)));
        assert!(why.starts_with(expected), "{why}");
        let after = server.receive(token(2, &b"\0alice\0alice-secret"[..]), &around());
        assert!(matches!(after, Outcome::Closed { .. }), "{after:?}");
    }
}

#[test]
fn a_mechanism_that_is_not_enabled_is_answered_with_those_that_are() {
    let mut server = ServerAuthenticator::new(settings(0));
    let Outcome::Failed { answer, .. } = server.receive(handshake(1, "GSSAPI"), &around()) else {
        panic!("GSSAPI is not enabled")
    };
    let answer: SaslHandshakeResponse = read_answer(answer, ApiKey::SaslHandshake, 1);
    let names: Vec<&str> = answer.mechanisms.iter().map(|name| name.as_str()).collect();
    assert_eq!(answer.error_code, 33);
    // The order of Java's hash set.
    assert_eq!(names, ["PLAIN", "SCRAM-SHA-512", "SCRAM-SHA-256"]);
}

#[test]
fn versions_are_told_once_and_before_the_handshake() {
    let ask = || request(ApiKey::ApiVersions, 3, &ApiVersionsRequest::default());
    let mut server = ServerAuthenticator::new(settings(0));
    assert_eq!(server.receive(ask(), &around()), Outcome::ApiVersions);
    server.versions_told(35);
    assert_eq!(server.receive(ask(), &around()), Outcome::ApiVersions, "it was unsupported");
    server.versions_told(0);
    let twice = server.receive(ask(), &around());
    assert!(matches!(twice, Outcome::Closed { .. }), "{twice:?}");

    let mut server = ServerAuthenticator::new(settings(0));
    assert_eq!(server.receive(ask(), &around()), Outcome::ApiVersions);
    server.versions_told(0);
    assert!(matches!(server.receive(handshake(1, "PLAIN"), &around()), Outcome::Answer(Some(_))));
    let Outcome::Failed { answer, .. } = server.receive(ask(), &around()) else {
        panic!("tokens are due")
    };
    let answer: ApiVersionsResponse = read_answer(answer, ApiKey::ApiVersions, 3);
    assert_eq!(answer.error_code, 34);
}

#[test]
fn nothing_else_is_read_before_somebody_is_known() {
    let metadata = || request(ApiKey::Metadata, 1, &MetadataRequest::default());
    let mut server = ServerAuthenticator::new(settings(0));
    let first = server.receive(metadata(), &around());
    let Outcome::Closed { why } = first else { panic!("{first:?}") };
    assert!(why.contains("Metadata during SASL handshake"), "{why}");
    let mut server = agreed("PLAIN", 0);
    let Outcome::Failed { why, answer: None } = server.receive(metadata(), &around()) else {
        panic!("tokens are due")
    };
    assert_eq!(why, "Unexpected Kafka request of type Metadata during SASL authentication.");
    for frame in [&b""[..], b"\0\x11", b"GET / HTTP/1.1\r\n", b"\x60\x82", &[0; 64]] {
        let mut server = ServerAuthenticator::new(settings(0));
        let closed = server.receive(Bytes::copy_from_slice(frame), &around());
        assert!(matches!(closed, Outcome::Closed { .. }), "{frame:?}: {closed:?}");
    }
}

#[test]
fn metadata_in_place_of_a_token_is_answered_where_the_answer_has_a_place_for_the_error() {
    let asked = |version: i16, names: &[&'static str]| {
        let topic = |&name| {
            let name = TopicName(StrBytes::from_static_str(name));
            MetadataRequestTopic::default().with_name(Some(name))
        };
        let topics = names.iter().map(topic).collect();
        let ask = MetadataRequest::default().with_topics(Some(topics));
        let failed =
            agreed("PLAIN", 0).receive(request(ApiKey::Metadata, version, &ask), &around());
        let Outcome::Failed { answer, .. } = failed else { panic!("tokens are due: {failed:?}") };
        answer.map(|answer| {
            let answer: MetadataResponse = read_answer(Some(answer), ApiKey::Metadata, version);
            let topics = answer.topics.iter().map(|topic| topic.error_code).collect::<Vec<_>>();
            (answer.error_code, topics)
        })
    };
    assert_eq!(asked(1, &["a", "b"]), Some((0, vec![34, 34])));
    assert_eq!(asked(13, &["a"]), Some((34, vec![34])));
    assert_eq!(asked(13, &[]), Some((34, vec![])));
    assert_eq!([asked(1, &[]), asked(12, &[])], [None, None]);
}

#[test]
fn tokens_come_bare_after_the_first_handshake() {
    let bare = |mechanism: &str| {
        let mut server = ServerAuthenticator::new(settings(0));
        let answer = server.receive(handshake(0, mechanism), &around());
        assert!(matches!(answer, Outcome::Answer(Some(_))), "{answer:?}");
        server
    };
    let mut server = bare("PLAIN");
    let Outcome::Complete(session, last) =
        server.receive(Bytes::from_static(b"\0alice\0alice-secret"), &around())
    else {
        panic!("alice is known")
    };
    assert_eq!((&*session.user, last.as_deref()), ("alice", Some(&[0, 0, 0, 0][..])));
    let wrong = bare("PLAIN").receive(Bytes::from_static(b"\0alice\0wrong"), &around());
    assert!(matches!(wrong, Outcome::Failed { answer: None, .. }), "{wrong:?}");
    let wrong = bare("SCRAM-SHA-512").receive(Bytes::from_static(b"n,,n=a"), &around());
    assert!(matches!(wrong, Outcome::Closed { .. }), "{wrong:?}");
}

#[test]
fn whoever_comes_again_is_who_he_was_by_the_way_that_he_came() {
    let alice = || Session {
        user: Arc::from("alice"),
        mechanism: Mechanism::Plain,
        by_token: false,
        expires_at: Some(Duration::ZERO),
    };
    let again = |mechanism: &str| {
        let mut server = ServerAuthenticator::again(settings(5000), alice());
        let answer = server.receive(handshake(1, mechanism), &around());
        assert!(matches!(answer, Outcome::Answer(Some(_))), "{answer:?}");
        server
    };
    let Outcome::Complete(session, _) =
        log_in(&mut again("PLAIN"), "PLAIN", "alice", "alice-secret")
    else {
        panic!("alice is alice")
    };
    assert_eq!(session.expires_at, Some(NOW + Duration::from_secs(5)));
    let Outcome::Failed { answer, .. } = log_in(&mut again("PLAIN"), "PLAIN", "bob", "bob-secret")
    else {
        panic!("bob is not alice")
    };
    let text = "Cannot change principals during re-authentication from User.alice: User.bob";
    let answer = authenticated(answer);
    assert_eq!((answer.error_code, answer.error_message.as_deref()), (58, Some(text)));
    let mut unknown = ServerAuthenticator::again(settings(5000), alice());
    let closed = unknown.receive(handshake(1, "GSSAPI"), &around());
    assert!(matches!(closed, Outcome::Closed { .. }), "{closed:?}");
    let mut other = again("SCRAM-SHA-256");
    let Outcome::Failed { why, answer: None } = other.receive(token(2, &b"x"[..]), &around())
    else {
        panic!("the mechanism is another")
    };
    assert_eq!(
        why,
        "SASL mechanism 'SCRAM-SHA-256' requested by client is not supported for \
         re-authentication of mechanism 'PLAIN'"
    );
}

/// An authenticator that has agreed on GSSAPI, at a listener with this key and rule.
fn agreed_on_gssapi(version: i16, key: &str, rule: &str) -> ServerAuthenticator {
    let enabled = Enabled { mechanism: Mechanism::Gssapi, session_lifetime: NOW };
    let login = KerberosLogin {
        principal: Some(key.to_owned()),
        source: TicketSource::Keytab(None),
        service_name: "kafka".to_owned(),
    };
    let rules = PrincipalToLocalRules::parse(&[rule.to_owned()]).unwrap();
    let settings = ServerSettings::new(vec![enabled], PlainUsers::default())
        .with_kerberos(KerberosListener { login, rules });
    let mut server = ServerAuthenticator::new(Arc::new(settings));
    assert!(!server.may_wait());
    let Outcome::Answer(answer) = server.receive(handshake(version, "GSSAPI"), &around()) else {
        panic!("GSSAPI is enabled")
    };
    let answer: SaslHandshakeResponse = read_answer(answer, ApiKey::SaslHandshake, version);
    assert_eq!((answer.error_code, answer.mechanisms.len()), (0, 1));
    assert!(server.may_wait());
    server
}

const CHOICE: &[u8] = b"(\x01\x00\x00\x00)";

#[test]
fn a_principal_logs_in_by_the_name_that_the_rules_give_it() {
    let mut server = agreed_on_gssapi(1, "kafka/h@EX", "RULE:[1:$1]/U");
    for (said, answered) in [(&b"hello"[..], &b"hi"[..]), (b"", b"(\x01\x01\x00\x00)")] {
        let Outcome::Answer(answer) = server.receive(token(2, said), &around()) else {
            panic!("{said:?} is not the last")
        };
        assert_eq!(authenticated(answer).auth_bytes, answered);
    }
    let Outcome::Complete(session, answer) = server.receive(token(2, CHOICE), &around()) else {
        panic!("alice is known")
    };
    let answer = authenticated(answer);
    assert_eq!((&*session.user, session.mechanism), ("ALICE", Mechanism::Gssapi));
    assert_eq!((answer.auth_bytes.len(), answer.session_lifetime_ms), (0, 100_000));
}

#[test]
fn a_bare_exchange_by_gssapi_ends_without_an_answer() {
    let mut server = agreed_on_gssapi(0, "kafka/h@EX", "DEFAULT");
    for said in [&b"hello"[..], b""] {
        assert!(matches!(
            server.receive(Bytes::from_static(said), &around()),
            Outcome::Answer(Some(_))
        ));
    }
    let Outcome::Complete(session, None) = server.receive(Bytes::from_static(CHOICE), &around())
    else {
        panic!("alice is known, and nothing is said")
    };
    assert_eq!(&*session.user, "alice");
}

#[test]
fn who_has_no_name_by_the_rules_hears_that_he_is_known_and_is_let_go() {
    let mut server = agreed_on_gssapi(1, "kafka/h@EX", "RULE:[2:$1]");
    server.receive(token(2, &b"hello"[..]), &around());
    server.receive(token(2, &b""[..]), &around());
    let Outcome::Failed { why, answer } = server.receive(token(2, CHOICE), &around()) else {
        panic!("nobody is alice")
    };
    assert!(why.contains("'alice@EX'") && why.contains("No rules apply"), "{why}");
    assert_eq!(authenticated(answer).error_code, 0);
}

#[test]
fn what_kerberos_refuses_is_told_in_no_detail_and_a_missing_key_not_at_all() {
    let mut server = agreed_on_gssapi(1, "kafka/h@EX", "DEFAULT");
    server.receive(token(2, &b"hello"[..]), &around());
    let Outcome::Failed { why, answer } = server.receive(token(2, &b"x"[..]), &around()) else {
        panic!("nothing was due")
    };
    assert!(why.contains("Handshake expecting no response data"), "{why}");
    let told = authenticated(answer).error_message.unwrap();
    let words = "Authentication failed during authentication due to invalid credentials with SASL \
                 mechanism GSSAPI";
    assert_eq!(told.as_str(), words);
    let mut keyless = agreed_on_gssapi(1, "other/h@EX", "DEFAULT");
    let closed = keyless.receive(token(2, &b"hello"[..]), &around());
    assert_eq!(closed, Outcome::Closed { why: "no key".to_owned() });
}

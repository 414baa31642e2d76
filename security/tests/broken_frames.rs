//! Frames of logins and tokens with flipped bits, cut short, doubled and mixed: whatever a peer
//! says instead, nothing panics, nothing takes long, and nobody comes in who could not without it.

mod breaking;

use std::cell::Cell;
use std::sync::Arc;
use std::time::Duration;

use aws_lc_rs::hmac;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::{Bytes, BytesMut};
use protocol::api::ApiKey;
use protocol::frame::{encode_request, strip_response_header};
use protocol::messages::{
    ApiVersionsRequest, SaslAuthenticateRequest, SaslAuthenticateResponse, SaslHandshakeRequest,
};
use protocol::wire::{Decodable as _, Encodable, StrBytes};
use security::Secret;
use security::sasl::client::ClientExchange;
use security::sasl::gssapi::{GssError, SecurityContext};
use security::sasl::jaas::{self, Credentials};
use security::sasl::kerberos::KerberosLogin;
use security::sasl::oauthbearer::{InitialResponse, Jwks, SignedTokens, TokenValidator};
use security::sasl::scram::{
    Decoy, NONCE_BYTES, ScramCredential, ScramMechanism, Stored, TokenHolder,
};
use security::sasl::server::{Enabled, Outcome, ServerAuthenticator, ServerSettings, Surroundings};
use security::sasl::{Mechanism, PlainUsers};

use breaking::break_all;

const USERS: &str = "org.apache.kafka.common.security.plain.PlainLoginModule required \
    user_alice=\"alice-secret\" user_bob=\"bob-secret\";";
const MECHANISMS: [&str; 4] = ["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512", "OAUTHBEARER"];
const NOW: i64 = 1_800_000_000;
/// Nobody has a password of hers, nor has anybody signed a token of hers.
const STRANGER: &str = "mallory";

/// A cluster that knows alice, and one token of hers.
struct Around {
    decoy: Decoy,
    keys: Arc<Jwks>,
    credentials: [ScramCredential; 2],
}

impl Around {
    fn new(keys: Jwks) -> Self {
        let credential = |mechanism: ScramMechanism| {
            let salted = mechanism.salted_password("alice-secret", b"salt", 4096);
            mechanism.credential(b"salt", &salted, 4096)
        };
        let credentials = [ScramMechanism::Sha256, ScramMechanism::Sha512].map(credential);
        Self { decoy: Decoy::new([0; 32]), keys: Arc::new(keys), credentials }
    }
}

impl Surroundings for Around {
    fn credential(&self, mechanism: ScramMechanism, user: &str) -> Option<ScramCredential> {
        let index = usize::from(mechanism == ScramMechanism::Sha512);
        (user == "alice").then(|| self.credentials[index].clone())
    }

    fn token(&self, mechanism: ScramMechanism, token_id: &str) -> Option<Stored> {
        let credential = self.credential(mechanism, "alice")?;
        let holder = TokenHolder { owner: "alice".to_owned(), expires_at_ms: (NOW + 5) * 1000 };
        (token_id == "id").then_some(Stored { credential, holder: Some(holder) })
    }

    fn keys(&self, _: &str) -> Arc<Jwks> {
        Arc::clone(&self.keys)
    }

    fn key_missed(&self, _: &str, _: Option<&str>) {}

    fn security_context(&self, _: &KerberosLogin) -> Result<Box<dyn SecurityContext>, GssError> {
        Err(GssError::new("no key of Kerberos is here"))
    }
    fn default_realm(&self) -> String {
        String::new()
    }
    fn decoy(&self) -> &Decoy {
        &self.decoy
    }

    fn draw(&self) -> [u8; NONCE_BYTES] {
        [9; NONCE_BYTES]
    }

    fn now(&self) -> Duration {
        Duration::from_secs(100)
    }

    fn wall_ms(&self) -> i64 {
        NOW * 1000
    }
}

fn settings() -> Arc<ServerSettings> {
    let enabled = MECHANISMS.map(|name| Enabled {
        mechanism: Mechanism::named(name).expect("a mechanism"),
        session_lifetime: Duration::from_secs(60),
    });
    let users = PlainUsers::of(&jaas::parse_property(USERS).expect("a login"));
    let tokens = SignedTokens {
        jwks_endpoint_url: "file:/keys.json".to_owned(),
        expected_audience: vec!["kafka".to_owned()],
        expected_issuer: None,
        clock_skew_seconds: 30,
        scope_claim_name: "scope".to_owned(),
        sub_claim_name: "sub".to_owned(),
    };
    let settings = ServerSettings::new(enabled.to_vec(), users);
    Arc::new(settings.with_token_validator(TokenValidator::Signed(tokens)))
}

fn request<R: Encodable>(key: ApiKey, version: i16, request: &R) -> Bytes {
    let mut out = BytesMut::new();
    encode_request(&mut out, key, version, 7, "test", request).expect("it fits");
    out.freeze().slice(4..)
}

fn handshake(mechanism: &str) -> Bytes {
    let mechanism = StrBytes::from_string(mechanism.to_owned());
    request(ApiKey::SaslHandshake, 1, &SaslHandshakeRequest::default().with_mechanism(mechanism))
}

fn authenticate(bytes: impl Into<Bytes>) -> Bytes {
    let request_of = SaslAuthenticateRequest::default().with_auth_bytes(bytes.into());
    request(ApiKey::SaslAuthenticate, 2, &request_of)
}

/// Only those come in who have a password or a token.
fn assert_known(outcome: &Outcome) {
    if let Outcome::Complete(session, _) = outcome {
        assert!(["alice", "bob"].contains(&&*session.user), "{session:?} came in");
    }
}

fn is_over(outcome: &Outcome) -> bool {
    !matches!(outcome, Outcome::Answer(_) | Outcome::ApiVersions)
}

#[test]
fn broken_frames_are_answered_or_end_the_connection() {
    let (settings, around) = (settings(), Around::new(Jwks::default()));
    let plain = |text: &str| authenticate(text.as_bytes().to_vec());
    let versions = request(ApiKey::ApiVersions, 3, &ApiVersionsRequest::default());
    let frames = [
        versions,
        handshake("PLAIN"),
        handshake("SCRAM-SHA-256"),
        handshake("OAUTHBEARER"),
        plain("\0alice\0alice-secret"),
        plain("\0mallory\0bob-secret"),
        plain("n,,n=alice,r=fyko+d2lbbFgONRv9qkxdawL"),
        plain("n,,n=id,r=nonce,tokenauth=true"),
        plain("c=biws,r=nonce,p=AAAA"),
        plain("n,,\u{1}auth=Bearer a.b.c\u{1}\u{1}"),
        // As before there was SaslAuthenticate: the bytes of a mechanism alone.
        Bytes::from_static(b"\0alice\0alice-secret"),
    ];
    let inputs: Vec<Vec<u8>> = frames.iter().map(|frame| frame.to_vec()).collect();
    // One connection after the other, until it ends.
    let (mut server, completed) = (ServerAuthenticator::new(Arc::clone(&settings)), Cell::new(0));
    break_all(&inputs, |which, bytes| {
        // Mostly something whole comes before what is broken.
        let before = &frames[(bytes.len() + which) % frames.len()];
        for frame in [before.clone(), Bytes::copy_from_slice(bytes)] {
            let outcome = server.receive(frame, &around);
            assert_known(&outcome);
            completed.set(completed.get() + u32::from(matches!(outcome, Outcome::Complete(..))));
            if outcome == Outcome::ApiVersions {
                server.versions_told(0);
            }
            if is_over(&outcome) {
                server = ServerAuthenticator::new(Arc::clone(&settings));
            }
        }
    });
    assert!(completed.get() > 0, "nothing of it was whole enough");
}

#[test]
fn broken_proofs_of_scram_let_nobody_in() {
    let (settings, around) = (settings(), Around::new(Jwks::default()));
    let of = |mechanism, user: &str, secret: &str| {
        let credentials = Credentials::new(user, Secret::new(secret));
        ClientExchange::scram(mechanism, &credentials, [1; NONCE_BYTES])
    };
    let logins = [
        (ScramMechanism::Sha256, "alice", "alice-secret"),
        (ScramMechanism::Sha512, "alice", "alice-secret"),
        (ScramMechanism::Sha256, STRANGER, "guessed-secret"),
    ];
    // What they say last to a server that always draws the same.
    let last_words = logins.map(|(mechanism, user, secret)| {
        let mut server = ServerAuthenticator::new(Arc::clone(&settings));
        let _ = server.receive(handshake(mechanism.name()), &around);
        let (mut client, first) = of(mechanism, user, secret);
        let Outcome::Answer(Some(answer)) = server.receive(authenticate(first), &around) else {
            panic!("the first message is answered")
        };
        let mut answer = answer.slice(4..);
        let _ = strip_response_header(&mut answer, ApiKey::SaslAuthenticate, 2);
        let answer = SaslAuthenticateResponse::decode(&mut answer, 2).expect("an answer");
        client.answer(&answer.auth_bytes).expect("a challenge").expect("its answer")
    });
    break_all(&last_words, |which, bytes| {
        let (mechanism, user, secret) = logins[which];
        let mut server = ServerAuthenticator::new(Arc::clone(&settings));
        let _ = server.receive(handshake(mechanism.name()), &around);
        let first = of(mechanism, user, secret).1;
        let _ = server.receive(authenticate(first), &around);
        let outcome = server.receive(authenticate(bytes.to_vec()), &around);
        assert_known(&outcome);
        let is_proof = bytes == last_words[which] && user != STRANGER;
        assert!(!is_proof || matches!(outcome, Outcome::Complete(..)), "{outcome:?}");
    });
}

fn base64url(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

fn claims_of(subject: &str) -> String {
    let (from, to) = (NOW - 10, NOW + 600);
    format!(r#"{{"sub":"{subject}","aud":["kafka"],"iat":{from},"exp":{to},"scope":["a","b"]}}"#)
}

#[test]
fn broken_tokens_let_nobody_in() {
    let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).expect("a key");
    let point = &pair.public_key().as_ref()[1..];
    let (x, y) = point.split_at(32);
    let keys = format!(
        r#"{{"keys":[{{"kty":"EC","kid":"one","crv":"P-256","x":"{}","y":"{}"}}]}}"#,
        base64url(x),
        base64url(y)
    );
    let around = Around::new(Jwks::parse(keys.as_bytes()).expect("keys"));
    let settings = settings();
    let unsigned =
        |header: &str, subject| format!("{}.{}", base64url(header), base64url(claims_of(subject)));
    let message = unsigned(r#"{"alg":"ES256","kid":"one"}"#, "alice");
    let signature = pair.sign(&SystemRandom::new(), message.as_bytes()).expect("signed");
    let confused = unsigned(r#"{"alg":"HS256","kid":"one"}"#, STRANGER);
    let public = hmac::Key::new(hmac::HMAC_SHA256, pair.public_key().as_ref());
    let tag = hmac::sign(&public, confused.as_bytes());
    let forged = unsigned(r#"{"alg":"ES256","kid":"one"}"#, STRANGER);
    let tokens = [
        format!("{message}.{}", base64url(signature.as_ref())),
        format!("{}.", unsigned(r#"{"alg":"none"}"#, STRANGER)),
        format!("{confused}.{}", base64url(tag.as_ref())),
        format!("{forged}.{}", base64url(signature.as_ref())),
    ];
    let inputs = tokens.map(|token| InitialResponse::new(token).to_bytes());
    let shown = |bytes: &[u8]| {
        let mut server = ServerAuthenticator::new(Arc::clone(&settings));
        let _ = server.receive(handshake("OAUTHBEARER"), &around);
        server.receive(authenticate(bytes.to_vec()), &around)
    };
    assert!(matches!(shown(&inputs[0]), Outcome::Complete(..)), "alice's own is believed");
    assert!(inputs[1..].iter().all(|bytes| !matches!(shown(bytes), Outcome::Complete(..))));
    break_all(&inputs, |_, bytes| assert_known(&shown(bytes)));
}

#[test]
fn broken_sets_of_keys_are_read_or_refused() {
    let keys = r#"{"keys":[
        {"kty":"RSA","kid":"r","use":"sig","alg":"RS256","n":"AQAB","e":"AQAB"},
        {"kty":"EC","crv":"P-256","x":"AAAA","y":"AAAA","kid":"e"},{"kty":"oct","k":"AAAA"}]}"#;
    break_all(&[keys.as_bytes().to_vec()], |_, bytes| drop(Jwks::parse(bytes)));
}

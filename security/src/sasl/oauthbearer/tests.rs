//! Tokens as an identity provider signs them, and as others would like to: what is believed, and
//! what a client hears of the rest.

use std::sync::Arc;

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED_SIGNING,
    ECDSA_P521_SHA512_FIXED_SIGNING, EcdsaKeyPair, EcdsaSigningAlgorithm, KeyPair as _,
    RSA_PKCS1_SHA256, RSA_PKCS1_SHA384, RSA_PKCS1_SHA512, RSA_PSS_SHA256, RSA_PSS_SHA384,
    RSA_PSS_SHA512, RsaEncoding, RsaKeyPair,
};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::*;
use crate::sasl::jaas::parse_property;

const NOW: i64 = 1_800_000_000;
const URL: &str = "file:/keys.json";

fn base64url(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// Somebody with a key of each kind.
struct Issuer {
    rsa: RsaKeyPair,
    elliptic: Vec<(&'static str, EcdsaKeyPair)>,
}

const ELLIPTIC: [(&str, &EcdsaSigningAlgorithm); 3] = [
    ("P-256", &ECDSA_P256_SHA256_FIXED_SIGNING),
    ("P-384", &ECDSA_P384_SHA384_FIXED_SIGNING),
    ("P-521", &ECDSA_P521_SHA512_FIXED_SIGNING),
];

impl Issuer {
    fn new() -> Self {
        let elliptic = ELLIPTIC.map(|(name, algorithm)| {
            (name, EcdsaKeyPair::generate(algorithm).expect("a key is made"))
        });
        let rsa = RsaKeyPair::generate(KeySize::Rsa2048).expect("a key is made");
        Self { rsa, elliptic: elliptic.into() }
    }

    /// Of 2048 bits: `30 82 01 0a 02 82 01 01 00 MODULUS 02 03 EXPONENT`.
    fn rsa_numbers(&self) -> (&[u8], &[u8]) {
        let der = self.rsa.public_key().as_ref();
        (&der[9..9 + 256], &der[der.len() - 3..])
    }

    /// Its public keys, `more` in each.
    fn keys(&self, more: &str) -> String {
        let (modulus, exponent) = self.rsa_numbers();
        let mut keys = vec![format!(
            r#"{{"kty":"RSA","kid":"rsa"{more},"n":"{}","e":"{}"}}"#,
            base64url(modulus),
            base64url(exponent)
        )];
        for (curve, pair) in &self.elliptic {
            let point = &pair.public_key().as_ref()[1..];
            let (x, y) = point.split_at(point.len() / 2);
            keys.push(format!(
                r#"{{"kty":"EC","kid":"{curve}"{more},"crv":"{curve}","x":"{}","y":"{}"}}"#,
                base64url(x),
                base64url(y)
            ));
        }
        format!(r#"{{"keys":[{}]}}"#, keys.join(","))
    }

    fn jwks(&self) -> Arc<Jwks> {
        Arc::new(Jwks::parse(self.keys("").as_bytes()).unwrap())
    }

    fn sign(&self, header: &str, claims: &str) -> String {
        let algorithm = header.split_once("\"alg\":\"").map_or("", |(_, rest)| &rest[..5]);
        let message = format!("{}.{}", base64url(header), base64url(claims));
        let random = SystemRandom::new();
        let rsa: Option<&dyn RsaEncoding> = match algorithm {
            "RS256" => Some(&RSA_PKCS1_SHA256),
            "RS384" => Some(&RSA_PKCS1_SHA384),
            "RS512" => Some(&RSA_PKCS1_SHA512),
            "PS256" => Some(&RSA_PSS_SHA256),
            "PS384" => Some(&RSA_PSS_SHA384),
            "PS512" => Some(&RSA_PSS_SHA512),
            _ => None,
        };
        let signature = match (rsa, algorithm) {
            (Some(encoding), _) => {
                let mut signature = vec![0; self.rsa.public_modulus_len()];
                self.rsa.sign(encoding, &random, message.as_bytes(), &mut signature).unwrap();
                signature
            }
            (None, name) => {
                let at = ["ES256", "ES384", "ES512"].iter().position(|known| *known == name);
                let pair = &self.elliptic[at.expect("a known algorithm")].1;
                pair.sign(&random, message.as_bytes()).unwrap().as_ref().to_vec()
            }
        };
        format!("{message}.{}", base64url(signature))
    }
}

/// Claims of alice for the cluster, with others in place of some.
fn claims(more: &str) -> String {
    let usual = [
        ("\"sub\"", "\"alice\"".to_owned()),
        ("\"iss\"", "\"https://issuer\"".to_owned()),
        ("\"aud\"", "\"kafka\"".to_owned()),
        ("\"iat\"", (NOW - 10).to_string()),
        ("\"exp\"", (NOW + 600).to_string()),
    ];
    let kept = usual.iter().filter(|(name, _)| !more.contains(name));
    let kept: Vec<String> = kept.map(|(name, value)| format!("{name}:{value}")).collect();
    let more: Vec<&str> =
        more.split(';').filter(|one| !one.ends_with(":-") && !one.is_empty()).collect();
    let more = more.into_iter().map(str::to_owned);
    format!("{{{}}}", kept.into_iter().chain(more).collect::<Vec<_>>().join(","))
}

fn asked() -> SignedTokens {
    SignedTokens {
        jwks_endpoint_url: URL.to_owned(),
        expected_audience: vec!["other".to_owned(), "kafka".to_owned()],
        expected_issuer: Some("https://issuer".to_owned()),
        clock_skew_seconds: 30,
        scope_claim_name: "scope".to_owned(),
        sub_claim_name: "sub".to_owned(),
    }
}

#[test]
fn every_algorithm_is_believed_by_the_key_that_it_takes() {
    let issuer = Issuer::new();
    let keys = issuer.jwks();
    for (algorithm, id) in [
        ("RS256", "rsa"),
        ("RS384", "rsa"),
        ("RS512", "rsa"),
        ("PS256", "rsa"),
        ("PS384", "rsa"),
        ("PS512", "rsa"),
        ("ES256", "P-256"),
        ("ES384", "P-384"),
        ("ES512", "P-521"),
    ] {
        for header in [
            format!(r#"{{"alg":"{algorithm}","kid":"{id}"}}"#),
            format!(r#"{{"typ":"JWT","alg":"{algorithm}"}}"#),
        ] {
            let token = issuer.sign(&header, &claims(""));
            let alice =
                BearerToken { principal: "alice".to_owned(), expires_at_ms: (NOW + 600) * 1000 };
            assert_eq!(asked().validate(&token, &keys, NOW * 1000), Ok(alice), "{header}");
            for position in [0, token.len() / 3, token.len() - 30] {
                let mut forged = token.clone().into_bytes();
                forged[position] = if forged[position] == b'A' { b'B' } else { b'A' };
                let forged = String::from_utf8(forged).unwrap();
                let judged = asked().validate(&forged, &keys, NOW * 1000);
                assert!(judged.is_err(), "{header} at {position}");
            }
        }
    }
}

fn rejected(issuer: &Issuer, header: &str, claims: &str) -> String {
    let token = issuer.sign(header, claims);
    format!("{:?}", asked().validate(&token, &issuer.jwks(), NOW * 1000).unwrap_err())
}

#[test]
fn nobody_signs_but_whoever_has_the_key() {
    let issuer = Issuer::new();
    let keys = issuer.jwks();
    let judge = |token: &str| {
        let judged = asked().validate(token, &keys, NOW * 1000).unwrap_err();
        format!("{judged:?}")
    };
    let usual = base64url(claims(""));
    for algorithm in ["none", "None", "NONE", ""] {
        let header = base64url(format!(r#"{{"alg":"{algorithm}"}}"#));
        for signature in ["", "AAAA"] {
            judge(&format!("{header}.{usual}.{signature}"));
        }
    }
    // HMAC with what everybody knows of the key.
    let modulus = issuer.rsa_numbers().0.to_vec();
    for secret in [issuer.keys("").into_bytes(), modulus] {
        let message =
            format!("{}.{usual}", base64url(r#"{"alg":"HS256","kid":"rsa","typ":"JWT"}"#));
        let key = aws_lc_rs::hmac::Key::new(aws_lc_rs::hmac::HMAC_SHA256, &secret);
        let signature = aws_lc_rs::hmac::sign(&key, message.as_bytes());
        let said = judge(&format!("{message}.{}", base64url(signature)));
        assert!(said.contains("HS256"), "{said}");
    }
    // A key of another kind, or of another curve, under the id that is named.
    for (header, words) in [
        (r#"{"alg":"RS256","kid":"P-256"}"#, "UnknownKey"),
        (r#"{"alg":"ES256","kid":"rsa"}"#, "UnknownKey"),
        (r#"{"alg":"ES256","kid":"P-384"}"#, "signature is invalid"),
        (r#"{"alg":"RS256","kid":"unknown"}"#, "UnknownKey(Some(\"unknown\"))"),
        (r#"{"alg":"RS256","crit":["exp"],"exp":1}"#, "critical"),
        (r#"{"alg":"RS256","alg":"RS256"}"#, "twice"),
        (r#"{"alg":"RS256","kid":7}"#, "'kid' is no text"),
    ] {
        let said = rejected(&issuer, header, &claims(""));
        assert!(said.contains(words), "{header}: {said}");
    }
    // Somebody else's key under the same id, and a signature of another algorithm.
    let mallory = Issuer::new().sign(r#"{"alg":"RS256","kid":"rsa"}"#, &claims(""));
    assert!(judge(&mallory).contains("signature is invalid"));
    let token = issuer.sign(r#"{"alg":"RS256"}"#, &claims(""));
    let other =
        token.replacen(&base64url(r#"{"alg":"RS256"}"#), &base64url(r#"{"alg":"PS256"}"#), 1);
    assert!(judge(&other).contains("signature is invalid"));
    for malformed in ["", ".", "..", "a.b", "a.b.c", "a.b.c.d", "a.b.c.d.e", "=.=.=", "é.é.é"] {
        judge(malformed);
    }
}

#[test]
fn claims_must_hold() {
    let issuer = Issuer::new();
    let header = r#"{"alg":"ES256"}"#;
    let (early, late) = (NOW + 31, NOW - 30);
    for (more, words) in [
        (format!("\"exp\":{late}"), "no longer valid"),
        ("\"exp\":-".to_owned(), "No exp claim"),
        ("\"exp\":\"soon\"".to_owned(), "'exp' is no time"),
        (format!("\"exp\":{};\"iat\":{}", NOW + 5, NOW + 6), "before it begins"),
        ("\"iat\":-".to_owned(), "No iat claim"),
        ("\"iat\":-5".to_owned(), "iat value"),
        (format!("\"nbf\":{early}"), "not yet valid"),
        ("\"aud\":-".to_owned(), "Audience"),
        ("\"aud\":\"others\"".to_owned(), "Audience"),
        ("\"aud\":[\"a\",\"b\"]".to_owned(), "Audience"),
        ("\"aud\":7".to_owned(), "'aud' is no list"),
        ("\"iss\":-".to_owned(), "Issuer"),
        ("\"iss\":\"https://issuer/\"".to_owned(), "Issuer"),
        ("\"sub\":-".to_owned(), "sub value"),
        ("\"sub\":\" \"".to_owned(), "sub value"),
        ("\"sub\":7".to_owned(), "'sub' claim"),
        ("\"jti\":7".to_owned(), "'jti' claim"),
        ("\"scope\":\"\"".to_owned(), "scope value"),
        ("\"scope\":[\"a\",\" a\"]".to_owned(), "scope value"),
        ("\"x\":1;\"x\":2".to_owned(), "twice"),
    ] {
        let said = rejected(&issuer, header, &claims(&more));
        assert!(said.contains(words), "{more}: {said}");
    }
    for more in [
        format!("\"exp\":{};\"iat\":{}", NOW - 29, NOW - 60),
        format!("\"nbf\":{}", NOW + 30),
        format!("\"iat\":{}", NOW + 500),
        "\"aud\":[\"a\",\"kafka\"]".to_owned(),
        "\"sub\":\" alice\"".to_owned(),
        "\"scope\":[\"a\",\"b\"]".to_owned(),
        "\"scope\":7".to_owned(),
        "\"jti\":null".to_owned(),
        format!("\"exp\":{}.9", NOW + 1),
    ] {
        let token = issuer.sign(header, &claims(&more));
        let judged = asked().validate(&token, &issuer.jwks(), NOW * 1000);
        assert_eq!(judged.map(|token| token.principal).as_deref(), Ok("alice"), "{more}");
    }
    let open = SignedTokens {
        expected_audience: Vec::new(),
        expected_issuer: None,
        sub_claim_name: "name".to_owned(),
        ..asked()
    };
    let judge = |more: &str| {
        let token = issuer.sign(header, &claims(more));
        open.validate(&token, &issuer.jwks(), NOW * 1000).map(|token| token.principal)
    };
    assert_eq!(judge("\"aud\":-;\"iss\":\"x\";\"name\":\"al\"").as_deref(), Ok("al"));
    assert!(judge("\"name\":\"al\"").is_err(), "it is meant for somebody in particular");
    assert!(judge("\"aud\":-;\"sub\":\"alice\"").is_err(), "another claim has the name");
}

#[test]
fn keys_are_chosen_by_id_kind_use_and_algorithm() {
    let issuer = Issuer::new();
    let header = r#"{"alg":"RS256"}"#;
    let token = issuer.sign(header, &claims(""));
    let judge = |keys: &str| {
        let keys = Jwks::parse(keys.as_bytes()).unwrap();
        asked().validate(&token, &keys, NOW * 1000).is_ok()
    };
    assert!(judge(&issuer.keys(r#","use":"sig","key_ops":["verify"],"alg":"RS256""#)));
    assert!(judge(&issuer.keys(r#","alg":"RS512""#)), "it is the only one of its kind");
    assert!(!judge(&issuer.keys(r#","use":"enc""#)));
    assert!(!judge(&issuer.keys(r#","key_ops":["sign"]"#)));
    // Of several, one whose algorithm is named.
    let other = Issuer::new().keys(r#","alg":"RS512""#);
    let both = format!("{},{}", &other[..other.len() - 2], &issuer.keys("")[9..]);
    assert!(judge(&both));
    assert!(Jwks::parse(br#"{"keys":[{"kty":"oct","k":"AAAA"},7,{}]}"#).unwrap().is_empty());
    assert_eq!(Jwks::parse(br#"{"keys":{}}"#), Err(NoJwks::NoKeys));
    assert!(matches!(Jwks::parse(b"["), Err(NoJwks::Malformed(_))));
    assert_eq!(issuer.jwks().len(), 4);
}

fn said(token: &str) -> Vec<u8> {
    InitialResponse::new(token).to_bytes()
}

#[test]
fn a_client_hears_that_its_token_is_none_and_then_why() {
    let issuer = Issuer::new();
    let (keys, validator) = (issuer.jwks(), TokenValidator::Signed(asked()));
    let tell = |server: &mut OAuthBearerServer, message: &[u8]| {
        let keys = |url: &str| {
            assert_eq!(url, URL);
            Arc::clone(&keys)
        };
        server.evaluate(message, &validator, keys, NOW * 1000)
    };
    let good = issuer.sign(r#"{"alg":"RS256"}"#, &claims(""));
    let old = issuer.sign(r#"{"alg":"RS256"}"#, &claims("\"exp\":7"));
    let mut server = OAuthBearerServer::default();
    let BearerOutcome::Rejected { told, .. } = tell(&mut server, &said(&old)) else {
        panic!("it has expired")
    };
    assert_eq!(told, br#"{"status":"invalid_token"}"#);
    let BearerOutcome::Refused { told, why } = tell(&mut server, b"\x01") else {
        panic!("all is said")
    };
    assert_eq!(told, r#"{"status":"invalid_token"}"#);
    assert!(why.contains("no longer valid") && !why.contains(&old), "{why}");
    // Without an error before it, the byte is no message.
    assert!(matches!(tell(&mut server, b"\x01"), BearerOutcome::Invalid(_)));
    let BearerOutcome::Proven(token) = tell(&mut server, &said(&good)) else {
        panic!("alice is known")
    };
    assert_eq!(token.principal, "alice");
    for (id, is_let_in) in [("alice", true), ("bob", false)] {
        let mut response = InitialResponse::new(good.clone());
        response.authorization_id = id.to_owned();
        let outcome = tell(&mut OAuthBearerServer::default(), &response.to_bytes());
        assert_eq!(matches!(outcome, BearerOutcome::Proven(_)), is_let_in, "{outcome:?}");
    }
    let other = tell(&mut OAuthBearerServer::default(), b"n,,\x01auth=Basic x\x01\x01");
    assert!(matches!(other, BearerOutcome::Fault(_)), "{other:?}");
}

const LOGIN: &str = "org.apache.kafka.common.security.oauthbearer.OAuthBearerLoginModule required";

fn unsecured(options: &str) -> Result<UnsecuredTokens, UnsecuredOptionError> {
    UnsecuredTokens::of(&parse_property(&format!("{LOGIN} {options};")).unwrap())
}

#[test]
fn unsecured_tokens_are_judged_as_kafka_judges_them() {
    let token =
        |header: &str, claims: &str| format!("{}.{}.", base64url(header), base64url(claims));
    let none = r#"{"alg":"none"}"#;
    let judge = |options: &str, token: &str| {
        let judged = unsecured(options).unwrap().validate(token, NOW * 1000);
        judged.map(|token| (token.principal, token.expires_at_ms - NOW * 1000))
    };
    let alice = |ms| Ok(("alice".to_owned(), ms));
    let exp = |seconds: &str| token(none, &format!(r#"{{"sub":"alice","exp":{seconds}}}"#));
    assert_eq!(judge("", &exp("1800000000.5")), alice(500));
    assert!(judge("", &exp("1800000000")).is_err());
    let skewed = "unsecuredValidatorAllowableClockSkewMs=\"1000\"";
    assert_eq!(judge(skewed, &exp("1799999999.5")), alice(-500));
    assert!(judge(skewed, &exp("1799999999")).is_err());
    assert!(judge("", &exp("\"1800000001\"")).is_err());
    for (claims, is_let_in) in [
        (r#"{"sub":"alice","exp":1800000009,"iat":1800000000}"#, true),
        (r#"{"sub":"alice","exp":1800000009,"iat":1800000001}"#, false),
        (r#"{"sub":"alice","exp":1800000009,"iat":1800000010}"#, false),
        (r#"{"sub":"alice","exp":1800000009,"nbf":1900000000}"#, true),
        (r#"{"sub":"","exp":1800000009}"#, false),
        (r#"{"sub":7,"exp":1800000009}"#, false),
        (r#"{"sub":["a"],"exp":1800000009}"#, false),
        (r#"{"exp":1800000009}"#, false),
        (r#"{"sub":"alice"}"#, false),
        (r#"{"sub":"alice","exp":1800000009,"scope":7}"#, false),
        ("[]", false),
        ("{", false),
        ("", false),
    ] {
        assert_eq!(judge("", &token(none, claims)).is_ok(), is_let_in, "{claims}");
    }
    let usual = r#"{"sub":"alice","exp":1800000009,"who":"bob","what":["a","b"],"scope":"a b"}"#;
    assert_eq!(
        judge("unsecuredValidatorPrincipalClaimName=who", &token(none, usual)).unwrap().0,
        "bob"
    );
    let required = "unsecuredValidatorRequiredScope=\"b a\"";
    let scope = Err(Rejection::Scope("[b, a]".to_owned()));
    assert_eq!(judge(required, &token(none, usual)), scope, "a text is one scope");
    let listed = format!("{required} unsecuredValidatorScopeClaimName=what");
    assert_eq!(judge(&listed, &token(none, usual)), alice(9000));
    let good = token(none, usual);
    for forged in
        [format!("{good}AAAA"), format!("{good}."), good.replacen('.', "..", 1), "x".to_owned()]
    {
        assert!(matches!(judge("", &forged), Err(Rejection::Invalid(_))), "{forged}");
    }
    let named = judge("", &token(r#"{"alg":"RS256"}"#, usual));
    assert!(matches!(named, Err(Rejection::Invalid(_))), "{named:?}");
    let nothing = judge("", &token("{}", usual));
    assert!(matches!(nothing, Err(Rejection::Fault(_))), "{nothing:?}");
    assert!(unsecured("unsecuredValidatorAllowableClockSkewMs=x").is_err());
    assert!(unsecured("unsecuredValidatorAllowableClockSkewMs=\"-1\"").is_err());
    assert!(unsecured("unsecuredValidatorRequiredScope=\"a\\\\b\"").is_err());
}

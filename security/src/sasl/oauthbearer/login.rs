//! Where a client has its token from: it says itself who it is, or a file has it.
//!
//! Answers to `OAuthBearerUnsecuredLoginCallbackHandler` and `OAuthBearerLoginCallbackHandler` with
//! `FileJwtRetriever`.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use super::super::jaas::Login;

/// Kafka's class for tokens that nobody signs.
const UNSECURED_CLASS: &str = "org.apache.kafka.common.security.oauthbearer.internals.unsecured.\
    OAuthBearerUnsecuredLoginCallbackHandler";
/// Its class for others, by its name as of now and by that of Kafka 3.1 to 3.3.
const CLASSES: [&str; 2] = [
    "org.apache.kafka.common.security.oauthbearer.OAuthBearerLoginCallbackHandler",
    "org.apache.kafka.common.security.oauthbearer.secured.OAuthBearerLoginCallbackHandler",
];
const UNSECURED: &str = "unsecuredLogin";
const LIFETIME_SECONDS: i64 = 3600;

/// What of a configuration says where a token comes from.
#[derive(Debug, Clone, Copy, Default)]
pub struct LoginKeys<'a> {
    /// `sasl.login.callback.handler.class`
    pub callback_handler: Option<&'a str>,
    /// `sasl.oauthbearer.token.endpoint.url`
    pub token_endpoint_url: Option<&'a str>,
}

/// Why there is no token.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoToken {
    #[error(
        "sasl.login.callback.handler.class={0} is a Java class, which no JVM is here to load: take \
         it out, or name {CLASS}",
        CLASS = CLASSES[0]
    )]
    OtherClass(String),
    #[error(
        "OAuthBearerLoginModule has no option unsecuredLoginStringClaim_{0} to say who this is"
    )]
    NoPrincipal(String),
    #[error("Cannot explicitly set the '{0}' claim")]
    ReservedClaim(String),
    #[error("{0} is no number")]
    NoNumber(String),
    #[error("Extension {0} is invalid")]
    BadExtension(String),
    #[error("sasl.oauthbearer.token.endpoint.url is not set: file:///path/of/the/token")]
    NoEndpoint,
    #[error(
        "sasl.oauthbearer.token.endpoint.url={0} is asked by nobody here: only file: URLs are \
         read; have the token written to a file"
    )]
    OtherEndpoint(String),
}

/// How a client comes by a token, and what it says beside it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BearerLogin {
    pub source: TokenSource,
    pub extensions: BTreeMap<String, String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TokenSource {
    Unsecured(UnsecuredLogin),
    /// The file at this path has it.
    File(String),
}

/// Claims that a client makes itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnsecuredLogin {
    claims: BTreeMap<String, Value>,
    lifetime_seconds: i64,
}

impl BearerLogin {
    pub fn of(login: &Login, keys: LoginKeys<'_>) -> Result<Self, NoToken> {
        match keys.callback_handler.map(str::trim) {
            None | Some(UNSECURED_CLASS) => {
                let source = TokenSource::Unsecured(UnsecuredLogin::of(login)?);
                Ok(Self { source, extensions: extensions(login, "unsecuredLoginExtension_")? })
            }
            Some(class) if CLASSES.contains(&class) => {
                let url = keys.token_endpoint_url.map(str::trim).ok_or(NoToken::NoEndpoint)?;
                let path = file_path(url).ok_or_else(|| NoToken::OtherEndpoint(url.to_owned()))?;
                let source = TokenSource::File(path);
                Ok(Self { source, extensions: extensions(login, "extension_")? })
            }
            Some(other) => Err(NoToken::OtherClass(other.to_owned())),
        }
    }
}

/// The path of a `file:` URL, as Java takes it: without any decoding.
pub fn file_path(url: &str) -> Option<String> {
    let scheme = url.get(..5).filter(|scheme| scheme.eq_ignore_ascii_case("file:"))?;
    let rest = &url[scheme.len()..];
    let path = match rest.strip_prefix("//") {
        Some(with_host) => &with_host[with_host.find('/')?..],
        None => rest,
    };
    path.starts_with('/').then(|| path.to_owned())
}

fn extensions(login: &Login, prefix: &str) -> Result<BTreeMap<String, String>, NoToken> {
    let own = login.options.iter().filter_map(|(name, value)| {
        let name = name.strip_prefix(prefix)?;
        Some((name.to_owned(), value.reveal().to_owned()))
    });
    let own: BTreeMap<String, String> = own.collect();
    let is_sound = |(name, value): (&String, &String)| {
        let is_of_value = |byte: u8| matches!(byte, 0x20..=0x7e | b'\t' | b'\r' | b'\n');
        name != "auth"
            && !name.is_empty()
            && name.bytes().all(|byte| byte.is_ascii_alphabetic())
            && !value.is_empty()
            && value.bytes().all(is_of_value)
    };
    match own.iter().find(|pair| !is_sound(*pair)) {
        Some((name, _)) => Err(NoToken::BadExtension(name.clone())),
        None => Ok(own),
    }
}

impl UnsecuredLogin {
    fn of(login: &Login) -> Result<Self, NoToken> {
        let option = |name: &str| login.option(&format!("{UNSECURED}{name}"));
        let mut claims = BTreeMap::new();
        for (name, value) in &login.options {
            let Some(kind) = name.strip_prefix(UNSECURED) else { continue };
            let Some((kind, claim)) = kind.split_once('_').filter(|(_, claim)| !claim.is_empty())
            else {
                continue;
            };
            let value = value.reveal();
            let value = match kind {
                "StringClaim" => json!(value),
                "NumberClaim" => match value.trim().parse::<f64>() {
                    Ok(number) if number.is_finite() => json!(number),
                    _ => return Err(NoToken::NoNumber(name.clone())),
                },
                "ListClaim" => json!(elements(value)),
                _ => continue,
            };
            if ["iat", "exp"].contains(&claim) {
                return Err(NoToken::ReservedClaim(claim.to_owned()));
            }
            claims.insert(claim.to_owned(), value);
        }
        let principal = option("PrincipalClaimName").map(|name| name.reveal().trim());
        let principal = principal.filter(|name| !name.is_empty()).unwrap_or("sub");
        let named = claims.get(principal).and_then(Value::as_str);
        if named.is_none_or(|name| name.trim().is_empty()) {
            return Err(NoToken::NoPrincipal(principal.to_owned()));
        }
        let lifetime_seconds = match option("LifetimeSeconds") {
            None => LIFETIME_SECONDS,
            Some(text) => {
                let whole = text.reveal().parse();
                whole.map_err(|_| NoToken::NoNumber(format!("{UNSECURED}LifetimeSeconds")))?
            }
        };
        Ok(Self { claims, lifetime_seconds })
    }

    /// A token that says who this is, and is signed by nobody.
    pub fn token(&self, now_ms: i64) -> String {
        let now = now_ms as f64 / 1000.0;
        let mut claims = self.claims.clone();
        claims.insert("iat".to_owned(), json!(now));
        claims.insert("exp".to_owned(), json!(now + self.lifetime_seconds as f64));
        let encode = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        format!("{}.{}.", encode(&json!({"alg": "none"})), encode(&json!(claims)))
    }
}

/// The first letter of a list is what stands between its elements.
fn elements(list: &str) -> Vec<&str> {
    let mut letters = list.chars();
    match letters.next() {
        Some(delimiter) if !letters.as_str().is_empty() => {
            letters.as_str().split(delimiter).collect()
        }
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::jaas::parse_property;
    use super::super::UnsecuredTokens;
    use super::*;

    const MODULE: &str = "org.apache.kafka.common.security.oauthbearer.OAuthBearerLoginModule";

    fn of(options: &str, keys: LoginKeys<'_>) -> Result<BearerLogin, NoToken> {
        let login = parse_property(&format!("{MODULE} required {options};")).unwrap();
        BearerLogin::of(&login, keys)
    }

    #[test]
    fn a_client_says_itself_who_it_is() {
        let options = "unsecuredLoginStringClaim_sub=\"ali\\\"ce\" \
                       unsecuredLoginNumberClaim_n=\"1.5\" \
                       unsecuredLoginListClaim_scope=\",a,b\" unsecuredLoginLifetimeSeconds=\"60\" \
                       unsecuredLoginExtension_trace=\"1\"";
        let login = of(options, LoginKeys::default()).unwrap();
        assert_eq!(login.extensions["trace"], "1");
        let TokenSource::Unsecured(own) = login.source else { panic!("nobody signs it") };
        let token = own.token(5_000);
        let validator =
            parse_property(&format!("{MODULE} required unsecuredValidatorRequiredScope=\"a b\";"));
        let validator = UnsecuredTokens::of(&validator.unwrap()).unwrap();
        let believed = validator.validate(&token, 5_000).unwrap();
        assert_eq!((&*believed.principal, believed.expires_at_ms), ("ali\"ce", 65_000));
        assert!(validator.validate(&token, 65_000).is_err());
    }

    #[test]
    fn what_is_no_login_is_refused() {
        let unsecured = |options: &str| of(options, LoginKeys::default()).unwrap_err().to_string();
        for (options, words) in [
            ("", "unsecuredLoginStringClaim_sub"),
            ("unsecuredLoginStringClaim_sub=\" \"", "unsecuredLoginStringClaim_sub"),
            ("unsecuredLoginNumberClaim_sub=\"7\"", "unsecuredLoginStringClaim_sub"),
            ("unsecuredLoginStringClaim_sub=a unsecuredLoginPrincipalClaimName=b", "Claim_b"),
            ("unsecuredLoginStringClaim_sub=a unsecuredLoginStringClaim_exp=b", "'exp' claim"),
            ("unsecuredLoginStringClaim_sub=a unsecuredLoginNumberClaim_x=b", "no number"),
            ("unsecuredLoginStringClaim_sub=a unsecuredLoginLifetimeSeconds=b", "no number"),
            ("unsecuredLoginStringClaim_sub=a unsecuredLoginExtension_auth=b", "Extension auth"),
        ] {
            let said = unsecured(options);
            assert!(said.contains(words), "{options}: {said}");
        }
        let other = LoginKeys { callback_handler: Some("a.B"), ..LoginKeys::default() };
        assert!(of("", other).unwrap_err().to_string().contains("a.B"));
    }

    #[test]
    fn a_file_has_it() {
        for class in CLASSES {
            let with = |token_endpoint_url| {
                of("", LoginKeys { callback_handler: Some(class), token_endpoint_url })
            };
            let found = with(Some(" file:///a/b%20c ")).unwrap();
            assert_eq!(found.source, TokenSource::File("/a/b%20c".to_owned()));
            assert_eq!(with(None), Err(NoToken::NoEndpoint));
            let https = with(Some("https://issuer/token")).unwrap_err();
            assert!(https.to_string().contains("https://issuer/token"), "{https}");
        }
        let paths = ["file:/a", "FILE:///a", "file://localhost/a"].map(file_path);
        assert!(paths.iter().all(|path| path.as_deref() == Some("/a")), "{paths:?}");
        assert_eq!(["file:a", "file://a", "http:/a", "é", ""].map(file_path), [const { None }; 5]);
    }
}

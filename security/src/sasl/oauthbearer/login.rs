//! Where a client has its token from: it says itself who it is, a file has it, or an endpoint gives
//! it to whoever knows a secret (KIP-768, KIP-1139).
//!
//! ```text
//! sasl.login.callback.handler.class   not set                        unsecured_login
//!                                     OAuthBearerLoginCallbackHandler
//! sasl.oauthbearer.jwt.retriever.class   FileJwtRetriever               the file of the URL
//!                                        ClientCredentialsJwtRetriever  client_credentials
//!                                        DefaultJwtRetriever            by the URL's scheme
//! ```
//!
//! Answers to `OAuthBearerLoginCallbackHandler` and `DefaultJwtRetriever`.

use std::collections::BTreeMap;

use super::super::jaas::Login;
use super::access_token::ClaimNames;
use super::client_credentials::{ClientCredentials, TokenEndpoint};
use super::login_keys::LoginKeys;
use super::refresh::RefreshSettings;
use super::unsecured_login::UnsecuredLogin;

/// Kafka's class for tokens that nobody signs.
const UNSECURED_CLASS: &str = "org.apache.kafka.common.security.oauthbearer.internals.unsecured.\
    OAuthBearerUnsecuredLoginCallbackHandler";
/// Its class for others, by its name as of now and by that of Kafka 3.1 to 3.3.
const CLASSES: [&str; 2] = [
    "org.apache.kafka.common.security.oauthbearer.OAuthBearerLoginCallbackHandler",
    "org.apache.kafka.common.security.oauthbearer.secured.OAuthBearerLoginCallbackHandler",
];
const HANDLER: &str = "sasl.login.callback.handler.class";
const RETRIEVER: &str = "sasl.oauthbearer.jwt.retriever.class";
const ENDPOINT: &str = "sasl.oauthbearer.token.endpoint.url";
const PACKAGE: &str = "org.apache.kafka.common.security.oauthbearer.";
/// Keys by which Kafka proves who it is with an assertion in place of a secret.
const ASSERTIONS: [&str; 2] =
    ["sasl.oauthbearer.assertion.claim.iss", "sasl.oauthbearer.assertion.file"];

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
        "{RETRIEVER}={0} is not spoken here: take it out, or name \
         {PACKAGE}ClientCredentialsJwtRetriever"
    )]
    OtherRetriever(String),
    #[error(
        "{0} is set, and nobody is asked with an assertion here: take it out, and set \
         sasl.oauthbearer.client.credentials.client.id and client.secret"
    )]
    Assertion(&'static str),
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
    #[error("{ENDPOINT} is not set: https://issuer/token, or file:///path/of/the/token")]
    NoEndpoint,
    #[error(
        "The OAuth configuration option {ENDPOINT} contains a URL ({0}) that is malformed or has \
         another protocol; only \"http\", \"https\", and \"file\" protocol are supported"
    )]
    OtherEndpoint(String),
    #[error("The OAuth configuration option {0} value is required")]
    Blank(&'static str),
    #[error("{key} is not set, nor the option {option} of the login module")]
    Missing { key: &'static str, option: &'static str },
    #[error("Invalid value {value} for configuration {name}: {why}")]
    BadValue { name: &'static str, value: String, why: String },
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
    File(String, ClaimNames),
    Endpoint(Box<EndpointLogin>),
}

/// A token that is asked for, and again before it expires.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EndpointLogin {
    pub endpoint: TokenEndpoint,
    pub client: ClientCredentials,
    pub claims: ClaimNames,
    pub refresh: RefreshSettings,
}

impl BearerLogin {
    pub fn of(login: &Login, keys: LoginKeys<'_>) -> Result<Self, NoToken> {
        match keys.text(HANDLER).as_deref() {
            None | Some(UNSECURED_CLASS) => {
                let source = TokenSource::Unsecured(UnsecuredLogin::of(login)?);
                Ok(Self { source, extensions: extensions(login, "unsecuredLoginExtension_")? })
            }
            Some(class) if CLASSES.contains(&class) => Ok(Self {
                source: TokenSource::of(login, keys)?,
                extensions: extensions(login, "extension_")?,
            }),
            Some(other) => Err(NoToken::OtherClass(other.to_owned())),
        }
    }
}

impl TokenSource {
    fn of(login: &Login, keys: LoginKeys<'_>) -> Result<Self, NoToken> {
        let url = keys.text(ENDPOINT).ok_or(NoToken::NoEndpoint)?;
        let (path, retriever) = (file_path(&url), keys.text(RETRIEVER));
        let retriever = retriever.as_deref().map(|class| {
            class.strip_prefix(PACKAGE).ok_or_else(|| NoToken::OtherRetriever(class.to_owned()))
        });
        match (retriever.transpose()?, path) {
            (None | Some("DefaultJwtRetriever" | "FileJwtRetriever"), Some(path)) => {
                Ok(Self::File(path, ClaimNames::of(keys)?))
            }
            (None | Some("DefaultJwtRetriever" | "ClientCredentialsJwtRetriever"), None) => {
                if let Some(key) = ASSERTIONS.into_iter().find(|key| keys.text(key).is_some()) {
                    return Err(NoToken::Assertion(key));
                }
                Ok(Self::Endpoint(Box::new(EndpointLogin {
                    endpoint: TokenEndpoint::of(url, login, keys)?,
                    client: ClientCredentials::of(login, keys)?,
                    claims: ClaimNames::of(keys)?,
                    refresh: RefreshSettings::of(keys)?,
                })))
            }
            (Some("ClientCredentialsJwtRetriever" | "FileJwtRetriever"), _) => {
                Err(NoToken::OtherEndpoint(url))
            }
            (Some(other), _) => Err(NoToken::OtherRetriever(format!("{PACKAGE}{other}"))),
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

#[cfg(test)]
mod tests {
    use super::super::super::jaas::parse_property;
    use super::super::UnsecuredTokens;
    use super::*;

    const MODULE: &str = "org.apache.kafka.common.security.oauthbearer.OAuthBearerLoginModule";

    fn of(options: &str, keys: &[(&str, &str)]) -> Result<BearerLogin, NoToken> {
        let login = parse_property(&format!("{MODULE} required {options};")).unwrap();
        let find = |name: &str| {
            keys.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned())
        };
        BearerLogin::of(&login, LoginKeys::new(&find))
    }

    #[test]
    fn a_client_says_itself_who_it_is() {
        let options = "unsecuredLoginStringClaim_sub=\"ali\\\"ce\" \
                       unsecuredLoginNumberClaim_n=\"1.5\" \
                       unsecuredLoginListClaim_scope=\",a,b\" unsecuredLoginLifetimeSeconds=\"60\" \
                       unsecuredLoginExtension_trace=\"1\"";
        let login = of(options, &[]).unwrap();
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
            let said = of(options, &[]).unwrap_err().to_string();
            assert!(said.contains(words), "{options}: {said}");
        }
        assert!(of("", &[(HANDLER, "a.B")]).unwrap_err().to_string().contains("a.B"));
    }

    #[test]
    fn a_file_has_it() {
        for class in CLASSES {
            let found = of("", &[(HANDLER, class), (ENDPOINT, " file:///a/b%20c ")]).unwrap();
            let TokenSource::File(path, _) = found.source else { panic!("{found:?}") };
            assert_eq!(path, "/a/b%20c");
            assert_eq!(of("", &[(HANDLER, class)]), Err(NoToken::NoEndpoint));
        }
        let paths = ["file:/a", "FILE:///a", "file://localhost/a"].map(file_path);
        assert!(paths.iter().all(|path| path.as_deref() == Some("/a")), "{paths:?}");
        assert_eq!(["file:a", "file://a", "http:/a", "é", ""].map(file_path), [const { None }; 5]);
    }

    const ID: (&str, &str) = ("sasl.oauthbearer.client.credentials.client.id", "jdoe");
    const SECRET: (&str, &str) = ("sasl.oauthbearer.client.credentials.client.secret", "s3cret");

    #[test]
    fn an_endpoint_gives_it_to_who_knows_a_secret() {
        let https = (ENDPOINT, "https://issuer/token");
        let handler = (HANDLER, CLASSES[0]);
        let options = "clientId=jdoe clientSecret=s3cret scope=a extension_trace=\"1\"";
        for (options, keys) in [
            (options, vec![handler, https]),
            ("", vec![handler, https, ID, SECRET]),
            (
                "clientId=other clientSecret=other",
                vec![
                    handler,
                    https,
                    ID,
                    SECRET,
                    (RETRIEVER, "org.apache.kafka.common.security.oauthbearer.DefaultJwtRetriever"),
                ],
            ),
        ] {
            let login = of(options, &keys).unwrap();
            assert!(!format!("{login:?}").contains("s3cret"), "{login:?}");
            let TokenSource::Endpoint(asked) = login.source else { panic!("{keys:?}") };
            assert_eq!((&*asked.client.id, asked.client.secret.reveal()), ("jdoe", "s3cret"));
        }
        assert_eq!(of(options, &[handler, https]).unwrap().extensions["trace"], "1");
    }

    #[test]
    fn what_nobody_can_be_asked_with_is_refused() {
        let handler = (HANDLER, CLASSES[0]);
        let https = (ENDPOINT, "https://issuer/token");
        let file = (ENDPOINT, "file:///token");
        let class = |name: &str| format!("{PACKAGE}{name}");
        let (by_jwt, by_secret, by_file) = (
            class("JwtBearerJwtRetriever"),
            class("ClientCredentialsJwtRetriever"),
            class("FileJwtRetriever"),
        );
        for (keys, words) in [
            (vec![https], "client.credentials.client.id is not set, nor the option clientId"),
            (vec![https, ID], "client.secret is not set, nor the option clientSecret"),
            (vec![https, ID, (SECRET.0, " ")], "client.secret value is required"),
            (vec![https, ID, SECRET, (ASSERTIONS[1], "/a")], "nobody is asked with an assertion"),
            (vec![https, ID, SECRET, (RETRIEVER, &by_jwt)], "is not spoken here"),
            (vec![https, ID, SECRET, (RETRIEVER, "a.B")], "a.B is not spoken here"),
            (vec![file, ID, SECRET, (RETRIEVER, &by_secret)], "URL (file:///token)"),
            (vec![https, (RETRIEVER, &by_file)], "URL (https://issuer/token)"),
            (vec![(ENDPOINT, "ftp://issuer"), ID, SECRET], "only \"http\", \"https\""),
            (vec![https, ID, SECRET, ("sasl.login.retry.backoff.ms", "-1")], "at least 0"),
            (
                vec![https, ID, SECRET, ("sasl.login.retry.backoff.ms", "10001")],
                "retryBackoffMaxMs value (10000) is less than retryBackoffMs value (10001)",
            ),
            (
                vec![https, ID, SECRET, ("sasl.login.refresh.window.factor", "0.4")],
                "Value must be at least 0.5",
            ),
        ] {
            let keys = [&[handler][..], &keys].concat();
            let said = of("", &keys).unwrap_err().to_string();
            assert!(said.contains(words), "{words} in {said}");
        }
    }
}

//! How a token is asked for with a client's id and secret (RFC 6749, sections 2.3.1 and 4.4), and
//! what is asked again.
//!
//! ```text
//! POST /token
//! Authorization: Basic base64(id:secret)
//!
//! grant_type=client_credentials[&scope=SCOPE]
//! ```
//!
//! Where both are given a key counts, and not the option of the login module. Answers to
//! `ClientCredentialsJwtRetriever`, `ClientSecretRequestFormatter`, `ConfigOrJaas` and `Retry`.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::super::jaas::Login;
use super::NoToken;
use super::login_keys::LoginKeys;
use crate::Secret;

const CONNECT_TIMEOUT: &str = "sasl.login.connect.timeout.ms";
const READ_TIMEOUT: &str = "sasl.login.read.timeout.ms";
const BACKOFF: &str = "sasl.login.retry.backoff.ms";
const BACKOFF_MAX: &str = "sasl.login.retry.backoff.max.ms";
const ID: &str = "sasl.oauthbearer.client.credentials.client.id";
const SECRET: &str = "sasl.oauthbearer.client.credentials.client.secret";
const SCOPE: &str = "sasl.oauthbearer.scope";
const URL_ENCODE: &str = "sasl.oauthbearer.header.urlencode";

/// Who gives tokens, and how long he is waited for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenEndpoint {
    /// `http:` or `https:`
    pub url: String,
    /// The options `ssl.*` of the login module: whom an https: URL is believed to be.
    pub ssl: Vec<(String, Secret)>,
    pub connect_timeout_ms: Option<u64>,
    pub read_timeout_ms: Option<u64>,
    pub retry: Retry,
}

/// When a question that failed is asked again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retry {
    backoff_ms: u64,
    backoff_max_ms: u64,
}

/// Who asks, and for what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientCredentials {
    pub id: String,
    pub secret: Secret,
    pub scope: Option<String>,
    /// As RFC 6749 says, and many providers do not expect.
    pub is_url_encoded: bool,
}

/// The question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenRequest {
    pub authorization: Secret,
    pub body: String,
}

impl TokenRequest {
    /// The headers, without those of the connection.
    pub fn headers(&self) -> [(&'static str, &str); 4] {
        [
            ("Accept", "application/json"),
            ("Authorization", self.authorization.reveal()),
            ("Cache-Control", "no-cache"),
            ("Content-Type", "application/x-www-form-urlencoded"),
        ]
    }
}

impl TokenEndpoint {
    pub(super) fn of(url: String, login: &Login, keys: LoginKeys<'_>) -> Result<Self, NoToken> {
        let is_of = |scheme: &str| {
            let begin = url.get(..scheme.len());
            begin.is_some_and(|begin| begin.eq_ignore_ascii_case(scheme))
        };
        if !is_of("https://") && !is_of("http://") {
            return Err(NoToken::OtherEndpoint(url));
        }
        let ssl = login.options.iter().filter(|(name, _)| name.starts_with("ssl.")).cloned();
        let timeout = |name| {
            let ms = keys.number(name, &(0..=i32::MAX))?;
            // As in Java, none is no bound.
            Ok(ms.and_then(|ms| u64::try_from(ms).ok()).filter(|ms| *ms > 0))
        };
        Ok(Self {
            ssl: ssl.collect(),
            connect_timeout_ms: timeout(CONNECT_TIMEOUT)?,
            read_timeout_ms: timeout(READ_TIMEOUT)?,
            retry: Retry::of(keys)?,
            url,
        })
    }
}

impl Retry {
    fn of(keys: LoginKeys<'_>) -> Result<Self, NoToken> {
        let ms = |name, default| {
            let given = keys.number(name, &(0..=i64::MAX))?;
            Ok(given.and_then(|ms| u64::try_from(ms).ok()).unwrap_or(default))
        };
        let (backoff_ms, backoff_max_ms) = (ms(BACKOFF, 100)?, ms(BACKOFF_MAX, 10_000)?);
        if backoff_max_ms < backoff_ms {
            return Err(NoToken::BadValue {
                name: BACKOFF_MAX,
                value: backoff_max_ms.to_string(),
                why: format!(
                    "retryBackoffMaxMs value ({backoff_max_ms}) is less than retryBackoffMs value \
                     ({backoff_ms})"
                ),
            });
        }
        Ok(Self { backoff_ms, backoff_max_ms })
    }

    /// For how long the next attempt waits after this one, the first of which is 1, has failed so
    /// long after the first began; nothing where there is no next one.
    pub fn wait_ms(&self, attempt: u32, elapsed_ms: u64) -> Option<u64> {
        let factor = 1_u64.checked_shl(attempt.saturating_sub(1)).unwrap_or(u64::MAX);
        let left_ms = self.backoff_max_ms.checked_sub(elapsed_ms)?;
        Some(self.backoff_ms.saturating_mul(factor).min(left_ms)).filter(|ms| *ms > 0)
    }
}

impl ClientCredentials {
    pub(super) fn of(login: &Login, keys: LoginKeys<'_>) -> Result<Self, NoToken> {
        let value = |key: &'static str, option: &'static str| {
            let by_option = || login.option(option).map(|value| value.reveal().trim().to_owned());
            match keys.given(key) {
                Some(text) => (Some(text), key),
                None => (by_option(), option),
            }
        };
        let needed = |key: &'static str, option: &'static str| match value(key, option) {
            (Some(text), _) if !text.is_empty() => Ok(text),
            (Some(_), named) => Err(NoToken::Blank(named)),
            (None, _) => Err(NoToken::Missing { key, option }),
        };
        Ok(Self {
            id: needed(ID, "clientId")?,
            secret: Secret::new(needed(SECRET, "clientSecret")?),
            scope: value(SCOPE, "scope").0.filter(|scope| !scope.is_empty()),
            is_url_encoded: keys.is_true(URL_ENCODE)?,
        })
    }

    pub fn request(&self) -> TokenRequest {
        let written = |text: &str| match self.is_url_encoded {
            true => url_encoded(text),
            false => text.to_owned(),
        };
        let basic = format!("{}:{}", written(&self.id), written(self.secret.reveal()));
        let scope = self.scope.as_deref().map(|scope| format!("&scope={}", written(scope)));
        TokenRequest {
            authorization: Secret::new(format!("Basic {}", STANDARD.encode(basic))),
            body: format!("grant_type=client_credentials{}", scope.unwrap_or_default()),
        }
    }

    /// A text of somebody else, who may say again what he was told, without it.
    pub(super) fn hidden_in(&self, text: &str) -> String {
        let request = self.request();
        let basic = request.authorization.reveal().trim_start_matches("Basic ").to_owned();
        let secret = self.secret.reveal();
        [basic.as_str(), secret, &url_encoded(secret)]
            .iter()
            .fold(text.to_owned(), |text, secret| text.replace(secret, "[hidden]"))
    }
}

/// `java.net.URLEncoder`, which is that of HTML's forms.
fn url_encoded(text: &str) -> String {
    let mut encoded = String::new();
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'.' | b'-' | b'*' | b'_' => {
                encoded.push(char::from(byte));
            }
            b' ' => encoded.push('+'),
            byte => encoded.push_str(&format!("%{byte:02X}")),
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client(id: &str, secret: &str, scope: Option<&str>, is_url_encoded: bool) -> TokenRequest {
        let (id, secret) = (id.to_owned(), Secret::new(secret));
        let scope = scope.map(str::to_owned);
        ClientCredentials { id, secret, scope, is_url_encoded }.request()
    }

    #[test]
    fn a_token_is_asked_for_in_kafkas_bytes() {
        // The first four are of Kafka's HttpJwtRetrieverTest and RFC 7617.
        for (id, secret, is_encoded, basic) in [
            ("id", "secret", false, "aWQ6c2VjcmV0"),
            ("id", "9!~|hKzWpTtHh", false, "aWQ6OSF+fGhLeldwVHRIaA=="),
            ("a b", "c+d/ä", true, "YStiOmMlMkJkJTJGJUMzJUE0"),
            ("a b", "c+d/ä", false, "YSBiOmMrZC/DpA=="),
        ] {
            let request = client(id, secret, None, is_encoded);
            assert_eq!(request.authorization.reveal(), format!("Basic {basic}"), "{id}");
            assert_eq!(request.body, "grant_type=client_credentials");
            assert!(!format!("{request:?}").contains(basic), "{request:?}");
        }
        for (is_encoded, body) in [(true, "scope=a+b%2Fc*%7E"), (false, "scope=a b/c*~")] {
            let request = client("id", "s", Some("a b/c*~"), is_encoded);
            assert_eq!(request.body, format!("grant_type=client_credentials&{body}"));
        }
    }

    #[test]
    fn what_failed_is_asked_again_twice_as_late_within_a_time() {
        let retry = Retry { backoff_ms: 100, backoff_max_ms: 1000 };
        let waits = [(1, 0), (2, 110), (3, 320), (4, 730), (5, 1000), (6, 1001)];
        let waits = waits.map(|(attempt, elapsed)| retry.wait_ms(attempt, elapsed));
        assert_eq!(waits, [Some(100), Some(200), Some(400), Some(270), None, None]);
        assert_eq!(retry.wait_ms(200, 0), Some(1000));
        assert_eq!(Retry { backoff_ms: 0, backoff_max_ms: 1000 }.wait_ms(1, 0), None);
    }

    #[test]
    fn who_says_a_secret_again_is_not_repeated() {
        let (id, secret) = ("id".to_owned(), Secret::new("s/cret"));
        let client = ClientCredentials { id, secret, scope: None, is_url_encoded: false };
        let said = "you said id:s/cret, s%2Fcret and aWQ6cy9jcmV0";
        let hidden = "you said id:[hidden], [hidden] and [hidden]";
        assert_eq!(client.hidden_in(said), hidden);
    }
}

//! OAUTHBEARER of a node: who decides about the tokens that its listeners are shown, and where the
//! token comes from that it shows others (KIP-255, KIP-768).
//!
//! ```text
//! listener.name.<listener>.oauthbearer.sasl.server.callback.handler.class    who decides
//! listener.name.<listener>.oauthbearer.<key>, listener.name.<listener>.<key>, <key>
//! ```
//!
//! Unlike Kafka: without a class nobody decides, and the node does not start; Kafka would believe
//! tokens that nobody signed (docs/decisions/0524). Answers to
//! `OAuthBearerValidatorCallbackHandler` and `ConfigurationUtils`.

use security::Secret;
use security::sasl::Mechanism;
use security::sasl::jaas::Login;
use security::sasl::oauthbearer::{
    BearerLogin, LoginKeys, SignedTokens, TokenValidator, UnsecuredTokens, file_path,
};

use super::BrokerConfig;
use super::sasl::of_mechanism;
use crate::keys::Table;
use crate::{ConfigError, Value};

const HANDLER: &str = "sasl.server.callback.handler.class";
const LOGIN_HANDLER: &str = "sasl.login.callback.handler.class";
const VALIDATOR: &str = "sasl.oauthbearer.jwt.validator.class";
const JWKS: &str = "sasl.oauthbearer.jwks.endpoint.url";
const AUDIENCE: &str = "sasl.oauthbearer.expected.audience";
const ISSUER: &str = "sasl.oauthbearer.expected.issuer";
const CLOCK_SKEW: &str = "sasl.oauthbearer.clock.skew.seconds";
const SCOPE_CLAIM: &str = "sasl.oauthbearer.scope.claim.name";
const SUB_CLAIM: &str = "sasl.oauthbearer.sub.claim.name";
const REFRESH: &str = "sasl.oauthbearer.jwks.endpoint.refresh.ms";
const RETRY: &str = "sasl.oauthbearer.jwks.endpoint.retry.backoff.ms";
const RETRY_MAX: &str = "sasl.oauthbearer.jwks.endpoint.retry.backoff.max.ms";

/// Kafka's class that looks at signatures, as of now and of Kafka 3.1 to 3.3.
const SIGNED_CLASSES: [&str; 2] = [
    "org.apache.kafka.common.security.oauthbearer.OAuthBearerValidatorCallbackHandler",
    "org.apache.kafka.common.security.oauthbearer.secured.OAuthBearerValidatorCallbackHandler",
];
/// The one that does not.
const UNSECURED_CLASS: &str = "org.apache.kafka.common.security.oauthbearer.internals.unsecured.\
    OAuthBearerUnsecuredValidatorCallbackHandler";
/// Kafka's own classes, which are ours.
const VALIDATORS: [&str; 2] = [
    "org.apache.kafka.common.security.oauthbearer.DefaultJwtValidator",
    "org.apache.kafka.common.security.oauthbearer.BrokerJwtValidator",
];

/// Where a set of keys is, and when it is read again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JwksEndpoint {
    pub url: String,
    /// The options `ssl.*` of the login module: whom an https: URL is believed to be.
    pub ssl: Vec<(String, Secret)>,
    pub refresh_ms: i64,
    pub retry_backoff_ms: i64,
    pub retry_backoff_max_ms: i64,
}

/// The keys of a listener, by whichever of their names was used.
struct Keys<'a> {
    config: &'a BrokerConfig,
    listener: &'a str,
}

impl Keys<'_> {
    fn value(&self, name: &'static str) -> Result<Option<Value>, ConfigError> {
        let own = of_mechanism(self.config, self.listener, Mechanism::OAuthBearer, name);
        match (own, Table::Broker.key(name)) {
            (Some(text), Some(key)) => key.parse(text).map(Some),
            _ => Ok(self.config.of_listener(self.listener, name)),
        }
    }

    /// A text that is not blank.
    fn text(&self, name: &'static str) -> Result<Option<String>, ConfigError> {
        let text = self.value(name)?.and_then(|value| value.text());
        Ok(text.map(|text| text.trim().to_owned()).filter(|text| !text.is_empty()))
    }

    fn number(&self, name: &'static str) -> Result<i64, ConfigError> {
        match self.value(name)? {
            Some(Value::Int(number)) => Ok(number.into()),
            Some(Value::Long(number)) => Ok(number),
            _ => Err(self.wrong(name, "is no number")),
        }
    }

    fn wrong(&self, name: &'static str, problem: &str) -> ConfigError {
        let message =
            format!("Listener {} cannot speak OAUTHBEARER: {name} {problem}", self.listener);
        ConfigError::conflict(&[name], message)
    }

    fn signed(&self) -> Result<SignedTokens, ConfigError> {
        let class = self.text(VALIDATOR)?;
        if let Some(class) = class.filter(|class| !VALIDATORS.contains(&class.as_str())) {
            let problem = format!(
                "names {class}, a Java class, which no JVM is here to load: take it out, or name \
                 {}",
                VALIDATORS[1]
            );
            return Err(self.wrong(VALIDATOR, &problem));
        }
        let url = self.text(JWKS)?.ok_or_else(|| {
            self.wrong(JWKS, "is not set: where are the keys that tokens are signed with?")
        })?;
        let is_https = url.get(..8).is_some_and(|scheme| scheme.eq_ignore_ascii_case("https://"));
        if !is_https && file_path(&url).is_none() {
            let problem = format!(
                "is {url}: keys are believed of https: and file: URLs (file:///path) alone, since \
                 whoever can change them on their way can come in as anybody"
            );
            return Err(self.wrong(JWKS, &problem));
        }
        let named = |name| self.text(name)?.ok_or_else(|| self.wrong(name, "is empty"));
        let expected_audience = match self.value(AUDIENCE)? {
            Some(Value::List(audience)) => audience,
            _ => Vec::new(),
        };
        Ok(SignedTokens {
            jwks_endpoint_url: url,
            expected_audience,
            expected_issuer: self.text(ISSUER)?,
            clock_skew_seconds: self.number(CLOCK_SKEW)?,
            scope_claim_name: named(SCOPE_CLAIM)?,
            sub_claim_name: named(SUB_CLAIM)?,
        })
    }
}

/// Who decides about the tokens that a listener is shown.
pub(super) fn token_validator(
    config: &BrokerConfig,
    listener: &str,
    login: &Login,
) -> Result<TokenValidator, ConfigError> {
    let keys = Keys { config, listener };
    let key = format!("listener.name.{}.oauthbearer.{HANDLER}", listener.to_lowercase());
    let class = of_mechanism(config, listener, Mechanism::OAuthBearer, HANDLER).map(str::trim);
    match class {
        Some(class) if SIGNED_CLASSES.contains(&class) => keys.signed().map(TokenValidator::Signed),
        Some(UNSECURED_CLASS) => {
            let unsecured = UnsecuredTokens::of(login);
            let problem = |error| keys.wrong(HANDLER, &format!("is {UNSECURED_CLASS}: {error}"));
            unsecured.map(TokenValidator::Unsecured).map_err(problem)
        }
        class => {
            let problem = format!(
                "{}: set {key} to {} and {JWKS} beside it (or, where anybody may say that he is \
                 anybody, to {UNSECURED_CLASS})",
                class.map_or_else(
                    || "is not set below the listener".to_owned(),
                    |class| format!("is {class}, a Java class, which no JVM is here to load"),
                ),
                SIGNED_CLASSES[0]
            );
            Err(keys.wrong(HANDLER, &problem))
        }
    }
}

/// Where the keys of a listener's validator are.
pub(super) fn jwks_endpoint(
    config: &BrokerConfig,
    listener: &str,
    login: &Login,
    validator: &TokenValidator,
) -> Result<Option<JwksEndpoint>, ConfigError> {
    let TokenValidator::Signed(signed) = validator else { return Ok(None) };
    let ssl = login.options.iter().filter(|(name, _)| name.starts_with("ssl."));
    let keys = Keys { config, listener };
    let refresh_ms = keys.number(REFRESH)?;
    if refresh_ms <= 0 {
        return Err(keys.wrong(REFRESH, "is not more than 0"));
    }
    Ok(Some(JwksEndpoint {
        url: signed.jwks_endpoint_url.clone(),
        ssl: ssl.cloned().collect(),
        refresh_ms,
        retry_backoff_ms: keys.number(RETRY)?.max(1),
        retry_backoff_max_ms: keys.number(RETRY_MAX)?.max(1),
    }))
}

/// With what this node comes to others.
pub(super) fn bearer_login(
    config: &BrokerConfig,
    listener: &str,
    login: &Login,
) -> Result<BearerLogin, ConfigError> {
    let find = |name: &str| {
        let own = of_mechanism(config, listener, Mechanism::OAuthBearer, name);
        let own = own.map(str::to_owned);
        own.or_else(|| config.of_listener(listener, name).and_then(|value| value.text()))
    };
    BearerLogin::of(login, LoginKeys::new(&find)).map_err(|error| {
        let message = format!("This node cannot log in at listener {listener}: {error}");
        ConfigError::conflict(&[LOGIN_HANDLER], message)
    })
}

#[cfg(test)]
mod tests {
    use security::sasl::client::ClientLogin;
    use security::sasl::oauthbearer::TokenSource;

    use super::*;
    use crate::Properties;

    const MODULE: &str =
        "org.apache.kafka.common.security.oauthbearer.OAuthBearerLoginModule required";

    fn config(more: &str) -> BrokerConfig {
        let text = format!(
            "node.id=1\nprocess.roles=broker,controller\ncontroller.listener.names=CONTROLLER\n\
             controller.quorum.voters=1@localhost:9093\n\
             listeners=CLIENTS://:9092,CONTROLLER://:9093\ninter.broker.listener.name=CLIENTS\n\
             listener.security.protocol.map=CLIENTS:SASL_PLAINTEXT,CONTROLLER:PLAINTEXT\n\
             sasl.enabled.mechanisms=OAUTHBEARER\n\
             sasl.mechanism.inter.broker.protocol=OAUTHBEARER\n\
             listener.name.clients.oauthbearer.sasl.jaas.config={MODULE} \
             unsecuredLoginStringClaim_sub=\"admin\";\n{more}\n"
        );
        let properties = Properties::parse(text.as_bytes()).unwrap();
        BrokerConfig::from_properties(&properties).unwrap().0
    }

    fn said(more: &str) -> String {
        let said = config(more).check_start().unwrap_err().to_string();
        assert_eq!(said.lines().count(), 1, "{said}");
        said
    }

    fn handler(class: &str) -> String {
        format!("listener.name.clients.oauthbearer.sasl.server.callback.handler.class={class}")
    }

    #[test]
    fn tokens_are_judged_by_the_keys_of_the_mechanism_the_listener_or_all() {
        for class in SIGNED_CLASSES {
            let config = config(&format!(
                "{}\nlistener.name.clients.oauthbearer.sasl.oauthbearer.jwks.endpoint.url=\
                 https://issuer/keys\n\
                 listener.name.clients.sasl.oauthbearer.expected.audience=a,b\n\
                 sasl.oauthbearer.expected.issuer=https://issuer\n\
                 sasl.oauthbearer.jwks.endpoint.refresh.ms=5000",
                handler(class)
            ));
            config.check_start().unwrap();
            let listener = config.sasl.listener("CLIENTS").unwrap();
            let Some(TokenValidator::Signed(signed)) = listener.settings.token_validator() else {
                panic!("signatures are looked at")
            };
            assert_eq!(signed.jwks_endpoint_url, "https://issuer/keys");
            assert_eq!(signed.expected_audience, ["a", "b"]);
            assert_eq!(signed.expected_issuer.as_deref(), Some("https://issuer"));
            assert_eq!((signed.clock_skew_seconds, &*signed.sub_claim_name), (30, "sub"));
            let endpoints: Vec<_> = config.sasl.jwks_endpoints().collect();
            assert_eq!((endpoints.len(), endpoints[0].refresh_ms), (1, 5000));
            assert_eq!(endpoints[0].retry_backoff_max_ms, 10_000);
        }
    }

    #[test]
    fn nothing_is_believed_that_nobody_signed_unless_the_file_says_so() {
        let none = said("sasl.oauthbearer.jwks.endpoint.url=https://issuer/keys");
        assert!(none.contains("listener.name.clients.oauthbearer.sasl.server.callback"), "{none}");
        assert!(none.contains(SIGNED_CLASSES[0]) && none.contains(UNSECURED_CLASS), "{none}");
        assert!(said(&handler("a.B")).contains("is a.B"));
        assert!(said(&handler(SIGNED_CLASSES[0])).contains("jwks.endpoint.url is not set"));
        let with = |line: &str| said(&format!("{}\n{line}", handler(SIGNED_CLASSES[0])));
        let http = with("sasl.oauthbearer.jwks.endpoint.url=http://issuer/keys");
        assert!(http.contains("http://issuer/keys") && http.contains("file:///path"), "{http}");
        let class = with("sasl.oauthbearer.jwt.validator.class=a.B");
        assert!(class.contains("names a.B"), "{class}");
        let unsecured = config(&handler(UNSECURED_CLASS));
        unsecured.check_start().unwrap();
        let listener = unsecured.sasl.listener("CLIENTS").unwrap();
        let validator = listener.settings.token_validator();
        assert!(matches!(validator, Some(TokenValidator::Unsecured(_))), "{validator:?}");
        assert_eq!(unsecured.sasl.jwks_endpoints().count(), 0);
    }

    #[test]
    fn a_node_shows_others_what_it_says_of_itself_or_what_a_file_has() {
        let own = config(&handler(UNSECURED_CLASS));
        let login = own.sasl.inter_broker.as_deref();
        assert!(matches!(login, Some(ClientLogin::OAuthBearer(_))), "{login:?}");
        let class = "org.apache.kafka.common.security.oauthbearer.OAuthBearerLoginCallbackHandler";
        let file = format!(
            "{}\nlistener.name.clients.oauthbearer.sasl.login.callback.handler.class={class}\n",
            handler(UNSECURED_CLASS)
        );
        assert!(said(&file).contains("token.endpoint.url is not set"));
        let with = config(&format!("{file}sasl.oauthbearer.token.endpoint.url=file:///token"));
        with.check_start().unwrap();
    }

    #[test]
    fn a_node_asks_an_endpoint_as_its_own_listener_says() {
        let own = "listener.name.clients.oauthbearer.sasl.";
        let class = "org.apache.kafka.common.security.oauthbearer.OAuthBearerLoginCallbackHandler";
        let asked = format!(
            "{}\n{own}login.callback.handler.class={class}\n\
             {own}oauthbearer.token.endpoint.url=https://issuer/token\n\
             {own}oauthbearer.client.credentials.client.id=node\n\
             {own}oauthbearer.client.credentials.client.secret=s3cret\n\
             sasl.login.refresh.window.factor=0.6\n",
            handler(UNSECURED_CLASS)
        );
        let config = config(&asked);
        config.check_start().unwrap();
        let Some(ClientLogin::OAuthBearer(login)) = config.sasl.inter_broker.as_deref() else {
            panic!("it logs in by tokens")
        };
        let TokenSource::Endpoint(login) = &login.source else { panic!("{login:?}") };
        assert_eq!((&*login.client.id, login.client.secret.reveal()), ("node", "s3cret"));
        assert_eq!((login.refresh.window_factor, login.refresh.buffer_seconds), (0.6, 300));
        assert!(!format!("{config:?}").contains("s3cret"), "{config:?}");
        for (line, words) in [
            ("sasl.oauthbearer.assertion.file=/a", "nobody is asked with an assertion here"),
            ("sasl.login.refresh.window.jitter=0.3", "Value must be no more than 0.25"),
            ("sasl.oauthbearer.jwt.retriever.class=a.B", "a.B is not spoken here"),
        ] {
            assert!(said(&format!("{asked}{line}")).contains(words), "{line}");
        }
    }
}

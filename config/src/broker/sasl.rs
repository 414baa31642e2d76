//! SASL of a node: whom its listeners let in, and with what it logs in at others.
//!
//! ```text
//! listener.name.<listener>.<mechanism>.sasl.jaas.config    a login of one listener and mechanism
//! <listener>.KafkaServer, KafkaServer                      sections of the JAAS file, where not
//! ```
//!
//! A node logs in elsewhere with the username and password of its own listener's login, as Kafka's
//! brokers do: at other brokers that of the inter-broker listener, at controllers that of the first
//! of `controller.listener.names`. Looked at are the listeners in use. Answers to `JaasContext` and
//! `SaslChannelBuilder`; what is not spoken yet is refused by name (docs/decisions/0200).

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use security::sasl::client::ClientLogin;
use security::sasl::jaas::{self, JaasFile, KAFKA_SERVER, Login, LoginModule};
use security::sasl::kerberos::KerberosEnvironment;
use security::sasl::server::{Enabled, ServerSettings};
use security::sasl::{Mechanism, PlainUsers};

use super::oauthbearer::{self, JwksEndpoint};
use super::{BrokerConfig, kerberos};
use crate::{ConfigError, Value};

const ENABLED: &str = "sasl.enabled.mechanisms";
const JAAS: &str = "sasl.jaas.config";
const REAUTH: &str = "connections.max.reauth.ms";
const RECEIVE: &str = "sasl.server.max.receive.size";
const OF_BROKERS: &str = "sasl.mechanism.inter.broker.protocol";
const OF_CONTROLLERS: &str = "sasl.mechanism.controller.protocol";

/// What a JAAS file came to: its sections, or one line on why there are none.
pub type LoginFile = Result<JaasFile, String>;

/// What a listener asks of those who connect.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SaslListener {
    pub settings: Arc<ServerSettings>,
    /// sasl.server.max.receive.size
    pub receive_bytes_max: usize,
}

/// The SASL part of a node's configuration, made of many keys and the JAAS file.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Sasl {
    listeners: BTreeMap<String, SaslListener>,
    jwks_endpoints: Vec<JwksEndpoint>,
    /// How this node logs in at other brokers, if it must.
    pub inter_broker: Option<Arc<ClientLogin>>,
    /// How this node logs in at controllers, if it must.
    pub controllers: Option<Arc<ClientLogin>>,
    /// What the process must be started with, where anybody logs in by Kerberos.
    pub kerberos: Option<KerberosEnvironment>,
    problem: Option<ConfigError>,
}

impl Sasl {
    pub(super) fn of(config: &BrokerConfig) -> Self {
        Self::try_of(config)
            .unwrap_or_else(|problem| Self { problem: Some(problem), ..Self::default() })
    }

    fn try_of(config: &BrokerConfig) -> Result<Self, ConfigError> {
        let mut sasl = Self::default();
        for endpoint in config.own_endpoints() {
            if endpoint.protocol.is_sasl() {
                let (listener, keys) = listener_of(config, &endpoint.listener)?;
                sasl.jwks_endpoints.extend(keys);
                sasl.listeners.insert(endpoint.listener.clone(), listener);
            }
        }
        if config.process_roles.broker && config.inter_broker_security_protocol.is_sasl() {
            let mechanism: String = config.values().typed(OF_BROKERS)?;
            let listener = &config.inter_broker_listener_name;
            let login = login_elsewhere(config, listener, OF_BROKERS, &mechanism)?;
            sasl.inter_broker = Some(Arc::new(login));
        }
        if let Some(listener) = config.controller_listener_names.first()
            && config.controller_security_protocol.is_sasl()
        {
            let mechanism: String = config.values().typed(OF_CONTROLLERS)?;
            let login = login_elsewhere(config, listener, OF_CONTROLLERS, &mechanism)?;
            sasl.controllers = Some(Arc::new(login));
        }
        sasl.kerberos = sasl.kerberos_environment()?;
        Ok(sasl)
    }

    /// What the listener asks; nothing where it lets in whoever comes.
    pub fn listener(&self, name: &str) -> Option<&SaslListener> {
        self.listeners.get(name)
    }

    /// Where the keys are that tokens are signed with.
    pub fn jwks_endpoints(&self) -> impl Iterator<Item = &JwksEndpoint> {
        self.jwks_endpoints.iter()
    }

    /// What each listener asks at which one logs in.
    pub fn listeners(&self) -> impl Iterator<Item = &SaslListener> {
        self.listeners.values()
    }

    fn kerberos_environment(&self) -> Result<Option<KerberosEnvironment>, ConfigError> {
        let listeners = self.listeners().filter_map(|listener| listener.settings.kerberos());
        let elsewhere = [&self.inter_broker, &self.controllers].into_iter().flatten();
        let elsewhere = elsewhere.filter_map(|login| match &**login {
            ClientLogin::Gssapi(login) => Some(login),
            _ => None,
        });
        kerberos::environment(listeners, elsewhere)
    }

    pub(super) fn check(&self) -> Result<(), ConfigError> {
        self.problem.clone().map_or(Ok(()), Err)
    }
}

impl BrokerConfig {
    /// The same node, with the JAAS file that its environment names.
    #[must_use]
    pub fn with_login_file(mut self, file: LoginFile) -> Self {
        self.login_file = Some(Arc::new(file));
        self.sasl = Sasl::of(&self);
        self
    }
}

fn listener_of(
    config: &BrokerConfig,
    listener: &str,
) -> Result<(SaslListener, Option<JwksEndpoint>), ConfigError> {
    let names = match config.of_listener(listener, ENABLED) {
        Some(Value::List(names)) => names,
        _ => Vec::new(),
    };
    let mut enabled = Vec::new();
    let mut plain_users = PlainUsers::default();
    let (mut token_validator, mut jwks_endpoint, mut of_kerberos) = (None, None, None);
    for name in names {
        let mechanism = spoken(ENABLED, &name)?;
        let login = login_of(config, listener, mechanism)?;
        if login.module == LoginModule::Plain {
            plain_users = PlainUsers::of(&login);
        }
        if mechanism == Mechanism::OAuthBearer {
            let validator = oauthbearer::token_validator(config, listener, &login)?;
            jwks_endpoint = oauthbearer::jwks_endpoint(config, listener, &login, &validator)?;
            token_validator = Some(validator);
        }
        if mechanism == Mechanism::Gssapi {
            of_kerberos = Some(kerberos::listener_of(config, listener, &login)?);
        }
        let session_lifetime = session_lifetime(config, listener, mechanism);
        enabled.push(Enabled { mechanism, session_lifetime });
    }
    if enabled.is_empty() {
        let message = format!("No SASL mechanisms are enabled for listener {listener}: {ENABLED}");
        return Err(ConfigError::conflict(&[ENABLED], message));
    }
    let receive_bytes_max = match config.of_listener(listener, RECEIVE) {
        Some(Value::Int(bytes)) => usize::try_from(bytes).unwrap_or_default(),
        _ => 0,
    };
    let mut settings = ServerSettings::new(enabled, plain_users);
    if let Some(validator) = token_validator {
        settings = settings.with_token_validator(validator);
    }
    if let Some(of_kerberos) = of_kerberos {
        settings = settings.with_kerberos(of_kerberos);
    }
    Ok((SaslListener { settings: Arc::new(settings), receive_bytes_max }, jwks_endpoint))
}

fn spoken(key: &'static str, name: &str) -> Result<Mechanism, ConfigError> {
    Mechanism::named(name).ok_or_else(|| {
        let spoken: Vec<&str> = Mechanism::spoken().map(Mechanism::name).collect();
        let spoken = spoken.join(", ");
        let why = match Mechanism::missing_feature(name) {
            Some(feature) => {
                format!("this Gregor does not speak (build it with --features {feature})")
            }
            None => "Gregor does not speak yet".to_owned(),
        };
        let message = format!(
            "{key} names {name}, which {why}, and nobody is let in without it: set it to some of \
             {spoken} (also below listener.name)"
        );
        ConfigError::conflict(&[key], message)
    })
}

/// connections.max.reauth.ms of the mechanism, of the listener, or of all.
fn session_lifetime(config: &BrokerConfig, listener: &str, mechanism: Mechanism) -> Duration {
    let own = of_mechanism(config, listener, mechanism, REAUTH).and_then(|text| text.parse().ok());
    let lifetime_ms = own.or_else(|| match config.of_listener(listener, REAUTH) {
        Some(Value::Long(ms)) => Some(ms),
        _ => None,
    });
    Duration::from_millis(lifetime_ms.and_then(|ms: i64| u64::try_from(ms).ok()).unwrap_or(0))
}

/// `listener.name.<listener>.<mechanism>.<key>`, dynamic or of the file.
pub(super) fn of_mechanism<'a>(
    config: &'a BrokerConfig,
    listener: &str,
    mechanism: Mechanism,
    key: &str,
) -> Option<&'a str> {
    let name = format!(
        "listener.name.{}.{}.{key}",
        listener.to_lowercase(),
        mechanism.name().to_lowercase()
    );
    let layers = [&config.dynamic_own, &config.dynamic_defaults, &config.static_properties];
    layers.into_iter().find_map(|layer| layer.get(&name))
}

fn login_of(
    config: &BrokerConfig,
    listener: &str,
    mechanism: Mechanism,
) -> Result<Login, ConfigError> {
    let key = || {
        let (listener, mechanism) = (listener.to_lowercase(), mechanism.name().to_lowercase());
        format!("listener.name.{listener}.{mechanism}.{JAAS}")
    };
    let wrong = |problem: String| {
        let message = format!("Listener {listener} cannot speak {mechanism}: {problem}");
        ConfigError::conflict(&[JAAS], message)
    };
    if let Some(text) = of_mechanism(config, listener, mechanism, JAAS) {
        let login = jaas::parse_property(text);
        return login.map_err(|error| wrong(format!("{}: {error}", key())));
    }
    let file = match config.login_file.as_deref() {
        Some(Ok(file)) => file,
        Some(Err(problem)) => return Err(wrong(problem.clone())),
        None => &JaasFile::default(),
    };
    let found = file.server(listener, mechanism).unwrap_or_else(|| {
        // Kafka's words, and what can be done about it.
        Err(jaas::JaasError::NoSection {
            sections: format!("'{KAFKA_SERVER}' or '{}.{KAFKA_SERVER}'", listener.to_lowercase()),
            instead: key(),
        })
    });
    found.map_err(|error| wrong(error.to_string()))
}

fn login_elsewhere(
    config: &BrokerConfig,
    listener: &str,
    key: &'static str,
    mechanism: &str,
) -> Result<ClientLogin, ConfigError> {
    let mechanism = spoken(key, mechanism)?;
    let login = login_of(config, listener, mechanism)?;
    let credentials = || {
        login.credentials().map_err(|error| {
            let message = format!("This node cannot log in at listener {listener}: {error}");
            ConfigError::conflict(&[JAAS], message)
        })
    };
    match mechanism {
        Mechanism::Plain => credentials().map(ClientLogin::Plain),
        Mechanism::Scram(scram) => credentials().map(|own| ClientLogin::Scram(scram, own)),
        Mechanism::OAuthBearer => {
            oauthbearer::bearer_login(config, listener, &login).map(ClientLogin::OAuthBearer)
        }
        Mechanism::Gssapi => {
            kerberos::login_elsewhere(config, listener, &login).map(ClientLogin::Gssapi)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Properties;

    const HEAD: &str = "node.id=1\nprocess.roles=broker,controller\n\
        controller.listener.names=CONTROLLER\ncontroller.quorum.voters=1@localhost:9093\n\
        listeners=CLIENTS://:9092,CONTROLLER://:9093\ninter.broker.listener.name=CLIENTS\n\
        listener.security.protocol.map=CLIENTS:SASL_PLAINTEXT,CONTROLLER:SASL_PLAINTEXT\n";
    const PLAIN: &str = "org.apache.kafka.common.security.plain.PlainLoginModule required";
    const SCRAM: &str = "org.apache.kafka.common.security.scram.ScramLoginModule required";

    fn config(more: &str) -> BrokerConfig {
        let properties = Properties::parse(format!("{HEAD}{more}").as_bytes()).unwrap();
        BrokerConfig::from_properties(&properties).unwrap().0
    }

    fn whole() -> String {
        format!(
            "sasl.enabled.mechanisms=SCRAM-SHA-512,PLAIN\n\
             listener.name.controller.sasl.enabled.mechanisms=PLAIN\n\
             sasl.mechanism.inter.broker.protocol=SCRAM-SHA-512\n\
             sasl.mechanism.controller.protocol=PLAIN\n\
             connections.max.reauth.ms=9000\n\
             listener.name.clients.plain.connections.max.reauth.ms=3000\n\
             listener.name.clients.plain.sasl.jaas.config={PLAIN} user_a=\"a-secret\";\n\
             listener.name.clients.scram-sha-512.sasl.jaas.config={SCRAM} username=\"b\" \
             password=\"b-secret\";\n\
             listener.name.controller.plain.sasl.jaas.config={PLAIN} username=\"c\" \
             password=\"c-secret\" user_c=\"c-secret\";\n"
        )
    }

    #[test]
    fn a_listener_has_mechanisms_and_logins_of_its_own() {
        let config = config(&whole());
        config.check_start().unwrap();
        let sasl = &config.sasl;
        assert_eq!(sasl.inter_broker.as_ref().unwrap().credentials().unwrap().username, "b");
        assert_eq!(sasl.controllers.as_ref().unwrap().credentials().unwrap().username, "c");
        assert_eq!(sasl.listener("CLIENTS").unwrap().receive_bytes_max, 524_288);
        assert_ne!(sasl.listener("CLIENTS"), sasl.listener("CONTROLLER"));
        assert!(!format!("{config:?}").contains("-secret"), "{config:?}");
    }

    #[test]
    fn sections_of_a_jaas_file_stand_in_for_the_keys() {
        let more = "sasl.enabled.mechanisms=PLAIN\nsasl.mechanism.inter.broker.protocol=PLAIN\n\
                    sasl.mechanism.controller.protocol=PLAIN\n";
        let file = format!("KafkaServer {{ {PLAIN} username=x password=y user_x=y; }};");
        let with = config(more).with_login_file(Ok(JaasFile::parse(&file).unwrap()));
        with.check_start().unwrap();
        assert_eq!(with.sasl.inter_broker.as_ref().unwrap().credentials().unwrap().username, "x");
        let again = with.with_dynamic(&Properties::new(), &Properties::new()).unwrap();
        assert_eq!(again.sasl, with.sasl);
        let unreadable = config(more).with_login_file(Err("/x: no such file".to_owned()));
        assert!(unreadable.check_start().unwrap_err().to_string().contains("/x: no such file"));
    }

    #[test]
    fn what_cannot_be_spoken_is_refused_in_one_line_with_what_to_do() {
        let without = |key: &str| {
            let whole = whole();
            let kept = whole.lines().filter(|line| !line.starts_with(key));
            kept.map(|line| format!("{line}\n")).collect::<String>()
        };
        let cases: &[(String, &[&str])] = &[
            (
                without("listener.name.clients.plain.sasl"),
                &["'KafkaServer' or 'clients.KafkaServer'", "listener.name.clients.plain.sasl"],
            ),
            (
                without("sasl.mechanism.controller.protocol"),
                &["sasl.mechanism.controller.protocol names GSSAPI", "SCRAM-SHA-256"],
            ),
            (
                without("sasl.enabled") + "sasl.enabled.mechanisms=GSSAPI,SCRAM-SHA-512\n",
                &["sasl.enabled.mechanisms names GSSAPI"],
            ),
            (
                without("listener.name.controller.plain.sasl")
                    + "listener.name.controller.plain.sasl.jaas.config=a.B required x=y;\n",
                &["Listener CONTROLLER cannot speak PLAIN", "login module a.B"],
            ),
            (
                without("listener.name.clients.scram")
                    + &format!("listener.name.clients.scram-sha-512.sasl.jaas.config={SCRAM};\n"),
                &["cannot log in at listener CLIENTS", "username and password"],
            ),
        ];
        for (more, words) in cases {
            let said = config(more).check_start().unwrap_err().to_string();
            assert_eq!(said.lines().count(), 1, "{said}");
            assert!(words.iter().all(|word| said.contains(word)), "{words:?} in {said}");
        }
    }
}

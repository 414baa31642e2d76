//! GSSAPI of a node: by which key its listeners are somebody to Kerberos, who a principal is to
//! them, and who the node itself is elsewhere.
//!
//! ```text
//! listener.name.<listener>.gssapi.sasl.jaas.config                  the key
//! [listener.name.<listener>.]sasl.kerberos.service.name             the name of brokers
//! [listener.name.<listener>.]sasl.kerberos.principal.to.local.rules who a principal is
//! ```
//! Answers to `KerberosLogin` and the Kerberos part of `SaslChannelBuilder`.

use security::sasl::gssapi::KerberosListener;
use security::sasl::jaas::Login;
use security::sasl::kerberos::{
    KerberosEnvironment, KerberosError, KerberosLogin, PrincipalToLocalRules,
};

use super::BrokerConfig;
use crate::{ConfigError, Value};

const JAAS: &str = "sasl.jaas.config";
const SERVICE_NAME: &str = "sasl.kerberos.service.name";
const RULES: &str = "sasl.kerberos.principal.to.local.rules";

/// What a listener is to those who log in there.
pub(super) fn listener_of(
    config: &BrokerConfig,
    listener: &str,
    login: &Login,
) -> Result<KerberosListener, ConfigError> {
    let service_name = service_name(config, listener);
    let login = KerberosLogin::of_listener(login, service_name.as_deref())
        .map_err(|error| refused(listener, "cannot speak GSSAPI", &error))?;
    let texts = match config.of_listener(listener, RULES) {
        Some(Value::List(texts)) => texts,
        _ => Vec::new(),
    };
    let rules = PrincipalToLocalRules::parse(&texts).map_err(|error| {
        ConfigError::conflict(&[RULES], format!("{RULES} of listener {listener}: {error}"))
    })?;
    Ok(KerberosListener { login, rules })
}

/// How this node logs in where this listener's login counts.
pub(super) fn login_elsewhere(
    config: &BrokerConfig,
    listener: &str,
    login: &Login,
) -> Result<KerberosLogin, ConfigError> {
    let service_name = service_name(config, listener);
    KerberosLogin::of(login, service_name.as_deref())
        .map_err(|error| refused(listener, "has no login for this node by GSSAPI", &error))
}

/// What the process must be started with; nothing where nobody needs Kerberos.
pub(super) fn environment<'a>(
    listeners: impl Iterator<Item = &'a KerberosListener>,
    elsewhere: impl Iterator<Item = &'a KerberosLogin>,
) -> Result<Option<KerberosEnvironment>, ConfigError> {
    let mut environment = KerberosEnvironment::default();
    let mut is_needed = false;
    let conflict = |error: KerberosError| ConfigError::conflict(&[JAAS], error.to_string());
    for listener in listeners {
        environment.accept(&listener.login).map_err(conflict)?;
        is_needed = true;
    }
    for login in elsewhere {
        environment.initiate(login).map_err(conflict)?;
        is_needed = true;
    }
    Ok(is_needed.then_some(environment))
}

fn service_name(config: &BrokerConfig, listener: &str) -> Option<String> {
    let name = config.of_listener(listener, SERVICE_NAME).and_then(|value| value.text())?;
    Some(name.trim().to_owned()).filter(|name| !name.is_empty())
}

fn refused(listener: &str, what: &str, error: &KerberosError) -> ConfigError {
    ConfigError::conflict(&[JAAS, SERVICE_NAME], format!("Listener {listener} {what}: {error}"))
}

#[cfg(test)]
mod tests {
    use security::sasl::jaas;
    use security::sasl::kerberos::KerberosName;

    use super::*;
    use crate::Properties;

    const HEAD: &str = "node.id=1\nprocess.roles=broker,controller\n\
        controller.listener.names=CONTROLLER\ncontroller.quorum.voters=1@localhost:9093\n\
        listeners=PLAINTEXT://:9092,CLIENTS://:9094,CONTROLLER://:9093\n\
        listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CLIENTS:PLAINTEXT,\
        CONTROLLER:PLAINTEXT\n";

    fn listener(more: &str, options: &str) -> Result<KerberosListener, String> {
        let properties = Properties::parse(format!("{HEAD}{more}").as_bytes()).unwrap();
        let (config, _) = BrokerConfig::from_properties(&properties).unwrap();
        let module = "com.sun.security.auth.module.Krb5LoginModule required";
        let login = jaas::parse_property(&format!("{module} {options};")).unwrap();
        listener_of(&config, "CLIENTS", &login).map_err(|error| error.to_string())
    }

    const KEY: &str = "useKeyTab=true keyTab=\"/k\" principal=\"kafka/h@EX\"";

    fn short(listener: &KerberosListener, principal: &str) -> Option<String> {
        let name = KerberosName::parse(principal).unwrap();
        listener.rules.short_name(&name, "EX").ok()
    }

    #[test]
    fn a_listener_has_a_key_a_service_and_rules_of_its_own() {
        let of_all = listener("sasl.kerberos.service.name=kafka\n", KEY).unwrap();
        assert_eq!(of_all.login.service_name, "kafka");
        assert_eq!(short(&of_all, "alice@EX").as_deref(), Some("alice"));
        assert_eq!(short(&of_all, "alice@OTHER"), None);
        let own = "listener.name.clients.sasl.kerberos.service.name=broker\n\
                   sasl.kerberos.service.name=kafka\n\
                   listener.name.clients.sasl.kerberos.principal.to.local.rules=\
                   RULE:[1:$1@$0](.*@OTHER)s/@.*//,DEFAULT\n";
        let own = listener(own, KEY).unwrap();
        assert_eq!(own.login.service_name, "broker");
        assert_eq!(short(&own, "alice@OTHER").as_deref(), Some("alice"));
        assert_eq!(short(&own, "alice@EX").as_deref(), Some("alice"));
    }

    #[test]
    fn what_a_listener_lacks_is_said_in_one_line() {
        let rules = "sasl.kerberos.service.name=kafka\n\
                     sasl.kerberos.principal.to.local.rules=RULE:[1:$1]/x\n";
        for (more, options, words) in [
            ("", KEY, "Listener CLIENTS cannot speak GSSAPI: No serviceName"),
            ("sasl.kerberos.service.name=kafka\n", "useTicketCache=true", "needs useKeyTab=true"),
            (rules, KEY, "of listener CLIENTS: Invalid rule: `RULE:[1:$1]/x`"),
        ] {
            let said = listener(more, options).unwrap_err();
            assert!(said.contains(words) && said.lines().count() == 1, "{words} in {said}");
        }
    }

    #[test]
    fn a_process_has_one_keytab() {
        let key = |path: &str| {
            let options = format!("useKeyTab=true keyTab=\"{path}\" principal=\"kafka/h@EX\"");
            listener("sasl.kerberos.service.name=kafka\n", &options).unwrap()
        };
        let (one, other) = (key("/a"), key("/b"));
        let elsewhere = || std::iter::once(&one.login);
        assert_eq!(environment([].iter(), std::iter::empty()), Ok(None));
        let both = environment([&one, &one].into_iter(), elsewhere()).unwrap().unwrap();
        assert_eq!(both.missing(|_| None).len(), 3);
        let said = environment([&one, &other].into_iter(), elsewhere()).unwrap_err().to_string();
        assert!(said.contains("ktutil"), "{said}");
    }
}

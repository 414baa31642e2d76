//! The JAAS file that `-Djava.security.auth.login.config` names in the environment: logins of a
//! node or of a client, written down as Java programs have them.
//!
//! Other options for a JVM have no meaning here and are passed over.

use std::path::PathBuf;

use client::LOGIN_FILE;
use config::Properties;
use config::broker::LoginFile;
use security::sasl::jaas::JaasFile;

use crate::kerberos;
use crate::log_line::warn;

/// Variables that kafka-run-class.sh hands to the JVM.
const VARIABLES: [&str; 3] = ["KAFKA_OPTS", "KAFKA_JVM_PERFORMANCE_OPTS", "KAFKA_HEAP_OPTS"];

/// The file of a node, if one is named.
pub(crate) fn of_node() -> Option<LoginFile> {
    let path = PathBuf::from(java_property(LOGIN_FILE)?);
    Some(match std::fs::read_to_string(&path) {
        Ok(text) => JaasFile::parse(&text).map_err(|error| format!("{}: {error}", path.display())),
        Err(error) => Err(format!("{} cannot be read: {error}", path.display())),
    })
}

/// A client's keys, with the file's text beside them where it counts; and the process is put into
/// the environment that they need.
pub fn beside(properties: &Properties) -> Properties {
    let asks =
        |name: &str| name.trim().get(..5).is_some_and(|start| start.eq_ignore_ascii_case("SASL_"));
    if !properties.get("security.protocol").is_some_and(asks) {
        return properties.clone();
    }
    let all = with_text(properties);
    if let Err(why) = kerberos::enter_as_client(&all) {
        warn("org.apache.kafka.common.security.kerberos.KerberosLogin", &why);
    }
    all
}

fn with_text(properties: &Properties) -> Properties {
    let mut all = properties.clone();
    if properties.contains("sasl.jaas.config") {
        return all;
    }
    let Some(path) = java_property(LOGIN_FILE).map(PathBuf::from) else { return all };
    match std::fs::read_to_string(&path) {
        Ok(text) => all.set(LOGIN_FILE, text),
        Err(error) => warn(
            "org.apache.kafka.common.security.JaasContext",
            &format!("{} cannot be read: {error}", path.display()),
        ),
    }
    all
}

/// A system property that the environment would give a JVM: `-DNAME=VALUE`.
pub(crate) fn java_property(name: &str) -> Option<String> {
    property_of(name, |name| std::env::var(name).ok())
}

fn property_of(name: &str, variable: impl Fn(&str) -> Option<String>) -> Option<String> {
    let option = format!("-D{name}=");
    VARIABLES.iter().find_map(|name| {
        let options = variable(name)?;
        let named = options.split_whitespace().find_map(|each| each.strip_prefix(&option))?;
        Some(named.trim_matches('"').to_owned())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_is_found_among_other_options() {
        let found = |options: &str| {
            property_of(LOGIN_FILE, |name| (name == "KAFKA_OPTS").then(|| options.to_owned()))
        };
        let options = "-Xmx1G -Djava.security.auth.login.config=/etc/kafka/jaas.conf -Dx=y";
        assert_eq!(found(options), Some("/etc/kafka/jaas.conf".to_owned()));
        for options in ["", "-Xmx1G -Xms1G", "-Dlog4j.configuration=file:x -Dkafka.logs.dir=/l"] {
            assert_eq!(found(options), None, "{options}");
        }
    }
}

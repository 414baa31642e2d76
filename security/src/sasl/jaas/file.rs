//! A JAAS file: sections by name, each with its login modules.
//!
//! ```text
//! KafkaServer {
//!     org.apache.kafka.common.security.plain.PlainLoginModule required
//!     username="admin" password="admin-secret" user_admin="admin-secret";
//! };
//! ```
//!
//! Only the sections that somebody logs in by are judged: a file may hold those of other programs.
//! Answers to the JDK's `sun.security.provider.ConfigFile`. Unlike it, `${...}` in a value is
//! refused: there are no system properties to fill in.

use std::collections::BTreeMap;

use super::super::mechanism::Mechanism;
use super::login::{Entry, Login, LoginModule, parse_entry};
use super::tokenizer::{Token, Tokenizer};
use super::{JaasError, KAFKA_CLIENT, KAFKA_SERVER};

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct JaasFile(BTreeMap<String, Vec<Entry>>);

impl JaasFile {
    pub fn parse(text: &str) -> Result<Self, JaasError> {
        let mut tokens = Tokenizer::new(text, &['-', '_', '$', '*']);
        let mut sections = BTreeMap::new();
        while let Some(first) = tokens.next() {
            let (name, entries) = match parse_section(first, &mut tokens) {
                Ok(section) => section,
                Err(problem) => return Err(JaasError::File { line: tokens.line(), problem }),
            };
            if sections.insert(name.clone(), entries).is_some() {
                let problem = format!("Can not specify multiple entries for {name}");
                return Err(JaasError::File { line: tokens.line(), problem });
            }
        }
        Ok(Self(sections))
    }

    /// The login of a listener for a mechanism: of the section `<listener>.KafkaServer`, or of
    /// `KafkaServer`. None where there is neither section.
    pub fn server(&self, listener: &str, mechanism: Mechanism) -> Option<Result<Login, JaasError>> {
        let own = format!("{}.{KAFKA_SERVER}", listener.to_lowercase());
        let section = self.0.get(&own).or_else(|| self.0.get(KAFKA_SERVER))?;
        Some(login_of(section, mechanism))
    }

    /// The login of a client. None where there is no such section.
    pub fn client(&self, mechanism: Mechanism) -> Option<Result<Login, JaasError>> {
        Some(login_of(self.0.get(KAFKA_CLIENT)?, mechanism))
    }
}

/// The module that is of the mechanism; where there is none, the first.
fn login_of(section: &[Entry], mechanism: Mechanism) -> Result<Login, JaasError> {
    let is_own = |entry: &&Entry| {
        LoginModule::ALL
            .into_iter()
            .any(|module| module.is_of(mechanism) && entry.is_of_class(module))
    };
    let own = section.iter().find(is_own).or_else(|| section.first());
    own.cloned().ok_or(JaasError::NoModule)?.login()
}

fn parse_section(first: Token, tokens: &mut Tokenizer<'_>) -> Result<(String, Vec<Entry>), String> {
    let Token::Text(name) = first else { return Err("a section's name is due".to_owned()) };
    if tokens.next() != Some(Token::Mark('{')) {
        return Err(format!("{{ is due after {name}"));
    }
    let mut entries = Vec::new();
    loop {
        match tokens.next() {
            Some(Token::Mark('}')) => break,
            Some(first) => {
                let entry = parse_entry(first, tokens).map_err(|error| error.to_string())?;
                if entry.values().any(|value| value.contains("${")) {
                    return Err(format!("a value of {name} has ${{...}}, which is not filled in"));
                }
                entries.push(entry);
            }
            None => return Err(format!("}} is due at the end of {name}")),
        }
    }
    match tokens.next() {
        Some(Token::Mark(';')) => Ok((name, entries)),
        _ => Err(format!("; is due after the section {name}")),
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::scram::ScramMechanism;
    use super::*;

    const FILE: &str = r#"
        // brokers
        KafkaServer {
            org.apache.kafka.common.security.scram.ScramLoginModule required
              username="s" password="scram-secret";
            org.apache.kafka.common.security.plain.PlainLoginModule required
              username="p" password="plain-secret" user_p="plain-secret";
        };
        internal.KafkaServer {
            org.apache.kafka.common.security.plain.PlainLoginModule REQUIRED username="i"
              password="x";
        };
        KafkaClient {
            org.apache.kafka.common.security.plain.PlainLoginModule required username="c"
              password="y";
        };
        Client { org.apache.zookeeper.server.auth.DigestLoginModule required username="z"; };
    "#;

    fn user(found: Option<Result<Login, JaasError>>) -> String {
        found.unwrap().unwrap().option("username").unwrap().reveal().to_owned()
    }

    #[test]
    fn a_listener_has_its_own_section_or_that_of_all_and_the_module_of_its_mechanism() {
        let file = JaasFile::parse(FILE).unwrap();
        let scram = Mechanism::Scram(ScramMechanism::Sha512);
        assert_eq!(user(file.server("CLIENTS", Mechanism::Plain)), "p");
        assert_eq!(user(file.server("CLIENTS", scram)), "s");
        assert_eq!(user(file.server("INTERNAL", Mechanism::Plain)), "i");
        assert_eq!(user(file.client(Mechanism::Plain)), "c");
        assert!(JaasFile::default().server("CLIENTS", scram).is_none());
        assert!(!format!("{file:?}").contains("secret"), "{file:?}");
    }

    #[test]
    fn a_key_of_kerberos_stands_beside_other_modules() {
        let text = "KafkaServer { org.apache.kafka.common.security.plain.PlainLoginModule required \
                    username=p; com.sun.security.auth.module.Krb5LoginModule required \
                    useKeyTab=true keyTab=\"/etc/kafka.keytab\" principal=\"kafka/h@EX.COM\"; };";
        let file = JaasFile::parse(text).unwrap();
        let login = file.server("CLIENTS", Mechanism::Gssapi).unwrap().unwrap();
        assert_eq!(login.module, LoginModule::Krb5);
        assert_eq!(login.option("principal").unwrap().reveal(), "kafka/h@EX.COM");
        assert_eq!(user(file.server("CLIENTS", Mechanism::Plain)), "p");
    }

    #[test]
    fn a_module_that_nobody_knows_is_named_where_somebody_logs_in_by_it() {
        let text = "KafkaServer { com.example.Own required a=b; };";
        let file = JaasFile::parse(text).unwrap();
        let refused = file.server("X", Mechanism::Plain).unwrap().unwrap_err();
        assert!(refused.to_string().contains("com.example.Own"), "{refused}");
    }

    #[test]
    fn what_is_wrong_is_named_with_its_line() {
        for (text, words) in [
            ("KafkaServer\n", &["line 2", "{ is due after KafkaServer"][..]),
            ("A {\n a required b=c;\n", &["line 3", "} is due"]),
            ("A {\n a required b=c };", &["line 2", "semi-colon"]),
            ("A { a required; }", &["; is due after the section A"]),
            ("A { a required; };\nA { a required; };", &["line 2", "multiple entries for A"]),
            ("A { a required b=\"${x}\"; };", &["${...}"]),
        ] {
            let said = JaasFile::parse(text).unwrap_err().to_string();
            assert!(words.iter().all(|word| said.contains(word)), "{text}: {said}");
        }
    }
}

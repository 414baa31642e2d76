//! Logins as people have them written for Java's authentication service (JAAS).
//!
//! ```text
//! sasl.jaas.config=MODULE required NAME="VALUE" ...;          one login module
//! KafkaServer { MODULE required NAME="VALUE" ...; ... };      a section of a file
//! ```
//!
//! A module is known by its class; one that is not known is named, and nobody logs in by it.
//! Values are secrets. Answers to `JaasConfig`, `JaasContext` and the JDK's `ConfigFile`.

mod file;
mod login;
mod tokenizer;

pub use file::JaasFile;
pub use login::{Credentials, Login, LoginModule, parse_property};

/// The section of a broker's or controller's logins.
pub const KAFKA_SERVER: &str = "KafkaServer";
/// The section of a client's login.
pub const KAFKA_CLIENT: &str = "KafkaClient";

/// Why there is no login.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum JaasError {
    #[error("Login module not specified in JAAS config")]
    NoModule,
    #[error("JAAS config property contains {0} login modules, should be 1 module")]
    TooManyModules(usize),
    #[error("Login module control flag not specified in JAAS config")]
    NoFlag,
    #[error("Invalid login module control flag '{0}' in JAAS config")]
    BadFlag(String),
    #[error("Value not specified for key '{0}' in JAAS config")]
    NoValue(String),
    #[error("JAAS config entry not terminated by semi-colon")]
    Unterminated,
    #[error(
        "login module {0} is a Java class, which no JVM is here to load: use {PLAIN}, \
         {SCRAM} or {BEARER}",
        PLAIN = LoginModule::Plain.class(),
        SCRAM = LoginModule::Scram.class(),
        BEARER = LoginModule::OAuthBearer.class()
    )]
    UnknownModule(String),
    #[error("line {line} of the JAAS file: {problem}")]
    File { line: usize, problem: String },
    #[error(
        "Could not find a {sections} entry in the JAAS configuration. Set {instead}, or name a \
         file with that section in KAFKA_OPTS (-Djava.security.auth.login.config=FILE)"
    )]
    NoSection { sections: String, instead: String },
    #[error("{0} has no username and password to log in with")]
    NoCredentials(&'static str),
}

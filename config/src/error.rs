//! What can be wrong with a configuration, by cause, with the values a person needs to mend it.
//!
//! The texts are Kafka's where admin clients get to see them (ConfigException of ConfigDef,
//! LogConfig, DynamicBrokerConfig). Each is a single line.

use thiserror::Error;

/// A configuration that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// The value has the wrong type or is out of range.
    #[error("Invalid value {value} for configuration {name}: {allowed}")]
    InvalidValue { name: String, value: String, allowed: String },
    /// A list that is empty, or has an empty element, where it may not.
    #[error("Configuration '{name}' {message}")]
    BadList { name: String, message: String },
    /// A key without a default was not given.
    #[error("Missing required configuration \"{name}\" which has no default value.")]
    Missing { name: String },
    /// Values that are each fine contradict each other.
    #[error("{message}")]
    Conflict { names: Vec<&'static str>, message: String },
    /// The same, found by one of the checks that Kafka writes as a `require` of Scala.
    #[error("{message}")]
    Requirement { names: Vec<&'static str>, message: String },
    /// A dynamic setting that the running broker cannot change to.
    #[error(
        "Invalid value org.apache.kafka.common.config.ConfigException: {problem} for configuration \
         Invalid dynamic configuration"
    )]
    Reconfiguration { names: Vec<&'static str>, problem: String },
    /// A setting that Kafka calls an invalid request rather than an invalid configuration.
    #[error("{message}")]
    BadRequest { message: String },
    /// A name that the kind of resource does not have.
    #[error("Unknown {resource} config name: {name}")]
    UnknownName { resource: &'static str, name: String },
    /// A broker key that needs a restart.
    #[error("Cannot update these configs dynamically: [{}]", names.join(", "))]
    NotDynamic { names: Vec<String> },
    /// A security key that can change only with the prefix of a listener.
    #[error(
        "These security configs can be dynamically updated only per-listener using the listener \
         prefix: [{}]",
        names.join(", ")
    )]
    NeedsListenerPrefix { names: Vec<String> },
    /// A key of single brokers that was set for the whole cluster.
    #[error(
        "Cannot update these configs at default cluster level, broker id must be specified: \
         [{}]",
        names.join(", ")
    )]
    NeedsBrokerId { names: Vec<String> },
    /// A Java class that would decide something.
    #[error("{name}={class} is a Java class, which no JVM is here to load; {remedy}")]
    Plugin { name: String, class: String, remedy: &'static str },
    /// A config provider that is not one of Kafka's own.
    #[error(
        "config.providers.{alias}.class={class} is a Java class, which no JVM is here to load; \
         use Kafka's EnvVarConfigProvider, FileConfigProvider or DirectoryConfigProvider, or take \
         {alias} out of config.providers"
    )]
    ProviderClass { alias: String, class: String },
    /// A config provider that cannot look something up.
    #[error("{problem} (config provider {alias})")]
    Provider { alias: String, problem: String },
    /// The text of a file is not in its format.
    #[error("line {line}: {problem}")]
    Syntax { line: usize, problem: String },
}

impl ConfigError {
    pub(crate) fn invalid(name: &str, value: &str, allowed: impl Into<String>) -> Self {
        Self::InvalidValue {
            name: name.to_owned(),
            value: value.to_owned(),
            allowed: allowed.into(),
        }
    }

    pub(crate) fn conflict(names: &[&'static str], message: impl Into<String>) -> Self {
        Self::Conflict { names: names.to_vec(), message: message.into() }
    }
}

/// Something in a configuration that its owner should know, but that stops nothing.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum Warning {
    #[error("Unknown configuration {name}: kept, but nothing reads it.")]
    UnknownName { name: String },
    #[error("Configuration {name} has no effect: {why}.")]
    Ignored { name: String, why: &'static str },
    #[error("Configuration {name} is of an older Kafka: it is read as {}.", maps_to.join(" and "))]
    Renamed { name: String, maps_to: &'static [&'static str] },
    #[error(
        "Configuration key \"{name}\" contains duplicate values. Duplicates will be removed. The \
         original value is: [{}], the updated value is: [{}]",
        given.join(", "),
        read.join(", ")
    )]
    Repeated { name: String, given: Vec<String>, read: Vec<String> },
    #[error("{name}={value} is below what Kafka 4 allows: {raised_to} is used.")]
    Raised { name: String, value: String, raised_to: String },
    #[error("{message}")]
    Advice { message: String },
}

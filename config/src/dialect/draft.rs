//! A properties file in the making: keys with the variables that set them, and the checks that
//! every dialect of a broker ends with.

use std::collections::BTreeMap;

use super::names::{is_java, is_launchers};
use super::plan::{Bound, ClusterId, Plan, Service, Storage};
use super::{Dialect, ImageEnvironment, Notice, Refusal, Variables, listeners, login_file};
use crate::broker::is_known_name;
use crate::{BrokerConfig, ConfigError, Properties};

/// Keys in the order of their names, each with its value and what set it.
pub(super) struct Draft {
    dialect: Dialect,
    entries: BTreeMap<String, (String, String)>,
    notices: Vec<Notice>,
    /// Variables of things that only Confluent's images have.
    confluent: Vec<String>,
    rest: Vec<String>,
}

impl Draft {
    pub(super) fn new(dialect: Dialect, variables: &Variables) -> Self {
        let mut notices = variables.notices().to_vec();
        let java = variables.iter().map(|(name, _)| name).filter(|name| is_java(name));
        let java: Vec<String> = java.map(str::to_owned).collect();
        if !java.is_empty() {
            notices.push(Notice::Java { variables: java });
        }
        for (variable, why) in NO_EFFECT {
            if variables.filled(variable).is_some_and(|value| has_effect_elsewhere(variable, value))
            {
                notices.push(Notice::NoEffect { variable: (*variable).to_owned(), why });
            }
        }
        Self { dialect, entries: BTreeMap::new(), notices, confluent: Vec::new(), rest: Vec::new() }
    }

    /// Takes what every variable stands for by the rule of an image, for known keys.
    pub(super) fn take(&mut self, variables: &Variables, rule: fn(&str) -> Option<String>) {
        for (variable, value) in variables.iter() {
            if let Some(key) = rule(variable) {
                self.take_one(variable, key, value);
            } else if let Some(suffix) = variable.strip_prefix("KAFKA_CFG_") {
                let instead = format!("KAFKA_{suffix}");
                self.notices.push(Notice::OtherName { variable: variable.to_owned(), instead });
            }
        }
    }

    pub(super) fn take_one(&mut self, variable: &str, key: String, value: &str) {
        if key.starts_with("confluent.") {
            self.confluent.push(variable.to_owned());
        } else if key.starts_with("rest.") {
            self.rest.push(variable.to_owned());
        } else if is_known_name(&key) || BrokerConfig::is_own_key(&key) {
            self.entries.insert(key, (value.to_owned(), variable.to_owned()));
        } else if !is_launchers(variable) {
            self.notices.push(Notice::Unknown { variable: variable.to_owned(), key });
        }
    }

    pub(super) fn set(&mut self, key: &str, value: impl Into<String>, source: &str) {
        self.entries.insert(key.to_owned(), (value.into(), source.to_owned()));
    }

    pub(super) fn set_default(&mut self, key: &str, value: &str, source: &str) {
        if self.get(key).is_none_or(|value| value.trim().is_empty()) {
            self.set(key, value, source);
        }
    }

    pub(super) fn get(&self, key: &str) -> Option<&str> {
        self.entries.get(key).map(|(value, _)| value.as_str())
    }

    pub(super) fn remove(&mut self, key: &str) -> Option<String> {
        self.entries.remove(key).map(|(value, _)| value)
    }

    /// The first variable, by key, that set something.
    pub(super) fn first_source(&self) -> Option<&str> {
        self.entries.values().next().map(|(_, variable)| variable.as_str())
    }

    pub(super) fn notice(&mut self, notice: Notice) {
        self.notices.push(notice);
    }

    /// The plan of a broker or controller whose file is `base` with these keys behind it.
    pub(super) fn finish(
        mut self,
        given: &ImageEnvironment,
        base: &[u8],
        storage: Storage,
    ) -> Result<Plan, Refusal> {
        if !self.confluent.is_empty() {
            let variables = std::mem::take(&mut self.confluent);
            self.notices.push(Notice::ConfluentServer { variables });
        }
        if !self.rest.is_empty() {
            let variables = std::mem::take(&mut self.rest);
            self.notices.push(Notice::RestProxy { variables });
        }
        let text = self.render(base);
        let properties = Properties::parse(&text).map_err(|error| self.blame(error))?;
        if let Some((key, listener, protocol)) = listeners::secured(&properties) {
            let source_name = self.source(key).unwrap_or(key).to_owned();
            return Err(Refusal::Secured { source_name, listener, protocol });
        }
        // What config providers stand for is known only when the node starts.
        if !properties.contains("config.providers") {
            let read = BrokerConfig::from_properties(&properties);
            let checked = read.and_then(|(config, _)| match login_file::of(given) {
                Some(file) => config.with_login_file(file).check_start(),
                None => config.check_start(),
            });
            checked.map_err(|error| self.blame(error))?;
        }
        let (topics, notices) = self.dialect.topics(&given.variables);
        self.notices.extend(notices);
        Ok(Plan {
            dialect: self.dialect,
            service: Service::Kafka,
            path: self.dialect.file(),
            text,
            properties,
            storage,
            markers: Vec::new(),
            topics,
            notices: self.notices,
        })
    }

    fn render(&self, base: &[u8]) -> Vec<u8> {
        let mut text = base.to_vec();
        if !text.is_empty() && !text.ends_with(b"\n") {
            text.push(b'\n');
        }
        for (key, (value, _)) in &self.entries {
            // As the images write it; only what would end the line is escaped.
            let value = value.replace("\r\n", "\n").replace('\n', "\\n");
            text.extend_from_slice(format!("{key}={value}\n").as_bytes());
        }
        text
    }

    fn source(&self, key: &str) -> Option<&str> {
        self.entries.get(key).map(|(_, variable)| variable.as_str())
    }

    fn blame(&self, error: ConfigError) -> Refusal {
        let names: Vec<&str> = match &error {
            ConfigError::InvalidValue { name, .. }
            | ConfigError::Missing { name }
            | ConfigError::Plugin { name, .. } => vec![name],
            ConfigError::Conflict { names, .. } | ConfigError::Requirement { names, .. } => {
                names.clone()
            }
            _ => Vec::new(),
        };
        let variables = names.iter().filter_map(|name| self.source(name));
        let mut variables: Vec<String> = variables.map(str::to_owned).collect();
        variables.dedup();
        Refusal::Configuration { variables, error }
    }
}

/// Variables that can mean something to a JVM, to a ZooKeeper or to a later release only.
const NO_EFFECT: &[(&str, &str)] = &[
    ("KAFKA_LOG4J_ROOT_LOGLEVEL", "GREGOR_LOG sets what is logged"),
    ("KAFKA_LOG4J_LOGGERS", "GREGOR_LOG sets what is logged"),
    ("KAFKA_OPTS", "there is no JVM to load an agent into"),
];

/// Options that only tune a JVM are no loss; an agent would be. What the start itself says of a
/// file of logins is not said here.
fn has_effect_elsewhere(variable: &str, value: &str) -> bool {
    variable != "KAFKA_OPTS" || value.contains("-javaagent")
}

/// The cluster id by the first of these variables that is set.
pub(super) fn cluster_id(
    variables: &Variables,
    names: &[&'static str],
    bound: Bound,
    draft: &mut Draft,
) -> Option<ClusterId> {
    let mut set = names.iter().filter_map(|name| Some((*name, variables.filled(name)?.trim())));
    let (variable, id) = set.next()?;
    for (passed_over, _) in set.filter(|(_, other)| *other != id) {
        draft.notice(Notice::ClusterIdTwice { used: variable, passed_over });
    }
    Some(ClusterId::Given { variable, id: id.to_owned(), bound })
}

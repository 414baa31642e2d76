//! Config providers: values that a file leaves to the environment or to other files.
//!
//! `config.providers` lists aliases, `config.providers.<alias>.class` says which of Kafka's own
//! providers each is, `config.providers.<alias>.param.*` configures it. A variable in a value,
//! `${alias:key}` or `${alias:path:key}`, is replaced once: what comes in is not looked at again. A
//! variable that nothing is found for stays as it is, as does everything where no provider is
//! declared.
//!
//! Pure: the environment and the files are behind [`Machine`]. Answers to AbstractConfig,
//! ConfigTransformer, EnvVarConfigProvider, FileConfigProvider, DirectoryConfigProvider and
//! AllowedPaths (KIP-297, KIP-421, KIP-887). Unlike Kafka: other classes are refused by name, and
//! what came in is not shown in a message about a bad value (docs/decisions/0202).

mod paths;
mod source;
mod variables;

use std::collections::BTreeMap;

use crate::{ConfigError, Properties};
use source::Source;
use variables::Variable;

/// What the machine that a node runs on can be asked for.
pub trait Machine {
    /// The whole environment.
    fn environment(&self) -> BTreeMap<String, String>;
    fn exists(&self, path: &str) -> bool;
    fn is_directory(&self, path: &str) -> bool;
    /// Whether this is a file, or a link to one.
    fn is_file(&self, path: &str) -> bool;
    /// The file's text; nothing if it cannot be read or is not UTF-8.
    fn text(&self, path: &str) -> Option<String>;
}

/// A configuration with its variables replaced.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Resolved {
    pub properties: Properties,
    /// What is worth a line of the log.
    pub warnings: Vec<String>,
    /// What came in, with the variable that it came for; the longest first.
    hidden: Vec<(String, String)>,
}

impl Resolved {
    /// A text about these properties, with variables again where their values stand.
    pub fn masked(&self, text: &str) -> String {
        let replace = |text: String, (value, variable): &(String, String)| {
            variables::replace_word(&text, value, variable)
        };
        self.hidden.iter().fold(text.to_owned(), replace)
    }

    /// The error in the same words, without what came in.
    pub fn mask(&self, error: ConfigError) -> ConfigError {
        let said = error.to_string();
        let masked = self.masked(&said);
        if masked == said { error } else { ConfigError::BadRequest { message: masked } }
    }
}

/// Replaces the variables of a configuration by what its own providers find.
pub fn resolve(given: &Properties, machine: &dyn Machine) -> Result<Resolved, ConfigError> {
    let sources = declared(given, machine)?;
    let mut resolved = Resolved { properties: given.clone(), ..Resolved::default() };
    if sources.is_empty() {
        return Ok(resolved);
    }
    let all: Vec<_> = given.iter().flat_map(|(_, value)| variables::find(value)).collect();
    let mut found: BTreeMap<&Variable<'_>, Option<String>> = BTreeMap::new();
    for (_, variable) in &all {
        let Some(source) = sources.get(variable.provider) else { continue };
        if !found.contains_key(variable) {
            let value = source.look_up(variable, machine, &mut resolved.warnings)?;
            found.insert(variable, value);
        }
    }
    for (name, value) in given.iter() {
        let replaced = variables::replace(value, |variable| found.get(variable)?.clone());
        resolved.properties.set(name, replaced);
    }
    let value_of = |(variable, value): (&&Variable<'_>, &Option<String>)| {
        let value = value.as_deref()?.trim();
        (!value.is_empty()).then(|| (value.to_owned(), variable.to_string()))
    };
    resolved.hidden = found.iter().filter_map(value_of).collect();
    resolved.hidden.sort_by_key(|(value, _)| std::cmp::Reverse(value.len()));
    resolved.warnings.sort();
    resolved.warnings.dedup();
    Ok(resolved)
}

/// The providers by alias. An alias without a class is none, as in Kafka.
fn declared<'a>(
    given: &'a Properties,
    machine: &dyn Machine,
) -> Result<BTreeMap<&'a str, Source>, ConfigError> {
    let aliases = given.get("config.providers").unwrap_or_default();
    let aliases = aliases.split(',').filter(|alias| !alias.is_empty());
    let mut sources = BTreeMap::new();
    for alias in aliases {
        let Some(class) = given.get(&format!("config.providers.{alias}.class")) else { continue };
        let prefix = format!("config.providers.{alias}.param.");
        let parameter = |name: &str| given.get(&format!("{prefix}{name}"));
        sources.insert(alias, Source::configured(alias, class, &parameter, machine)?);
    }
    Ok(sources)
}

#[cfg(test)]
mod tests;

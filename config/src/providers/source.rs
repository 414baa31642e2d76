//! Kafka's three providers: what each is configured with, and how it looks a variable up.

use std::collections::BTreeMap;

use regex::bytes::{Regex, RegexBuilder};

use super::Machine;
use super::paths::AllowedPaths;
use super::variables::Variable;
use crate::{ConfigError, Properties};

const PACKAGE: &str = "org.apache.kafka.common.config.provider.";

#[derive(Debug)]
enum Kind {
    /// The variables of the environment that may be read.
    Environment(BTreeMap<String, String>),
    /// Keys of a properties file.
    File(AllowedPaths),
    /// Files of a directory, whole: line breaks at the end are theirs.
    Directory(AllowedPaths),
}

/// A provider under its alias.
#[derive(Debug)]
pub(super) struct Source {
    alias: String,
    kind: Kind,
}

impl Source {
    pub(super) fn configured<'a>(
        alias: &str,
        class: &str,
        parameter: &dyn Fn(&str) -> Option<&'a str>,
        machine: &dyn Machine,
    ) -> Result<Self, ConfigError> {
        let failed = |problem| ConfigError::Provider { alias: alias.to_owned(), problem };
        let paths = || AllowedPaths::read(parameter("allowed.paths"), machine).map_err(failed);
        let kind = match class.strip_prefix(PACKAGE) {
            Some("EnvVarConfigProvider") => {
                let environment = machine.environment();
                let allowed = allowlist(parameter("allowlist.pattern")).map_err(failed)?;
                let is_allowed = |name: &String| match &allowed {
                    Some(pattern) => pattern.is_match(name.as_bytes()),
                    None => true,
                };
                let allowed = environment.into_iter().filter(|(name, _)| is_allowed(name));
                Kind::Environment(allowed.collect())
            }
            Some("FileConfigProvider") => Kind::File(paths()?),
            Some("DirectoryConfigProvider") => Kind::Directory(paths()?),
            _ => {
                let (alias, class) = (alias.to_owned(), class.to_owned());
                return Err(ConfigError::ProviderClass { alias, class });
            }
        };
        Ok(Self { alias: alias.to_owned(), kind })
    }

    /// What the variable stands for; nothing if there is no such thing.
    pub(super) fn look_up(
        &self,
        variable: &Variable<'_>,
        machine: &dyn Machine,
        warnings: &mut Vec<String>,
    ) -> Result<Option<String>, ConfigError> {
        let failed = |problem| ConfigError::Provider { alias: self.alias.clone(), problem };
        let path = variable.path;
        let mut admitted = |allowed: &AllowedPaths| {
            let admitted = allowed.admit(path).filter(|_| !path.is_empty());
            if admitted.is_none() && !path.is_empty() {
                warnings.push(format!("The path {path} is not allowed to be accessed"));
            }
            admitted
        };
        match &self.kind {
            Kind::Environment(_) if !path.is_empty() => Err(failed(format!(
                "Path is not supported for EnvVarConfigProvider, invalid value '{path}'"
            ))),
            Kind::Environment(environment) => Ok(environment.get(variable.key).cloned()),
            Kind::File(allowed) => {
                let Some(file) = admitted(allowed) else { return Ok(None) };
                let unreadable = || failed(format!("Could not read properties from file {path}"));
                let text = machine.text(&file).ok_or_else(unreadable)?;
                let properties = Properties::parse(text.as_bytes()).map_err(|_| unreadable())?;
                Ok(properties.get(variable.key).map(str::to_owned))
            }
            Kind::Directory(allowed) => {
                let Some(directory) = admitted(allowed) else { return Ok(None) };
                if !machine.is_directory(&directory) {
                    warnings.push(format!("The path {path} is not a directory"));
                    return Ok(None);
                }
                let key = variable.key;
                let file = format!("{}/{key}", directory.trim_end_matches('/'));
                let is_name = !key.is_empty() && !key.contains('/');
                if !is_name || !machine.is_file(&file) {
                    return Ok(None);
                }
                let unreadable =
                    || failed(format!("Could not read file {file} for property {key}"));
                machine.text(&file).map(Some).ok_or_else(unreadable)
            }
        }
    }
}

/// The pattern that a whole name must match. Unlike Kafka: what only Java's patterns have, such as
/// look-around, is refused.
fn allowlist(given: Option<&str>) -> Result<Option<Regex>, String> {
    let Some(given) = given else { return Ok(None) };
    // Java's classes such as \w are of ASCII, too.
    let pattern = RegexBuilder::new(&format!(r"\A(?:{given})\z")).unicode(false).build();
    pattern
        .map(Some)
        .map_err(|_| format!("allowlist.pattern={given} is no pattern that Gregor reads"))
}

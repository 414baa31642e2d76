//! The JAAS file that a container's KAFKA_OPTS names, which is mounted beside its variables.

use security::sasl::jaas::JaasFile;

use super::{ImageEnvironment, Variables};
use crate::broker::LoginFile;

const OPTION: &str = "-Djava.security.auth.login.config=";

/// Where it is, if it is named.
pub(super) fn path(variables: &Variables) -> Option<&str> {
    let options = variables.filled("KAFKA_OPTS")?;
    options.split_whitespace().find_map(|option| option.strip_prefix(OPTION))
}

/// What it says, where it is named.
pub(super) fn of(given: &ImageEnvironment) -> Option<LoginFile> {
    let path = path(&given.variables)?;
    Some(match given.files.get(path) {
        Some(bytes) => JaasFile::parse(&String::from_utf8_lossy(bytes))
            .map_err(|error| format!("{path}: {error}")),
        None => Err(format!("{path} cannot be read")),
    })
}

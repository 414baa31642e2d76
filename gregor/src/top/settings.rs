//! What `gregor top` asks with: the properties of a `--command-config` file, as Kafka's tools read
//! them. A file that asks for TLS or SASL is refused before anything is sent.

use std::path::{Path, PathBuf};
use std::time::Duration;

use client::admin::{AdminSettings, SettingsError};
use config::{ConfigError, Properties};

/// How long the cluster may take for one question, where the file does not say.
const PATIENCE: Duration = Duration::from_secs(5);

#[derive(Debug, thiserror::Error)]
pub(super) enum FileError {
    #[error("{path}: {error}")]
    Unreadable { path: PathBuf, error: std::io::Error },
    #[error("{path}: {error}")]
    NoProperties { path: PathBuf, error: ConfigError },
    #[error("{path}: {error}")]
    Settings { path: PathBuf, error: SettingsError },
}

/// The settings of a file, or those where there is none.
pub(super) fn settings(path: Option<&Path>) -> Result<AdminSettings, FileError> {
    let Some(path) = path else {
        return Ok(AdminSettings { call_timeout: PATIENCE, ..AdminSettings::default() });
    };
    let bytes = std::fs::read(path)
        .map_err(|error| FileError::Unreadable { path: path.to_owned(), error })?;
    let properties = Properties::parse(&bytes)
        .map_err(|error| FileError::NoProperties { path: path.to_owned(), error })?;
    of_properties(&properties).map_err(|error| FileError::Settings { path: path.to_owned(), error })
}

fn of_properties(properties: &Properties) -> Result<AdminSettings, SettingsError> {
    let mut settings = AdminSettings::from_properties(cli::login_file::beside(properties).iter())?;
    settings.check_timeouts()?;
    if properties.get("default.api.timeout.ms").is_none() {
        settings.call_timeout = PATIENCE;
    }
    Ok(settings)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<AdminSettings, SettingsError> {
        of_properties(&Properties::parse(text.as_bytes()).unwrap())
    }

    #[test]
    fn a_call_lasts_as_long_as_the_file_says() {
        let table = [
            ("client.id=watch", 5000),
            ("request.timeout.ms=60000", 5000),
            ("request.timeout.ms=100\ndefault.api.timeout.ms=700", 700),
        ];
        for (text, expected) in table {
            let settings = read(text).unwrap();
            assert_eq!(settings.call_timeout, Duration::from_millis(expected), "{text}");
        }
        assert_eq!(read("client.id=watch").unwrap().client_id, "watch");
        assert_eq!(read("default.api.timeout.ms=700"), Err(SettingsError::CallTimeout));
    }
}

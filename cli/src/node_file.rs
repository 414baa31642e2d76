//! A node's configuration as its properties file says it: read, overridden, its variables replaced
//! by config providers, and checked. What kafka-server-start and kafka-storage begin with.
//!
//! Nothing that a config provider found stands in an error or a warning from here.

use std::path::{Path, PathBuf};

use config::{BrokerConfig, ConfigError, Properties, providers};
use thiserror::Error;

use crate::login_file;
use crate::machine::ThisMachine;

/// A configuration that is valid, with what its owner should know.
#[derive(Debug)]
pub struct NodeConfig {
    pub config: BrokerConfig,
    /// One line each.
    pub warnings: Vec<String>,
    /// Whether the file names roles; a node of the ZooKeeper era formats its own directories.
    pub is_kraft: bool,
}

#[derive(Debug, Error)]
#[non_exhaustive]
pub enum NodeFileError {
    #[error("Cannot read {}: {cause}", file.display())]
    Unreadable { file: PathBuf, cause: std::io::Error },
    /// The file is not in its format.
    #[error("Cannot read {}: {cause}", file.display())]
    Broken { file: PathBuf, cause: ConfigError },
    #[error(transparent)]
    Config(#[from] ConfigError),
}

impl NodeConfig {
    /// Reads a file; `overrides` replace what it says.
    pub fn read(file: &Path, overrides: &[(String, String)]) -> Result<Self, NodeFileError> {
        let bytes = std::fs::read(file)
            .map_err(|cause| NodeFileError::Unreadable { file: file.to_owned(), cause })?;
        let mut properties = Properties::parse(&bytes)
            .map_err(|cause| NodeFileError::Broken { file: file.to_owned(), cause })?;
        for (name, value) in overrides {
            properties.set(name, value);
        }
        Ok(Self::from_properties(&properties)?)
    }

    /// Replaces variables by what config providers find, and checks.
    pub fn from_properties(given: &Properties) -> Result<Self, ConfigError> {
        let resolved = providers::resolve(given, &ThisMachine)?;
        let (config, warnings) = BrokerConfig::from_properties(&resolved.properties)
            .map_err(|error| resolved.mask(error))?;
        let config = match login_file::of_node() {
            Some(file) => config.with_login_file(file),
            None => config,
        };
        let said = warnings.iter().map(|warning| resolved.masked(&warning.to_string()));
        let warnings = resolved.warnings.iter().cloned().chain(said).collect();
        Ok(Self { config, warnings, is_kraft: given.contains("process.roles") })
    }

    /// What a node that starts must satisfy; nothing is touched before this is asked.
    pub fn check_start(&self) -> Result<(), ConfigError> {
        self.config.check_start()
    }
}

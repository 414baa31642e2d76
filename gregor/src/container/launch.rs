//! `launch`: starts the node or the ZooKeeper service from the file that `configure` wrote.
//!
//! A ZooKeeper service is this program again, by its command: the process keeps its number.

use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use cli::NodeConfig;
use config::BrokerConfig;
use config::dialect::Dialect;
use storage::{MetaProperties, MetaPropertiesError};

use super::asked::Asked;
use super::environment::{hear, shell};
use super::failure::Failure;
use super::files::find;
use super::log::LOG;
use super::topics;
use crate::daemon::Launch;
use crate::server_start::{self, ServerStart};

pub(super) fn launch(asked: &Asked) -> Result<ExitCode, Failure> {
    let heard = hear(asked);
    let file = find(&asked.root, heard.dialect)?;
    if heard.dialect == Dialect::ZooKeeper {
        return Err(zookeeper(&file));
    }
    if let Some(text) = heard.dialect.initial_command(&heard.variables) {
        tracing::info!(target: LOG, "Running CUSTOM_INIT_SCRIPT");
        let variable = || "CUSTOM_INIT_SCRIPT".to_owned();
        let status = shell(text, &heard.variables)
            .status()
            .map_err(|cause| Failure::NoShell { variable: variable(), cause })?;
        if !status.success() {
            return Err(Failure::Command { variable: variable(), status: status.to_string() });
        }
    }
    let node = NodeConfig::read(&file, &asked.overrides)?;
    if node.is_kraft {
        check_formatted(&node.config)?;
    }
    // Notices were given by configure.
    let (wanted, _) = heard.dialect.topics(&heard.variables);
    topics::create_when_served(&node.config, wanted, topics::patience(&heard.variables));
    let start = ServerStart { file, overrides: asked.overrides.clone() };
    Ok(server_start::run(&start, &Launch::default()))
}

/// A node of the ZooKeeper era formats when it starts; any other one must have been.
fn check_formatted(config: &BrokerConfig) -> Result<(), Failure> {
    let directory = PathBuf::from(&config.metadata_log_dir);
    match MetaProperties::read(&directory) {
        Err(MetaPropertiesError::Missing) => {
            Err(Failure::NotFormatted { directory, example: cli::random_uuid().to_string() })
        }
        _ => Ok(()),
    }
}

/// Becomes `zookeeper-server-start FILE`; returns only when it cannot.
fn zookeeper(file: &Path) -> Failure {
    let program = match std::env::current_exe() {
        Ok(program) => program,
        Err(cause) => return Failure::NoProgram { program: "/proc/self/exe".into(), cause },
    };
    let cause = Command::new(&program).arg("zookeeper-server-start").arg(file).exec();
    Failure::NoProgram { program, cause }
}

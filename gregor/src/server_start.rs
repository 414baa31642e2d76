//! `kafka-server-start [-daemon] FILE [--override K=V]…`: a node from a properties file.
//!
//! Nothing on disk is touched before everything is known that would refuse the start; with
//! `-daemon` the refusal is said in the terminal, and the node's own words go to its file.

use std::path::PathBuf;
use std::process::ExitCode;

use broker::logging;
use clap::Args;
use cli::NodeConfig;

use crate::container::directories;
use crate::property::property;
use crate::{daemon, zookeeper};

#[derive(Debug, Args)]
pub(crate) struct ServerStart {
    /// The properties file
    pub(crate) file: PathBuf,
    /// Optional property that should override values set in the properties file
    #[arg(long = "override", value_name = "PROPERTY=VALUE", value_parser = property)]
    pub(crate) overrides: Vec<(String, String)>,
}

pub(crate) fn run(start: &ServerStart, launch: &daemon::Launch) -> ExitCode {
    daemon::detach_if_asked();
    logging::start();
    let node = NodeConfig::read(&start.file, &start.overrides);
    let node = match node.and_then(|node| node.check_start().map(|()| node).map_err(Into::into)) {
        Ok(node) => node,
        Err(error) => return refuse(&error.to_string()),
    };
    if let Err(why) = directories::check_node(&node.config) {
        return refuse(&why);
    }
    if launch.is_daemon {
        return match daemon::start(launch, "kafkaServer") {
            Ok(_) => ExitCode::SUCCESS,
            Err(error) => refuse(&format!("Cannot start in the background: {error}")),
        };
    }
    // A broker of the ZooKeeper era was never formatted by hand (docs/decisions/0220).
    let Some(connect) = node.config.zookeeper.broker() else { return serve(node) };
    let mut directories = node.config.log_dirs.clone();
    directories.push(node.config.metadata_log_dir.clone());
    match zookeeper::join(&start.file, &start.overrides, connect, &directories) {
        Ok(joined) => serve(joined),
        Err(error) => {
            refuse(&format!("Fatal error during KafkaServer startup. Prepare to shutdown: {error}"))
        }
    }
}

/// One line that says what is wrong; nothing was touched.
pub(crate) fn refuse(why: &str) -> ExitCode {
    tracing::error!(target: "kafka.Kafka", "{why}");
    ExitCode::FAILURE
}

/// Runs a node whose directories are formatted, until a signal stops it.
pub(crate) fn serve(node: NodeConfig) -> ExitCode {
    if let Some(needed) = &node.config.sasl.kerberos
        && let Err(why) = cli::kerberos::enter(needed)
    {
        return refuse(&why);
    }
    for warning in &node.warnings {
        tracing::warn!(target: "kafka.server.KafkaConfig", "{warning}");
    }
    match broker::run(node.config) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            refuse(&format!("Exiting Kafka due to fatal exception during startup: {error}"))
        }
    }
}

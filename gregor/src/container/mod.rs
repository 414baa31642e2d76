//! `gregor container …`: what the start scripts and the health check of an image call.
//!
//! ```text
//! configure: environment, K=V, mounted files ─▶ config::dialect ─▶ file, formatted storage
//! launch:    that file ─▶ kafka-server-start or zookeeper-server-start, in this process
//! run:       both
//! health:    the process that was started ─▶ its file ─▶ does it serve
//! ```
//! Which dialect it is follows from `--dialect` (what the image's entry paths pass) or from the
//! variables, and is said in one line. Decisions are all in `config::dialect`; here are reading,
//! writing and starting. A refusal is one ERROR line, exit code 1, and nothing on disk is touched.

mod configure;
mod directories;
mod environment;
mod failure;
mod files;
mod health;
mod launch;
mod running;
mod topics;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Subcommand};
use config::BrokerConfig;
use config::dialect::Dialect;

use crate::args::property;

const LOG: &str = "gregor.container";

#[derive(Debug, Args)]
pub(crate) struct ContainerArgs {
    #[command(subcommand)]
    command: ContainerCommand,
}

#[derive(Debug, Subcommand)]
enum ContainerCommand {
    /// Write the properties file and format the log directories
    Configure(Asked),
    /// Start from the file that configure wrote
    Launch(Asked),
    /// Configure, then launch
    Run(Asked),
    /// Whether the node in this container serves: one line, exit code 0 or 1
    Health,
}

/// What each of the commands is told.
#[derive(Debug, Args)]
struct Asked {
    /// Whose image it is: cp-kafka, confluent-local, apache, bitnami, wurstmeister, zookeeper, or
    /// auto
    #[arg(long, value_parser = dialect, default_value = "auto")]
    dialect: Wanted,
    /// Where the image's paths begin, for tests
    #[arg(long, hide = true, default_value = "/")]
    root: PathBuf,
    /// Optional property that should override values set in the properties file
    #[arg(long = "override", value_name = "PROPERTY=VALUE", value_parser = property)]
    overrides: Vec<(String, String)>,
    /// Variables that take the place of those in the environment
    #[arg(value_name = "VARIABLE=VALUE", value_parser = property)]
    settings: Vec<(String, String)>,
}

/// A dialect, or the one that the variables name.
#[derive(Debug, Clone, Copy)]
struct Wanted(Option<Dialect>);

fn dialect(word: &str) -> Result<Wanted, String> {
    match (word, Dialect::named(word)) {
        ("auto", _) => Ok(Wanted(None)),
        (_, Some(dialect)) => Ok(Wanted(Some(dialect))),
        (_, None) => {
            let names = Dialect::ALL.map(Dialect::name).join(", ");
            Err(format!("expected auto or one of {names}"))
        }
    }
}

/// Whether the log directories of a node can be written; if not, what to change.
pub(crate) fn check_directories(config: &BrokerConfig) -> Result<(), String> {
    directories::check_all(&directories::of_node(config)).map_err(|failure| failure.to_string())
}

pub(crate) fn run(args: &ContainerArgs) -> ExitCode {
    let start = |asked: &Asked, configures: bool, launches: bool| {
        broker::logging::start();
        let configured = if configures { configure::configure(asked) } else { Ok(()) };
        let done = configured.and_then(|()| match launches {
            true => launch::launch(asked),
            false => Ok(ExitCode::SUCCESS),
        });
        done.unwrap_or_else(|failure| {
            tracing::error!(target: LOG, "{failure}");
            ExitCode::FAILURE
        })
    };
    match &args.command {
        ContainerCommand::Configure(asked) => start(asked, true, false),
        ContainerCommand::Launch(asked) => start(asked, false, true),
        ContainerCommand::Run(asked) => start(asked, true, true),
        ContainerCommand::Health => health::run(),
    }
}

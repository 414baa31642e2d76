//! `gregor container …`: what the image calls inside a container.

mod health;
mod running;

use std::process::ExitCode;

use clap::{Args, Subcommand};

#[derive(Debug, Args)]
pub(crate) struct ContainerArgs {
    #[command(subcommand)]
    command: ContainerCommand,
}

#[derive(Debug, Subcommand)]
enum ContainerCommand {
    /// Whether the node in this container serves: one line, exit code 0 or 1
    Health,
}

pub(crate) fn run(args: &ContainerArgs) -> ExitCode {
    match args.command {
        ContainerCommand::Health => health::run(),
    }
}

//! `gregor`: a Kafka broker and controller, and Kafka's tools that work on files.

mod args;
mod cli_release;
mod cluster;
mod completion;
mod container;
mod daemon;
mod install;
mod ports;
mod property;
mod run_class;
mod server_start;
mod server_stop;
mod servers;
mod top;
mod zookeeper;

use std::process::ExitCode;

use args::{Asked, Command};
use broker::logging;
use cli::NodeConfig;
use cli_release::cli_release;
use server_start::{refuse, serve};

fn main() -> ExitCode {
    let asked = match args::parse(std::env::args_os()) {
        Asked::Tool { name, release, args } => return run_tool(name, release, &args),
        Asked::Gregor(asked) => asked,
        Asked::Usage(usage) => {
            println!("{usage}");
            return ExitCode::FAILURE;
        }
        Asked::NoClass(words) => {
            eprintln!("{words}");
            return ExitCode::FAILURE;
        }
        Asked::NotNative(name) => {
            eprintln!("{}", args::not_native(name));
            return ExitCode::FAILURE;
        }
    };
    match asked.command {
        None => start_unconfigured(),
        Some(Command::ServerStart(start)) => server_start::run(&start, &asked.launch),
        Some(Command::ServerStop(stop)) => stop.run(),
        Some(Command::ZooKeeperStart(start)) => zookeeper::run(&start, &asked.launch),
        Some(Command::ZooKeeperStop(stop)) => stop.run(),
        Some(Command::ZooKeeperShell(shell)) => shell.run(),
        Some(Command::Install(install)) => install::run(&install),
        Some(Command::Cluster(args)) => cluster::run(args),
        Some(Command::Container(args)) => container::run(args),
        Some(Command::Completion(args)) => completion::run(&args),
        Some(Command::Top(args)) => top::run(&args),
    }
}

/// `gregor` alone: localhost:9092, data in ./gregor-data, formatted here if it is not yet.
fn start_unconfigured() -> ExitCode {
    logging::start();
    let node = match NodeConfig::from_properties(&config::broker::zero_properties()) {
        Ok(node) => node,
        Err(error) => return refuse(&error.to_string()),
    };
    let directory = node.config.log_dirs.first().map_or("gregor-data", String::as_str).to_owned();
    if let Err(error) = cli::format_if_new(&node.config) {
        return refuse(&format!("Cannot format {directory}: {error}"));
    }
    let shown = std::path::absolute(&directory).unwrap_or_else(|_| directory.clone().into());
    tracing::info!(
        target: "kafka.Kafka",
        "No configuration given: listening on localhost:9092, data in {}",
        shown.display(),
    );
    serve(node)
}

fn run_tool(tool: &str, asked: Option<String>, args: &[String]) -> ExitCode {
    let release = match cli_release(asked, |name| std::env::var(name).ok()) {
        Ok(release) => release,
        Err(unknown) => {
            eprintln!("{unknown}");
            return ExitCode::FAILURE;
        }
    };
    let code = cli::run(release, tool, args).unwrap_or(1);
    u8::try_from(code).map_or(ExitCode::FAILURE, ExitCode::from)
}

//! `gregor`: a Kafka broker and controller, and Kafka's tools that work on files.

mod args;
mod cluster;
mod container;

use std::path::Path;
use std::process::ExitCode;

use args::{Asked, Command, ServerStart};
use broker::logging;
use config::{BrokerConfig, ConfigError, Properties, Warning};

fn main() -> ExitCode {
    let asked = match args::parse(std::env::args_os()) {
        Asked::Tool { name, args } => return run_tool(name, &args),
        Asked::Gregor(asked) => asked,
    };
    match asked.command {
        None => start_unconfigured(),
        Some(Command::ServerStart(start)) => start_from_file(&start),
        Some(Command::Cluster(args)) => cluster::run(args),
        Some(Command::Container(args)) => container::run(args),
    }
}

/// `gregor` alone: localhost:9092, data in ./gregor-data, formatted here if it is not yet.
fn start_unconfigured() -> ExitCode {
    logging::start();
    let (config, warnings) = match BrokerConfig::zero_configuration() {
        Ok(read) => read,
        Err(error) => return refuse(&error),
    };
    let directory = config.log_dirs.first().map_or("gregor-data", String::as_str).to_owned();
    if let Err(error) = cli::format_if_new(&config) {
        tracing::error!(target: "kafka.Kafka", "Cannot format {directory}: {error}");
        return ExitCode::FAILURE;
    }
    let shown = std::path::absolute(&directory).unwrap_or_else(|_| directory.clone().into());
    tracing::info!(
        target: "kafka.Kafka",
        "No configuration given: listening on localhost:9092, data in {}",
        shown.display(),
    );
    run(config, &warnings)
}

fn run_tool(tool: &str, args: &[String]) -> ExitCode {
    let code = cli::run(tool, args).unwrap_or(1);
    u8::try_from(code).map_or(ExitCode::FAILURE, ExitCode::from)
}

fn start_from_file(start: &ServerStart) -> ExitCode {
    logging::start();
    let read = read_properties(&start.file).and_then(|mut properties| {
        for (name, value) in &start.overrides {
            properties.set(name, value);
        }
        let (config, warnings) = BrokerConfig::from_properties(&properties)?;
        Ok((config, warnings, properties.contains("process.roles")))
    });
    let (config, warnings, is_kraft) = match read {
        Ok(read) => read,
        Err(error) => return refuse(&error),
    };
    // A node of the ZooKeeper era was never formatted by hand (docs/decisions/0012).
    if !is_kraft && let Err(error) = cli::format_if_new(&config) {
        tracing::error!(target: "kafka.Kafka", "Cannot format the log directory: {error}");
        return ExitCode::FAILURE;
    }
    run(config, &warnings)
}

fn read_properties(file: &Path) -> Result<Properties, ConfigError> {
    match std::fs::read(file) {
        Ok(bytes) => Properties::parse(&bytes).map_err(|error| {
            let file = file.display();
            ConfigError::BadRequest { message: format!("Cannot read {file}: {error}") }
        }),
        Err(error) => {
            tracing::error!(target: "kafka.Kafka", "Cannot read {}: {error}", file.display());
            std::process::exit(1);
        }
    }
}

/// One line that says what is wrong; nothing was touched.
fn refuse(error: &ConfigError) -> ExitCode {
    tracing::error!(target: "kafka.Kafka", "{error}");
    ExitCode::FAILURE
}

fn run(config: BrokerConfig, warnings: &[Warning]) -> ExitCode {
    for warning in warnings {
        tracing::warn!(target: "kafka.server.KafkaConfig", "{warning}");
    }
    match broker::run(config) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!(
                target: "kafka.Kafka",
                "Exiting Kafka due to fatal exception during startup: {error}",
            );
            ExitCode::FAILURE
        }
    }
}

//! `kafka-storage`: formats the directories of a node, and says what is in them.
//!
//! Answers to kafka.tools.StorageTool. Commands: `format`, `info`, `random-uuid`,
//! `version-mapping`, `feature-dependencies`.

mod checkpoint;
mod directories;
mod failure;
mod flags;
mod format;
mod formatter;
mod inspect;
mod levels;
pub(crate) mod scram;
mod versions;
mod voters;

use std::io::Write;
use std::path::Path;

use config::BrokerConfig;
use protocol::Base64Uuid;
use uuid::Uuid;

use crate::arguments::{ParsedOptions, Stopped, parse};
use crate::noted;
use crate::wrap::wrap;
use crate::{NodeConfig, NodeFileError};

pub use failure::Failure;
use flags::{COMMANDS, Command, DESCRIPTION, USAGE};
pub use formatter::{Formatted, format_if_new, format_if_new_as};

/// A random id: of a cluster or a directory.
pub fn random_uuid() -> Base64Uuid {
    Base64Uuid::random(Uuid::new_v4)
}

/// Runs the tool; the exit code is 0 or 1.
pub(crate) fn run(arguments: &[String], out: &mut dyn Write, err: &mut dyn Write) -> i32 {
    noted::commands(COMMANDS.iter().map(|command| {
        (command.name, command.flags.iter().map(|flag| (flag.long, flag.takes_value)))
    }));
    let done = match select(arguments) {
        Selected::Help => Ok((out.write_all(help().as_bytes()), 0)),
        Selected::Wrong(problem) => Ok((complain(err, USAGE, &problem), 1)),
        Selected::Command(command, words) => match parse(command.flags, words) {
            Err(Stopped::Help | Stopped::Version) => {
                Ok((out.write_all(command.help().as_bytes()), 0))
            }
            Err(Stopped::Wrong(problem)) => Ok((complain(err, command.usage, &problem), 1)),
            Ok(given) => execute(command, &given, out).map(|code| (Ok(()), code)),
        },
    };
    let (written, code) = done.unwrap_or_else(|failure| (writeln!(err, "{failure}"), 1));
    // Streams that nobody reads any more are no reason to fail.
    drop(written);
    code
}

enum Selected<'a> {
    Help,
    Wrong(String),
    Command(&'static Command, &'a [String]),
}

/// Finds the command that the first word names.
fn select(arguments: &[String]) -> Selected<'_> {
    let Some((first, rest)) = arguments.split_first() else {
        return Selected::Wrong("too few arguments".to_owned());
    };
    if first == "-h" || first == "--help" {
        return Selected::Help;
    }
    if first.starts_with('-') {
        return Selected::Wrong(format!("unrecognized arguments: '{first}'"));
    }
    match COMMANDS.iter().find(|command| command.name == first) {
        Some(command) => Selected::Command(command, rest),
        None => {
            let names: Vec<_> = COMMANDS.iter().map(|each| format!("'{}'", each.name)).collect();
            let names = names.join(", ");
            Selected::Wrong(format!("invalid choice: '{first}' (choose from {names})"))
        }
    }
}

fn complain(err: &mut dyn Write, usage: &str, problem: &str) -> std::io::Result<()> {
    write!(err, "{usage}\n{}", wrap(&format!("kafka-storage: error: {problem}")))
}

fn help() -> String {
    let mut help = format!("{USAGE}\n\n{DESCRIPTION}\n\npositional arguments:\n");
    for command in COMMANDS {
        help.push_str(&format!("    {:<20} {}\n", command.name, command.about));
    }
    help + flags::HELP_FLAG
}

fn execute(command: &Command, given: &ParsedOptions, out: &mut dyn Write) -> Result<i32, Failure> {
    match command.name {
        "format" => format::run(given, &read_config(given)?, out).map(|()| 0),
        "info" => inspect::run(&read_config(given)?, given.is_set("json"), out),
        "version-mapping" => versions::map(given.value("release-version"), out).map(|()| 0),
        "feature-dependencies" => versions::dependencies(given.values("feature"), out).map(|()| 0),
        _ => Ok(writeln!(out, "{}", random_uuid()).map(|()| 0)?),
    }
}

fn read_config(given: &ParsedOptions) -> Result<BrokerConfig, Failure> {
    let path = given.value("config").unwrap_or_default();
    let read = NodeConfig::read(Path::new(path), &[]).map_err(|error| match error {
        NodeFileError::Unreadable { cause, .. } => {
            Failure::Unreadable { path: path.to_owned(), cause }
        }
        NodeFileError::Broken { cause, .. } | NodeFileError::Config(cause) => cause.into(),
    });
    Ok(read?.config)
}

//! The command line: `gregor` alone, `gregor kafka-server-start FILE`, `gregor kafka-storage …`,
//! `gregor cluster`.
//!
//! The program also goes by the tool's name (`kafka-server-start`, `kafka-storage.sh`, …) when it
//! is called through a link of that name.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use clap::{Args, Parser, Subcommand};

use crate::cluster::ClusterArgs;
use crate::container::ContainerArgs;

/// A Kafka broker and controller in one process.
#[derive(Debug, Parser)]
#[command(name = "gregor", version, about, disable_help_subcommand = true)]
pub(crate) struct CommandLine {
    #[command(subcommand)]
    pub(crate) command: Option<Command>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Start a node from a Kafka properties file
    #[command(name = "kafka-server-start")]
    ServerStart(ServerStart),
    /// Run a whole cluster on this machine, each node a process of its own
    Cluster(ClusterArgs),
    /// Do what the start scripts of an image of Kafka do
    Container(ContainerArgs),
}

#[derive(Debug, Args)]
pub(crate) struct ServerStart {
    /// The properties file
    pub(crate) file: PathBuf,
    /// Optional property that should override values set in the properties file
    #[arg(long = "override", value_name = "PROPERTY=VALUE", value_parser = property)]
    pub(crate) overrides: Vec<(String, String)>,
}

/// What the command line asks for.
#[derive(Debug)]
pub(crate) enum Asked {
    Gregor(CommandLine),
    /// One of Kafka's tools, with the words behind its name.
    Tool {
        name: &'static str,
        args: Vec<String>,
    },
}

/// The command line as it was typed, with a link's name put in as the first word.
pub(crate) fn parse(words: impl IntoIterator<Item = OsString>) -> Asked {
    let mut words: Vec<OsString> = words.into_iter().collect();
    if let Some(tool) = words.first().and_then(|program| link_name(Path::new(program))) {
        words.insert(1, tool.into());
    }
    let first = words.get(1).and_then(|word| word.to_str());
    match first.and_then(cli::tool) {
        Some(name) => {
            let args = words.split_off(2);
            let args = args.into_iter().map(|word| word.to_string_lossy().into_owned()).collect();
            Asked::Tool { name, args }
        }
        None => Asked::Gregor(CommandLine::parse_from(words)),
    }
}

/// Commands of this program itself that it also does when a link of their name is called.
const LINKED: &[&str] = &["kafka-server-start"];

fn link_name(program: &Path) -> Option<String> {
    let name = program.file_name()?.to_str()?;
    let name = name.strip_suffix(".sh").unwrap_or(name);
    (LINKED.contains(&name) || cli::tool(name).is_some()).then(|| name.to_owned())
}

pub(crate) fn property(word: &str) -> Result<(String, String), String> {
    match word.split_once('=') {
        Some((key, value)) if !key.is_empty() => Ok((key.to_owned(), value.to_owned())),
        _ => Err(format!("expected PROPERTY=VALUE, not \"{word}\"")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(line: &str) -> Vec<OsString> {
        line.split(' ').map(OsString::from).collect()
    }

    fn words_of(line: &str) -> Vec<String> {
        line.split(' ').map(str::to_owned).collect()
    }

    #[test]
    fn overrides_may_stand_on_both_sides_of_the_file() {
        let line = "gregor kafka-server-start --override a=1 f.properties --override b=x=y";
        let Asked::Gregor(asked) = parse(words(line)) else { panic!() };
        let Some(Command::ServerStart(start)) = asked.command else { panic!() };
        assert_eq!(start.file, Path::new("f.properties"));
        let expected = [("a", "1"), ("b", "x=y")].map(|(k, v)| (k.to_owned(), v.to_owned()));
        assert_eq!(start.overrides, expected);
    }

    #[test]
    fn a_link_by_a_tools_name_is_the_tool() {
        let line = "/opt/kafka/bin/kafka-storage.sh format -t x -c f";
        let Asked::Tool { name, args } = parse(words(line)) else { panic!() };
        assert_eq!((name, args), ("kafka-storage", words_of("format -t x -c f")));
        let Asked::Gregor(asked) = parse(words("./gregor")) else { panic!() };
        assert!(asked.command.is_none());
    }

    #[test]
    fn an_override_without_a_value_is_refused() {
        let refused =
            CommandLine::try_parse_from(words("gregor kafka-server-start f --override a"));
        assert!(refused.is_err());
    }
}

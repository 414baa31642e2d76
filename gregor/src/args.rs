//! The command line: `gregor` alone, `gregor kafka-server-start FILE`, `gregor kafka-storage …`,
//! `gregor cluster`, `gregor install DIR`.
//!
//! The program also goes by the tool's name (`kafka-server-start`, `kafka-storage.sh`, …) when it
//! is called through a link of that name. `gregor --as 3.7 TOOL …`, or KAFKA_CLI_RELEASE in the
//! environment, has tools speak as those of that release.

use std::ffi::OsString;
use std::path::Path;

use clap::{CommandFactory, Parser, Subcommand};

use crate::cluster::ClusterArgs;
use crate::completion::CompletionArgs;
use crate::container::ContainerArgs;
use crate::daemon::Launch;
use crate::install::{self, Install};
use crate::run_class;
use crate::server_start::ServerStart;
use crate::server_stop::{ServerStop, ZooKeeperStop};
use crate::top::TopArgs;
use crate::zookeeper::{ZooKeeperShell, ZooKeeperStart};

/// A Kafka broker and controller in one process.
#[derive(Debug, Parser)]
#[command(name = "gregor", version, about, disable_help_subcommand = true)]
pub(crate) struct CommandLine {
    #[command(subcommand)]
    pub(crate) command: Option<Command>,
    /// What stood in front of the file of a server to start.
    #[arg(skip)]
    pub(crate) launch: Launch,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Start a node from a Kafka properties file
    #[command(name = "kafka-server-start")]
    ServerStart(ServerStart),
    /// Stop nodes that were started from this installation
    #[command(name = "kafka-server-stop")]
    ServerStop(ServerStop),
    /// Start the service that brokers with a zookeeper.connect expect, from a zookeeper.properties
    #[command(name = "zookeeper-server-start")]
    ZooKeeperStart(ZooKeeperStart),
    /// Stop ZooKeeper services that were started from this installation
    #[command(name = "zookeeper-server-stop")]
    ZooKeeperStop(ZooKeeperStop),
    /// Look at what brokers kept in a ZooKeeper: ls and get of its paths
    #[command(name = "zookeeper-shell")]
    ZooKeeperShell(ZooKeeperShell),
    /// Lay out what a download of Kafka has: bin/*.sh and config/*.properties
    Install(Install),
    /// Run a whole cluster on this machine, each node a process of its own
    Cluster(ClusterArgs),
    /// Do what the start scripts of an image of Kafka do
    Container(ContainerArgs),
    /// Print a script by which a shell completes commands, tools and their flags
    Completion(CompletionArgs),
    /// Show how a cluster lives: its brokers, topics and groups, every second
    Top(TopArgs),
}

/// What the command line asks for.
#[derive(Debug)]
pub(crate) enum Asked {
    Gregor(CommandLine),
    /// One of Kafka's tools, with the words behind its name.
    Tool {
        name: &'static str,
        /// Whose words it has, where `--as` says so.
        release: Option<String>,
        args: Vec<String>,
    },
    /// A server was to be started, and nothing says from what: the words for that.
    Usage(String),
    /// A Java class was to be run, and stands behind no tool here: what to say.
    NoClass(String),
    /// One of Kafka's tools that only Kafka has.
    NotNative(&'static str),
}

/// The command line as it was typed, with a link's name put in as the first word.
pub(crate) fn parse(words: impl IntoIterator<Item = OsString>) -> Asked {
    let mut words: Vec<OsString> = words.into_iter().collect();
    let link = words.first().and_then(|program| link_name(Path::new(program)));
    if let Some(tool) = &link {
        words.insert(1, tool.into());
    }
    let release = if link.is_none() { take_release(&mut words) } else { None };
    let first = words.get(1).and_then(|word| word.to_str()).map(without_suffix);
    if first == Some(run_class::NAME)
        && let Err(reason) = run_class::resolve(&mut words, 1)
    {
        return Asked::NoClass(reason);
    }
    let first = words.get(1).and_then(|word| word.to_str()).map(without_suffix);
    if let Some(name) = first.and_then(cli::tool) {
        let args = words.split_off(2);
        let args = args.into_iter().map(|word| word.to_string_lossy().into_owned()).collect();
        return Asked::Tool { name, release, args };
    }
    let script = first.and_then(install::script);
    if let Some(name) = script {
        if CommandLine::command().find_subcommand(name).is_none() {
            return Asked::NotNative(name);
        }
        // As a command it goes without `.sh`.
        words.splice(1..2, [name.into()]);
    }
    let server = script.and_then(|name| SERVERS.iter().find(|(server, _)| *server == name));
    let mut launch = Launch::default();
    if let Some((name, usage)) = server {
        let words_of_usage = |program: Option<&OsString>| {
            let program = program.map(|word| word.to_string_lossy().into_owned());
            let program = program.unwrap_or_default();
            if link.is_some() { program } else { format!("{program} {name}") }
        };
        launch = Launch::take(&mut words, 2);
        launch.at -= usize::from(link.is_some());
        if words.len() == 2 {
            return Asked::Usage(format!("USAGE: {} {usage}", words_of_usage(words.first())));
        }
    }
    let mut asked = CommandLine::parse_from(words);
    asked.launch = launch;
    Asked::Gregor(asked)
}

/// Takes `--as RELEASE`, or `--as=RELEASE`, out from before a tool's name.
fn take_release(words: &mut Vec<OsString>) -> Option<String> {
    let first = words.get(1)?.to_str()?.to_owned();
    if let Some(release) = first.strip_prefix("--as=") {
        words.remove(1);
        return Some(release.to_owned());
    }
    if first != "--as" {
        return None;
    }
    words.remove(1);
    let has_name = words.len() > 1;
    Some(if has_name { words.remove(1).to_string_lossy().into_owned() } else { String::new() })
}

/// Commands that start a server from a file, with what Kafka's scripts say without one.
const SERVERS: &[(&str, &str)] = &[
    ("kafka-server-start", "[-daemon] server.properties [--override property=value]*"),
    ("zookeeper-server-start", "[-daemon] zookeeper.properties"),
];

/// What is said of a tool that only Kafka has.
pub(crate) fn not_native(name: &str) -> String {
    let stock = "call that of a stock Kafka, which works with this node's --bootstrap-server";
    match name {
        "connect-distributed"
        | "connect-mirror-maker"
        | "connect-plugin-path"
        | "connect-standalone" => {
            format!("{name} is Kafka Connect's, and no part of a broker: {stock}")
        }
        "kafka-mirror-maker" | "trogdor" => format!("{name} is no part of a broker: {stock}"),
        "kafka-jmx" => "kafka-jmx reads the MBeans of a JVM, and there is none here: the logger \
                        kafka.metrics writes what a node counts"
            .to_owned(),
        "zookeeper-security-migration" => "zookeeper-security-migration sets the access control \
                                           of a ZooKeeper's nodes, and no ZooKeeper runs here"
            .to_owned(),
        name => format!("{name} is not a tool of Gregor's own: {stock}"),
    }
}

fn without_suffix(word: &str) -> &str {
    word.strip_suffix(".sh").unwrap_or(word)
}

/// The name of one of Kafka's scripts that the program was called by.
fn link_name(program: &Path) -> Option<String> {
    let name = without_suffix(program.file_name()?.to_str()?);
    (install::script(name).is_some() || cli::tool(name).is_some()).then(|| name.to_owned())
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
        let Asked::Tool { name, args, release } = parse(words(line)) else { panic!() };
        assert_eq!((name, args), ("kafka-storage", words_of("format -t x -c f")));
        assert_eq!(release, None);
        let Asked::Gregor(asked) = parse(words("./gregor")) else { panic!() };
        assert!(asked.command.is_none());
    }

    #[test]
    fn a_release_stands_before_the_tool_and_nowhere_else() {
        for line in ["gregor --as 3.7 kafka-topics --list", "gregor --as=3.7 kafka-topics --list"] {
            let Asked::Tool { name, release, args } = parse(words(line)) else { panic!() };
            assert_eq!((name, release.as_deref()), ("kafka-topics", Some("3.7")));
            assert_eq!(args, ["--list"]);
        }
        let line = "bin/kafka-topics.sh --as 3.7";
        let Asked::Tool { release, args, .. } = parse(words(line)) else { panic!() };
        assert_eq!((release, args), (None, words_of("--as 3.7")));
    }

    #[test]
    fn a_server_without_a_file_is_told_kafkas_usage() {
        for (line, usage) in [
            (
                "k/bin/kafka-server-start.sh -daemon",
                "USAGE: k/bin/kafka-server-start.sh [-daemon] server.properties",
            ),
            ("gregor kafka-server-start", "USAGE: gregor kafka-server-start [-daemon] "),
        ] {
            let Asked::Usage(said) = parse(words(line)) else { panic!("{line}") };
            assert!(said.starts_with(usage), "{said}");
        }
    }

    #[test]
    fn where_the_words_for_the_background_stood_is_kept() {
        for (line, at) in
            [("gregor kafka-server-start -daemon f", 2), ("k/kafka-server-start.sh -daemon f", 1)]
        {
            let Asked::Gregor(asked) = parse(words(line)) else { panic!("{line}") };
            assert_eq!((asked.launch.is_daemon, asked.launch.at), (true, at), "{line}");
            assert!(matches!(asked.command, Some(Command::ServerStart(_))), "{line}");
        }
    }

    #[test]
    fn a_tool_that_only_kafka_has_is_known_by_name() {
        for line in [
            "bin/kafka-mirror-maker.sh --help",
            "gregor kafka-mirror-maker.sh",
            "bin/kafka-run-class.sh kafka.tools.MirrorMaker",
        ] {
            let Asked::NotNative(name) = parse(words(line)) else { panic!("{line}") };
            assert_eq!(name, "kafka-mirror-maker", "{line}");
        }
    }

    #[test]
    fn an_override_without_a_value_is_refused() {
        let refused =
            CommandLine::try_parse_from(words("gregor kafka-server-start f --override a"));
        assert!(refused.is_err());
    }
}

//! The options and commands of `kafka-metadata-quorum`.
//!
//! Answers to the parsers that MetadataQuorumCommand builds with argparse4j.

use crate::arguments::Flag;
use crate::release::CliRelease;
use crate::subcommands::{Command, Given, Refused, Tool};

const DESCRIBE: &[Flag] = &[
    Flag::switch("status", ' ', "").long_only(),
    Flag::switch("replication", ' ', "").long_only(),
    Flag::switch("human-readable", ' ', "").long_only(),
    Flag::own("json"),
];

const TOOL: Tool = Tool {
    flags: &[
        Flag::value("bootstrap-server", ' ', "").long_only().exclusive(),
        Flag::value("bootstrap-controller", ' ', "").long_only().exclusive(),
        Flag::value("command-config", ' ', "").long_only(),
    ],
    commands: &[
        Command {
            name: "describe",
            flags: DESCRIBE,
            integer: None,
            help: include_str!("describe-4.3.1.txt"),
        },
        Command {
            name: "add-controller",
            flags: &[Flag::switch("dry-run", ' ', "").long_only()],
            integer: None,
            help: include_str!("add-controller-4.3.1.txt"),
        },
        Command {
            name: "remove-controller",
            flags: &[
                Flag::value("controller-id", 'i', "").required(),
                Flag::value("controller-directory-id", 'd', "").required(),
                Flag::switch("dry-run", ' ', "").long_only(),
            ],
            integer: Some(("controller-id", "--controller-id/-i")),
            help: include_str!("remove-controller-4.3.1.txt"),
        },
    ],
    help: include_str!("help-4.3.1.txt"),
};

/// As in 3.7, where who votes is what the configuration says.
const OLD_TOOL: Tool = Tool {
    flags: TOOL.flags,
    commands: &[Command {
        name: "describe",
        flags: DESCRIBE,
        integer: None,
        help: include_str!("describe-3.7.0.txt"),
    }],
    help: include_str!("help-3.7.0.txt"),
};

/// Reads a command line; one of both addresses is required.
pub(super) fn read(release: CliRelease, words: &[String]) -> Result<Given, Refused> {
    let tool = release.either(&OLD_TOOL, &TOOL);
    let given = tool.read(words)?;
    if given.tool.is_set("bootstrap-server") || given.tool.is_set("bootstrap-controller") {
        return Ok(given);
    }
    let problem = "one of the arguments --bootstrap-server --bootstrap-controller is required";
    Err(Refused::Wrong { help: tool.help, problem: problem.to_owned() })
}

/// What is said of a command line that cannot be read.
pub(super) fn complaint(release: CliRelease, help: &str, problem: &str) -> String {
    release.either(&OLD_TOOL, &TOOL).complaint("kafka-metadata-quorum", help, problem)
}

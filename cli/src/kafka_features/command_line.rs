//! The options and commands of `kafka-features`.
//!
//! Answers to the parsers that FeatureCommand builds with argparse4j.

use crate::arguments::Flag;
use crate::release::CliRelease;
use crate::subcommands::{Command, Given, Refused, Tool};

const METADATA: Flag = Flag::value("metadata", ' ', "").long_only();
const RELEASE: Flag = Flag::value("release-version", ' ', "").long_only();
const FEATURE: Flag = Flag::value("feature", ' ', "").long_only();
const UNSAFE: Flag = Flag::switch("unsafe", ' ', "").long_only();
const JSON: Flag = Flag::own("json");
const DRY_RUN: Flag = Flag::switch("dry-run", ' ', "").long_only();

const TOOL: Tool = Tool {
    flags: &[
        Flag::value("bootstrap-server", ' ', "").long_only().exclusive(),
        Flag::value("bootstrap-controller", ' ', "").long_only().exclusive(),
        Flag::value("command-config", ' ', "").long_only(),
    ],
    commands: &[
        Command {
            name: "describe",
            flags: &[Flag::value("node-id", ' ', "").long_only(), JSON],
            integer: Some(("node-id", "--node-id")),
            help: include_str!("describe-4.3.1.txt"),
        },
        Command {
            name: "upgrade",
            flags: &[METADATA, RELEASE, FEATURE, DRY_RUN],
            integer: None,
            help: include_str!("upgrade-4.3.1.txt"),
        },
        Command {
            name: "downgrade",
            flags: &[METADATA, RELEASE, FEATURE, UNSAFE, DRY_RUN],
            integer: None,
            help: include_str!("downgrade-4.3.1.txt"),
        },
        Command {
            name: "disable",
            flags: &[FEATURE, UNSAFE, DRY_RUN],
            integer: None,
            help: include_str!("disable-4.3.1.txt"),
        },
        Command {
            name: "version-mapping",
            flags: &[RELEASE],
            integer: None,
            help: include_str!("version-mapping-4.3.1.txt"),
        },
        Command {
            name: "feature-dependencies",
            flags: &[Flag::value("feature", ' ', "").long_only().required()],
            integer: None,
            help: include_str!("feature-dependencies-4.3.1.txt"),
        },
    ],
    help: include_str!("help-4.3.1.txt"),
};

/// As in 3.7: levels are those of one feature and another, never a release's.
const OLD_TOOL: Tool = Tool {
    flags: TOOL.flags,
    commands: &[
        Command {
            name: "describe",
            flags: &[JSON],
            integer: None,
            help: include_str!("describe-3.7.0.txt"),
        },
        Command {
            name: "upgrade",
            flags: &[METADATA, FEATURE, DRY_RUN],
            integer: None,
            help: include_str!("upgrade-3.7.0.txt"),
        },
        Command {
            name: "downgrade",
            flags: &[METADATA, FEATURE, UNSAFE, DRY_RUN],
            integer: None,
            help: include_str!("downgrade-3.7.0.txt"),
        },
        Command {
            name: "disable",
            flags: &[FEATURE, UNSAFE, DRY_RUN],
            integer: None,
            help: include_str!("disable-3.7.0.txt"),
        },
    ],
    help: include_str!("help-3.7.0.txt"),
};

/// Reads a command line; who asks a cluster needs one of both addresses.
pub(super) fn read(release: CliRelease, words: &[String]) -> Result<Given, Refused> {
    let tool = release.either(&OLD_TOOL, &TOOL);
    let given = tool.read(words)?;
    let needs_cluster = !["version-mapping", "feature-dependencies"].contains(&given.command);
    let has_address =
        given.tool.is_set("bootstrap-server") || given.tool.is_set("bootstrap-controller");
    if needs_cluster && !has_address {
        let problem = release.either(
            "one of the arguments --bootstrap-server --bootstrap-controller is required",
            "You must specify either --bootstrap-controller or --bootstrap-server.",
        );
        return Err(Refused::Wrong { help: tool.help, problem: problem.to_owned() });
    }
    Ok(given)
}

/// What is said of a command line that cannot be read.
pub(super) fn complaint(release: CliRelease, help: &str, problem: &str) -> String {
    release.either(&OLD_TOOL, &TOOL).complaint("kafka-features", help, problem)
}

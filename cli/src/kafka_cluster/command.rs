//! The commands of `kafka-cluster` and their flags.

use crate::arguments::{Flag, ParsedOptions, Stopped};
use crate::release::CliRelease;

/// One command, with its flags and its help.
pub(super) struct Command {
    pub(super) name: &'static str,
    pub(super) flags: &'static [Flag],
    pub(super) help: &'static str,
}

pub(super) const INCLUDE_FENCED: &str = "include-fenced-brokers";

const SERVER: Flag = Flag::value("bootstrap-server", 'b', "").exclusive();
const CONTROLLER: Flag = Flag::value("bootstrap-controller", 'C', "").exclusive();
const CONFIG: Flag = Flag::value("config", 'c', "").long_only();
const OLD_CONFIG: Flag = Flag::value("config", 'c', "");
const JSON: Flag = Flag::own("json");
const COMMAND_CONFIG: Flag = Flag::value("command-config", 'c', "");

const COMMANDS: &[Command] = &[
    Command {
        name: "cluster-id",
        flags: &[SERVER, CONTROLLER, CONFIG, COMMAND_CONFIG, JSON],
        help: include_str!("cluster-id-4.3.1.txt"),
    },
    Command {
        name: "unregister",
        flags: &[SERVER, CONTROLLER, CONFIG, COMMAND_CONFIG, Flag::value("id", 'i', "").required()],
        help: include_str!("unregister-4.3.1.txt"),
    },
    Command {
        name: "list-endpoints",
        flags: &[
            SERVER,
            CONTROLLER,
            CONFIG,
            COMMAND_CONFIG,
            Flag::switch(INCLUDE_FENCED, 'f', "").long_only(),
            JSON,
        ],
        help: include_str!("list-endpoints-4.3.1.txt"),
    },
];

/// Those of 3.7: a configuration has one spelling.
const OLD_COMMANDS: &[Command] = &[
    Command {
        name: "cluster-id",
        flags: &[OLD_CONFIG, SERVER, CONTROLLER, JSON],
        help: include_str!("cluster-id-3.7.0.txt"),
    },
    Command {
        name: "unregister",
        flags: &[OLD_CONFIG, Flag::value("id", 'i', "").required(), SERVER, CONTROLLER],
        help: include_str!("unregister-3.7.0.txt"),
    },
];

pub(super) const fn commands(release: CliRelease) -> &'static [Command] {
    release.either(OLD_COMMANDS, COMMANDS)
}

impl Command {
    /// What argparse4j checks besides each flag by itself.
    pub(super) fn check(&self, given: &ParsedOptions) -> Result<(), Stopped> {
        if let Some(id) = given.value("id").filter(|id| id.parse::<i32>().is_err()) {
            return Err(Stopped::Wrong(format!(
                "argument --id/-i: could not convert '{id}' to Integer (For input string: \"{id}\")"
            )));
        }
        if given.is_set(SERVER.long) || given.is_set(CONTROLLER.long) {
            return Ok(());
        }
        let (server, controller) = (SERVER.name(), CONTROLLER.name());
        Err(Stopped::Wrong(format!("one of the arguments {server} {controller} is required")))
    }
}

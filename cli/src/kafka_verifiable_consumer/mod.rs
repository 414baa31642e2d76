//! `kafka-verifiable-consumer`: reads a topic as a member of a group and says as JSON what happens.
//!
//! Answers to org.apache.kafka.tools.VerifiableConsumer of Kafka 4.3.1 and 3.7.0, whose help
//! is in the text files. `options` judges the command line, `events` words what happens, `consume`
//! makes it happen.

mod consume;
mod events;
mod options;

use std::io::Write;

use self::options::{FLAGS, OLD_FLAGS, Plan};
use crate::release::CliRelease;
use crate::verifiable::Tool;

const TOOL: Tool =
    Tool { name: "verifiable-consumer", help: include_str!("help-4.3.1.txt"), flags: FLAGS };

const OLD_TOOL: Tool = Tool { help: include_str!("help-3.7.0.txt"), flags: OLD_FLAGS, ..TOOL };

/// Runs the tool.
pub(crate) fn run(
    release: CliRelease,
    arguments: &[String],
    out: &mut dyn Write,
    err: &mut dyn Write,
) -> i32 {
    let tool = release.either(&OLD_TOOL, &TOOL);
    let plan = |given: &_, notes: &mut _| Plan::read(release, given, notes);
    tool.run(arguments, (out, err), plan, consume::run)
}

//! `kafka-verifiable-share-consumer`: reads a topic as a member of a share group and says as JSON
//! what happens.
//!
//! Answers to org.apache.kafka.tools.VerifiableShareConsumer of Kafka 4.3.1, whose help is
//! `help-4.3.1.txt`. `options` judges the command line, `events` words what happens, `consume`
//! makes it happen.

mod consume;
mod events;
mod options;

use std::io::Write;

use self::options::{FLAGS, Plan};
use crate::verifiable::Tool;

const TOOL: Tool =
    Tool { name: "verifiable-share-consumer", help: include_str!("help-4.3.1.txt"), flags: FLAGS };

/// Runs the tool.
pub(crate) fn run(arguments: &[String], out: &mut dyn Write, err: &mut dyn Write) -> i32 {
    TOOL.run(arguments, (out, err), |given, _| Plan::read(given), consume::run)
}

//! `kafka-verifiable-producer`: sends counted numbers to a topic and says as JSON what became of
//! each.
//!
//! Answers to org.apache.kafka.tools.VerifiableProducer of Kafka 4.3.1, whose help is
//! `help-4.3.1.txt`. `options` judges the command line, `events` words what happens, `produce`
//! makes it happen.

mod events;
mod options;
mod produce;

use std::io::Write;

use self::options::{FLAGS, Plan};
use crate::verifiable::Tool;

const TOOL: Tool =
    Tool { name: "verifiable-producer", help: include_str!("help-4.3.1.txt"), flags: FLAGS };

/// Runs the tool.
pub(crate) fn run(arguments: &[String], out: &mut dyn Write, err: &mut dyn Write) -> i32 {
    TOOL.run(arguments, (out, err), Plan::read, produce::run)
}

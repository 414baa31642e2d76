//! `kafka-verifiable-consumer`: reads a topic as a member of a group and says as JSON what happens.
//!
//! Answers to org.apache.kafka.tools.VerifiableConsumer of Kafka 4.3.1, whose help is
//! `help-4.3.1.txt`. `options` judges the command line, `events` words what happens, `consume`
//! makes it happen.

mod consume;
mod events;
mod options;

use std::io::Write;

use self::options::{FLAGS, Plan};
use crate::arguments::parse;
use crate::verifiable::{Refused, Tool};

const TOOL: Tool =
    Tool { name: "verifiable-consumer", help: include_str!("help-4.3.1.txt"), flags: FLAGS };

/// Runs the tool.
pub(crate) fn run(arguments: &[String], out: &mut dyn Write, err: &mut dyn Write) -> i32 {
    if arguments.is_empty() {
        let _ = TOOL.refuse(&Refused::Help, out, err);
        return 0;
    }
    let mut notes = Vec::new();
    let read = parse(FLAGS, arguments).map_err(Refused::from);
    let plan = read.and_then(|given| Plan::read(&given, &mut notes));
    for note in notes {
        let _ = writeln!(out, "{note}");
    }
    let done = plan.and_then(|plan| consume::run(&plan, out).map_err(Refused::Uncaught));
    done.unwrap_or_else(|refused| TOOL.refuse(&refused, out, err))
}

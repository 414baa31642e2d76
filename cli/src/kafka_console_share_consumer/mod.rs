//! `kafka-console-share-consumer`: reads records as a member of a share group and prints them.
//!
//! Answers to org.apache.kafka.tools.consumer.ConsoleShareConsumer of Kafka 4.3.1, whose help is
//! `help-4.3.1.txt`. `options` judges the command line, `consume` reads, prints and acknowledges.

mod consume;
mod options;

use std::io::Write;

use self::options::OPTIONS;
use crate::refused::read;

const HELP: &str = include_str!("help-4.3.1.txt");

/// Runs the tool.
pub(crate) fn run(arguments: &[String], out: &mut dyn Write, err: &mut dyn Write) -> i32 {
    // A bare name asks for help.
    let bare = ["--help".to_owned()];
    let arguments = if arguments.is_empty() { &bare } else { arguments };
    let mut notes = Vec::new();
    let plan = read(OPTIONS, arguments, |_, given| options::check(given, &mut notes));
    for note in notes {
        let _ = writeln!(out, "{note}");
    }
    match plan {
        Ok((given, plan)) => consume::run(plan, &given, out, err),
        Err(refused) => refused.answer(HELP, out, err),
    }
}

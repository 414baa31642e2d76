//! `kafka-share-consumer-perf-test`: reads as members of a share group, as fast as it can, and says
//! how fast that was.
//!
//! Answers to org.apache.kafka.tools.ShareConsumerPerformance of Kafka 4.3.1, whose help is
//! `help-4.3.1.txt`. `options` judges the command line, `measure` reads, `report` words figures.

mod measure;
mod options;
mod report;

use std::io::Write;

use self::options::{OPTIONS, PerfOptions};
use crate::refused::read;

const HELP: &str = include_str!("help-4.3.1.txt");

/// Runs the tool.
pub(crate) fn run(arguments: &[String], out: &mut dyn Write, err: &mut dyn Write) -> i32 {
    // A bare name asks for help.
    let bare = ["--help".to_owned()];
    let arguments = if arguments.is_empty() { &bare } else { arguments };
    let (given, notes) = match read(OPTIONS, arguments, |_, given| options::check(given)) {
        Ok(checked) => checked,
        Err(refused) => return refused.answer(HELP, out, err),
    };
    for note in notes {
        let _ = writeln!(out, "{note}");
    }
    if !given.has("hide-header") {
        let _ = writeln!(out, "{}", report::HEADER);
    }
    let measured = PerfOptions::read(&given)
        .map_err(measure::Failure::from)
        .and_then(|options| measure::run(&options, out));
    match measured {
        Ok(code) => code,
        Err(failure) => {
            let _ = writeln!(err, "{failure}");
            1
        }
    }
}

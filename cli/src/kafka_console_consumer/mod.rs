//! `kafka-console-consumer`: reads records and prints them.
//!
//! Answers to org.apache.kafka.tools.consumer.ConsoleConsumer of Kafka 4.3.1, whose help is
//! `help-4.3.1.txt`. `options` judges the command line, `consume` reads, prints and ends.

mod consume;
mod options;

use std::io::Write;

use self::options::{OPTIONS, Refused};
use crate::joptsimple::parse_in;
use crate::release::CliRelease;

/// The help of a release.
const fn help(release: CliRelease) -> &'static str {
    release.either(include_str!("help-3.7.0.txt"), include_str!("help-4.3.1.txt"))
}

/// Runs the tool.
pub(crate) fn run(
    release: CliRelease,
    arguments: &[String],
    out: &mut dyn Write,
    err: &mut dyn Write,
) -> i32 {
    // A bare name asks for help.
    let bare = ["--help".to_owned()];
    let arguments = if arguments.is_empty() { &bare } else { arguments };
    let mut notes = Vec::new();
    let given =
        parse_in(release, OPTIONS, arguments).map_err(|error| Refused::Usage(error.to_string()));
    let read = given.and_then(|given| {
        // Java's `Random.nextInt(100000)`.
        let random = || uuid::Uuid::new_v4().as_u128() as u32 % 100_000;
        options::read(&given, random, &mut notes).map(|plan| (given, plan))
    });
    for note in notes {
        let _ = writeln!(out, "{note}");
    }
    match read {
        Ok((given, plan)) => consume::run(plan, &given, out, err),
        Err(Refused::Usage(words)) => {
            let _ = writeln!(err, "{words}\n{}", help(release).trim_end_matches('\n'));
            1
        }
        Err(Refused::Words(words)) => {
            let _ = writeln!(err, "{words}");
            1
        }
        Err(Refused::Version) => {
            let _ = writeln!(out, "{}", release.version());
            0
        }
    }
}

//! `kafka-e2e-latency`: how long a record takes from a producer to a consumer, one after the other.
//!
//! Answers to org.apache.kafka.tools.EndToEndLatency of Kafka 4.3.1, whose help is
//! `help-4.3.1.txt`, and of 3.7.0, which knows positions alone. `options` judges the command line,
//! `payload` draws what is sent, `measure` sends and reads it,
//! `verify` compares the two.

mod measure;
mod options;
mod payload;
mod verify;

use std::io::Write;

use self::measure::Failure;
use self::options::Plan;
use crate::refused::Refused;
use crate::release::CliRelease;

const HELP: &str = include_str!("help-4.3.1.txt");

/// Runs the tool.
pub(crate) fn run(
    release: CliRelease,
    arguments: &[String],
    out: &mut dyn Write,
    err: &mut dyn Write,
) -> i32 {
    let plan = match options::named(release, arguments, out) {
        Ok(arguments) => Plan::read(release, &arguments),
        Err(refused) => Err(refused),
    };
    let measured = match plan {
        Ok(plan) => measure::run(&plan, out),
        Err(refused) => return refused.answer_in(release, HELP, out, err),
    };
    match measured {
        Ok(()) => 0,
        // Streams that nobody reads any more are no reason to complain.
        Err(Failure::Io(_)) => 1,
        Err(failure) => Refused::Words(failure.to_string()).answer(HELP, out, err),
    }
}

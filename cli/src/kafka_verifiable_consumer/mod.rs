//! `kafka-verifiable-consumer`: reads a topic as a member of a group and says as JSON what happens.
//!
//! Answers to org.apache.kafka.tools.VerifiableConsumer of Kafka 4.3.1, whose help is
//! `help-4.3.1.txt`. `options` judges the command line, `events` words what happens, `consume`
//! makes it happen.

mod consume;
mod events;
mod options;

use std::io::Write;

use self::options::{FLAGS, Plan, Refused};
use crate::arguments::{Stopped, parse};
use crate::did_you_mean::did_you_mean;
use crate::wrap::wrap;

const HELP: &str = include_str!("help-4.3.1.txt");

/// Runs the tool.
pub(crate) fn run(arguments: &[String], out: &mut dyn Write, err: &mut dyn Write) -> i32 {
    if arguments.is_empty() {
        let _ = out.write_all(HELP.as_bytes());
        return 0;
    }
    let read = parse(FLAGS, arguments).map_err(|stopped| match stopped {
        Stopped::Help => Refused::Help,
        Stopped::Wrong(problem) => Refused::Wrong(problem),
    });
    let mut notes = Vec::new();
    let plan = read.and_then(|given| Plan::read(&given, &mut notes));
    for note in notes {
        let _ = writeln!(out, "{note}");
    }
    match plan {
        Ok(plan) => match consume::run(&plan, out) {
            Ok(code) => code,
            Err(problem) => refuse(err, &problem),
        },
        Err(Refused::Help) => {
            let _ = out.write_all(HELP.as_bytes());
            1
        }
        Err(Refused::Wrong(problem)) => {
            // The usage is what stands above the first empty line of the help.
            let usage = HELP.split("\n\n").next().unwrap_or_default();
            let complaint = wrap(&format!("verifiable-consumer: error: {problem}"));
            let _ = write!(err, "{usage}\n{complaint}{}", suggestion(&problem));
            1
        }
        Err(Refused::Uncaught(exception)) => refuse(err, &exception),
    }
}

/// What a flag that there is none of may have meant.
fn suggestion(problem: &str) -> String {
    let unknown = problem.strip_prefix("unrecognized arguments: '--");
    let Some(typed) = unknown.and_then(|rest| rest.strip_suffix('\'')) else {
        return String::new();
    };
    did_you_mean(typed, std::iter::once("help").chain(FLAGS.iter().map(|flag| flag.long)))
}

fn refuse(err: &mut dyn Write, exception: &str) -> i32 {
    let _ = writeln!(err, "Exception in thread \"main\" {exception}");
    1
}

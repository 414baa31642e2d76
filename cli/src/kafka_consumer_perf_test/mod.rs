//! `kafka-consumer-perf-test`: reads as fast as it can and says how fast that was.
//!
//! Answers to org.apache.kafka.tools.ConsumerPerformance of Kafka 4.3.1, whose help is
//! `help-4.3.1.txt` but for the group that each run draws. `options` judges the command line,
//! `measure` reads, `report` counts and prints.

mod measure;
mod options;
mod report;

use std::io::Write;

use self::options::{OPTIONS, PerfOptions, Refused};
use crate::joptsimple::parse_in;
use crate::release::CliRelease;

/// The group that was drawn when the help was recorded.
const fn group_of(release: CliRelease) -> &'static str {
    release.either("perf-consumer-72150) ", "perf-consumer-48113) ")
}

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
    // A bare name asks for help, where that goes before what is required.
    let bare = ["--help".to_owned()];
    let is_bare = arguments.is_empty() && !release.is_3_7();
    let arguments = if is_bare { &bare } else { arguments };
    // Java's `Random.nextInt(100000)`.
    let group = format!("perf-consumer-{}", uuid::Uuid::new_v4().as_u128() as u32 % 100_000);
    let given =
        parse_in(release, OPTIONS, arguments).map_err(|error| Refused::Usage(error.to_string()));
    let checked = given.and_then(|given| {
        if let Some(note) = options::check_early(&given)? {
            let _ = writeln!(out, "{note}");
        }
        options::check(&given).map(|notes| (given, notes))
    });
    let (given, notes) = match checked {
        Ok(checked) => checked,
        Err(Refused::Usage(words)) => {
            let drawn = format!("{:width$}", format!("{group})"), width = group_of(release).len());
            let help = help(release).replace(group_of(release), &drawn);
            let _ = writeln!(err, "{words}\n{}", help.trim_end_matches('\n'));
            return 1;
        }
        Err(Refused::Version) => {
            let _ = writeln!(out, "{}", release.version());
            return 0;
        }
    };
    for note in notes {
        let _ = writeln!(out, "{note}");
    }
    let is_detailed = given.has("show-detailed-stats");
    if !given.has("hide-header") {
        let _ = writeln!(out, "{}", report::header(is_detailed));
    }
    let measured = PerfOptions::read(&given, group)
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

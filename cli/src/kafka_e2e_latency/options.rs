//! The options of `kafka-e2e-latency`, and the positions that they had names for later.
//!
//! Answers to `EndToEndLatencyCommandOptions` and `convertLegacyArgsIfNeeded` of Kafka 4.3.1 and
//! to `EndToEndLatency.execute` of 3.7.0: their checks in their order.

use std::io::Write;

use crate::joptsimple::{Opt, OptionError, ParsedOptions};
use crate::noted;
use crate::refused::{Refused, read};
use crate::release::CliRelease;

const OPTIONS: &[Opt] = &[
    Opt::switch("help"),
    Opt::switch("version"),
    Opt::value("bootstrap-server"),
    Opt::value("topic"),
    Opt::value("num-records"),
    Opt::value("producer-acks"),
    Opt::value("record-size"),
    Opt::optional_number("record-key-size"),
    Opt::optional_number("record-header-key-size"),
    Opt::optional_number("record-header-size"),
    Opt::optional_number("num-headers"),
    Opt::optional("command-config"),
];

/// The options that must be there, in the order of their positions.
const REQUIRED: [&str; 5] =
    ["bootstrap-server", "topic", "num-records", "producer-acks", "record-size"];

/// What is to be measured.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Plan {
    /// 3.7 sends one value again and again, without a key.
    pub(super) release: CliRelease,
    pub(super) bootstrap_servers: String,
    pub(super) topic: String,
    pub(super) num_records: usize,
    pub(super) acks: String,
    /// Bytes of each value.
    pub(super) record_size: usize,
    pub(super) key_size: usize,
    pub(super) headers: usize,
    pub(super) header_key_size: usize,
    /// None for headers without a value.
    pub(super) header_size: Option<usize>,
    pub(super) command_config: Option<String>,
}

/// Gives positions the names that they have now.
pub(super) fn named(
    release: CliRelease,
    arguments: &[String],
    out: &mut dyn Write,
) -> Result<Vec<String>, Refused> {
    let is_named = arguments
        .iter()
        .any(|word| word.strip_prefix("--").is_some_and(|name| REQUIRED.contains(&name)));
    if !release.is_3_7() && (arguments.is_empty() || is_named) {
        return Ok(arguments.to_vec());
    }
    // What could have been typed, although these words are no options.
    noted::flags(OPTIONS.iter().map(|option| (option.name, option.takes_value)));
    if ![5, 6].contains(&arguments.len()) {
        return Err(Refused::Words(match release.is_3_7() {
            true => "USAGE: java org.apache.kafka.tools.EndToEndLatency broker_list topic \
                     num_messages producer_acks message_size_bytes [optional] properties_file"
                .to_owned(),
            false => format!(
                "Invalid number of arguments. Expected 5 or 6 positional arguments, but got {}. \
                 Usage: bootstrap-server topic num-records producer-acks record-size [optional] \
                 command-config",
                arguments.len()
            ),
        }));
    }
    match release.is_3_7() {
        true => check_positions(arguments)?,
        false => {
            let _ = writeln!(
                out,
                "WARNING: Positional argument usage is deprecated and will be removed in Apache \
                 Kafka 5.0. Please use named arguments instead: --bootstrap-server, --topic, \
                 --num-records, --producer-acks, --record-size, --command-config"
            );
        }
    }
    let names = REQUIRED.iter().chain(&["command-config"]);
    let pairs = names.zip(arguments).flat_map(|(name, value)| [format!("--{name}"), value.clone()]);
    Ok(pairs.collect())
}

/// What 3.7 holds against its positions.
fn check_positions(arguments: &[String]) -> Result<(), Refused> {
    let [_, _, records, acks, size, ..] = arguments else { return Ok(()) };
    let number = |text: &String| {
        let wrong = |_| Refused::Words(format!("For input string: \"{text}\""));
        text.parse::<i32>().map_err(wrong)
    };
    number(records)?;
    number(size)?;
    match ["1", "all"].contains(&acks.as_str()) {
        true => Ok(()),
        false => Err(Refused::Words(
            "Latency testing requires synchronous acknowledgement. Please use 1 or all".to_owned(),
        )),
    }
}

impl Plan {
    /// Reads a command line of named options.
    pub(super) fn read(release: CliRelease, arguments: &[String]) -> Result<Self, Refused> {
        let (_, plan) = read(OPTIONS, arguments, check)?;
        Ok(Self { release, ..plan })
    }
}

fn check(nothing_given: bool, given: &ParsedOptions) -> Result<Plan, Refused> {
    let usage = |words: &str| Refused::Usage(words.to_owned());
    if nothing_given || given.has("help") {
        return Err(usage(
            "This tool measures end-to-end latency in Kafka by sending messages and timing their \
             reception.",
        ));
    }
    if given.has("version") {
        return Err(Refused::Version);
    }
    for name in REQUIRED {
        if !given.has(name) {
            return Err(usage(&format!("Missing required argument \"[{name}]\"")));
        }
    }
    let text = |name| -> Result<String, OptionError> {
        Ok(given.value(name)?.unwrap_or_default().to_owned())
    };
    let acks = text("producer-acks")?;
    if !["1", "all"].contains(&acks.as_str()) {
        return Err(usage(
            "Invalid value for --producer-acks. Latency testing requires synchronous \
             acknowledgement. Please use '1' or 'all'.",
        ));
    }
    let num_records = given.integer("num-records")?.unwrap_or_default();
    let num_records = usize::try_from(num_records).ok().filter(|records| *records > 0);
    let num_records =
        num_records.ok_or_else(|| usage("Value for --num-records must be a positive integer."))?;
    let size = |name: &'static str| -> Result<usize, Refused> {
        let size = given.integer(name)?.unwrap_or_default();
        let negative = |_| usage(&format!("Value for --{name} must be a non-negative integer."));
        usize::try_from(size).map_err(negative)
    };
    let record_size = size("record-size")?;
    let key_size = size("record-key-size")?;
    let header_key_size = size("record-header-key-size")?;
    let header_size = match given.integer("record-header-size")?.unwrap_or_default() {
        -1 => None,
        size => Some(usize::try_from(size).map_err(|_| {
            usage(
                "Value for --record-header-size must be a non-negative integer or -1 for null \
                 header value.",
            )
        })?),
    };
    Ok(Plan {
        release: CliRelease::default(),
        bootstrap_servers: text("bootstrap-server")?,
        topic: text("topic")?,
        num_records,
        acks,
        record_size,
        key_size,
        headers: size("num-headers")?,
        header_key_size,
        header_size,
        command_config: given.value("command-config")?.map(str::to_owned),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(line: &str) -> Vec<String> {
        line.split_whitespace().map(str::to_owned).collect()
    }

    const ALL: &str =
        "--bootstrap-server a:1 --topic t --num-records 5 --producer-acks all --record-size 9";

    #[test]
    fn positions_are_the_required_options_and_a_file() {
        let mut said = Vec::new();
        let by_position = named(CliRelease::V4_3, &words("a:1 t 5 all 9 f"), &mut said).unwrap();
        assert_eq!(by_position, words(&format!("{ALL} --command-config f")));
        assert!(String::from_utf8(said).unwrap().starts_with("WARNING: Positional argument"));
        let mut said = Vec::new();
        let by_position = named(CliRelease::V3_7, &words("a:1 t 5 all 9"), &mut said).unwrap();
        assert_eq!((by_position, said), (words(ALL), Vec::new()));
        for (release, line, problem) in [
            (CliRelease::V4_3, "--help", "Invalid number of arguments. Expected 5 or 6"),
            (CliRelease::V3_7, "", "USAGE: java org.apache.kafka.tools.EndToEndLatency"),
            (CliRelease::V3_7, "a:1 t x all 9", "For input string: \"x\""),
            (CliRelease::V3_7, "a:1 t 5 0 9", "Latency testing requires synchronous"),
        ] {
            match named(release, &words(line), &mut Vec::new()) {
                Err(Refused::Words(words)) => assert!(words.starts_with(problem), "{words}"),
                other => panic!("{line}: {other:?}"),
            }
        }
    }

    #[test]
    fn sizes_and_counts_have_their_bounds() {
        let plan = Plan::read(CliRelease::V4_3, &words(&format!("{ALL} --record-header-size -1")))
            .unwrap();
        assert_eq!((plan.num_records, plan.record_size, plan.header_size), (5, 9, None));
        let plan =
            Plan::read(CliRelease::V4_3, &words(&format!("{ALL} --num-headers --record-key-size")))
                .unwrap();
        assert_eq!((plan.headers, plan.key_size, plan.header_size), (0, 0, Some(0)));
        for (line, problem) in [
            ("--topic t", "Missing required argument \"[bootstrap-server]\""),
            (&ALL.replace("all", "0"), "Invalid value for --producer-acks."),
            (&ALL.replace('5', "0"), "Value for --num-records must be a positive"),
            (&ALL.replace('9', "-9"), "Value for --record-size must be a non-negative"),
            (&format!("{ALL} --record-header-size=-2"), "integer or -1 for null header value."),
            (&format!("{ALL} --num-headers=-2"), "Value for --num-headers must be"),
        ] {
            match Plan::read(CliRelease::V4_3, &words(line)) {
                Err(Refused::Usage(words)) => assert!(words.contains(problem), "{words}"),
                other => panic!("{line}: {other:?}"),
            }
        }
        let twice = Plan::read(CliRelease::V4_3, &words(&format!("{ALL} --topic u"))).unwrap_err();
        assert!(matches!(twice, Refused::Words(_)), "{twice:?}");
    }
}

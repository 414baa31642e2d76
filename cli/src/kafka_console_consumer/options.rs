//! The options of `kafka-console-consumer`, and what they mean together.
//!
//! Pure but for the files that options name. Answers to `ConsoleConsumerOptions` of Kafka 4.3.1:
//! its checks in its order.

use std::time::Duration;

use client::consumer::Start;
use config::Properties;

use crate::console_options::{FormatterRefused, exception, formatter, one_group, renamed};
use crate::formatter::Formatter;
use crate::joptsimple::{Opt, OptionError, ParsedOptions};
use crate::release::CliRelease;
use crate::session::properties;

pub(super) const OPTIONS: &[Opt] = &[
    Opt::switch("help"),
    Opt::switch("version"),
    Opt::value("topic"),
    Opt::value("include"),
    Opt::value("partition"),
    Opt::value("offset"),
    Opt::value("consumer-property"),
    Opt::value("command-property").only(CliRelease::V4_3),
    Opt::value("consumer.config"),
    Opt::value("command-config").only(CliRelease::V4_3),
    Opt::value("formatter"),
    Opt::value("property"),
    Opt::value("formatter-property").only(CliRelease::V4_3),
    Opt::value("formatter-config"),
    Opt::switch("from-beginning"),
    Opt::value("max-messages"),
    Opt::value("timeout-ms"),
    Opt::switch("skip-message-on-error"),
    Opt::value("bootstrap-server"),
    Opt::value("key-deserializer"),
    Opt::value("value-deserializer"),
    Opt::switch("enable-systest-events"),
    Opt::value("isolation-level"),
    Opt::value("group"),
    Opt::value("whitelist").only(CliRelease::V3_7),
];

/// Why nothing is read.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Refused {
    /// These words, and the help below them.
    Usage(String),
    /// These words alone.
    Words(String),
    Version,
}

/// What Java throws where nobody catches it: the line that names it.
fn uncaught(class: &str, message: &str) -> Refused {
    Refused::Words(format!("Exception in thread \"main\" {class}: {message}"))
}

impl From<OptionError> for Refused {
    fn from(error: OptionError) -> Self {
        uncaught(error.class(), &error.to_string())
    }
}

/// What is to be done. Values that Kafka reads while it runs are still options.
#[derive(Debug)]
pub(super) struct Plan {
    pub(super) bootstrap: String,
    pub(super) properties: Properties,
    pub(super) partition: Option<i32>,
    pub(super) start: Start,
    /// None where nothing ends the waiting.
    pub(super) timeout: Option<Duration>,
    pub(super) formatter: Formatter,
}

/// Reads the options; `notes` gets what is said on the way.
pub(super) fn read(
    given: &ParsedOptions,
    random: impl FnOnce() -> u32,
    notes: &mut Vec<String>,
) -> Result<Plan, Refused> {
    let usage = |words: &str| Err(Refused::Usage(words.to_owned()));
    if given.has("help") {
        return usage(
            "This tool helps to read data from Kafka topics and outputs it to standard output.",
        );
    }
    if given.has("version") {
        return Err(Refused::Version);
    }
    let partition = check_required(given)?;
    let command_property = renamed(given, "consumer-property", "command-property", notes);
    let command_config = renamed(given, "consumer.config", "command-config", notes);
    let file = given.value(command_config)?;
    let from_file = properties(file).map_err(|error| {
        let (class, message) = exception(&error);
        uncaught(class, &message)
    })?;
    let mut extra = Properties::new();
    given.values(command_property).iter().for_each(|pair| extra.apply_override(pair));
    let group = group(given, &from_file, &extra, partition)?;
    let properties = consumer_properties(given, from_file, &extra, group, random)?;
    let bootstrap = given.value("bootstrap-server")?.unwrap_or_default().to_owned();
    let start = start(given)?;
    let timeout = given.long("timeout-ms")?.and_then(|millis| u64::try_from(millis).ok());
    let timeout = timeout.map(Duration::from_millis);
    let formatter = formatter(given, notes).map_err(|refused| match refused {
        FormatterRefused::Usage(words) => Refused::Usage(words),
        FormatterRefused::Uncaught(class, words) => uncaught(class, &words),
    })?;
    Ok(Plan { bootstrap, properties, partition, start, timeout, formatter })
}

fn check_required(given: &ParsedOptions) -> Result<Option<i32>, Refused> {
    let usage = |words: &str| Err(Refused::Usage(words.to_owned()));
    let patterns = ["include", "whitelist"].iter().any(|name| given.has(name));
    if given.has("topic") == patterns {
        if given.release().is_3_7() {
            let note = match given.has("whitelist") {
                true => {
                    "--whitelist is DEPRECATED use --include instead; ignored if --include \
                         specified."
                }
                false => "",
            };
            return usage(&format!("Exactly one of --include/--topic is required. ({note})"));
        }
        return usage("Exactly one of the following arguments is required: [topic], [include]");
    }
    let partition = given.integer("partition")?;
    if partition.is_some() {
        if !given.has("topic") {
            return usage("The topic is required when partition is specified.");
        }
        if given.has("from-beginning") && given.has("offset") {
            return usage("Options from-beginning and offset cannot be specified together.");
        }
    } else if given.has("offset") {
        return usage("The partition is required when offset is specified.");
    }
    if !given.has("bootstrap-server") {
        return usage("Missing required argument \"[bootstrap-server]\"");
    }
    for (old, new) in
        [("consumer-property", "command-property"), ("consumer.config", "command-config")]
    {
        if given.has(old) && given.has(new) {
            let words = format!("Options --{old} and --{new} cannot be specified together.");
            return usage(&words);
        }
    }
    Ok(partition)
}

/// The group that is named, in one place or in several alike.
fn group(
    given: &ParsedOptions,
    from_file: &Properties,
    extra: &Properties,
    partition: Option<i32>,
) -> Result<Option<String>, Refused> {
    let places = [given.value("group")?, from_file.get("group.id"), extra.get("group.id")];
    match (one_group(&places, "consumer.config").map_err(Refused::Usage)?, partition) {
        (Some(_), Some(_)) => Err(Refused::Usage(
            "Options group and partition cannot be specified together.".to_owned(),
        )),
        (group, _) => Ok(group.map(str::to_owned)),
    }
}

fn consumer_properties(
    given: &ParsedOptions,
    from_file: Properties,
    extra: &Properties,
    group: Option<String>,
    random: impl FnOnce() -> u32,
) -> Result<Properties, Refused> {
    let mut properties = from_file;
    properties.merge(extra);
    let from_beginning = given.has("from-beginning");
    match properties.get("auto.offset.reset") {
        Some(reset) if from_beginning && reset != "earliest" => {
            return Err(Refused::Words(format!(
                "Can't simultaneously specify --from-beginning and 'auto.offset.reset={reset}', \
                 please remove one option"
            )));
        }
        Some(_) => {}
        None => {
            let reset = if from_beginning { "earliest" } else { "latest" };
            properties.set("auto.offset.reset", reset);
        }
    }
    if !properties.contains("client.id") {
        properties.set("client.id", "console-consumer");
    }
    if given.has("isolation-level") || !properties.contains("isolation.level") {
        let level = given.value("isolation-level")?.unwrap_or("read_uncommitted");
        properties.set("isolation.level", level);
    }
    match group {
        Some(group) => properties.set("group.id", group),
        None => {
            properties.set("group.id", format!("console-consumer-{}", random()));
            if !properties.contains("enable.auto.commit") {
                properties.set("enable.auto.commit", "false");
            }
        }
    }
    Ok(properties)
}

fn start(given: &ParsedOptions) -> Result<Start, Refused> {
    let Some(offset) = given.value("offset")? else {
        return Ok(if given.has("from-beginning") { Start::Earliest } else { Start::Latest });
    };
    match offset.to_lowercase().as_str() {
        "earliest" => Ok(Start::Earliest),
        "latest" => Ok(Start::Latest),
        _ => match offset.parse() {
            Ok(number) if number >= 0 => Ok(Start::Offset(number)),
            _ => Err(Refused::Usage(format!(
                "The provided offset value '{offset}' is incorrect. Valid values are 'earliest', \
                 'latest', or a non-negative long."
            ))),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::joptsimple::parse;

    fn of(line: &str) -> (Result<Plan, Refused>, Vec<String>) {
        let words: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
        let mut notes = Vec::new();
        let plan = read(&parse(OPTIONS, &words).unwrap(), || 7, &mut notes);
        (plan, notes)
    }

    #[test]
    fn what_is_not_said_is_kafkas_default() {
        let (plan, notes) = of("--bootstrap-server a:1 --topic t");
        let plan = plan.unwrap();
        let expected = [
            ("auto.offset.reset", "latest"),
            ("client.id", "console-consumer"),
            ("enable.auto.commit", "false"),
            ("group.id", "console-consumer-7"),
            ("isolation.level", "read_uncommitted"),
        ];
        assert_eq!(plan.properties.iter().collect::<Vec<_>>(), expected);
        assert_eq!((plan.start, plan.timeout, notes), (Start::Latest, None, vec![]));
    }

    #[test]
    fn a_group_commits_and_properties_win_over_defaults() {
        let line = "--bootstrap-server a:1 --topic t --group g --from-beginning --timeout-ms 9 \
                    --command-property isolation.level=read_committed \
                    --command-property client.id=c";
        let plan = of(line).0.unwrap();
        let expected = [
            ("auto.offset.reset", "earliest"),
            ("client.id", "c"),
            ("group.id", "g"),
            ("isolation.level", "read_committed"),
        ];
        assert_eq!(plan.properties.iter().collect::<Vec<_>>(), expected);
        assert_eq!(plan.timeout, Some(Duration::from_millis(9)));
        let plan = of("--bootstrap-server a:1 --topic t --timeout-ms -5").0.unwrap();
        assert_eq!(plan.timeout, None);
    }

    #[test]
    fn what_does_not_go_together_is_refused_in_kafkas_words() {
        let server = "--bootstrap-server a:1 --topic t";
        let one = "Exactly one of the following arguments is required: [topic], [include]";
        let table = [
            ("--bootstrap-server a:1", one),
            ("--topic t --include t", one),
            ("--topic t", "Missing required argument \"[bootstrap-server]\""),
            ("--include t --partition 1", "The topic is required when partition is specified."),
            ("--topic t --offset 1", "The partition is required when offset is specified."),
            (
                "--topic t --partition 0 --offset 1 --from-beginning",
                "Options from-beginning and offset cannot be specified together.",
            ),
            (
                &format!("{server} --partition 0 --group g"),
                "Options group and partition cannot be specified together.",
            ),
            (
                &format!("{server} --partition 0 --offset soon"),
                "The provided offset value 'soon' is incorrect. Valid values are 'earliest', \
                 'latest', or a non-negative long.",
            ),
            (
                &format!("{server} --property a=b --formatter-property a=b"),
                "Options --property and --formatter-property cannot be specified together.",
            ),
            (
                &format!("{server} --group a --command-property group.id=b"),
                "The group ids provided in different places (directly using '--group', via \
                 '--consumer-property', or via '--consumer.config') do not match. Detected group \
                 ids: 'a', 'b'",
            ),
            (&format!("{server} --formatter no.Such"), "no.Such"),
        ];
        for (line, words) in table {
            assert_eq!(of(line).0.unwrap_err(), Refused::Usage(words.to_owned()), "{line}");
        }
        let words = "Exception in thread \"main\" joptsimple.OptionArgumentConversionException: \
                     Cannot parse argument 'x' of option timeout-ms";
        let refused = of(&format!("{server} --timeout-ms x")).0.unwrap_err();
        assert_eq!(refused, Refused::Words(words.to_owned()));
    }

    #[test]
    fn old_spellings_count_and_are_said() {
        let line = "--bootstrap-server a:1 --topic t --consumer-property fetch.min.bytes=3 \
                    --property print.key=true";
        let (plan, notes) = of(line);
        assert_eq!(plan.unwrap().properties.get("fetch.min.bytes"), Some("3"));
        let words = |old: &str, new: &str| {
            format!(
                "Option --{old} is deprecated and will be removed in a future version. Use --{new} \
                 instead."
            )
        };
        let expected = [
            words("consumer-property", "command-property"),
            words("property", "formatter-property"),
        ];
        assert_eq!(notes, expected);
    }
}

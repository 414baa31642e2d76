//! The options of `kafka-console-share-consumer`, and what they mean together.
//!
//! Pure but for the files that options name. Answers to `ConsoleShareConsumerOptions` of Kafka
//! 4.3.1: its checks in its order.

use client::share_consumer::AcknowledgeType;
use config::Properties;

use crate::console_options::{FormatterRefused, exception, formatter, one_group, renamed};
use crate::formatter::Formatter;
use crate::joptsimple::{Opt, OptionError, ParsedOptions};
use crate::refused::Refused;
use crate::session::properties;

pub(super) const OPTIONS: &[Opt] = &[
    Opt::switch("help"),
    Opt::switch("version"),
    Opt::value("topic"),
    Opt::value("consumer-property"),
    Opt::value("command-property"),
    Opt::value("consumer-config"),
    Opt::value("command-config"),
    Opt::value("formatter"),
    Opt::value("property"),
    Opt::value("formatter-property"),
    Opt::value("formatter-config"),
    Opt::value("max-messages"),
    Opt::value("timeout-ms"),
    Opt::switch("reject"),
    Opt::switch("release"),
    Opt::switch("reject-message-on-error"),
    Opt::value("bootstrap-server"),
    Opt::value("key-deserializer"),
    Opt::value("value-deserializer"),
    Opt::value("group"),
    Opt::switch("enable-systest-events"),
];

/// The group where none is named.
const GROUP: &str = "console-share-consumer";

/// What is to be done. Values that Kafka reads while it runs are still options.
#[derive(Debug)]
pub(super) struct Plan {
    pub(super) bootstrap: String,
    pub(super) properties: Properties,
    pub(super) formatter: Formatter,
    /// What is said of records that were printed.
    pub(super) acknowledged: AcknowledgeType,
}

/// What Java throws where nobody catches it: the line that names it.
fn uncaught(class: &str, message: &str) -> Refused {
    Refused::Words(format!("Exception in thread \"main\" {class}: {message}"))
}

fn thrown(error: OptionError) -> Refused {
    uncaught(error.class(), &error.to_string())
}

/// Reads the options; `notes` gets what is said on the way.
pub(super) fn check(given: &ParsedOptions, notes: &mut Vec<String>) -> Result<Plan, Refused> {
    let usage = |words: &str| Err(Refused::Usage(words.to_owned()));
    if given.has("help") {
        return usage(
            "This tool helps to read data from Kafka topics using share groups and outputs it to \
             standard output.",
        );
    }
    if given.has("version") {
        return Err(Refused::Version);
    }
    if !given.has("topic") {
        return usage("--topic is a required argument");
    }
    if !given.has("bootstrap-server") {
        return usage("Missing required argument \"[bootstrap-server]\"");
    }
    if given.has("reject") && given.has("release") {
        return usage("At most one of --reject and --release may be specified.");
    }
    for (old, new) in
        [("consumer-property", "command-property"), ("consumer-config", "command-config")]
    {
        if given.has(old) && given.has(new) {
            let words = format!("Options --{old} and --{new} cannot be specified together.");
            return usage(&words);
        }
    }
    let command_property = renamed(given, "consumer-property", "command-property", notes);
    let command_config = renamed(given, "consumer-config", "command-config", notes);
    let properties = consumer_properties(given, command_property, command_config)?;
    let bootstrap = given.value("bootstrap-server").map_err(thrown)?.unwrap_or_default();
    let acknowledged = match (given.has("reject"), given.has("release")) {
        (true, _) => AcknowledgeType::Reject,
        (_, true) => AcknowledgeType::Release,
        _ => AcknowledgeType::Accept,
    };
    let formatter = formatter(given, notes).map_err(|refused| match refused {
        FormatterRefused::Usage(words) => Refused::Usage(words),
        FormatterRefused::Uncaught(class, words) => Refused::Words(format!("{class}: {words}")),
    })?;
    Ok(Plan { bootstrap: bootstrap.to_owned(), properties, formatter, acknowledged })
}

fn consumer_properties(
    given: &ParsedOptions,
    command_property: &'static str,
    command_config: &'static str,
) -> Result<Properties, Refused> {
    let file = given.value(command_config).map_err(thrown)?;
    let mut found = properties(file).map_err(|error| {
        let (class, message) = exception(&error);
        uncaught(class, &message)
    })?;
    let mut extra = Properties::new();
    given.values(command_property).iter().for_each(|pair| extra.apply_override(pair));
    let places =
        [given.value("group").map_err(thrown)?, found.get("group.id"), extra.get("group.id")];
    let group = one_group(&places, "consumer-config").map_err(Refused::Usage)?;
    let group = group.unwrap_or(GROUP).to_owned();
    found.merge(&extra);
    if !found.contains("client.id") {
        found.set("client.id", "console-share-consumer");
    }
    found.set("group.id", group);
    // Whatever was asked for: the tool speaks of every record.
    found.set("share.acknowledgement.mode", "explicit");
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::joptsimple::parse;

    fn of(line: &str) -> (Result<Plan, Refused>, Vec<String>) {
        let words: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
        let mut notes = Vec::new();
        let plan = check(&parse(OPTIONS, &words).unwrap(), &mut notes);
        (plan, notes)
    }

    #[test]
    fn what_is_not_said_is_kafkas_default() {
        let (plan, notes) = of("--bootstrap-server a:1 --topic t");
        let plan = plan.unwrap();
        let expected = [
            ("client.id", "console-share-consumer"),
            ("group.id", "console-share-consumer"),
            ("share.acknowledgement.mode", "explicit"),
        ];
        assert_eq!(plan.properties.iter().collect::<Vec<_>>(), expected);
        assert_eq!((plan.acknowledged, notes), (AcknowledgeType::Accept, vec![]));
    }

    #[test]
    fn old_spellings_count_and_are_said() {
        let line = "--bootstrap-server a:1 --topic t --consumer-property client.id=c --release \
                    --consumer-property share.acknowledgement.mode=implicit --property a=b";
        let (plan, notes) = of(line);
        let plan = plan.unwrap();
        assert_eq!(plan.properties.get("client.id"), Some("c"));
        assert_eq!(plan.properties.get("share.acknowledgement.mode"), Some("explicit"));
        assert_eq!(plan.acknowledged, AcknowledgeType::Release);
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

    #[test]
    fn what_does_not_go_together_is_refused_in_kafkas_words() {
        let server = "--bootstrap-server a:1 --topic t";
        let table = [
            ("--bootstrap-server a:1", "--topic is a required argument"),
            ("--topic t", "Missing required argument \"[bootstrap-server]\""),
            (
                &format!("{server} --reject --release"),
                "At most one of --reject and --release may be specified.",
            ),
            (
                &format!("{server} --consumer-config a --command-config b"),
                "Options --consumer-config and --command-config cannot be specified together.",
            ),
            (
                &format!("{server} --group a --command-property group.id=b"),
                "The group ids provided in different places (directly using '--group', via \
                 '--consumer-property', or via '--consumer-config') do not match. Detected group \
                 ids: 'a', 'b'",
            ),
            (&format!("{server} --formatter no.Such"), "no.Such"),
        ];
        for (line, words) in table {
            assert_eq!(of(line).0.unwrap_err(), Refused::Usage(words.to_owned()), "{line}");
        }
        let refused = of(&format!("{server} --command-config nofile")).0.unwrap_err();
        let words = "Exception in thread \"main\" java.nio.file.NoSuchFileException: nofile";
        assert_eq!(refused, Refused::Words(words.to_owned()));
    }
}

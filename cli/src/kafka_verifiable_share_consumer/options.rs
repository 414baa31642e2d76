//! The flags of `kafka-verifiable-share-consumer`.
//!
//! Pure but for the file that a flag names. Answers to `VerifiableShareConsumer.createFromArgs`.

use config::Properties;

use crate::arguments::{Flag, Kind, ParsedOptions};
use crate::session::{SessionError, properties};
use crate::verifiable::Refused;

/// In the order in which Kafka defines them, which decides whose absence is named.
pub(super) const FLAGS: &[Flag] = &[
    value("bootstrap-server").required(),
    value("topic").required(),
    value("group-id").required(),
    Flag { kind: Kind::Integer, ..value("max-messages") },
    Flag::switch("verbose", ' ', "").long_only(),
    value("acknowledgement-mode"),
    value("offset-reset-strategy"),
    value("command-config"),
];

const fn value(long: &'static str) -> Flag {
    Flag::value(long, ' ', "").long_only()
}

/// When acknowledgements are sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mode {
    /// With the next fetch.
    Auto,
    Async,
    Sync,
}

/// What is to be done.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Plan {
    pub(super) bootstrap: String,
    pub(super) topic: String,
    pub(super) group: String,
    pub(super) properties: Properties,
    /// What the file says, which is the administrator's configuration too.
    pub(super) from_file: Properties,
    /// None where nothing limits it.
    pub(super) most: Option<u64>,
    pub(super) mode: Mode,
    /// Empty where the group begins where it begins.
    pub(super) offset_reset: String,
    pub(super) is_verbose: bool,
}

impl Plan {
    /// Reads what was given.
    pub(super) fn read(given: &ParsedOptions) -> Result<Self, Refused> {
        let mode = given.value("acknowledgement-mode").unwrap_or("auto").to_uppercase();
        let mode = match mode.as_str() {
            "AUTO" => Mode::Auto,
            "ASYNC" => Mode::Async,
            "SYNC" => Mode::Sync,
            _ => {
                return Err(Refused::Uncaught(format!(
                    "java.lang.IllegalArgumentException: No enum constant \
                     org.apache.kafka.tools.VerifiableShareConsumer.AcknowledgementMode.{mode}"
                )));
            }
        };
        let from_file = properties(given.value("command-config")).map_err(|error| match error {
            SessionError::Unreadable { path, .. } => Refused::Wrong(path),
            other => Refused::Wrong(other.to_string()),
        })?;
        let group = given.value("group-id").unwrap_or_default().to_owned();
        let mut properties = from_file.clone();
        properties.set("group.id", group.as_str());
        let most: Option<i64> = given.value("max-messages").and_then(|most| most.parse().ok());
        Ok(Self {
            bootstrap: given.value("bootstrap-server").unwrap_or_default().to_owned(),
            topic: given.value("topic").unwrap_or_default().to_owned(),
            group,
            properties,
            from_file,
            most: most.and_then(|most| u64::try_from(most).ok()),
            mode,
            offset_reset: given.value("offset-reset-strategy").unwrap_or_default().to_lowercase(),
            is_verbose: given.is_set("verbose"),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::arguments::parse;

    fn of(line: &str) -> Result<Plan, Refused> {
        let words: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
        Plan::read(&parse(FLAGS, &words)?)
    }

    #[test]
    fn flags_make_a_plan() {
        let base = "--topic t --group-id g --bootstrap-server a:1";
        let plan = of(&format!("{base} --max-messages 7 --verbose --offset-reset-strategy LATEST"));
        let plan = plan.unwrap();
        assert_eq!(plan.properties.iter().collect::<Vec<_>>(), [("group.id", "g")]);
        assert_eq!((plan.most, plan.is_verbose, plan.mode), (Some(7), true, Mode::Auto));
        assert_eq!(plan.offset_reset, "latest");
        let plan = of(&format!("{base} --acknowledgement-mode Sync --max-messages -1")).unwrap();
        assert_eq!((plan.most, plan.mode), (None, Mode::Sync));
    }

    #[test]
    fn what_is_wrong_has_the_words_of_kafkas_parser() {
        let base = "--topic t --group-id g --bootstrap-server a:1";
        let wrong = |words: &str| Refused::Wrong(words.to_owned());
        let table = [
            ("--topic t --bootstrap-server a:1", wrong("argument --group-id is required")),
            (
                &format!("{base} --max-messages x"),
                wrong(
                    "argument --max-messages: could not convert 'x' to Integer (For input string: \
                     \"x\")",
                ),
            ),
            (&format!("{base} --command-config nofile"), wrong("nofile")),
            (
                &format!("{base} --acknowledgement-mode never"),
                Refused::Uncaught(
                    "java.lang.IllegalArgumentException: No enum constant \
                     org.apache.kafka.tools.VerifiableShareConsumer.AcknowledgementMode.NEVER"
                        .to_owned(),
                ),
            ),
        ];
        for (line, expected) in table {
            assert_eq!(of(line), Err(expected), "{line}");
        }
    }
}

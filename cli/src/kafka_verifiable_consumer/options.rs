//! The flags of `kafka-verifiable-consumer`, and the consumer's properties that they make.
//!
//! Pure but for the file that a flag names. Answers to `VerifiableConsumer.createFromArgs`.

use config::Properties;

use crate::arguments::{Flag, ParsedOptions};
use crate::release::CliRelease;
use crate::session::{SessionError, properties};
use crate::verifiable::{Refused, bootstrap_servers};

/// In the order in which Kafka defines them, which decides whose absence is named.
pub(super) const FLAGS: &[Flag] = &[
    value("bootstrap-server").required(),
    value("topic").required(),
    value("group-protocol"),
    value("group-remote-assignor"),
    value("group-id").required(),
    value("group-instance-id"),
    value("max-messages"),
    value("session-timeout"),
    Flag::switch("verbose", ' ', "").long_only(),
    Flag::switch("enable-autocommit", ' ', "").long_only(),
    value("reset-policy"),
    value("assignment-strategy"),
    value("consumer.config"),
    value("command-config"),
];

/// As in 3.7, which knows an older name for brokers and the classic protocol alone.
pub(super) const OLD_FLAGS: &[Flag] = &[
    value("bootstrap-server").exclusive(),
    value("broker-list").exclusive(),
    value("topic").required(),
    value("group-id").required(),
    value("group-instance-id"),
    value("max-messages"),
    value("session-timeout"),
    Flag::switch("verbose", ' ', "").long_only(),
    Flag::switch("enable-autocommit", ' ', "").long_only(),
    value("reset-policy"),
    value("assignment-strategy"),
    value("consumer.config"),
];

const fn value(long: &'static str) -> Flag {
    Flag::value(long, ' ', "").long_only()
}

/// What is to be done.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Plan {
    pub(super) bootstrap: String,
    pub(super) topic: String,
    pub(super) properties: Properties,
    /// None where nothing limits it.
    pub(super) most: Option<u64>,
    pub(super) is_auto_committing: bool,
    pub(super) is_verbose: bool,
    /// Whether a request to end is an event.
    pub(super) tells_of_requests: bool,
}

fn integer(given: &ParsedOptions, long: &str) -> Result<Option<i32>, Refused> {
    let Some(value) = given.value(long) else { return Ok(None) };
    value.parse().map(Some).map_err(|_| {
        Refused::Wrong(format!(
            "argument --{long}: could not convert '{value}' to Integer (For input string: \
             \"{value}\")"
        ))
    })
}

impl Plan {
    /// Reads what was given; `notes` gets what is said on the way.
    pub(super) fn read(
        release: CliRelease,
        given: &ParsedOptions,
        notes: &mut Vec<String>,
    ) -> Result<Self, Refused> {
        let bootstrap = bootstrap_servers(given, "--bootstrap-server --broker-list")?;
        let most = integer(given, "max-messages")?.unwrap_or(-1);
        let session_timeout =
            integer(given, "session-timeout")?.or_else(|| release.either(Some(30_000), None));
        let file = match (given.value("consumer.config"), given.value("command-config")) {
            (Some(_), Some(_)) => {
                return Err(Refused::Wrong(
                    "Options --consumer.config and --command-config are mutually exclusive."
                        .to_owned(),
                ));
            }
            (Some(file), None) if release.is_3_7() => Some(file),
            (Some(old), None) => {
                notes.push(
                    "Option --consumer.config has been deprecated and will be removed in a future \
                     version. Use --command-config instead."
                        .to_owned(),
                );
                Some(old)
            }
            (None, file) => file,
        };
        let mut properties = properties(file).map_err(|error| match error {
            SessionError::Unreadable { path, .. } => Refused::Wrong(path),
            other => Refused::Wrong(other.to_string()),
        })?;
        set_protocol(given, &mut properties)?;
        if let Some(timeout) = session_timeout {
            properties.set("session.timeout.ms", timeout.to_string());
        }
        properties.set("group.id", given.value("group-id").unwrap_or_default());
        if let Some(instance) = given.value("group-instance-id") {
            properties.set("group.instance.id", instance);
        }
        let is_auto_committing = given.is_set("enable-autocommit");
        properties.set("enable.auto.commit", is_auto_committing.to_string());
        let reset_policy = given.value("reset-policy").unwrap_or("earliest");
        if release.is_3_7() && !["latest", "earliest", "none"].contains(&reset_policy) {
            return Err(Refused::Uncaught(format!(
                "org.apache.kafka.common.config.ConfigException: Invalid value {reset_policy} for \
                 configuration auto.offset.reset: String must be one of: latest, earliest, none"
            )));
        }
        properties.set("auto.offset.reset", reset_policy);
        Ok(Self {
            bootstrap: bootstrap.to_owned(),
            topic: given.value("topic").unwrap_or_default().to_owned(),
            properties,
            most: u64::try_from(most).ok(),
            is_auto_committing,
            is_verbose: given.is_set("verbose"),
            tells_of_requests: !release.is_3_7(),
        })
    }
}

fn set_protocol(given: &ParsedOptions, properties: &mut Properties) -> Result<(), Refused> {
    let protocol = given.value("group-protocol").unwrap_or("classic").to_uppercase();
    match protocol.as_str() {
        "CONSUMER" => {
            if let Some(assignor) = given.value("group-remote-assignor") {
                properties.set("group.remote.assignor", assignor);
            }
        }
        "CLASSIC" => {
            let range = "org.apache.kafka.clients.consumer.RangeAssignor";
            let strategy = given.value("assignment-strategy").unwrap_or(range);
            properties.set("partition.assignment.strategy", strategy);
        }
        _ => {
            return Err(Refused::Uncaught(format!(
                "java.lang.IllegalArgumentException: No enum constant \
                 org.apache.kafka.clients.consumer.GroupProtocol.{protocol}"
            )));
        }
    }
    properties.set("group.protocol", protocol);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::arguments::parse;

    fn of(line: &str) -> Result<Plan, Refused> {
        let words: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
        Plan::read(CliRelease::V4_3, &parse(FLAGS, &words)?, &mut Vec::new())
    }

    fn of_old(line: &str) -> Result<Plan, Refused> {
        let words: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
        Plan::read(CliRelease::V3_7, &parse(OLD_FLAGS, &words)?, &mut Vec::new())
    }

    #[test]
    fn flags_make_the_consumers_properties() {
        let base = "--topic t --group-id g --bootstrap-server a:1";
        let plan =
            of(&format!("{base} --max-messages 7 --session-timeout 9000 --verbose")).unwrap();
        let expected = [
            ("auto.offset.reset", "earliest"),
            ("enable.auto.commit", "false"),
            ("group.id", "g"),
            ("group.protocol", "CLASSIC"),
            ("partition.assignment.strategy", "org.apache.kafka.clients.consumer.RangeAssignor"),
            ("session.timeout.ms", "9000"),
        ];
        assert_eq!(plan.properties.iter().collect::<Vec<_>>(), expected);
        assert_eq!((plan.most, plan.is_verbose), (Some(7), true));
        let newer = "--group-protocol consumer --group-remote-assignor uniform";
        let plan = of(&format!("{base} {newer}")).unwrap();
        assert_eq!(plan.properties.get("group.remote.assignor"), Some("uniform"));
        assert_eq!(plan.properties.get("partition.assignment.strategy"), None);
        assert_eq!(plan.most, None);
    }

    #[test]
    fn what_is_wrong_has_the_words_of_kafkas_parser() {
        let base = "--topic t --group-id g --bootstrap-server a:1";
        let wrong = |words: &str| Refused::Wrong(words.to_owned());
        let table = [
            ("--topic t", wrong("argument --group-id is required")),
            ("--topic t --group-id g", wrong("argument --bootstrap-server is required")),
            (
                &format!("{base} --max-messages x"),
                wrong(
                    "argument --max-messages: could not convert 'x' to Integer (For input string: \
                     \"x\")",
                ),
            ),
            (&format!("{base} --command-config nofile"), wrong("nofile")),
            (
                &format!("{base} --group-protocol old"),
                Refused::Uncaught(
                    "java.lang.IllegalArgumentException: No enum constant \
                     org.apache.kafka.clients.consumer.GroupProtocol.OLD"
                        .to_owned(),
                ),
            ),
        ];
        for (line, expected) in table {
            assert_eq!(of(line), Err(expected), "{line}");
        }
    }

    #[test]
    fn in_3_7_brokers_have_two_names_and_sessions_their_own_limit() {
        let plan = of_old("--topic t --group-id g --broker-list a:1").unwrap();
        assert_eq!(plan.bootstrap, "a:1");
        assert_eq!(plan.properties.get("session.timeout.ms"), Some("30000"));
        for (line, words) in [
            (
                "--topic t --group-id g",
                "one of the arguments --bootstrap-server --broker-list is required",
            ),
            ("--broker-list a:1 --topic t", "argument --group-id is required"),
        ] {
            assert_eq!(of_old(line), Err(Refused::Wrong(words.to_owned())), "{line}");
        }
    }
}

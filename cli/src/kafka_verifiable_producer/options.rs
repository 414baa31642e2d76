//! The flags of `kafka-verifiable-producer`, and the producer's properties that they make.
//!
//! Pure but for the file that a flag names. Answers to `VerifiableProducer.createFromArgs`.

use crate::arguments::{Flag, Kind, ParsedOptions};
use crate::release::CliRelease;
use crate::session::{SessionError, properties};
use crate::verifiable::{Refused, bootstrap_servers};

/// In the order in which Kafka defines them, which decides whose absence is named.
pub(super) const FLAGS: &[Flag] = &[
    value("topic").required(),
    value("bootstrap-server"),
    value("max-messages").of(Kind::Integer),
    value("throughput").of(Kind::Integer),
    value("acks").of(Kind::Integer),
    value("producer.config"),
    value("message-create-time").of(Kind::Long),
    value("value-prefix").of(Kind::Integer),
    value("repeating-keys").of(Kind::Integer),
    value("command-config"),
];

/// As in 3.7, which knows an older name for brokers and for no file a newer one.
pub(super) const OLD_FLAGS: &[Flag] = &[
    value("topic").required(),
    value("bootstrap-server").exclusive(),
    value("broker-list").exclusive(),
    value("max-messages").of(Kind::Integer),
    value("throughput").of(Kind::Integer),
    value("acks").of(Kind::Integer),
    value("producer.config"),
    value("message-create-time").of(Kind::Long),
    value("value-prefix").of(Kind::Integer),
    value("repeating-keys").of(Kind::Integer),
];

const fn value(long: &'static str) -> Flag {
    Flag::value(long, ' ', "").long_only()
}

/// What is to be done.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Plan {
    pub(super) topic: String,
    /// The producer's; the last one of a name counts.
    pub(super) properties: Vec<(String, String)>,
    /// None where nothing limits it.
    pub(super) most: Option<u64>,
    /// Records per second; negative for no limit.
    pub(super) throughput: i32,
    pub(super) value_prefix: Option<i32>,
    pub(super) repeating_keys: Option<i32>,
    /// The first record's, in milliseconds since 1970.
    pub(super) create_time: Option<i64>,
}

/// A number whose kind the reader has checked.
fn number<T: std::str::FromStr>(given: &ParsedOptions, long: &str) -> Option<T> {
    given.value(long)?.parse().ok()
}

impl Plan {
    /// Reads what was given; `notes` gets what is said on the way.
    pub(super) fn read(
        release: CliRelease,
        given: &ParsedOptions,
        notes: &mut Vec<String>,
    ) -> Result<Self, Refused> {
        // Kafka defines it as the only one of a group of which one is required.
        let bootstrap = bootstrap_servers(
            given,
            release.either("--bootstrap-server --broker-list", "--bootstrap-server"),
        )?;
        let acks = number(given, "acks").unwrap_or(-1);
        if !(-1..=1).contains(&acks) {
            let words =
                format!("argument --acks: invalid choice: '{acks}' (choose from {{0,1,-1}})");
            return Err(Refused::Wrong(words));
        }
        let own = [
            ("bootstrap.servers", bootstrap.to_owned()),
            ("acks", acks.to_string()),
            ("retries", "0".to_owned()),
        ];
        let mut all: Vec<_> =
            own.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        let file = match (given.value("producer.config"), given.value("command-config")) {
            (Some(_), Some(_)) => {
                let words =
                    "Options --producer.config and --command-config are mutually exclusive.";
                return Err(Refused::Wrong(words.to_owned()));
            }
            (Some(file), None) if release.is_3_7() => Some(file),
            (Some(old), None) => {
                notes.push(
                    "Option --producer.config has been deprecated and will be removed in a future \
                     version. Use --command-config instead."
                        .to_owned(),
                );
                Some(old)
            }
            (None, file) => file,
        };
        let of_file = properties(file).map_err(|error| match error {
            SessionError::Unreadable { path, .. } => Refused::Wrong(path),
            other => Refused::Wrong(other.to_string()),
        })?;
        all.extend(of_file.iter().map(|(name, value)| (name.to_owned(), value.to_owned())));
        Ok(Self {
            topic: given.value("topic").unwrap_or_default().to_owned(),
            properties: all,
            most: u64::try_from(number(given, "max-messages").unwrap_or(-1_i32)).ok(),
            throughput: number(given, "throughput").unwrap_or(-1),
            value_prefix: number(given, "value-prefix"),
            repeating_keys: number(given, "repeating-keys"),
            create_time: number(given, "message-create-time").filter(|time| *time != -1),
        })
    }

    /// `7`, or `3.7` with a prefix of 3.
    pub(super) fn value(&self, at: u64) -> String {
        self.value_prefix.map_or_else(|| at.to_string(), |prefix| format!("{prefix}.{at}"))
    }

    /// Keys count from 0 up to the number given, and again. One that is never met, 0 or less,
    /// begins nothing anew, as in Kafka.
    pub(super) fn key(&self, at: u64) -> Option<String> {
        let count = self.repeating_keys?;
        let key =
            u64::try_from(count).ok().filter(|count| *count > 0).map_or(at, |count| at % count);
        Some(key.to_string())
    }
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
    fn flags_make_the_producers_properties() {
        let plan = of("--topic t --bootstrap-server a:1 --acks 1 --throughput 5").unwrap();
        let expected = [("bootstrap.servers", "a:1"), ("acks", "1"), ("retries", "0")];
        let expected = expected.map(|(name, value)| (name.to_owned(), value.to_owned()));
        assert_eq!(plan.properties, expected);
        assert_eq!((plan.most, plan.throughput, plan.create_time), (None, 5, None));
        let plan = of("--topic t --bootstrap-server a:1 --max-messages 0 --message-create-time 9");
        let plan = plan.unwrap();
        assert_eq!((plan.most, plan.create_time), (Some(0), Some(9)));
    }

    #[test]
    fn values_have_a_prefix_and_keys_come_again() {
        let of = |words: &str| of(&format!("--topic t --bootstrap-server a:1 {words}")).unwrap();
        let plain = of("");
        assert_eq!((plain.value(7), plain.key(7)), ("7".to_owned(), None));
        let plan = of("--value-prefix 3 --repeating-keys 2");
        assert_eq!(plan.value(7), "3.7");
        assert_eq!(
            [0, 1, 2, 3].map(|at| plan.key(at)),
            ["0", "1", "0", "1"].map(|k| Some(k.into()))
        );
        assert_eq!(of("--repeating-keys 0").key(4), Some("4".to_owned()));
    }

    #[test]
    fn what_is_wrong_has_the_words_of_kafkas_parser() {
        let table = [
            ("--topic t", "one of the arguments --bootstrap-server is required"),
            (
                "--topic t --bootstrap-server a:1 --acks 2",
                "argument --acks: invalid choice: '2' (choose from {0,1,-1})",
            ),
            (
                "--topic t --bootstrap-server a:1 --producer.config a --command-config b",
                "Options --producer.config and --command-config are mutually exclusive.",
            ),
            ("--topic t --bootstrap-server a:1 --command-config nofile", "nofile"),
        ];
        for (line, expected) in table {
            assert_eq!(of(line), Err(Refused::Wrong(expected.to_owned())), "{line}");
        }
    }

    #[test]
    fn brokers_have_two_names_in_3_7() {
        for line in ["--topic t --broker-list a:1", "--topic t --bootstrap-server a:1"] {
            let plan = of_old(line).unwrap();
            assert_eq!(plan.properties[0], ("bootstrap.servers".to_owned(), "a:1".to_owned()));
        }
        for (line, words) in [
            ("--topic t", "one of the arguments --bootstrap-server --broker-list is required"),
            (
                "--topic t --bootstrap-server a:1 --broker-list a:1",
                "argument --broker-list: not allowed with argument --bootstrap-server",
            ),
        ] {
            assert_eq!(of_old(line), Err(Refused::Wrong(words.to_owned())), "{line}");
        }
    }
}

//! The options and commands of `kafka-transactions`.
//!
//! Answers to the parsers that TransactionsCommand builds with argparse4j.

use crate::arguments::{Flag, Kind, ParsedOptions};
use crate::release::CliRelease;
use crate::subcommands::{Command, Given, Refused, Tool};

const fn value(long: &'static str) -> Flag {
    Flag::value(long, ' ', "").long_only()
}

const TOPIC: Flag = value("topic");
const PARTITION: Flag = value("partition").of(Kind::Integer);
/// One of our own.
const JSON: Flag = Flag::own("json");
const BROKER: Flag = value("broker-id").of(Kind::Integer);

/// A flag's order is Kafka's, which decides whose absence is named.
const FLAGS: &[Flag] =
    &[Flag::version(), value("command-config"), value("bootstrap-server").required()];

const DESCRIBE: Command = Command {
    name: "describe",
    flags: &[value("transactional-id").required(), JSON],
    integer: None,
    help: include_str!("describe-4.3.1.txt"),
};

const DESCRIBE_PRODUCERS: Command = Command {
    name: "describe-producers",
    flags: &[BROKER, TOPIC.required(), PARTITION.required(), JSON],
    integer: None,
    help: include_str!("describe-producers-4.3.1.txt"),
};

const ABORT: Command = Command {
    name: "abort",
    flags: &[
        TOPIC.required(),
        PARTITION.required(),
        value("start-offset").of(Kind::Long),
        value("producer-id").of(Kind::Long),
        value("producer-epoch").of(Kind::Short),
        value("coordinator-epoch").of(Kind::Integer),
    ],
    integer: None,
    help: include_str!("abort-4.3.1.txt"),
};

const FIND_HANGING: Command = Command {
    name: "find-hanging",
    flags: &[BROKER, value("max-transaction-timeout").of(Kind::Integer), TOPIC, PARTITION, JSON],
    integer: None,
    help: include_str!("find-hanging-4.3.1.txt"),
};

const TOOL: Tool = Tool {
    flags: FLAGS,
    commands: &[
        Command {
            name: "list",
            flags: &[
                value("duration-filter").of(Kind::Long),
                value("transactional-id-pattern"),
                JSON,
            ],
            integer: None,
            help: include_str!("list-4.3.1.txt"),
        },
        DESCRIBE,
        DESCRIBE_PRODUCERS,
        ABORT,
        FIND_HANGING,
        Command {
            name: "forceTerminateTransaction",
            flags: &[value("transactionalId").required()],
            integer: None,
            help: include_str!("forceTerminateTransaction-4.3.1.txt"),
        },
    ],
    help: include_str!("help-4.3.1.txt"),
};

/// As in 3.7: what is listed has no filters (KIP-994, KIP-1104), nobody else ends a transaction
/// (KIP-939).
const OLD_TOOL: Tool = Tool {
    flags: FLAGS,
    commands: &[
        Command {
            name: "list",
            flags: &[JSON],
            integer: None,
            help: include_str!("list-3.7.0.txt"),
        },
        DESCRIBE,
        DESCRIBE_PRODUCERS,
        ABORT,
        FIND_HANGING,
    ],
    help: include_str!("help-3.7.0.txt"),
};

/// Reads a command line.
pub(super) fn read(release: CliRelease, words: &[String]) -> Result<Given, Refused> {
    release.either(&OLD_TOOL, &TOOL).read(words)
}

/// What is said of one that cannot be read.
pub(super) fn complaint(release: CliRelease, help: &str, problem: &str) -> String {
    release.either(&OLD_TOOL, &TOOL).complaint("kafka-transactions.sh", help, problem)
}

/// A number whose kind the reader has checked.
pub(super) fn number<T: std::str::FromStr>(given: &ParsedOptions, long: &str) -> Option<T> {
    given.value(long)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn typed(line: &str) -> Result<Given, Refused> {
        let words: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
        read(CliRelease::default(), &words)
    }

    #[test]
    fn commands_have_their_options() {
        let given = typed(
            "--bootstrap-server a:1 abort --topic t --partition 0 --producer-id -1 \
             --producer-epoch=3",
        );
        let given = given.unwrap();
        assert_eq!((given.command, given.tool.value("bootstrap-server")), ("abort", Some("a:1")));
        assert_eq!(number::<i64>(&given.options, "producer-id"), Some(-1));
        assert_eq!(number::<i16>(&given.options, "producer-epoch"), Some(3));
        assert_eq!(number::<i32>(&given.options, "coordinator-epoch"), None);
        let force = typed("--boot a:1 force --transactionalId x").unwrap();
        assert_eq!(force.command, "forceTerminateTransaction");
    }

    #[test]
    fn what_is_wrong_is_said_of_the_tool_or_of_its_command() {
        let table = [
            ("", "too few arguments"),
            ("list", "argument --bootstrap-server is required"),
            ("abort", "argument --partition is required"),
            ("list --bootstrap-server a:1", "unrecognized arguments: '--bootstrap-server'"),
            ("f", "ambiguous command: f could match find-hanging, forceTerminateTransaction"),
        ];
        for (line, words) in table {
            let Err(Refused::Wrong { problem, .. }) = typed(line) else { panic!("{line}") };
            assert_eq!(problem, words, "{line}");
        }
        let Err(Refused::Wrong { help, problem }) = typed("list --duratoin 1") else { panic!() };
        let said = complaint(CliRelease::default(), help, &problem);
        let usage = "usage: kafka-transactions.sh --bootstrap-server host:port list [-h]\n";
        let error = "\nkafka-transactions.sh: error: unrecognized arguments: '--duratoin'\n";
        assert!(said.starts_with(usage) && said.ends_with(error), "{said}");
        // What is near a flag of our own alone has nothing near it for Kafka.
        let Err(Refused::Wrong { help, problem }) = typed("list --lost") else { panic!() };
        let said = complaint(CliRelease::default(), help, &problem);
        assert!(said.ends_with("unrecognized arguments: '--lost'\n"), "{said}");
    }

    #[test]
    fn in_3_7_lists_have_no_filters_and_nothing_is_forced() {
        for (line, problem) in [
            ("--bootstrap-server a:1 list --duration-filter 1", "unrecognized arguments: "),
            ("--bootstrap-server a:1 force --transactionalId x", "invalid choice: 'force'"),
            ("--bootstrap-server a:1 f", ""),
        ] {
            let words: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
            match read(CliRelease::V3_7, &words) {
                Ok(given) => assert_eq!((given.command, problem), ("find-hanging", "")),
                Err(Refused::Wrong { problem: said, .. }) => {
                    assert!(said.starts_with(problem) && !problem.is_empty(), "{line}: {said}");
                }
                Err(_) => panic!("{line}"),
            }
        }
    }
}

//! The options and commands of `kafka-transactions`.
//!
//! Answers to the parsers that TransactionsCommand builds with argparse4j.

use crate::arguments::{Flag, Kind, ParsedOptions};
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
const TOOL: Tool = Tool {
    flags: &[Flag::version(), value("command-config"), value("bootstrap-server").required()],
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
        Command {
            name: "describe",
            flags: &[value("transactional-id").required(), JSON],
            integer: None,
            help: include_str!("describe-4.3.1.txt"),
        },
        Command {
            name: "describe-producers",
            flags: &[BROKER, TOPIC.required(), PARTITION.required(), JSON],
            integer: None,
            help: include_str!("describe-producers-4.3.1.txt"),
        },
        Command {
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
        },
        Command {
            name: "find-hanging",
            flags: &[
                BROKER,
                value("max-transaction-timeout").of(Kind::Integer),
                TOPIC,
                PARTITION,
                JSON,
            ],
            integer: None,
            help: include_str!("find-hanging-4.3.1.txt"),
        },
        Command {
            name: "forceTerminateTransaction",
            flags: &[value("transactionalId").required()],
            integer: None,
            help: include_str!("forceTerminateTransaction-4.3.1.txt"),
        },
    ],
    help: include_str!("help-4.3.1.txt"),
};

/// Reads a command line.
pub(super) fn read(words: &[String]) -> Result<Given, Refused> {
    TOOL.read(words)
}

/// What is said of one that cannot be read.
pub(super) fn complaint(help: &str, problem: &str) -> String {
    TOOL.complaint("kafka-transactions.sh", help, problem)
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
        read(&words)
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
        let said = complaint(help, &problem);
        let usage = "usage: kafka-transactions.sh --bootstrap-server host:port list [-h]\n";
        let error = "\nkafka-transactions.sh: error: unrecognized arguments: '--duratoin'\n";
        assert!(said.starts_with(usage) && said.ends_with(error), "{said}");
        // What is near a flag of our own alone has nothing near it for Kafka.
        let Err(Refused::Wrong { help, problem }) = typed("list --lost") else { panic!() };
        let said = complaint(help, &problem);
        assert!(said.ends_with("unrecognized arguments: '--lost'\n"), "{said}");
    }
}

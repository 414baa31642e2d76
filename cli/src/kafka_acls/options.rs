//! The options of `kafka-acls`, and which of them go together.
//!
//! Answers to `AclCommandOptions` of Kafka 4.3.1 and 3.7.0: its checks in its order.

use crate::joptsimple::{Opt, ParsedOptions};
use crate::refused::Refused;
use crate::release::CliRelease;

pub(super) const OPTIONS: &[Opt] = &[
    Opt::switch("help"),
    Opt::switch("version"),
    Opt::value("bootstrap-server"),
    Opt::value("bootstrap-controller").only(CliRelease::V4_3),
    Opt::value("authorizer").only(CliRelease::V3_7),
    Opt::value("authorizer-properties").only(CliRelease::V3_7),
    Opt::value("zk-tls-config-file").only(CliRelease::V3_7),
    Opt::optional("command-config"),
    Opt::value("topic"),
    Opt::switch("cluster"),
    Opt::value("group"),
    Opt::value("transactional-id"),
    Opt::switch("idempotent"),
    Opt::value("delegation-token"),
    Opt::value("resource-pattern-type"),
    Opt::switch("add"),
    Opt::switch("remove"),
    Opt::switch("list"),
    Opt::value("operation"),
    Opt::value("allow-principal"),
    Opt::value("deny-principal"),
    Opt::optional("principal"),
    Opt::value("allow-host"),
    Opt::value("deny-host"),
    Opt::switch("producer"),
    Opt::switch("consumer"),
    Opt::switch("force"),
    Opt::value("user-principal"),
    Opt::switch("json").beside(&["list"]),
];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Action {
    Add,
    Remove,
    List,
}

/// An option, and those that cannot stand beside it.
const EXCLUSIVE: [(&str, &[&str]); 3] = [
    (
        "list",
        &["producer", "consumer", "allow-host", "allow-principal", "deny-host", "deny-principal"],
    ),
    ("producer", &["operation", "deny-principal", "deny-host"]),
    ("consumer", &["operation", "deny-principal", "deny-host"]),
];

/// What 3.7 says before it asks an authorizer itself, which it does where no broker is named.
pub(super) const DEPRECATED: &str = "\
    Warning: support for ACL configuration directly through the authorizer is deprecated \
    and will be removed in a future release. Please use --bootstrap-server instead to set \
    ACLs through the admin client.";

/// Checks what was given; the action that shall be done.
pub(super) fn check(nothing_given: bool, given: &ParsedOptions) -> Result<Action, Refused> {
    if nothing_given || given.has("help") {
        return usage("This tool helps to manage acls on kafka.");
    }
    if given.has("version") {
        return Err(Refused::Version);
    }
    match given.release() {
        CliRelease::V3_7 => authorizer(given)?,
        CliRelease::V4_3 => servers(given)?,
    }
    action(given).map_err(|refused| match refused {
        Refused::Usage(words) if asks_authorizer(given) => {
            Refused::Usage(format!("{DEPRECATED}\n{words}"))
        }
        other => other,
    })
}

/// Whether 3.7 goes around the brokers.
pub(super) fn asks_authorizer(given: &ParsedOptions) -> bool {
    given.release().is_3_7() && !given.has("bootstrap-server")
}

/// Whom 4.3 asks.
fn servers(given: &ParsedOptions) -> Result<(), Refused> {
    match (given.has("bootstrap-server"), given.has("bootstrap-controller")) {
        (true, true) => {
            usage("Only one of --bootstrap-server or --bootstrap-controller must be specified")
        }
        (false, false) => {
            usage("One of --bootstrap-server or --bootstrap-controller must be specified")
        }
        _ => Ok(()),
    }
}

/// Whom 3.7 asks.
fn authorizer(given: &ParsedOptions) -> Result<(), Refused> {
    let by_broker = given.has("bootstrap-server");
    if by_broker && given.has("authorizer") {
        return usage("Only one of --bootstrap-server or --authorizer must be specified");
    }
    if !by_broker && !given.has("authorizer-properties") {
        return usage("Missing required argument \"[authorizer-properties]\"");
    }
    if !by_broker && given.has("command-config") {
        let words = "The --command-config option can only be used with --bootstrap-server option";
        return usage(&format!("{DEPRECATED}\n{words}"));
    }
    if by_broker && given.has("authorizer-properties") {
        return usage(
            "The --authorizer-properties option can only be used with --authorizer option",
        );
    }
    Ok(())
}

fn usage<T>(words: &str) -> Result<T, Refused> {
    Err(Refused::Usage(words.to_owned()))
}

fn action(given: &ParsedOptions) -> Result<Action, Refused> {
    let actions = [("add", Action::Add), ("remove", Action::Remove), ("list", Action::List)];
    let mut actions = actions.into_iter().filter(|(name, _)| given.has(name));
    let (Some((_, action)), None) = (actions.next(), actions.next()) else {
        return usage("Command must include exactly one action: --list, --add, --remove. ");
    };
    for (option, others) in EXCLUSIVE.iter().filter(|(option, _)| given.has(option)) {
        if let Some(other) = others.iter().find(|other| given.has(other)) {
            return usage(&format!(
                "Option \"[{option}]\" can't be used with option \"[{other}]\""
            ));
        }
    }
    if given.has("principal") && action != Action::List {
        return usage("The --principal option is only available if --list is set");
    }
    if given.has("producer") && !given.has("topic") {
        return usage("With --producer you must specify a --topic");
    }
    if given.has("idempotent") && !given.has("producer") {
        return usage("The --idempotent option is only available if --producer is set");
    }
    let is_strange =
        !given.has("producer") && (given.has("cluster") || given.has("transactional-id"));
    if given.has("consumer") && (!given.has("topic") || !given.has("group") || is_strange) {
        return usage(
            "With --consumer you must specify a --topic and a --group and no --cluster or \
             --transactional-id option should be specified.",
        );
    }
    Ok(action)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::joptsimple::{parse, parse_in};

    #[test]
    fn each_action_has_its_options() {
        let table = [
            ("--list --topic t --principal User:a", Ok(Action::List)),
            ("--add --topic t --allow-principal User:a", Ok(Action::Add)),
            ("--remove --cluster --force", Ok(Action::Remove)),
            ("--add --producer --topic t --allow-principal User:a --idempotent", Ok(Action::Add)),
            ("--add --list", Err("exactly one action")),
            ("--topic t", Err("exactly one action")),
            (
                "--list --producer",
                Err("Option \"[list]\" can't be used with option \"[producer]\""),
            ),
            ("--add --producer --operation Read", Err("with option \"[operation]\"")),
            ("--add --principal User:a", Err("only available if --list")),
            ("--add --producer", Err("With --producer")),
            ("--add --idempotent", Err("only available if --producer")),
            ("--add --consumer --topic t", Err("With --consumer")),
            ("--add --consumer --topic t --group g --cluster", Err("With --consumer")),
        ];
        for (line, expected) in table {
            let words = format!("--bootstrap-server a:1 {line}");
            let words: Vec<String> = words.split_whitespace().map(str::to_owned).collect();
            match (check(false, &parse(OPTIONS, &words).unwrap()), expected) {
                (Ok(action), Ok(expected)) => assert_eq!(action, expected, "{line}"),
                (Err(Refused::Usage(words)), Err(part)) => assert!(words.contains(part), "{words}"),
                (checked, _) => panic!("{line}: {checked:?}"),
            }
        }
    }

    #[test]
    fn the_authorizer_itself_is_asked_by_3_7_alone() {
        let table = [
            ("--bootstrap-server a:1 --list", Ok(Action::List)),
            ("--authorizer-properties zookeeper.connect=a:1 --list", Ok(Action::List)),
            ("--list", Err("Missing required argument")),
            ("--bootstrap-server a:1 --authorizer b --list", Err("Only one of")),
            ("--authorizer-properties a=b --command-config c --list", Err(DEPRECATED)),
            ("--bootstrap-server a:1 --authorizer-properties a=b --list", Err("can only be used")),
            ("--authorizer-properties a=b", Err(DEPRECATED)),
        ];
        for (line, expected) in table {
            let words: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
            let given = parse_in(CliRelease::V3_7, OPTIONS, &words).unwrap();
            match (check(false, &given), expected) {
                (Ok(action), Ok(expected)) => assert_eq!(action, expected, "{line}"),
                (Err(Refused::Usage(words)), Err(part)) => assert!(words.contains(part), "{words}"),
                (checked, _) => panic!("{line}: {checked:?}"),
            }
        }
    }
}

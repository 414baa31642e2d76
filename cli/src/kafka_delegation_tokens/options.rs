//! The options of `kafka-delegation-tokens`, and which of them go together.
//!
//! Answers to `DelegationTokenCommandOptions` of Kafka 4.3.1: its checks in its order. Unlike
//! Kafka, whose sets have no order: of several options that cannot stand beside an action, the one
//! that the table has first is named.

use crate::joptsimple::{Opt, ParsedOptions};
use crate::refused::Refused;

pub(super) const OPTIONS: &[Opt] = &[
    Opt::switch("help"),
    Opt::switch("version"),
    Opt::value("bootstrap-server"),
    Opt::value("command-config"),
    Opt::switch("create"),
    Opt::switch("renew"),
    Opt::switch("expire"),
    Opt::switch("describe"),
    Opt::optional("owner-principal"),
    Opt::optional("renewer-principal"),
    Opt::optional_number("max-life-time-period"),
    Opt::optional_number("renew-time-period"),
    Opt::optional_number("expiry-time-period"),
    Opt::optional("hmac"),
    Opt::switch("json").beside(&["describe"]),
];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Action {
    Create,
    Renew,
    Expire,
    Describe,
}

impl Action {
    const ALL: [(&'static str, Self); 4] = [
        ("create", Self::Create),
        ("renew", Self::Renew),
        ("expire", Self::Expire),
        ("describe", Self::Describe),
    ];

    fn required(self) -> &'static [&'static str] {
        match self {
            Self::Create => &["max-life-time-period"],
            Self::Renew => &["hmac", "renew-time-period"],
            Self::Expire => &["hmac", "expiry-time-period"],
            Self::Describe => &[],
        }
    }

    fn invalid(self) -> &'static [&'static str] {
        match self {
            Self::Create => &["hmac", "renew-time-period", "expiry-time-period"],
            Self::Renew => &[
                "renewer-principal",
                "max-life-time-period",
                "expiry-time-period",
                "owner-principal",
            ],
            Self::Expire => &["max-life-time-period", "renew-time-period", "owner-principal"],
            Self::Describe => {
                &["renew-time-period", "max-life-time-period", "hmac", "expiry-time-period"]
            }
        }
    }
}

/// Checks what was given; the action that shall be done.
pub(super) fn check(nothing_given: bool, given: &ParsedOptions) -> Result<Action, Refused> {
    if nothing_given || given.has("help") {
        return Err(Refused::Usage(
            "This tool helps to create, renew, expire, or describe delegation tokens.".to_owned(),
        ));
    }
    if given.has("version") {
        return Err(Refused::Version);
    }
    let mut actions = Action::ALL.into_iter().filter(|(name, _)| given.has(name));
    let (Some((name, action)), None) = (actions.next(), actions.next()) else {
        return Err(Refused::Usage(
            "Command must include exactly one action: --create, --renew, --expire or --describe"
                .to_owned(),
        ));
    };
    let mut required = ["bootstrap-server", "command-config"].iter().chain(action.required());
    if let Some(missing) = required.find(|option| !given.has(option)) {
        return Err(Refused::Usage(format!("Missing required argument \"[{missing}]\"")));
    }
    match action.invalid().iter().find(|option| given.has(option)) {
        Some(other) => Err(Refused::Usage(format!(
            "Option \"[{name}]\" can't be used with option \"[{other}]\""
        ))),
        None => Ok(action),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::joptsimple::parse;

    #[test]
    fn each_action_has_its_options() {
        let table = [
            ("--create --max-life-time-period -1 --renewer-principal User:a", Ok(Action::Create)),
            ("--create --max-life-time-period", Ok(Action::Create)),
            ("--renew --hmac a --renew-time-period 1", Ok(Action::Renew)),
            ("--expire --hmac a --expiry-time-period 1 --renewer-principal b", Ok(Action::Expire)),
            ("--describe --owner-principal User:a --renewer-principal b", Ok(Action::Describe)),
            ("--create --describe", Err("exactly one action")),
            ("", Err("exactly one action")),
            ("--create", Err("Missing required argument \"[max-life-time-period]\"")),
            ("--renew --renew-time-period 1", Err("Missing required argument \"[hmac]\"")),
            ("--expire --hmac a", Err("Missing required argument \"[expiry-time-period]\"")),
            (
                "--create --max-life-time-period 1 --hmac a",
                Err("Option \"[create]\" can't be used with option \"[hmac]\""),
            ),
            (
                "--renew --hmac a --renew-time-period 1 --owner-principal User:a",
                Err("Option \"[renew]\" can't be used with option \"[owner-principal]\""),
            ),
            (
                "--describe --hmac a",
                Err("Option \"[describe]\" can't be used with option \"[hmac]\""),
            ),
        ];
        for (line, expected) in table {
            let line = format!("--bootstrap-server a:1 --command-config f {line}");
            let words: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
            match (check(false, &parse(OPTIONS, &words).unwrap()), expected) {
                (Ok(action), Ok(expected)) => assert_eq!(action, expected, "{line}"),
                (Err(Refused::Usage(words)), Err(part)) => assert!(words.contains(part), "{words}"),
                (checked, _) => panic!("{line}: {checked:?}"),
            }
        }
    }
}

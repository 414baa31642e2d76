//! The options of `kafka-configs`: whose settings are meant, and which options go together.
//!
//! Answers to `ConfigCommandOptions` of Kafka 4.3.1: its checks in its order.

use std::net::ToSocketAddrs;

use crate::joptsimple::{Opt, OptionError, ParsedOptions};
use crate::refused::Refused;
use crate::release::CliRelease;

pub(super) const OPTIONS: &[Opt] = &[
    Opt::switch("help"),
    Opt::switch("version"),
    Opt::value("bootstrap-server"),
    Opt::value("bootstrap-controller"),
    Opt::value("command-config"),
    Opt::switch("alter"),
    Opt::switch("describe"),
    Opt::switch("all"),
    Opt::value("entity-type"),
    Opt::value("entity-name"),
    Opt::switch("entity-default"),
    Opt::value("add-config"),
    Opt::value("add-config-file"),
    Opt::value("delete-config"),
    Opt::value("topic"),
    Opt::value("client"),
    Opt::switch("client-defaults"),
    Opt::value("user"),
    Opt::switch("user-defaults"),
    Opt::value("broker"),
    Opt::switch("broker-defaults"),
    Opt::value("broker-logger"),
    Opt::switch("ip-defaults"),
    Opt::value("ip"),
    Opt::value("group").only(CliRelease::V4_3),
    Opt::value("client-metrics").only(CliRelease::V4_3),
    Opt::switch("force").only(CliRelease::V3_7),
    Opt::value("zookeeper").only(CliRelease::V3_7),
    Opt::value("zk-tls-config-file").only(CliRelease::V3_7),
    Opt::switch("json").beside(&["describe"]),
];

/// Options that name one entity, and its type.
const ENTITY_FLAGS: [(&str, &str); 8] = [
    ("topic", "topics"),
    ("client", "clients"),
    ("user", "users"),
    ("broker", "brokers"),
    ("broker-logger", "broker-loggers"),
    ("ip", "ips"),
    ("client-metrics", "client-metrics"),
    ("group", "groups"),
];
/// Options that stand for what counts where an entity has nothing of its own.
const DEFAULT_FLAGS: [(&str, &str); 4] = [
    ("client-defaults", "clients"),
    ("user-defaults", "users"),
    ("broker-defaults", "brokers"),
    ("ip-defaults", "ips"),
];
/// Every type, as the complaint about another one lists them.
const TYPES: [&str; 8] =
    ["topics", "clients", "users", "brokers", "ips", "client-metrics", "groups", "broker-loggers"];
const OLD_TYPES: [&str; 7] =
    ["topics", "clients", "users", "brokers", "ips", "broker-loggers", "client-metrics"];
/// Types whose settings 3.7 keeps in ZooKeeper.
const ZOOKEEPER_TYPES: [&str; 2] = ["users", "brokers"];
/// Types that have defaults.
const WITH_DEFAULTS: [&str; 4] = ["users", "clients", "brokers", "ips"];

/// Whose settings are meant: types, and names in the order of the command line. An empty name is
/// the default.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Entities {
    pub(super) types: Vec<String>,
    pub(super) names: Vec<String>,
}

impl Entities {
    pub(super) fn first_type(&self) -> &str {
        self.types.first().map_or("", String::as_str)
    }

    pub(super) fn has_type(&self, wanted: &str) -> bool {
        self.types.iter().any(|own| own == wanted)
    }

    fn has_default_type(&self) -> bool {
        WITH_DEFAULTS.iter().any(|wanted| self.has_type(wanted))
    }
}

fn types(given: &ParsedOptions) -> Vec<String> {
    let named = given.values("entity-type").into_iter();
    let flags = ENTITY_FLAGS.iter().chain(&DEFAULT_FLAGS);
    let by_flag = flags.filter(|(flag, _)| given.has(flag)).map(|(_, kind)| *kind);
    named.chain(by_flag).map(str::to_owned).collect()
}

fn names(given: &ParsedOptions) -> Result<Vec<String>, OptionError> {
    let mut names: Vec<String> = Vec::new();
    for (option, value) in given.given() {
        match option {
            "entity-name" => names.push(value.unwrap_or_default().to_owned()),
            "entity-default" => names.push(String::new()),
            _ => {}
        }
    }
    for (flag, _) in ENTITY_FLAGS {
        names.extend(given.value(flag)?.map(str::to_owned));
    }
    let defaults = DEFAULT_FLAGS.iter().filter(|(flag, _)| given.has(flag));
    names.extend(defaults.map(|_| String::new()));
    Ok(names)
}

/// Checks what was given, as far as it can be judged without the values of settings.
pub(super) fn check(nothing_given: bool, given: &ParsedOptions) -> Result<Entities, Refused> {
    let usage = |words: &str| Err(Refused::Usage(words.to_owned()));
    if nothing_given || given.has("help") {
        return usage(given.release().either(
            "This tool helps to manipulate and describe entity config for a topic, client, user, \
             broker, ip or client-metrics",
            "This tool helps to manipulate and describe entity config for a topic, client, user, \
             broker, ip, client-metrics or group",
        ));
    }
    if given.has("version") {
        return Err(Refused::Version);
    }
    if given.has("alter") == given.has("describe") {
        return usage("Command must include exactly one action: --describe, --alter");
    }
    let changing = ["add-config", "delete-config"];
    let wrong = changing.iter().find(|other| given.has("describe") && given.has(other));
    if let Some(wrong) = wrong {
        let words = format!("Option \"[describe]\" can't be used with option \"[{wrong}]\"");
        return Err(Refused::Usage(words));
    }
    let types = types(given);
    check_types(given, &types)?;
    let entities = Entities { types, names: names(given)? };
    check_names(given, &entities)?;
    match given.has("describe") {
        true => check_describe(given, &entities)?,
        false => check_alter(given, &entities)?,
    }
    Ok(entities)
}

fn words(words: impl Into<String>) -> Result<(), Refused> {
    Err(Refused::Words(words.into()))
}

fn check_types(given: &ParsedOptions, types: &[String]) -> Result<(), Refused> {
    let mut seen: Vec<&str> = Vec::new();
    let mut twice: Vec<&str> = Vec::new();
    for kind in types {
        let list = if seen.contains(&kind.as_str()) { &mut twice } else { &mut seen };
        list.push(kind);
    }
    if !twice.is_empty() {
        return words(format!("Duplicate entity type(s) specified: {}", twice.join(",")));
    }
    let (is_old, has_server) = (
        given.release().is_3_7(),
        given.has("bootstrap-server") || given.has("bootstrap-controller"),
    );
    if !has_server && !is_old {
        return words("Either --bootstrap-server or --bootstrap-controller must be specified.");
    }
    let (known, asked): (&[&str], &str) = match (is_old, has_server) {
        (true, false) => (&ZOOKEEPER_TYPES, "--zookeeper"),
        (true, true) => (&OLD_TYPES, "--bootstrap-server or --bootstrap-controller"),
        (false, _) => (&TYPES, "--bootstrap-server or --bootstrap-controller"),
    };
    if let Some(unknown) = types.iter().find(|kind| !known.contains(&kind.as_str())) {
        return words(format!(
            "Invalid entity type {unknown}, the entity type must be one of {} with a {asked} \
             argument",
            known.join(", ")
        ));
    }
    let both = ["users", "clients"];
    match types {
        [] => return words("At least one entity type must be specified"),
        [_] => {}
        several if several.iter().all(|kind| both.contains(&kind.as_str())) => {}
        _ => return words("Only 'users' and 'clients' entity types may be specified together"),
    }
    let general = ["entity-name", "entity-type", "entity-default"];
    let mut special = ENTITY_FLAGS.iter().chain(&DEFAULT_FLAGS);
    if general.iter().any(|flag| given.has(flag)) && special.any(|(flag, _)| given.has(flag)) {
        return words(
            "--entity-{type,name,default} should not be used in conjunction with specific entity \
             flags",
        );
    }
    Ok(())
}

fn check_names(given: &ParsedOptions, entities: &Entities) -> Result<(), Refused> {
    if given.has("bootstrap-server") && given.has("bootstrap-controller") {
        return words(given.release().either(
            "Only one of --bootstrap-server, --boostrap-controller, and --zookeeper can be \
             specified",
            "Only one of --bootstrap-server or --bootstrap-controller can be specified",
        ));
    }
    if entities.names.iter().all(String::is_empty) {
        return Ok(());
    }
    let kind = entities.first_type();
    if entities.has_type("brokers") || entities.has_type("broker-loggers") {
        for flag in ["entity-name", "broker", "broker-logger"] {
            let Some(id) = given.value(flag)? else { continue };
            if id.parse::<i32>().is_err() {
                return words(format!(
                    "The entity name for {kind} must be a valid integer broker id, but it is: {id}"
                ));
            }
        }
    }
    if entities.has_type("ips") {
        for flag in ["entity-name", "ip"] {
            let Some(ip) = given.value(flag)? else { continue };
            if !ip.is_empty() && (ip, 0).to_socket_addrs().is_err() {
                return words(format!(
                    "The entity name for {kind} must be a valid IP or resolvable host, but it is: \
                     {ip}"
                ));
            }
        }
    }
    Ok(())
}

fn check_describe(given: &ParsedOptions, entities: &Entities) -> Result<(), Refused> {
    let listed = entities.types.join(",");
    let is_old = given.release().is_3_7();
    if !entities.has_default_type() && given.has("entity-default") && !is_old {
        return words(format!(
            "--entity-default must not be specified with --describe of {listed}"
        ));
    }
    let is_named = entities.names.iter().any(|name| !name.is_empty());
    if entities.has_type("broker-loggers") && !is_named {
        let an = given.release().either("an", "An");
        return words(format!("{an} entity name must be specified with --describe of {listed}"));
    }
    Ok(())
}

fn check_alter(given: &ParsedOptions, entities: &Entities) -> Result<(), Refused> {
    let an = given.release().either("an", "An");
    let is_named = entities.names.iter().any(|name| !name.is_empty());
    if entities.has_default_type() {
        if entities.names.is_empty() {
            return words(format!(
                "{an} entity-name or default entity must be specified with --alter of users, \
                 clients, brokers or ips"
            ));
        }
    } else if !is_named {
        let listed = entities.types.join(",");
        return words(format!("{an} entity name must be specified with --alter of {listed}"));
    }
    let (add, file) = (given.has("add-config"), given.has("add-config-file"));
    if add && file {
        return words("Only one of --add-config or --add-config-file must be specified");
    }
    if !add && !file && !given.has("delete-config") {
        return words(
            "At least one of --add-config, --add-config-file, or --delete-config must be \
             specified with --alter",
        );
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::joptsimple::parse;

    fn checked(line: &str) -> Result<Entities, Refused> {
        let words: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
        check(words.is_empty(), &parse(OPTIONS, &words).unwrap())
    }

    #[test]
    fn entities_are_named_by_type_or_by_their_own_flags() {
        let table = [
            (
                "--entity-type users --entity-default --entity-type clients --entity-name app",
                &["users", "clients"][..],
                &["", "app"][..],
            ),
            ("--user alice --client app", &["clients", "users"], &["app", "alice"]),
            ("--user-defaults", &["users"], &[""]),
            ("--entity-type topics", &["topics"], &[]),
            ("--broker 1", &["brokers"], &["1"]),
        ];
        for (line, types, names) in table {
            let entities = checked(&format!("--bootstrap-server a:1 --describe {line}")).unwrap();
            assert_eq!(
                (entities.types.as_slice(), entities.names.as_slice()),
                (
                    types.iter().map(|t| (*t).to_owned()).collect::<Vec<_>>().as_slice(),
                    names.iter().map(|t| (*t).to_owned()).collect::<Vec<_>>().as_slice()
                ),
                "{line}"
            );
        }
    }

    #[test]
    fn what_does_not_go_together_is_refused_in_kafkas_words() {
        let table = [
            (
                "--describe --topic a",
                "Either --bootstrap-server or --bootstrap-controller must be \
              specified.",
            ),
            ("--bootstrap-server a:1 --describe", "At least one entity type must be specified"),
            (
                "--bootstrap-server a:1 --describe --topic a --topic b",
                "Found multiple arguments for option topic, but you asked for only one",
            ),
            (
                "--bootstrap-server a:1 --alter --topic a --add-config b=c --add-config-file d",
                "Only one of --add-config or --add-config-file must be specified",
            ),
            (
                "--bootstrap-server a:1 --describe --broker x",
                "The entity name for brokers must be a valid integer broker id, but it is: x",
            ),
        ];
        for (line, words) in table {
            assert_eq!(checked(line), Err(Refused::Words(words.to_owned())), "{line}");
        }
        assert!(matches!(checked("--alter --describe"), Err(Refused::Usage(_))));
        assert_eq!(checked("--version"), Err(Refused::Version));
    }
}

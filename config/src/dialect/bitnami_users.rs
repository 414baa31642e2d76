//! The users of a bitnami/kafka container: variables with names and passwords, for the listeners
//! that speak SASL.
//!
//! | variables | who | without them |
//! |---|---|---|
//! | `KAFKA_CLIENT_USERS`, `KAFKA_CLIENT_PASSWORDS` | clients, as lists | `user`, `bitnami` |
//! | `KAFKA_INTER_BROKER_USER`, `…_PASSWORD` | brokers | `inter_broker_user`, `bitnami` |
//! | `KAFKA_CONTROLLER_USER`, `…_PASSWORD` | controllers | `controller_user`, `bitnami` |
//!
//! Each listener over SASL gets a login for each mechanism that it takes, unless a variable names
//! one: the controllers' listener that of the controllers' user, any other those of the brokers'
//! and the clients'. For SCRAM they are written into the storage when it is formatted. Unlike that
//! image, a listener in plain text needs no users, and variables that no listener needs change
//! nothing. Answers to `kafka_configure_sasl` of its libkafka.sh.

use security::Secret;
use security::sasl::jaas::LoginModule;

use super::draft::Draft;
use super::{Refusal, Variables};
use crate::SecurityProtocol;
use crate::endpoint::{csv, parse_protocol_map};

/// What names them.
pub(super) const VARIABLES: [&str; 6] = [
    "KAFKA_CLIENT_USERS",
    "KAFKA_CLIENT_PASSWORDS",
    "KAFKA_INTER_BROKER_USER",
    "KAFKA_INTER_BROKER_PASSWORD",
    "KAFKA_CONTROLLER_USER",
    "KAFKA_CONTROLLER_PASSWORD",
];
const MECHANISMS: &str = "sasl.enabled.mechanisms";
const OF_CONTROLLERS: &str = "sasl.mechanism.controller.protocol";
const PLAIN: &str = "PLAIN";

struct User {
    name: String,
    password: String,
}

/// Adds logins to the draft; what a new storage is to know of SCRAM.
pub(super) fn log_in(variables: &Variables, draft: &mut Draft) -> Result<Vec<Secret>, Refusal> {
    let listeners = listeners(draft);
    if listeners.is_empty() {
        return Ok(Vec::new());
    }
    let controllers = csv(draft.get("controller.listener.names").unwrap_or_default());
    let broker = user(variables, "KAFKA_INTER_BROKER", "inter_broker_user")?;
    let controller = user(variables, "KAFKA_CONTROLLER", "controller_user")?;
    let clients = clients(variables)?;
    let mut mechanisms = Vec::new();
    for listener in listeners {
        let is_controllers = controllers.iter().any(|name| name.eq_ignore_ascii_case(&listener));
        let own: Vec<String> = match draft.get(OF_CONTROLLERS).filter(|_| is_controllers) {
            Some(mechanism) => vec![mechanism.trim().to_owned()],
            None => csv(draft.get(MECHANISMS).unwrap_or_default()),
        };
        let prefix = format!("listener.name.{}", listener.to_lowercase());
        if is_controllers && !own.is_empty() {
            draft.set_default(&format!("{prefix}.{MECHANISMS}"), &own.join(","), OF_CONTROLLERS);
        }
        for mechanism in own {
            let key = format!("{prefix}.{}.sasl.jaas.config", mechanism.to_lowercase());
            let login = match is_controllers {
                true => login(&mechanism, &controller, &[]),
                false => login(&mechanism, &broker, &clients),
            };
            draft.set_default(&key, &login, "KAFKA_CLIENT_USERS");
            mechanisms.push(mechanism);
        }
    }
    mechanisms.sort();
    mechanisms.dedup();
    let all = || [&broker, &controller].into_iter().chain(&clients);
    let credential = |mechanism: &String, user: &User| {
        let (name, password) = (&user.name, &user.password);
        Secret::new(format!("{mechanism}=[name={name},password={password}]"))
    };
    let scram = mechanisms.iter().filter(|name| name.starts_with("SCRAM-"));
    Ok(scram.flat_map(|name| all().map(move |user| credential(name, user))).collect())
}

/// The listeners over SASL, controllers' that listen elsewhere included.
fn listeners(draft: &Draft) -> Vec<String> {
    let map = draft.get("listener.security.protocol.map").unwrap_or_default();
    let map = parse_protocol_map(map).unwrap_or_default();
    let protocol = |name: &String| {
        map.get(&name.to_uppercase()).copied().or_else(|| SecurityProtocol::named(name))
    };
    let mut names = Vec::new();
    for entry in csv(draft.get("listeners").unwrap_or_default()) {
        names.extend(entry.split_once("://").map(|(name, _)| name.to_owned()));
    }
    names.extend(csv(draft.get("controller.listener.names").unwrap_or_default()));
    names.sort();
    names.dedup();
    names.retain(|name| protocol(name).is_some_and(SecurityProtocol::is_sasl));
    names
}

fn login(mechanism: &str, own: &User, others: &[User]) -> String {
    let module = if mechanism == PLAIN { LoginModule::Plain } else { LoginModule::Scram };
    let mut text = format!(
        "{} required username=\"{}\" password=\"{}\"",
        module.class(),
        own.name,
        own.password
    );
    if mechanism == PLAIN {
        for user in std::iter::once(own).chain(others) {
            text.push_str(&format!(" user_{}=\"{}\"", user.name, user.password));
        }
    }
    text + ";"
}

fn user(variables: &Variables, prefix: &'static str, default: &str) -> Result<User, Refusal> {
    let given = |suffix: &str, default: &str| {
        variables.filled(&format!("{prefix}_{suffix}")).unwrap_or(default).to_owned()
    };
    let user = User { name: given("USER", default), password: given("PASSWORD", "bitnami") };
    writable(prefix, user)
}

fn clients(variables: &Variables) -> Result<Vec<User>, Refusal> {
    let list = |name: &str, default: &str| -> Vec<String> {
        let text = variables.filled(name).unwrap_or(default);
        let parts = text.split([',', ';']).map(str::trim).filter(|part| !part.is_empty());
        parts.map(str::to_owned).collect()
    };
    let names = list("KAFKA_CLIENT_USERS", "user");
    let passwords = list("KAFKA_CLIENT_PASSWORDS", "bitnami");
    if names.len() != passwords.len() {
        return Err(Refusal::Users { users: names.len(), passwords: passwords.len() });
    }
    let users = names.into_iter().zip(passwords);
    users.map(|(name, password)| writable("KAFKA_CLIENT_USERS", User { name, password })).collect()
}

/// What would end a quoted word of a login, or a field of a credential.
fn writable(variable: &'static str, user: User) -> Result<User, Refusal> {
    let is_wrong = |c: char| matches!(c, '"' | '\\' | ',' | '\n' | '\r');
    match user.name.contains(is_wrong) || user.password.contains(is_wrong) {
        true => Err(Refusal::Unwritable { variable, not: "\" \\ , or a new line" }),
        false => Ok(user),
    }
}

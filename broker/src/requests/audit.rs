//! One line for each decision about access, at `kafka.authorizer.logger`: INFO for what is denied,
//! DEBUG for what is allowed, TRACE for what was asked only to leave something out or to tell what
//! somebody may do.
//!
//! The line is Kafka's. Unlike Kafka: a control character in a name or a principal is escaped
//! (docs/decisions/0501), so that nobody writes lines of his own into the log.
//!
//! Kafka: `StandardAuthorizerData.logAuditMessage`.

use std::borrow::Cow;

use super::authorizer::{Authorizer, Operation, Resource};
use super::requester::Client;

/// At which decisions a line is written that nobody has to trace for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Logged {
    Always,
    IfAllowed,
    Never,
}

/// One question.
#[derive(Debug, Clone, Copy)]
pub(super) struct Asked<'a> {
    pub(super) client: &'a Client,
    /// Name of the API.
    pub(super) request: &'a str,
    pub(super) operation: Operation,
    pub(super) resource: Resource<'a>,
    /// How many times the request names the resource.
    pub(super) references: usize,
}

macro_rules! say {
    ($level:ident, $line:expr) => {
        if tracing::enabled!(target: "kafka.authorizer.logger", tracing::Level::$level) {
            if let Some(line) = $line {
                tracing::event!(
                    target: "kafka.authorizer.logger",
                    tracing::Level::$level,
                    "{line}",
                );
            }
        }
    };
}

pub(super) fn log(authorizer: &dyn Authorizer, asked: Asked<'_>, allowed: bool, logged: Logged) {
    let line = || {
        Some(line(
            &asked,
            allowed,
            &authorizer.rule(asked.client, asked.operation, asked.resource)?,
        ))
    };
    match (allowed, logged) {
        (false, Logged::Always) => say!(INFO, line()),
        (true, Logged::Always | Logged::IfAllowed) => say!(DEBUG, line()),
        (false, Logged::IfAllowed) | (_, Logged::Never) => say!(TRACE, line()),
    }
}

fn line(asked: &Asked<'_>, allowed: bool, rule: &str) -> String {
    let Asked { client, request, operation, resource, references } = asked;
    let verdict = if allowed { "Allowed" } else { "Denied" };
    format!(
        "Principal = {} is {verdict} operation = {operation} from host = {} on resource = \
         {}:LITERAL:{} for request = {request} with resourceRefCount = {references} based on rule \
         {}",
        escaped(&client.principal),
        client.host_address,
        resource.resource_type().title(),
        escaped(resource.name()),
        escaped(rule),
    )
}

/// Control characters as Rust and Java write them in literals.
fn escaped(text: &str) -> Cow<'_, str> {
    if !text.contains(char::is_control) {
        return Cow::Borrowed(text);
    }
    let each = |character: char| {
        if character.is_control() {
            character.escape_default().to_string()
        } else {
            character.into()
        }
    };
    Cow::Owned(text.chars().map(each).collect())
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    #[test]
    fn a_decision_is_one_line_as_kafka_writes_it() {
        let address = ([127, 0, 0, 2], 1).into();
        let client = Client::new(Arc::from("PLAINTEXT"), address, Arc::from("User:ANONYMOUS"), 1);
        let asked = Asked {
            client: &client,
            request: "Fetch",
            operation: Operation::Read,
            resource: Resource::Topic("t"),
            references: 3,
        };
        assert_eq!(
            line(&asked, false, "DefaultDeny"),
            "Principal = User:ANONYMOUS is Denied operation = READ from host = 127.0.0.2 on \
             resource = Topic:LITERAL:t for request = Fetch with resourceRefCount = 3 based on \
             rule DefaultDeny"
        );
        let forging = Resource::TransactionalId("x\nPrincipal = User:root is Allowed\r\u{85}é");
        let forged = Asked { resource: forging, ..asked };
        assert!(line(&forged, true, "a\tb").ends_with(
            "on resource = TransactionalId:LITERAL:x\\nPrincipal = User:root is \
             Allowed\\r\\u{85}é for request = Fetch with resourceRefCount = 3 based on rule a\\tb"
        ));
    }
}

//! Things that have a configuration, as requests name them: which kinds there are, and who may see
//! or change their settings.
//!
//! Kafka: `ConfigResource.Type`, `ConfigHelper`, `ControllerApis.authorizeAlterResource`,
//! `ConfigAdminManager`.

use std::collections::HashMap;

use protocol::ErrorCode;
use raft::image::ResourceType;

use crate::metadata::dynamic_config::invalid_request;
use crate::requests::api_error::{ApiError, denied};
use crate::requests::authorizer::{Operation, Resource};
use crate::requests::context::RequestContext;

/// Whether the sender may do `operation` to the settings of a resource.
pub(crate) fn authorize(
    context: &RequestContext,
    operation: Operation,
    kind: ResourceType,
    name: &str,
) -> Result<(), ApiError> {
    let resource = match kind {
        ResourceType::Topic => Resource::Topic(name),
        ResourceType::Group => Resource::Group(name),
        ResourceType::Broker | ResourceType::BrokerLogger | ResourceType::ClientMetrics => {
            Resource::Cluster
        }
    };
    if context.authorize(operation, resource) { Ok(()) } else { Err(denied(resource)) }
}

/// One resource of a request to change settings, as far as both kinds of such requests have it.
pub(crate) struct Asked<'a> {
    pub(crate) kind: i8,
    pub(crate) name: &'a str,
    /// Names of the settings.
    pub(crate) settings: Vec<&'a str>,
    /// Settings whose value is missing although it is needed.
    pub(crate) nulls: Vec<&'a str>,
}

/// Refuses, per resource, what no broker passes on to the controller: resources and settings that
/// come twice, and nulls.
pub(crate) fn check_asked(asked: &[Asked<'_>]) -> Vec<Result<(), ApiError>> {
    let mut times: HashMap<(i8, &str), usize> = HashMap::new();
    for resource in asked {
        *times.entry((resource.kind, resource.name)).or_default() += 1;
    }
    let check = |resource: &Asked<'_>| {
        if times.get(&(resource.kind, resource.name)).is_some_and(|times| *times > 1) {
            return Err(invalid_request("Each resource must appear at most once."));
        }
        let mut names = resource.settings.clone();
        names.sort_unstable();
        if names.windows(2).any(|pair| pair.first() == pair.last()) {
            return Err(invalid_request("Error due to duplicate config keys"));
        }
        if !resource.nulls.is_empty() {
            let nulls = resource.nulls.join(", ");
            return Err(invalid_request(format!("Null value not supported for : {nulls}")));
        }
        Ok(())
    };
    asked.iter().map(check).collect()
}

/// Whether a broker's settings are asked of the broker itself, or of all brokers (the empty name);
/// says whether they are those of this one.
pub(crate) fn of_this_broker(node_id: i32, name: &str) -> Result<bool, ApiError> {
    if name.is_empty() {
        return Ok(false);
    }
    match name.parse::<i32>() {
        Err(_) => Err(invalid_request(format!("Node id must be an integer, but it is: {name}"))),
        Ok(id) if id != node_id => Err(invalid_request(format!(
            "Unexpected broker id, expected {node_id}, but received {name}"
        ))),
        Ok(_) => Ok(true),
    }
}

/// The refusal of a kind that is none.
pub(crate) fn unknown_kind(kind: i8) -> ApiError {
    ApiError::new(ErrorCode::InvalidRequest, format!("Unknown resource type {kind}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked<'a>(name: &'a str, settings: &[&'a str], nulls: &[&'a str]) -> Asked<'a> {
        Asked { kind: 2, name, settings: settings.to_vec(), nulls: nulls.to_vec() }
    }

    #[test]
    fn what_comes_twice_or_without_a_value_is_refused() {
        let checked = check_asked(&[
            asked("good", &["a", "b"], &[]),
            asked("twice", &[], &[]),
            asked("twice", &[], &[]),
            asked("keys", &["a", "b", "a"], &[]),
            asked("nulls", &["a", "b"], &["a", "b"]),
        ]);
        let said: Vec<_> = checked
            .into_iter()
            .map(|result| result.err().and_then(|error| error.message).unwrap_or_default())
            .collect();
        assert_eq!(
            said,
            [
                "",
                "Each resource must appear at most once.",
                "Each resource must appear at most once.",
                "Error due to duplicate config keys",
                "Null value not supported for : a, b",
            ]
        );
    }

    #[test]
    fn a_broker_answers_for_itself_and_for_all() {
        assert_eq!(of_this_broker(1, ""), Ok(false));
        assert_eq!(of_this_broker(1, "1"), Ok(true));
        let said = |name| of_this_broker(1, name).unwrap_err().message.unwrap_or_default();
        assert_eq!(said("2"), "Unexpected broker id, expected 1, but received 2");
        assert_eq!(said("one"), "Node id must be an integer, but it is: one");
    }
}

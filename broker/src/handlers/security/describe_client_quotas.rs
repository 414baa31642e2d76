//! DescribeClientQuotas: which quotas there are for users, client ids and addresses.
//!
//! Kafka: `ClientQuotasImage.describe`. A filter names each kind of entity at most once: by name,
//! by the default of the kind, or just as present; a strict one allows no further kinds.

use std::collections::BTreeMap;

use protocol::ErrorCode;
use protocol::messages::describe_client_quotas_request::ComponentData;
use protocol::messages::describe_client_quotas_response::{EntityData, EntryData, ValueData};
use protocol::messages::{DescribeClientQuotasRequest, DescribeClientQuotasResponse};
use protocol::wire::StrBytes;
use raft::image::QuotaEntities;

use crate::metadata::metadata_cache::MetadataCache;
use crate::requests::api_error::ApiError;
use crate::requests::authorizer::{Operation, Resource};
use crate::requests::context::RequestContext;
use crate::requests::reply::CloseConnection;

const EXACT: i8 = 0;
const DEFAULT: i8 = 1;
const SPECIFIED: i8 = 2;

/// What an entity of one kind must be.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Wanted {
    /// This name, or the default of the kind for none.
    Named(Option<StrBytes>),
    Any,
}

/// By kind: `user`, `client-id` or `ip`.
type Filter = BTreeMap<StrBytes, Wanted>;

pub(crate) async fn handle(
    metadata: &MetadataCache,
    context: &RequestContext,
    request: DescribeClientQuotasRequest,
) -> Result<DescribeClientQuotasResponse, CloseConnection> {
    if !context.authorize(Operation::DescribeConfigs, Resource::Cluster) {
        return Ok(refused(&ErrorCode::ClusterAuthorizationFailed.into()));
    }
    let filter = match filter(&request.components) {
        Ok(filter) => filter,
        Err(error) => return Ok(refused(&error)),
    };
    let image = metadata.image();
    let entries = image
        .client_quotas()
        .iter()
        .filter(|(entity, _)| matches(entity, &filter, request.strict))
        .map(|(entity, values)| entry(entity, values))
        .collect();
    Ok(DescribeClientQuotasResponse::default().with_entries(Some(entries)))
}

fn filter(components: &[ComponentData]) -> Result<Filter, ApiError> {
    let invalid = |message: String| Err(ApiError::new(ErrorCode::InvalidRequest, message));
    let mut filter = Filter::new();
    for component in components {
        let kind = component.entity_type.as_str();
        if kind.is_empty() {
            return invalid("Invalid empty entity type.".to_owned());
        }
        if filter.contains_key(&component.entity_type) {
            return invalid(format!(
                "Entity type {kind} cannot appear more than once in the filter."
            ));
        }
        if !matches!(kind, "user" | "client-id" | "ip") {
            let message = format!("Unsupported entity type {kind}");
            return Err(ApiError::new(ErrorCode::UnsupportedVersion, message));
        }
        let wanted = match (component.match_type, &component._match) {
            (EXACT, Some(name)) => Wanted::Named(Some(name.clone())),
            (DEFAULT, None) => Wanted::Named(None),
            (SPECIFIED, None) => Wanted::Any,
            (EXACT, None) => {
                let message = "Request specified MATCH_TYPE_EXACT, but set match string to null.";
                return invalid(message.to_owned());
            }
            (DEFAULT | SPECIFIED, Some(_)) => {
                let name = if component.match_type == DEFAULT { "DEFAULT" } else { "SPECIFIED" };
                return invalid(format!(
                    "Request specified MATCH_TYPE_{name}, but also specified a match string."
                ));
            }
            (other, _) => return invalid(format!("Unknown match type {other}")),
        };
        filter.insert(component.entity_type.clone(), wanted);
    }
    let has = |kind: &str| filter.contains_key(kind.as_bytes());
    if has("ip") && (has("user") || has("client-id")) {
        return invalid(
            "Invalid entity filter component combination. IP filter component should not be used \
             with user or clientId filter component."
                .to_owned(),
        );
    }
    Ok(filter)
}

fn matches(entity: &QuotaEntities, filter: &Filter, strict: bool) -> bool {
    if strict && entity.len() != filter.len() {
        return false;
    }
    filter.iter().all(|(kind, wanted)| {
        entity.iter().any(|(of_kind, name)| {
            of_kind == kind
                && match wanted {
                    Wanted::Any => true,
                    Wanted::Named(wanted) => wanted == name,
                }
        })
    })
}

fn entry(entity: &QuotaEntities, values: &BTreeMap<StrBytes, f64>) -> EntryData {
    let part = |(kind, name): &(StrBytes, Option<StrBytes>)| {
        EntityData::default().with_entity_type(kind.clone()).with_entity_name(name.clone())
    };
    let value = |(key, value): (&StrBytes, &f64)| {
        ValueData::default().with_key(key.clone()).with_value(*value)
    };
    EntryData::default()
        .with_entity(entity.iter().map(part).collect())
        .with_values(values.iter().map(value).collect())
}

fn refused(error: &ApiError) -> DescribeClientQuotasResponse {
    DescribeClientQuotasResponse::default()
        .with_error_code(error.code())
        .with_error_message(error.text())
        .with_entries(None)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::requests::api_error::text;

    fn component(kind: &str, match_type: i8, name: Option<&str>) -> ComponentData {
        ComponentData::default()
            .with_entity_type(text(kind))
            .with_match_type(match_type)
            .with_match(name.map(text))
    }

    fn entity(parts: &[(&str, Option<&str>)]) -> QuotaEntities {
        parts.iter().map(|(kind, name)| (text(*kind), name.map(text))).collect()
    }

    #[test]
    fn entities_match_as_the_filter_says() {
        let alice = entity(&[("user", Some("alice"))]);
        let anyone = entity(&[("user", None)]);
        let alices_app = entity(&[("client-id", Some("app")), ("user", Some("alice"))]);
        for (components, strict, wanted) in [
            (vec![], false, [true, true, true]),
            (vec![], true, [false, false, false]),
            (vec![component("user", EXACT, Some("alice"))], false, [true, false, true]),
            (vec![component("user", EXACT, Some("alice"))], true, [true, false, false]),
            (vec![component("user", DEFAULT, None)], false, [false, true, false]),
            (vec![component("user", SPECIFIED, None)], true, [true, true, false]),
            (vec![component("ip", SPECIFIED, None)], false, [false, false, false]),
        ] {
            let filter = filter(&components).unwrap();
            let found = [&alice, &anyone, &alices_app].map(|each| matches(each, &filter, strict));
            assert_eq!(found, wanted, "{components:?} strict={strict}");
        }
    }

    #[test]
    fn filters_that_mean_nothing_are_refused_in_kafkas_words() {
        for (components, code, message) in [
            (vec![component("", EXACT, None)], 42, "Invalid empty entity type."),
            (vec![component("colour", EXACT, None)], 35, "Unsupported entity type colour"),
            (
                vec![component("user", EXACT, None)],
                42,
                "Request specified MATCH_TYPE_EXACT, but set match string to null.",
            ),
            (
                vec![component("user", SPECIFIED, Some("x"))],
                42,
                "Request specified MATCH_TYPE_SPECIFIED, but also specified a match string.",
            ),
            (vec![component("user", 9, None)], 42, "Unknown match type 9"),
            (
                vec![component("user", DEFAULT, None), component("user", DEFAULT, None)],
                42,
                "Entity type user cannot appear more than once in the filter.",
            ),
        ] {
            let error = filter(&components).unwrap_err();
            assert_eq!((error.code(), error.message.as_deref()), (code, Some(message)));
        }
        let mixed = [component("user", DEFAULT, None), component("ip", DEFAULT, None)];
        assert_eq!(filter(&mixed).unwrap_err().code, ErrorCode::InvalidRequest);
    }
}

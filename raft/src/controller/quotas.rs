//! AlterClientQuotas: how much users, client ids and addresses may ask for. Answers to
//! `ClientQuotaControlManager` (KIP-546, KIP-599, KIP-612).
//!
//! An entity stands in an answer once, however often it stands in the request: its first change
//! holds, and the answer says of the later ones that they were left out.

use std::collections::BTreeMap;

use protocol::ErrorCode;
use protocol::messages::alter_client_quotas_request::{EntryData, OpData};
use protocol::messages::alter_client_quotas_response as answer;
use protocol::messages::{AlterClientQuotasRequest, AlterClientQuotasResponse};
use protocol::records::metadata::{ClientQuotaRecord, MetadataRecord};
use protocol::wire::StrBytes;

use super::error::{ApiError, outcome};
use super::{Controller, ControllerResult, MAX_RECORDS_PER_REQUEST};
use crate::image::{ClientQuotasImage, QuotaEntities};

const USER: &str = "user";
const CLIENT_ID: &str = "client-id";
const IP: &str = "ip";

/// What values a key may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Number {
    Int,
    Long,
    Double,
}

/// Keys of users and client ids.
const OF_CLIENTS: [(&str, Number); 4] = [
    ("producer_byte_rate", Number::Long),
    ("consumer_byte_rate", Number::Long),
    ("request_percentage", Number::Double),
    ("controller_mutation_rate", Number::Double),
];

/// Keys of addresses.
const OF_ADDRESSES: [(&str, Number); 1] = [("connection_creation_rate", Number::Int)];

/// What shall become of each key of an entity; nothing removes it.
type Alterations = BTreeMap<StrBytes, Option<f64>>;

impl Controller {
    /// Changes quotas. `is_address` says whether an address is one, or a host that has one.
    pub fn alter_client_quotas(
        &self,
        request: &AlterClientQuotasRequest,
        is_address: &dyn Fn(&str) -> bool,
    ) -> ControllerResult<AlterClientQuotasResponse> {
        let mut records = Vec::new();
        let mut results: Vec<(QuotaEntities, Result<(), ApiError>)> = Vec::new();
        let mut places: BTreeMap<QuotaEntities, usize> = BTreeMap::new();
        for entry in &request.entries {
            let entity = entity_of(entry);
            let (known, alterations) = (places.get(&entity).copied(), alterations(&entry.ops));
            // Kafka means to name a key that comes twice, and calls its entity a duplicate.
            let result = match (known, alterations) {
                (None, Some(alterations)) => self
                    .quota_records(&entity, &alterations, is_address)
                    .map(|changed| records.extend(changed)),
                _ => Err(duplicate(&entity)),
            };
            match known.and_then(|place| results.get_mut(place)) {
                Some((_, former)) => *former = result,
                None => {
                    places.insert(entity.clone(), results.len());
                    results.push((entity, result));
                }
            }
        }
        if records.len() > MAX_RECORDS_PER_REQUEST {
            return ControllerResult::unchanged(excessive(request));
        }
        if request.validate_only {
            records.clear();
        }
        let entries = results.into_iter().map(|(entity, result)| {
            let (code, message) = outcome(&result);
            answer::EntryData::default()
                .with_entity(entity.into_iter().map(part).collect())
                .with_error_code(code)
                .with_error_message(message)
        });
        let response = AlterClientQuotasResponse::default().with_entries(entries.collect());
        ControllerResult::atomic(records, response)
    }

    fn quota_records(
        &self,
        entity: &QuotaEntities,
        alterations: &Alterations,
        is_address: &dyn Fn(&str) -> bool,
    ) -> Result<Vec<MetadataRecord>, ApiError> {
        let keys = keys_of(entity, is_address)?;
        let current = self.image.client_quotas().of(entity);
        let current = |key: &StrBytes| current.and_then(|values| values.get(key)).copied();
        let mut records = Vec::new();
        for (key, value) in alterations {
            let record = match value {
                None if current(key).is_none() => continue,
                None => ClientQuotaRecord { remove: true, ..of_key(entity, key) },
                Some(value) => {
                    check_value(keys, key, *value)?;
                    if current(key).is_some_and(|current| is_same(current, *value)) {
                        continue;
                    }
                    ClientQuotaRecord { value: *value, ..of_key(entity, key) }
                }
            };
            records.push(record.into());
        }
        Ok(records)
    }
}

/// A kind that is named twice counts as it is named last.
fn entity_of(entry: &EntryData) -> QuotaEntities {
    let parts = entry.entity.iter();
    let parts: BTreeMap<StrBytes, Option<StrBytes>> =
        parts.map(|part| (part.entity_type.clone(), part.entity_name.clone())).collect();
    parts.into_iter().collect()
}

/// Nothing where a key comes twice.
fn alterations(ops: &[OpData]) -> Option<Alterations> {
    let mut alterations = Alterations::new();
    for op in ops {
        let value = (!op.remove).then_some(op.value);
        if alterations.insert(op.key.clone(), value).is_some() {
            return None;
        }
    }
    Some(alterations)
}

/// The keys that such an entity may have.
fn keys_of(
    entity: &QuotaEntities,
    is_address: &dyn Fn(&str) -> bool,
) -> Result<&'static [(&'static str, Number)], ApiError> {
    if entity.is_empty() {
        return Err(invalid("Invalid empty client quota entity"));
    }
    for (kind, name) in entity {
        if ![USER, CLIENT_ID, IP].contains(&kind.as_str()) {
            return Err(invalid(format!("Unhandled client quota entity type: {kind}")));
        }
        if name.as_ref().is_some_and(|name| name.is_empty()) {
            return Err(invalid(format!("Empty {kind} not supported")));
        }
    }
    let Some((_, address)) = entity.iter().find(|(kind, _)| kind.as_str() == IP) else {
        return Ok(&OF_CLIENTS);
    };
    if entity.len() > 1 {
        return Err(invalid(
            "Invalid quota entity combination, IP entity shouldnot be combined with User or \
             ClientId",
        ));
    }
    match address {
        Some(address) if !is_address(address) => {
            Err(invalid(format!("{address} is not a valid IP or resolvable host.")))
        }
        _ => Ok(&OF_ADDRESSES),
    }
}

fn check_value(keys: &[(&str, Number)], key: &str, value: f64) -> Result<(), ApiError> {
    let Some((_, number)) = keys.iter().find(|(name, _)| *name == key) else {
        return Err(invalid(format!("Invalid configuration key {key}")));
    };
    if value <= 0.0 {
        return Err(invalid(format!("Quota {key} must be greater than 0")));
    }
    #[allow(clippy::cast_precision_loss)]
    let (most, kind) = match number {
        Number::Double => return Ok(()),
        Number::Int => (f64::from(i32::MAX), "an INT"),
        Number::Long => (i64::MAX as f64, "a LONG"),
    };
    if value > most {
        return Err(invalid(format!("Proposed value for {key} is too large for {kind}.")));
    }
    if (value % 1.0).abs() > 1e-6 {
        return Err(invalid(format!("{key} cannot be a fractional value.")));
    }
    Ok(())
}

/// `Double.equals`.
fn is_same(left: f64, right: f64) -> bool {
    left.to_bits() == right.to_bits() || (left.is_nan() && right.is_nan())
}

fn of_key(entity: &QuotaEntities, key: &StrBytes) -> ClientQuotaRecord {
    let entity = ClientQuotasImage::parts(entity);
    ClientQuotaRecord { entity, key: key.clone(), ..Default::default() }
}

fn invalid(message: impl Into<String>) -> ApiError {
    ApiError::new(ErrorCode::InvalidRequest, message)
}

/// In the order in which Java's map has the kinds.
fn duplicate(entity: &QuotaEntities) -> ApiError {
    let mut parts: Vec<_> = entity.iter().collect();
    parts.sort_by_key(|(kind, _)| [CLIENT_ID, USER, IP].iter().position(|of| *of == kind.as_str()));
    let shown = parts.iter().map(|(kind, name)| {
        let name = name.as_ref().map_or("null", |name| name.as_str());
        format!("{kind}={name}")
    });
    let shown = shown.collect::<Vec<_>>().join(", ");
    invalid(format!("Ignoring duplicate entity ClientQuotaEntity(entries={{{shown}}})"))
}

/// More than one request may write; each entry is told, as it came.
fn excessive(request: &AlterClientQuotasRequest) -> AlterClientQuotasResponse {
    let error = ApiError::new(
        ErrorCode::PolicyViolation,
        "Request parameters do not satisfy the configured policy.",
    );
    refused_quotas(request, &error)
}

/// Every entry of the request, as it came, with the same error. Kafka:
/// `AlterClientQuotasRequest.getErrorResponse`.
pub fn refused_quotas(
    request: &AlterClientQuotasRequest,
    error: &ApiError,
) -> AlterClientQuotasResponse {
    let entry = |entry: &EntryData| {
        let parts = entry.entity.iter();
        let parts = parts.map(|of| part((of.entity_type.clone(), of.entity_name.clone())));
        answer::EntryData::default()
            .with_entity(parts.collect())
            .with_error_code(error.code())
            .with_error_message(error.text())
    };
    let entries = request.entries.iter().map(entry).collect();
    AlterClientQuotasResponse::default().with_entries(entries)
}

fn part((kind, name): (StrBytes, Option<StrBytes>)) -> answer::EntityData {
    answer::EntityData::default().with_entity_type(kind).with_entity_name(name)
}

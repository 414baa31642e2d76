//! IncrementalAlterConfigs and AlterConfigs. What a key may be set to is not known here: the host
//! hands in [`ConfigRules`].
//!
//! Answers to `ConfigurationControlManager`, with KIP-966's side effects: while eligible leader
//! replicas are on, min.insync.replicas is the cluster's or a topic's but no single broker's, and a
//! change of it clears the eligible replicas. And with KIP-1066's: which directories are cordoned
//! is checked by the broker that has them; who asks the controller itself can only take directories
//! off the list.

use std::collections::{BTreeMap, BTreeSet};

use protocol::ErrorCode;
use protocol::messages::alter_configs_response as legacy;
use protocol::messages::incremental_alter_configs_response::AlterConfigsResourceResponse;
use protocol::messages::{
    AlterConfigsRequest, AlterConfigsResponse, IncrementalAlterConfigsRequest,
    IncrementalAlterConfigsResponse,
};
use protocol::records::metadata::{ClearElrRecord, ConfigRecord, MetadataRecord};
use protocol::wire::StrBytes;

use super::error::{ApiError, outcome};
use super::{Controller, ControllerResult};
use crate::image::{ConfigResource, ConfigValues, ResourceType};

const MIN_IN_SYNC_REPLICAS: &str = "min.insync.replicas";
const CORDONED_LOG_DIRS: &str = "cordoned.log.dirs";
const MAX_VALUE_LENGTH: usize = i16::MAX as usize;

/// What the controller must know about configuration keys, from whoever knows them.
pub trait ConfigRules {
    /// Whether `values` may be all that is set on `resource`; `old` is what was set before.
    fn check(
        &self,
        resource: &ConfigResource,
        values: &ConfigValues,
        old: &ConfigValues,
    ) -> Result<(), ApiError>;

    /// Whether the key holds a list, so that APPEND and SUBTRACT mean something.
    fn is_list(&self, resource_type: ResourceType, key: &str) -> bool;

    /// The default of a key, when it has one.
    fn default_value(&self, resource_type: ResourceType, key: &str) -> Option<String>;

    /// Every topic key with the value in force, given what is set dynamically.
    fn effective_topic_configs(
        &self,
        cluster: &ConfigValues,
        node: &ConfigValues,
        topic: &ConfigValues,
    ) -> Vec<EffectiveConfig>;
}

/// A topic key with its value in force.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EffectiveConfig {
    pub name: StrBytes,
    pub value: Option<StrBytes>,
    pub is_read_only: bool,
    /// As DescribeConfigs numbers sources: 1 topic, 2 broker, 3 cluster, 4 file, 5 default.
    pub source: i8,
    pub is_sensitive: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ConfigOperation {
    Set,
    Delete,
    Append,
    Subtract,
}

impl ConfigOperation {
    fn from_id(id: i8) -> Option<Self> {
        match id {
            0 => Some(Self::Set),
            1 => Some(Self::Delete),
            2 => Some(Self::Append),
            3 => Some(Self::Subtract),
            _ => None,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Set => "SET",
            Self::Delete => "DELETE",
            Self::Append => "APPEND",
            Self::Subtract => "SUBTRACT",
        }
    }
}

/// In whose name a resource is altered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Asker {
    /// A broker has looked at it.
    Broker,
    /// Nobody has.
    Client,
    /// The resource is just being made, and need not exist.
    Creation,
}

pub(super) type Alteration = (ConfigOperation, Option<StrBytes>);

/// A request to alter resources, carried out: its records, and what became of each resource.
#[derive(Default)]
struct Alterations {
    records: Vec<MetadataRecord>,
    outcomes: Vec<AlteredResource>,
}

struct AlteredResource {
    resource_type: i8,
    name: StrBytes,
    result: Result<(), ApiError>,
}

impl Alterations {
    /// Hands each resource that stands in the request once to `alter`; one that stands there twice,
    /// or is of no known type, is refused.
    fn of<T>(
        asked: impl Iterator<Item = (i8, StrBytes, T)>,
        alter: impl Fn(&ConfigResource, T) -> Result<Vec<MetadataRecord>, ApiError>,
    ) -> Self {
        let mut altered = Self::default();
        let mut resources = BTreeMap::new();
        let mut twice = BTreeSet::new();
        for (id, name, alteration) in asked {
            let Some(resource_type) = ResourceType::from_id(id) else {
                let message = format!("Unknown resource type {id}.");
                let error = ApiError::new(ErrorCode::UnsupportedVersion, message);
                altered.answer(id, name, Err(error));
                continue;
            };
            let resource = ConfigResource { resource_type, name: name.clone() };
            if twice.contains(&resource) {
                continue;
            }
            if resources.remove(&resource).is_some() {
                let error = ApiError::new(ErrorCode::InvalidRequest, "Duplicate resource.");
                altered.answer(id, name, Err(error));
                twice.insert(resource);
            } else {
                resources.insert(resource, alteration);
            }
        }
        for (resource, alteration) in resources {
            let result = alter(&resource, alteration);
            let result = result.map(|records| altered.records.extend(records));
            altered.answer(resource.resource_type.id(), resource.name, result);
        }
        altered
    }

    fn answer(&mut self, resource_type: i8, name: StrBytes, result: Result<(), ApiError>) {
        self.outcomes.push(AlteredResource { resource_type, name, result });
    }
}

impl Controller {
    /// Changes single keys of resources. `forwarded`: by a broker, which has looked at them.
    pub fn incremental_alter_configs(
        &self,
        request: &IncrementalAlterConfigsRequest,
        forwarded: bool,
    ) -> ControllerResult<IncrementalAlterConfigsResponse> {
        let asked = request.resources.iter().map(|resource| {
            let alterations = resource.configs.iter().map(|config| {
                let operation = ConfigOperation::from_id(config.config_operation);
                Some((config.name.clone(), (operation?, config.value.clone())))
            });
            let alterations: Option<BTreeMap<StrBytes, Alteration>> = alterations.collect();
            (resource.resource_type, resource.resource_name.clone(), alterations)
        });
        let altered = Alterations::of(asked, |resource, alterations| {
            let known = alterations.ok_or(ErrorCode::InvalidRequest)?;
            let asker = if forwarded { Asker::Broker } else { Asker::Client };
            self.incremental_alteration(resource, &known, asker)
        });
        let responses = altered.outcomes.into_iter().map(|altered| {
            let (code, message) = outcome(&altered.result);
            AlterConfigsResourceResponse::default()
                .with_resource_type(altered.resource_type)
                .with_resource_name(altered.name)
                .with_error_code(code)
                .with_error_message(message)
        });
        let response =
            IncrementalAlterConfigsResponse::default().with_responses(responses.collect());
        ControllerResult::atomic(self.finish(altered.records, request.validate_only), response)
    }

    /// Replaces all that is set on resources. `forwarded`: by a broker, which has looked at it.
    pub fn alter_configs(
        &self,
        request: &AlterConfigsRequest,
        forwarded: bool,
    ) -> ControllerResult<AlterConfigsResponse> {
        let asked = request.resources.iter().map(|resource| {
            let values = resource.configs.iter().map(|c| (c.name.clone(), c.value.clone()));
            let values: BTreeMap<StrBytes, Option<StrBytes>> = values.collect();
            (resource.resource_type, resource.resource_name.clone(), values)
        });
        let asker = if forwarded { Asker::Broker } else { Asker::Client };
        let altered =
            Alterations::of(asked, |resource, values| self.replacement(resource, &values, asker));
        let responses = altered.outcomes.into_iter().map(|altered| {
            let (code, message) = outcome(&altered.result);
            legacy::AlterConfigsResourceResponse::default()
                .with_resource_type(altered.resource_type)
                .with_resource_name(altered.name)
                .with_error_code(code)
                .with_error_message(message)
        });
        let response = AlterConfigsResponse::default().with_responses(responses.collect());
        ControllerResult::atomic(self.finish(altered.records, request.validate_only), response)
    }

    fn finish(&self, mut records: Vec<MetadataRecord>, validate_only: bool) -> Vec<MetadataRecord> {
        if validate_only {
            return Vec::new();
        }
        records.extend(self.clear_elr_records(&records));
        records
    }

    /// Who was eligible under another min.insync.replicas is so no more.
    pub(super) fn clear_elr_records(&self, records: &[MetadataRecord]) -> Vec<MetadataRecord> {
        if !self.image.features().elr_enabled() {
            return Vec::new();
        }
        let changed = records.iter().filter_map(|record| match record {
            MetadataRecord::Config(config) if &*config.name == MIN_IN_SYNC_REPLICAS => Some(config),
            _ => None,
        });
        let clear = changed.map(|config| {
            let topic = config.resource_type == ResourceType::Topic.id();
            let topic_name = if topic { config.resource_name.clone() } else { StrBytes::default() };
            ClearElrRecord { topic_name, ..Default::default() }.into()
        });
        clear.collect()
    }

    /// The records of single alterations of a resource, when they are allowed.
    pub(super) fn incremental_alteration(
        &self,
        resource: &ConfigResource,
        alterations: &BTreeMap<StrBytes, Alteration>,
        asker: Asker,
    ) -> Result<Vec<MetadataRecord>, ApiError> {
        let current = self.image.configs().of(resource);
        let mut altered = BTreeMap::new();
        for (key, (operation, operand)) in alterations {
            let before = current.get(key);
            let after = match operation {
                ConfigOperation::Set => operand.clone(),
                ConfigOperation::Delete => None,
                ConfigOperation::Append | ConfigOperation::Subtract => {
                    Some(self.altered_list(resource, key, before, *operation, operand.as_ref())?)
                }
            };
            // A broker's own value may be what its file says already; it is written all the same.
            if after.as_ref() != before || resource.resource_type == ResourceType::Broker {
                altered.insert(key.clone(), after);
            }
        }
        self.check_configs(resource, &altered, &BTreeSet::new(), asker)?;
        Ok(config_records(resource, altered))
    }

    fn altered_list(
        &self,
        resource: &ConfigResource,
        key: &StrBytes,
        before: Option<&StrBytes>,
        operation: ConfigOperation,
        operand: Option<&StrBytes>,
    ) -> Result<StrBytes, ApiError> {
        if !self.rules.is_list(resource.resource_type, key) {
            let message = format!(
                "Can't {} to key {} because its type is not LIST.",
                operation.name(),
                key.as_str()
            );
            return Err(ApiError::new(ErrorCode::InvalidConfig, message));
        }
        let default = || self.rules.default_value(resource.resource_type, key);
        let list = before.map(|value| value.to_string()).or_else(default).unwrap_or_default();
        let mut list: Vec<&str> = list.split(',').filter(|part| !part.is_empty()).collect();
        for part in operand.map_or("", |operand| operand.as_str()).split(',') {
            match operation {
                ConfigOperation::Append if !list.contains(&part) => list.push(part),
                ConfigOperation::Append => {}
                _ => {
                    if let Some(at) = list.iter().position(|present| *present == part) {
                        list.remove(at);
                    }
                }
            }
        }
        Ok(StrBytes::from_string(list.join(",")))
    }

    fn replacement(
        &self,
        resource: &ConfigResource,
        values: &BTreeMap<StrBytes, Option<StrBytes>>,
        asker: Asker,
    ) -> Result<Vec<MetadataRecord>, ApiError> {
        let current = self.image.configs().of(resource);
        let broker = resource.resource_type == ResourceType::Broker;
        let mut altered: BTreeMap<StrBytes, Option<StrBytes>> = values
            .iter()
            .filter(|(key, value)| broker || current.get(*key) != value.as_ref())
            .map(|(key, value)| (key.clone(), value.clone()))
            .collect();
        let dropped: BTreeSet<StrBytes> =
            current.keys().filter(|key| !values.contains_key(*key)).cloned().collect();
        self.check_configs(resource, &altered, &dropped, asker)?;
        altered.extend(dropped.into_iter().map(|key| (key, None)));
        Ok(config_records(resource, altered))
    }

    fn check_configs(
        &self,
        resource: &ConfigResource,
        altered: &BTreeMap<StrBytes, Option<StrBytes>>,
        dropped: &BTreeSet<StrBytes>,
        asker: Asker,
    ) -> Result<(), ApiError> {
        let old = self.image.configs().of(resource);
        let mut values = old.clone();
        let invalid = |message: String| Err(ApiError::new(ErrorCode::InvalidConfig, message));
        let dropped = dropped.iter().map(|key| (key, &None));
        for (key, value) in altered.iter().chain(dropped) {
            self.check_min_isr(resource, key, value.as_ref())?;
            self.check_cordoned(resource, key, value.as_ref(), asker)?;
            match value {
                None => {
                    values.remove(key);
                }
                Some(value) if value.encode_utf16().count() > MAX_VALUE_LENGTH => {
                    return invalid(format!(
                        "The configuration value cannot be added because it exceeds the maximum \
                         value size of {MAX_VALUE_LENGTH} bytes."
                    ));
                }
                Some(value) => {
                    values.insert(key.clone(), value.clone());
                }
            }
        }
        self.rules.check(resource, &values, old)?;
        if asker == Asker::Creation { Ok(()) } else { self.check_exists(resource) }
    }

    fn check_min_isr(
        &self,
        resource: &ConfigResource,
        key: &str,
        value: Option<&StrBytes>,
    ) -> Result<(), ApiError> {
        let concerned = key == MIN_IN_SYNC_REPLICAS
            && resource.resource_type == ResourceType::Broker
            && self.image.features().elr_enabled();
        let what = match (concerned, resource.name.is_empty(), value) {
            (true, false, _) => "Broker-level min.insync.replicas cannot be altered",
            (true, true, None) => "Cluster-level min.insync.replicas cannot be removed",
            _ => return Ok(()),
        };
        Err(ApiError::new(ErrorCode::InvalidConfig, format!("{what} while ELR is enabled.")))
    }

    /// The paths of directories are known to their broker alone.
    fn check_cordoned(
        &self,
        resource: &ConfigResource,
        key: &str,
        value: Option<&StrBytes>,
        asker: Asker,
    ) -> Result<(), ApiError> {
        if key != CORDONED_LOG_DIRS || resource.resource_type != ResourceType::Broker {
            return Ok(());
        }
        let refused =
            |message: &str| Err(ApiError::new(ErrorCode::InvalidConfig, message.to_owned()));
        if !self.image.metadata_version().has_cordoned_log_dirs() {
            return refused(
                "The cordoned.log.dirs configuration value cannot be set because it requires \
                 metadata.version >= 4.3-IV0",
            );
        }
        let wanted = value.map_or("", |value| value.as_str()).trim();
        if asker == Asker::Broker || wanted.is_empty() {
            return Ok(());
        }
        let current = self.image.configs().value(resource, key);
        let current: Vec<&str> =
            current.map_or("", |value| value.as_str()).split(',').map(str::trim).collect();
        match wanted.split(',').map(str::trim).all(|directory| current.contains(&directory)) {
            true => Ok(()),
            false => refused(
                "When updating cordoned.log.dirs via controllers,  the new value must be a subset \
                 of the current configuration value.",
            ),
        }
    }

    /// Only brokers and topics that are there can be configured.
    fn check_exists(&self, resource: &ConfigResource) -> Result<(), ApiError> {
        let name = resource.name.as_str();
        match resource.resource_type {
            ResourceType::Broker if !name.is_empty() => {
                let Ok(id) = name.parse::<i32>() else {
                    return Err(ApiError::new(
                        ErrorCode::InvalidRequest,
                        format!("Invalid broker name {name}"),
                    ));
                };
                let controller = self.settings.quorum_node_ids.contains(&id);
                if self.image.cluster().broker(id).is_none() && !controller {
                    return Err(ApiError::new(
                        ErrorCode::BrokerIdNotRegistered,
                        format!("No node with id {id} found."),
                    ));
                }
                Ok(())
            }
            ResourceType::Topic if self.image.topics().by_name(name).is_none() => {
                Err(ApiError::new(
                    ErrorCode::UnknownTopicOrPartition,
                    format!("The topic '{name}' does not exist."),
                ))
            }
            _ => Ok(()),
        }
    }
}

fn config_records(
    resource: &ConfigResource,
    altered: BTreeMap<StrBytes, Option<StrBytes>>,
) -> Vec<MetadataRecord> {
    let record = |(name, value)| {
        MetadataRecord::from(ConfigRecord {
            resource_type: resource.resource_type.id(),
            resource_name: resource.name.clone(),
            name,
            value,
            ..Default::default()
        })
    };
    altered.into_iter().map(record).collect()
}

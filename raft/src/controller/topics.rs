//! CreateTopics and DeleteTopics.
//!
//! Answers to the like-named methods of `ReplicationControlManager` and `ControllerApis`.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use protocol::ErrorCode;
use protocol::messages::create_topics_request::CreatableTopic;
use protocol::messages::create_topics_response::{CreatableTopicConfigs, CreatableTopicResult};
use protocol::messages::delete_topics_response::DeletableTopicResult;
use protocol::messages::{
    CreateTopicsRequest, CreateTopicsResponse, DeleteTopicsRequest, DeleteTopicsResponse, TopicName,
};
use protocol::records::metadata::{MetadataRecord, RemoveTopicRecord, TopicRecord};
use protocol::wire::StrBytes;
use uuid::Uuid;

use super::configs::{Alteration, Asker, ConfigOperation};
use super::error::{ApiError, outcome, worded};
use super::{Controller, ControllerNow, ControllerResult, MAX_RECORDS_PER_REQUEST, PartitionQuota};
use crate::draws::Draws;
use crate::image::{ConfigResource, ConfigValues, Partition, ResourceType};

const CLUSTER_METADATA_TOPIC: &str = "__cluster_metadata";
const MAX_NAME_LENGTH: usize = 249;

impl Controller {
    /// Creates topics. `describable` says which topics' configuration the asker may see in the
    /// answer.
    pub fn create_topics(
        &self,
        request: &CreateTopicsRequest,
        describable: &dyn Fn(&str) -> bool,
        quota: &mut dyn PartitionQuota,
        now: &ControllerNow,
    ) -> ControllerResult<CreateTopicsResponse> {
        let mut draws = now.draws();
        let (single, duplicates) = split_duplicates(request.topics.iter().map(|t| &t.name));
        let topics: Vec<_> =
            request.topics.iter().filter(|topic| single.contains(&topic.name)).collect();
        let mut records = Vec::new();
        let mut response = CreateTopicsResponse::default();
        let too_many = self.check_partition_total(&topics);
        for topic in topics {
            let result = match &too_many {
                Err(error) => Err(error.clone()),
                Ok(()) if topic.name.as_str() == CLUSTER_METADATA_TOPIC => Err(ApiError::new(
                    ErrorCode::InvalidRequest,
                    format!("Creation of internal topic {CLUSTER_METADATA_TOPIC} is prohibited."),
                )),
                Ok(()) => {
                    let created = self.create_topic(topic, describable, quota, &mut draws);
                    created.and_then(|created| {
                        if records.len() + created.records.len() > MAX_RECORDS_PER_REQUEST {
                            return Err(excessive());
                        }
                        records.extend(created.records);
                        Ok(created.response)
                    })
                }
            };
            response.topics.push(result.unwrap_or_else(|error| refused(&topic.name, &error)));
        }
        response.topics.extend(duplicates.into_iter().map(|name| {
            refused(name, &ApiError::new(ErrorCode::InvalidRequest, "Duplicate topic name."))
        }));
        if request.validate_only {
            records.clear();
        }
        ControllerResult::atomic(records, response)
    }

    fn check_partition_total(&self, topics: &[&CreatableTopic]) -> Result<(), ApiError> {
        let total: i64 = topics
            .iter()
            .map(|topic| match (topic.assignments.len(), topic.num_partitions) {
                (0, -1) => i64::from(self.settings.default_partitions),
                (0, partitions) => i64::from(partitions.max(0)),
                (assigned, _) => assigned as i64,
            })
            .sum();
        if total > MAX_RECORDS_PER_REQUEST as i64 { Err(excessive()) } else { Ok(()) }
    }

    fn create_topic(
        &self,
        topic: &CreatableTopic,
        describable: &dyn Fn(&str) -> bool,
        quota: &mut dyn PartitionQuota,
        draws: &mut Draws,
    ) -> Result<ControllerResult<CreatableTopicResult>, ApiError> {
        let name = topic.name.as_str();
        if let Some(reason) = invalid_topic_name(name) {
            let message = format!("Topic name is invalid: {reason}");
            return Err(ApiError::new(ErrorCode::InvalidTopicException, message));
        }
        if self.image.topics().by_name(name).is_some() {
            let message = format!("Topic '{name}' already exists.");
            return Err(ApiError::new(ErrorCode::TopicAlreadyExists, message));
        }
        self.check_collision(name)?;
        let (config_records, values) = self.creation_configs(topic)?;
        let partitions = if topic.assignments.is_empty() {
            self.placed_partitions(topic, draws)?
        } else {
            self.assigned_partitions(topic)?
        };
        quota.take(partitions.len())?;
        let topic_id = draws.topic_id();
        let mut result =
            CreatableTopicResult::default().with_name(topic.name.clone()).with_topic_id(topic_id);
        result.error_message = None;
        if describable(name) {
            let replication_factor = partitions.first().map_or(0, |p| p.replicas.len());
            result.configs = Some(self.described_configs(&values));
            result.num_partitions = partitions.len() as i32;
            result.replication_factor = replication_factor as i16;
        } else {
            result.topic_config_error_code = ErrorCode::TopicAuthorizationFailed.code();
            result.num_partitions = -1;
            result.replication_factor = -1;
        }
        let name = topic.name.0.clone();
        let mut records = vec![TopicRecord { name, topic_id, ..Default::default() }.into()];
        records.extend(config_records);
        let numbered = partitions.iter().enumerate();
        records.extend(
            numbered.map(|(id, partition)| self.partition_record(topic_id, id as i32, partition)),
        );
        Ok(ControllerResult::atomic(records, result))
    }

    /// The record of a new partition, as the finalized features let it be.
    pub(super) fn partition_record(
        &self,
        topic_id: Uuid,
        id: i32,
        partition: &Partition,
    ) -> MetadataRecord {
        let level = self.image.metadata_version();
        let elr = self.image.features().elr_enabled();
        partition.to_record(topic_id, id, level.has_directories(), elr).into()
    }

    /// `a.b` and `a_b` would share their metrics' names.
    fn check_collision(&self, name: &str) -> Result<(), ApiError> {
        if !name.contains(['.', '_']) {
            return Ok(());
        }
        let unified = name.replace('.', "_");
        let collides =
            |other: &str| other.contains(['.', '_']) && other.replace('.', "_") == unified;
        match self.image.topics().iter().find(|topic| collides(&topic.name)) {
            None => Ok(()),
            Some(existing) => Err(ApiError::new(
                ErrorCode::InvalidTopicException,
                format!("Topic '{name}' collides with existing topic: {}", existing.name),
            )),
        }
    }

    fn creation_configs(
        &self,
        topic: &CreatableTopic,
    ) -> Result<(Vec<MetadataRecord>, ConfigValues), ApiError> {
        let unset = topic.configs.iter().filter(|config| config.value.is_none());
        let unset: Vec<&str> = unset.map(|config| config.name.as_str()).collect();
        if !unset.is_empty() {
            let message =
                format!("Null value not supported for topic configs: {}", unset.join(","));
            return Err(ApiError::new(ErrorCode::InvalidConfig, message));
        }
        let set = topic.configs.iter().filter_map(|c| Some((c.name.clone(), c.value.clone()?)));
        let values: ConfigValues = set.collect();
        if values.is_empty() {
            return Ok((Vec::new(), values));
        }
        let resource = ConfigResource::new(ResourceType::Topic, topic.name.0.clone());
        let alterations: BTreeMap<StrBytes, Alteration> = values
            .iter()
            .map(|(name, value)| (name.clone(), (ConfigOperation::Set, Some(value.clone()))))
            .collect();
        let mut records = self.incremental_alteration(&resource, &alterations, Asker::Creation)?;
        records.extend(self.clear_elr_records(&records));
        Ok((records, values))
    }

    fn described_configs(&self, values: &ConfigValues) -> Vec<CreatableTopicConfigs> {
        let configs = self.image.configs();
        let node = configs.of(&ConfigResource::broker(self.settings.node_id));
        let cluster = configs.of(&ConfigResource::all_brokers());
        let effective = self.rules.effective_topic_configs(cluster, node, values);
        let mut described: Vec<CreatableTopicConfigs> = effective
            .into_iter()
            .map(|config| {
                CreatableTopicConfigs::default()
                    .with_name(config.name)
                    .with_value(config.value.filter(|_| !config.is_sensitive))
                    .with_read_only(config.is_read_only)
                    .with_config_source(config.source)
                    .with_is_sensitive(config.is_sensitive)
            })
            .collect();
        described.sort_by(|left, right| left.name.cmp(&right.name));
        described
    }

    fn placed_partitions(
        &self,
        topic: &CreatableTopic,
        draws: &mut Draws,
    ) -> Result<Vec<Partition>, ApiError> {
        if topic.replication_factor < -1 || topic.replication_factor == 0 {
            let message = "Replication factor must be larger than 0, or -1 to use the default \
                           value.";
            return Err(ApiError::new(ErrorCode::InvalidReplicationFactor, message));
        }
        if topic.num_partitions < -1 || topic.num_partitions == 0 {
            let message = "Number of partitions was set to an invalid non-positive value.";
            return Err(ApiError::new(ErrorCode::InvalidPartitions, message));
        }
        let or_default = |value, default| if value == -1 { default } else { value };
        let count = or_default(topic.num_partitions, self.settings.default_partitions);
        let factor = if topic.replication_factor == -1 {
            self.settings.default_replication_factor
        } else {
            topic.replication_factor
        };
        self.place_partitions(count, factor, draws).map_err(|error| ApiError {
            message: error.message.map(|reason| {
                format!("Unable to replicate the partition {factor} time(s): {reason}")
            }),
            ..error
        })
    }

    fn assigned_partitions(&self, topic: &CreatableTopic) -> Result<Vec<Partition>, ApiError> {
        let invalid = |what: &str| {
            let message = format!("A manual partition assignment was specified, but {what} -1.");
            Err(ApiError::new(ErrorCode::InvalidRequest, message))
        };
        if topic.replication_factor != -1 {
            return invalid("replication factor was not set to");
        }
        if topic.num_partitions != -1 {
            return invalid("numPartitions was not set to");
        }
        let mut partitions = BTreeMap::new();
        let mut factor = None;
        for assignment in &topic.assignments {
            let id = assignment.partition_index;
            if partitions.contains_key(&id) {
                return Err(ApiError::new(
                    ErrorCode::InvalidReplicaAssignment,
                    format!("Found multiple manual partition assignments for partition {id}"),
                ));
            }
            let replicas: Vec<i32> = assignment.broker_ids.iter().map(|broker| broker.0).collect();
            let partition = self.assigned_partition(id, replicas, factor)?;
            factor = Some(partition.replicas.len());
            partitions.insert(id, partition);
        }
        if !partitions.keys().copied().eq(0..partitions.len() as i32) {
            return Err(ApiError::new(
                ErrorCode::InvalidReplicaAssignment,
                "partitions should be a consecutive 0-based integer sequence",
            ));
        }
        Ok(partitions.into_values().collect())
    }

    /// Deletes topics given by name or by id.
    pub fn delete_topics(
        &self,
        request: &DeleteTopicsRequest,
        api_version: i16,
        quota: &mut dyn PartitionQuota,
    ) -> ControllerResult<DeleteTopicsResponse> {
        let named = request.topic_names.iter().map(|name| (Some(name), Uuid::nil()));
        let states = request.topics.iter().map(|topic| (topic.name.as_ref(), topic.topic_id));
        let asked: Vec<_> = named.chain(states).collect();
        if !self.settings.topic_deletion {
            let error = if api_version < 3 {
                ApiError::new(
                    ErrorCode::InvalidRequest,
                    "This version does not support topic deletion.",
                )
            } else {
                ErrorCode::TopicDeletionDisabled.into()
            };
            let refuse = |(name, id): (Option<&TopicName>, Uuid)| deleted(name, id, Err(&error));
            let responses = asked.into_iter().map(refuse).collect();
            let response = DeleteTopicsResponse::default().with_responses(responses);
            return ControllerResult::unchanged(response);
        }
        let (records, responses) = self.delete_asked(&asked, quota);
        let response = DeleteTopicsResponse::default().with_responses(responses);
        ControllerResult::atomic(records, response)
    }

    fn delete_asked(
        &self,
        asked: &[(Option<&TopicName>, Uuid)],
        quota: &mut dyn PartitionQuota,
    ) -> (Vec<MetadataRecord>, Vec<DeletableTopicResult>) {
        let invalid = |message: &str| ApiError::new(ErrorCode::InvalidRequest, message);
        let mut responses = Vec::new();
        let (mut names, mut ids) = (Vec::new(), Vec::new());
        for (name, id) in asked {
            match (name, id.is_nil()) {
                (None, true) => {
                    let error = invalid("Neither topic name nor id were specified.");
                    responses.push(deleted(None, Uuid::nil(), Err(&error)));
                }
                (None, false) => ids.push(*id),
                (Some(name), true) => names.push(*name),
                (Some(name), false) => {
                    let error = invalid("You may not specify both topic name and topic id.");
                    responses.push(deleted(Some(name), *id, Err(&error)));
                }
            }
        }
        let (names, twice_named) = split_duplicates(names.into_iter());
        let (ids, twice) = split_duplicates(ids.iter());
        for name in twice_named {
            let error = invalid("Duplicate topic name.");
            responses.push(deleted(Some(name), Uuid::nil(), Err(&error)));
        }
        for id in &twice {
            responses.push(deleted(None, **id, Err(&invalid("Duplicate topic id."))));
        }
        let mut doomed: BTreeMap<Uuid, TopicName> = BTreeMap::new();
        for id in ids {
            match self.image.topics().by_id(*id) {
                Some(topic) => {
                    doomed.insert(*id, TopicName(topic.name.clone()));
                }
                None => {
                    let error = worded(ErrorCode::UnknownTopicId);
                    responses.push(deleted(None, *id, Err(&error)));
                }
            }
        }
        for name in names {
            let Some(id) = self.image.topics().id_of(name.as_str()) else {
                let error = worded(ErrorCode::UnknownTopicOrPartition);
                responses.push(deleted(Some(name), Uuid::nil(), Err(&error)));
                continue;
            };
            if twice.contains(&&id) || doomed.insert(id, name.clone()).is_some() {
                doomed.remove(&id);
                let error =
                    invalid("The provided topic name maps to an ID that was already supplied.");
                responses.push(deleted(Some(name), id, Err(&error)));
            }
        }
        let mut records = Vec::new();
        for (topic_id, name) in &doomed {
            let topic = self.image.topics().by_id(*topic_id);
            let partitions = topic.map_or(0, |topic| topic.partitions().len());
            if let Err(error) = quota.take(partitions) {
                responses.push(deleted(Some(name), *topic_id, Err(&error)));
                continue;
            }
            records.push(RemoveTopicRecord { topic_id: *topic_id, ..Default::default() }.into());
            responses.push(deleted(Some(name), *topic_id, Ok(())));
        }
        (records, responses)
    }
}

fn excessive() -> ApiError {
    let message = "Excessively large number of partitions per request.";
    ApiError::new(ErrorCode::PolicyViolation, message)
}

fn refused(name: &TopicName, error: &ApiError) -> CreatableTopicResult {
    CreatableTopicResult::default()
        .with_name(name.clone())
        .with_error_code(error.code())
        .with_error_message(error.text())
        .with_num_partitions(-1)
        .with_replication_factor(-1)
        .with_configs(Some(Vec::new()))
}

fn deleted(
    name: Option<&TopicName>,
    id: Uuid,
    result: Result<(), &ApiError>,
) -> DeletableTopicResult {
    let (code, message) = outcome(&result.map_err(Clone::clone));
    DeletableTopicResult::default()
        .with_name(name.cloned())
        .with_topic_id(id)
        .with_error_code(code)
        .with_error_message(message)
}

/// What stands there once, and what stands there more often (each once).
pub(super) fn split_duplicates<'a, T: Ord + std::hash::Hash + 'a>(
    items: impl Iterator<Item = &'a T>,
) -> (BTreeSet<&'a T>, BTreeSet<&'a T>) {
    let mut seen = HashSet::new();
    let mut single = BTreeSet::new();
    let mut duplicates = BTreeSet::new();
    for item in items {
        if seen.insert(item) {
            single.insert(item);
        } else {
            single.remove(item);
            duplicates.insert(item);
        }
    }
    (single, duplicates)
}

/// Why a topic may not have this name.
fn invalid_topic_name(name: &str) -> Option<String> {
    let legal = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    match name {
        "" => Some("the empty string is not allowed".to_owned()),
        "." => Some("'.' is not allowed".to_owned()),
        ".." => Some("'..' is not allowed".to_owned()),
        // Kafka counts UTF-16 units.
        _ if name.encode_utf16().count() > MAX_NAME_LENGTH => Some(format!(
            "the length of '{name}' is longer than the max allowed length {MAX_NAME_LENGTH}"
        )),
        _ if !name.chars().all(legal) => Some(format!(
            "'{name}' contains one or more characters other than ASCII alphanumerics, '.', '_' \
             and '-'"
        )),
        _ => None,
    }
}

//! DescribeConfigs: settings of topics, brokers, groups and subscriptions, with where they come
//! from.
//!
//! Kafka: `ConfigHelper`. A broker answers for itself and, under the empty name, for what is set
//! for all brokers; a key that is asked for and does not exist is left out.

use std::collections::BTreeMap;

use config::{Properties, describe};
use protocol::ErrorCode;
use protocol::messages::describe_configs_request::DescribeConfigsResource;
use protocol::messages::describe_configs_response::{
    DescribeConfigsResourceResult, DescribeConfigsResult, DescribeConfigsSynonym,
};
use protocol::messages::{DescribeConfigsRequest, DescribeConfigsResponse};
use protocol::wire::StrBytes;
use raft::image::{ConfigResource, ConfigValues, ResourceType};

use crate::log_levels;
use crate::metadata::config_resources;
use crate::metadata::dynamic_broker_config::DynamicBrokerConfig;
use crate::metadata::dynamic_config::{invalid_request, properties};
use crate::metadata::metadata_cache::MetadataCache;
use crate::requests::answer_budget::AnswerBudget;
use crate::requests::api_error::{ApiError, text, worded};
use crate::requests::authorizer::Operation;
use crate::requests::context::RequestContext;
use crate::requests::reply::CloseConnection;
use crate::requests::topic_names;

/// What a resource costs beside its settings, about.
const RESOURCE_BYTES: usize = 256;
/// What all settings of a topic take, with all that can be told about them.
const TOPIC_BYTES: usize = 32 * 1024;
/// How many different settings of topics are kept while a request is answered.
const ALIKE_MAX: usize = 64;
/// Where a logger's level comes from, in the numbers of the response.
const BROKER_LOGGER_SOURCE: i8 = 6;

pub(crate) async fn handle(
    config: &DynamicBrokerConfig,
    metadata: &MetadataCache,
    context: &RequestContext,
    request: DescribeConfigsRequest,
) -> Result<DescribeConfigsResponse, CloseConnection> {
    let kinds: Option<Vec<ResourceType>> =
        request.resources.iter().map(|each| ResourceType::from_id(each.resource_type)).collect();
    let Some(kinds) = kinds else {
        // One kind that is none spoils the request.
        let error = worded(ErrorCode::InvalidRequest);
        let results = request.resources.iter().map(|each| refused(each, &error)).collect();
        return Ok(DescribeConfigsResponse::default().with_results(results));
    };
    let with = (request.include_synonyms, request.include_documentation);
    let mut budget = AnswerBudget::with(metadata.image().topics().len() * TOPIC_BYTES);
    let mut alike = Alike { with, of_topics: BTreeMap::new() };
    let mut described = Vec::new();
    let mut denied = Vec::new();
    for (resource, kind) in request.resources.iter().zip(kinds) {
        let name = resource.resource_name.as_str();
        budget.take(RESOURCE_BYTES)?;
        match config_resources::authorize(context, Operation::DescribeConfigs, kind, name) {
            Err(error) => denied.push(refused(resource, &error)),
            Ok(()) => described.push(match alike.settings(config, metadata, kind, name) {
                Err(error) => refused(resource, &error),
                Ok(settings) => {
                    let shown = asked_for(resource, settings);
                    budget.take(shown.iter().map(bytes_of).sum())?;
                    result(resource).with_configs(shown)
                }
            }),
        }
    }
    described.extend(denied);
    Ok(DescribeConfigsResponse::default().with_results(described))
}

/// What a setting takes in memory, with what is told about it.
fn bytes_of(setting: &DescribeConfigsResourceResult) -> usize {
    let texts = |name: &StrBytes, value: &Option<StrBytes>| {
        name.len() + value.as_ref().map_or(0, |value| value.len())
    };
    let synonym = |synonym: &DescribeConfigsSynonym| {
        size_of::<DescribeConfigsSynonym>() + texts(&synonym.name, &synonym.value)
    };
    size_of::<DescribeConfigsResourceResult>()
        + texts(&setting.name, &setting.value)
        + setting.documentation.as_ref().map_or(0, |words| words.len())
        + setting.synonyms.iter().map(synonym).sum::<usize>()
}

/// Settings of topics that a request has asked for already: a web UI asks for a thousand topics at
/// once, and most of them have the same settings of their own, or none.
struct Alike {
    /// Whether synonyms and documentation are asked for.
    with: (bool, bool),
    of_topics: BTreeMap<ConfigValues, Vec<DescribeConfigsResourceResult>>,
}

impl Alike {
    /// All settings of a resource, with as much about them as is asked for.
    fn settings(
        &mut self,
        config: &DynamicBrokerConfig,
        metadata: &MetadataCache,
        kind: ResourceType,
        name: &str,
    ) -> Result<Vec<DescribeConfigsResourceResult>, ApiError> {
        let image = metadata.image();
        let own = match kind {
            ResourceType::Topic => {
                image.topics().by_name(name).map(|topic| ConfigResource::topic(&topic.name))
            }
            _ => None,
        };
        let own = own.map(|resource| image.configs().of(&resource));
        if let Some(known) = own.and_then(|own| self.of_topics.get(own)) {
            return Ok(known.clone());
        }
        let settings = shown(settings(config, metadata, kind, name)?, self.with);
        if let Some(own) = own.filter(|_| self.of_topics.len() < ALIKE_MAX) {
            self.of_topics.insert(own.clone(), settings.clone());
        }
        Ok(settings)
    }
}

/// All settings of a resource.
fn settings(
    config: &DynamicBrokerConfig,
    metadata: &MetadataCache,
    kind: ResourceType,
    name: &str,
) -> Result<Vec<DescribeConfigsResourceResult>, ApiError> {
    let image = metadata.image();
    let node = config.current();
    let own = || -> Properties {
        properties(image.configs().of(&ConfigResource::new(kind, name.to_owned())))
    };
    let entries = match kind {
        ResourceType::Topic => {
            topic_names::check(name)?;
            if image.topics().by_name(name).is_none() {
                // Without words, but not without a text: clients print it as it is.
                return Err(ApiError::new(ErrorCode::UnknownTopicOrPartition, ""));
            }
            describe::topic(&node, &own())
        }
        ResourceType::Broker if name.is_empty() => describe::cluster_default(&node),
        ResourceType::Broker => {
            let id = broker_id(name)?;
            if id != config.node_id() {
                return Err(invalid_request(format!(
                    "Unexpected broker id, expected {} or empty string, but received {name}",
                    config.node_id()
                )));
            }
            describe::broker(&node)
        }
        ResourceType::BrokerLogger => return loggers(config, name),
        ResourceType::ClientMetrics if name.is_empty() => {
            return Err(invalid_request("Client metrics subscription name must not be empty"));
        }
        ResourceType::ClientMetrics => describe::client_metrics(&own()),
        ResourceType::Group if name.is_empty() => {
            return Err(invalid_request("Group name must not be empty"));
        }
        ResourceType::Group => describe::group(&node, &own()),
    };
    Ok(entries.into_iter().map(entry).collect())
}

fn broker_id(name: &str) -> Result<i32, ApiError> {
    name.parse()
        .map_err(|_| invalid_request(format!("Broker id must be an integer, but it is: {name}")))
}

fn loggers(
    config: &DynamicBrokerConfig,
    name: &str,
) -> Result<Vec<DescribeConfigsResourceResult>, ApiError> {
    if name.is_empty() {
        return Err(invalid_request("Broker id must not be empty"));
    }
    if broker_id(name)? != config.node_id() {
        return Err(invalid_request(format!(
            "Unexpected broker id, expected {} but received {name}",
            config.node_id()
        )));
    }
    let logger = |(name, level): (String, &str)| {
        DescribeConfigsResourceResult::default()
            .with_name(text(name))
            .with_value(Some(text(level)))
            .with_config_source(BROKER_LOGGER_SOURCE)
    };
    Ok(log_levels::all().into_iter().map(logger).collect())
}

fn entry(entry: describe::Entry) -> DescribeConfigsResourceResult {
    let synonym = |synonym: &describe::Synonym| {
        DescribeConfigsSynonym::default()
            .with_name(text(&synonym.name))
            .with_value(synonym.value.as_ref().map(text))
            .with_source(synonym.source.id())
    };
    DescribeConfigsResourceResult::default()
        .with_value(entry.value.as_ref().map(text))
        .with_read_only(entry.read_only)
        .with_config_source(entry.source.id())
        .with_is_sensitive(entry.is_sensitive)
        .with_synonyms(entry.synonyms.iter().map(synonym).collect())
        .with_config_type(entry.kind_id())
        .with_documentation(entry.documentation.as_ref().map(text))
        .with_name(text(entry.name))
}

/// As much about the settings as is asked for.
fn shown(
    mut settings: Vec<DescribeConfigsResourceResult>,
    (synonyms, documentation): (bool, bool),
) -> Vec<DescribeConfigsResourceResult> {
    for setting in &mut settings {
        if !synonyms {
            setting.synonyms.clear();
        }
        if !documentation {
            setting.documentation = None;
        }
    }
    settings
}

/// Those of the settings that are asked for.
fn asked_for(
    asked: &DescribeConfigsResource,
    mut settings: Vec<DescribeConfigsResourceResult>,
) -> Vec<DescribeConfigsResourceResult> {
    if let Some(keys) = asked.configuration_keys.as_ref().filter(|keys| !keys.is_empty()) {
        settings.retain(|setting| keys.contains(&setting.name));
    }
    settings
}

fn result(resource: &DescribeConfigsResource) -> DescribeConfigsResult {
    DescribeConfigsResult::default()
        .with_resource_type(resource.resource_type)
        .with_resource_name(resource.resource_name.clone())
}

fn refused(resource: &DescribeConfigsResource, error: &ApiError) -> DescribeConfigsResult {
    result(resource).with_error_code(error.code()).with_error_message(error.text())
}

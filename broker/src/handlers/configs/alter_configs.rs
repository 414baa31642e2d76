//! AlterConfigs: replaces all settings of a topic, a broker, a group or a subscription; what is not
//! named is removed. Superseded by IncrementalAlterConfigs, still sent by older tools.
//!
//! Kafka: `ConfigAdminManager`, `ControllerApis.handleLegacyAlterConfigs`.

use std::collections::HashMap;

use config::Properties;
use protocol::ErrorCode;
use protocol::api::Listener;
use protocol::messages::alter_configs_request::AlterConfigsResource;
use protocol::messages::alter_configs_response::AlterConfigsResourceResponse;
use protocol::messages::{AlterConfigsRequest, AlterConfigsResponse};
use raft::image::ResourceType;

use crate::metadata::config_resources::{self, Asked};
use crate::metadata::controller_client::ControllerClient;
use crate::metadata::controller_client::Unanswered;
use crate::metadata::dynamic_broker_config::DynamicBrokerConfig;
use crate::metadata::dynamic_config::check_broker_settings;
use crate::requests::answer_budget;
use crate::requests::api_error::ApiError;
use crate::requests::authorizer::Operation;
use crate::requests::context::RequestContext;
use crate::requests::reply::CloseConnection;

/// What one element of a request costs here, about.
const BYTES_EACH: usize = 768;

pub(crate) async fn handle(
    config: &DynamicBrokerConfig,
    controller: &ControllerClient,
    context: &RequestContext,
    request: AlterConfigsRequest,
) -> Result<AlterConfigsResponse, CloseConnection> {
    let settings: usize = request.resources.iter().map(|each| each.configs.len()).sum();
    answer_budget::check(request.resources.len() + settings, BYTES_EACH)?;
    let asked: Vec<Asked<'_>> = request.resources.iter().map(asked).collect();
    let sound = config_resources::check_asked(&asked);
    let mut answers: Vec<Option<ApiError>> = Vec::new();
    let mut forwarded = Vec::new();
    for (resource, sound) in request.resources.iter().zip(sound) {
        let refusal = sound.and_then(|()| check(config, context, resource)).err();
        if refusal.is_none() {
            forwarded.push(resource.clone());
        }
        answers.push(refusal);
    }
    let replies = if forwarded.is_empty() {
        Ok(AlterConfigsResponse::default())
    } else {
        let request = AlterConfigsRequest::default()
            .with_resources(forwarded)
            .with_validate_only(request.validate_only);
        let on_broker = config.listener_kind(&context.client.listener) == Listener::Broker;
        let forwarded = context.is_forwarded || on_broker;
        let answered = controller.ask(context, request, move |request, controller, _| {
            controller.alter_configs(request, forwarded)
        });
        match answered.await {
            Ok(response) => Ok(response),
            Err(Unanswered::Failed(failed)) => Err(ApiError::from(failed)),
            Err(unsupported) => return Err(unsupported.into()),
        }
    };
    let replies = replies.map(|response| {
        let key =
            |each: &AlterConfigsResourceResponse| (each.resource_type, each.resource_name.clone());
        let replies = response.responses.into_iter().map(|each| (key(&each), each));
        replies.collect::<HashMap<_, _>>()
    });
    let responses = request.resources.iter().zip(answers).map(|(resource, refusal)| {
        let blank = AlterConfigsResourceResponse::default()
            .with_resource_type(resource.resource_type)
            .with_resource_name(resource.resource_name.clone());
        let refused = |error: &ApiError| {
            blank.clone().with_error_code(error.code()).with_error_message(error.text())
        };
        match (&refusal, &replies) {
            (Some(error), _) | (None, Err(error)) => refused(error),
            (None, Ok(replies)) => {
                let reply = replies.get(&(resource.resource_type, resource.resource_name.clone()));
                reply.cloned().unwrap_or_else(|| refused(&ErrorCode::UnknownServerError.into()))
            }
        }
    });
    Ok(AlterConfigsResponse::default().with_responses(responses.collect()))
}

fn check(
    config: &DynamicBrokerConfig,
    context: &RequestContext,
    resource: &AlterConfigsResource,
) -> Result<(), ApiError> {
    let name = resource.resource_name.as_str();
    let kind = ResourceType::from_id(resource.resource_type)
        // Levels of loggers cannot be changed this way.
        .filter(|kind| *kind != ResourceType::BrokerLogger)
        .ok_or_else(|| config_resources::unknown_kind(resource.resource_type))?;
    let on_broker = config.listener_kind(&context.client.listener) == Listener::Broker;
    if kind == ResourceType::Broker && on_broker {
        let own = config_resources::of_this_broker(config.node_id(), name)?;
        let settings: Properties = resource
            .configs
            .iter()
            .map(|each| (each.name.as_str(), each.value.as_deref().unwrap_or("")))
            .collect();
        check_broker_settings(config, &settings, own)?;
    }
    config_resources::authorize(context, Operation::AlterConfigs, kind, name)
}

fn asked(resource: &AlterConfigsResource) -> Asked<'_> {
    let nulls = resource.configs.iter().filter(|each| each.value.is_none());
    Asked {
        kind: resource.resource_type,
        name: &resource.resource_name,
        settings: resource.configs.iter().map(|each| each.name.as_str()).collect(),
        nulls: nulls.map(|each| each.name.as_str()).collect(),
    }
}

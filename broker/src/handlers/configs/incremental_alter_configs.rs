//! IncrementalAlterConfigs: changes single settings of topics, brokers, groups and subscriptions,
//! and levels of this broker's loggers.
//!
//! A broker checks changes of its own settings, and of those of all brokers, before the controller
//! does: only it knows whether it could go on with them. Log levels never leave the broker.
//! Kafka: `ConfigAdminManager`, `ControllerApis.handleIncrementalAlterConfigs`.

use std::collections::HashMap;

use protocol::ErrorCode;
use protocol::api::Listener;
use protocol::messages::incremental_alter_configs_request::AlterConfigsResource;
use protocol::messages::incremental_alter_configs_response::AlterConfigsResourceResponse;
use protocol::messages::{IncrementalAlterConfigsRequest, IncrementalAlterConfigsResponse};
use raft::image::ResourceType;

use crate::log_levels;
use crate::metadata::config_resources::{self, Asked};
use crate::metadata::controller_client::ControllerClient;
use crate::metadata::controller_client::Unanswered;
use crate::metadata::dynamic_broker_config::DynamicBrokerConfig;
use crate::metadata::dynamic_config::{check_broker_change, operation};
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
    request: IncrementalAlterConfigsRequest,
) -> Result<IncrementalAlterConfigsResponse, CloseConnection> {
    let settings: usize = request.resources.iter().map(|each| each.configs.len()).sum();
    answer_budget::check(request.resources.len() + settings, BYTES_EACH)?;
    let validate_only = request.validate_only;
    let asked: Vec<Asked<'_>> = request.resources.iter().map(asked).collect();
    let sound = config_resources::check_asked(&asked);
    // Per resource: the answer, or nothing for what the controller decides.
    let mut answers: Vec<Option<Result<(), ApiError>>> = Vec::new();
    let mut forwarded = Vec::new();
    for (resource, sound) in request.resources.iter().zip(sound) {
        let decided = match sound {
            Err(error) => Err(error),
            Ok(()) => decide_here(config, context, resource, validate_only),
        };
        answers.push(match decided {
            Ok(Decided::Here) => Some(Ok(())),
            Err(error) => Some(Err(error)),
            Ok(Decided::ByController) => {
                forwarded.push(resource.clone());
                None
            }
        });
    }
    let mut replies = if forwarded.is_empty() {
        Vec::new().into_iter()
    } else {
        let names: Vec<AlterConfigsResource> = forwarded.clone();
        let request = IncrementalAlterConfigsRequest::default()
            .with_resources(forwarded)
            .with_validate_only(validate_only);
        let forwarded = context.is_forwarded || on_broker(config, context);
        let answered = controller.ask(context, request, move |request, controller, _| {
            controller.incremental_alter_configs(request, forwarded)
        });
        match answered.await {
            Ok(response) => in_order(&names, &response.responses).into_iter(),
            Err(Unanswered::Failed(failed)) => {
                vec![Err(ApiError::from(failed)); names.len()].into_iter()
            }
            Err(unsupported) => return Err(unsupported.into()),
        }
    };
    let responses = request.resources.iter().zip(answers).map(|(resource, answer)| {
        let mut by_controller =
            || replies.next().unwrap_or_else(|| Err(ErrorCode::UnknownServerError.into()));
        response(resource, &answer.unwrap_or_else(&mut by_controller))
    });
    Ok(IncrementalAlterConfigsResponse::default().with_responses(responses.collect()))
}

/// Who has the last word on a resource.
enum Decided {
    Here,
    ByController,
}

fn decide_here(
    config: &DynamicBrokerConfig,
    context: &RequestContext,
    resource: &AlterConfigsResource,
    validate_only: bool,
) -> Result<Decided, ApiError> {
    let name = resource.resource_name.as_str();
    let kind = ResourceType::from_id(resource.resource_type)
        .ok_or_else(|| config_resources::unknown_kind(resource.resource_type))?;
    let on_broker = on_broker(config, context);
    if kind == ResourceType::BrokerLogger {
        let operation = if on_broker { Operation::AlterConfigs } else { Operation::ClusterAction };
        config_resources::authorize(context, operation, kind, name)?;
        log_levels::change(config.node_id(), name, &resource.configs, validate_only)?;
        return Ok(Decided::Here);
    }
    if kind == ResourceType::Broker && on_broker {
        let own = config_resources::of_this_broker(config.node_id(), name)?;
        check_broker_change(config, &resource.configs, own)?;
    }
    config_resources::authorize(context, Operation::AlterConfigs, kind, name)?;
    Ok(Decided::ByController)
}

/// Whether a client asks this broker, which looks at what it asks for.
fn on_broker(config: &DynamicBrokerConfig, context: &RequestContext) -> bool {
    config.listener_kind(&context.client.listener) == Listener::Broker
}

fn asked(resource: &AlterConfigsResource) -> Asked<'_> {
    let nulls = resource
        .configs
        .iter()
        .filter(|each| each.config_operation != operation::DELETE && each.value.is_none());
    Asked {
        kind: resource.resource_type,
        name: &resource.resource_name,
        settings: resource.configs.iter().map(|each| each.name.as_str()).collect(),
        nulls: nulls.map(|each| each.name.as_str()).collect(),
    }
}

/// The controller's answers in the order of what was asked.
fn in_order(
    asked: &[AlterConfigsResource],
    responses: &[AlterConfigsResourceResponse],
) -> Vec<Result<(), ApiError>> {
    let by_resource: HashMap<(i8, &str), &AlterConfigsResourceResponse> =
        responses.iter().map(|each| ((each.resource_type, &*each.resource_name), each)).collect();
    let answer = |resource: &AlterConfigsResource| {
        let found = by_resource.get(&(resource.resource_type, &*resource.resource_name));
        let Some(found) = found else { return Err(ErrorCode::UnknownServerError.into()) };
        match ErrorCode::try_from_code(found.error_code) {
            None => Ok(()),
            Some(code) => {
                let message = found.error_message.as_ref().map(ToString::to_string);
                Err(ApiError { code, message })
            }
        }
    };
    asked.iter().map(answer).collect()
}

fn response(
    resource: &AlterConfigsResource,
    result: &Result<(), ApiError>,
) -> AlterConfigsResourceResponse {
    let error = result.as_ref().err();
    AlterConfigsResourceResponse::default()
        .with_resource_type(resource.resource_type)
        .with_resource_name(resource.resource_name.clone())
        .with_error_code(error.map_or(0, ApiError::code))
        .with_error_message(error.and_then(ApiError::text))
}

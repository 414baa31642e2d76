//! CreateTopics: asks the controller for new topics.
//!
//! Kafka: `ControllerApis.createTopics`. Who may create anything in the cluster needs no leave for
//! each topic; how a new topic is configured is told only to those who may describe it.

use std::collections::HashSet;

use protocol::ErrorCode;
use protocol::messages::create_topics_response::CreatableTopicResult;
use protocol::messages::{CreateTopicsRequest, CreateTopicsResponse, TopicName};

use crate::metadata::controller_client::ControllerClient;
use crate::requests::answer_budget;
use crate::requests::api_error::ApiError;
use crate::requests::authorizer::{Operation, Resource};
use crate::requests::context::RequestContext;
use crate::requests::mutation_quota::OfRequest;
use crate::requests::reply::CloseConnection;
use crate::requests::topic_names::{METADATA_TOPIC, Named};

/// What one element of a request costs here, about.
const BYTES_EACH: usize = 512;

pub(crate) async fn handle(
    controller: &ControllerClient,
    context: &RequestContext,
    mut request: CreateTopicsRequest,
) -> Result<CreateTopicsResponse, CloseConnection> {
    answer_budget::check(request.topics.len(), BYTES_EACH)?;
    let asked: Vec<TopicName> = request.topics.iter().map(|topic| topic.name.clone()).collect();
    // The controller refuses its own topic and names that come twice, to anybody.
    let mut single = Named::of(asked.iter().cloned()).once;
    single.retain(|name| name.as_str() != METADATA_TOPIC);
    let whole_cluster = context.is_authorized(Operation::Create, Resource::Cluster);
    let denied: HashSet<TopicName> = single
        .iter()
        .filter(|name| {
            !whole_cluster && !context.authorize(Operation::Create, Resource::Topic(name))
        })
        .cloned()
        .collect();
    let describable: HashSet<String> = single
        .iter()
        .filter(|name| context.is_authorized(Operation::DescribeConfigs, Resource::Topic(name)))
        .map(|name| name.as_str().to_owned())
        .collect();
    request.topics.retain(|topic| !denied.contains(&topic.name));
    let timeout_ms = request.timeout_ms;
    let mut quota = OfRequest::new(context);
    let created = controller.within(context, timeout_ms, move |controller, now| {
        controller.create_topics(&request, &|name| describable.contains(name), &mut quota, now)
    });
    match created.await {
        Ok(mut response) => {
            let error = ApiError::new(ErrorCode::TopicAuthorizationFailed, "Authorization failed.");
            let others = single.iter().filter(|name| denied.contains(*name));
            response.topics.extend(others.map(|name| refused(name, &error)));
            Ok(response)
        }
        Err(failed) => {
            let error = ApiError::from(failed);
            let topics = asked.iter().map(|name| refused(name, &error)).collect();
            Ok(CreateTopicsResponse::default().with_topics(topics))
        }
    }
}

fn refused(name: &TopicName, error: &ApiError) -> CreatableTopicResult {
    CreatableTopicResult::default()
        .with_name(name.clone())
        .with_error_code(error.code())
        .with_error_message(error.text())
}

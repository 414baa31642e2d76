//! CreatePartitions: asks the controller for more partitions of topics.
//!
//! Kafka: `ControllerApis.createPartitions`.

use std::collections::HashSet;

use protocol::ErrorCode;
use protocol::messages::create_partitions_response::CreatePartitionsTopicResult;
use protocol::messages::{CreatePartitionsRequest, CreatePartitionsResponse, TopicName};

use crate::metadata::controller_client::ControllerClient;
use crate::requests::answer_budget;
use crate::requests::api_error::ApiError;
use crate::requests::authorizer::{Operation, Resource};
use crate::requests::context::RequestContext;
use crate::requests::mutation_quota::OfRequest;
use crate::requests::reply::CloseConnection;
use crate::requests::topic_names::Named;

/// What one element of a request costs here, about.
const BYTES_EACH: usize = 512;

pub(crate) async fn handle(
    controller: &ControllerClient,
    context: &RequestContext,
    mut request: CreatePartitionsRequest,
) -> Result<CreatePartitionsResponse, CloseConnection> {
    answer_budget::check(request.topics.len(), BYTES_EACH)?;
    let asked: Vec<TopicName> = request.topics.iter().map(|topic| topic.name.clone()).collect();
    // The controller refuses names that come twice, to anybody.
    let denied: HashSet<TopicName> = Named::of(asked.iter().cloned())
        .once
        .into_iter()
        .filter(|name| !context.authorize(Operation::Alter, Resource::Topic(name)))
        .collect();
    request.topics.retain(|topic| !denied.contains(&topic.name));
    let timeout_ms = request.timeout_ms;
    let mut quota = OfRequest::new(context);
    let answered = controller.within(context, timeout_ms, move |controller, now| {
        controller.create_partitions(&request, &mut quota, now)
    });
    match answered.await {
        Ok(mut response) => {
            let error = ErrorCode::TopicAuthorizationFailed.into();
            let others = asked.iter().filter(|name| denied.contains(*name));
            response.results.extend(others.map(|name| refused(name, &error)));
            Ok(response)
        }
        Err(failed) => {
            let error = ApiError::from(failed);
            let results = asked.iter().map(|name| refused(name, &error)).collect();
            Ok(CreatePartitionsResponse::default().with_results(results))
        }
    }
}

fn refused(name: &TopicName, error: &ApiError) -> CreatePartitionsTopicResult {
    CreatePartitionsTopicResult::default()
        .with_name(name.clone())
        .with_error_code(error.code())
        .with_error_message(error.text())
}

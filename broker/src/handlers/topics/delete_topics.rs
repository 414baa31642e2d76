//! DeleteTopics: asks the controller to delete topics, named or by id.
//!
//! Kafka: `ControllerApis.deleteTopics`. A topic that was given by its id is named in a refusal
//! only to those who may describe it. Answers come in the order of the request rather than
//! shuffled, which tells as little about what exists.

use std::collections::{BTreeSet, HashSet};

use protocol::messages::delete_topics_request::DeleteTopicState;
use protocol::messages::delete_topics_response::DeletableTopicResult;
use protocol::messages::{DeleteTopicsRequest, DeleteTopicsResponse, TopicName};
use raft::image::MetadataImage;
use uuid::Uuid;

use crate::metadata::controller_client::ControllerClient;
use crate::metadata::dynamic_broker_config::DynamicBrokerConfig;
use crate::metadata::metadata_cache::MetadataCache;
use crate::requests::answer_budget;
use crate::requests::api_error::{ApiError, denied};
use crate::requests::authorizer::{Operation, Resource};
use crate::requests::context::RequestContext;
use crate::requests::mutation_quota::OfRequest;
use crate::requests::reply::CloseConnection;
use crate::requests::topic_names::Named;

/// What one element of a request costs here, about.
const BYTES_EACH: usize = 512;

pub(crate) async fn handle(
    config: &DynamicBrokerConfig,
    metadata: &MetadataCache,
    controller: &ControllerClient,
    context: &RequestContext,
    mut request: DeleteTopicsRequest,
) -> Result<DeleteTopicsResponse, CloseConnection> {
    answer_budget::check(request.topics.len() + request.topic_names.len(), BYTES_EACH)?;
    let asked = request.clone();
    // Where deletion is disabled everybody is told so, whatever they may do.
    let may_all = !config.current().delete_topic_enable
        || context.is_authorized(Operation::Delete, Resource::Cluster);
    let refusals =
        if may_all { Vec::new() } else { take_denied(&metadata.image(), context, &mut request) };
    let (version, timeout_ms) = (context.api_version, request.timeout_ms);
    let mut quota = OfRequest::new(context);
    let answered = controller.within(context, timeout_ms, move |controller, _| {
        controller.delete_topics(&request, version, &mut quota)
    });
    match answered.await {
        Ok(mut response) => {
            response.responses.extend(refusals);
            Ok(response)
        }
        Err(failed) => Ok(failed_whole(asked, &failed.into())),
    }
}

/// Takes out of the request what the sender may not delete.
fn take_denied(
    image: &MetadataImage,
    context: &RequestContext,
    request: &mut DeleteTopicsRequest,
) -> Vec<DeletableTopicResult> {
    let mut refusals = Vec::new();
    // What comes twice, or is neither or both of name and id, the controller refuses to anybody.
    let named = request.topic_names.iter().cloned();
    let states = request.topics.iter().filter(|topic| topic.topic_id.is_nil());
    let names = Named::of(named.chain(states.filter_map(|topic| topic.name.clone()))).once;
    let names: HashSet<TopicName> = names.into_iter().collect();
    let ids = Named::of(request.topics.iter().map(|topic| topic.topic_id)).once;
    // Kafka asks for both rights on each topic, once.
    let of_ids = ids.iter().filter_map(|id| image.topics().by_id(*id));
    let asked: BTreeSet<&str> = names
        .iter()
        .map(|name| name.as_str())
        .chain(of_ids.map(|topic| topic.name.as_str()))
        .collect();
    let with_right = |operation| -> HashSet<&str> {
        let may = |name: &&str| context.authorize(operation, Resource::Topic(name));
        asked.iter().copied().filter(may).collect()
    };
    let (describable, deletable) = (with_right(Operation::Describe), with_right(Operation::Delete));
    let refuse_name = |name: &TopicName| {
        // Who may describe it hears, too, that there is none.
        let is_there = || image.topics().by_name(name).is_some();
        let allowed = !names.contains(name)
            || (describable.contains(name.as_str())
                && (deletable.contains(name.as_str()) || !is_there()));
        (!allowed).then(|| refused(Some(name.clone()), Uuid::nil(), &denied(Resource::Topic(name))))
    };
    let refuse_id = |id: Uuid| {
        let topic = image.topics().by_id(id).filter(|_| ids.contains(&id))?;
        if deletable.contains(topic.name.as_str()) {
            return None;
        }
        let visible = describable.contains(topic.name.as_str());
        let name = visible.then(|| TopicName(topic.name.clone()));
        Some(refused(name, id, &denied(Resource::Topic(&topic.name))))
    };
    request.topic_names.retain(|name| match refuse_name(name) {
        Some(refusal) => {
            refusals.push(refusal);
            false
        }
        None => true,
    });
    request.topics.retain(|DeleteTopicState { name, topic_id, .. }| {
        let refusal = match (name, topic_id.is_nil()) {
            (Some(name), true) => refuse_name(name),
            (None, false) => refuse_id(*topic_id),
            _ => None,
        };
        let kept = refusal.is_none();
        refusals.extend(refusal);
        kept
    });
    refusals
}

fn refused(name: Option<TopicName>, id: Uuid, error: &ApiError) -> DeletableTopicResult {
    DeletableTopicResult::default()
        .with_name(name)
        .with_topic_id(id)
        .with_error_code(error.code())
        .with_error_message(error.text())
}

/// Every topic of the request gets the code, without words.
fn failed_whole(request: DeleteTopicsRequest, error: &ApiError) -> DeleteTopicsResponse {
    let error = ApiError::from(error.code);
    let named =
        request.topic_names.into_iter().map(|name| refused(Some(name), Uuid::nil(), &error));
    let states =
        request.topics.into_iter().map(|topic| refused(topic.name, topic.topic_id, &error));
    DeleteTopicsResponse::default().with_responses(named.chain(states).collect())
}

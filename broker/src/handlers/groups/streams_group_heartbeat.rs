//! StreamsGroupHeartbeat: a member of a streams group joins, stays or leaves; the internal topics
//! that its group lacks are created in its name. Kafka: `KafkaApis.handleStreamsGroupHeartbeat`.

mod internal_topics;
mod message;

use std::sync::Arc;

use coordinator::group::{GroupError, StreamsHeartbeatAnswer, refuse_streams_heartbeat};
use protocol::ErrorCode;
use protocol::messages::streams_group_heartbeat_request::Topology;
use protocol::messages::{StreamsGroupHeartbeatRequest, StreamsGroupHeartbeatResponse};
use protocol::wire::StrBytes;

use super::caller;
use crate::coordinators::groups::{Groups, Parked};
use crate::metadata::auto_topics::{AutoTopics, is_valid_name};
use crate::metadata::metadata_cache::{MetadataCache, is_internal};
use crate::requests::authorizer::{Operation, Resource};
use crate::requests::context::RequestContext;
use crate::requests::error_map;
use crate::requests::reply::CloseConnection;

pub(crate) async fn handle(
    metadata: &MetadataCache,
    groups: &Groups,
    auto_topics: &Arc<AutoTopics>,
    context: &RequestContext,
    request: StreamsGroupHeartbeatRequest,
) -> Result<StreamsGroupHeartbeatResponse, CloseConnection> {
    if !groups.serves_streams_groups(&metadata.image()) {
        return Ok(refused(ErrorCode::UnsupportedVersion));
    }
    if !context.authorize(Operation::Read, Resource::Group(&request.group_id)) {
        return Ok(refused(ErrorCode::GroupAuthorizationFailed));
    }
    let topology = request.topology.as_ref();
    if let Some(refusal) = topology.and_then(|topology| refuse_topics(context, topology)) {
        return Ok(refusal);
    }
    let asked = ask(metadata, groups, context, request);
    let answer = match asked {
        Ok(parked) => parked.answer().await.unwrap_or(Err(GroupError::NotCoordinator)),
        Err(error) => Err(error),
    };
    let beat = match answer {
        Ok(beat) => *beat,
        Err(error) => {
            let why = error_map::groups::message(&error);
            return Ok(refusal(error_map::groups::code(&error), why));
        }
    };
    let (missing, interval_ms) = (beat.missing_topics.clone(), beat.heartbeat_interval_ms);
    let mut response = message::respond(beat);
    if !missing.is_empty() {
        let problem = internal_topics::create(auto_topics, context, missing, interval_ms);
        internal_topics::tell(&mut response, problem);
    }
    Ok(response)
}

fn refused(code: ErrorCode) -> StreamsGroupHeartbeatResponse {
    refusal(code, None)
}

fn refusal(code: ErrorCode, why: Option<StrBytes>) -> StreamsGroupHeartbeatResponse {
    StreamsGroupHeartbeatResponse {
        error_code: code.code(),
        error_message: why,
        ..StreamsGroupHeartbeatResponse::default()
    }
}

fn ask(
    metadata: &MetadataCache,
    groups: &Groups,
    context: &RequestContext,
    request: StreamsGroupHeartbeatRequest,
) -> Result<Parked<StreamsHeartbeatAnswer>, GroupError> {
    let request = message::read(request);
    refuse_streams_heartbeat(&request)?;
    let shard = groups.shard(groups.partition_of(&request.group_id, &metadata.image()))?;
    let host = context.client.host();
    let caller = caller(context, &host);
    let image = groups.cluster_metadata();
    Ok(shard.ask(|shard, reply, now, out| {
        shard.streams_group_heartbeat(caller, &request, &image, reply, now, out);
    })?)
}

/// A topology names topics that may be, and that the sender may see.
fn refuse_topics(
    context: &RequestContext,
    topology: &Topology,
) -> Option<StreamsGroupHeartbeatResponse> {
    let mut topics: Vec<&str> = Vec::new();
    for part in &topology.subtopologies {
        let sinks = part.repartition_sink_topics.iter();
        let named = part.source_topics.iter().chain(sinks).map(|topic| topic.as_str());
        let made = part.repartition_source_topics.iter().chain(&part.state_changelog_topics);
        for topic in named.chain(made.map(|topic| topic.name.as_str())) {
            if !topics.contains(&topic) {
                topics.push(topic);
            }
        }
    }
    let invalid =
        |why: String| refusal(ErrorCode::StreamsInvalidTopology, Some(StrBytes::from_string(why)));
    let of = |is_bad: &dyn Fn(&str) -> bool| {
        topics.iter().copied().filter(|topic| is_bad(topic)).collect::<Vec<_>>().join(",")
    };
    let internal = of(&is_internal);
    if !internal.is_empty() {
        return Some(invalid(format!(
            "Use of Kafka internal topics {internal} in a Kafka Streams topology is prohibited."
        )));
    }
    if topics.iter().any(|topic| !is_valid_name(topic)) {
        let names = of(&|topic| !is_valid_name(topic));
        return Some(invalid(format!("Topic names {names} are not valid topic names.")));
    }
    let may_describe = |topic: &str| context.authorize(Operation::Describe, Resource::Topic(topic));
    let all = topics.iter().all(|topic| may_describe(topic));
    (!all).then(|| refused(ErrorCode::TopicAuthorizationFailed))
}

//! OffsetCommit. Topics that the sender may not read or that are not there are refused here, the
//! rest goes to the group's shard. Topics are named by their ids from version 10 on. Kafka:
//! `KafkaApis.handleOffsetCommitRequest`.

use coordinator::group::{CommittedTopic, GroupError};
use protocol::ErrorCode;
use protocol::messages::offset_commit_request::OffsetCommitRequestTopic;
use protocol::messages::offset_commit_response::{
    OffsetCommitResponsePartition, OffsetCommitResponseTopic,
};
use protocol::messages::{OffsetCommitRequest, OffsetCommitResponse, TopicName};
use uuid::Uuid;

use crate::coordinators::groups::Groups;
use crate::metadata::metadata_cache::MetadataCache;
use crate::requests::authorizer::{Operation, Resource};
use crate::requests::context::RequestContext;
use crate::requests::error_map;
use crate::requests::reply::CloseConnection;

const FIRST_WITH_TOPIC_IDS: i16 = 10;

pub(crate) async fn handle(
    metadata: &MetadataCache,
    groups: &Groups,
    context: &RequestContext,
    mut request: OffsetCommitRequest,
) -> Result<OffsetCommitResponse, CloseConnection> {
    let mut response = Response::default();
    if !context.authorize(Operation::Read, Resource::Group(&request.group_id)) {
        response.refuse(&request.topics, ErrorCode::GroupAuthorizationFailed);
        return Ok(response.finish());
    }
    let topics = std::mem::take(&mut request.topics);
    request.topics = known(metadata, context, &mut response, topics);
    if request.topics.is_empty() {
        return Ok(response.finish());
    }
    let committed = match commit(metadata, groups, context.api_version, &request).await {
        Ok(topics) => {
            topics.into_iter().map(|topic| committed_topic(topic, &request.topics)).collect()
        }
        Err(error) => {
            let mut refused = Response::default();
            refused.refuse(&request.topics, error_map::groups::code(&error));
            refused.topics
        }
    };
    response.merge(committed);
    Ok(response.finish())
}

/// The topics and partitions that exist, each with its name and id, and that the sender may read.
fn known(
    metadata: &MetadataCache,
    context: &RequestContext,
    response: &mut Response,
    topics: Vec<OffsetCommitRequestTopic>,
) -> Vec<OffsetCommitRequestTopic> {
    let image = metadata.image();
    let by_ids = context.api_version >= FIRST_WITH_TOPIC_IDS;
    let mut known = Vec::with_capacity(topics.len());
    for mut topic in topics {
        let found = match by_ids {
            true => image.topics().by_id(topic.topic_id),
            false => image.topics().by_name(&topic.name),
        };
        match found {
            Some(found) if by_ids => topic.name = TopicName(found.name.clone()),
            None if by_ids => {
                response.refuse(&[topic], ErrorCode::UnknownTopicId);
                continue;
            }
            _ => topic.topic_id = found.map(|found| found.id).unwrap_or_default(),
        }
        if !context.authorize(Operation::Read, Resource::Topic(&topic.name)) {
            response.refuse(&[topic], ErrorCode::TopicAuthorizationFailed);
            continue;
        }
        let (name, id) = (topic.name.clone(), topic.topic_id);
        topic.partitions.retain(|partition| {
            let index = partition.partition_index;
            let exists = found.is_some_and(|found| found.partition(index).is_some());
            if !exists {
                response.add((&name, id), index, ErrorCode::UnknownTopicOrPartition.code());
            }
            exists
        });
        if !topic.partitions.is_empty() {
            known.push(topic);
        }
    }
    known
}

fn committed_topic(
    topic: CommittedTopic,
    asked: &[OffsetCommitRequestTopic],
) -> OffsetCommitResponseTopic {
    let partitions = topic.partitions.into_iter().map(|(partition, error)| {
        entry(partition, error_map::groups::code_or_none(error.as_ref()))
    });
    let name = TopicName(topic.topic);
    let of_name = asked.iter().find(|asked| asked.name == name);
    OffsetCommitResponseTopic {
        topic_id: of_name.map(|asked| asked.topic_id).unwrap_or_default(),
        name,
        partitions: partitions.collect(),
    }
}

fn entry(partition_index: i32, error_code: i16) -> OffsetCommitResponsePartition {
    OffsetCommitResponsePartition { partition_index, error_code }
}

async fn commit(
    metadata: &MetadataCache,
    groups: &Groups,
    api_version: i16,
    request: &OffsetCommitRequest,
) -> Result<Vec<CommittedTopic>, GroupError> {
    let shard = groups.shard(groups.partition_of(&request.group_id, &metadata.image()))?;
    let parked = shard.ask(|shard, reply, now, out| {
        shard.commit_offsets(api_version, request, reply, now, out);
    })?;
    groups.within_commit_timeout(parked).await?
}

/// A response that grows partition by partition, one entry for each topic.
#[derive(Default)]
struct Response {
    topics: Vec<OffsetCommitResponseTopic>,
}

impl Response {
    fn add(&mut self, (name, topic_id): (&TopicName, Uuid), partition: i32, code: i16) {
        // What belongs to one topic comes together, so the last entry is it mostly.
        let is_it = |added: &OffsetCommitResponseTopic| match name.is_empty() {
            true => added.topic_id == topic_id,
            false => added.name == *name,
        };
        let at = self.topics.iter().rposition(is_it).unwrap_or_else(|| {
            self.topics.push(OffsetCommitResponseTopic {
                name: name.clone(),
                topic_id,
                ..Default::default()
            });
            self.topics.len() - 1
        });
        self.topics[at].partitions.push(entry(partition, code));
    }

    /// The shard's answers join the refusals of their topics. Without refusals they stand as they
    /// are.
    fn merge(&mut self, topics: Vec<OffsetCommitResponseTopic>) {
        if self.topics.is_empty() {
            self.topics = topics;
            return;
        }
        for topic in topics {
            for partition in topic.partitions {
                let name = (&topic.name, topic.topic_id);
                self.add(name, partition.partition_index, partition.error_code);
            }
        }
    }

    fn refuse(&mut self, topics: &[OffsetCommitRequestTopic], code: ErrorCode) {
        for topic in topics {
            for partition in &topic.partitions {
                let name = (&topic.name, topic.topic_id);
                self.add(name, partition.partition_index, code.code());
            }
        }
    }

    fn finish(self) -> OffsetCommitResponse {
        OffsetCommitResponse { topics: self.topics, ..Default::default() }
    }
}

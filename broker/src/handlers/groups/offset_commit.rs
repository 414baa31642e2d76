//! OffsetCommit. Topics that the sender may not read or that are not there are refused here, the
//! rest goes to the group's shard. Kafka: `KafkaApis.handleOffsetCommitRequest`.

use coordinator::group::{CommittedTopic, GroupError};
use protocol::ErrorCode;
use protocol::messages::offset_commit_request::OffsetCommitRequestTopic;
use protocol::messages::offset_commit_response::{
    OffsetCommitResponsePartition, OffsetCommitResponseTopic,
};
use protocol::messages::{OffsetCommitRequest, OffsetCommitResponse, TopicName};

use crate::coordinators::groups::Groups;
use crate::metadata::metadata_cache::MetadataCache;
use crate::requests::authorizer::{Operation, Resource};
use crate::requests::context::RequestContext;
use crate::requests::error_map;
use crate::requests::reply::CloseConnection;

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
    let image = metadata.image();
    let mut known = Vec::with_capacity(request.topics.len());
    for mut topic in std::mem::take(&mut request.topics) {
        let name = topic.name.as_str();
        if !context.authorize(Operation::Read, Resource::Topic(name)) {
            response.refuse(&[topic], ErrorCode::TopicAuthorizationFailed);
            continue;
        }
        let found = image.topics().by_name(name);
        let name = topic.name.clone();
        topic.topic_id = found.map(|found| found.id).unwrap_or_default();
        topic.partitions.retain(|partition| {
            let index = partition.partition_index;
            let exists = found.is_some_and(|found| found.partition(index).is_some());
            if !exists {
                response.add(&name, index, ErrorCode::UnknownTopicOrPartition.code());
            }
            exists
        });
        if !topic.partitions.is_empty() {
            known.push(topic);
        }
    }
    if known.is_empty() {
        return Ok(response.finish());
    }
    request.topics = known;
    let committed = match commit(metadata, groups, context.api_version, &request).await {
        Ok(topics) => topics.into_iter().map(committed_topic).collect(),
        Err(error) => {
            let mut refused = Response::default();
            refused.refuse(&request.topics, error_map::groups::code(&error));
            refused.topics
        }
    };
    response.merge(committed);
    Ok(response.finish())
}

fn committed_topic(topic: CommittedTopic) -> OffsetCommitResponseTopic {
    let partitions = topic.partitions.into_iter().map(|(partition, error)| {
        entry(partition, error_map::groups::code_or_none(error.as_ref()))
    });
    OffsetCommitResponseTopic::default()
        .with_name(TopicName(topic.topic))
        .with_partitions(partitions.collect())
}

fn entry(partition: i32, code: i16) -> OffsetCommitResponsePartition {
    OffsetCommitResponsePartition::default().with_partition_index(partition).with_error_code(code)
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
    fn add(&mut self, topic: &TopicName, partition: i32, code: i16) {
        // What belongs to one topic comes together, so the last entry is it mostly.
        let at = self.topics.iter().rposition(|added| added.name == *topic);
        let at = at.unwrap_or_else(|| {
            self.topics.push(OffsetCommitResponseTopic::default().with_name(topic.clone()));
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
                self.add(&topic.name, partition.partition_index, partition.error_code);
            }
        }
    }

    fn refuse(&mut self, topics: &[OffsetCommitRequestTopic], code: ErrorCode) {
        for topic in topics {
            for partition in &topic.partitions {
                self.add(&topic.name, partition.partition_index, code.code());
            }
        }
    }

    fn finish(self) -> OffsetCommitResponse {
        OffsetCommitResponse::default().with_topics(self.topics)
    }
}

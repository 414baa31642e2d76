//! DescribeShareGroupOffsets: where share groups are, partition by partition, and how far behind
//! (KIP-1226). Kafka: `KafkaApis.handleDescribeShareGroupOffsetsRequest`,
//! `GroupCoordinatorService.describeShareGroupOffsets`.
//!
//! What lags is the end of a partition less where the group starts and less what of that has been
//! delivered for good already.

use std::collections::{BTreeMap, BTreeSet};

use coordinator::group::{Assignment, GroupError};
use coordinator::share::ShareTopicPartition;
use protocol::ErrorCode;
use protocol::messages::describe_share_group_offsets_request::{
    DescribeShareGroupOffsetsRequestGroup, DescribeShareGroupOffsetsRequestTopic,
};
use protocol::messages::describe_share_group_offsets_response::{
    DescribeShareGroupOffsetsResponseGroup as Group,
    DescribeShareGroupOffsetsResponsePartition as Partition,
    DescribeShareGroupOffsetsResponseTopic as Topic,
};
use protocol::messages::{
    DescribeShareGroupOffsetsRequest, DescribeShareGroupOffsetsResponse, GroupId, TopicName,
};
use raft::image::MetadataImage;
use uuid::Uuid;

use super::refusal;
use crate::coordinators::end_offsets::{EndOffset, EndOffsets};
use crate::coordinators::groups::Groups;
use crate::coordinators::persister::{PerPartition, PersistedSummary, Persister, ReadState};
use crate::coordinators::share::serves_share_groups;
use crate::metadata::metadata_cache::MetadataCache;
use crate::requests::api_error::{ApiError, text, worded};
use crate::requests::authorizer::{Operation, Resource};
use crate::requests::context::RequestContext;
use crate::requests::reply::CloseConnection;

/// Where the group has not begun, or what is not known.
const UNKNOWN: i64 = -1;

pub(crate) async fn handle(
    metadata: &MetadataCache,
    groups: &Groups,
    persister: &Persister,
    end_offsets: &EndOffsets,
    context: &RequestContext,
    request: DescribeShareGroupOffsetsRequest,
) -> Result<DescribeShareGroupOffsetsResponse, CloseConnection> {
    let image = metadata.image();
    let describing = Describing { image: &image, groups, persister, end_offsets, context };
    let mut described = Vec::with_capacity(request.groups.len());
    for DescribeShareGroupOffsetsRequestGroup { group_id, topics } in request.groups {
        let refused = |code: ErrorCode| Group {
            group_id: group_id.clone(),
            error_code: code.code(),
            ..Group::default()
        };
        described.push(if !serves_share_groups(&image) {
            refused(ErrorCode::UnsupportedVersion)
        } else if !context.authorize(Operation::Describe, Resource::Group(&group_id)) {
            refused(ErrorCode::GroupAuthorizationFailed)
        } else {
            match topics {
                None => describing.all(group_id).await,
                Some(topics) => describing.some(group_id, topics).await,
            }
        });
    }
    Ok(DescribeShareGroupOffsetsResponse { groups: described, ..Default::default() })
}

/// What one group is described from.
struct Describing<'a> {
    image: &'a MetadataImage,
    groups: &'a Groups,
    persister: &'a Persister,
    end_offsets: &'a EndOffsets,
    context: &'a RequestContext,
}

impl Describing<'_> {
    /// All that the group has offsets of, without what the sender may not see.
    async fn all(&self, group_id: GroupId) -> Group {
        let initialized = match self.initialized(&group_id) {
            Ok(initialized) => initialized,
            Err(error) => {
                let ApiError { code, .. } = refusal(&error);
                let message = worded(code).message.map(text);
                let error_code = code.code();
                return Group { group_id, error_code, error_message: message, ..Group::default() };
            }
        };
        let there = initialized.into_iter();
        let there = there.filter(|(id, _)| self.image.topics().by_id(*id).is_some()).collect();
        let mut topics = self.read(&group_id, there).await;
        topics.retain(|topic| self.may_describe(&topic.topic_name));
        Group { group_id, topics, ..Group::default() }
    }

    fn initialized(&self, group: &GroupId) -> Result<Assignment, GroupError> {
        let shard = self.groups.shard(self.groups.partition_of(group, self.image))?;
        Ok(shard.act(|shard, _, _| shard.initialized_share_partitions(group))?)
    }

    async fn some(
        &self,
        group_id: GroupId,
        asked: Vec<DescribeShareGroupOffsetsRequestTopic>,
    ) -> Group {
        let (mut known, mut unknown, mut denied) = (Assignment::new(), Vec::new(), Vec::new());
        for topic in asked {
            let found = self.image.topics().by_name(&topic.topic_name);
            if !self.may_describe(&topic.topic_name) {
                denied.push(without(topic, Some(ErrorCode::TopicAuthorizationFailed)));
            } else if let Some(found) = found {
                known.entry(found.id).or_default().extend(topic.partitions);
            } else {
                unknown.push(without(topic, None));
            }
        }
        let mut topics = self.read(&group_id, known).await;
        topics.extend(unknown);
        topics.extend(denied);
        Group { group_id, topics, ..Group::default() }
    }

    fn may_describe(&self, topic: &str) -> bool {
        self.context.authorize(Operation::Describe, Resource::Topic(topic))
    }

    async fn read(&self, group: &GroupId, partitions: Assignment) -> Vec<Topic> {
        let asked = partitions.into_iter().flat_map(|(topic_id, partitions)| {
            partitions.into_iter().map(move |partition| ReadState {
                partition: ShareTopicPartition { topic_id, partition },
                leader_epoch: -1,
            })
        });
        let read = self.persister.read_summary(group, asked.collect()).await;
        let ends = self.ends(&read).await;
        let mut topics: BTreeMap<Uuid, Vec<Partition>> = BTreeMap::new();
        for (partition, summary) in read {
            let of_topic = topics.entry(partition.topic_id).or_default();
            of_topic.push(described(partition.partition, summary.ok(), ends.get(&partition)));
        }
        let topics = topics.into_iter().filter_map(|(topic_id, partitions)| {
            let topic_name = TopicName(self.image.topics().by_id(topic_id)?.name.clone());
            Some(Topic { topic_name, topic_id, partitions })
        });
        topics.collect()
    }

    /// The ends of those partitions whose lag can be told.
    async fn ends(
        &self,
        read: &PerPartition<PersistedSummary>,
    ) -> BTreeMap<ShareTopicPartition, EndOffset> {
        let lagging = read.iter().filter(|(_, summary)| {
            summary.as_ref().is_ok_and(|summary| {
                summary.start_offset != UNKNOWN && summary.delivery_complete_count != -1
            })
        });
        let lagging: BTreeSet<ShareTopicPartition> = lagging.map(|(place, _)| *place).collect();
        self.end_offsets.latest(lagging).await
    }
}

/// As Kafka: where the state could not be read, it is as if there were none.
fn described(
    partition_index: i32,
    summary: Option<PersistedSummary>,
    end: Option<&EndOffset>,
) -> Partition {
    let place = Partition { partition_index, start_offset: UNKNOWN, ..Partition::default() };
    let Some(PersistedSummary { start_offset, leader_epoch, delivery_complete_count, .. }) =
        summary
    else {
        return place;
    };
    let known = Partition { start_offset, leader_epoch, ..place };
    match end {
        None => known,
        Some(Ok(end)) => {
            let lag = end - start_offset - i64::from(delivery_complete_count);
            Partition { lag, ..known }
        }
        Some(Err(code)) => {
            let ApiError { code, message } = worded(*code);
            Partition {
                partition_index,
                error_code: code.code(),
                error_message: message.map(text),
                ..Partition::default()
            }
        }
    }
}

/// A topic of which there is nothing to tell.
fn without(asked: DescribeShareGroupOffsetsRequestTopic, code: Option<ErrorCode>) -> Topic {
    let error_code = code.map_or(0, |code| code.code());
    let message = code.and_then(|code| worded(code).message).map(text);
    let partitions = asked.partitions.into_iter().map(|partition_index| Partition {
        partition_index,
        start_offset: UNKNOWN,
        error_code,
        error_message: message.clone(),
        ..Partition::default()
    });
    Topic { topic_name: asked.topic_name, topic_id: Uuid::nil(), partitions: partitions.collect() }
}

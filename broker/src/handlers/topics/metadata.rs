//! Metadata: which brokers there are, which topics, who leads each partition.
//!
//! A topic that does not exist is created on the way if the client and the configuration allow it;
//! as in Kafka the answer still says that it is unknown, and the client asks again. Kafka:
//! `KafkaApis.handleTopicMetadataRequest`, `KRaftMetadataCache`.

use std::collections::BTreeSet;
use std::sync::Arc;

use protocol::ErrorCode;
use protocol::leader_hint::NodeEndpoint;
use protocol::messages::metadata_response::{
    MetadataResponseBroker, MetadataResponsePartition, MetadataResponseTopic,
};
use protocol::messages::{BrokerId, MetadataRequest, MetadataResponse, TopicName};
use protocol::wire::StrBytes;
use raft::image::{MetadataImage, Partition, Topic};
use uuid::Uuid;

use crate::metadata::auto_topics;
use crate::metadata::auto_topics::AutoTopics;
use crate::metadata::dynamic_broker_config::DynamicBrokerConfig;
use crate::metadata::metadata_cache::MetadataCache;
use crate::metadata::metadata_cache::is_internal;
use crate::metadata::metadata_cache::{node_endpoint, registered_endpoint};
use crate::requests::authorizer::{Operation, Resource};
use crate::requests::context::RequestContext;
use crate::requests::reply::CloseConnection;

/// First version whose requests may name topics by id.
const FIRST_WITH_IDS: i16 = 12;
/// First version that tells a missing listener apart from a missing leader.
const FIRST_WITH_LISTENER_NOT_FOUND: i16 = 6;
/// What an authorized-operations field says when nobody asked.
const NOT_ASKED: i32 = i32::MIN;

pub(crate) async fn handle(
    config: &DynamicBrokerConfig,
    metadata: &MetadataCache,
    auto_topics: &Arc<AutoTopics>,
    context: &RequestContext,
    request: MetadataRequest,
) -> Result<MetadataResponse, CloseConnection> {
    let image = metadata.settled_image(|image| leaders(image, context, &request)).await;
    let mut answer = Answer { context, image: &image, topics: Vec::new() };
    let mut missing = Vec::new();
    match &request.topics {
        // Version 0 cannot send null and means all topics by an empty list.
        None => answer.all(),
        Some(topics) if topics.is_empty() && context.api_version == 0 => answer.all(),
        Some(topics) => {
            for topic in topics {
                let by_id = topic.topic_id != Uuid::nil();
                if context.api_version < FIRST_WITH_IDS && (by_id || topic.name.is_none()) {
                    let brokers = brokers(metadata, context, &image)?;
                    return Ok(refuse_whole(cluster(metadata, &image, brokers)));
                }
            }
            let by_id: BTreeSet<Uuid> =
                topics.iter().map(|t| t.topic_id).filter(|id| !id.is_nil()).collect();
            if by_id.is_empty() {
                let names: BTreeSet<&str> =
                    topics.iter().filter_map(|t| t.name.as_deref()).map(StrBytes::as_str).collect();
                let creates =
                    request.allow_auto_topic_creation && config.current().auto_create_topics_enable;
                missing = answer.named(&names, creates);
            } else {
                answer.by_ids(&by_id);
            }
        }
    }
    if request.include_topic_authorized_operations && context.api_version >= 8 {
        answer.authorized_operations();
    }
    let topics = answer.topics;
    let brokers = brokers(metadata, context, &image)?;
    if !missing.is_empty() {
        auto_topics.create_for(context, missing);
    }
    let cluster_operations = match context.api_version {
        8..=10 if request.include_cluster_authorized_operations => {
            if context.authorize(Operation::Describe, Resource::Cluster) {
                context.authorized_operations(Resource::Cluster)
            } else {
                0
            }
        }
        _ => NOT_ASKED,
    };
    Ok(cluster(metadata, &image, brokers)
        .with_topics(topics)
        .with_cluster_authorized_operations(cluster_operations))
}

/// Who leads the partitions that an answer names.
fn leaders(image: &MetadataImage, context: &RequestContext, request: &MetadataRequest) -> Vec<i32> {
    let mut leaders = BTreeSet::new();
    let mut add = |topic: &Topic| leaders.extend(topic.partitions().map(|(_, each)| each.leader));
    match &request.topics {
        Some(topics) if !(topics.is_empty() && context.api_version == 0) => {
            for asked in topics {
                let topic = match asked.name.as_deref() {
                    Some(name) if asked.topic_id.is_nil() => image.topics().by_name(name),
                    _ => image.topics().by_id(asked.topic_id),
                };
                topic.into_iter().for_each(|topic| add(topic));
            }
        }
        _ => image.topics().iter().for_each(|topic| add(topic)),
    }
    leaders.into_iter().collect()
}

/// Those who are alive, as this listener's clients reach them, and those who went so lately that
/// Kafka would list them, too (`raft::suspects`).
///
/// Unlike Kafka: where there are none, as for a moment at a cluster's start, the connection ends.
/// A client tries again then; an Admin client that is told of no brokers has nobody left to ask.
fn brokers(
    metadata: &MetadataCache,
    context: &RequestContext,
    image: &MetadataImage,
) -> Result<Vec<MetadataResponseBroker>, CloseConnection> {
    let listener = &context.client.listener;
    let shown = |node: NodeEndpoint| {
        MetadataResponseBroker::default()
            .with_node_id(BrokerId(node.node_id))
            .with_host(StrBytes::from_string(node.host))
            .with_port(node.port)
            .with_rack(node.rack.map(StrBytes::from_string))
    };
    let suspects = metadata.suspects();
    let listed = image.cluster().brokers();
    let listed = listed.filter(|each| !each.fenced || suspects.is_listed(each.broker_id));
    let listed = listed.filter_map(|each| registered_endpoint(each, listener));
    let listed: Vec<_> = listed.map(shown).collect();
    if listed.is_empty() {
        return Err(CloseConnection::NotServing(format!(
            "no broker serves the listener {listener} yet"
        )));
    }
    Ok(listed)
}

/// The answer without topics.
fn cluster(
    metadata: &MetadataCache,
    image: &MetadataImage,
    brokers: Vec<MetadataResponseBroker>,
) -> MetadataResponse {
    MetadataResponse::default()
        .with_brokers(brokers)
        .with_cluster_id(Some(StrBytes::from_string(metadata.cluster_id().to_owned())))
        .with_controller_id(BrokerId(MetadataCache::random_alive(image)))
        .with_cluster_authorized_operations(NOT_ASKED)
}

/// A request that its version does not allow.
fn refuse_whole(answer: MetadataResponse) -> MetadataResponse {
    answer.with_error_code(ErrorCode::InvalidRequest.code())
}

/// The topics of an answer as they are gathered.
struct Answer<'a> {
    context: &'a RequestContext,
    image: &'a MetadataImage,
    topics: Vec<MetadataResponseTopic>,
}

impl Answer<'_> {
    /// Every topic that the sender may see.
    fn all(&mut self) {
        for topic in self.image.topics().sorted() {
            let topic_resource = Resource::Topic(&topic.name);
            if self.context.is_authorized(Operation::Describe, topic_resource) {
                self.topics.push(self.known(topic));
            }
        }
    }

    /// The topics of these names; returns those that are to be created, where `creates` says that
    /// missing ones are. Who may not create one is told so, and not that it is missing.
    fn named(&mut self, names: &BTreeSet<&str>, creates: bool) -> Vec<String> {
        let mut missing = Vec::new();
        let mut creates_any = None;
        for name in names {
            let response = if !self.may_describe(name) {
                unknown(Some(name), Uuid::nil(), ErrorCode::TopicAuthorizationFailed)
            } else if let Some(topic) = self.image.topics().by_name(name) {
                self.known(topic)
            } else if creates && !self.may_create(name, &mut creates_any) {
                unknown(Some(name), Uuid::nil(), ErrorCode::TopicAuthorizationFailed)
                    .with_is_internal(is_internal(name))
            } else if auto_topics::is_valid_name(name) {
                missing.extend(creates.then(|| (*name).to_owned()));
                unknown(Some(name), Uuid::nil(), ErrorCode::UnknownTopicOrPartition)
                    .with_is_internal(is_internal(name))
            } else {
                unknown(Some(name), Uuid::nil(), ErrorCode::InvalidTopicException)
            };
            self.topics.push(response);
        }
        missing
    }

    fn by_ids(&mut self, ids: &BTreeSet<Uuid>) {
        for id in ids {
            let response = match self.image.topics().by_id(*id) {
                None => unknown(None, *id, ErrorCode::UnknownTopicId),
                Some(topic) if self.may_describe(&topic.name) => self.known(topic),
                Some(_) => unknown(None, *id, ErrorCode::TopicAuthorizationFailed),
            };
            self.topics.push(response);
        }
    }

    fn may_describe(&self, topic: &str) -> bool {
        self.context.authorize(Operation::Describe, Resource::Topic(topic))
    }

    /// `creates_any`: whether the sender may create topics whatever their name, once it was asked.
    fn may_create(&self, topic: &str, creates_any: &mut Option<bool>) -> bool {
        let context = self.context;
        let any = || context.is_authorized(Operation::Create, Resource::Cluster);
        *creates_any.get_or_insert_with(any)
            || context.authorize(Operation::Create, Resource::Topic(topic))
    }

    /// Also of topics that are missing, but of none that the sender may not see or make.
    fn authorized_operations(&mut self) {
        let denied = ErrorCode::TopicAuthorizationFailed.code();
        for topic in &mut self.topics {
            if let Some(name) = topic.name.as_ref().filter(|_| topic.error_code != denied) {
                topic.topic_authorized_operations =
                    self.context.authorized_operations(Resource::Topic(name));
            }
        }
    }

    fn known(&self, topic: &Topic) -> MetadataResponseTopic {
        let partitions =
            topic.partitions().map(|(index, partition)| self.partition(index, partition));
        MetadataResponseTopic::default()
            .with_name(Some(TopicName(topic.name.clone())))
            .with_topic_id(topic.id)
            .with_is_internal(is_internal(&topic.name))
            .with_partitions(partitions.collect())
            .with_topic_authorized_operations(NOT_ASKED)
    }

    fn partition(&self, index: i32, partition: &Partition) -> MetadataResponsePartition {
        let up = |id: &i32| node_endpoint(self.image, *id, self.listener()).is_some();
        // Version 0 has no place for replicas that are offline: it leaves them out.
        let shown = |ids: &[i32]| {
            let ids = ids.iter().copied();
            let shown = ids.filter(|id| self.context.api_version > 0 || up(id));
            shown.map(BrokerId).collect::<Vec<_>>()
        };
        let (replicas, isr) = (shown(&partition.replicas), shown(&partition.isr));
        let (leader, error) = match self.leader_error(partition.leader) {
            Some(error) => (-1, Some(error)),
            None if replicas.len() < partition.replicas.len()
                || isr.len() < partition.isr.len() =>
            {
                (partition.leader, Some(ErrorCode::ReplicaNotAvailable))
            }
            None => (partition.leader, None),
        };
        let cluster = self.image.cluster();
        let offline = partition.replicas.iter().filter(|id| {
            let directory = partition.directory(**id);
            !up(id) || directory.is_some_and(|dir| !cluster.has_online_directory(**id, dir))
        });
        MetadataResponsePartition::default()
            .with_partition_index(index)
            .with_error_code(error.map_or(0, |error| error.code()))
            .with_leader_id(BrokerId(leader))
            .with_leader_epoch(partition.leader_epoch)
            .with_offline_replicas(offline.copied().map(BrokerId).collect())
            .with_replica_nodes(replicas)
            .with_isr_nodes(isr)
    }

    fn listener(&self) -> &str {
        &self.context.client.listener
    }

    /// Why the sender cannot be told the leader.
    fn leader_error(&self, leader: i32) -> Option<ErrorCode> {
        let Some(broker) = self.image.cluster().broker(leader) else {
            return Some(ErrorCode::LeaderNotAvailable);
        };
        let reachable = broker.end_points.iter().any(|each| each.name.as_str() == self.listener());
        let missing = if self.context.api_version >= FIRST_WITH_LISTENER_NOT_FOUND {
            ErrorCode::ListenerNotFound
        } else {
            ErrorCode::LeaderNotAvailable
        };
        (!reachable).then_some(missing)
    }
}

fn unknown(name: Option<&str>, id: Uuid, error: ErrorCode) -> MetadataResponseTopic {
    MetadataResponseTopic::default()
        .with_error_code(error.code())
        .with_name(name.map(|name| TopicName(StrBytes::from_string(name.to_owned()))))
        .with_topic_id(id)
        .with_topic_authorized_operations(NOT_ASKED)
}

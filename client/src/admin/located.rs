//! Where groups, transactions and partitions live: the coordinator of a group or of a transactional
//! id, the leader of a partition.
//!
//! Answers to `CoordinatorStrategy` and `PartitionLeaderStrategy`. Coordinators are asked for in
//! one request, which every node since Kafka 3.0 reads.

use std::collections::HashSet;
use std::fmt;

use protocol::messages::metadata_request::MetadataRequestTopic;
use protocol::messages::{FindCoordinatorRequest, MetadataRequest, TopicName};
use protocol::wire::StrBytes;

use super::error::known;
use super::keyed::{Located, Outcome};
use super::{Admin, AdminError, Call};

const UNKNOWN_TOPIC_OR_PARTITION: i16 = 3;
const INVALID_TOPIC: i16 = 17;
const TOPIC_AUTHORIZATION_FAILED: i16 = 29;
const GROUP_AUTHORIZATION_FAILED: i16 = 30;
const TRANSACTIONAL_ID_AUTHORIZATION_FAILED: i16 = 53;
/// CoordinatorType.TRANSACTION
const TRANSACTION: i8 = 1;

/// A group's id, as a key of calls.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct GroupKey(pub(super) String);

/// A transactional id, as a key of calls.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct TransactionKey(pub(super) String);

/// One partition of a topic; `orders-0` where it is shown.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TopicPartition {
    pub topic: String,
    pub partition: i32,
}

impl fmt::Display for TopicPartition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.topic, self.partition)
    }
}

pub(super) fn topic_name(name: &str) -> TopicName {
    TopicName(StrBytes::from_string(name.to_owned()))
}

impl Located for GroupKey {
    async fn locate(
        admin: &mut Admin,
        call: &mut Call,
        keys: &[Self],
        _: bool,
    ) -> Result<Vec<(Self, Outcome<i32>)>, AdminError> {
        let ids: Vec<&str> = keys.iter().map(|key| key.0.as_str()).collect();
        let found = coordinators(admin, call, 0, &ids).await?;
        Ok(found.into_iter().map(|(id, outcome)| (Self(id), outcome)).collect())
    }
}

impl Located for TransactionKey {
    async fn locate(
        admin: &mut Admin,
        call: &mut Call,
        keys: &[Self],
        _: bool,
    ) -> Result<Vec<(Self, Outcome<i32>)>, AdminError> {
        let ids: Vec<&str> = keys.iter().map(|key| key.0.as_str()).collect();
        let found = coordinators(admin, call, TRANSACTION, &ids).await?;
        Ok(found.into_iter().map(|(id, outcome)| (Self(id), outcome)).collect())
    }
}

async fn coordinators(
    admin: &mut Admin,
    call: &mut Call,
    kind: i8,
    ids: &[&str],
) -> Result<Vec<(String, Outcome<i32>)>, AdminError> {
    call.versions = 4..=i16::MAX;
    let question = |_| {
        let ids = ids.iter().map(|id| StrBytes::from_string((*id).to_owned()));
        FindCoordinatorRequest::default().with_key_type(kind).with_coordinator_keys(ids.collect())
    };
    let answer = admin.ask(call, question).await?;
    let found = answer.coordinators.iter().map(|found| {
        let id = found.key.to_string();
        let outcome = coordinator(kind, &id, found.error_code, found.node_id.0);
        (id, outcome)
    });
    Ok(found.collect())
}

fn coordinator(kind: i8, id: &str, code: i16, node: i32) -> Outcome<i32> {
    let failed = |of: &str, why: &str| {
        let kind = if kind == TRANSACTION { "TRANSACTION" } else { "GROUP" };
        let key = format!("CoordinatorKey(idValue='{id}', type={kind})");
        let message = format!("FindCoordinator request for {of} `{key}` {why}");
        Outcome::Done(Err(AdminError::Answer { code, message }))
    };
    match code {
        0 => Outcome::Done(Ok(node)),
        // COORDINATOR_LOAD_IN_PROGRESS and COORDINATOR_NOT_AVAILABLE pass.
        14 | 15 => Outcome::Again,
        GROUP_AUTHORIZATION_FAILED => failed("groupId", "failed due to authorization failure"),
        TRANSACTIONAL_ID_AUTHORIZATION_FAILED => {
            failed("transactionalId", "failed due to authorization failure")
        }
        _ => failed("key", "failed due to an unexpected error"),
    }
}

impl Located for TopicPartition {
    async fn locate(
        admin: &mut Admin,
        call: &mut Call,
        keys: &[Self],
        tolerates_unknown: bool,
    ) -> Result<Vec<(Self, Outcome<i32>)>, AdminError> {
        let topics: HashSet<&str> = keys.iter().map(|key| key.topic.as_str()).collect();
        let question = |_| {
            let topics = topics
                .iter()
                .map(|topic| MetadataRequestTopic::default().with_name(Some(topic_name(topic))));
            MetadataRequest::default()
                .with_topics(Some(topics.collect()))
                .with_allow_auto_topic_creation(false)
        };
        let answer = admin.ask(call, question).await?;
        let wanted: HashSet<&Self> = keys.iter().collect();
        let mut located = Vec::new();
        for topic in &answer.topics {
            let name = topic.name.as_ref().map(|name| name.0.to_string()).unwrap_or_default();
            if topic.error_code != 0 {
                let of_topic = keys.iter().filter(|key| key.topic == name);
                located.extend(of_topic.map(|key| {
                    (key.clone(), topic_failed(key, topic.error_code, tolerates_unknown))
                }));
                continue;
            }
            for partition in &topic.partitions {
                let key = Self { topic: name.clone(), partition: partition.partition_index };
                if wanted.contains(&key) {
                    let outcome = leader(&key, partition.error_code, partition.leader_id.0);
                    located.push((key, outcome));
                }
            }
        }
        Ok(located)
    }
}

fn topic_failed(key: &TopicPartition, code: i16, tolerates_unknown: bool) -> Outcome<i32> {
    let topic = &key.topic;
    let why = match code {
        UNKNOWN_TOPIC_OR_PARTITION if tolerates_unknown => return Outcome::Again,
        UNKNOWN_TOPIC_OR_PARTITION => {
            format!("because metadata for topic `{topic}` could not be found")
        }
        // LEADER_NOT_AVAILABLE and BROKER_NOT_AVAILABLE pass.
        5 | 8 => return Outcome::Again,
        TOPIC_AUTHORIZATION_FAILED => "due to topic authorization failure".to_owned(),
        INVALID_TOPIC => format!("due to invalid topic `{topic}`"),
        _ => format!("due to unexpected error for topic `{topic}`"),
    };
    let message = format!("Failed to fetch metadata for partition {key} {why}");
    Outcome::Done(Err(AdminError::Answer { code, message }))
}

fn leader(key: &TopicPartition, code: i16, leader: i32) -> Outcome<i32> {
    match code {
        0 if leader >= 0 => Outcome::Done(Ok(leader)),
        // Nobody leads at present, or who answered does not know better.
        0 | 3 | 5 | 6 | 8 | 9 | 56 => Outcome::Again,
        _ => {
            let message = format!("Unexpected error during metadata lookup for {key}");
            Outcome::Done(Err(AdminError::Answer { code, message }))
        }
    }
}

/// What an answer says of a partition that its leader failed. `moves` are the codes after which it
/// is looked up again.
pub(super) fn partition_failed<V>(code: i16, moves: &[i16]) -> Outcome<V> {
    match code {
        code if moves.contains(&code) => Outcome::Moved,
        code if known(code).is_retriable => Outcome::Again,
        code => {
            let message = known(code).message.to_owned();
            Outcome::Done(Err(AdminError::Answer { code, message }))
        }
    }
}

/// What an answer says of a group that its coordinator failed.
pub(super) fn group_failed<V>(code: i16, message: Option<&str>) -> Outcome<V> {
    match code {
        14 => Outcome::Again,
        15 | 16 => Outcome::Moved,
        code => {
            let message = message.unwrap_or_else(|| known(code).message).to_owned();
            Outcome::Done(Err(AdminError::Answer { code, message }))
        }
    }
}

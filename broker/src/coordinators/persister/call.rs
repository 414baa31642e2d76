//! The five requests to a share coordinator, and how their answers are read.

use std::collections::{BTreeMap, HashMap};
use std::fmt::Debug;

use coordinator::share::{SharePartitionKey, ShareTopicPartition, StateBatch};
use protocol::ErrorCode;
use protocol::ask::Ask;
use protocol::messages::delete_share_group_state_request as delete;
use protocol::messages::initialize_share_group_state_request as initialize;
use protocol::messages::read_share_group_state_request as read;
use protocol::messages::read_share_group_state_summary_request as summarize;
use protocol::messages::write_share_group_state_request as write;
use protocol::messages::{
    DeleteShareGroupStateRequest, DeleteShareGroupStateResponse, InitializeShareGroupStateRequest,
    InitializeShareGroupStateResponse, ReadShareGroupStateRequest, ReadShareGroupStateResponse,
    ReadShareGroupStateSummaryRequest, ReadShareGroupStateSummaryResponse,
    WriteShareGroupStateRequest, WriteShareGroupStateResponse,
};
use protocol::wire::StrBytes;
use uuid::Uuid;

use super::asked::{
    InitializeState, PersistedState, PersistedSummary, PersisterError, ReadState, WriteState,
};
use crate::requests::api_error::words;

/// Why a coordinator, or the way to it, gave no answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Refused {
    pub(super) code: ErrorCode,
    pub(super) message: String,
}

impl Refused {
    pub(super) fn of(code: ErrorCode) -> Self {
        Self { code, message: words(code).unwrap_or_default().to_owned() }
    }

    /// The answer leaves the partition out.
    pub(super) fn unanswered() -> Self {
        Self { code: ErrorCode::UnknownServerError, message: String::new() }
    }

    /// What a partition's answer says, if it is a refusal.
    fn read(code: i16, message: Option<StrBytes>) -> Result<(), Self> {
        if code == 0 {
            return Ok(());
        }
        let code = ErrorCode::try_from_code(code).unwrap_or(ErrorCode::UnknownServerError);
        match message.filter(|message| !message.is_empty()) {
            Some(message) => Err(Self { code, message: message.to_string() }),
            None => Err(Self::of(code)),
        }
    }
}

/// The answers of one response.
pub(super) type Answers<T> = HashMap<ShareTopicPartition, Result<T, Refused>>;

/// One kind of request.
pub(super) trait Call: Debug + Send + Sync + 'static {
    /// Of one partition.
    type Asked: Debug + Clone + Send + Sync + 'static;
    type Answer: Debug + Send + 'static;
    type Request: Ask<Answer: Send> + Send + 'static;

    /// What Kafka calls it in messages.
    const WORDS: &'static str;
    /// What has failed when an answer leaves a partition out.
    const VERB: &'static str;

    fn partition(asked: &Self::Asked) -> ShareTopicPartition;

    /// No two of `asked` are of the same partition.
    fn request(group_id: StrBytes, asked: &[&Self::Asked]) -> Self::Request;

    fn answers(response: <Self::Request as Ask>::Answer) -> Answers<Self::Answer>;

    fn failed(key: &SharePartitionKey, refused: Refused) -> PersisterError {
        let Refused { code, message } = refused;
        let message = match message.is_empty() {
            true => format!("Failed to {} for share partition: {key}", Self::VERB),
            false => message,
        };
        PersisterError { code, message: format!("Error in {} RPC. {message}", Self::WORDS) }
    }

    fn exhausted(_: &SharePartitionKey, code: ErrorCode) -> PersisterError {
        let words = Self::WORDS;
        let message = format!(
            "Error in {words} RPC. Exhausted max retries to complete {words} RPC without success."
        );
        PersisterError { code, message }
    }

    fn not_found(_: &SharePartitionKey) -> PersisterError {
        let message = "Error in find coordinator. Exhausted max retries to find coordinator \
                       without success.";
        PersisterError { code: ErrorCode::CoordinatorNotAvailable, message: message.to_owned() }
    }
}

/// What is asked of one group, by topic.
fn by_topic<A, P>(
    asked: &[&A],
    partition: impl Fn(&A) -> ShareTopicPartition,
    row: impl Fn(&A, i32) -> P,
) -> Vec<(Uuid, Vec<P>)> {
    let mut topics: BTreeMap<Uuid, Vec<P>> = BTreeMap::new();
    for each in asked {
        let ShareTopicPartition { topic_id, partition } = partition(each);
        topics.entry(topic_id).or_default().push(row(each, partition));
    }
    topics.into_iter().collect()
}

fn place(topic_id: Uuid, partition: i32) -> ShareTopicPartition {
    ShareTopicPartition { topic_id, partition }
}

#[derive(Debug)]
pub(super) struct Initialize;

impl Call for Initialize {
    type Asked = InitializeState;
    type Answer = ();
    type Request = InitializeShareGroupStateRequest;

    const WORDS: &'static str = "initialize state";
    const VERB: &'static str = "initialize state";

    fn partition(asked: &InitializeState) -> ShareTopicPartition {
        asked.partition
    }

    fn request(group_id: StrBytes, asked: &[&InitializeState]) -> Self::Request {
        let topics = by_topic(asked, Self::partition, |asked, partition| {
            initialize::PartitionData::default()
                .with_partition(partition)
                .with_state_epoch(asked.state_epoch)
                .with_start_offset(asked.start_offset)
        });
        let topics = topics.into_iter().map(|(topic_id, partitions)| {
            initialize::InitializeStateData::default()
                .with_topic_id(topic_id)
                .with_partitions(partitions)
        });
        InitializeShareGroupStateRequest::default()
            .with_group_id(group_id)
            .with_topics(topics.collect())
    }

    fn answers(response: InitializeShareGroupStateResponse) -> Answers<()> {
        let of_topics = response.results.into_iter().flat_map(|topic| {
            topic.partitions.into_iter().map(move |answer| {
                let read = Refused::read(answer.error_code, answer.error_message);
                (place(topic.topic_id, answer.partition), read)
            })
        });
        of_topics.collect()
    }
}

#[derive(Debug)]
pub(super) struct Read;

impl Call for Read {
    type Asked = ReadState;
    type Answer = PersistedState;
    type Request = ReadShareGroupStateRequest;

    const WORDS: &'static str = "read state";
    const VERB: &'static str = "read state";

    fn partition(asked: &ReadState) -> ShareTopicPartition {
        asked.partition
    }

    fn request(group_id: StrBytes, asked: &[&ReadState]) -> Self::Request {
        let topics = by_topic(asked, Self::partition, |asked, partition| {
            read::PartitionData::default()
                .with_partition(partition)
                .with_leader_epoch(asked.leader_epoch)
        });
        let topics = topics.into_iter().map(|(topic_id, partitions)| {
            read::ReadStateData::default().with_topic_id(topic_id).with_partitions(partitions)
        });
        ReadShareGroupStateRequest::default().with_group_id(group_id).with_topics(topics.collect())
    }

    fn answers(response: ReadShareGroupStateResponse) -> Answers<PersistedState> {
        let of_topics = response.results.into_iter().flat_map(|topic| {
            topic.partitions.into_iter().map(move |answer| {
                let batches = answer.state_batches.into_iter().map(|batch| StateBatch {
                    first_offset: batch.first_offset,
                    last_offset: batch.last_offset,
                    delivery_count: batch.delivery_count,
                    delivery_state: batch.delivery_state,
                });
                let state = PersistedState {
                    state_epoch: answer.state_epoch,
                    start_offset: answer.start_offset,
                    batches: batches.collect(),
                };
                let read = Refused::read(answer.error_code, answer.error_message);
                (place(topic.topic_id, answer.partition), read.map(|()| state))
            })
        });
        of_topics.collect()
    }
}

#[derive(Debug)]
pub(super) struct Write;

impl Call for Write {
    type Asked = WriteState;
    type Answer = ();
    type Request = WriteShareGroupStateRequest;

    const WORDS: &'static str = "write state";
    const VERB: &'static str = "write state";

    fn partition(asked: &WriteState) -> ShareTopicPartition {
        asked.partition
    }

    fn request(group_id: StrBytes, asked: &[&WriteState]) -> Self::Request {
        let topics = by_topic(asked, Self::partition, |asked, partition| {
            let batches = asked.batches.iter().map(|batch| write::StateBatch {
                first_offset: batch.first_offset,
                last_offset: batch.last_offset,
                delivery_state: batch.delivery_state,
                delivery_count: batch.delivery_count,
            });
            write::PartitionData {
                partition,
                state_epoch: asked.state_epoch,
                leader_epoch: asked.leader_epoch,
                start_offset: asked.start_offset,
                delivery_complete_count: asked.delivery_complete_count,
                state_batches: batches.collect(),
            }
        });
        let topics = topics
            .into_iter()
            .map(|(topic_id, partitions)| write::WriteStateData { topic_id, partitions });
        WriteShareGroupStateRequest { group_id, topics: topics.collect() }
    }

    fn answers(response: WriteShareGroupStateResponse) -> Answers<()> {
        let of_topics = response.results.into_iter().flat_map(|topic| {
            topic.partitions.into_iter().map(move |answer| {
                let read = Refused::read(answer.error_code, answer.error_message);
                (place(topic.topic_id, answer.partition), read)
            })
        });
        of_topics.collect()
    }
}

#[derive(Debug)]
pub(super) struct Delete;

impl Call for Delete {
    type Asked = ShareTopicPartition;
    type Answer = ();
    type Request = DeleteShareGroupStateRequest;

    const WORDS: &'static str = "delete state";
    const VERB: &'static str = "delete state";

    fn partition(asked: &ShareTopicPartition) -> ShareTopicPartition {
        *asked
    }

    fn request(group_id: StrBytes, asked: &[&ShareTopicPartition]) -> Self::Request {
        let topics = by_topic(asked, Self::partition, |_, partition| {
            delete::PartitionData::default().with_partition(partition)
        });
        let topics = topics.into_iter().map(|(topic_id, partitions)| {
            delete::DeleteStateData::default().with_topic_id(topic_id).with_partitions(partitions)
        });
        DeleteShareGroupStateRequest::default()
            .with_group_id(group_id)
            .with_topics(topics.collect())
    }

    fn answers(response: DeleteShareGroupStateResponse) -> Answers<()> {
        let of_topics = response.results.into_iter().flat_map(|topic| {
            topic.partitions.into_iter().map(move |answer| {
                let read = Refused::read(answer.error_code, answer.error_message);
                (place(topic.topic_id, answer.partition), read)
            })
        });
        of_topics.collect()
    }
}

#[derive(Debug)]
pub(super) struct Summarize;

impl Call for Summarize {
    type Asked = ReadState;
    type Answer = PersistedSummary;
    type Request = ReadShareGroupStateSummaryRequest;

    const WORDS: &'static str = "read state summary";
    const VERB: &'static str = "read state summary";

    fn partition(asked: &ReadState) -> ShareTopicPartition {
        asked.partition
    }

    fn request(group_id: StrBytes, asked: &[&ReadState]) -> Self::Request {
        let topics = by_topic(asked, Self::partition, |asked, partition| {
            summarize::PartitionData { partition, leader_epoch: asked.leader_epoch }
        });
        let topics = topics
            .into_iter()
            .map(|(topic_id, partitions)| summarize::ReadStateSummaryData { topic_id, partitions });
        ReadShareGroupStateSummaryRequest { group_id, topics: topics.collect() }
    }

    fn answers(response: ReadShareGroupStateSummaryResponse) -> Answers<PersistedSummary> {
        let of_topics = response.results.into_iter().flat_map(|topic| {
            topic.partitions.into_iter().map(move |answer| {
                let summary = PersistedSummary {
                    state_epoch: answer.state_epoch,
                    leader_epoch: answer.leader_epoch,
                    start_offset: answer.start_offset,
                    delivery_complete_count: answer.delivery_complete_count,
                };
                let read = Refused::read(answer.error_code, answer.error_message);
                (place(topic.topic_id, answer.partition), read.map(|()| summary))
            })
        });
        of_topics.collect()
    }
}

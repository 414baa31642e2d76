//! Why a consumer cannot go on, in the words of Kafka's consumer.

use super::fetched::{FetchedError, TopicPartition};
use crate::admin::known;

/// Why there is nothing to hand out.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConsumerError {
    #[error(
        "To use the group management or offset commit APIs, you must provide a valid group.id in \
         the consumer configuration."
    )]
    NoGroup,
    /// What a coordinator answered.
    #[error("{message}")]
    Answer { code: i16, message: String },
    #[error("Undefined offset with no reset policy for partitions: [{0}]")]
    NoOffset(TopicPartition),
    #[error("Fetch position {offset} is out of range for partition {partition}")]
    OutOfRange { partition: TopicPartition, offset: i64 },
    #[error("Not authorized to access topics: [{0}]")]
    TopicAuthorization(String),
    #[error("Invalid topics: [{0}]")]
    InvalidTopic(String),
    #[error(
        "Encountered corrupt message when fetching offset {offset} for topic-partition {partition}"
    )]
    Corrupt { partition: TopicPartition, offset: i64 },
    #[error(
        "Unexpected error code {code} while fetching at offset {offset} from topic-partition \
         {partition}"
    )]
    Unexpected { partition: TopicPartition, offset: i64, code: i16 },
    #[error("{0}")]
    Fetched(#[from] FetchedError),
    #[error("The node does not support {api}")]
    UnsupportedVersion { api: &'static str },
    #[error(
        "The cluster does not support the share group protocol using ShareGroupHeartbeat API \
         version 1 or later. This version of the API was introduced in Apache Kafka v4.1."
    )]
    NoShareGroups,
    #[error("Timeout of {millis}ms expired before successfully committing offsets")]
    CommitTimedOut { millis: u128 },
    #[error("The group's members agreed on the assignor {0}, which this consumer did not name")]
    UnknownAssignor(String),
}

impl ConsumerError {
    /// What a group's coordinator answered, in Kafka's words.
    pub(super) fn of_group(code: i16, group: &str) -> Self {
        /// GROUP_AUTHORIZATION_FAILED
        const UNAUTHORIZED: i16 = 30;
        let message = match code {
            UNAUTHORIZED => format!("Not authorized to access group: {group}"),
            code => known(code).message.to_owned(),
        };
        Self::Answer { code, message }
    }

    /// A node does not let this consumer in.
    pub(crate) fn unauthenticated(reason: &str) -> Self {
        /// SASL_AUTHENTICATION_FAILED
        const FAILED: i16 = 58;
        Self::Answer { code: FAILED, message: reason.to_owned() }
    }

    /// The name of Java's exception.
    pub fn class(&self) -> &'static str {
        match self {
            Self::NoGroup => "org.apache.kafka.common.errors.InvalidGroupIdException",
            Self::Answer { code, .. } => known(*code).class,
            Self::NoOffset(_) => "org.apache.kafka.clients.consumer.NoOffsetForPartitionException",
            Self::OutOfRange { .. } => {
                "org.apache.kafka.clients.consumer.OffsetOutOfRangeException"
            }
            Self::TopicAuthorization(_) => {
                "org.apache.kafka.common.errors.TopicAuthorizationException"
            }
            Self::InvalidTopic(_) => "org.apache.kafka.common.errors.InvalidTopicException",
            Self::Corrupt { .. } | Self::Fetched(_) => "org.apache.kafka.common.KafkaException",
            Self::Unexpected { .. } | Self::UnknownAssignor(_) => "java.lang.IllegalStateException",
            Self::UnsupportedVersion { .. } | Self::NoShareGroups => {
                "org.apache.kafka.common.errors.UnsupportedVersionException"
            }
            Self::CommitTimedOut { .. } => "org.apache.kafka.common.errors.TimeoutException",
        }
    }
}

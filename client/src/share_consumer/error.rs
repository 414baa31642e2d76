//! Why a share consumer cannot go on, in the words of Kafka's.

use crate::admin::known;
use crate::consumer::{ConsumerError, TopicPartition};

/// Why there is nothing to hand out, or nothing to acknowledge.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ShareConsumerError {
    #[error("{0}")]
    Consumer(#[from] ConsumerError),
    #[error("You must provide a valid group.id in the consumer configuration.")]
    NoGroup,
    #[error("Consumer is not subscribed to any topics.")]
    NotSubscribed,
    #[error("All records must be acknowledged in explicit acknowledgement mode.")]
    Unacknowledged,
    #[error("Implicit acknowledgement of delivery is being used.")]
    Implicit,
    #[error("The record cannot be acknowledged.")]
    NotDelivered,
    #[error("Record batch for partition {partition} at offset {offset} is invalid, cause: {cause}")]
    Batch { partition: TopicPartition, offset: i64, cause: String },
    #[error("Encountered corrupt message when fetching topic-partition {0}")]
    Corrupt(TopicPartition),
    #[error("Unexpected error code {code} while fetching from topic-partition {partition}")]
    Unexpected { partition: TopicPartition, code: i16 },
}

impl ShareConsumerError {
    /// The name of Java's exception.
    pub fn class(&self) -> &'static str {
        match self {
            Self::Consumer(error) => error.class(),
            Self::NoGroup => "org.apache.kafka.common.errors.InvalidGroupIdException",
            Self::NotSubscribed
            | Self::Unacknowledged
            | Self::Implicit
            | Self::NotDelivered
            | Self::Unexpected { .. } => "java.lang.IllegalStateException",
            Self::Batch { .. } => "org.apache.kafka.common.errors.CorruptRecordException",
            Self::Corrupt(_) => "org.apache.kafka.common.KafkaException",
        }
    }
}

/// Why a leader did not take an acknowledgement.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct AcknowledgeError {
    /// The name of Java's exception.
    pub class: &'static str,
    pub message: String,
}

impl AcknowledgeError {
    /// What a code says, unless the leader said it in its own words; nothing for no error.
    pub(super) fn of(code: i16, words: Option<&str>) -> Option<Self> {
        let known = known(code);
        let words = words.filter(|words| !words.is_empty()).unwrap_or(known.message);
        (code != 0).then(|| Self { class: known.class, message: words.to_owned() })
    }

    /// The answer did not speak of it.
    pub(super) fn unanswered() -> Self {
        Self {
            class: "org.apache.kafka.common.errors.InvalidRecordStateException",
            message: "Acknowledgement not successful due to invalid response from broker"
                .to_owned(),
        }
    }
}

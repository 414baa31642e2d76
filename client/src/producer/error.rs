//! Why a record was not delivered, in the words of Kafka's producer.

use crate::admin::known;

/// Why there is no offset for a record.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProducerError {
    /// A broker's answer, or what stands for a missing one.
    #[error("{message}")]
    Answer { code: i16, message: String },
    #[error(
        "Expiring {records} record(s) for {topic}-{partition}:{elapsed_ms} ms has passed since \
         batch creation. The request has not been sent, or no server response has been received \
         yet."
    )]
    Expired { records: usize, topic: String, partition: i32, elapsed_ms: u64 },
    #[error("Topic {topic} not present in metadata after {limit_ms} ms.")]
    NoTopic { topic: String, limit_ms: u64 },
    #[error(
        "Partition {partition} of topic {topic} with partition count {count} is not present in \
         metadata after {limit_ms} ms."
    )]
    NoPartition { topic: String, partition: i32, count: usize, limit_ms: u64 },
    /// A topic that is known to have no valid name.
    #[error("{0}")]
    InvalidTopic(String),
    /// The same, when the cluster said so just now.
    #[error("Invalid topics: [{0}]")]
    InvalidTopics(String),
    #[error("Not authorized to access topics: [{0}]")]
    TopicUnauthorized(String),
    #[error(
        "Failed to allocate {bytes} bytes within the configured max blocking time {limit_ms} ms. \
         Total memory: {total} bytes. Available memory: {available} bytes. Poolable size: \
         {poolable} bytes"
    )]
    NoMemory { bytes: usize, limit_ms: u64, total: usize, available: usize, poolable: usize },
    #[error(
        "The message is {bytes} bytes when serialized which is larger than {limit}, which is the \
         value of the max.request.size configuration."
    )]
    TooLargeForRequest { bytes: usize, limit: usize },
    #[error(
        "The message is {0} bytes when serialized which is larger than the total memory buffer \
         you have configured with the buffer.memory configuration."
    )]
    TooLargeForMemory(usize),
    #[error(
        "Failed to append record because it was part of a batch which had one more more invalid \
         records"
    )]
    InBadCompany,
    #[error("Timeout expired after {limit_ms}ms while awaiting {operation}")]
    TransactionTimeout { limit_ms: u64, operation: &'static str },
    #[error("Cannot execute transactional method because we are in an error state")]
    TransactionFailed,
    #[error("Cannot perform operation after producer has been closed")]
    Closed,
    #[error("{0}")]
    Compression(String),
}

impl ProducerError {
    pub(super) fn answer(code: i16, message: Option<&str>) -> Self {
        let message = message.unwrap_or_else(|| known(code).message).to_owned();
        Self::Answer { code, message }
    }

    /// The name of Java's exception, which log lines and traces begin with.
    pub fn class(&self) -> &'static str {
        match self {
            Self::Answer { code, .. } => known(*code).class,
            Self::Expired { .. }
            | Self::NoTopic { .. }
            | Self::NoPartition { .. }
            | Self::TransactionTimeout { .. } => "org.apache.kafka.common.errors.TimeoutException",
            Self::InvalidTopic(_) | Self::InvalidTopics(_) => {
                "org.apache.kafka.common.errors.InvalidTopicException"
            }
            Self::TopicUnauthorized(_) => {
                "org.apache.kafka.common.errors.TopicAuthorizationException"
            }
            Self::NoMemory { .. } => "org.apache.kafka.clients.producer.BufferExhaustedException",
            Self::TooLargeForRequest { .. } | Self::TooLargeForMemory(_) => {
                "org.apache.kafka.common.errors.RecordTooLargeException"
            }
            Self::InBadCompany | Self::TransactionFailed | Self::Compression(_) => {
                "org.apache.kafka.common.KafkaException"
            }
            Self::Closed => "java.lang.IllegalStateException",
        }
    }

    /// Whether `send` throws it rather than hand it to the callback.
    pub fn is_thrown(&self) -> bool {
        matches!(self, Self::Closed | Self::TransactionFailed | Self::Compression(_))
    }
}

//! Records of `__transaction_state` as the shard has them.
//!
//! A key or value of a version that nobody knows is passed over, as in Kafka: it may be left over
//! from an upgrade that was undone. Answers to `TransactionLog`.

use std::collections::BTreeMap;

use protocol::records::transaction::{
    TransactionLogValue, TransactionRecord, TransactionRecordError, TransactionTopic,
};
use protocol::wire::StrBytes;

use super::metadata::{NO_PRODUCER_EPOCH, TopicPartition, TransactionMetadata, TransactionVersion};
use super::state::TransactionState;
use crate::runtime::WriteRecord;

/// One record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Record {
    /// The state of a transactional id; without one it is forgotten.
    Transaction {
        transactional_id: StrBytes,
        metadata: Option<TransactionMetadata>,
        /// Of the value, where it is written.
        value_version: i16,
    },
    UnknownKey {
        version: i16,
    },
    UnknownValue {
        version: i16,
    },
}

/// Why a record cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RecordError {
    #[error(transparent)]
    Format(#[from] TransactionRecordError),
    #[error("a transaction has the unknown state {0}")]
    State(i8),
}

impl Record {
    pub(super) fn read(key: Option<&[u8]>, value: Option<&[u8]>) -> Result<Self, RecordError> {
        match TransactionRecord::read(key, value) {
            Ok(TransactionRecord::Transaction { transactional_id, value }) => {
                let metadata = value.map(metadata_of).transpose()?;
                Ok(Self::Transaction { transactional_id, metadata, value_version: 0 })
            }
            Ok(TransactionRecord::Unknown { record_type }) => {
                Ok(Self::UnknownKey { version: record_type })
            }
            Err(TransactionRecordError::ValueVersion(version)) => {
                Ok(Self::UnknownValue { version })
            }
            Err(error) => Err(error.into()),
        }
    }

    pub(super) fn encode(&self) -> Option<WriteRecord> {
        let Self::Transaction { transactional_id, metadata, value_version } = self else {
            return None;
        };
        let value = metadata.as_ref().map(|metadata| value_of(metadata).write(*value_version));
        Some(WriteRecord { key: TransactionRecord::key_bytes(transactional_id), value })
    }
}

fn metadata_of(value: TransactionLogValue) -> Result<TransactionMetadata, RecordError> {
    let state = TransactionState::from_id(value.status).ok_or(RecordError::State(value.status))?;
    let topics = value.topics.filter(|_| state != TransactionState::Empty).unwrap_or_default();
    let partitions =
        topics.into_iter().flat_map(|TransactionTopic { topic, partitions, .. }| {
            partitions
                .into_iter()
                .map(move |partition| TopicPartition { topic: topic.clone(), partition })
        });
    Ok(TransactionMetadata {
        producer_id: value.producer_id,
        previous_producer_id: value.previous_producer_id,
        next_producer_id: value.next_producer_id,
        producer_epoch: value.producer_epoch,
        last_producer_epoch: NO_PRODUCER_EPOCH,
        timeout_ms: value.timeout_ms,
        state,
        partitions: partitions.collect(),
        start_timestamp_ms: value.start_timestamp_ms,
        last_update_timestamp_ms: value.last_update_timestamp_ms,
        client_transaction_version: TransactionVersion::of_level(value.client_transaction_version),
    })
}

fn value_of(metadata: &TransactionMetadata) -> TransactionLogValue {
    let mut topics: BTreeMap<&StrBytes, Vec<i32>> = BTreeMap::new();
    for TopicPartition { topic, partition } in &metadata.partitions {
        topics.entry(topic).or_default().push(*partition);
    }
    let topics = topics.into_iter().map(|(topic, partitions)| TransactionTopic {
        topic: topic.clone(),
        partitions,
        ..TransactionTopic::default()
    });
    TransactionLogValue {
        producer_id: metadata.producer_id,
        previous_producer_id: metadata.previous_producer_id,
        next_producer_id: metadata.next_producer_id,
        producer_epoch: metadata.producer_epoch,
        timeout_ms: metadata.timeout_ms,
        status: metadata.state.id(),
        topics: (metadata.state != TransactionState::Empty).then(|| topics.collect()),
        last_update_timestamp_ms: metadata.last_update_timestamp_ms,
        start_timestamp_ms: metadata.start_timestamp_ms,
        client_transaction_version: metadata.client_transaction_version.level(),
        ..TransactionLogValue::default()
    }
}

//! Records of `__transaction_state`: what the coordinator of a transactional id remembers.
//!
//! ```text
//! key    0 i16 | transactional id string
//! value  version i16 | producer id i64 | producer epoch i16 | timeout i32 | status i8
//!        | partitions nullable array of (topic string, partition ids array of i32)
//!        | last update i64 | start i64
//!        | tagged (1+, flexible): 0 previous producer id i64, 1 next producer id i64,
//!          2 client transaction version i16, 3 next producer epoch i16
//! ```
//!
//! Answers to `TransactionLog` and the schemas TransactionLogKey/Value of Kafka 4.1. Version 1 is
//! written from transaction.version 1 on, 0 below it.

#[cfg(test)]
mod tests;

use bytes::Bytes;
use kafka_protocol::protocol::StrBytes;

use super::fields::{Field, FieldError, TaggedFields, differs, read_tag};
use super::schema::{Reader, Writer};

const KEY_TYPE: i16 = 0;
const FIRST_FLEXIBLE: i16 = 1;
const NEWEST: i16 = 1;

/// Why a record of `__transaction_state` could not be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TransactionRecordError {
    #[error("a record has no key")]
    NoKey,
    #[error("the key cannot be read: {0}")]
    Key(FieldError),
    #[error("the value cannot be read: {0}")]
    Value(FieldError),
    #[error("a value has the unknown version {0}")]
    ValueVersion(i16),
}

/// One record of `__transaction_state`. A value of `None` is a tombstone.
#[derive(Debug, Clone, PartialEq)]
pub enum TransactionRecord {
    Transaction {
        transactional_id: StrBytes,
        value: Option<TransactionLogValue>,
    },
    /// A key type from a later Kafka.
    Unknown {
        record_type: i16,
    },
}

impl TransactionRecord {
    pub fn read(key: Option<&[u8]>, value: Option<&[u8]>) -> Result<Self, TransactionRecordError> {
        let key = key.ok_or(TransactionRecordError::NoKey)?;
        let (record_type, rest) = Reader::version(key).map_err(TransactionRecordError::Key)?;
        if record_type != KEY_TYPE {
            return Ok(Self::Unknown { record_type });
        }
        Ok(Self::Transaction {
            transactional_id: Reader::new(rest, false)
                .string()
                .map_err(TransactionRecordError::Key)?,
            value: value.map(TransactionLogValue::read).transpose()?,
        })
    }

    /// The key of the record about a transactional id.
    #[must_use]
    pub fn key_bytes(transactional_id: &str) -> Bytes {
        let mut writer = Writer::new(KEY_TYPE, false);
        writer.string(transactional_id);
        writer.finish()
    }
}

/// The partitions of one topic that take part in a transaction.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TransactionTopic {
    pub topic: StrBytes,
    pub partitions: Vec<i32>,
    /// Tagged fields of a later schema.
    pub unknown_tagged_fields: TaggedFields,
}

/// The state of one transactional id.
#[derive(Debug, Clone, PartialEq)]
pub struct TransactionLogValue {
    pub producer_id: i64,
    /// -1 when there is none.
    pub previous_producer_id: i64,
    /// -1 when there is none.
    pub next_producer_id: i64,
    pub producer_epoch: i16,
    /// -1 when there is none.
    pub next_producer_epoch: i16,
    pub timeout_ms: i32,
    /// 0 Empty, 1 Ongoing, 2 PrepareCommit, 3 PrepareAbort, 4 CompleteCommit, 5 CompleteAbort,
    /// 6 Dead, 7 PrepareEpochFence.
    pub status: i8,
    pub topics: Option<Vec<TransactionTopic>>,
    pub last_update_timestamp_ms: i64,
    pub start_timestamp_ms: i64,
    pub client_transaction_version: i16,
    /// Tagged fields of a later schema.
    pub unknown_tagged_fields: TaggedFields,
}

impl Default for TransactionLogValue {
    fn default() -> Self {
        Self {
            producer_id: 0,
            previous_producer_id: -1,
            next_producer_id: -1,
            producer_epoch: 0,
            next_producer_epoch: -1,
            timeout_ms: 0,
            status: 0,
            topics: Some(Vec::new()),
            last_update_timestamp_ms: 0,
            start_timestamp_ms: 0,
            client_transaction_version: 0,
            unknown_tagged_fields: TaggedFields::new(),
        }
    }
}

impl TransactionLogValue {
    pub fn read(value: &[u8]) -> Result<Self, TransactionRecordError> {
        let (version, rest) = Reader::version(value).map_err(TransactionRecordError::Value)?;
        if !(0..=NEWEST).contains(&version) {
            return Err(TransactionRecordError::ValueVersion(version));
        }
        Self::read_fields(rest, version).map_err(TransactionRecordError::Value)
    }

    fn read_fields(rest: &[u8], version: i16) -> Result<Self, FieldError> {
        let mut reader = Reader::new(rest, version >= FIRST_FLEXIBLE);
        let mut value = Self {
            producer_id: reader.int64()?,
            producer_epoch: reader.int16()?,
            timeout_ms: reader.int32()?,
            status: reader.int8()?,
            topics: reader.array(TransactionTopic::read)?,
            last_update_timestamp_ms: reader.int64()?,
            start_timestamp_ms: reader.int64()?,
            ..Self::default()
        };
        let mut tagged = reader.tagged()?;
        take_tag(&mut tagged, 0, version, &mut value.previous_producer_id)?;
        take_tag(&mut tagged, 1, version, &mut value.next_producer_id)?;
        take_tag(&mut tagged, 2, version, &mut value.client_transaction_version)?;
        take_tag(&mut tagged, 3, version, &mut value.next_producer_epoch)?;
        value.unknown_tagged_fields = tagged;
        Ok(value)
    }

    /// In a given version; what it has no place for is left out.
    #[must_use]
    pub fn write(&self, version: i16) -> Bytes {
        let mut writer = Writer::new(version, version >= FIRST_FLEXIBLE);
        writer.int64(self.producer_id);
        writer.int16(self.producer_epoch);
        writer.int32(self.timeout_ms);
        writer.int8(self.status);
        writer.array(self.topics.as_deref(), TransactionTopic::write);
        writer.int64(self.last_update_timestamp_ms);
        writer.int64(self.start_timestamp_ms);
        let mut tagged = self.unknown_tagged_fields.clone();
        put_tag(
            &mut tagged,
            0,
            &self.previous_producer_id.to_be_bytes(),
            differs(&self.previous_producer_id, &-1),
        );
        put_tag(
            &mut tagged,
            1,
            &self.next_producer_id.to_be_bytes(),
            differs(&self.next_producer_id, &-1),
        );
        put_tag(
            &mut tagged,
            2,
            &self.client_transaction_version.to_be_bytes(),
            differs(&self.client_transaction_version, &0),
        );
        put_tag(
            &mut tagged,
            3,
            &self.next_producer_epoch.to_be_bytes(),
            differs(&self.next_producer_epoch, &-1),
        );
        writer.tagged(&tagged);
        writer.finish()
    }
}

impl TransactionTopic {
    fn read(reader: &mut Reader<'_>) -> Result<Self, FieldError> {
        Ok(Self {
            topic: reader.string()?,
            partitions: reader.array(Reader::int32)?.ok_or(FieldError::UnexpectedNull)?,
            unknown_tagged_fields: reader.tagged()?,
        })
    }

    fn write(writer: &mut Writer, topic: &Self) {
        writer.string(&topic.topic);
        writer.array(Some(&topic.partitions), |writer, partition| writer.int32(*partition));
        writer.tagged(&topic.unknown_tagged_fields);
    }
}

fn take_tag<T: Field>(
    tagged: &mut TaggedFields,
    tag: u32,
    version: i16,
    into: &mut T,
) -> Result<(), FieldError> {
    if let Some(content) = tagged.remove(&tag) {
        *into = read_tag(tag, &content, version)?;
    }
    Ok(())
}

fn put_tag(tagged: &mut TaggedFields, tag: u32, content: &[u8], present: bool) {
    if present {
        tagged.insert(tag, Bytes::copy_from_slice(content));
    }
}

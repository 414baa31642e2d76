//! The encoder of an answer, from borrowed names and partitions into a connection's buffer.
//!
//! Kept true: after an error the buffer is as it was.

use std::borrow::Cow;

use bytes::{BufMut, BytesMut};
use uuid::Uuid;

use super::{FIRST_FLEXIBLE, FIRST_WITH_IDS};
use crate::api::ApiKey;
use crate::frame::{EncodeError, append_response};
use crate::leader_hint::{CurrentLeader, NodeEndpoint, put_endpoints};
use crate::put;

/// What came of one topic.
#[derive(Debug, Clone, Copy)]
pub struct TopicResponse<'a> {
    /// Told below version 13.
    pub name: &'a str,
    /// Told from version 13 on.
    pub topic_id: Uuid,
    pub partitions: &'a [PartitionResponse],
}

/// What came of one partition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PartitionResponse {
    pub index: i32,
    pub error_code: i16,
    pub base_offset: i64,
    /// -1 unless the topic keeps append times.
    pub log_append_time_ms: i64,
    pub log_start_offset: i64,
    pub record_errors: Vec<RecordError>,
    pub error_message: Option<Cow<'static, str>>,
    pub current_leader: CurrentLeader,
}

/// Why one record made its batch be refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordError {
    pub batch_index: i32,
    pub message: Option<Cow<'static, str>>,
}

impl PartitionResponse {
    /// The answer of a partition that took nothing: offsets and time are unknown.
    pub fn failed(index: i32, error_code: i16) -> Self {
        Self {
            index,
            error_code,
            base_offset: -1,
            log_append_time_ms: -1,
            log_start_offset: -1,
            record_errors: Vec::new(),
            error_message: None,
            current_leader: CurrentLeader::UNKNOWN,
        }
    }

    pub fn appended(index: i32, base_offset: i64, append_time_ms: i64, log_start: i64) -> Self {
        Self {
            base_offset,
            log_append_time_ms: append_time_ms,
            log_start_offset: log_start,
            ..Self::failed(index, 0)
        }
    }
}

/// Appends one whole answer, length and header included, to `out`. What a version has no place for
/// is left out. After an error `out` is as it was.
pub fn encode_response<'a>(
    out: &mut BytesMut,
    version: i16,
    correlation_id: i32,
    topics: impl ExactSizeIterator<Item = TopicResponse<'a>>,
    throttle_time_ms: i32,
    endpoints: &[NodeEndpoint],
) -> Result<(), EncodeError> {
    append_response(out, ApiKey::Produce, version, correlation_id, |out| {
        let flexible = version >= FIRST_FLEXIBLE;
        put::length(out, flexible, topics.len())?;
        for topic in topics {
            put_topic(out, version, &topic)?;
        }
        out.put_i32(throttle_time_ms);
        if version >= 10 {
            put_endpoints(out, endpoints)?;
        } else {
            put::no_tagged_fields(out, flexible);
        }
        Ok(())
    })
}

fn put_topic(out: &mut BytesMut, version: i16, topic: &TopicResponse<'_>) -> Result<(), String> {
    let flexible = version >= FIRST_FLEXIBLE;
    if version >= FIRST_WITH_IDS {
        out.put_slice(topic.topic_id.as_bytes());
    } else {
        put::string(out, flexible, topic.name)?;
    }
    put::length(out, flexible, topic.partitions.len())?;
    for partition in topic.partitions {
        put_partition(out, version, partition)?;
    }
    put::no_tagged_fields(out, flexible);
    Ok(())
}

fn put_partition(
    out: &mut BytesMut,
    version: i16,
    partition: &PartitionResponse,
) -> Result<(), String> {
    let flexible = version >= FIRST_FLEXIBLE;
    // One copy instead of five: the fields whose place is fixed.
    let mut fixed = [0; 30];
    fixed[..4].copy_from_slice(&partition.index.to_be_bytes());
    fixed[4..6].copy_from_slice(&partition.error_code.to_be_bytes());
    fixed[6..14].copy_from_slice(&partition.base_offset.to_be_bytes());
    fixed[14..22].copy_from_slice(&partition.log_append_time_ms.to_be_bytes());
    fixed[22..].copy_from_slice(&partition.log_start_offset.to_be_bytes());
    out.put_slice(if version >= 5 { &fixed } else { &fixed[..22] });
    if version >= 8 {
        put::length(out, flexible, partition.record_errors.len())?;
        for error in &partition.record_errors {
            out.put_i32(error.batch_index);
            put::nullable_string(out, flexible, error.message.as_deref())?;
            put::no_tagged_fields(out, flexible);
        }
        put::nullable_string(out, flexible, partition.error_message.as_deref())?;
    }
    if version >= 10 && partition.current_leader != CurrentLeader::UNKNOWN {
        out.put_u8(1);
        partition.current_leader.put_tagged(out, 0);
    } else {
        put::no_tagged_fields(out, flexible);
    }
    Ok(())
}

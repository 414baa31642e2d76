//! The metadata of a classic group: its generation, protocol, leader and members.
//!
//! ```text
//! key    2 i16 | group string
//! value  version i16 | protocol type string | generation i32 | protocol nullable string
//!        | leader nullable string | current state time i64 (2+) | members array of
//!          member id string | group instance id nullable string (3+) | client id string
//!          | client host string | rebalance timeout i32 (1+) | session timeout i32
//!          | subscription bytes | assignment bytes
//! ```
//!
//! Version 4 is the flexible one; Kafka 4.1 reads it and writes 3.

use bytes::Bytes;
use kafka_protocol::protocol::StrBytes;

use super::super::fields::{FieldError, TaggedFields};
use super::super::schema::{Reader, Writer};
use super::GroupRecordError;

const FIRST_FLEXIBLE: i16 = 4;
const NEWEST: i16 = 4;
const WRITTEN: i16 = 3;

/// A classic group as of one generation.
#[derive(Debug, Clone, PartialEq)]
pub struct GroupMetadataValue {
    /// Empty for a group that no member ever joined.
    pub protocol_type: StrBytes,
    pub generation: i32,
    pub protocol: Option<StrBytes>,
    pub leader: Option<StrBytes>,
    /// When the group came into its state; -1 from versions that do not say.
    pub current_state_timestamp_ms: i64,
    pub members: Vec<MemberMetadata>,
    /// Tagged fields of a later schema.
    pub unknown_tagged_fields: TaggedFields,
}

impl Default for GroupMetadataValue {
    fn default() -> Self {
        Self {
            protocol_type: StrBytes::default(),
            generation: 0,
            protocol: None,
            leader: None,
            current_state_timestamp_ms: -1,
            members: Vec::new(),
            unknown_tagged_fields: TaggedFields::new(),
        }
    }
}

/// A member as of that generation.
#[derive(Debug, Clone, PartialEq)]
pub struct MemberMetadata {
    pub member_id: StrBytes,
    pub group_instance_id: Option<StrBytes>,
    pub client_id: StrBytes,
    pub client_host: StrBytes,
    /// -1 from versions that do not say: the session timeout holds then.
    pub rebalance_timeout_ms: i32,
    pub session_timeout_ms: i32,
    pub subscription: Bytes,
    pub assignment: Bytes,
    /// Tagged fields of a later schema.
    pub unknown_tagged_fields: TaggedFields,
}

impl Default for MemberMetadata {
    fn default() -> Self {
        Self {
            member_id: StrBytes::default(),
            group_instance_id: None,
            client_id: StrBytes::default(),
            client_host: StrBytes::default(),
            rebalance_timeout_ms: -1,
            session_timeout_ms: 0,
            subscription: Bytes::new(),
            assignment: Bytes::new(),
            unknown_tagged_fields: TaggedFields::new(),
        }
    }
}

impl GroupMetadataValue {
    pub(super) fn read(record_type: i16, value: &[u8]) -> Result<Self, GroupRecordError> {
        let bad_value = |cause| GroupRecordError::Value { record_type, cause };
        let (version, rest) = Reader::version(value).map_err(bad_value)?;
        if !(0..=NEWEST).contains(&version) {
            return Err(GroupRecordError::ValueVersion { record_type, version });
        }
        let mut reader = Reader::new(rest, version >= FIRST_FLEXIBLE);
        Self::read_fields(&mut reader, version).map_err(bad_value)
    }

    fn read_fields(reader: &mut Reader<'_>, version: i16) -> Result<Self, FieldError> {
        Ok(Self {
            protocol_type: reader.string()?,
            generation: reader.int32()?,
            protocol: reader.nullable_string()?,
            leader: reader.nullable_string()?,
            current_state_timestamp_ms: if version >= 2 { reader.int64()? } else { -1 },
            members: reader
                .array(|reader| MemberMetadata::read(reader, version))?
                .ok_or(FieldError::UnexpectedNull)?,
            unknown_tagged_fields: reader.tagged()?,
        })
    }

    /// In the version that Kafka 4.1 writes.
    #[must_use]
    pub fn to_bytes(&self) -> Bytes {
        self.write(WRITTEN)
    }

    /// In a given version; what it has no place for is left out.
    #[must_use]
    pub fn write(&self, version: i16) -> Bytes {
        let mut writer = Writer::new(version, version >= FIRST_FLEXIBLE);
        writer.string(&self.protocol_type);
        writer.int32(self.generation);
        writer.nullable_string(self.protocol.as_deref());
        writer.nullable_string(self.leader.as_deref());
        if version >= 2 {
            writer.int64(self.current_state_timestamp_ms);
        }
        writer.array(Some(&self.members), |writer, member| member.write(writer, version));
        writer.tagged(&self.unknown_tagged_fields);
        writer.finish()
    }
}

impl MemberMetadata {
    fn read(reader: &mut Reader<'_>, version: i16) -> Result<Self, FieldError> {
        Ok(Self {
            member_id: reader.string()?,
            group_instance_id: if version >= 3 { reader.nullable_string()? } else { None },
            client_id: reader.string()?,
            client_host: reader.string()?,
            rebalance_timeout_ms: if version >= 1 { reader.int32()? } else { -1 },
            session_timeout_ms: reader.int32()?,
            subscription: reader.bytes()?,
            assignment: reader.bytes()?,
            unknown_tagged_fields: reader.tagged()?,
        })
    }

    fn write(&self, writer: &mut Writer, version: i16) {
        writer.string(&self.member_id);
        if version >= 3 {
            writer.nullable_string(self.group_instance_id.as_deref());
        }
        writer.string(&self.client_id);
        writer.string(&self.client_host);
        if version >= 1 {
            writer.int32(self.rebalance_timeout_ms);
        }
        writer.int32(self.session_timeout_ms);
        writer.bytes(&self.subscription);
        writer.bytes(&self.assignment);
        writer.tagged(&self.unknown_tagged_fields);
    }
}

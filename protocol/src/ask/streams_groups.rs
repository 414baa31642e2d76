//! StreamsGroupDescribe (key 89, KIP-1071): groups of Kafka Streams, their topology and members.
//!
//! What no tool shows is read and left out: racks, endpoints, tags and offsets of tasks.

use bytes::{BufMut, Bytes, BytesMut};

use super::{Ask, AskedApi};
use crate::cursor::Cursor;
use crate::put;
use crate::shape::Malformed;

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct StreamsGroupDescribe {
    pub groups: Vec<String>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DescribedStreamsGroup {
    pub error_code: i16,
    pub error_message: Option<String>,
    pub group: String,
    pub state: String,
    pub group_epoch: i32,
    pub assignment_epoch: i32,
    pub topology: Option<StreamsTopology>,
    pub members: Vec<StreamsMember>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct StreamsTopology {
    pub epoch: i32,
    /// Nothing while source topics are missing or the group has not begun.
    pub subtopologies: Option<Vec<StreamsSubtopology>>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct StreamsSubtopology {
    pub id: String,
    pub source_topics: Vec<String>,
    pub state_changelog_topics: Vec<String>,
    pub repartition_source_topics: Vec<String>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct StreamsMember {
    pub member_id: String,
    pub epoch: i32,
    pub client_id: String,
    pub client_host: String,
    pub process_id: String,
    pub assignment: StreamsAssignment,
    pub target_assignment: StreamsAssignment,
    pub is_classic: bool,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct StreamsAssignment {
    pub active: Vec<StreamsTasks>,
    pub standby: Vec<StreamsTasks>,
    pub warmup: Vec<StreamsTasks>,
}

/// The tasks of one subtopology.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct StreamsTasks {
    pub subtopology: String,
    pub partitions: Vec<i32>,
}

impl Ask for StreamsGroupDescribe {
    type Answer = Vec<DescribedStreamsGroup>;

    fn api() -> Option<AskedApi> {
        Some(AskedApi {
            key: 89,
            name: "StreamsGroupDescribe",
            min_version: 0,
            max_version: 0,
            first_flexible: Some(0),
        })
    }

    fn write(&self, out: &mut BytesMut, _: i16) -> Result<(), String> {
        put::length(out, true, self.groups.len())?;
        for group in &self.groups {
            put::string(out, true, group)?;
        }
        // Nobody asks for what the caller may do.
        out.put_u8(0);
        put::no_tagged_fields(out, true);
        Ok(())
    }

    fn read(body: Bytes, _: i16) -> Result<Self::Answer, String> {
        let mut cursor = Cursor::new(&body, 0, true);
        let read = cursor.int32().and_then(|_throttle| cursor.list(group));
        read.map_err(|malformed| malformed.to_string())
    }
}

fn group(cursor: &mut Cursor<'_>) -> Result<DescribedStreamsGroup, Malformed> {
    let group = DescribedStreamsGroup {
        error_code: cursor.int16()?,
        error_message: cursor.nullable_text()?,
        group: cursor.text()?,
        state: cursor.text()?,
        group_epoch: cursor.int32()?,
        assignment_epoch: cursor.int32()?,
        topology: cursor.nullable_struct(topology)?,
        members: cursor.list(member)?,
    };
    let _authorized_operations = cursor.int32()?;
    cursor.skip_tagged_fields()?;
    Ok(group)
}

fn topology(cursor: &mut Cursor<'_>) -> Result<StreamsTopology, Malformed> {
    let topology = StreamsTopology {
        epoch: cursor.int32()?,
        subtopologies: cursor.nullable_list(subtopology)?,
    };
    cursor.skip_tagged_fields()?;
    Ok(topology)
}

fn subtopology(cursor: &mut Cursor<'_>) -> Result<StreamsSubtopology, Malformed> {
    let id = cursor.text()?;
    let source_topics = cursor.list(Cursor::text)?;
    let _repartition_sinks = cursor.list(Cursor::text)?;
    let state_changelog_topics = cursor.list(topic)?;
    let repartition_source_topics = cursor.list(topic)?;
    cursor.skip_tagged_fields()?;
    Ok(StreamsSubtopology { id, source_topics, state_changelog_topics, repartition_source_topics })
}

/// The name of an internal topic, without how it is made.
fn topic(cursor: &mut Cursor<'_>) -> Result<String, Malformed> {
    let name = cursor.text()?;
    let (_partitions, _replication) = (cursor.int32()?, cursor.int16()?);
    cursor.list(key_value)?;
    cursor.skip_tagged_fields()?;
    Ok(name)
}

fn key_value(cursor: &mut Cursor<'_>) -> Result<(), Malformed> {
    cursor.text()?;
    cursor.text()?;
    cursor.skip_tagged_fields()
}

fn member(cursor: &mut Cursor<'_>) -> Result<StreamsMember, Malformed> {
    let (member_id, epoch) = (cursor.text()?, cursor.int32()?);
    let (_instance_id, _rack_id) = (cursor.nullable_text()?, cursor.nullable_text()?);
    let (client_id, client_host) = (cursor.text()?, cursor.text()?);
    let _topology_epoch = cursor.int32()?;
    let process_id = cursor.text()?;
    cursor.nullable_struct(endpoint)?;
    cursor.list(key_value)?;
    let (_offsets, _end_offsets) = (cursor.list(task_offset)?, cursor.list(task_offset)?);
    let assignment_now = assignment(cursor)?;
    let target_assignment = assignment(cursor)?;
    let is_classic = cursor.int8()? != 0;
    cursor.skip_tagged_fields()?;
    Ok(StreamsMember {
        member_id,
        epoch,
        client_id,
        client_host,
        process_id,
        assignment: assignment_now,
        target_assignment,
        is_classic,
    })
}

fn endpoint(cursor: &mut Cursor<'_>) -> Result<(), Malformed> {
    cursor.text()?;
    cursor.int16()?;
    cursor.skip_tagged_fields()
}

fn task_offset(cursor: &mut Cursor<'_>) -> Result<(), Malformed> {
    cursor.text()?;
    cursor.int32()?;
    cursor.int64()?;
    cursor.skip_tagged_fields()
}

fn assignment(cursor: &mut Cursor<'_>) -> Result<StreamsAssignment, Malformed> {
    let assignment = StreamsAssignment {
        active: cursor.list(tasks)?,
        standby: cursor.list(tasks)?,
        warmup: cursor.list(tasks)?,
    };
    cursor.skip_tagged_fields()?;
    Ok(assignment)
}

fn tasks(cursor: &mut Cursor<'_>) -> Result<StreamsTasks, Malformed> {
    let tasks =
        StreamsTasks { subtopology: cursor.text()?, partitions: cursor.list(Cursor::int32)? };
    cursor.skip_tagged_fields()?;
    Ok(tasks)
}

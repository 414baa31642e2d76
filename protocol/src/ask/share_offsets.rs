//! DescribeShareGroupOffsets up to version 1, which adds the lag of a partition (KIP-1226).

use bytes::{Bytes, BytesMut};

use super::{Ask, AskedApi};
use crate::api::ApiKey;
use crate::cursor::Cursor;
use crate::put;
use crate::shape::Malformed;

const FIRST_WITH_LAG: i16 = 1;

/// Asks where groups start to read all that they have.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DescribeShareGroupOffsets {
    pub groups: Vec<String>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DescribedShareOffsets {
    pub group: String,
    pub topics: Vec<ShareTopic>,
    pub error_code: i16,
    pub error_message: Option<String>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ShareTopic {
    pub name: String,
    pub partitions: Vec<SharePartition>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SharePartition {
    pub index: i32,
    /// -1 where the group has not begun.
    pub start_offset: i64,
    /// -1 where it is not known.
    pub leader_epoch: i32,
    /// -1 where it is not known, and below version 1.
    pub lag: i64,
    pub error_code: i16,
}

impl Ask for DescribeShareGroupOffsets {
    type Answer = Vec<DescribedShareOffsets>;

    fn api() -> Option<AskedApi> {
        let known = AskedApi::of(ApiKey::DescribeShareGroupOffsets);
        Some(AskedApi { max_version: FIRST_WITH_LAG, ..known })
    }

    fn write(&self, out: &mut BytesMut, _: i16) -> Result<(), String> {
        put::length(out, true, self.groups.len())?;
        for group in &self.groups {
            put::string(out, true, group)?;
            // All topics.
            put::null_length(out, true);
            put::no_tagged_fields(out, true);
        }
        put::no_tagged_fields(out, true);
        Ok(())
    }

    fn read(body: Bytes, version: i16) -> Result<Self::Answer, String> {
        let mut cursor = Cursor::new(&body, 0, true);
        let read = cursor.int32().and_then(|_throttle| cursor.list(|c| group(c, version)));
        read.map_err(|malformed| malformed.to_string())
    }
}

fn group(cursor: &mut Cursor<'_>, version: i16) -> Result<DescribedShareOffsets, Malformed> {
    let group = DescribedShareOffsets {
        group: cursor.text()?,
        topics: cursor.list(|cursor| topic(cursor, version))?,
        error_code: cursor.int16()?,
        error_message: cursor.nullable_text()?,
    };
    cursor.skip_tagged_fields()?;
    Ok(group)
}

fn topic(cursor: &mut Cursor<'_>, version: i16) -> Result<ShareTopic, Malformed> {
    let name = cursor.text()?;
    cursor.uuid()?;
    let partitions = cursor.list(|cursor| partition(cursor, version))?;
    cursor.skip_tagged_fields()?;
    Ok(ShareTopic { name, partitions })
}

fn partition(cursor: &mut Cursor<'_>, version: i16) -> Result<SharePartition, Malformed> {
    let partition = SharePartition {
        index: cursor.int32()?,
        start_offset: cursor.int64()?,
        leader_epoch: cursor.int32()?,
        lag: if version >= FIRST_WITH_LAG { cursor.int64()? } else { -1 },
        error_code: cursor.int16()?,
    };
    cursor.nullable_text()?;
    cursor.skip_tagged_fields()?;
    Ok(partition)
}

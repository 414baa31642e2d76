//! The view over a request's body.
//!
//! `parse` walks the body once and keeps only where the topics begin; the iterators walk it again.
//! What they give borrows from the frame or shares its memory, so nothing of it should outlive the
//! request but the records on their way to the log.

use std::borrow::Cow;

use bytes::Bytes;
use uuid::Uuid;

use super::{FIRST_FLEXIBLE, FIRST_WITH_IDS};
use crate::cursor::Cursor;
use crate::shape::Malformed;
use crate::wire::StrBytes;

/// A Produce request whose body has been checked from end to end.
#[derive(Debug, Clone)]
pub struct ProduceRequest {
    body: Bytes,
    version: i16,
    topics_at: usize,
    topic_count: usize,
    partition_count: usize,
    pub transactional_id: Option<StrBytes>,
    pub acks: i16,
    pub timeout_ms: i32,
}

/// What is produced to one topic.
#[derive(Debug, Clone)]
pub struct ProducedTopic<'a> {
    /// Empty from version 13 on; invalid UTF-8 is replaced.
    pub name: Cow<'a, str>,
    /// Nil below version 13.
    pub topic_id: Uuid,
    pub partitions: Partitions<'a>,
}

/// What is produced to one partition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProducedPartition {
    pub index: i32,
    /// A slice of the frame.
    pub records: Option<Bytes>,
}

impl ProduceRequest {
    /// Takes the body that follows the request header, at a version from 3 to 13. Bytes behind the
    /// message are left alone, as Kafka does.
    pub fn parse(body: Bytes, version: i16) -> Result<Self, Malformed> {
        let mut cursor = Cursor::new(&body, 0, version >= FIRST_FLEXIBLE);
        let transactional_id = cursor.nullable_string()?.map(|text| lossy(&body, text));
        let acks = cursor.int16()?;
        let timeout_ms = cursor.int32()?;
        let topics_at = cursor.position();
        let topic_count = cursor.count()?;
        let mut partition_count = 0;
        for _ in 0..topic_count {
            take_topic(&mut cursor, version)?;
            partition_count += skip_partitions(&mut cursor)?;
            cursor.skip_tagged_fields()?;
        }
        cursor.skip_tagged_fields()?;
        Ok(Self {
            topics_at,
            topic_count,
            partition_count,
            transactional_id,
            acks,
            timeout_ms,
            version,
            body,
        })
    }

    pub fn topic_count(&self) -> usize {
        self.topic_count
    }

    /// Partitions of all topics together.
    pub fn partition_count(&self) -> usize {
        self.partition_count
    }

    pub fn topics(&self) -> Topics<'_> {
        let mut cursor = Cursor::new(&self.body, self.topics_at, self.version >= FIRST_FLEXIBLE);
        let left = cursor.count().unwrap_or(0);
        Topics { body: &self.body, version: self.version, cursor, inside: false, left }
    }
}

/// Walks the topics in the order of the request.
#[derive(Debug, Clone)]
pub struct Topics<'a> {
    body: &'a Bytes,
    version: i16,
    /// Before a topic, or inside the one that was given last.
    cursor: Cursor<'a>,
    inside: bool,
    left: usize,
}

impl Topics<'_> {
    fn pass_last_topic(&mut self) -> Result<(), Malformed> {
        skip_partitions(&mut self.cursor)?;
        self.cursor.skip_tagged_fields()
    }
}

impl<'a> Iterator for Topics<'a> {
    type Item = ProducedTopic<'a>;

    fn next(&mut self) -> Option<ProducedTopic<'a>> {
        self.left = self.left.checked_sub(1)?;
        // Put off until there is a next one: most requests have one topic.
        if self.inside {
            self.pass_last_topic().ok()?;
        }
        let (name, topic_id) = take_topic(&mut self.cursor, self.version).ok()?;
        self.inside = true;
        let mut cursor = self.cursor;
        let left = cursor.count().ok()?;
        let partitions = Partitions { body: self.body, cursor, left };
        Some(ProducedTopic { name: String::from_utf8_lossy(name), topic_id, partitions })
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.left, Some(self.left))
    }
}

impl ExactSizeIterator for Topics<'_> {}

/// Walks the partitions of a topic in the order of the request.
#[derive(Debug, Clone)]
pub struct Partitions<'a> {
    body: &'a Bytes,
    cursor: Cursor<'a>,
    left: usize,
}

impl Iterator for Partitions<'_> {
    type Item = ProducedPartition;

    fn next(&mut self) -> Option<ProducedPartition> {
        self.left = self.left.checked_sub(1)?;
        let (index, records) = take_partition(&mut self.cursor).ok()?;
        Some(ProducedPartition { index, records: records.map(|slice| self.body.slice_ref(slice)) })
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.left, Some(self.left))
    }
}

impl ExactSizeIterator for Partitions<'_> {}

fn take_topic<'a>(cursor: &mut Cursor<'a>, version: i16) -> Result<(&'a [u8], Uuid), Malformed> {
    if version >= FIRST_WITH_IDS {
        Ok((&[], cursor.uuid()?))
    } else {
        Ok((cursor.string()?, Uuid::nil()))
    }
}

#[inline]
fn take_partition<'a>(cursor: &mut Cursor<'a>) -> Result<(i32, Option<&'a [u8]>), Malformed> {
    let index = cursor.int32()?;
    let records = cursor.nullable_bytes()?;
    cursor.skip_tagged_fields()?;
    Ok((index, records))
}

fn skip_partitions(cursor: &mut Cursor<'_>) -> Result<usize, Malformed> {
    let count = cursor.count()?;
    for _ in 0..count {
        take_partition(cursor)?;
    }
    Ok(count)
}

fn lossy(body: &Bytes, text: &[u8]) -> StrBytes {
    match String::from_utf8_lossy(text) {
        Cow::Owned(mended) => StrBytes::from_string(mended),
        Cow::Borrowed(_) => StrBytes::from_utf8(body.slice_ref(text)).unwrap_or_default(),
    }
}

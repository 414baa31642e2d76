//! An answer and its encoder.
//!
//! Kept true: the frame's length is that of all segments; records are moved, never copied; a tagged
//! field that has the schema's default is not written, as Kafka does.

use bytes::{BufMut, Bytes, BytesMut};
use uuid::Uuid;

use super::{FIRST_FLEXIBLE, FIRST_WITH_IDS};
use crate::api::{Api, ApiKey};
use crate::frame::EncodeError;
use crate::leader_hint::{CurrentLeader, NodeEndpoint, put_endpoints};
use crate::put;

/// A piece of a frame, in the order in which it is sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Segment {
    Meta(Bytes),
    Records(Vec<Bytes>),
}

/// What is told beside the topics.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FetchResponse {
    pub throttle_time_ms: i32,
    pub error_code: i16,
    /// 0 when there is no session.
    pub session_id: i32,
    pub endpoints: Vec<NodeEndpoint>,
}

#[derive(Debug, Clone)]
pub struct TopicResponse<'a, P> {
    /// Told below version 13.
    pub name: &'a str,
    /// Told from version 13 on.
    pub topic_id: Uuid,
    pub partitions: P,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PartitionResponse {
    pub index: i32,
    pub error_code: i16,
    pub high_watermark: i64,
    pub last_stable_offset: i64,
    pub log_start_offset: i64,
    pub diverging_epoch: Option<EpochEndOffset>,
    pub current_leader: CurrentLeader,
    pub snapshot_id: Option<SnapshotId>,
    /// `None` for readers that take uncommitted records.
    pub aborted_transactions: Option<Vec<AbortedTransaction>>,
    /// -1 when the reader shall stay here.
    pub preferred_read_replica: i32,
    /// Slices in their order; none at all is an empty set of records.
    pub records: Vec<Bytes>,
}

/// Where the reader's log leaves ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EpochEndOffset {
    pub epoch: i32,
    pub end_offset: i64,
}

/// The snapshot to be fetched instead.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SnapshotId {
    pub end_offset: i64,
    pub epoch: i32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AbortedTransaction {
    pub producer_id: i64,
    pub first_offset: i64,
}

impl PartitionResponse {
    /// The answer of a partition that gives nothing: offsets are unknown.
    pub fn failed(index: i32, error_code: i16) -> Self {
        Self {
            index,
            error_code,
            high_watermark: -1,
            last_stable_offset: -1,
            log_start_offset: -1,
            diverging_epoch: None,
            current_leader: CurrentLeader::UNKNOWN,
            snapshot_id: None,
            aborted_transactions: None,
            preferred_read_replica: -1,
            records: Vec::new(),
        }
    }

    pub fn records_length(&self) -> usize {
        self.records.iter().map(Bytes::len).sum()
    }
}

impl FetchResponse {
    /// Encodes one whole answer, length and header included. What a version has no place for is
    /// left out.
    ///
    /// `scratch` is where the fields between records are written. The segments share its memory; a
    /// connection that keeps it gets that memory back when they are gone.
    pub fn encode<'a, P>(
        &self,
        scratch: &mut BytesMut,
        version: i16,
        correlation_id: i32,
        topics: impl ExactSizeIterator<Item = TopicResponse<'a, P>>,
    ) -> Result<Vec<Segment>, EncodeError>
    where
        P: IntoIterator<Item = PartitionResponse, IntoIter: ExactSizeIterator>,
    {
        scratch.clear();
        let mut layout = Layout { out: scratch, version, cuts: Vec::new() };
        layout.out.put_i32(0);
        layout.out.put_i32(correlation_id);
        put::no_tagged_fields(layout.out, version >= FIRST_FLEXIBLE);
        match layout.put_body(self, topics) {
            Ok(()) => layout.into_segments(),
            Err(cause) => {
                let name = Api::of(ApiKey::Fetch).name;
                Err(EncodeError::Unencodable { name, version, cause })
            }
        }
    }
}

/// The fields in one buffer, and the places where records go in between.
struct Layout<'b> {
    out: &'b mut BytesMut,
    version: i16,
    cuts: Vec<(usize, Vec<Bytes>)>,
}

impl Layout<'_> {
    fn flexible(&self) -> bool {
        self.version >= FIRST_FLEXIBLE
    }

    fn put_body<'a, P>(
        &mut self,
        response: &FetchResponse,
        topics: impl ExactSizeIterator<Item = TopicResponse<'a, P>>,
    ) -> Result<(), String>
    where
        P: IntoIterator<Item = PartitionResponse, IntoIter: ExactSizeIterator>,
    {
        let flexible = self.flexible();
        self.out.put_i32(response.throttle_time_ms);
        if self.version >= 7 {
            self.out.put_i16(response.error_code);
            self.out.put_i32(response.session_id);
        }
        put::length(self.out, flexible, topics.len())?;
        for topic in topics {
            if self.version >= FIRST_WITH_IDS {
                self.out.put_slice(topic.topic_id.as_bytes());
            } else {
                put::string(self.out, flexible, topic.name)?;
            }
            let partitions = topic.partitions.into_iter();
            put::length(self.out, flexible, partitions.len())?;
            for partition in partitions {
                self.put_partition(partition)?;
            }
            put::no_tagged_fields(self.out, flexible);
        }
        if self.version >= 16 {
            put_endpoints(self.out, &response.endpoints)
        } else {
            put::no_tagged_fields(self.out, flexible);
            Ok(())
        }
    }

    fn put_partition(&mut self, partition: PartitionResponse) -> Result<(), String> {
        let flexible = self.flexible();
        let out = &mut *self.out;
        out.put_i32(partition.index);
        out.put_i16(partition.error_code);
        out.put_i64(partition.high_watermark);
        out.put_i64(partition.last_stable_offset);
        if self.version >= 5 {
            out.put_i64(partition.log_start_offset);
        }
        match &partition.aborted_transactions {
            None => put::null_length(out, flexible),
            Some(aborted) => {
                put::length(out, flexible, aborted.len())?;
                for transaction in aborted {
                    out.put_i64(transaction.producer_id);
                    out.put_i64(transaction.first_offset);
                    put::no_tagged_fields(out, flexible);
                }
            }
        }
        if self.version >= 11 {
            out.put_i32(partition.preferred_read_replica);
        }
        let records_length = partition.records_length();
        put::length(out, flexible, records_length)?;
        let cut = out.len();
        if flexible {
            put_partition_tags(out, &partition);
        }
        if records_length > 0 {
            self.cuts.push((cut, partition.records));
        }
        Ok(())
    }

    /// Writes the frame's length and cuts the buffer at the records.
    fn into_segments(self) -> Result<Vec<Segment>, EncodeError> {
        let records: usize = self.cuts.iter().flat_map(|(_, slices)| slices).map(Bytes::len).sum();
        let length = self.out.len() - 4 + records;
        let announced = i32::try_from(length).map_err(|_| EncodeError::TooLong(length))?;
        self.out[..4].copy_from_slice(&announced.to_be_bytes());
        let mut segments = Vec::with_capacity(self.cuts.len() * 2 + 1);
        let mut meta = self.out.split().freeze();
        let mut passed = 0;
        for (cut, slices) in self.cuts {
            segments.push(Segment::Meta(meta.split_to(cut - passed)));
            segments.push(Segment::Records(slices));
            passed = cut;
        }
        if !meta.is_empty() {
            segments.push(Segment::Meta(meta));
        }
        Ok(segments)
    }
}

fn put_partition_tags(out: &mut BytesMut, partition: &PartitionResponse) {
    let leader = partition.current_leader;
    let has_leader = leader != CurrentLeader::UNKNOWN;
    // A value that equals the schema's default is not written.
    let diverging =
        partition.diverging_epoch.filter(|diverging| *diverging != EpochEndOffset::NONE);
    let snapshot = partition.snapshot_id.filter(|snapshot| *snapshot != SnapshotId::NONE);
    let count = [diverging.is_some(), has_leader, snapshot.is_some()];
    out.put_u8(count.into_iter().map(u8::from).sum());
    if let Some(diverging) = diverging {
        out.put_slice(&[0, 13]);
        out.put_i32(diverging.epoch);
        out.put_i64(diverging.end_offset);
        out.put_u8(0);
    }
    if has_leader {
        leader.put_tagged(out, 1);
    }
    if let Some(snapshot) = snapshot {
        out.put_slice(&[2, 13]);
        out.put_i64(snapshot.end_offset);
        out.put_i32(snapshot.epoch);
        out.put_u8(0);
    }
}

impl EpochEndOffset {
    const NONE: Self = Self { epoch: -1, end_offset: -1 };
}

impl SnapshotId {
    const NONE: Self = Self { end_offset: -1, epoch: -1 };
}

//! One blocking connection that speaks Kafka's framing, and the few requests a load needs besides
//! the ones it times.
//!
//! Versions are fixed to ones that every 4.x broker serves, so that both brokers read the same
//! bytes: Produce 9, Fetch 12, Metadata 12, CreateTopics 7, DeleteTopics 5, ListOffsets 7,
//! OffsetCommit 8, OffsetFetch 7, FindCoordinator 3.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use protocol::messages::{
    CreateTopicsRequest, DeleteTopicsRequest, ListOffsetsRequest, MetadataRequest,
    MetadataResponse, RequestHeader, ResponseHeader, TopicName, create_topics_request,
    list_offsets_request, metadata_request,
};
use protocol::wire::{Decodable, Encodable, HeaderVersion, Request, StrBytes};

use super::BenchError;

pub const PRODUCE_VERSION: i16 = 9;
pub const FETCH_VERSION: i16 = 12;
pub const OFFSET_COMMIT_VERSION: i16 = 8;
const METADATA_VERSION: i16 = 12;
const CREATE_TOPICS_VERSION: i16 = 7;
const DELETE_TOPICS_VERSION: i16 = 5;
const LIST_OFFSETS_VERSION: i16 = 7;

/// Where a frame carries its correlation id: after the length, the key and the version.
pub const CORRELATION_AT: usize = 8;
/// No answer of a healthy broker on loopback takes this long; a run never hangs.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(60);

pub fn topic_name(name: &str) -> TopicName {
    TopicName(StrBytes::from_string(name.to_owned()))
}

/// A request as it goes to the socket, length first.
pub fn encode<R: Request>(
    correlation_id: i32,
    version: i16,
    request: &R,
) -> Result<Vec<u8>, BenchError> {
    let header = RequestHeader::default()
        .with_request_api_key(R::KEY)
        .with_request_api_version(version)
        .with_correlation_id(correlation_id)
        .with_client_id(Some(StrBytes::from_static_str("load")));
    let mut body = BytesMut::new();
    header
        .encode(&mut body, R::header_version(version))
        .and_then(|()| request.encode(&mut body, version))
        .map_err(|error| BenchError::Setup(error.to_string()))?;
    let mut frame = Vec::with_capacity(body.len() + 4);
    frame.extend_from_slice(&(body.len() as i32).to_be_bytes());
    frame.extend_from_slice(&body);
    Ok(frame)
}

/// Reads an answer's body (without its length) as `R`'s response.
pub fn decode<R: Request>(
    api: &'static str,
    version: i16,
    mut body: Bytes,
) -> Result<R::Response, BenchError> {
    ResponseHeader::decode(&mut body, R::Response::header_version(version))
        .and_then(|_| R::Response::decode(&mut body, version))
        .map_err(|error| BenchError::Garbled { api, why: error.to_string() })
}

pub struct Connection {
    stream: TcpStream,
    correlation_id: i32,
}

impl Connection {
    pub fn open(address: SocketAddr) -> Result<Self, BenchError> {
        let stream = TcpStream::connect_timeout(&address, Duration::from_secs(5))?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(ANSWER_TIMEOUT))?;
        stream.set_write_timeout(Some(ANSWER_TIMEOUT))?;
        Ok(Self { stream, correlation_id: 0 })
    }

    pub fn stream(&self) -> &TcpStream {
        &self.stream
    }

    pub fn call<R: Request>(
        &mut self,
        api: &'static str,
        version: i16,
        request: &R,
    ) -> Result<R::Response, BenchError> {
        self.correlation_id += 1;
        self.stream.write_all(&encode(self.correlation_id, version, request)?)?;
        let mut body = Vec::new();
        self.receive(&mut body)?;
        decode::<R>(api, version, Bytes::from(body))
    }

    pub fn send(&mut self, frames: &[u8]) -> Result<(), BenchError> {
        Ok(self.stream.write_all(frames)?)
    }

    /// Reads one answer, without its length, into a buffer that is used again and again.
    pub fn receive(&mut self, body: &mut Vec<u8>) -> Result<(), BenchError> {
        let mut length = [0; 4];
        self.stream.read_exact(&mut length)?;
        let length = i32::from_be_bytes(length);
        let length = usize::try_from(length)
            .map_err(|_| BenchError::Garbled { api: "frame", why: format!("length {length}") })?;
        body.resize(length, 0);
        Ok(self.stream.read_exact(body)?)
    }

    pub fn create_topic(&mut self, name: &str, partitions: i32) -> Result<(), BenchError> {
        let topic = create_topics_request::CreatableTopic::default()
            .with_name(topic_name(name))
            .with_num_partitions(partitions)
            .with_replication_factor(1);
        let request =
            CreateTopicsRequest::default().with_topics(vec![topic]).with_timeout_ms(60_000);
        let answer = self.call("CreateTopics", CREATE_TOPICS_VERSION, &request)?;
        let code = answer.topics.first().map_or(-1, |topic| topic.error_code);
        refuse_unless_zero("CreateTopics", code)
    }

    pub fn delete_topic(&mut self, name: &str) -> Result<(), BenchError> {
        let request = DeleteTopicsRequest::default()
            .with_topic_names(vec![topic_name(name)])
            .with_timeout_ms(60_000);
        let answer = self.call("DeleteTopics", DELETE_TOPICS_VERSION, &request)?;
        let code = answer.responses.first().map_or(-1, |topic| topic.error_code);
        refuse_unless_zero("DeleteTopics", code)
    }

    /// `None` asks for every topic; a named one may be created by the question.
    pub fn metadata(&mut self, topic: Option<&str>) -> Result<MetadataResponse, BenchError> {
        let topics = topic.map(|name| {
            vec![
                metadata_request::MetadataRequestTopic::default().with_name(Some(topic_name(name))),
            ]
        });
        let request =
            MetadataRequest::default().with_topics(topics).with_allow_auto_topic_creation(true);
        self.call("Metadata", METADATA_VERSION, &request)
    }

    pub fn end_offsets(&mut self, topic: &str, partitions: i32) -> Result<Vec<i64>, BenchError> {
        let wanted = (0..partitions)
            .map(|index| list_offsets_request::ListOffsetsPartition {
                partition_index: index,
                timestamp: -1,
                ..Default::default()
            })
            .collect();
        let topic =
            list_offsets_request::ListOffsetsTopic { name: topic_name(topic), partitions: wanted };
        let request = ListOffsetsRequest {
            replica_id: (-1).into(),
            topics: vec![topic],
            ..Default::default()
        };
        let answer = self.call("ListOffsets", LIST_OFFSETS_VERSION, &request)?;
        let mut offsets = vec![0; partitions as usize];
        for partition in answer.topics.iter().flat_map(|topic| &topic.partitions) {
            refuse_unless_zero("ListOffsets", partition.error_code)?;
            if let Some(offset) = offsets.get_mut(partition.partition_index as usize) {
                *offset = partition.offset;
            }
        }
        Ok(offsets)
    }
}

/// How many partitions an answer names that can be written to.
pub fn led_partitions(answer: &MetadataResponse) -> usize {
    let partitions = answer.topics.iter().flat_map(|topic| &topic.partitions);
    partitions.filter(|partition| partition.leader_id.0 >= 0 && partition.error_code == 0).count()
}

pub fn refuse_unless_zero(api: &'static str, code: i16) -> Result<(), BenchError> {
    if code == 0 { Ok(()) } else { Err(BenchError::Refused { api, code }) }
}

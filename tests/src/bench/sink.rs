//! A broker that acknowledges records and drops them: what a producer costs by itself.
//!
//! It leads every partition of every topic that it is asked about, gives producer ids, and answers
//! each Produce with the next offsets. It serves connections until the process ends, a thread each.

use std::collections::HashMap;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};

use bytes::{Bytes, BytesMut};
use protocol::api::ApiKey;
use protocol::frame::{RequestHeader, encode_response};
use protocol::messages::api_versions_response::ApiVersion;
use protocol::messages::metadata_response::{
    MetadataResponseBroker, MetadataResponsePartition, MetadataResponseTopic,
};
use protocol::messages::produce_response::{PartitionProduceResponse, TopicProduceResponse};
use protocol::messages::{
    ApiVersionsResponse, BrokerId, InitProducerIdResponse, MetadataRequest, MetadataResponse,
    ProduceRequest, ProduceResponse,
};
use protocol::wire::{Decodable, StrBytes};

use super::BenchError;

/// What it serves; topics have no ids here, so Produce and Metadata are those that name them.
const SERVED: [(ApiKey, i16, i16); 4] = [
    (ApiKey::Produce, 3, 9),
    (ApiKey::Metadata, 1, 9),
    (ApiKey::ApiVersions, 0, 4),
    (ApiKey::InitProducerId, 0, 4),
];
const PARTITIONS: i32 = 1;
const NODE: BrokerId = BrokerId(1);

/// Listens on a free port of this machine.
pub fn start() -> Result<SocketAddr, BenchError> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    let address = listener.local_addr()?;
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(stream) = stream else { return };
            std::thread::spawn(move || {
                if let Err(error) = serve(stream, address) {
                    eprintln!("sink: {error}");
                }
            });
        }
    });
    Ok(address)
}

fn serve(mut stream: TcpStream, address: SocketAddr) -> Result<(), BenchError> {
    stream.set_nodelay(true)?;
    let (mut next, mut out) = (HashMap::new(), BytesMut::new());
    loop {
        let mut length = [0; 4];
        match stream.read_exact(&mut length) {
            Err(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => return Ok(()),
            read => read?,
        }
        let mut frame = vec![0; u32::from_be_bytes(length) as usize];
        stream.read_exact(&mut frame)?;
        answer(Bytes::from(frame), address, &mut next, &mut out)?;
        stream.write_all(&out)?;
        out.clear();
    }
}

/// The next offset of each partition.
type Next = HashMap<(StrBytes, i32), i64>;

fn answer(
    mut frame: Bytes,
    address: SocketAddr,
    next: &mut Next,
    out: &mut BytesMut,
) -> Result<(), BenchError> {
    let garbled = |why: String| BenchError::Garbled { api: "a request to the sink", why };
    let header = RequestHeader::parse(&mut frame).map_err(|error| garbled(error.to_string()))?;
    let (key, version) = (header.api.key, header.response_version());
    let id = header.correlation_id;
    let written = match key {
        ApiKey::ApiVersions => encode_response(out, key, version, id, &versions()),
        ApiKey::InitProducerId => {
            let answer = InitProducerIdResponse::default().with_producer_id(1.into());
            encode_response(out, key, version, id, &answer.with_producer_epoch(0))
        }
        ApiKey::Metadata => {
            let request = MetadataRequest::decode(&mut frame, version);
            let request = request.map_err(|error| garbled(error.to_string()))?;
            encode_response(out, key, version, id, &metadata(&request, address))
        }
        ApiKey::Produce => {
            let request = ProduceRequest::decode(&mut frame, version);
            let request = request.map_err(|error| garbled(error.to_string()))?;
            encode_response(out, key, version, id, &acknowledged(&request, next))
        }
        other => return Err(garbled(format!("{other:?}"))),
    };
    written.map_err(|error| BenchError::Setup(error.to_string()))
}

fn versions() -> ApiVersionsResponse {
    let served = SERVED.map(|(key, from, to)| {
        ApiVersion::default().with_api_key(key as i16).with_min_version(from).with_max_version(to)
    });
    ApiVersionsResponse::default().with_api_keys(served.to_vec())
}

fn metadata(request: &MetadataRequest, address: SocketAddr) -> MetadataResponse {
    let partition = |index| {
        MetadataResponsePartition::default()
            .with_partition_index(index)
            .with_leader_id(NODE)
            .with_replica_nodes(vec![NODE])
            .with_isr_nodes(vec![NODE])
    };
    let asked = request.topics.iter().flatten();
    let topics = asked.map(|topic| {
        let partitions = (0..PARTITIONS).map(partition).collect();
        MetadataResponseTopic::default().with_name(topic.name.clone()).with_partitions(partitions)
    });
    let broker = MetadataResponseBroker::default()
        .with_node_id(NODE)
        .with_host(StrBytes::from_string(address.ip().to_string()))
        .with_port(address.port().into());
    MetadataResponse::default()
        .with_brokers(vec![broker])
        .with_controller_id(NODE)
        .with_topics(topics.collect())
}

/// Offsets of a batch are its place; how many records it has stands 57 bytes behind its start.
fn acknowledged(request: &ProduceRequest, next: &mut Next) -> ProduceResponse {
    const COUNT_AT: usize = 57;
    let topics = request.topic_data.iter().map(|topic| {
        let partitions = topic.partition_data.iter().map(|partition| {
            let count = partition.records.as_ref().and_then(|batch| {
                let count = batch.get(COUNT_AT..COUNT_AT + 4)?;
                Some(i32::from_be_bytes(count.try_into().ok()?))
            });
            let at = next.entry((topic.name.0.clone(), partition.index)).or_default();
            let base = *at;
            *at += i64::from(count.unwrap_or_default());
            PartitionProduceResponse::default().with_index(partition.index).with_base_offset(base)
        });
        let partitions = partitions.collect();
        TopicProduceResponse::default()
            .with_name(topic.name.clone())
            .with_partition_responses(partitions)
    });
    ProduceResponse::default().with_responses(topics.collect())
}

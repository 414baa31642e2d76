//! A client that is held back: its answers say so, whatever it asks, and for that time nothing more
//! is read from it while others are served. Over sockets.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use bytes::{BufMut, Bytes, BytesMut};
use config::{BrokerConfig, Properties};
use protocol::api::{Api, ApiKey};
use protocol::batch::BatchBuilder;
use protocol::frame::{encode_request, strip_response_header};
use protocol::messages::*;
use protocol::wire::{Decodable, Encodable};
use storage::Disk;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::handlers::authorization_test::{Case, Sample, cases, create_topic};
use crate::node::server::Node;
use crate::requests::api_error::text;
use crate::requests::authorizer::{Authorizer, Operation, Resource};
use crate::requests::context::Policies;
use crate::requests::requester::Client;
use crate::requests::throttle::{ClientQuotas, ThrottleTime, is_exempt};

/// The client id of somebody who is held back for [`SHORT_MS`].
const SHORT: &str = "short";
const SHORT_MS: i32 = 100;
/// The client id of somebody who is held back for [`LONG_MS`].
const LONG: &str = "long";
const LONG_MS: i32 = 1000;

#[derive(Debug)]
struct ByClientId;

impl ClientQuotas for ByClientId {
    fn throttle_time(&self, _: &Client, client_id: &str, _: &Api, _: Duration) -> ThrottleTime {
        ThrottleTime::of_ms(match client_id {
            SHORT => SHORT_MS,
            LONG => LONG_MS,
            _ => 0,
        })
    }
}

/// Allows everything, and then nothing any more.
#[derive(Debug, Default)]
struct UntilDenied(AtomicBool);

impl Authorizer for UntilDenied {
    fn authorize(&self, _: &Client, _: Operation, _: Resource<'_>) -> bool {
        !self.0.load(Ordering::Relaxed)
    }

    fn authorize_any_topic(&self, _: &Client, _: Operation) -> bool {
        !self.0.load(Ordering::Relaxed)
    }
}

/// A node that is told whom to hold back, with a topic `t`.
pub(super) struct Held {
    pub(super) node: Node,
    authorizer: Arc<UntilDenied>,
    topic: Sample,
    pub(super) ports: [u16; 2],
}

pub(super) async fn held(directory: &Path) -> Held {
    let port = || std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let ports = [port(), port()];
    let listeners =
        format!("PLAINTEXT://localhost:{},CONTROLLER://localhost:{}", ports[0], ports[1]);
    let voters = format!("1@localhost:{}", ports[1]);
    let mut properties = config::broker::zero_properties();
    properties.merge(&Properties::from_iter([
        ("listeners", listeners.as_str()),
        ("controller.quorum.voters", &voters),
        ("log.dirs", directory.to_str().unwrap()),
        ("metrics.client.receiver", "true"),
    ]));
    let (config, _) = BrokerConfig::from_properties(&properties).unwrap();
    cli::format_if_new(&config).unwrap();
    let authorizer = Arc::new(UntilDenied::default());
    let policies =
        Policies { authorizer: Arc::clone(&authorizer) as _, quotas: Arc::new(ByClientId) };
    let node = Node::start_on(config, Disk::default(), policies).await.unwrap();
    let topic_id = create_topic(&node).await;
    Held { node, authorizer, topic: Sample { topic_id }, ports }
}

/// A request as it goes over the wire; `body` is of this version.
fn framed(key: ApiKey, version: i16, client_id: &str, body: &[u8]) -> Bytes {
    let mut request = BytesMut::new();
    request.put_i16(key as i16);
    request.put_i16(version);
    request.put_i32(7);
    request.put_i16(client_id.len() as i16);
    request.put_slice(client_id.as_bytes());
    if Api::of(key).request_header_version(version) > 1 {
        request.put_u8(0);
    }
    request.put_slice(body);
    let mut frame = BytesMut::new();
    frame.put_i32(request.len() as i32);
    frame.put_slice(&request);
    frame.freeze()
}

fn encoded<Q: Encodable>(key: ApiKey, version: i16, client_id: &str, request: &Q) -> Bytes {
    let mut frame = BytesMut::new();
    encode_request(&mut frame, key, version, 7, client_id, request).unwrap();
    frame.freeze()
}

/// The body of the next answer.
async fn answer(stream: &mut TcpStream, key: ApiKey, version: i16) -> Bytes {
    let length = stream.read_i32().await.unwrap();
    let mut frame = vec![0; usize::try_from(length).unwrap()];
    stream.read_exact(&mut frame).await.unwrap();
    let mut frame = Bytes::from(frame);
    assert_eq!(strip_response_header(&mut frame, key, version).unwrap(), 7);
    frame
}

pub(super) async fn ask(port: u16, request: Bytes, key: ApiKey, version: i16) -> Bytes {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
    stream.write_all(&request).await.unwrap();
    answer(&mut stream, key, version).await
}

fn is_followers(case: &Case) -> bool {
    case.key == ApiKey::Fetch && case.asks.first() == Some(&"ClusterAction cluster")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_answer_that_can_say_so_says_how_long_its_client_is_held_back() {
    let directory = tempfile::tempdir().unwrap();
    let held = held(directory.path()).await;
    held.authorizer.0.store(true, Ordering::Relaxed);
    let mut said = BTreeSet::new();
    for case in cases() {
        let (key, version) = (case.key, Api::of(case.key).max_version);
        let port = held.ports[usize::from(case.listener == "CONTROLLER")];
        let body = (case.encode)(version, &held.topic);
        for (client_id, ms) in [(SHORT, SHORT_MS), ("anybody", 0)] {
            let request = framed(key, version, client_id, &body);
            let answer = ask(port, request, key, version).await;
            let Some(found) = (case.throttle_time_ms)(version, answer) else { continue };
            let exempt = is_exempt(key) || is_followers(&case);
            assert_eq!(found, if exempt { 0 } else { ms }, "{key:?} v{version} of {client_id}");
            said.insert(key as i16);
        }
    }
    assert!(said.len() > 40, "{said:?}");
    held.node.stop().await;
}

fn api_versions(client_id: &str) -> Bytes {
    encoded(ApiKey::ApiVersions, 2, client_id, &ApiVersionsRequest::default())
}

async fn throttle_time_of_api_versions(stream: &mut TcpStream) -> i32 {
    let mut body = answer(stream, ApiKey::ApiVersions, 2).await;
    ApiVersionsResponse::decode(&mut body, 2).unwrap().throttle_time_ms
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_is_held_back_has_its_answer_at_once_and_is_not_read_from_while_others_are() {
    let directory = tempfile::tempdir().unwrap();
    let held = held(directory.path()).await;
    let mut stream = TcpStream::connect(("127.0.0.1", held.ports[0])).await.unwrap();
    let two = [api_versions(LONG), api_versions("anybody")].concat();
    let long = Duration::from_millis(LONG_MS as u64);
    let begun = Instant::now();
    stream.write_all(&two).await.unwrap();
    assert_eq!(throttle_time_of_api_versions(&mut stream).await, LONG_MS);
    for _ in 0..10 {
        let mut other = TcpStream::connect(("127.0.0.1", held.ports[0])).await.unwrap();
        other.write_all(&api_versions("anybody")).await.unwrap();
        assert_eq!(throttle_time_of_api_versions(&mut other).await, 0);
    }
    let early = stream.try_read(&mut [0]).map_err(|error| error.kind());
    assert!(begun.elapsed() >= long || early == Err(std::io::ErrorKind::WouldBlock), "{early:?}");
    assert_eq!(throttle_time_of_api_versions(&mut stream).await, 0, "the request behind it");
    assert!(begun.elapsed() >= long, "{:?}", begun.elapsed());
    held.node.stop().await;
}

pub(super) fn produce(client_id: &str, acks: i16) -> Bytes {
    use produce_request::{PartitionProduceData, TopicProduceData};
    let mut batch = BatchBuilder::new(0);
    batch.append(0, None, Some(b"value"));
    let partition = PartitionProduceData::default().with_records(Some(batch.build()));
    let topic = TopicProduceData::default()
        .with_name(TopicName(text("t")))
        .with_partition_data(vec![partition]);
    let request = ProduceRequest::default()
        .with_acks(acks)
        .with_timeout_ms(9000)
        .with_topic_data(vec![topic]);
    encoded(ApiKey::Produce, 9, client_id, &request)
}

pub(super) fn fetch(client_id: &str) -> Bytes {
    use fetch_request::{FetchPartition, FetchTopic};
    let partition = FetchPartition::default().with_partition_max_bytes(1 << 20);
    let topic =
        FetchTopic::default().with_topic(TopicName(text("t"))).with_partitions(vec![partition]);
    let request = FetchRequest::default()
        .with_replica_id(BrokerId(-1))
        .with_min_bytes(1)
        .with_max_bytes(1 << 20)
        .with_session_epoch(-1)
        .with_topics(vec![topic]);
    encoded(ApiKey::Fetch, 12, client_id, &request)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn records_are_taken_from_and_kept_from_whoever_is_held_back() {
    let directory = tempfile::tempdir().unwrap();
    let held = held(directory.path()).await;
    let mut produced = ask(held.ports[0], produce(SHORT, -1), ApiKey::Produce, 9).await;
    let produced = ProduceResponse::decode(&mut produced, 9).unwrap();
    assert_eq!(produced.throttle_time_ms, SHORT_MS);
    assert_eq!(produced.responses[0].partition_responses[0].error_code, 0);
    for (client_id, ms, topics) in [(SHORT, SHORT_MS, 0), ("anybody", 0, 1)] {
        let mut fetched = ask(held.ports[0], fetch(client_id), ApiKey::Fetch, 12).await;
        let fetched = FetchResponse::decode(&mut fetched, 12).unwrap();
        assert_eq!((fetched.throttle_time_ms, fetched.responses.len()), (ms, topics));
    }
    held.node.stop().await;
}

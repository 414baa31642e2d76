//! Every API that is served, sent by somebody who may do nothing: which operations it asks leave
//! for, on what, and which code comes back, at each of its versions.
//!
//! The rows are facts about Kafka 4.3 (`KafkaApis`, `ControllerApis`), in `cases`. A row may grant
//! some leave, to see what is asked behind it.

mod cases;
mod group_cases;
mod node_cases;
mod share_cases;
mod share_fetch_cases;
mod share_group_cases;
mod transaction_cases;

use std::collections::BTreeSet;
use std::fmt::Debug;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use bytes::{Buf, Bytes, BytesMut};
use config::{BrokerConfig, Properties};
use parking_lot::Mutex;
use protocol::api::{Api, ApiKey, Listener};
use protocol::fetch::Segment;
use protocol::frame::strip_response_header;
use protocol::messages::create_topics_request::CreatableTopic;
use protocol::messages::{CreateTopicsRequest, TopicName};
use protocol::wire::{Decodable, Encodable, StrBytes};
use uuid::Uuid;

pub(crate) use self::cases::Sample;
use super::records::produce;
use super::route;
use crate::broker::Broker;
use crate::metadata::auto_topics;
use crate::net::authenticator::Authenticator;
use crate::node::server::Node;
use crate::requests::api_error::text;
use crate::requests::authorizer::{Authorizer, Operation, Resource};
use crate::requests::context::{Policies, RequestContext};
use crate::requests::controller_access::ControllerAccess;
use crate::requests::reply::Reply;
use crate::requests::requester::Client;
use crate::requests::throttle::NoQuotas;

/// Denies, and keeps what it was asked.
#[derive(Debug, Default)]
struct DenyAndRecord {
    granted: &'static [&'static str],
    asked: Mutex<Vec<String>>,
}

impl DenyAndRecord {
    fn note(&self, asked: String) -> bool {
        let granted = self.granted.contains(&asked.as_str());
        self.asked.lock().push(asked);
        granted
    }
}

impl Authorizer for DenyAndRecord {
    fn authorize(&self, _: &Client, operation: Operation, resource: Resource<'_>) -> bool {
        let resource = match resource {
            Resource::Cluster => "cluster".to_owned(),
            Resource::Topic(name) => format!("topic {name}"),
            Resource::Group(name) => format!("group {name}"),
            Resource::TransactionalId(name) => format!("transactional id {name}"),
            Resource::DelegationToken(name) => format!("delegation token {name}"),
            Resource::User(name) => format!("user {name}"),
        };
        self.note(format!("{operation:?} {resource}"))
    }

    fn authorize_any_topic(&self, _: &Client, operation: Operation) -> bool {
        self.note(format!("{operation:?} any topic"))
    }
}

/// The body of a request of some version.
type Encode = Box<dyn Fn(i16, &Sample) -> Bytes>;
/// The codes in the body of an answer of some version.
type Decode = Box<dyn Fn(i16, Bytes) -> Vec<i16>>;

/// What an answer of some version says of throttling, if it can.
type ThrottleTimeMs = Box<dyn Fn(i16, Bytes) -> Option<i32>>;

/// One request and what must become of it.
pub(crate) struct Case {
    pub(crate) key: ApiKey,
    pub(crate) listener: &'static str,
    granted: &'static [&'static str],
    /// What the newest version asks leave for, in this order.
    pub(crate) asks: &'static [&'static str],
    codes: &'static [i16],
    first_version: i16,
    last_version: i16,
    pub(crate) encode: Encode,
    decode: Decode,
    pub(crate) throttle_time_ms: ThrottleTimeMs,
}

/// A case whose request may look different from version to version.
fn case<Request: Encodable, Response: Decodable + Debug>(
    key: ApiKey,
    request: impl Fn(i16, &Sample) -> Request + 'static,
    codes: impl Fn(i16, Response) -> Vec<i16> + 'static,
) -> Case {
    let encode = move |version, sample: &Sample| {
        let mut body = BytesMut::new();
        let encoded = request(version, sample).encode(&mut body, version);
        encoded.unwrap_or_else(|error| panic!("{key:?} v{version}: {error}"));
        body.freeze()
    };
    let decode = move |version, mut body: Bytes| {
        let response = Response::decode(&mut body, version);
        codes(version, response.unwrap_or_else(|error| panic!("{key:?} v{version}: {error}")))
    };
    Case {
        key,
        listener: "PLAINTEXT",
        granted: &[],
        asks: &[],
        codes: &[],
        first_version: 0,
        last_version: i16::MAX,
        encode: Box::new(encode),
        decode: Box::new(decode),
        throttle_time_ms: Box::new(|version, mut body| {
            let shown = format!("{:?}", Response::decode(&mut body, version).unwrap());
            let (_, rest) = shown.split_once("throttle_time_ms: ")?;
            rest.split([',', ' ']).next()?.parse().ok()
        }),
    }
}

impl Case {
    fn asks(self, asks: &'static [&'static str]) -> Self {
        Self { asks, ..self }
    }

    fn gets(self, codes: &'static [i16]) -> Self {
        Self { codes, ..self }
    }

    fn granted(self, granted: &'static [&'static str]) -> Self {
        Self { granted, ..self }
    }

    fn on_controller(self) -> Self {
        Self { listener: "CONTROLLER", ..self }
    }

    fn until(self, last_version: i16) -> Self {
        Self { last_version, ..self }
    }

    fn since(self, first_version: i16) -> Self {
        Self { first_version, ..self }
    }
}

async fn answer(broker: &Arc<Broker>, context: RequestContext, body: Bytes) -> Bytes {
    let (key, version) = (context.api.key, context.api_version);
    let reply = if key == ApiKey::Produce {
        let asks = &broker.add_partitions_to_txn;
        match produce::begin(&broker.metadata, &broker.replicas, asks, context, body) {
            produce::Begun::Answered(reply) => reply,
            produce::Begun::Appended(later) | produce::Begun::Unverified(later) => later.await,
        }
    } else {
        route(Arc::clone(broker), context, body).await
    };
    let mut frame = match reply {
        Reply::Frame(frame) => frame,
        Reply::Segments(segments) => {
            let mut whole = BytesMut::new();
            for segment in segments {
                match segment {
                    Segment::Meta(bytes) => whole.extend_from_slice(&bytes),
                    Segment::Records(slices) => {
                        slices.iter().for_each(|slice| whole.extend_from_slice(slice));
                    }
                }
            }
            whole.freeze()
        }
        Reply::Throttled(..) => panic!("{key:?} v{version}: nobody is held back"),
        Reply::Nothing => panic!("{key:?} v{version}: no answer"),
        Reply::Close(why) => panic!("{key:?} v{version}: closed: {why}"),
    };
    frame.advance(size_of::<i32>());
    strip_response_header(&mut frame, key, version).unwrap();
    frame
}

async fn run(broker: &Arc<Broker>, case: &Case, sample: &Sample) {
    let api = Api::of(case.key);
    let newest = api.max_version.min(case.last_version);
    for version in api.min_version.max(case.first_version)..=newest {
        let authorizer = Arc::new(DenyAndRecord { granted: case.granted, asked: Mutex::default() });
        let address = SocketAddr::from(([127, 0, 0, 1], 1));
        let context = RequestContext {
            api,
            api_version: version,
            correlation_id: 1,
            client_id: StrBytes::default(),
            client: Arc::new(Client::new(
                Arc::from(case.listener),
                address,
                Authenticator::anonymous(),
                1,
            )),
            is_forwarded: false,
            policies: Arc::new(Policies {
                authorizer: Arc::clone(&authorizer) as Arc<dyn Authorizer>,
                quotas: Arc::new(NoQuotas),
            }),
            metrics: None,
            controller: ControllerAccess::Here,
        };
        let body = (case.encode)(version, sample);
        let codes = (case.decode)(version, answer(broker, context, body).await);
        assert_eq!(codes, case.codes, "codes of {} v{version}", api.name);
        if version == newest {
            let asked = authorizer.asked.lock().clone();
            assert_eq!(asked, case.asks, "what {} v{version} asks", api.name);
        }
    }
}

/// A node with a topic `t`.
async fn node(directory: &Path) -> (Node, Uuid) {
    let mut properties = config::broker::zero_properties();
    properties.merge(&Properties::from_iter([
        ("listeners", "PLAINTEXT://localhost:0,CONTROLLER://localhost:0"),
        ("log.dirs", directory.to_str().unwrap()),
        ("metrics.client.receiver", "true"),
    ]));
    let (config, _) = BrokerConfig::from_properties(&properties).unwrap();
    cli::format_if_new(&config).unwrap();
    let node = Node::start(config).await.unwrap();
    let id = create_topic(&node).await;
    (node, id)
}

/// A topic `t`; its id.
pub(crate) async fn create_topic(node: &Node) -> Uuid {
    let topic = CreatableTopic::default()
        .with_name(TopicName(text("t")))
        .with_num_partitions(1)
        .with_replication_factor(1);
    let request = CreateTopicsRequest::default().with_topics(vec![topic]).with_timeout_ms(10_000);
    let created = auto_topics::create(&node.broker.controller, request).await.unwrap();
    created.topics.first().unwrap().topic_id
}

pub(crate) fn cases() -> Vec<Case> {
    let rows = [
        cases::cases(),
        share_cases::share_cases(),
        transaction_cases::transaction_cases(),
        group_cases::group_cases(),
        share_fetch_cases::share_fetch_cases(),
        share_group_cases::share_group_cases(),
        node_cases::node_cases(),
    ];
    rows.into_iter().flatten().collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_may_do_nothing_gets_kafkas_refusal_from_every_api() {
    let directory = tempfile::tempdir().unwrap();
    let (node, topic_id) = node(directory.path()).await;
    for case in cases() {
        run(&node.broker, &case, &Sample { topic_id }).await;
    }
    // Nothing of what was refused has happened all the same.
    let image = node.broker.metadata.image();
    let topics: Vec<_> = image.topics().iter().map(|topic| topic.name.to_string()).collect();
    assert_eq!(topics, ["t"]);
    assert_eq!(image.topics().by_name("t").unwrap().partitions().len(), 1);
    node.stop().await;
}

#[test]
fn every_served_api_has_its_row() {
    for (listener, name) in [(Listener::Broker, "PLAINTEXT"), (Listener::Controller, "CONTROLLER")]
    {
        let of_listener = |case: &&Case| case.listener == name || listener == Listener::Controller;
        let rows: BTreeSet<i16> =
            cases().iter().filter(of_listener).map(|case| case.key as i16).collect();
        for api in protocol::api::listed_with(listener, true) {
            // What only controllers say to each other is asked leave for by the quorum's host.
            if api.on_broker || !is_of_quorum(api.key) {
                assert!(rows.contains(&(api.key as i16)), "{} has no row", api.name);
            }
        }
    }
}

fn is_of_quorum(key: ApiKey) -> bool {
    use ApiKey::{BeginQuorumEpoch, EndQuorumEpoch, FetchSnapshot, UpdateRaftVoter, Vote};
    [Vote, BeginQuorumEpoch, EndQuorumEpoch, FetchSnapshot, UpdateRaftVoter].contains(&key)
}

//! A broker and a controller, nodes of their own: what the broker passes on comes back as the
//! controller says it.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use config::{BrokerConfig, Properties};
use protocol::api::{self, Api, ApiKey, Listener};
use protocol::frame::encode_request;
use protocol::messages::*;
use protocol::wire::Encodable;
use storage::Disk;

use crate::metadata::auto_topics;
use crate::net::authenticator::Authenticator;
use crate::node::server::Node;
use crate::requests::context::Policies;
use crate::requests::reply::Reply;
use crate::requests::requester::Client;
use crate::requests::throttle::{ClientQuotas, ThrottleTime};
use crate::serving::dispatch::{self, Begun};

const CORRELATION_ID: i32 = 77;

fn free_port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

fn node_config(directory: &Path, role: &str, port: u16) -> BrokerConfig {
    let directory = directory.join(role);
    let (id, listeners) = match role {
        "controller" => ("101", format!("CONTROLLER://localhost:{port}")),
        _ => ("1", format!("PLAINTEXT://localhost:{}", free_port())),
    };
    let properties = Properties::from_iter([
        ("process.roles", role),
        ("node.id", id),
        ("controller.quorum.voters", &format!("101@localhost:{port}")),
        ("controller.listener.names", "CONTROLLER"),
        ("listeners", &listeners),
        ("log.dirs", directory.to_str().unwrap()),
    ]);
    let file = directory.with_extension("properties");
    let lines: Vec<String> = properties.iter().map(|(k, v)| format!("{k}={v}")).collect();
    std::fs::write(&file, lines.join("\n")).unwrap();
    let words = ["format", "-t", "4L6g3nShT-eMCtK--X86sw", "-c", file.to_str().unwrap()];
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let code = cli::run_to("kafka-storage", &words.map(str::to_owned), &mut out, &mut err);
    assert_eq!(code, Some(0), "{}", String::from_utf8_lossy(&err));
    BrokerConfig::from_properties(&properties).unwrap().0
}

/// The client id of those who ask, whom both nodes hold back.
const CLIENT_ID: &str = "me";
/// For how long the controller does.
const BY_CONTROLLER_MS: i32 = 50;

/// For how long the broker does: shorter or longer, by the API.
fn by_broker_ms(key: ApiKey) -> i32 {
    if key as i16 % 2 == 0 { BY_CONTROLLER_MS - 10 } else { BY_CONTROLLER_MS + 10 }
}

#[derive(Debug)]
struct OfNode(fn(ApiKey) -> i32);

impl ClientQuotas for OfNode {
    fn throttle_time(&self, _: &Client, client_id: &str, api: &Api, _: Duration) -> ThrottleTime {
        let ms = if client_id == CLIENT_ID { (self.0)(api.key) } else { 0 };
        ThrottleTime::of_ms(ms)
    }
}

/// The controller, then the broker.
async fn nodes(directory: &Path) -> (Node, Node) {
    let port = free_port();
    let start = |role, ms| {
        let config = node_config(directory, role, port);
        let policies = Policies { quotas: Arc::new(OfNode(ms)), ..Policies::default() };
        Node::start_on(config, Disk::default(), policies)
    };
    let controller = start("controller", |_| BY_CONTROLLER_MS).await.unwrap();
    let broker = start("broker", by_broker_ms).await.unwrap();
    (controller, broker)
}

/// A request that changes nothing, of some version, as it comes off the wire.
type Ask = Box<dyn Fn(i16) -> Bytes>;

fn asks<Q: Encodable + 'static>(key: ApiKey, request: impl Fn() -> Q + 'static) -> (ApiKey, Ask) {
    let encode = move |version| {
        let mut frame = BytesMut::new();
        encode_request(&mut frame, key, version, CORRELATION_ID, CLIENT_ID, &request()).unwrap();
        frame.split_off(size_of::<i32>()).freeze()
    };
    (key, Box::new(encode))
}

/// What every API is asked that brokers pass on.
fn all() -> Vec<(ApiKey, Ask)> {
    use create_partitions_request::CreatePartitionsTopic;
    use create_topics_request::CreatableTopic;
    let name = |name: &str| TopicName(name.to_owned().into());
    let broker = |name: &'static str| {
        incremental_alter_configs_request::AlterConfigsResource::default()
            .with_resource_type(4)
            .with_resource_name(name.into())
    };
    vec![
        asks(ApiKey::CreateTopics, move || {
            let topic = CreatableTopic::default().with_name(name("a b")).with_num_partitions(1);
            CreateTopicsRequest::default().with_topics(vec![topic]).with_timeout_ms(9_000)
        }),
        asks(ApiKey::CreatePartitions, move || {
            let topic = CreatePartitionsTopic::default().with_name(name("none")).with_count(7);
            CreatePartitionsRequest::default().with_topics(vec![topic]).with_timeout_ms(9_000)
        }),
        asks(ApiKey::DeleteTopics, || DeleteTopicsRequest::default().with_timeout_ms(9_000)),
        asks(ApiKey::CreateAcls, CreateAclsRequest::default),
        asks(ApiKey::DeleteAcls, DeleteAclsRequest::default),
        asks(ApiKey::AlterConfigs, AlterConfigsRequest::default),
        asks(ApiKey::IncrementalAlterConfigs, move || {
            let resources = vec![broker(""), broker("1")];
            IncrementalAlterConfigsRequest::default().with_resources(resources)
        }),
        asks(ApiKey::ElectLeaders, || ElectLeadersRequest::default().with_timeout_ms(9_000)),
        asks(ApiKey::AlterPartitionReassignments, || {
            AlterPartitionReassignmentsRequest::default().with_timeout_ms(9_000)
        }),
        asks(ApiKey::ListPartitionReassignments, || {
            ListPartitionReassignmentsRequest::default().with_timeout_ms(9_000)
        }),
        asks(ApiKey::DescribeQuorum, DescribeQuorumRequest::default),
        asks(ApiKey::UpdateFeatures, || UpdateFeaturesRequest::default().with_timeout_ms(9_000)),
        asks(ApiKey::AddRaftVoter, || AddRaftVoterRequest { voter_id: 101, ..Default::default() }),
        asks(ApiKey::RemoveRaftVoter, || RemoveRaftVoterRequest::default().with_voter_id(9)),
        asks(ApiKey::AlterClientQuotas, || {
            let nobody = alter_client_quotas_request::EntryData::default();
            AlterClientQuotasRequest::default().with_entries(vec![nobody])
        }),
        asks(ApiKey::AlterUserScramCredentials, || {
            use alter_user_scram_credentials_request::ScramCredentialDeletion;
            let nobody = ScramCredentialDeletion::default().with_name("nobody".into());
            AlterUserScramCredentialsRequest::default()
                .with_deletions(vec![nobody.with_mechanism(1)])
        }),
        asks(ApiKey::CreateDelegationToken, CreateDelegationTokenRequest::default),
        asks(ApiKey::RenewDelegationToken, RenewDelegationTokenRequest::default),
        asks(ApiKey::ExpireDelegationToken, ExpireDelegationTokenRequest::default),
        asks(ApiKey::UnregisterBroker, || {
            UnregisterBrokerRequest::default().with_broker_id(BrokerId(9))
        }),
    ]
}

/// The answer, and for how many milliseconds its connection would be muted.
async fn answer(node: &Node, listener: &str, frame: Bytes) -> (Bytes, u128) {
    let address = SocketAddr::from(([127, 0, 0, 1], 1));
    let client = Arc::new(Client::new(Arc::from(listener), address, Authenticator::anonymous(), 5));
    let reply = match dispatch::begin(&node.broker, &client, frame) {
        Begun::Overtaken(later) | Begun::Other(later) => later.await,
        Begun::Produce(_) => panic!("no Produce was sent"),
    };
    match reply {
        Reply::Throttled(answer, mute) => match *answer {
            Reply::Frame(frame) => (frame, mute.as_millis()),
            other => panic!("{other:?}"),
        },
        other => panic!("{other:?}"),
    }
}

/// Where two answers differ.
fn difference(one: &[u8], other: &[u8]) -> Vec<(u8, u8)> {
    assert_eq!(one.len(), other.len());
    one.iter().copied().zip(other.iter().copied()).filter(|(one, other)| one != other).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_broker_passes_on_comes_back_as_the_controller_says_it() {
    let directory = tempfile::tempdir().unwrap();
    let (controller, broker) = nodes(directory.path()).await;
    assert!(!broker.broker.quorum.is_active());
    for (key, ask) in all() {
        let api = Api::of(key);
        for version in api.min_version..=api.max_version {
            let (passed_on, muted) = answer(&broker, "PLAINTEXT", ask(version)).await;
            let (said, _) = answer(&controller, "CONTROLLER", ask(version)).await;
            // The longer of both times holds; the broker's where it looks at the request itself, or
            // where the answer has no place for the controller's.
            let holds_ms = match key {
                ApiKey::AlterConfigs
                | ApiKey::IncrementalAlterConfigs
                | ApiKey::CreateDelegationToken
                | ApiKey::RenewDelegationToken
                | ApiKey::ExpireDelegationToken
                | ApiKey::DescribeQuorum => by_broker_ms(key),
                _ => by_broker_ms(key).max(BY_CONTROLLER_MS),
            };
            let told = match holds_ms {
                BY_CONTROLLER_MS => Vec::new(),
                _ if key == ApiKey::DescribeQuorum => Vec::new(),
                ms => vec![(BY_CONTROLLER_MS as u8, ms as u8)],
            };
            assert_eq!(difference(&said, &passed_on), told, "{} v{version}", api.name);
            assert_eq!(muted, holds_ms as u128, "{} v{version}", api.name);
            assert_eq!(passed_on[4..8], CORRELATION_ID.to_be_bytes(), "{} v{version}", api.name);
        }
    }
    // What the broker makes in its own name goes by the same channel.
    let topic = create_topics_request::CreatableTopic::default()
        .with_name(TopicName("own".into()))
        .with_num_partitions(1)
        .with_replication_factor(1);
    let request = CreateTopicsRequest::default().with_topics(vec![topic]).with_timeout_ms(9_000);
    let created = auto_topics::create(&broker.broker.controller, request).await.unwrap();
    assert_eq!(created.topics[0].error_code, 0);
    assert!(controller.broker.quorum.image().topics().by_name("own").is_some());
    assert!(broker.broker.producer_ids.generate().await.is_ok());
    broker.stop().await;
    controller.stop().await;
}

#[test]
fn every_api_that_brokers_pass_on_is_asked() {
    let asked: Vec<ApiKey> = all().iter().map(|(key, _)| *key).collect();
    for api in api::listed_on(Listener::Broker).filter(|api| api.forwarded) {
        assert!(asked.contains(&api.key), "{}", api.name);
    }
}

//! A broker and a controller, nodes of their own: what the broker passes on comes back as the
//! controller says it.

use std::net::SocketAddr;
use std::path::Path;

use config::{BrokerConfig, Properties};
use protocol::api;
use protocol::messages::*;

use super::*;
use crate::metadata::auto_topics;
use crate::node::server::Node;
use crate::requests::context::Client;
use crate::requests::dispatch::{self, Begun};

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

/// The controller, then the broker.
async fn nodes(directory: &Path) -> (Node, Node) {
    let port = free_port();
    let controller = Node::start(node_config(directory, "controller", port)).await.unwrap();
    let broker = Node::start(node_config(directory, "broker", port)).await.unwrap();
    (controller, broker)
}

/// A request that changes nothing, of some version, as it comes off the wire.
type Ask = Box<dyn Fn(i16) -> Bytes>;

fn asks<Q: Encodable + 'static>(key: ApiKey, request: impl Fn() -> Q + 'static) -> (ApiKey, Ask) {
    let encode = move |version| {
        let mut frame = BytesMut::new();
        encode_request(&mut frame, key, version, CORRELATION_ID, "me", &request()).unwrap();
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
        asks(ApiKey::UnregisterBroker, || {
            UnregisterBrokerRequest::default().with_broker_id(BrokerId(9))
        }),
    ]
}

async fn answer(node: &Node, listener: &str, frame: Bytes) -> Bytes {
    let address = SocketAddr::from(([127, 0, 0, 1], 1));
    let client = Arc::new(Client::new(Arc::from(listener), address, 5));
    let reply = match dispatch::begin(&node.broker, &client, frame) {
        Begun::Overtaken(later) | Begun::Other(later) => later.await,
        Begun::Produce(_) => panic!("no Produce was sent"),
    };
    match reply {
        Reply::Frame(frame) => frame,
        other => panic!("{other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_broker_passes_on_comes_back_as_the_controller_says_it() {
    let directory = tempfile::tempdir().unwrap();
    let (controller, broker) = nodes(directory.path()).await;
    assert!(!broker.broker.quorum().is_active());
    for (key, ask) in all() {
        let api = Api::of(key);
        for version in api.min_version..=api.max_version {
            let passed_on = answer(&broker, "PLAINTEXT", ask(version)).await;
            let said = answer(&controller, "CONTROLLER", ask(version)).await;
            assert_eq!(passed_on, said, "{} v{version}", api.name);
            assert_eq!(passed_on[4..8], CORRELATION_ID.to_be_bytes(), "{} v{version}", api.name);
        }
    }
    // What the broker makes in its own name goes by the same channel.
    let topic = create_topics_request::CreatableTopic::default()
        .with_name(TopicName("own".into()))
        .with_num_partitions(1)
        .with_replication_factor(1);
    let request = CreateTopicsRequest::default().with_topics(vec![topic]).with_timeout_ms(9_000);
    let created = auto_topics::create(&broker.broker, request).await.unwrap();
    assert_eq!(created.topics[0].error_code, 0);
    assert!(controller.broker.quorum().image().topics().by_name("own").is_some());
    assert!(broker.broker.producer_ids().generate(&broker.broker).await.is_ok());
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

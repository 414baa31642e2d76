//! Tables of the files and strings of the ZooKeeper era.

use std::time::Duration;

use super::connect::Connect;
use super::service::{ServiceConfig, relative_path_warning};
use crate::{ConfigError, Properties, Warning};

fn properties(text: &str) -> Properties {
    Properties::parse(text.as_bytes()).unwrap()
}

fn service(text: &str) -> Result<(ServiceConfig, Vec<Warning>), ConfigError> {
    ServiceConfig::parse(&properties(text))
}

fn service_error(text: &str) -> String {
    service(text).unwrap_err().to_string()
}

fn connect(text: &str) -> Result<Connect, ConfigError> {
    Ok(Connect::of(&properties(text))?.expect("a file of the era"))
}

#[test]
fn the_file_that_kafka_brings_along_is_a_controller_at_its_client_port() {
    let (config, warnings) = service(
        "dataDir=/tmp/zookeeper\nclientPort=2181\nmaxClientCnxns=0\nadmin.enableServer=false\n",
    )
    .unwrap();
    assert_eq!(warnings, []);
    let node = config.controller().unwrap();
    assert_eq!(node.node_id, 2_000_000_000);
    assert!(node.process_roles.controller && !node.process_roles.broker);
    assert_eq!(node.controller_listeners[0].to_string(), "CONTROLLER://:2181");
    assert_eq!(node.log_dirs, ["/tmp/zookeeper/gregor"]);
    assert_eq!(node.controller_quorum_voters.len(), 1);
    assert_eq!(node.zookeeper.service(), Some(&config));
    assert_eq!(node.max_connections_per_ip, i32::MAX);
}

#[test]
fn a_relative_directory_and_an_address_are_kept_as_typed() {
    let (config, _) =
        service("dataDir=./zookeeper/\nclientPort=2182\nclientPortAddress=127.0.0.1\n").unwrap();
    assert_eq!(config.folder(), "./zookeeper/gregor");
    let node = config.controller().unwrap();
    assert_eq!(node.controller_listeners[0].to_string(), "CONTROLLER://127.0.0.1:2182");
    let (any, _) = service("dataDir=d\nclientPort=1\nclientPortAddress=0.0.0.0\n").unwrap();
    assert_eq!(any.client_address, None);
}

#[test]
fn several_servers_are_the_voters_of_a_quorum() {
    let text = "dataDir=d\nclientPort=2181\nserver.1=a:2888:3888\nserver.2=b:2888:3888;2182\n\
                server.3=[::1]:2888:3888:participant;0.0.0.0:2183\nserver.4=d:1:2:observer\n";
    let (config, warnings) = service(text).unwrap();
    assert_eq!(warnings, []);
    let second = config.clone().as_server(2).unwrap();
    assert_eq!((second.node_id(), second.client_port), (2_000_000_002, 2182));
    let node = second.controller().unwrap();
    let voters: Vec<_> = node
        .controller_quorum_voters
        .iter()
        .map(|voter| (voter.id, voter.address.host.as_str(), voter.address.port))
        .collect();
    let expected =
        [(2_000_000_001, "a", 2181), (2_000_000_002, "b", 2182), (2_000_000_003, "::1", 2183)];
    assert_eq!(voters, expected);
    assert_eq!(
        config.clone().as_server(9).unwrap_err().to_string(),
        "My id 9 not in the peer list"
    );
    assert!(config.as_server(4).unwrap_err().to_string().contains("observer"));
}

#[test]
fn one_server_alone_is_no_quorum() {
    let (config, _) = service("dataDir=d\nserver.1=0.0.0.0:2888:3888;2181\n").unwrap();
    assert_eq!(config.client_port, 2181);
    assert!(config.voters().is_empty());
    let alone = config.as_server(1).unwrap();
    assert_eq!(alone.controller().unwrap().node_id, 2_000_000_001);
}

#[test]
fn a_file_that_cannot_be_served_says_why() {
    let table = [
        ("clientPort=2181\n", "dataDir is not set"),
        ("dataDir=d\n", "clientPort is not set"),
        (
            "dataDir=d\nclientPortAddress=::1\n",
            "clientPortAddress is set but clientPort is not set",
        ),
        (
            "dataDir=d\nclientPort=70000\n",
            "Invalid value 70000 for configuration clientPort: a port from 1 to 65535 is expected",
        ),
        (
            "dataDir=d\nclientPort=1\nserver.one=a:1:2\n",
            "Invalid value a:1:2 for configuration server.one: the id of a server is a number from \
             1 to 255",
        ),
        (
            "dataDir=d\nclientPort=1\nserver.1=a:1\n",
            "Invalid value a:1 for configuration server.1: \
             server.id=host:port:port[:role][;[address:]clientPort] is expected",
        ),
        (
            "dataDir=d\nclientPort=1\nsslQuorum=true\n",
            "Invalid value true for configuration sslQuorum: the service speaks plain text only, \
             to anybody; remove it",
        ),
        (
            "dataDir=d\nclientPort=1\ntickTime=soon\n",
            "Invalid value soon for configuration tickTime: Not a number of type INT",
        ),
    ];
    for (text, expected) in table {
        assert_eq!(service_error(text), expected, "{text}");
    }
    assert!(service("dataDir=d\nclientPort=1\nsslQuorum=false\n").is_ok());
}

#[test]
fn an_unknown_name_is_one_warning() {
    let (_, warnings) = service("dataDir=d\nclientPort=1\ninitLimt=5\nsyncLimit=2\n").unwrap();
    assert_eq!(warnings, [Warning::UnknownName { name: "initLimt".to_owned() }]);
}

#[test]
fn a_relative_path_is_warned_of_unless_it_says_that_it_is_meant() {
    let said = relative_path_warning("zookeeper.properties");
    let expected =
        "zookeeper.properties is relative. Prepend ./ to indicate that you're sure!".to_owned();
    assert_eq!(said, Some(expected));
    assert_eq!(relative_path_warning("./zookeeper.properties"), None);
    assert_eq!(relative_path_warning("/etc/kafka/zookeeper.properties"), None);
}

#[test]
fn a_connect_string_reads_as_zookeeper_reads_it() {
    type Case = (&'static str, &'static [(&'static str, u16)], &'static str);
    let table: [Case; 6] = [
        ("localhost:2181", &[("localhost", 2181)], ""),
        ("zoo", &[("zoo", 2181)], ""),
        ("a:1, b:2 ,c", &[("a", 1), ("b", 2), ("c", 2181)], ""),
        ("a:1,b:2/kafka/one", &[("a", 1), ("b", 2)], "/kafka/one"),
        ("a:1/", &[("a", 1)], ""),
        ("[::1]:2182,[fe80::1]", &[("::1", 2182), ("fe80::1", 2181)], ""),
    ];
    for (text, servers, chroot) in table {
        let read = connect(&format!("broker.id=0\nzookeeper.connect={text}\n")).unwrap();
        let found: Vec<_> =
            read.servers.iter().map(|each| (each.host.as_str(), each.port)).collect();
        assert_eq!(found, servers, "{text}");
        assert_eq!(read.chroot, chroot, "{text}");
        assert_eq!(read.timeout, Duration::from_secs(18));
    }
    for text in ["", "a:x", "a:0", ":2181", "a//b", "a/../b", "a/b/"] {
        let given = format!("broker.id=0\nzookeeper.connect={text}\n");
        assert!(connect(&given).is_err(), "{text}");
    }
}

#[test]
fn a_file_of_kraft_has_no_connect() {
    let kraft = properties("process.roles=broker\nzookeeper.connect=zoo\n");
    assert_eq!(Connect::of(&kraft), Ok(None));
    assert_eq!(Connect::of(&properties("broker.id=1\n")), Ok(None));
}

#[test]
fn the_wait_for_the_service_is_that_of_the_connection_or_else_of_the_session() {
    let with = |more: &str| connect(&format!("zookeeper.connect=zoo\n{more}")).unwrap().timeout;
    assert_eq!(with("zookeeper.session.timeout.ms=5000\n"), Duration::from_secs(5));
    let both = "zookeeper.session.timeout.ms=5000\nzookeeper.connection.timeout.ms=6000\n";
    assert_eq!(with(both), Duration::from_secs(6));
}

#[test]
fn ids_are_those_that_brokers_of_the_era_may_have() {
    let id = |text: &str| {
        let read = connect(&format!("zookeeper.connect=zoo\n{text}"));
        read.map(|read| read.broker_id).map_err(|error| error.to_string())
    };
    assert_eq!(id(""), Ok(None));
    assert_eq!(id("broker.id=-1\n"), Ok(None));
    assert_eq!(id("broker.id=0\n"), Ok(Some(0)));
    assert_eq!(id("broker.id=1000\n"), Ok(Some(1000)));
    assert_eq!(id("broker.id=-1\nnode.id=1003\n"), Ok(Some(1003)));
    assert_eq!(id("broker.id=1001\nbroker.id.generation.enable=false\n"), Ok(Some(1001)));
    assert_eq!(id("broker.id=5000\nreserved.broker.max.id=6000\n"), Ok(Some(5000)));
    let refused = [
        "broker.id=-2\n",
        "broker.id=1001\n",
        "broker.id=two\n",
        "broker.id=-1\nbroker.id.generation.enable=false\n",
        "broker.id=2000000001\nbroker.id.generation.enable=false\n",
        "node.id=2000000000\n",
    ];
    for text in refused {
        assert!(id(text).is_err(), "{text}");
    }
}

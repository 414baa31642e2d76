//! What arrives in the metadata while a node runs and would have it deny somebody: it stops serving
//! clients, says why, and does not serve them again until its file is mended.
//!
//! A stock controller takes what Gregor's own would not.

use std::net::TcpStream;
use std::time::{Duration, Instant};

use tests::cluster::{Cluster, Layout, Roles};
use tests::oracle::{EQUALLED, ToolServer};
use tests::refusal::{printed, start};
use tests::server::Kind;
use tests::wire::Client;

const STANDARD: &str =
    "authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer";
const WITHOUT_ENTRIES: &str = "allow.everyone.if.no.acl.found=true";
const EVERYBODY: &str = "super.users=User:ANONYMOUS";

/// Broker 1 has an authorizer that allows everybody while there is no ACL, broker 2 none, broker 3
/// one that allows everybody whatever there is.
fn layout() -> Layout {
    Layout::default()
        .with(1, Roles::Broker, Kind::Gregor)
        .with(2, Roles::Broker, Kind::Gregor)
        .with(3, Roles::Broker, Kind::Gregor)
        .with(101, Roles::Controller, Kind::Stock)
        .line_where(STANDARD, |node| node.id != 2)
        .line_where(WITHOUT_ENTRIES, |node| node.id == 1)
        .line_where(EVERYBODY, |node| node.id == 3 || node.id == 101)
}

fn run_tool(tool: &str, words: &str) {
    let args: Vec<String> = words.split(' ').map(str::to_owned).collect();
    let done = ToolServer::shared().run(EQUALLED, tool, &args, "");
    assert_eq!(done.code, 0, "{tool} {words}: {done:#?}");
}

fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(20);
    while !holds() {
        assert!(Instant::now() < deadline, "{what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn count(output: &str, words: &str) -> usize {
    output.lines().filter(|line| line.contains(words)).count()
}

/// Whether the other side has closed the connection.
fn is_closed(client: &mut Client) -> bool {
    client.call(0, &protocol::messages::ApiVersionsRequest::default()).is_err()
}

#[test]
fn a_node_that_would_have_to_deny_somebody_stops_serving_clients() {
    let mut cluster = Cluster::start(layout());
    let address = |id: usize| format!("localhost:{}", cluster.layout.nodes[id - 1].port);
    let controller = format!("localhost:{}", cluster.layout.nodes[3].controller_port);
    let mut clients = [1, 2, 3].map(|id| Client::connect(&address(id)).expect("it accepts"));
    cluster.view().create("t", &[&[1, 2]], &[]);

    let acl = "--add --allow-principal User:alice --operation Read --topic t";
    run_tool("kafka-acls", &format!("--bootstrap-controller {controller} {acl}"));
    let closing = "Clients are not served any more.";
    until("broker 1 says why", || count(&cluster.output(1), closing) == 1);
    let said = cluster.output(1);
    let line = said.lines().find(|line| line.contains(closing)).expect("the line");
    assert!(line.contains("] ERROR ") && line.contains("1 ACLs in the metadata"), "{line}");
    until("its connections end", || is_closed(&mut clients[0]));
    assert!(TcpStream::connect(address(1)).is_err(), "nobody connects any more");
    assert!(cluster.runs(1), "the process goes on");
    until("broker 2 warns", || count(&cluster.output(2), "nobody obeys them") == 1);
    for (id, client) in [(2, 1), (3, 2)] {
        assert!(!is_closed(&mut clients[client]), "broker {id} serves on");
        assert_eq!(count(&cluster.output(id), closing), 0);
    }
    assert_eq!(count(&cluster.output(3), "ACLs in the metadata"), 0, "{}", cluster.output(3));

    // At the start the metadata is asked before anybody can connect.
    cluster.terminate(1);
    let file = cluster.folder().join("node-1/server.properties");
    let again = start(&file);
    let said = printed(&again);
    assert_eq!(again.status.code(), Some(1), "{said}");
    assert_eq!(count(&said, "] ERROR "), 1, "{said}");
    assert_eq!(count(&said, "There are 1 ACLs in the metadata, and authorizer.class.name"), 1);
    assert_eq!(count(&said, "[KafkaServer id=1] started"), 0, "{said}");
    cluster.write_properties(1, &[EVERYBODY]);
    cluster.start_again(1);
}

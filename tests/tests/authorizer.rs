//! Entries that arrive while nodes run, made by stock's tool at a stock controller: each broker of
//! ours obeys them as its own file says.

use std::time::Duration;

use protocol::batch::BatchBuilder;
use tests::cluster::view::until;
use tests::cluster::{Cluster, Layout, Roles};
use tests::oracle::{EQUALLED, ToolServer};
use tests::server::Kind;
use tests::topic::produce;
use tests::wire::Client;

const STANDARD: &str =
    "authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer";
const OLD_NAME: &str = "authorizer.class.name=kafka.security.authorizer.AclAuthorizer";
const WITHOUT_ENTRIES: &str = "allow.everyone.if.no.acl.found=true";
const EVERYBODY: &str = "super.users=User:ANONYMOUS";
const DENIED: i16 = 29;

/// Broker 1 has an authorizer that allows everybody what no entry is about, broker 2 none, broker 3
/// one that allows everybody everything.
fn layout() -> Layout {
    Layout::default()
        .with(1, Roles::Broker, Kind::Gregor)
        .with(2, Roles::Broker, Kind::Gregor)
        .with(3, Roles::Broker, Kind::Gregor)
        .with(101, Roles::Controller, Kind::Stock)
        .line_where(OLD_NAME, |node| node.id == 1)
        .line_where(STANDARD, |node| node.id > 2)
        .line_where(WITHOUT_ENTRIES, |node| node.id == 1)
        .line_where(EVERYBODY, |node| node.id == 3 || node.id == 101)
}

fn run_tool(tool: &str, words: &str) {
    let args: Vec<String> = words.split(' ').map(str::to_owned).collect();
    let done = ToolServer::shared().run(EQUALLED, tool, &args, "");
    assert_eq!(done.code, 0, "{tool} {words}: {done:#?}");
}

fn count(output: &str, words: &str) -> usize {
    output.lines().filter(|line| line.contains(words)).count()
}

fn code(client: &mut Client) -> i16 {
    let mut batch = BatchBuilder::new(0);
    batch.append(0, None, Some(b"value"));
    produce(client, "t", 0, 1, batch.build()).expect("answered").error
}

#[test]
fn each_broker_obeys_entries_as_its_file_says() {
    let mut cluster = Cluster::start(layout());
    let controller = format!("localhost:{}", cluster.layout.nodes[3].controller_port);
    let addresses: Vec<String> =
        cluster.layout.nodes[..3].iter().map(|node| format!("localhost:{}", node.port)).collect();
    cluster.view().create("t", &[&[1, 2]], &[]);
    let mut clients: Vec<Client> =
        addresses.iter().map(|address| Client::connect(address).expect("it accepts")).collect();
    for client in &mut clients {
        assert_ne!(code(client), DENIED);
    }

    let acl = "--add --allow-principal User:alice --operation Read --topic t";
    run_tool("kafka-acls", &format!("--bootstrap-controller {controller} {acl}"));
    until("broker 1 denies", Duration::from_secs(20), || {
        (code(&mut clients[0]) == DENIED).then_some(())
    });
    let line = "Principal = User:ANONYMOUS is Denied operation = WRITE from host = 127.0.0.1 on \
                resource = Topic:LITERAL:t for request = Produce with resourceRefCount = 1 based \
                on rule DefaultDeny (kafka.authorizer.logger)";
    assert!(count(&cluster.output(1), line) > 0, "{}", cluster.output(1));
    let warning = "There are 1 ACLs in the metadata, and no authorizer.class.name: nobody obeys";
    until("broker 2 warns", Duration::from_secs(20), || {
        (count(&cluster.output(2), warning) == 1).then_some(())
    });
    for client in &mut clients[1..] {
        assert_ne!(code(client), DENIED);
    }

    // What it finds at the start it obeys before anybody is served.
    cluster.terminate(1);
    cluster.start_again(1);
    let mut client = Client::connect(&addresses[0]).expect("it accepts");
    assert_eq!(code(&mut client), DENIED);
    run_tool(
        "kafka-acls",
        &format!("--bootstrap-controller {controller} --remove --force --topic t"),
    );
    until("broker 1 allows again", Duration::from_secs(20), || {
        (code(&mut client) != DENIED).then_some(())
    });
}

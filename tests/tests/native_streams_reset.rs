//! The native tool that resets an application of Kafka Streams says and does what stock's does.

use std::net::TcpListener;

use tests::beside::compare;
use tests::golden::{check, check_native, recording, tool};
use tests::native::run;
use tests::server::{Kind, Server};
use tests::streams_member::{Part, StreamsMember};

#[test]
fn offsets_are_reset_and_topics_deleted_as_by_stock() {
    check("tools/streams-reset-4.3.1");
    if !recording() {
        check_native(Kind::Gregor, "tools/streams-reset-4.3.1");
        check_native(Kind::Stock, "tools/streams-reset-4.3.1");
    }
}

#[test]
fn a_cluster_that_is_not_there_is_given_up_in_stocks_words() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let port = listener.local_addr().expect("bound").port();
    drop(listener);
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("hasty.properties");
    std::fs::write(&file, "default.api.timeout.ms=700\nrequest.timeout.ms=500\n").expect("a file");
    let server = format!("127.0.0.1:{port}");
    let file = file.display().to_string();
    let words = ["--bootstrap-server", &server, "--application-id", "a", "--command-config", &file];
    let done = run("kafka-streams-application-reset", &words.map(str::to_owned), "");
    let said = "ERROR: java.util.concurrent.ExecutionException: \
                org.apache.kafka.common.errors.TimeoutException: Timed out waiting for a node \
                assignment. Call: describeConsumerGroups(api=FIND_COORDINATOR)";
    assert!(done.stderr.contains(said), "{done:?}");
    assert_eq!(done.code, 1);
}

/// Members of both new protocols: the tool sees those of consumers, and fails to commit beside the
/// others.
#[test]
fn members_of_new_protocols_are_in_the_way_as_with_stock() {
    if recording() {
        return;
    }
    let mut server =
        Server::prepare(Kind::Stock, &["group.streams.initial.rebalance.delay.ms=0".to_owned()]);
    server.stock = Some("4.3.1".to_owned());
    server.start_again();
    let create = "kafka-topics@4.3.1 --bootstrap-server SERVER --create --topic orders";
    assert_eq!(tool(&server, create, "").code, 0);
    let part = Part { id: "0", sources: &["orders"], ..Part::default() };
    let mut member = StreamsMember::join(&server.address(), "app", "m", &[part]);
    member.settle();
    let reset = |words: &str| {
        let line = "kafka-streams-application-reset --bootstrap-server SERVER --application-id app";
        compare(&server, &format!("{line} {words}"));
    };
    reset("--input-topics orders --dry-run");
    reset("--input-topics orders");
    reset("--input-topics orders --force");
    member.leave();
    reset("--input-topics orders");
}

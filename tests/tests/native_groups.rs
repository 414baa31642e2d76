//! The native tools for groups and offsets print what stock's print and do what they do.

use std::net::TcpListener;
use std::time::{Duration, Instant};

use tests::cluster::{Cluster, Layout};
use tests::golden::{check, check_native, recording};
use tests::native::run;
use tests::oracle::{NEWEST, ToolServer};
use tests::server::Kind;

/// Every case with stock's tools, which says that the facts are right, and with ours.
fn check_both(case: &str) {
    check(case);
    if !recording() {
        check_native(Kind::Gregor, case);
    }
}

#[test]
fn kafka_consumer_groups_reads_and_refuses_what_stock_does() {
    check_both("tools/consumer-groups-4.3.1");
}

#[test]
fn offsets_of_groups_move_as_with_the_stock_tool() {
    check_both("tools/consumer-groups-offsets-4.3.1");
}

#[test]
fn kafka_groups_reads_and_refuses_what_stock_does() {
    check_both("tools/groups-4.3.1");
}

#[test]
fn kafka_get_offsets_and_delete_records_read_and_refuse_what_stock_does() {
    check_both("tools/offsets-4.3.1");
}

#[test]
fn offsets_are_shown_and_records_deleted_as_with_the_stock_tools() {
    if !recording() {
        check_native(Kind::Gregor, "offsets/offsets");
    }
}

/// Of release 4.1; `consumer_groups` has those of 4.3 on Gregor.
#[test]
fn groups_of_the_new_protocol_are_shown_as_by_the_stock_tools() {
    if recording() {
        check("tools/consumer-groups-new-4.3.1");
    } else {
        check_native(Kind::Stock, "tools/consumer-groups-new-4.3.1");
    }
}

#[test]
fn a_group_lives_as_with_the_stock_tool() {
    if !recording() {
        check_native(Kind::Gregor, "groups/lifecycle");
    }
}

#[test]
fn a_stock_broker_gets_the_same_from_the_native_group_tools() {
    if !recording() {
        check_native(Kind::Stock, "tools/consumer-groups-offsets-4.3.1");
    }
}

#[test]
fn offsets_of_tiered_storage_are_asked_for_as_by_stock() {
    match recording() {
        true => check("tools/offsets-tiered-4.3.1"),
        false => check_native(Kind::Stock, "tools/offsets-tiered-4.3.1"),
    }
}

#[test]
fn a_cluster_that_is_not_there_is_given_up_in_stocks_words() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let port = listener.local_addr().expect("bound").port();
    drop(listener);
    let server = format!("127.0.0.1:{port}");
    let arguments = |rest: &[&str]| -> Vec<String> {
        let fixed = ["--bootstrap-server", &server, "--timeout", "700"];
        fixed.iter().chain(rest).map(|word| (*word).to_owned()).collect()
    };
    let failed = "\nError: Executing consumer group command failed due to ";
    let list = "java.util.concurrent.ExecutionException: org.apache.kafka.common.KafkaException: \
                Failed to find brokers to send ListGroups\n";
    let describe = "org.apache.kafka.common.errors.TimeoutException: Timed out waiting for a node \
                    assignment. Call: describeConsumerGroups(api=FIND_COORDINATOR)\n";
    for (rest, words) in [(&["--list"][..], list), (&["--describe", "--group", "g"][..], describe)]
    {
        let began = Instant::now();
        let done = run("kafka-consumer-groups", &arguments(rest), "");
        assert!(began.elapsed() < Duration::from_secs(3), "{:?}", began.elapsed());
        assert_eq!((done.stdout, done.code), (format!("{failed}{words}"), 0));
    }
}

#[test]
fn groups_and_partitions_of_several_brokers_are_shown_as_by_the_stock_tools() {
    let cluster = Cluster::start(Layout::combined(3));
    let nodes = cluster.layout.nodes.iter();
    let addresses: Vec<String> = nodes.map(|node| format!("localhost:{}", node.port)).collect();
    let words = |line: &str| -> (String, Vec<String>) {
        let mut words = line.split(' ').map(str::to_owned);
        let tool = words.next().expect("a tool");
        let server = ["--bootstrap-server".to_owned(), addresses.join(",")];
        (tool, server.into_iter().chain(words).collect())
    };
    let ours = |line: &str| {
        let (tool, arguments) = words(line);
        run(&tool, &arguments, "")
    };
    let create = "kafka-topics --create --topic orders --partitions 12 --replication-factor 1";
    assert_eq!(ours(create).code, 0);
    // A broker shows a topic a moment after the controller has it.
    let deadline = Instant::now() + Duration::from_secs(10);
    while ours("kafka-get-offsets --topic orders").stdout.lines().count() < 12 {
        assert!(Instant::now() < deadline, "the topic does not come");
        std::thread::sleep(Duration::from_millis(50));
    }
    for group in 0..30 {
        let line = format!(
            "kafka-consumer-groups --reset-offsets --group group-{} --topic orders --to-latest \
             --execute",
            group * 7919 % 1000
        );
        let done = ours(&line);
        assert_eq!(done.stdout.lines().count(), 14, "{}", done.stdout);
    }
    for line in [
        "kafka-consumer-groups --list",
        "kafka-consumer-groups --list --state",
        "kafka-consumer-groups --describe --all-groups",
        "kafka-consumer-groups --describe --all-groups --state",
        "kafka-consumer-groups --reset-offsets --all-groups --topic orders --to-earliest --dry-run",
        "kafka-groups --list",
        "kafka-get-offsets --topic orders",
        "kafka-consumer-groups --delete --group group-0 --group group-919 --group nobody",
    ] {
        let (tool, arguments) = words(line);
        let native = run(&tool, &arguments, "");
        let stock = ToolServer::shared().run(NEWEST, &tool, &arguments, "");
        // Who deletes a group first finds it.
        if line.contains("--delete") {
            let deleted =
                ["* Group 'nobody' could not be deleted due to: ", "'group-0'", "'group-919'"];
            assert!(deleted.iter().all(|text| native.stdout.contains(text)), "{}", native.stdout);
            assert_eq!(stock.stdout.matches("could not be deleted").count(), 3);
        } else {
            // What shares a bucket of Java's hash map stands in the order in which brokers answer.
            let sorted = |text: &str| {
                let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
                lines.sort_unstable();
                lines
            };
            match line.contains("list") || line.contains("reset") {
                true => assert_eq!(sorted(&native.stdout), sorted(&stock.stdout), "{line}"),
                false => assert_eq!(native.stdout, stock.stdout, "{line}"),
            }
        }
        assert_eq!((native.code, stock.code), (0, 0), "{line}");
    }
}

//! The native tools for groups and offsets print what stock's print and do what they do.

use std::net::TcpListener;
use std::time::{Duration, Instant};

use tests::golden::{check, check_native, recording};
use tests::native::run;
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

/// Gregor has no members of the new protocol yet: stock's broker is asked by both tools.
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
    for (rest, words) in
        [(&["--list"][..], list), (&["--describe", "--group", "g"][..], describe)]
    {
        let began = Instant::now();
        let done = run("kafka-consumer-groups", &arguments(rest), "");
        assert!(began.elapsed() < Duration::from_secs(3), "{:?}", began.elapsed());
        assert_eq!((done.stdout, done.code), (format!("{failed}{words}"), 0));
    }
}

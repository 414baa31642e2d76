//! Native tools that produce print what stock's print and write the same records.

use tests::golden::{check, check_native, recording};
use tests::server::Kind;

/// Every case with stock's tools, which says that the facts are right, and with ours.
fn check_both(case: &str) {
    match recording() {
        true => check(case),
        false => check_native(Kind::Gregor, case),
    }
}

#[test]
fn kafka_console_producer_reads_and_refuses_what_stock_does() {
    check_both("tools/console-producer-4.3.1");
}

#[test]
fn a_stock_broker_gets_the_same_records_from_the_native_console_producer() {
    if !recording() {
        check_native(Kind::Stock, "tools/console-producer-4.3.1");
    }
}

#[test]
fn console_transcripts_hold_for_the_native_console_producer() {
    if !recording() {
        check_native(Kind::Gregor, "console/produce-consume-4.3.1");
        check_native(Kind::Gregor, "console/acks-and-codecs-4.3.1");
    }
}

#[test]
fn kafka_producer_perf_test_reads_and_refuses_what_stock_does() {
    check_both("tools/producer-perf-test-4.3.1");
}

#[test]
fn perf_transcripts_hold_for_the_native_producer_perf_test() {
    if !recording() {
        check_native(Kind::Gregor, "perf/perf");
        check_native(Kind::Stock, "tools/producer-perf-test-4.3.1");
    }
}

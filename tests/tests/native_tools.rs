//! Native tools print what stock's print, do what they do and end with the same code.

use tests::golden::{check, check_native, recording};
use tests::server::Kind;

/// Every case with stock's tools, which says that the facts are right, and with ours.
fn check_both(case: &str) {
    check(case);
    if !recording() {
        check_native(Kind::Gregor, case);
    }
}

#[test]
fn kafka_topics_reads_and_refuses_what_stock_does() {
    check_both("tools/topics-4.3.1");
}

#[test]
fn kafka_cluster_and_api_versions_read_and_refuse_what_stock_does() {
    check_both("tools/cluster-4.3.1");
}

#[test]
fn topics_live_as_with_the_stock_tool() {
    check_native(Kind::Gregor, "topics/lifecycle-4.3.1");
    check_native(Kind::Gregor, "topics/errors-4.3.1");
}

#[test]
fn a_cluster_is_described_as_by_the_stock_tools() {
    check_native(Kind::Gregor, "cluster/describe");
    check_native(Kind::Gregor, "cluster/reassign");
}

#[test]
fn a_stock_broker_gets_the_same_from_native_tools() {
    check_native(Kind::Stock, "topics/lifecycle-4.3.1");
    check_native(Kind::Stock, "tools/cluster-4.3.1");
}

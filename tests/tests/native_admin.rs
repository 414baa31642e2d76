//! Native tools of administration print what stock's print, do what they do and end with the same
//! code.

use tests::golden::{check, check_native, recording};
use tests::server::Kind;

/// A case that both brokers serve: with stock's tools and with ours against Gregor.
fn check_both(case: &str) {
    check(case);
    if !recording() {
        check_native(Kind::Gregor, case);
    }
}

/// A case whose requests Gregor does not serve yet: ours against stock.
fn check_stock(case: &str) {
    match recording() {
        true => check(case),
        false => check_native(Kind::Stock, case),
    }
}

#[test]
fn kafka_configs_reads_and_refuses_what_stock_does() {
    check_both("tools/configs-4.3.1");
}

#[test]
fn quotas_and_credentials_are_set_and_described_as_by_stock() {
    check_both("tools/quotas-4.3.1");
}

#[test]
fn loggers_groups_and_subscriptions_are_set_and_described_as_by_stock() {
    check_stock("tools/configs-loggers-4.3.1");
}

#[test]
fn elections_and_log_directories_are_asked_for_as_by_stock() {
    check_both("tools/elections-4.3.1");
}

#[test]
fn kafka_reassign_partitions_reads_and_refuses_what_stock_does() {
    check_both("tools/reassign-4.3.1");
}

#[test]
fn replicas_move_between_directories_as_with_the_stock_tool() {
    check_stock("tools/reassign-directories-4.3.1");
}

#[test]
fn partitions_move_and_leaders_change_as_with_the_stock_tools() {
    check_native(Kind::Gregor, "cluster/reassign");
    check_native(Kind::Gregor, "cluster/elections");
}

#[test]
fn settings_live_as_with_the_stock_tool() {
    check_native(Kind::Gregor, "configs/topics");
    check_native(Kind::Gregor, "configs/brokers");
}

#[test]
fn kafka_metadata_quorum_reads_and_refuses_what_stock_does() {
    check_both("tools/quorum-4.3.1");
}

#[test]
fn controllers_that_come_and_go_are_asked_for_as_by_stock() {
    check_stock("tools/quorum-changes-4.3.1");
}

#[test]
fn a_quorum_is_described_as_by_the_stock_tool() {
    check_native(Kind::Gregor, "cluster/quorum");
}

#[test]
fn kafka_features_reads_and_refuses_what_stock_does() {
    check_both("tools/features-4.3.1");
}

#[test]
fn subscriptions_of_client_metrics_live_as_with_the_stock_tool() {
    check_stock("tools/client-metrics-4.3.1");
}

#[test]
fn a_stock_broker_gets_the_same_from_native_tools_of_administration() {
    check_native(Kind::Stock, "tools/configs-4.3.1");
    check_native(Kind::Stock, "tools/elections-4.3.1");
    check_native(Kind::Stock, "tools/features-4.3.1");
}

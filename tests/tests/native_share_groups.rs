//! The native tool of share groups says and does what stock's does.

use tests::beside::compare;
use tests::golden::{check, check_native, recording};
use tests::native::run;
use tests::server::{Kind, Server};

#[test]
fn a_command_line_is_read_and_refused_as_by_stock() {
    check("tools/share-groups-none-4.3.1");
    if !recording() {
        check_native(Kind::Gregor, "tools/share-groups-none-4.3.1");
    }
}

/// Only stock of 4.2 and later has share groups with their lag.
#[test]
fn share_groups_are_shown_moved_and_deleted_as_by_stock() {
    match recording() {
        true => check("tools/share-groups-4.3.1"),
        false => check_native(Kind::Stock, "tools/share-groups-4.3.1"),
    }
}

#[test]
fn a_node_whose_share_groups_are_off_is_asked_as_by_stock() {
    match recording() {
        true => check("tools/share-groups-off-4.3.1"),
        false => check_native(Kind::Stock, "tools/share-groups-off-4.3.1"),
    }
}

#[test]
fn a_node_without_share_groups_is_asked_as_by_stock() {
    if recording() {
        return;
    }
    let server = Server::start(Kind::Gregor, &[]);
    for words in [
        "--list",
        "--list --state Empty",
        "--describe --all-groups",
        "--describe --group g",
        "--describe --group g --state",
        "--delete --group g",
        "--delete-offsets --group g --topic t",
        "--reset-offsets --group g --topic t --to-latest --execute",
    ] {
        compare(&server, &format!("kafka-share-groups --bootstrap-server SERVER {words}"));
    }
}

/// The order of the states is another in each JVM.
#[test]
fn a_state_that_no_share_group_has_is_refused() {
    let words = ["--bootstrap-server", "localhost:1", "--list", "--state", "stable,NotReady"];
    let refused = run("kafka-share-groups", &words.map(str::to_owned), "");
    let said = "Invalid state list 'stable,NotReady'. Valid states are: Stable, Dead, Empty\n";
    assert_eq!(refused.code, 1);
    assert!(refused.stderr.starts_with(&format!("{said}Option ")), "{}", refused.stderr);
}

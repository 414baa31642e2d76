//! Java's transactional producers and consumers on Gregor's partitions and groups, where a stock
//! broker coordinates the transactions: it asks, adds, and sends the markers.

use tests::cluster::transaction_copies::{begin, read, run};
use tests::cluster::{Cluster, Layout, Roles};
use tests::golden::server_kind;
use tests::oracle::EQUALLED;
use tests::server::Kind;

const RECORDS: usize = 300;

/// Broker 1, which is stock, has the transactions; the rest has these replicas and broker 2 as
/// leader.
fn started(replicas: &[i32]) -> Cluster {
    let layout = Layout::default()
        .line("transaction.state.log.num.partitions=1")
        .line("transaction.state.log.min.isr=1")
        .line("offsets.topic.num.partitions=1")
        .line("offsets.topic.replication.factor=1")
        .line("group.initial.rebalance.delay.ms=0")
        .with(1, Roles::Broker, Kind::Stock)
        .with(2, Roles::Broker, server_kind())
        .with(101, Roles::Controller, server_kind());
    let cluster = Cluster::start(layout);
    let view = cluster.view();
    let kept = [("cleanup.policy", "compact"), ("min.insync.replicas", "1")];
    view.create("__transaction_state", &[&[1]], &kept);
    view.create("__consumer_offsets", &[replicas], &kept);
    view.create("from", &[replicas; 2], &[]);
    view.create("to", &[replicas; 3], &[]);
    cluster
}

fn copies_each_record_once(version: &str) {
    let cluster = started(&[2]);
    let bootstrap = cluster.bootstrap().join(",");
    run(version, &["fill", &bootstrap, "from", &RECORDS.to_string()]);
    let copied = run(version, &["copy", &bootstrap, "from", "to", "copier"]);
    assert!(copied.stdout.contains("transactions "), "{copied:#?}");
    assert_eq!(read(version, &bootstrap, "to"), (0..RECORDS).collect());
}

#[test]
fn a_copy_in_transactions_with_epochs_of_their_own_is_exact() {
    copies_each_record_once(EQUALLED);
}

#[test]
fn a_copy_by_clients_that_add_their_partitions_themselves_is_exact() {
    copies_each_record_once("3.7.0");
}

/// Stock's coordinator drops the markers of a partition that has no leader at that time, so that
/// each partition has a second replica.
#[test]
fn a_copy_goes_on_exactly_when_the_leader_of_its_partitions_is_killed() {
    let mut cluster = started(&[2, 1]);
    let bootstrap = cluster.bootstrap().join(",");
    run(EQUALLED, &["fill", &bootstrap, "from", &RECORDS.to_string()]);
    let copying = begin(EQUALLED, &["copy", &bootstrap, "from", "to", "copier"]);
    std::thread::sleep(std::time::Duration::from_millis(1_500));
    cluster.kill(2);
    cluster.start_again(2);
    let copied = copying.finish();
    assert_eq!(copied.code, 0, "{copied:#?}");
    assert_eq!(read(EQUALLED, &bootstrap, "to"), (0..RECORDS).collect());
}
